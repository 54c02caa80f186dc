"""``python -m toolkit.compare``: what differs between two stores, such as last month's load and this month's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, emit, note, run_command
from toolkit.core.settings import read_settings
from toolkit.engine.compare.stores import compare_datasets
from toolkit.engine.results import ResultStore
from toolkit.govern.policy import policy_in_force
from toolkit.report.comparison import comparison_files
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location
from toolkit.storage.durable import naming_disk_errors, write_durably

_KEY_SHOWN = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Compare two stores; prints the path of the page."""
    parser = command_parser("compare", "Say what differs between two stores, from kept states where there are any.")
    parser.add_argument("first", metavar="STORE_A", help="path or key of a store")
    parser.add_argument("second", metavar="STORE_B", help="path or key of the other")
    parser.add_argument("--appdata", type=Path, help="folder for stores and results")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="where to write; in appdata by default")
    parser.add_argument("--policy", default="", metavar="FILE", help="policy file, for memory and false discoveries")
    parser.add_argument("--no-cache", action="store_true", help="scan everything, whatever is kept")
    parser.add_argument("--check", action="store_true", help="exit with 1 when there is a difference")
    return run_command(parser, _compare, argv)


def _compare(args: argparse.Namespace) -> int:
    environment = read_settings()
    place = AppData(args.appdata or environment.appdata)
    policy = policy_in_force(args.policy, environment)
    reading = environment.result_cache and not args.no_cache
    scanned: dict[str, set[str]] = {}
    with open_location(place.find_store(args.first)) as a, open_location(place.find_store(args.second)) as b:
        kept = tuple(ResultStore(place.results / d.key, reading=reading) for d in (a, b))
        found = compare_datasets(
            a, b, kept=(kept[0], kept[1]), policy=policy, control=policy.discovery, scanned=scanned
        )
        folder = args.out or place.root / "comparisons" / f"{a.key[:_KEY_SHOWN]}-{b.key[:_KEY_SHOWN]}"
    paths = {}
    for name, content in comparison_files(found).items():
        paths[name] = folder / name
        with naming_disk_errors("writing the comparison", paths[name]):
            write_durably(paths[name], content)
    differences = len(found["findings"])
    if args.json:
        files = {name: str(path) for name, path in paths.items()}
        emit(canonical_json({"differences": differences, "same_data": found["same_data"], "files": files}))
    else:
        for finding in found["findings"]:
            note(args, finding["sentence"])
        columns = ", ".join(f"{len(scanned[which])} of the {which}" for which in ("first", "second"))
        note(args, f"{differences} differences; columns that were scanned: {columns}")
        emit(str(paths["compare.html"]))
    return DONE_WITH_FAILURES if args.check and differences else DONE


if __name__ == "__main__":
    sys.exit(main())
