"""HDF5 files: tables of PyTables, pandas, vaex and anndata, compound datasets, and plain datasets of one length."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from toolkit.core.digest import digest_file
from toolkit.core.errors import BadInputError, MissingExtraError
from toolkit.readers.anndata_frames import OTHER_TABLE, anndata_table, is_frame
from toolkit.readers.base import ReadOptions
from toolkit.readers.hdf5_columns import Hdf5Group, compound_table, dataset_column
from toolkit.readers.hdf5_objects import attribute, children, find, outside, text
from toolkit.readers.hdf5_pandas import is_pandas, pandas_table
from toolkit.readers.hdf5_vaex import is_vaex, vaex_table
from toolkit.readers.options import ENCODING, TABLE, ReaderOption
from toolkit.readers.row_ranges import RangeColumn, RangeSource, RangeTable, common_length, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    import h5py

_MAGIC = b"\x89HDF\r\n\x1a\n"
_USER_BLOCKS = (0, 512, 1024, 2048, 4096, 8192, 16384)
_MOST_OBJECTS = 100_000
_DEEPEST = 32
_CACHE_BYTES = 1 << 20


class Hdf5Reader:
    """HDF5."""

    name: ClassVar[str] = "hdf5"
    suffixes: ClassVar[tuple[str, ...]] = (".hdf5", ".h5", ".hdf", ".h5ad", ".he5")
    takes: ClassVar[tuple[ReaderOption, ...]] = (TABLE, ENCODING)

    def sniff(self, head: bytes) -> bool:
        """Whether the file has HDF5's mark, behind a user block or not."""
        return any(head.startswith(_MAGIC, at) for at in _USER_BLOCKS)

    def open(self, path: Path, options: ReadOptions) -> RangeSource:
        """Open a file; see `toolkit.readers.base.Reader`.

        The ``format`` option ``table`` names the group or dataset to read, where there are several.

        Raises
        ------
        BadInputError
            When it is no HDF5 file, or has no table or several.
        MissingExtraError
            When h5py is not installed.
        """
        try:
            import h5py
        except ImportError as error:
            raise MissingExtraError(f"reading {path}", "hdf5") from error
        try:
            file = h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES, locking="best-effort")
        except (OSError, RuntimeError, ValueError) as error:
            raise BadInputError(
                f"{path} is not a whole HDF5 file: {_first_line(error)}", "get the file again from its origin"
            ) from error
        try:
            table = _choose(path, file, str(options.format.get("table", "")), options.encoding)
            return RangeSource(path, table, options, lambda: digest_file(path), file.close)
        except BadInputError as error:
            file.close()
            told = error.message.startswith(str(path))
            raise BadInputError(error.message if told else f"{path}: {error.message}", error.remedy) from error
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, MemoryError) as error:
            file.close()
            raise BadInputError(
                f"{path}: its structure can't be read: {_first_line(error)}", "get the file again from its origin"
            ) from error


def _choose(path: Path, file: h5py.File, wanted: str, encoding: str) -> RangeTable:
    """The table that is asked for, or the only one."""
    found = _Tables()
    found.walk(file["/"], "")
    notes = [f"{link!r} is a link to another file, and not followed" for link in found.outside]
    if wanted:
        name = wanted.strip("/")
        build = found.tables.get(name)
        if build is None:
            known = ", ".join(repr(n or "/") for n in list(found.tables)[:20]) or "none"
            raise BadInputError(f"{path}: no table {wanted!r}", f"there are: {known}")
    elif text(attribute(file["/"], "encoding-type")) == "anndata" and "obs" in found.tables:
        name, build = "obs", found.tables["obs"]
        if "var" in found.tables:
            notes.append(OTHER_TABLE)
    elif len(found.tables) == 1:
        name, build = next(iter(found.tables.items()))
    elif found.tables:
        known = ", ".join(repr(n or "/") for n in list(found.tables)[:20])
        raise BadInputError(
            f"{path}: {len(found.tables)} tables, so which one to convert must be said",
            f"choose with --table one of {known}",
        )
    else:
        raise BadInputError(f"{path}: no table in it", "a table is made of datasets of one dimension and one length")
    table = build(encoding)
    if not table.columns:
        raise BadInputError(f"{path}: {name!r} has no columns", "choose another table")
    return RangeTable(name or "/", table.rows, table.columns, table.notes + notes)


class _Tables:
    """The tables of a file, by path, and what makes each."""

    def __init__(self) -> None:
        self.tables: dict[str, Callable[[str], RangeTable]] = {}
        self.outside: list[str] = []
        self._seen: set[Any] = set()

    def walk(self, group: h5py.Group, path: str, depth: int = 0) -> None:
        """Add the tables of a group and all below it."""
        import h5py

        address = h5py.h5o.get_info(group.id).addr
        if address in self._seen:
            return
        self._seen.add(address)
        if len(self._seen) > _MOST_OBJECTS or depth > _DEEPEST:
            raise BadInputError(
                f"more than {_MOST_OBJECTS:,} groups, or groups more than {_DEEPEST} deep", "name the table"
            )
        self.outside += [f"{path}/{n}".lstrip("/") for n in outside(group)]
        for recognises, build in _LAYOUTS:
            if recognises(group):
                self.tables[path] = partial(build, path, group)
                return
        plain: list[str] = []
        for name in children(group):
            item = find(group, name)
            below = f"{path}/{name}".lstrip("/")
            if isinstance(item, h5py.Dataset):
                if _is_compound(item):
                    if item.ndim == 1:
                        self.tables[below] = partial(compound_table, below, item)
                elif item.shape:
                    plain.append(name)
            elif isinstance(item, h5py.Group) and not name.startswith("_i_"):
                # groups of that name are the indices that PyTables keeps of its tables
                self.walk(item, below, depth + 1)
        if outside(group) or any(find(group, n).ndim == 1 for n in plain):
            self.tables[path] = partial(_plain_table, path, group, plain)


def _is_compound(dataset: h5py.Dataset) -> bool:
    import h5py

    kind = dataset.id.get_type()
    if not isinstance(kind, h5py.h5t.TypeCompoundID):
        return False
    try:
        return bool(kind.dtype.names)  # a complex number is a compound, too
    except TypeError:
        return True


def _plain_table(path: str, group: h5py.Group, names: list[str], encoding: str) -> RangeTable:
    """Datasets of one group as columns; those of more dimensions are refused, those of none no columns."""
    notes: list[str] = []
    columns: list[RangeColumn] = []
    lengths: dict[str, int] = {}
    for name in names:
        dataset = find(group, name)
        if dataset.ndim == 1:
            lengths[name] = dataset.shape[0]
    rows = common_length(path or "/", lengths)
    for name in names:
        dataset = find(group, name)
        if dataset.ndim == 1:
            columns.append(dataset_column(name, dataset, encoding, notes))
        elif dataset.shape[0] == rows:
            columns.append(refused(name, f"shape {dataset.shape}", "a column has one dimension"))
        else:
            notes.append(f"{name!r}, of shape {dataset.shape}, is no column, and left out")
    # what they lead to might be a column: to leave one out is for the person to say
    why = "it leads to another file, which could be any of this machine"
    columns += [refused(name, "link", why) for name in outside(group)]
    return RangeTable(path, rows, columns, notes)


_LAYOUTS: tuple[tuple[Callable[[Any], bool], Callable[[str, Any, str], RangeTable]], ...] = (
    (is_pandas, pandas_table),
    (is_vaex, vaex_table),
    (
        lambda group: is_frame(text(attribute(group, "encoding-type"))),
        lambda path, group, encoding: anndata_table(path, Hdf5Group(group, encoding)),
    ),
)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]


PROVIDES = Hdf5Reader()
