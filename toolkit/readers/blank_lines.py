"""Lines without anything in them, which delimited text of several columns may have between its rows."""

from __future__ import annotations

import re

import numpy as np

from toolkit.readers.records import RecordCutter, count_lines

_RUN = re.compile(rb"(?:\A|(?<=\n)|(?<=\r))(?:\r\n|\n|\r)+")


class BlankLines:
    """Counts the blank lines that are skipped, block by block.

    Attributes
    ----------
    count : int
        Blank lines so far.
    first_at : str
        Where the first one is: its line, behind the file's name where there are several; empty while there is none.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first_at = ""

    def add(self, block: bytes, line: int, cutter: RecordCutter, *, meet: bool, walked: bool) -> None:
        """Look through a block of whole records that begins at a line; ``meet``: whether line breaks of it do.

        Where records have to be ``walked``, quotes do not tell what is inside a field.
        """
        if block[:1] not in (b"\n", b"\r") and not meet:
            return
        if walked or not cutter.counts:
            self._add_records(block, line, cutter)
            return
        quotes = cutter.quotes(block)
        for run in _RUN.finditer(block):
            start = run.start()
            if block[start - 1 : start + 1] == b"\r\n":
                start += 1  # the second half of the end of a row
            count = count_lines(block[start : run.end()])
            # in a quoted field an odd number of quotes stands before it
            if count and not np.searchsorted(quotes, start) % 2:
                self._note(count, block, start, line)

    def add_file(self, name: str, other: BlankLines | None) -> None:
        """Take in those of one of several files; None for a format that has none."""
        if other is not None and other.count:
            self.first_at = self.first_at or f"{other.first_at} of {name}"
            self.count += other.count

    def notes(self) -> list[str]:
        """What to say of them: one note, or none."""
        if not self.count:
            return []
        what = "line" if self.count == 1 else "lines"
        return [f"{self.count:,} blank {what} skipped, the first at line {self.first_at}"]

    def _add_records(self, block: bytes, line: int, cutter: RecordCutter) -> None:
        at = 0
        for record in cutter.records(block):
            if not record.strip(b"\r\n"):
                self._note(1, block, at, line)
            at += len(record)

    def _note(self, count: int, block: bytes, start: int, line: int) -> None:
        self.first_at = self.first_at or f"{line + count_lines(block[:start]):,}"
        self.count += count
