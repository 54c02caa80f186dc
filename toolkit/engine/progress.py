"""What a person sees while a run is under way."""

from __future__ import annotations

import time
from typing import TextIO

from toolkit.core.encoding import EncodingError, decode
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.run_settings import Listeners
from toolkit.govern.workers import Workers

_REDRAW = 0.1
_WIDTH = 78


class Progress:
    """One line that is redrawn on a terminal; elsewhere a line for each plugin.

    Parameters
    ----------
    stream : TextIO
        Standard error.
    quiet : bool
        Say nothing but warnings.

    Attributes
    ----------
    run_id : str
        The run, once it has begun.
    """

    def __init__(self, stream: TextIO, *, quiet: bool) -> None:
        self._stream = stream
        self._quiet = quiet
        self._live = stream.isatty() and not quiet
        self._drawn = 0.0
        self._ended = ""
        self._tasks: dict[str, str] = {}
        self.run_id = ""

    def listeners(self) -> Listeners:
        """What the run calls."""
        return Listeners(warn=self._warn, started=self._started, plugin=self._plugin, report=self._report)

    def clear(self) -> None:
        """Take the line away."""
        if self._live and self._drawn:
            self._write("\r" + " " * _WIDTH + "\r")
            self._drawn = 0.0

    def _warn(self, text: str) -> None:
        self.clear()
        self._write(f"warning: {text}\n")

    def _started(self, run_id: str, workers: Workers) -> None:
        self.run_id = run_id
        if not self._quiet:
            self._write(f"run {run_id}, {workers.count} workers\n")

    def _plugin(self, run: PluginRun, done: int, total: int) -> None:
        self._ended = f"{done} of {total} plugins"
        if self._quiet:
            return
        if self._live:
            self._draw()
            return
        cached = " (kept result)" if run.cached else ""
        self._write(f"{done}/{total} {run.id}: {run.status.replace('_', ' ')}{cached}\n")

    def _report(self, task: str, data: bytes) -> None:
        if not self._live:
            return
        try:
            done, total = decode(data)
            self._tasks = {task: f"{task.partition(':')[2]} {100 * done // max(total, 1)}%"}
        except (EncodingError, TypeError, ValueError):
            return
        self._draw()

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._drawn >= _REDRAW:
            self._drawn = now
            text = "  ".join(t for t in (self._ended, *self._tasks.values()) if t)
            self._write(f"\r{text[:_WIDTH]:<{_WIDTH}}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._quiet, self._live = True, False
