"""``python -m toolkit.status``: how far a run is, seen from another shell."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.settings import read_settings
from toolkit.engine.eta import Eta, eta_from_state
from toolkit.engine.progress import eta_text, task_line
from toolkit.engine.run_folder import STATE, RunFolder
from toolkit.govern.telemetry import heartbeats
from toolkit.govern.telemetry_schema import Heartbeat
from toolkit.storage.appdata import AppData

_EVERY = 1.0


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
        emit(canonical_json(found) if args.json else _text(found))
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
        ``failed``, ``skipped``: numbers of plugins; ``eta_minutes`` and its ``eta_interval``, None when it does not
        run; ``tasks``: what runs, as in telemetry's heartbeats.
    """
    live = folder.is_live()
    state = folder.read(STATE)  # after asking, so that a run that ends in between is seen as done
    plugins: dict[str, dict[str, Any]] = state.get("plugins", {})
    by_status = [p["status"] for p in plugins.values()]
    running = live and not state.get("done")
    tasks = heartbeats(place.telemetry, folder.run_id) if running else []
    eta = eta_from_state(state, tasks, time.time()) if running else None
    return {
        "run_id": folder.run_id,
        "store_key": state.get("store_key"),
        "state": "done" if state.get("done") else "running" if running else "interrupted",
        "expected_plugins_executable": sum(not p["skip"] for p in plugins.values()),
        "done": by_status.count("ok"),
        "running": _running(by_status, tasks, state) if running else 0,
        "failed": by_status.count("failed") + by_status.count("timed_out"),
        "skipped": by_status.count("skipped"),
        "eta_minutes": None if eta is None else eta.seconds / 60,
        "eta_interval": None if eta is None else [eta.low / 60, eta.high / 60],
        "tasks": [{k: v for k, v in asdict(task).items() if k != "run_id"} for task in tasks],
    }


def _running(by_status: Sequence[str], tasks: Sequence[Heartbeat], state: dict[str, Any]) -> int:
    """Plugins of which a task runs; without heartbeats, as many as can."""
    if tasks:
        return len({task.plugin for task in tasks} - {"kernels"})
    return min(by_status.count("running"), int(state.get("workers", 1)))


def _text(found: dict[str, Any]) -> str:
    counts = ", ".join(f"{found[name]} {name}" for name in ("done", "running", "failed", "skipped"))
    expected = found["expected_plugins_executable"]
    text = f"run {found['run_id']} {found['state']}: {expected} plugins to run, {counts}"
    if found["eta_minutes"] is not None:
        text += f"; {eta_text(Eta(*(60 * m for m in (found['eta_minutes'], *found['eta_interval']))))}"
    now = time.time()
    return "\n".join([text, *(task_line(Heartbeat(found["run_id"], **task), now) for task in found["tasks"])])


if __name__ == "__main__":
    sys.exit(main())
