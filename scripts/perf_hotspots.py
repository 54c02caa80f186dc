#!/usr/bin/env python3
"""Write docs/perf_hotspots.md: what plugins and kernel scans cost, from the telemetry of an appdata folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.settings import read_settings
from toolkit.engine.hotspots import costs_markdown, read_costs
from toolkit.storage.appdata import AppData

PAGE = Path(__file__).resolve().parents[1] / "docs" / "perf_hotspots.md"


def body(args: argparse.Namespace) -> int:
    text = costs_markdown(read_costs(AppData(args.appdata or read_settings().appdata)))
    args.out.write_text(text, "utf-8")
    emit(str(args.out))
    return DONE


def main(argv: list[str] | None = None) -> int:
    parser = command_parser("perf_hotspots", "Write what plugins and kernel scans cost, from telemetry.")
    parser.prog = "perf_hotspots.py"
    parser.add_argument("--appdata", type=Path, help="folder with telemetry.sqlite and runs")
    parser.add_argument("--out", type=Path, default=PAGE, help="file to write (default: docs/perf_hotspots.md)")
    return run_command(parser, body, argv)


if __name__ == "__main__":
    sys.exit(main())
