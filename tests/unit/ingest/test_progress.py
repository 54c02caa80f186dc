"""What is shown of a conversion: one line that fits on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import io
import re

import pytest

from toolkit.ingest.progress import ConvertProgress


class Terminal(io.StringIO):
    """A stream that is a terminal, or is not."""

    def __init__(self, *, live: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._live, self._named = live, encoding

    def isatty(self) -> bool:
        return self._live

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._named


def shown(stream: Terminal, *, quiet: bool = False, width: int = 80, step: float = 1.0) -> str:
    """A conversion of 100 MB and two million rows: ten seconds of reading and five of encoding."""
    now = 0.0
    progress = ConvertProgress(stream, 100_000_000, quiet=quiet, clock=lambda: now, width=lambda: width)
    for i in range(1, 11):
        now += step
        progress("reading", i * 10_000_000, 100_000_000, i * 200_000)
    for i in range(1, 6):
        now += step
        progress("encoding", i, 5, 2_000_000)
    progress.close()
    return stream.getvalue()


def test_a_bar_with_rates_and_time_left_on_a_terminal() -> None:
    drawn = [line.rstrip() for line in shown(Terminal(live=True)).split("\r") if line.strip()]
    assert drawn[4].startswith("reading  █")
    assert drawn[4].endswith("50% 1.00M rows 200k rows/s 10.0 MB/s 0:05 left")
    assert drawn[10].startswith("encoding █")
    assert drawn[10].endswith("20% 2.00M rows 400k rows/s 20.0 MB/s 0:04 left")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_never_as_wide_as_the_terminal_and_gone_at_the_end(width: int) -> None:
    text = shown(Terminal(live=True), width=width)
    assert max(map(len, re.split(r"[\r\n]", text))) < width
    assert re.search(r"\r *\r\Z", text)
    assert "\x1b" not in text
    assert "\n" not in text


def test_a_terminal_without_unicode_gets_a_bar_too() -> None:
    assert shown(Terminal(live=True, encoding="ascii")).isascii()


def test_plain_lines_every_few_seconds_elsewhere() -> None:
    lines = shown(Terminal(live=False)).splitlines()
    assert lines[0] == "reading: 50%, 1,000,000 rows, 200,000 rows/s, 10.0 MB/s, 0:05 left"
    assert len(lines) == 3
    assert shown(Terminal(live=False), step=0.1) == ""


@pytest.mark.parametrize("live", [True, False])
def test_nothing_when_quiet(live: bool) -> None:
    assert shown(Terminal(live=live), quiet=True) == ""
