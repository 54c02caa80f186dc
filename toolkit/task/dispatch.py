"""The one entry of a worker: decode the payload, do the work, encode what came of it."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from toolkit.core.encoding import decode, encode
from toolkit.core.errors import DamagedStoreError
from toolkit.core.registry import Registry
from toolkit.storage.dataset import Dataset, open_location
from toolkit.task.failure import describe
from toolkit.task.payload import read_call, read_scans
from toolkit.task.place import Tracker

Report = Callable[[bytes], None]

_REPORT_EVERY = 0.1
_LATER = ("scipy.sparse", "decimal", "fractions", "json", "toolkit.plugin", "toolkit.task.plugin_task")


def preload() -> None:
    """Import what scans need, so that a process forked after it finds it loaded."""
    from toolkit.kernels.base import kernels
    from toolkit.storage.backend import backends

    importlib.import_module("toolkit.task.scan_task")
    kernels.all()
    backends.all()


def preload_rest() -> None:
    """Import what other tasks need; for when the first scans are under way already."""
    for name in _LATER:
        importlib.import_module(name)
    renderers: Registry[Any] = Registry("report renderer", package="toolkit.report.renderers")
    renderers.all()


def execute(payload: bytes, report: Report, note: Report = lambda place: None) -> bytes:
    """Run one task.

    Parameters
    ----------
    payload : bytes
        From `toolkit.task.payload`.
    report : callable
        Called now and then with an encoded ``[done, total]``.
    note : callable, optional
        Called with every change of the place (see `toolkit.task.place`) that the task is at.

    Returns
    -------
    bytes
        Encoded ``{"ok": True, "value": ...}`` or ``{"ok": False, "failure": ...}``. Errors come back as data; only an
        interrupt is raised.
    """
    folder: Path | None = None
    scratch = ""
    tracker = Tracker(note)
    try:
        tree = decode(payload)
        if tree["task"] == "plugin":
            folder, scratch = Path(tree["call"]["folder"]), tree["call"]["scratch"]
        with _open(tree["store"]) as dataset:
            value = _run(tree, dataset, _throttled(report), tracker)
        return encode({"ok": True, "value": value})
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  whatever a plugin raises, sys.exit included, is its own failure
        return failure_output(error, folder, scratch)


def failure_output(error: BaseException, folder: Path | None = None, scratch: str = "") -> bytes:
    """What `execute` returns when an error ended the task; see `toolkit.task.failure.describe`."""
    return encode({"ok": False, "failure": describe(error, folder, scratch).to_json()})


def _run(tree: dict[str, Any], dataset: Dataset, progress: Callable[[int, int], None], tracker: Tracker) -> Any:
    if tree["task"] == "plugin":
        from toolkit.plugin.source import Source
        from toolkit.task.plugin_task import run_plugin

        if tree["source"] is None:
            return run_plugin(dataset, read_call(tree), progress, tracker)
        with _open(tree["source"]) as source:
            return run_plugin(dataset, read_call(tree), progress, tracker, Source(source))
    if tree["task"] in ("publish", "check"):
        from toolkit.task.publish_task import run_check, run_publish

        return run_publish(dataset, tree["job"]) if tree["task"] == "publish" else run_check(tree["job"])
    from toolkit.task.scan_task import run_scans

    return run_scans(dataset, read_scans(tree), progress, Path(tree["scratch"]) if tree["scratch"] else None)


def _open(store: dict[str, Any]) -> Dataset:
    dataset = open_location(Path(store["location"]))
    if dataset.key != store["key"]:
        raise DamagedStoreError(
            f"{store['location']} holds the table {dataset.key}, not {store['key']} as planned", "run it again"
        )
    if store["cuts"]:
        from toolkit.storage.cut_dataset import CutDataset

        return CutDataset(dataset, store["cuts"])
    return dataset


def _throttled(report: Report) -> Callable[[int, int], None]:
    last = time.monotonic()

    def progress(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REPORT_EVERY:
            last = now
            report(encode([done, total]))

    return progress
