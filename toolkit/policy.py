"""``python -m toolkit.policy``: each cap that holds for a table, and the rule that set it; the schema of policies."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.errors import UsageError
from toolkit.core.settings import read_settings
from toolkit.engine.discovery import discover
from toolkit.engine.manifest import Manifest
from toolkit.govern.policy import OFF, SETTINGS, Policy, policy_in_force, shipped_policies
from toolkit.govern.rules import Origin
from toolkit.plugin.budget import MACHINE_CAPS
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location


def main(argv: Sequence[str] | None = None) -> int:
    """Explain a policy, or print the JSON Schema of policies."""
    parser = command_parser("policy", "Print each cap that holds for a table, with the rule and line that set it.")
    parser.add_argument("action", choices=["explain", "schema"], help="explain a policy; print the schema of policies")
    parser.add_argument("store", nargs="?", metavar="STORE", help="path or key of a store; the newest by default")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--policy", default="", metavar="FILE", help="policy file, or off")
    parser.add_argument("--plugin-dir", type=Path, action="append", default=[], help="a further folder with plugins")
    parser.add_argument("--rows", type=int, help="explain for so many rows, whatever the store has")
    parser.add_argument("--columns", type=int, help="explain for so many columns; with --rows no store is needed")
    return run_command(parser, _act, argv)


def _act(args: argparse.Namespace) -> int:
    if args.action == "schema":
        emit((shipped_policies() / "policy.schema.json").read_text("utf-8").rstrip())
        return DONE
    return _explain(args)


def _explain(args: argparse.Namespace) -> int:
    environment = read_settings()
    policy = policy_in_force(args.policy, environment)
    rows, columns = _size(args, AppData(args.appdata or environment.appdata))
    plugins = discover([*args.plugin_dir, *environment.plugin_path])
    found = {
        "policy": policy.source,
        "rows": rows,
        "columns": columns,
        "sampled": False,
        "tiers": [t.name for t in policy.tiers.values() if t.holds(rows, columns)],
        "settings": [_setting(policy, name) for name in SETTINGS],
        "plugins": [_explained(policy, plugin, rows, columns) for plugin in plugins.values()],
    }
    if args.json:
        emit(canonical_json(found))
    else:
        _print(found)
    return DONE


def _print(found: dict[str, Any]) -> None:
    emit(f"policy {found['policy']} on {found['rows']:,} rows and {found['columns']:,} columns, all of them read")
    emit(f"tiers: {', '.join(found['tiers']) or 'none'}")
    for entry in found["settings"]:
        emit(_line(entry, "no limit"))
    if found["policy"] == OFF:
        emit("no caps are injected")
    for plugin in found["plugins"]:
        emit(f"\n{plugin['id']}")
        for entry in plugin["caps"]:
            emit(_line(entry, "no cap"))
        if not plugin["caps"]:
            emit("  no caps")
        for entry in plugin["passed_over"]:
            emit(f"{_line(entry, 'no cap')}: passed over, as a manifest can only lower it")


def _line(entry: dict[str, Any], none: str) -> str:
    found = entry["value"]
    value = none if found is None else f"{found:,}" if isinstance(found, int) else str(found)
    place = f"{entry['file']}:{entry['line']}" if entry["line"] else entry["file"]
    return f"  {entry.get('cap', entry.get('setting')):<17}{value:>15}  {place} ({entry['rule']})"


def _size(args: argparse.Namespace, place: AppData) -> tuple[int, int]:
    given = (args.rows, args.columns)
    if any(value is not None and value < 1 for value in given):
        raise UsageError("--rows and --columns take positive numbers")
    if None not in given and args.store is None:
        return args.rows, args.columns
    with open_location(place.find_store(args.store)) as dataset:
        return args.rows or dataset.rows, args.columns or len(dataset.schema)


def _setting(policy: Policy, name: str) -> dict[str, Any]:
    origin = policy.origins.get(name, Origin("built in", 0, "off" if policy.source == OFF else "nothing sets it"))
    return {"setting": name, "value": getattr(policy, name), **_place(origin)}


def _explained(policy: Policy, plugin: Manifest, rows: int, columns: int) -> dict[str, Any]:
    budget, origins = policy.resolve(plugin.type, plugin.id, rows, columns, plugin.caps)
    values = budget.to_json()
    caps = [{"cap": cap, "value": values[cap], **_place(origins[cap])} for cap in values if cap in origins]
    return {"id": plugin.id, "type": plugin.type, "caps": caps, "passed_over": list(_passed_over(plugin, origins))}


def _passed_over(plugin: Manifest, origins: dict[str, Origin]) -> Iterator[dict[str, Any]]:
    """What the plugin's manifest asks for of the machine and does not get."""
    if plugin.caps is not None:
        for cap, value in plugin.caps.caps.items():
            origin = plugin.caps.origins[cap]
            if cap in MACHINE_CAPS and origins.get(cap) != origin:
                yield {"cap": cap, "value": value, **_place(origin)}


def _place(origin: Origin) -> dict[str, Any]:
    path = Path(origin.source)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return {"file": str(path), "line": origin.line, "rule": origin.rule, "level": origin.level}


if __name__ == "__main__":
    sys.exit(main())
