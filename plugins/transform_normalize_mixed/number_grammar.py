"""A strict grammar of numbers: what is not surely a number is text.

Digits are 0 to 9. A number has no plus sign and no leading zero (those are codes and telephone numbers), is not ``-0``,
and has digits on both sides of its decimal sign. Groups of three digits are parted by one and the same sign throughout.
An exponent is taken only behind a decimal point and with its own sign, as in ``6.02E+23``: ``1e5`` may be a code.
Numbers that a double would change, of more than 15 significant digits, are text, unless they are integers of 64 bits.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

Style = Literal["point", "comma"]

STYLES: tuple[Style, ...] = ("point", "comma")
_GROUPS = {"point": ",'’ \u00a0\u202f", "comma": ".'’ \u00a0\u202f"}
_SIGN = {"point": r"\.", "comma": ","}
_GRAMMAR: dict[Style, re.Pattern[str]] = {
    style: re.compile(
        rf"(?P<minus>[-\u2212]?)(?:(?P<plain>0|[1-9][0-9]*)|(?P<grouped>[1-9][0-9]{{0,2}}(?P<g>[{_GROUPS[style]}])[0-9]{{3}}"
        rf"(?:(?P=g)[0-9]{{3}})*))(?:{_SIGN[style]}(?P<places>[0-9]+)"
        + (r"(?P<exponent>[eE][+-][0-9]{1,3})?" if style == "point" else "(?P<exponent>(?!))?")
        + r")?\Z"
    )
    for style in STYLES
}
_MOST_DIGITS = 15
_LARGEST = 2**63 - 1
_LONGEST = 64


def parse_number(text: str, style: Style) -> str | None:
    """The number that a text is, in plain form; None where it is none.

    Parameters
    ----------
    text : str
        Without spaces around it.
    style : str
        Whether the decimal sign is a ``point`` or a ``comma``.

    Examples
    --------
    >>> [parse_number(t, "comma") for t in ("1.234,50", "0,5", "12", "1,234.5", "007", "+5", "1e5")]
    ['1234.50', '0.5', '12', None, None, None, None]
    >>> [parse_number(t, "point") for t in ("1,234.50", "1,23", "-0", "-0.0", "6.02E+23", "٣")]
    ['1234.50', None, None, '-0.0', '6.02E+23', None]
    """
    found = _GRAMMAR[style].match(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    whole = found["plain"] or found["grouped"].replace(found["g"], "")
    places, exponent = found["places"], found["exponent"] or ""
    minus = "-" if found["minus"] else ""
    if places is None:
        fits = abs(int(whole)) <= _LARGEST and not (minus and whole == "0")
        return minus + whole if fits else None
    plain = f"{minus}{whole}.{places}{exponent}"
    return plain if keeps_digits(plain) else None


def is_whole(plain: str) -> bool:
    """Whether a number in plain form is written as an integer."""
    return "." not in plain


def keeps_digits(plain: str) -> bool:
    """Whether a double keeps every digit of a number in plain form.

    Examples
    --------
    >>> (
    ...     keeps_digits("0.1"),
    ...     keeps_digits("1234567890.1234567"),
    ...     keeps_digits("9007199254740993"),
    ...     keeps_digits("1.0e+999"),
    ... )
    (True, False, False, False)
    """
    if is_whole(plain):
        return abs(int(plain)) <= 2**53
    exact = Decimal(plain)
    digits = len("".join(map(str, exact.normalize().as_tuple().digits)))
    small = exact == 0 or -290 <= exact.adjusted() <= 300
    return digits <= _MOST_DIGITS and small
