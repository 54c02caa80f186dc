"""The runs of an appdata folder: what is known of each, and what can be collected."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core.errors import UsageError
from toolkit.engine.results import pack_files
from toolkit.engine.run_folder import PLAN, RUN, STATE, RunFolder
from toolkit.storage.appdata import AppData


@dataclass(slots=True)
class Collected:
    """What a collection removed.

    Attributes
    ----------
    runs : list of str
        Ids of runs.
    results : list of Path
        Packs of results.
    bytes : int
        What all of it took on disk.
    """

    runs: list[str] = field(default_factory=list)
    results: list[Path] = field(default_factory=list)
    bytes: int = 0


def run_folders(place: AppData) -> list[RunFolder]:
    """All runs, the newest first."""
    if not place.runs.is_dir():
        return []
    return [RunFolder(p) for p in sorted(place.runs.iterdir(), reverse=True) if p.is_dir() and not p.is_symlink()]


def describe_run(folder: RunFolder) -> dict[str, Any]:
    """What is known of a run: ``run_id``, ``state`` (running, done or interrupted), ``store_key``, and its numbers."""
    live = folder.is_live()
    state, side = folder.read(STATE), folder.read(RUN)
    statuses = [p["status"] for p in state.get("plugins", {}).values()]
    done = bool(state.get("done"))
    return {
        "run_id": folder.run_id,
        "state": "done" if done else "running" if live else "interrupted",
        "status": side.get("status") if done else None,
        "store_key": store_key(folder),
        "started": state.get("started"),
        "seconds": state.get("seconds"),
        "ok": statuses.count("ok"),
        "failed": statuses.count("failed") + statuses.count("timed_out"),
        "skipped": statuses.count("skipped"),
        "path": str(folder.path),
    }


def store_key(folder: RunFolder) -> str | None:
    """The table of a run; None where it had not got so far as to say it."""
    found = folder.read(PLAN).get("store_key") or folder.read(STATE).get("store_key")
    return found if isinstance(found, str) else None


def collect(place: AppData, keep: int | None) -> Collected:
    """Remove old runs, and the results that no run that is kept has used.

    What is removed can be computed again. A run that is under way is never touched; while there is one, no result is.

    Parameters
    ----------
    place : AppData
        The folder.
    keep : int or None
        Runs that stay, the newest ones; None for all.
    """
    gone = Collected()
    if keep is not None:
        for folder in run_folders(place)[keep:]:
            _drop_run(place, folder, gone)
    used: set[str] = set()
    untouched: set[str] = set()
    for folder in run_folders(place):
        if folder.is_live():
            return gone  # it may be about to use any of them
        key, packs = store_key(folder), folder.packs()
        if packs is None:
            # Of a run that has not said what it uses, everything may be used.
            untouched |= {key} if key else {p.name for p in _result_folders(place)}
        used |= packs or set()
    for results in _result_folders(place):
        if results.name not in untouched:
            _drop_results(place, results, used, gone)
    return gone


def _result_folders(place: AppData) -> Iterator[Path]:
    if place.results.is_dir():
        yield from (p for p in sorted(place.results.iterdir()) if p.is_dir() and not p.is_symlink())


def _drop_run(place: AppData, folder: RunFolder, gone: Collected) -> None:
    # Held, so that nobody goes on with it in this moment; one that is under way refuses that.
    with suppress(UsageError), folder.held():
        gone.bytes += _size(folder.path)
        _drop(place, folder.path)
        gone.runs.append(folder.run_id)


def _drop_results(place: AppData, results: Path, used: set[str], gone: Collected) -> None:
    for pack in sorted(pack_files(results)):
        if f"{results.name}/{pack.name}" not in used:
            gone.bytes += pack.stat().st_size
            pack.unlink(missing_ok=True)
            gone.results.append(pack)
    for left_over in results.glob(".*.tkr.*"):  # of a write that was cut short; nobody writes here now
        left_over.unlink(missing_ok=True)
    if not any(results.iterdir()):
        _drop(place, results)


def _drop(place: AppData, path: Path) -> None:
    """Out of sight at once, then file by file, so that nobody sees a part of it."""
    with place.workspace() as work:
        path.rename(work / path.name)


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
