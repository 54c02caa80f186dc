"""What a person sees while a table is converted."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

_REDRAW = 0.2
_LINE_EVERY = 5.0
_WIDEST_BAR = 24
_NARROWEST_BAR = 4
_BLOCKS = ("█", "░")
_ASCII_BLOCKS = ("#", ".")


class ConvertProgress:
    """A bar that is redrawn on a terminal; elsewhere a line every few seconds.

    Rates and the time left are those of the phase, reading or encoding, that is under way. It has no colours.

    Parameters
    ----------
    stream : TextIO
        Standard error.
    size : int
        Bytes of the source.
    quiet : bool
        Say nothing.
    clock : callable, optional
        Seconds.
    width : callable, optional
        Columns of the terminal.
    """

    def __init__(
        self,
        stream: TextIO,
        size: int,
        *,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
        width: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._stream = stream
        self._size = size
        self._quiet = quiet
        self._live = stream.isatty()
        self._clock = clock
        self._width = width
        self._blocks = _BLOCKS if "utf" in (getattr(stream, "encoding", "") or "").lower() else _ASCII_BLOCKS
        self._phase = ""
        self._begun = self._last = self._shown = clock()
        self._drawn = 0

    def __call__(self, phase: str, done: int, total: int, rows: int) -> None:
        """Take note of how far a phase is, and show it now and then."""
        now = self._clock()
        if phase != self._phase:
            # the first news of a phase comes when a piece of it is done: it began where the one before ended
            self._phase, self._begun = phase, self._last
        self._last = now
        if self._quiet or now - self._shown < (_REDRAW if self._live else _LINE_EVERY):
            return
        self._shown = now
        share = min(done / max(total, 1), 1.0)
        elapsed = max(now - self._begun, 1e-9)
        # while reading, the rows so far; while encoding, all rows of the columns so far
        row_rate = (rows if phase == "reading" else rows * share) / elapsed
        byte_rate = self._size * share / elapsed / 1e6
        left = elapsed * (1 - share) / share if share else 0.0
        if self._live:
            self._draw(
                share, f"{short(rows)} rows {short(row_rate)} rows/s {byte_rate:.1f} MB/s {clock_time(left)} left"
            )
        else:
            text = f"{rows:,} rows, {row_rate:,.0f} rows/s, {byte_rate:.1f} MB/s, {clock_time(left)} left"
            self._write(f"{phase}: {share:.0%}, {text}\n")

    def close(self) -> None:
        """Take the bar away."""
        if self._drawn:
            self._write("\r" + " " * self._drawn + "\r")
            self._drawn = 0

    def _draw(self, share: float, text: str) -> None:
        width = max(self._width() - 1, 1)  # a full last column makes some terminals begin a new line
        head = f"{self._phase:<8} "
        tail = f" {share:4.0%} {text}"
        room = min(width - len(head) - len(tail), _WIDEST_BAR)
        bar = ""
        if room >= _NARROWEST_BAR:
            filled = round(share * room)
            bar = self._blocks[0] * filled + self._blocks[1] * (room - filled)
        line = f"{head}{bar}{tail}"[:width]
        self._write(f"\r{line:<{min(self._drawn, width)}}")
        self._drawn = len(line)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (BrokenPipeError, ValueError):
            self._quiet = True


def short(count: float) -> str:
    """A count in at most five characters.

    Examples
    --------
    >>> [short(n) for n in (7, 999, 12_345, 2_000_000, 31_400_000_000)]
    ['7', '999', '12.3k', '2.00M', '31.4G']
    """
    for unit in ("", "k", "M", "G"):
        if count < 999.5 or unit == "G":
            digits = 0 if not unit or count >= 99.95 else 1 if count >= 9.995 else 2
            return f"{count:.{digits}f}{unit}"
        count /= 1000
    raise AssertionError


def clock_time(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any.

    Examples
    --------
    >>> clock_time(7.2), clock_time(3671)
    ('0:07', '1:01:11')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
