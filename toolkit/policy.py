"""``python -m toolkit.policy explain``: each cap that holds for a table, and the rule that set it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.errors import UsageError
from toolkit.core.settings import read_settings
from toolkit.engine.discovery import discover
from toolkit.engine.manifest import Manifest
from toolkit.govern.policy import OFF, Policy, load_policy
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location


def main(argv: Sequence[str] | None = None) -> int:
    """Explain a policy."""
    parser = command_parser("policy", "Print each cap that holds for a table, with the rule and line that set it.")
    parser.add_argument("action", choices=["explain"])
    parser.add_argument("store", nargs="?", metavar="STORE", help="path or key of a store; the newest by default")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--policy", default="", metavar="FILE", help="policy file, or off")
    parser.add_argument("--plugin-dir", type=Path, action="append", default=[], help="a further folder with plugins")
    parser.add_argument("--rows", type=int, help="explain for so many rows, without a store")
    parser.add_argument("--columns", type=int, help="explain for so many columns, without a store")
    return run_command(parser, _explain, argv)


def _explain(args: argparse.Namespace) -> int:
    environment = read_settings()
    policy = load_policy(args.policy or environment.policy)
    rows, columns = _size(args, AppData(args.appdata or environment.appdata))
    plugins = discover([*args.plugin_dir, *environment.plugin_path])
    explained = [_explained(policy, plugin, rows, columns) for plugin in plugins.values()]
    if args.json:
        emit(
            canonical_json(
                {"policy": policy.source, "rows": rows, "columns": columns, **_settings(policy), "plugins": explained}
            )
        )
        return DONE
    emit(f"policy {policy.source} on {rows:,} rows and {columns:,} columns")
    tiers = [t.name for t in policy.tiers.values() if t.holds(rows, columns)]
    emit(f"tiers: {', '.join(tiers) or 'none'}")
    for name, value in _settings(policy).items():
        emit(f"{name}: {'no limit' if value is None else format(value, ',')}")
    if policy.source == OFF:
        emit("no caps are injected")
    for plugin in explained:
        emit(f"\n{plugin['id']}")
        for cap in plugin["caps"]:
            shown = "no cap" if cap["value"] is None else f"{cap['value']:,}"
            emit(f"  {cap['cap']:<15}{shown:>15}  {cap['file']}, line {cap['line']} ({cap['rule']})")
        if not plugin["caps"]:
            emit("  no caps")
    return DONE


def _size(args: argparse.Namespace, place: AppData) -> tuple[int, int]:
    if args.rows is not None or args.columns is not None:
        if args.store is not None or args.rows is None or args.columns is None:
            raise UsageError("--rows and --columns are given together, and without STORE")
        if args.rows < 1 or args.columns < 1:
            raise UsageError("--rows and --columns take positive numbers")
        return args.rows, args.columns
    with open_location(place.find_store(args.store)) as dataset:
        return dataset.rows, len(dataset.schema)


def _settings(policy: Policy) -> dict[str, int | None]:
    names = ("partition_chunks", "scan_memory", "full_load", "max_workers", "memory_share")
    return {name: getattr(policy, name) for name in names}


def _explained(policy: Policy, plugin: Manifest, rows: int, columns: int) -> dict[str, Any]:
    budget, origins = policy.resolve(plugin.type, plugin.id, rows, columns)
    values = budget.to_json()
    caps = [
        {"cap": cap, "value": values[cap], "file": Path(o.source).name, "line": o.line, "rule": o.rule}
        for cap, o in origins.items()
    ]
    return {"id": plugin.id, "type": plugin.type, "caps": sorted(caps, key=lambda c: list(values).index(str(c["cap"])))}


if __name__ == "__main__":
    sys.exit(main())
