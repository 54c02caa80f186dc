"""Clean tables as delimited text, and what may come of a spoilt one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

Row = list[str]
WORDS = (
    "apple",
    "Zürich",
    "north",
    "naïve",
    "x",
    "日本",
    "Smith, John",
    'say "hi"',
    "a;b",
    "5 o'clock",
    "two\nlines",
    "—",
)
PLAIN_WORDS = ("apple", "pear", "north", "south", "x", "Smith", "Main Street")


@dataclass(frozen=True)
class Case:
    """A spoilt file and what may come of it: the clean table, or an error.

    Attributes
    ----------
    kind : str
        The pollution.
    data : bytes
        The file.
    names, rows : list
        The clean table as text.
    must_fail : bool
        Whether only an error is right.
    empty_columns : bool
        Whether columns without a value may stand between those of the table: the file has them.
    names_first_row : bool
        The file has no header: its first row may become the names, if a note says so.
    bad_lines : tuple of int
        Lines of the records that are to be set aside, where that is asked for; the rest is the table.
    """

    kind: str
    data: bytes
    names: Row
    rows: list[Row]
    must_fail: bool = False
    empty_columns: bool = False
    names_first_row: bool = False
    bad_lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class Style:
    """How a table is written."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    end: str = "\n"
    everywhere: bool = False

    def field(self, text: str) -> str:
        special = (self.delimiter, self.quote, "\n", "\r") + ((self.escape,) if self.escape else ())
        if not self.everywhere and not any(c in text for c in special):
            return text
        doubled = self.escape or self.quote
        text = text.replace(self.escape, self.escape * 2) if self.escape else text
        return self.quote + text.replace(self.quote, doubled + self.quote) + self.quote

    def line(self, row: Row) -> str:
        return self.delimiter.join(map(self.field, row))


@dataclass
class Table:
    """A clean table."""

    names: Row
    rows: list[Row]
    style: Style = field(default_factory=Style)

    def lines(self) -> list[str]:
        """Header and rows as written, without line ends."""
        return [self.style.line(r) for r in [self.names, *self.rows]]

    def text(self, lines: list[str] | None = None) -> str:
        return "".join(line + self.style.end for line in (self.lines() if lines is None else lines))


def clean_table(random_: random.Random, *, plain: bool = False) -> Table:
    """A table of a few columns: a number that tells the rows apart, then numbers, times and texts."""
    words = PLAIN_WORDS if plain else WORDS
    makers: list[Callable[[int], str]] = [
        lambda i: str(random_.randrange(-1000, 10**6)),
        lambda i: f"{random_.uniform(-5, 5):.3f}",
        lambda i: random_.choice(words),
        lambda i: f"20{random_.randrange(10, 30)}-0{random_.randrange(1, 10)}-1{random_.randrange(10)}",
        lambda i: f"{random_.choice(PLAIN_WORDS)} {i}",
        lambda i: random_.choice(["", "", random_.choice(words)]),
    ]
    chosen = [lambda i: str(i + 1), *(random_.choice(makers) for _ in range(random_.randrange(1, 6)))]
    names = ["id", *(f"{random_.choice(['price', 'city', 'when', 'note'])} {k}" for k in range(1, len(chosen)))]
    rows = [[make(i) for make in chosen] for i in range(random_.randrange(4, 40))]
    return Table(names, rows)
