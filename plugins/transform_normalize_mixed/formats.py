"""What a text can be read as, and what a whole column is, decided by exact counts of rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from .date_orders import read_date
from .number_grammar import STYLES, is_whole, keeps_digits, parse_number

Format = tuple[str, str]
"""Family and variant: ``("number", "comma")``, ``("EUR", "point")``, ``("date", "dmy")``, ``("bool", "yes/no")``."""

SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "zł": "PLN"}
CODES = frozenset({
    "AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "IDR", "ILS", "INR", "JPY", "KRW",
    "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SEK", "SGD", "THB", "TRY", "USD", "ZAR",
})  # fmt: skip
PAIRS = {
    word: (f"{yes}/{no}", word == yes)
    for yes, no in (
        ("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("ja", "nein"), ("oui", "non"), ("on", "off"),
    )
    for word in (yes, no)
}  # fmt: skip
"""Words for true and false; words that stand in two pairs would not tell which is meant."""
_MONEY = re.compile(r"(?P<minus>[-\u2212]?)(?P<unit>zł|[^\W\d_]{3}|[€$£¥₹₩₽₺]) ?(?P<number>.+)\Z")
_MONEY_BEHIND = re.compile(r"(?P<number>.*[0-9]) ?(?P<unit>zł|[^\W\d_]{3}|[€$£¥₹₩₽₺])\Z")
_PERCENT = re.compile(r"(?P<number>.*[0-9]) ?%\Z")
_RIVALS = {"point": "comma", "comma": "point", "dmy": "mdy", "mdy": "dmy"}


def read(text: str) -> dict[Format, Any]:
    """Every format that a text can be read in, and the value that it then has.

    Numbers, percentages and amounts have a number in plain form, dates a `date_orders.Moment`, booleans true or false.

    Examples
    --------
    >>> read("1,5 %"), read("€ 3.20"), read("Yes")
    ({('percent', 'comma'): '1.5'}, {('EUR', 'point'): '3.20'}, {('bool', 'yes/no'): True})
    >>> read("1,234")
    {('number', 'point'): '1234', ('number', 'comma'): '1.234'}
    """
    if not any("0" <= c <= "9" for c in text):
        known = PAIRS.get(text.lower())
        return {} if known is None else {("bool", known[0]): known[1]}
    for family, number in _parts(text):
        found = {(family, s): value for s in STYLES if (value := parse_number(number, s)) is not None}
        if found:
            return found
    return {("date", order): moment for order, moment in read_date(text).items()}


def _parts(text: str) -> list[tuple[str, str]]:
    """Family and number of a number, a percentage or an amount."""
    percent = _PERCENT.match(text)
    if percent:
        return [("percent", percent["number"])]
    for pattern in (_MONEY, _MONEY_BEHIND):
        found = pattern.match(text)
        unit = found and (SIGNS.get(found["unit"]) or (found["unit"] if found["unit"] in CODES else None))
        if found and unit:
            minus = found["minus"] if pattern is _MONEY else ""
            return [(unit, minus + found["number"])]
    return [("number", text)]


@dataclass(slots=True)
class Tally:
    """Exact counts of rows of one column, added up over its distinct values.

    Attributes
    ----------
    present, missing : int
        Rows with a value that counts; rows with a spelling of missing.
    failing : int
        Rows of ``present`` that can be read in no format.
    read : Counter
        Rows by format.
    both, differ : Counter
        Rows, by format, that its rival reads too; those of them that it reads as another value.
    whole, wide, timed : Counter
        Rows, by format, that are integers; integers that a double would change; dates with a time of day.
    truths : Counter
        Rows by format of booleans, and by truth.
    """

    present: int = 0
    missing: int = 0
    failing: int = 0
    read: Counter[Format] = field(default_factory=Counter)
    both: Counter[Format] = field(default_factory=Counter)
    differ: Counter[Format] = field(default_factory=Counter)
    whole: Counter[Format] = field(default_factory=Counter)
    wide: Counter[Format] = field(default_factory=Counter)
    timed: Counter[Format] = field(default_factory=Counter)
    truths: Counter[tuple[Format, bool]] = field(default_factory=Counter)

    def add(self, text: str, rows: int, sentinels: frozenset[str]) -> None:
        """Count a distinct value, without spaces around it, that so many rows have."""
        if text.lower() in sentinels or not text:
            self.missing += rows
            return
        self.present += rows
        values = read(text)
        self.failing += 0 if values else rows
        for form, value in values.items():
            self.read[form] += rows
            rival = (form[0], _RIVALS.get(form[1], ""))
            if rival in values:
                self.both[form] += rows
                self.differ[form] += rows if values[rival] != value else 0
            if form[0] == "bool":
                self.truths[form, value] += rows
            elif form[0] == "date":
                self.timed[form] += rows if value[1] else 0
            elif is_whole(value):
                self.whole[form] += rows
                self.wide[form] += 0 if keeps_digits(value) else rows


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a column is.

    Attributes
    ----------
    format : tuple or None
        How its values are read; None where it stays text.
    kind : str
        Logical kind that it gets.
    problem : str
        ``order``, ``sign`` or ``units`` where it would be a format if one could tell which.
    evidence : dict
        Counts of rows behind it.
    """

    format: Format | None = None
    kind: str = ""
    problem: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


def decide(tally: Tally, share: float, least_rows: int) -> Verdict:
    """Decide what a column is, from exact counts.

    A format counts when at least ``share`` of the values read in it, and at least ``least_rows`` rows do. Where a rival
    (decimal comma against point, day against month first) reads values otherwise, it must be excluded by values that it
    can't read, and nothing may speak for it.
    """
    enough = [f for f, n in sorted(tally.read.items()) if n >= max(share * tally.present, least_rows, 1)]
    if not enough:
        return _mixed_units(tally, share, least_rows)
    form = max(enough, key=lambda f: (tally.read[f], f[1] in ("point", "dmy")))
    rival = (form[0], _RIVALS.get(form[1], ""))
    alone, against = tally.read[form] - tally.both[form], tally.read[rival] - tally.both[rival]
    evidence: dict[str, Any] = {"values": tally.present, "read": tally.read[form]}
    if against or (tally.differ[form] and not alone):
        problem = "order" if form[0] == "date" else "sign"
        return Verdict(problem=problem, evidence=evidence | {form[1]: alone, rival[1]: against})
    if form[0] == "bool":
        both = tally.truths[form, True] and tally.truths[form, False]
        return Verdict(form, "bool", evidence=evidence) if both else Verdict()
    if form[0] == "date":
        return Verdict(form, "timestamp" if tally.timed[form] else "date", evidence=evidence)
    if tally.whole[form] == tally.read[form]:
        return Verdict(form, "int", evidence=evidence)
    return Verdict() if tally.wide[form] else Verdict(form, "float", evidence=evidence)


def _mixed_units(tally: Tally, share: float, least_rows: int) -> Verdict:
    """Whether a column would be amounts, were they in one unit."""
    units: Counter[str] = Counter()
    for (family, variant), rows in tally.read.items():
        if family not in ("bool", "date"):
            units[family] = max(units[family], rows)
            del variant
    total = sum(units.values())
    if len(units) < 2 or set(units) == {"number"} or total < max(share * tally.present, least_rows, 1):
        return Verdict()
    common = dict(sorted(units.items(), key=lambda u: (-u[1], u[0])))
    return Verdict(problem="units", evidence={"values": tally.present, "units": common})
