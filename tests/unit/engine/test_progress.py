"""What is said while a run is under way: a line for each plugin, one redrawn line on a terminal, or nothing."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from toolkit.core.encoding import encode
from toolkit.engine.progress import Progress
from toolkit.govern.workers import Workers


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def plugin(status: str = "ok", *, cached: bool = False) -> Any:
    return SimpleNamespace(id="analysis_a", status=status, cached=cached)


def told(stream: io.StringIO, *, quiet: bool = False) -> str:
    progress = Progress(stream, quiet=quiet)
    heard = progress.listeners()
    heard.started("run-1", Workers(2, "processors"))
    heard.report("plugin:analysis_a", encode([1, 4]))
    heard.report("plugin:analysis_a", b"garbage")
    heard.plugin(plugin("timed_out"), 1, 2)
    heard.plugin(plugin(cached=True), 2, 2)
    heard.warn("telemetry is off")
    progress.clear()
    assert progress.run_id == "run-1"
    return stream.getvalue()


def test_a_line_for_each_plugin() -> None:
    assert told(io.StringIO()).splitlines() == [
        "run run-1, 2 workers",
        "1/2 analysis_a: timed out",
        "2/2 analysis_a: ok (kept result)",
        "warning: telemetry is off",
    ]


def test_one_line_on_a_terminal_that_is_taken_away() -> None:
    text = told(Terminal())
    assert "analysis_a 25%" in text
    assert text.count("\n") == 2
    assert text.rsplit("warning", 1)[0].endswith(" \r")


def test_quiet_says_nothing_but_warnings() -> None:
    assert told(Terminal(), quiet=True) == "warning: telemetry is off\n"


def test_a_closed_stream_is_no_error() -> None:
    stream = io.StringIO()
    progress = Progress(stream, quiet=False)
    stream.close()
    progress.listeners().plugin(plugin(), 1, 1)
