"""The Python interface: convert, open, run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.core.settings import read_settings
from toolkit.engine.run_folder import RunFolder
from toolkit.engine.runner import run_plugins
from toolkit.ingest.settings import content_settings
from toolkit.ingest.sources import find_record, name_files
from toolkit.report.notebook import Report
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

__all__ = ["compare_stores", "convert_table", "open_report", "open_store", "run_plugins"]


def convert_table(
    table: Any,
    *,
    appdata: str | Path | None = None,
    columns: Sequence[str] = (),
    types: Mapping[str, str | Mapping[str, str]] | None = None,
    format: str = "zarr",  # noqa: A002  the same word as the command's option
    codec: str = "",
    chunk_rows: int = 0,
    workers: int | None = None,
    max_memory: int | None = None,
    encoding: str = "",
    table_name: str = "",
    reader: str = "",
    options: Mapping[str, str | Sequence[str]] | None = None,
    on_bad_row: str = "error",
) -> Dataset:
    """Write a table into a store and open it.

    Parameters
    ----------
    table : path or frame
        A file, a folder, a pattern or a list of files; or a pandas or polars frame, or anything else with
        ``__arrow_c_stream__``.
    appdata : path, optional
        Folder for stores; ``TOOLKIT_APPDATA`` or ``appdata`` by default.
    columns : sequence of str
        Names of the columns to take; all when empty.
    types : mapping, optional
        By name of column its kind, or a mapping with some of ``kind``, ``unit`` and ``role``.
    format, codec : str
        Store format and compression; the format's first compression when empty.
    chunk_rows, workers, max_memory : int
        Rows of a chunk, 0 for the default; threads, and bytes for the whole process.
    encoding, table_name, reader : str
        Encoding of text, which table of the source, and name of its format; found out when empty.
    options : mapping, optional
        Options of the format by name, as in ``--option NAME=VALUE``: ``{"delimiter": ";", "header": "no"}``.
    on_bad_row : str
        ``error``, or ``quarantine`` to set bad rows aside in a file beside the store.

    Raises
    ------
    BadInputError, UsageError
        When the table can't be read, or an option is not taken; says where and why.
    """
    environment = read_settings()
    place = AppData(Path(appdata) if appdata is not None else environment.appdata)
    settings = content_settings(
        columns=columns,
        types=types,
        format=format,
        codec=codec,
        chunk_rows=chunk_rows,
        on_bad_row=on_bad_row,
        options={**({"encoding": encoding} if encoding else {}), **(options or {})},
        table=table_name,
        reader=reader,
    )
    return open_location(_stored(table, place, settings, environment.store_cache, workers, max_memory))


def _stored(
    table: Any, place: AppData, settings: dict[str, Any], reuse: bool, workers: int | None, max_memory: int | None
) -> Path:
    """Where the store of a table is, converted now or before."""
    from toolkit.ingest.table import convert_file, convert_frame

    if not isinstance(table, str | os.PathLike) and not _are_paths(table):
        return convert_frame(table, place, settings, workers=workers, max_memory=max_memory)
    files = name_files(*([table] if isinstance(table, str | os.PathLike) else table))
    record = find_record(place.sources, files, settings) if reuse else None
    if record is not None and (place.stores / record["store"]).exists():
        return place.stores / record["store"]
    return Path(convert_file(files, place, settings, workers=workers, max_memory=max_memory, reuse=reuse)["path"])


def _are_paths(table: Any) -> bool:
    return isinstance(table, list | tuple) and bool(table) and all(isinstance(p, str | os.PathLike) for p in table)


def open_store(path_or_key: str | Path | None = None, *, appdata: str | Path | None = None) -> Dataset:
    """Open a store by its path, its key or the beginning of its key; the newest by default.

    Raises
    ------
    BadInputError
        When there is no such store.
    """
    place = AppData(Path(appdata) if appdata is not None else read_settings().appdata)
    return open_location(place.find_store(None if path_or_key is None else str(path_or_key)))


def open_report(run: str = "latest", *, appdata: str | Path | None = None) -> Report:
    """Open the report of a run that has ended.

    Parameters
    ----------
    run : str
        Its id, or the beginning of it; the newest by default.
    appdata : path, optional
        ``TOOLKIT_APPDATA`` or ``appdata`` by default.

    Raises
    ------
    BadInputError
        When there is no such run, or no report in it.
    """
    place = AppData(Path(appdata) if appdata is not None else read_settings().appdata)
    folder = RunFolder.find(place.runs, "" if run == "latest" else run)
    return Report.read(folder.path / "report.json")


def compare_stores(
    first: Dataset | str | Path, second: Dataset | str | Path, *, appdata: str | Path | None = None
) -> dict[str, Any]:
    """Say what differs between two stores; see `toolkit.engine.compare.stores.compare_datasets`.

    Parameters
    ----------
    first, second : Dataset, path or str
        Open stores, their paths or keys.
    appdata : path, optional
        For stores and kept states; ``TOOLKIT_APPDATA`` or ``appdata`` by default.

    Returns
    -------
    dict
        As compare.json has it.
    """
    from toolkit.engine.compare.stores import compare_datasets
    from toolkit.engine.results import ResultStore

    place = AppData(Path(appdata) if appdata is not None else read_settings().appdata)
    a, b = (s if isinstance(s, Dataset) else open_location(place.find_store(str(s))) for s in (first, second))
    return compare_datasets(a, b, kept=(ResultStore(place.results / a.key), ResultStore(place.results / b.key)))
