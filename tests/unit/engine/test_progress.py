"""What is said while a run is under way: a line for each plugin, a redrawn view on a terminal, or nothing."""

from __future__ import annotations

import io
import re
from types import SimpleNamespace
from typing import Any

import pytest

from toolkit.core.encoding import encode
from toolkit.engine.eta import Eta
from toolkit.engine.progress import Progress
from toolkit.engine.running import Running
from toolkit.govern.workers import Workers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plugin(status: str = "ok", *, cached: bool = False) -> Any:
    return SimpleNamespace(id="analysis_a", status=status, cached=cached)


def told(stream: io.StringIO, *, quiet: bool = False) -> str:
    progress = Progress(stream, quiet=quiet)
    heard = progress.listeners()
    running = Running("run-1", lambda task: ("kernels" if task.startswith("scan") else "analysis_a", "wave 1"), str)
    heard.started("run-1", Workers(2, "processors"))
    running.report("plugin:analysis_a", encode([1, 4]))  # before it is known to run
    running.beat("plugin:analysis_a", 7 << 20)
    running.beat("scan:1.0", 5 << 20)
    for data in (encode([1, 4]), b"garbage", encode([5, 4]), encode([-1, 4]), encode(["a", None]), encode([1, 2**80])):
        running.report("plugin:analysis_a", data)
    running.report("scan:1.0", encode([1000, 4000]))
    if heard.running is not None:
        heard.running(running.tasks(), Eta(90.0, 60.0, 120.0))
    assert running.peak == 12 << 20
    heard.plugin(plugin("timed_out"), 1, 2)
    running.ended("scan:1.0")
    if heard.running is not None:
        heard.running(running.tasks(), Eta(30.0, 20.0, 45.0))
    heard.plugin(plugin(cached=True), 2, 2)
    heard.warn("telemetry is off")
    progress.clear()
    assert progress.run_id == "run-1"
    return stream.getvalue()


def screen(text: str) -> list[str]:
    """What is left to be seen of what was written to a terminal."""
    lines, at = [""], 0
    for part in re.split(r"(\x1b\[\d*[AKJ]|\n|\r)", text):
        if part == "\n":
            at += 1
            lines += [""] * (at + 1 - len(lines))
        elif part.endswith("A") and part.startswith("\x1b"):
            at -= int(part[2:-1])
            assert at >= 0
        elif part == "\x1b[J":
            lines = [*lines[:at], ""]
        elif part == "\x1b[K":
            pass  # texts are written whole
        elif part and part != "\r":
            lines[at] = part
    return [line for line in lines if line]


def test_a_line_for_each_plugin() -> None:
    assert told(io.StringIO()).splitlines() == [
        "run run-1, 2 workers (processors)",
        "1/2 analysis_a: timed out",
        "2/2 analysis_a: ok (kept result)",
        "warning: telemetry is off",
    ]


def test_a_view_on_a_terminal_that_is_taken_away() -> None:
    text = told(Terminal())
    assert "  analysis_a  wave 1  chunk 1 of 4  7 MiB" in text
    assert "  kernels  wave 1  1,000 of 4,000 rows  5 MiB" in text
    assert "about 1.5 min left (1.0 to 2.0)" in text
    assert "1 of 2 plugins  about 30.0 s left" in text
    # What went wrong stays; the view is gone.
    assert screen(text) == [
        "run run-1, 2 workers (processors)",
        "1/2 analysis_a: timed out",
        "warning: telemetry is off",
    ]


def test_a_narrow_terminal_gets_no_line_that_wraps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    monkeypatch.setenv("LINES", "3")
    drawn = told(Terminal()).partition("\r")[2].partition("\x1b[J")[0].split("\x1b[K\n")
    assert all(len(line) < 20 for line in drawn)
    assert len(drawn) == 3  # two lines and what follows the last


def test_a_terminal_without_control_sequences_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert told(Terminal()) == told(io.StringIO())


def test_quiet_says_nothing_but_warnings() -> None:
    assert told(Terminal(), quiet=True) == "warning: telemetry is off\n"


def test_a_closed_stream_is_no_error() -> None:
    stream = io.StringIO()
    progress = Progress(stream, quiet=False)
    stream.close()
    progress.listeners().plugin(plugin(), 1, 1)
