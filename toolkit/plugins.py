"""``python -m toolkit.plugins``: list plugins, show one, write a new one, prove one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, emit, note, run_command
from toolkit.core.errors import UsageError
from toolkit.core.settings import read_settings
from toolkit.engine.discovery import discover, shipped_plugins
from toolkit.engine.manifest import Manifest, load_manifest


def main(argv: Sequence[str] | None = None) -> int:
    """List, show, make or check plugins."""
    parser = command_parser("plugins", "List plugins, show one, write a new one, or prove that one holds its contract.")
    parser.add_argument("action", choices=["list", "show", "new", "check"])
    parser.add_argument("plugin", nargs="*", metavar="ID", help="plugin id; for check also a plugin's folder")
    parser.add_argument("--plugin-dir", type=Path, action="append", default=[], help="a further folder with plugins")
    parser.add_argument("--into", type=Path, help="folder in which new makes the plugin's folder (default: plugins)")
    return run_command(parser, _plugins, argv)


def _plugins(args: argparse.Namespace) -> int:
    if args.action == "new":
        return _new(args)
    known = discover([*args.plugin_dir, *read_settings().plugin_path])
    if args.action == "list":
        return _list(args, known)
    if args.action == "show":
        return _show(args, known)
    return _check(args, known)


def _list(args: argparse.Namespace, known: dict[str, Manifest]) -> int:
    if args.json:
        emit(canonical_json({"plugins": [_facts(m) for m in known.values()]}))
        return DONE
    width = max(map(len, known), default=0)
    for manifest in known.values():
        emit(f"{manifest.id:<{width}}  {manifest.version:<6} {manifest.summary}")
    return DONE


def _show(args: argparse.Namespace, known: dict[str, Manifest]) -> int:
    for name in _named(args):
        manifest = _find(name, known)
        if args.json:
            emit(canonical_json(_facts(manifest)))
            continue
        for key, value in _facts(manifest).items():
            emit(f"{key:<12} {value if isinstance(value, str | int) else canonical_json(value)}")
    return DONE


def _new(args: argparse.Namespace) -> int:
    from toolkit.engine.new_plugin import new_plugin

    names = _named(args)
    if len(names) != 1:
        raise UsageError("new takes one id", "python -m toolkit.plugins new analysis_NAME")
    into = args.into or (shipped_plugins() if shipped_plugins().parent.samefile(Path.cwd()) else Path("plugins"))
    folder = new_plugin(names[0], into)
    emit(canonical_json({"id": names[0], "path": str(folder)}) if args.json else str(folder))
    note(args, f"prove it with: python -m toolkit.plugins check {folder}")
    note(args, f"run it with:   python -m toolkit.run --plugins {names[0]} --plugin-dir {into}")
    return DONE


def _check(args: argparse.Namespace, known: dict[str, Manifest]) -> int:
    from toolkit.engine.check import CHECKS, check_plugin

    chosen = [_find(name, known) for name in args.plugin] or list(known.values())
    failed: list[dict[str, Any]] = []
    for manifest in chosen:
        problems = check_plugin(manifest, {**known, manifest.id: manifest})
        failed += [{"plugin": manifest.id, "check": p.check, "problem": p.text} for p in problems]
        if args.json:
            continue
        emit(f"{manifest.id}: {f'{len(problems)} problems' if problems else f'all {len(CHECKS)} checks hold'}")
        for problem in problems:
            emit(f"  {problem.check}: {problem.text}")
    if args.json:
        emit(canonical_json({"checked": [m.id for m in chosen], "problems": failed}))
    return DONE_WITH_FAILURES if failed else DONE


def _named(args: argparse.Namespace) -> list[str]:
    if not args.plugin:
        raise UsageError(f"{args.action} takes the id of a plugin", f"python -m toolkit.plugins {args.action} ID")
    return list(args.plugin)


def _find(name: str, known: dict[str, Manifest]) -> Manifest:
    if name in known:
        return known[name]
    if (Path(name) / "plugin.yaml").is_file():
        return load_manifest(Path(name))
    raise UsageError(f"there is no plugin {name!r}", f"plugins: {', '.join(known) or 'none'}")


def _facts(manifest: Manifest) -> dict[str, Any]:
    return {
        "id": manifest.id,
        "type": manifest.type,
        "version": manifest.version,
        "summary": manifest.summary,
        "folder": str(manifest.folder),
        "columns": list(manifest.columns),
        "kernels": sorted({k.kernel for k in manifest.kernels}),
        "depends_on": list(manifest.depends_on),
        "requires": [str(r) for r in manifest.requires],
        "table": manifest.table,
        "params": {p.name: {"type": p.type, "default": p.default, "help": p.help} for p in manifest.params},
        "caps": {} if manifest.caps is None else manifest.caps.caps,
        "cost": manifest.cost,
        "passes": manifest.passes,
        "references": list(manifest.references),
    }


if __name__ == "__main__":
    sys.exit(main())
