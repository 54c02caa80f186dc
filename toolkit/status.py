"""``python -m toolkit.status``: how far a run is, seen from another shell."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.settings import read_settings
from toolkit.engine.run_folder import STATE, RunFolder
from toolkit.govern.telemetry import Telemetry
from toolkit.storage.appdata import AppData

_EVERY = 1.0
_ENDED = ("ok", "skipped", "failed", "timed_out")


def main(argv: Sequence[str] | None = None) -> int:
    """Print how far a run is."""
    parser = command_parser("status", "Print how far a run is; the latest by default.")
    parser.add_argument("run_id", nargs="?", default="", metavar="RUN_ID")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--watch", action="store_true", help="print it again every second until the run ends")
    return run_command(parser, _status, argv)


def _status(args: argparse.Namespace) -> int:
    place = AppData(args.appdata or read_settings().appdata)
    folder = RunFolder.find(place.runs, args.run_id)
    while True:
        found = run_status(folder, place)
        emit(canonical_json(found) if args.json else _sentence(found))
        if not args.watch or found["state"] != "running":
            return DONE
        time.sleep(_EVERY)


def run_status(folder: RunFolder, place: AppData) -> dict[str, Any]:
    """How far a run is.

    Parameters
    ----------
    folder : RunFolder
        The run.
    place : AppData
        Where its telemetry is.

    Returns
    -------
    dict
        ``run_id``; ``state``: running, done or interrupted; ``expected_plugins_executable``, ``done``, ``running``,
        ``failed``, ``skipped``: numbers of plugins; ``eta_minutes`` and its ``eta_interval``, None where earlier
        runs say nothing of what is left.
    """
    state = folder.read(STATE)
    plugins: dict[str, dict[str, Any]] = state.get("plugins", {})
    by_status = [p["status"] for p in plugins.values()]
    running = not state.get("done") and _alive(state.get("pid"))
    left = [name for name, p in plugins.items() if p["status"] not in _ENDED]
    eta, interval = _eta(left, place, int(state.get("workers", 1))) if running else (None, None)
    return {
        "run_id": folder.run_id,
        "store_key": state.get("store_key"),
        "state": "done" if state.get("done") else "running" if running else "interrupted",
        "expected_plugins_executable": sum(not p["skip"] for p in plugins.values()),
        "done": by_status.count("ok"),
        "running": by_status.count("running") if running else 0,
        "failed": by_status.count("failed") + by_status.count("timed_out"),
        "skipped": by_status.count("skipped"),
        "eta_minutes": eta,
        "eta_interval": interval,
    }


def _eta(left: Sequence[str], place: AppData, workers: int) -> tuple[float | None, list[float] | None]:
    """Minutes until the plugins that are left are through, from the medians of their earlier durations."""
    telemetry = Telemetry(place.telemetry, lambda text: None)
    known = [telemetry.durations(name) for name in left]
    telemetry.close()
    if not left or not all(known):
        return (0.0, [0.0, 0.0]) if not left else (None, None)
    middle = [statistics.median(d) for d in known]
    bounds = ([pick(d) for d in known] for pick in (min, max))
    scale = 1 / (max(workers, 1) * 60_000)
    return sum(middle) * scale, [sum(b) * scale for b in bounds]


def _alive(pid: object) -> bool:
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()


def _sentence(found: dict[str, Any]) -> str:
    counts = ", ".join(f"{found[name]} {name}" for name in ("done", "running", "failed", "skipped"))
    eta = "" if found["eta_minutes"] is None else f"; about {found['eta_minutes']:.1f} minutes left"
    expected = found["expected_plugins_executable"]
    return f"run {found['run_id']} {found['state']}: {expected} plugins to run, {counts}{eta}"


if __name__ == "__main__":
    sys.exit(main())
