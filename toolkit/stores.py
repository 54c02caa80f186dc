"""``python -m toolkit.stores``: list the stores, clear away what is left over, export to other formats."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, note, run_command
from toolkit.core.errors import ToolkitError, UsageError
from toolkit.core.settings import read_settings
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location
from toolkit.storage.export import export
from toolkit.storage.lineage import drop_lineage, lineage_of


def main(argv: Sequence[str] | None = None) -> int:
    """Manage stores."""
    parser = command_parser("stores", "List stores, collect what is left over, export to other formats.")
    parser.add_argument("action", choices=["list", "gc", "export"])
    parser.add_argument("store", nargs="?", metavar="STORE", help="for export: path, key or beginning of a key")
    parser.add_argument("target", nargs="?", type=Path, metavar="FILE", help="for export: such as table.parquet")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--columns", default="", help="for export: names of columns, separated by commas")
    parser.add_argument(
        "--as-stored", action="store_true", help="for export: the store's types, not those of the source"
    )
    parser.add_argument("--keep", type=int, metavar="N", help="for gc: also remove all but the N newest stores")
    return run_command(parser, _stores, argv)


def _stores(args: argparse.Namespace) -> int:
    return {"list": _list, "gc": _collect, "export": _export}[args.action](args)


def _appdata(args: argparse.Namespace) -> AppData:
    return AppData(args.appdata or read_settings().appdata)


def _list(args: argparse.Namespace) -> int:
    place = _appdata(args)
    found = [_describe(place, path) for path in place.list_stores()]
    if args.json:
        emit(canonical_json({"stores": found}))
        return DONE
    for store in found:
        if "problem" in store:
            emit(f"{store['name']}  {store['problem']}")
        else:
            derived = "".join(f"  of {d['parent'][:12]} by {d['plugin']}" for d in store["derived_from"])
            emit(f"{store['name']}  {store['rows']:>13,} rows  {store['columns']:>5} columns  {store['made']}{derived}")
    if not found:
        note(args, f"no store in {place.stores}; make one with: python -m toolkit.convert FILE")
    return DONE


def _describe(place: AppData, path: Path) -> dict[str, Any]:
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
    lineage = [{name: r.get(name, "") for name in ("parent", "plugin", "version")} for r in lineage_of(place, path)]
    head = {"name": path.name, "path": str(path), "made": made, "derived_from": lineage}
    try:
        with open_location(path) as dataset:
            return {**head, "key": dataset.key, "rows": dataset.rows, "columns": len(dataset.schema)}
    except ToolkitError as error:
        return {**head, "problem": error.message}


def _collect(args: argparse.Namespace) -> int:
    appdata = _appdata(args)
    if args.keep is not None and args.keep < 0:
        raise UsageError(f"--keep takes a number of stores, not {args.keep}")
    removed = [str(p) for p in appdata.collect_stale()]
    if args.keep is not None:
        for store in appdata.list_stores()[args.keep :]:
            appdata.drop_store(store)
            removed.append(str(store))
    removed += [str(p) for p in drop_lineage(appdata)]
    if args.json:
        emit(canonical_json({"removed": removed}))
    else:
        for path in removed:
            emit(path)
        note(args, f"removed {len(removed)}")
    return DONE


def _export(args: argparse.Namespace) -> int:
    if args.store is None or args.target is None:
        raise UsageError("export takes a store and a file", "python -m toolkit.stores export STORE table.parquet")
    columns = [c for c in (c.strip() for c in args.columns.split(",")) if c] or None
    with open_location(_appdata(args).find_store(args.store)) as dataset:
        source, rows = export(dataset, args.target, columns, as_stored=args.as_stored), dataset.rows
    if args.json:
        emit(canonical_json({"path": str(args.target), "rows": rows, "types_of": source}))
    else:
        note(args, f"exported {rows:,} rows" + (f", with the types that {source} declared" if source else ""))
        emit(str(args.target))
    return DONE


if __name__ == "__main__":
    sys.exit(main())
