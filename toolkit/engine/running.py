"""The tasks that are running, as they were last heard of."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from toolkit.core.encoding import EncodingError, decode
from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.telemetry_schema import Heartbeat


def phase_of(task_id: str, plugins: Mapping[str, PluginRun]) -> tuple[str, str]:
    """The plugin of a task (``kernels`` for a scan), and what the task does."""
    kind, plugin, *rest = task_id.split(":")
    if kind == "scan":
        return "kernels", f"wave {plugin.partition('.')[0]}"
    number, _, part = (rest[0] if rest else "").partition(".")
    if not part:
        return plugin, _DOES.get(kind, "")
    run = plugins[plugin]
    where = "joining" if part == "join" else f"part {int(part) + 1} of {len(run.parts)}"
    return plugin, f"pass {int(number) + 1} of {run.passes}, {where}"


_DOES = {"publish": "publishing its table", "check": "checking its table"}


class Running:
    """Gathers signs of life.

    Parameters
    ----------
    run_id : str
        The run.
    phase : callable
        Gives the plugin of a task, and what the task does.
    heard : callable
        Called after each sign of life.

    Attributes
    ----------
    peak : int
        Most resident bytes that the tasks had together when they were looked at.
    """

    def __init__(self, run_id: str, phase: Callable[[str], tuple[str, str]], heard: Callable[[], None]) -> None:
        self._run_id = run_id
        self._phase = phase
        self._heard = heard
        self._tasks: dict[str, Heartbeat] = {}
        self.peak = 0

    def beat(self, task_id: str, rss: int) -> None:
        """A task runs, and has so many resident bytes."""
        now = time.time()
        known = self._tasks.get(task_id)
        if known is None:
            plugin, phase = self._phase(task_id)
            known = Heartbeat(self._run_id, task_id, plugin, phase, 0, 0, rss, now, now)
        self._tasks[task_id] = replace(known, rss=rss, seen=now)
        self.peak = max(self.peak, sum(t.rss for t in self._tasks.values()))
        self._heard()

    def report(self, task_id: str, data: bytes) -> None:
        """A task says how far it is; what it sends comes from a plugin's process and may be anything."""
        known = self._tasks.get(task_id)
        try:
            done, total = (int(n) for n in decode(data))
        except (EncodingError, TypeError, ValueError, OverflowError):
            return
        if known is not None and 0 <= done <= total < 1 << 62:
            self._tasks[task_id] = replace(known, done=done, total=total, seen=time.time())
            self._heard()

    def ended(self, task_id: str) -> None:
        """A task has ended."""
        self._tasks.pop(task_id, None)
        self._heard()

    def tasks(self) -> list[Heartbeat]:
        """What runs, the longest running first."""
        return list(self._tasks.values())
