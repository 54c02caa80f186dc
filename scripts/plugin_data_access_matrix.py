#!/usr/bin/env python3
"""Write docs/plugin_data_access_matrix.md and .json: how each plugin that ships gets at the rows."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, complain, emit, run_command
from toolkit.engine.access_matrix import access_matrix, matrix_files, stale_files
from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import load_manifest

DOCS = Path(__file__).resolve().parents[1] / "docs"


def body(args: argparse.Namespace) -> int:
    matrix = access_matrix({folder.name: load_manifest(folder) for folder in below(shipped_plugins())})
    if args.check:
        stale = stale_files(matrix, args.into)
        for path in stale:
            complain(f"{path} is stale; write it anew with: python scripts/plugin_data_access_matrix.py")
        return DONE_WITH_FAILURES if stale else DONE
    for path, content in matrix_files(matrix, args.into).items():
        path.write_bytes(content)
        emit(str(path))
    return DONE


def main(argv: list[str] | None = None) -> int:
    parser = command_parser("plugin_data_access_matrix", "Write how each plugin that ships gets at the rows.")
    parser.prog = "plugin_data_access_matrix.py"
    parser.add_argument("--into", type=Path, default=DOCS, help="folder of the two files (default: docs)")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is stale")
    return run_command(parser, body, argv)


if __name__ == "__main__":
    sys.exit(main())
