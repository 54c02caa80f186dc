"""What a person sees while a run is under way."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from typing import TextIO

from toolkit.engine.eta import Eta
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.run_settings import Listeners
from toolkit.govern.telemetry_schema import Heartbeat
from toolkit.govern.workers import Workers

_UP, _CLEAR_LINE, _CLEAR_BELOW = "\x1b[{}A", "\x1b[K", "\x1b[J"


class Progress:
    """On a terminal a line for the run and one for each task, redrawn in place; elsewhere a line for each plugin.

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
        self._live = stream.isatty() and not quiet and os.environ.get("TERM") != "dumb"
        self._drawn = 0
        self._ended = ""
        self.run_id = ""

    def listeners(self) -> Listeners:
        """What the run calls."""
        view = self._running if self._live else None
        return Listeners(warn=self._warn, started=self._started, plugin=self._plugin, running=view)

    def clear(self) -> None:
        """Take away what was drawn."""
        if self._drawn:
            self._write(f"{_UP.format(self._drawn)}\r{_CLEAR_BELOW}")
            self._drawn = 0

    def _warn(self, text: str) -> None:
        self.clear()
        self._write(f"warning: {text}\n")

    def _started(self, run_id: str, workers: Workers) -> None:
        self.run_id = run_id
        if not self._quiet:
            self._write(f"run {run_id}, {workers.count} workers ({workers.reason})\n")

    def _plugin(self, run: PluginRun, done: int, total: int) -> None:
        self._ended = f"{done} of {total} plugins"
        if self._quiet:
            return
        if self._live and run.status in ("ok", "skipped"):
            return  # in the line of the run; what went wrong stays to be read
        self.clear()
        cached = " (kept result)" if run.cached else ""
        self._write(f"{done}/{total} {run.id}: {run.status.replace('_', ' ')}{cached}\n")

    def _running(self, tasks: Sequence[Heartbeat], eta: Eta) -> None:
        if not self._live:
            return
        size = shutil.get_terminal_size()
        head = "  ".join(t for t in (self._ended, eta_text(eta)) if t)
        lines = [head, *(task_line(t, time.time()) for t in tasks)][: max(size.lines - 1, 1)]
        # One column is left free: a terminal that wraps a full line would have one line more than was counted.
        body = "".join(f"{line[: size.columns - 1]}{_CLEAR_LINE}\n" for line in lines)
        up = _UP.format(self._drawn) if self._drawn else ""
        self._drawn = len(lines)
        self._write(f"{up}\r{body}{_CLEAR_BELOW}")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._quiet, self._live = True, False


def task_line(task: Heartbeat, now: float) -> str:
    """What one worker does: plugin, pass and part or wave, how far, memory, time.

    Examples
    --------
    >>> task_line(
    ...     Heartbeat(
    ...         "r", "plugin:analysis_a:0.1", "analysis_a", "pass 1 of 2, part 2 of 8", 3, 64, 5 << 20, 100.0, 104.0
    ...     ),
    ...     104.2,
    ... )
    '  analysis_a  pass 1 of 2, part 2 of 8  chunk 3 of 64  5 MiB  4 s'
    """
    # Scans count rows, plugins chunks.
    unit = "" if not task.total else f"{task.done:,} of {task.total:,} rows"
    if task.total and task.plugin != "kernels":
        unit = f"chunk {task.done:,} of {task.total:,}"
    parts = [task.plugin, task.phase, unit, f"{task.rss >> 20:,} MiB", f"{max(now - task.started, 0):,.0f} s"]
    return "  " + "  ".join(p for p in parts if p)


def eta_text(eta: Eta) -> str:
    """How long a run has to go, in words.

    Examples
    --------
    >>> eta_text(Eta(90.0, 60.0, 150.0)), eta_text(Eta(7200.0, 5400.0, 10000.0))
    ('about 1.5 min left (1.0 to 2.5)', 'about 2.0 h left (1.5 to 2.8)')
    """
    unit, name = (1, "s") if eta.seconds < 60 else (60, "min") if eta.seconds < 3600 else (3600, "h")
    value, low, high = (t / unit for t in (eta.seconds, eta.low, eta.high))
    return f"about {value:.1f} {name} left ({low:.1f} to {high:.1f})"
