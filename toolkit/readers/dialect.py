"""What a delimited text looks like: its delimiter, its quotes and its header."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError
from toolkit.readers.records import RecordCutter

_DELIMITERS = (",", "\t", ";", "|")
_ROWS_LOOKED_AT = 50
_FEWEST_ROWS = 3
_RARE_DELIMITERS = {"\x1f": 2, "\x01": 2, "^": 2, "~": 2, " ": 3, ":": 3, "#": 3}
"""With the fewest columns that make it likely: some stand in texts and times as well."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How fields are separated and quoted.

    Attributes
    ----------
    delimiter : str
        One character.
    quote : str
        One character; empty where quotes have no meaning.
    escape : str
        A character behind which any other stands for itself; mostly empty.
    skip_space : bool
        Whether spaces in front of a field don't belong to it.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    skip_space: bool = False

    def cutter(self) -> RecordCutter:
        """What finds records and fields of this dialect."""
        return RecordCutter(self.delimiter, self.quote, self.escape, skip_space=self.skip_space)

    def value(self, field: bytes) -> str:
        """Text of a field of UTF-8 bytes as it is written."""
        text = field.decode("utf-8")
        if self.skip_space:
            text = text.lstrip(" ")
        quoted = bool(self.quote) and len(text) > 1 and text.startswith(self.quote)
        if quoted:
            text = text[1:-1].replace(self.quote * 2, self.quote)
        if self.escape:
            parts = text.split(self.escape * 2)
            text = self.escape.join(p.replace(self.escape, "") for p in parts)
        return text

    def to_json(self) -> dict[str, Any]:
        """Plain values, without those that hardly any file has."""
        return {k: v for k, v in asdict(self).items() if v or k in ("delimiter", "quote")}


def find_dialect(head: bytes, suffix: str, delimiter: str = "") -> Dialect:
    """The delimiter that cuts the first rows into the same number of fields, and into most; then the quotes.

    Parameters
    ----------
    head : bytes
        UTF-8 text from the beginning of the file; a last row that is cut short is not looked at.
    suffix : str
        A tab is taken for a ``.tsv`` file. Elsewhere a comma is, where nothing else cuts the rows evenly.
    delimiter : str
        The delimiter, where it is known; then the quotes alone are found out.

    Notes
    -----
    Single quotes, backslashes as escapes and spaces behind delimiters are taken for what they are only where the usual
    reading of the first rows breaks fields apart and theirs does not.
    """
    if delimiter:
        return _find_quotes(head, Dialect(delimiter))
    delimiters = ("\t",) if suffix == ".tsv" else _DELIMITERS
    best, best_score = Dialect(delimiters[0]), (0, 0.0)
    for dialect in (Dialect(delimiter) for delimiter in delimiters):
        if (score := _score(head, dialect)) > best_score:
            best, best_score = dialect, score
    if best_score[0] == 0 and suffix != ".tsv":
        rare = (Dialect(d) for d, fewest in _RARE_DELIMITERS.items() if _even(head, Dialect(d)) >= fewest)
        best = next(rare, best)
    return _find_quotes(head, best)


def _score(head: bytes, dialect: Dialect) -> tuple[int, float]:
    rows = _first_rows(head, dialect)
    if not rows:
        return 0, 0.0
    width, agreeing = Counter(map(len, rows)).most_common(1)[0]
    return int(width > 1 and width == len(rows[0])), agreeing / len(rows) * (width - 1) ** 0.5


def _find_quotes(head: bytes, plain: Dialect) -> Dialect:
    """The plain dialect, or another way of quoting where that explains the first rows better."""
    text = head.decode("utf-8", "replace")
    d = plain.delimiter
    spaced, escaped = f'{d} "' in text, '\\"' in text or "\\" + d in text
    others = []
    if spaced:
        others.append(Dialect(d, skip_space=True))
    if escaped:
        others.append(Dialect(d, escape="\\"))
    if spaced and escaped:
        others.append(Dialect(d, escape="\\", skip_space=True))
    if "'" in text and not text.startswith('"') and not any(f'{before}"' in text for before in (d, "\n", "\r")):
        others.append(Dialect(d, "'"))
    for other in others:
        if _even(head, other) > 1 and (_even(head, plain) <= 1 or _quoted_apart(head, plain, other)):
            return other
    return plain


def _even(head: bytes, dialect: Dialect) -> int:
    """Number of fields of the first rows where all have the same and are well-formed, else 0."""
    rows = _first_rows(head, dialect)
    whole = len(rows) >= _ROWS_LOOKED_AT or sum(len(r) for r in dialect.cutter().records(head)) == _whole(head)
    widths = {len(r) for r in rows}
    return widths.pop() if whole and len(widths) == 1 and len(rows) >= _FEWEST_ROWS else 0


def _quoted_apart(head: bytes, plain: Dialect, other: Dialect) -> bool:
    """Whether some column has quotes all down in one dialect, and not in the other."""
    mark, usual = (other.quote or '"').encode(), plain.quote.encode()
    old, new = _first_rows(head, plain), _first_rows(head, other)
    around = b" " if other.skip_space else b""
    columns = [([r[k].strip(around) for r in new[1:]], [r[k] for r in old[1:]]) for k in range(len(new[0]))]
    return any(
        all(len(f) > 1 and f.startswith(mark) and f.endswith(mark) for f in fields)
        and not any(f.startswith(usual) for f in before)
        for fields, before in columns
    )


def _whole(head: bytes) -> int:
    return max(head.rfind(b"\n"), head.rfind(b"\r", 0, len(head) - 1)) + 1


def _first_rows(head: bytes, dialect: Dialect) -> list[list[bytes]]:
    cutter = dialect.cutter()
    rows = (cutter.fields(record) for record in cutter.records(head) if record.strip(b"\r\n"))
    return list(islice(rows, _ROWS_LOOKED_AT))


def header_names(fields: list[str], path: Path) -> tuple[list[str], list[str]]:
    """Column names from the header's fields, and notes of those that had to be made up.

    An empty name becomes ``column_N``; of equal names the second becomes ``NAME_2`` and so on, so that no column is
    lost.

    Raises
    ------
    BadInputError
        When no field of the header has a name.
    """
    if not any(f.strip() for f in fields):
        raise BadInputError(f"{path}: line 1: the header has no names", "write the column names into the first line")
    taken = {f for f in fields if f.strip()}
    wanted, notes = [], []
    for position, field in enumerate(fields, 1):
        name = field
        if not field.strip():
            name = f"column_{position}"
            while name in taken:
                name += "_"
            notes.append(f"field {position} of the header is empty: named {name!r}")
        wanted.append(name)
    taken |= set(wanted)
    names = []
    seen: set[str] = set()
    numbers: Counter[str] = Counter()
    for position, name in enumerate(wanted, 1):
        unique = name
        while unique in seen or (unique != name and unique in taken):
            numbers[name] += 1
            unique = f"{name}_{numbers[name] + 1}"
        if unique != name:
            notes.append(f"field {position} of the header repeats {name!r}: named {unique!r}")
        seen.add(unique)
        names.append(unique)
    return names, notes
