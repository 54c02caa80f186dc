"""Dates and times of day in text: which order of day, month and year they can be read in."""

from __future__ import annotations

import datetime as dt
import re

ORDERS = ("ymd", "dmy", "mdy", "named")
"""``named``: the month is a word, so that no order can be confused."""

_CLOCK = r"(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:\.(?P<f>[0-9]{1,6}))?)?(?: ?(?P<half>[AaPp])[Mm])?"
_TIME = rf"(?:[ T]{_CLOCK})?\Z"
_YMD = re.compile(rf"(?P<y>[0-9]{{4}})(?P<s>[-/.])(?P<m>[0-9]{{1,2}})(?P=s)(?P<d>[0-9]{{1,2}}){_TIME}")
_XXY = re.compile(rf"(?P<a>[0-9]{{1,2}})(?P<s>[-/.])(?P<b>[0-9]{{1,2}})(?P=s)(?P<y>[0-9]{{4}}){_TIME}")
_D_NAME_Y = re.compile(rf"(?P<d>[0-9]{{1,2}})[- ](?P<n>[A-Za-z]{{3,9}})[- ](?P<y>[0-9]{{4}}){_TIME}")
_NAME_D_Y = re.compile(rf"(?P<n>[A-Za-z]{{3,9}}) (?P<d>[0-9]{{1,2}}),? (?P<y>[0-9]{{4}}){_TIME}")
_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = {name[:length]: i for i, name in enumerate(_NAMES, 1) for length in (3, len(name))}
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001  naive times throughout

Moment = tuple[int, bool]
"""Microseconds since 1970, and whether a time of day was written."""


def read_date(text: str) -> dict[str, Moment]:
    """The orders in which a text is a date, and which moment it then is.

    Dates with points have the day first: no one writes them the other way round.

    Examples
    --------
    >>> {order: moment[0] // 86_400_000_000 for order, moment in read_date("02/01/1970").items()}
    {'dmy': 1, 'mdy': 31}
    >>> [list(read_date(t)) for t in ("1970-01-31", "31/01/1970", "01.02.1970", "3 Jan 1970", "31/02/1970", "1/2/70")]
    [['ymd'], ['dmy'], ['dmy'], ['named'], [], []]
    """
    found = _YMD.match(text)
    if found:
        return _read("ymd", found, int(found["m"]), int(found["d"]))
    found = _XXY.match(text)
    if found:
        a, b = int(found["a"]), int(found["b"])
        day_first = _read("dmy", found, b, a)
        return day_first if found["s"] == "." else day_first | _read("mdy", found, a, b)
    found = _D_NAME_Y.match(text) or _NAME_D_Y.match(text)
    if found and (month := _MONTHS.get(found["n"].lower())):
        return _read("named", found, month, int(found["d"]))
    return {}


def _read(order: str, found: re.Match[str], month: int, day: int) -> dict[str, Moment]:
    hour, minute, second = (int(found[k] or 0) for k in "HMS")
    if found["half"]:
        if not 1 <= hour <= 12:
            return {}
        hour = hour % 12 + (12 if found["half"] in "pP" else 0)
    try:
        moment = dt.datetime(int(found["y"]), month, day, hour, minute, second)  # noqa: DTZ001
    except ValueError:
        return {}
    past = moment - _EPOCH
    micros = (past.days * 86_400 + past.seconds) * 10**6 + int((found["f"] or "").ljust(6, "0") or 0)
    return {order: (micros, found["H"] is not None)}
