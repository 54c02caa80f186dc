#!/usr/bin/env python3
"""Write docs/plugins: a page for each plugin that ships, and their index."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, complain, emit, run_command
from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plugin_docs import left_over, plugin_pages, stale_pages

DOCS = Path(__file__).resolve().parents[1] / "docs" / "plugins"


def body(args: argparse.Namespace) -> int:
    pages = plugin_pages({folder.name: load_manifest(folder) for folder in below(shipped_plugins())})
    if args.check:
        stale = stale_pages(pages, args.into)
        for path in stale:
            complain(f"{path} is stale; write it anew with: python scripts/plugin_docs.py")
        return DONE_WITH_FAILURES if stale else DONE
    args.into.mkdir(parents=True, exist_ok=True)
    for path in left_over(pages, args.into):
        path.unlink()
    for name, content in pages.items():
        (args.into / name).write_bytes(content)
        emit(str(args.into / name))
    return DONE


def main(argv: list[str] | None = None) -> int:
    parser = command_parser("plugin_docs", "Write a page for each plugin that ships.")
    parser.prog = "plugin_docs.py"
    parser.add_argument("--into", type=Path, default=DOCS, help="folder of the pages (default: docs/plugins)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    return run_command(parser, body, argv)


if __name__ == "__main__":
    sys.exit(main())
