"""``python -m toolkit.runs``: list runs, show what one took, collect old runs and results that nothing uses."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, note, run_command
from toolkit.core.errors import UsageError
from toolkit.core.settings import read_settings
from toolkit.engine.run_catalogue import collect, describe_run, run_folders
from toolkit.engine.run_folder import RUN, RunFolder
from toolkit.storage.appdata import AppData


def main(argv: Sequence[str] | None = None) -> int:
    """Manage runs."""
    parser = command_parser("runs", "List runs, show what one took, collect old runs and results that nothing uses.")
    parser.add_argument("action", choices=["list", "show", "gc"])
    parser.add_argument("run_id", nargs="?", default="", metavar="RUN_ID", help="for show; the latest by default")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--keep", type=int, metavar="N", help="for gc: also remove all but the N newest runs")
    return run_command(parser, _runs, argv)


def _runs(args: argparse.Namespace) -> int:
    place = AppData(args.appdata or read_settings().appdata)
    if args.run_id and args.action != "show":
        raise UsageError(f"{args.action} takes no run", f"python -m toolkit.runs show {args.run_id}")
    return {"list": _list, "show": _show, "gc": _collect}[args.action](args, place)


def _list(args: argparse.Namespace, place: AppData) -> int:
    found = [describe_run(folder) for folder in run_folders(place)]
    if args.json:
        emit(canonical_json({"runs": found}))
        return DONE
    for run in found:
        counts = ", ".join(f"{run[name]} {name}" for name in ("ok", "failed", "skipped"))
        took = f"{run['seconds'] or 0:>10,.1f} s"
        emit(f"{run['run_id']}  {run['state']:<11}  {run['store_key'] or '':<34}{took}  {counts}")
    if not found:
        note(args, f"no run in {place.runs}; start one with: python -m toolkit.run")
    return DONE


def _show(args: argparse.Namespace, place: AppData) -> int:
    folder = RunFolder.find(place.runs, args.run_id)
    run, side = describe_run(folder), folder.read(RUN)
    if args.json:
        emit(canonical_json({**run, "side": side or None}))
        return DONE
    emit(f"run {run['run_id']} {run['state']}, table {run['store_key']}, begun {run['started']}")
    if not side:
        note(args, f"it has not ended; go on with it: python -m toolkit.run --resume {run['run_id']}")
        return DONE
    workers = f"{side['workers']} workers ({side['workers_limited_by']})"
    emit(f"{side['seconds']:,.1f} s with {workers}, policy {side['policy']}")
    emit(f"{'plugin':<40}{'status':<10}{'s':>10}  {'predicted':<20}{'MiB':>7}  predicted")
    for plugin in side["plugins"]:
        emit(_plugin_line(plugin))
        if plugin["reason"]:
            emit(f"  {plugin['reason']}")
    return DONE


def _plugin_line(plugin: dict[str, Any]) -> str:
    status = "kept" if plugin["cached"] else plugin["status"].replace("_", " ")
    wall, rss = (
        _interval(plugin.get(k), unit, d) for k, unit, d in (("predicted_ms", 1e3, 1), ("predicted_rss", 2**20, 0))
    )
    took = f"{plugin['duration_ms'] / 1e3:>10,.1f}  {wall:<20}{plugin['max_rss'] >> 20:>7,}  {rss}"
    return f"{plugin['id']:<40}{status:<10}{took}".rstrip()


def _interval(estimate: dict[str, Any] | None, unit: float, digits: int) -> str:
    if estimate is None:
        return ""
    low, high = (f"{estimate[name] / unit:,.{digits}f}" for name in ("low", "high"))
    return f"{low} to {high}"


def _collect(args: argparse.Namespace, place: AppData) -> int:
    if args.keep is not None and args.keep < 0:
        raise UsageError(f"--keep takes a number of runs, not {args.keep}")
    gone = collect(place, args.keep)
    if args.json:
        emit(canonical_json({"runs": gone.runs, "results": [str(p) for p in gone.results], "bytes": gone.bytes}))
        return DONE
    for path in [*(place.runs / name for name in gone.runs), *gone.results]:
        emit(str(path))
    note(args, f"removed {len(gone.runs)} runs and {len(gone.results)} packs of results, {gone.bytes / 2**20:,.1f} MiB")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
