"""What a finding rests on, whatever the plugin put there: figures, ranges, lists, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.figures import number, value_text
from toolkit.report.html.markup import EMPTY, Markup, element, join
from toolkit.report.html.plots import HEIGHT, plot, step_path
from toolkit.report.text_table import cut

MOST_ITEMS = 12
"""Of a list; report.json has all of them."""

_LONGEST = 120
_MOST_FACTS = 60
_FEWEST_BLOCKS = 8
"""Figures by block of rows that are drawn and not listed."""
_RANGES = ("rows", "chunks")
_VALUES = ("value", "group", "minimum", "maximum", "rest_min", "rest_max")
"""Fields that hold a value of a column."""


def facts(evidence: Mapping[str, Any]) -> Markup:
    """List the evidence, what has no value left out.

    Examples
    --------
    >>> facts({"share": 0.25, "rows": [[3, 17]], "of": None})
    '<dl class=facts><div><dt>share<dd>0.25</div><div><dt>rows<dd>3 to 17</div></dl>'
    """
    listed = [(key, value) for key, value in evidence.items() if value is not None and value != []]
    listed.sort(key=lambda item: (item[0] in _RANGES, isinstance(item[1], list | dict)))
    if not listed:
        return EMPTY
    return element("dl", join(_fact(key, value) for key, value in listed[:_MOST_FACTS]), class_="facts")


def _fact(key: str, value: Any) -> Markup:
    shown = ranges(value) if key in _RANGES and isinstance(value, list) else _shown(value, key)
    entries = isinstance(value, list) and any(isinstance(item, dict) for item in value)
    wide = entries or (isinstance(value, list | dict) and len(value) > 2)
    return element("div", element("dt", cut(label(key), 60)), element("dd", shown), class_="wide" if wide else None)


def label(key: str) -> str:
    """Write the name of a field as words."""
    return key.replace("_", " ").strip() or "(no name)"


def ranges(values: Sequence[Any]) -> Markup:
    """List rows or chunks, each a number or the first and the last of a range."""
    return join([*(_range(v) for v in values[:MOST_ITEMS]), *_more(values)], ", ")


def _range(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        first, last = value
        return number(first) if first == last else f"{number(first)} to {number(last)}"
    return cut(number(value), _LONGEST)


def _more(values: Sequence[Any], shown: int = MOST_ITEMS) -> list[str]:
    return [f"and {number(len(values) - shown)} more in report.json"] if len(values) > shown else []


def _along_rows(values: Sequence[float | None]) -> Markup:
    """A picture of a figure by blocks of rows, from its smallest to its largest value; no value, no height."""
    known = [v for v in values if v is not None]
    low, high = min(known), max(known)
    wide = (high - low) or 1.0
    tall = [0 if v is None else 1 + round((HEIGHT - 1) * (v - low) / wide) for v in values]
    ends = f"{number(low)} to {number(high)}"
    title = f"By {len(values)} blocks of rows, from the first to the last: {ends}"
    return join([plot(step_path(tall), len(values), class_="lack", title=title), element("small", ends)])


def _is_along_rows(key: str, value: Any) -> bool:
    known = isinstance(value, list) and all(v is None or (type(v) in (int, float)) for v in value)
    return known and key.endswith("_by_block") and len(value) >= _FEWEST_BLOCKS and any(v is not None for v in value)


def _shown(value: Any, key: str = "") -> str:
    """Counts have their thousands set apart; values of columns, which may be years or codes, have not."""
    if isinstance(value, dict):
        return facts(value)
    if _is_along_rows(key, value):
        return _along_rows(value)
    if isinstance(value, list):
        if value and all(isinstance(item, dict) for item in value):
            return _table(value)
        return join([*(_shown(item, key) for item in value[:MOST_ITEMS]), *_more(value)], ", ")
    return cut(value_text(value) if isinstance(value, str) or key in _VALUES else number(value), _LONGEST)


def _table(entries: Sequence[Mapping[str, Any]]) -> Markup:
    """A table of entries that have the same fields, more or less."""
    fields = list(dict.fromkeys(key for entry in entries[:MOST_ITEMS] for key in entry))[:MOST_ITEMS]
    head = element("tr", join(element("th", cut(label(f), 40), scope="col") for f in fields))
    cells = (join(element("td", _shown(entry.get(f), f)) for f in fields) for entry in entries[:MOST_ITEMS])
    body = element("tbody", join(element("tr", row) for row in cells))
    more = _more(entries)
    said = element("p", more[0], class_="note") if more else EMPTY
    return join([element("table", element("thead", head), body), said])
