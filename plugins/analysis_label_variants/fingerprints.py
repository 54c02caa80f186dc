"""What of a label is its form, and what its substance."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_BLANKS = dict.fromkeys(map(ord, "-_/()[]{}|\\\u00ad\u2010\u2011\u2012\u2013\u2014\u2015"), " ")
_NOTHING = dict.fromkeys(map(ord, ".,;:!?\"'`\u00b4\u2018\u2019\u201c\u201d\u00ab\u00bb\u201e\u200b\ufeff"))
_FORM = {**_BLANKS, **_NOTHING}
"""Characters that carry no meaning of their own; all others, such as + # % & < =, do."""

_FIGURES = re.compile("\u2212?\\d+")
_SIGNS = re.compile(r"[^\w\s]")
_MINUS = re.compile(r"(?<!\S)[-\u2212](?=\d)")


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a column.

    Attributes
    ----------
    code : int
        Its code.
    text : str
        As it stands in the table.
    rows : int
        How many rows have it.
    key : str
        Its substance; empty where there is no letter in it.
    figures : tuple of str
        The numbers in it, in their order, then the signs that carry a meaning.
    """

    code: int
    text: str
    rows: int
    key: str
    figures: tuple[str, ...]

    @classmethod
    def of(cls, code: int, text: str, rows: int) -> Label:
        """Take a label apart."""
        key = fingerprint(text)
        figures = _FIGURES.findall(_MINUS.sub("\u2212", text))
        return cls(code, text, rows, key, (*figures, *_SIGNS.findall(key.replace("\u2212", ""))))


def fingerprint(text: str) -> str:
    """The substance of a label; empty where there is no letter in it.

    Examples
    --------
    >>> fingerprint("  New-York "), fingerprint("DUBOIS, Anton"), fingerprint("C++"), fingerprint("12.5")
    ('new york', 'anton dubois', 'c++', '')
    """
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    plain = plain.casefold()
    if not any(map(str.isalpha, plain)):
        return ""
    has_figures = _FIGURES.search(plain) is not None
    if plain.count(",") == 1 and not has_figures:
        last, first = plain.split(",")
        plain = f"{first} {last}"
    if has_figures:
        plain = _MINUS.sub("\u2212", plain)  # a sign, which is kept
    return " ".join(plain.translate(_FORM).split())


def same_but_form(labels: Sequence[Label]) -> dict[Label, Label]:
    """Labels that are the same as a more frequent one but for their form.

    Returns
    -------
    dict
        For each such label the one that is meant: the most frequent of its kind, the first of equals.
    """
    kinds: dict[tuple[str, tuple[str, ...]], list[Label]] = {}
    for label in labels:
        kinds.setdefault((label.key, label.figures), []).append(label)
    found = {}
    for kind in kinds.values():
        meant = max(kind, key=lambda label: (label.rows, -label.code))
        found |= {label: meant for label in kind if label is not meant}
    return found
