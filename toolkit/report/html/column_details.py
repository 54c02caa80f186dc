"""What unfolds below a column: the distribution, quantiles, common values, where values are missing, moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from toolkit.report.figures import number, share
from toolkit.report.html.close_up import close_up
from toolkit.report.html.markup import EMPTY, Markup, element, join
from toolkit.report.html.plots import WIDE, again, box, heights, place_on, plot, step_path
from toolkit.report.html.values import plain
from toolkit.report.text_table import cut

_FIGURES = (
    ("mean", "mean"), ("std", "standard deviation"), ("skewness", "skewness"), ("kurtosis", "excess kurtosis"),
    ("entropy", "entropy, bits"), ("zeros", "zeros"), ("negatives", "negative"),
)  # fmt: skip
_IF_ANY = (
    ("nan", "NaN"), ("positive_infinities", "infinite"), ("negative_infinities", "minus infinite"),
    ("empty", "empty texts"),
)  # fmt: skip
_BOX = ("0.05", "0.25", "0.5", "0.75", "0.95")
_FEW = 3
"""Values that are listed where none is common."""


def bar(part: int | None, whole: int) -> Markup:
    """Bar of a share, drawn by the style sheet in steps of one in a hundred.

    Examples
    --------
    >>> bar(1, 4), bar(1, 10**6), bar(0, 4)
    ('<i class=w25></i>', '<i class=w1></i>', '')
    """
    if not part or not whole:
        return EMPTY
    return element("i", class_=f"w{min(100, max(1, round(100 * part / whole)))}")


def details(column: Mapping[str, Any], place: int, dataset: Mapping[str, Any], found: Sequence[int]) -> Markup:
    """Everything that the report says of a column beyond its line.

    Parameters
    ----------
    column : mapping
        As in report.json.
    place : int
        Of the column in the table.
    dataset : mapping
        ``rows`` and, where known, ``chunk_rows``.
    found : sequence of int
        Places of the findings that speak of it.
    """
    parts = [
        _histogram(column, place),
        _quantiles(column),
        _top(column),
        _missing(column, dataset),
        _figures(column, found),
    ]
    return element("div", join(parts), class_="body")


def is_repeated(column: Mapping[str, Any]) -> bool:
    """Whether common values say something: the commonest is in one of 500 values at least."""
    top = column["top"]
    return bool(top) and top[0]["count"] > 1 and 500 * top[0]["count"] >= (column["count"] or 0)


def _histogram(column: Mapping[str, Any], place: int) -> Markup:
    histogram = column.get("histogram")
    if not histogram or not any(histogram["counts"]):
        return EMPTY
    kind, quantiles = column["kind"], column["quantiles"]
    counts, edges = histogram["counts"], histogram["edges"]
    low, high = plain(edges[0], kind), plain(edges[-1], kind)
    title = f"Histogram of {len(counts)} equal bins from {low} to {high}; the fullest holds {number(max(counts))}"
    inner = close_up(column)
    if inner is None:
        drawn = [again(f"h{place}", len(counts), class_="histogram", title=title)]
    else:
        drawn = [plot(step_path(heights(counts, max(counts))), len(counts), class_="histogram", title=title)]
    places = [place_on(quantiles.get(p), edges[0], edges[-1]) for p in _BOX]
    known = [at for at in places if at is not None]
    if len(known) == len(_BOX):
        said = ", ".join(plain(quantiles[p], kind) for p in _BOX)
        drawn.append(box(known, f"Quantiles 5, 25, 50, 75 and 95 %: {said}"))
    drawn.append(_ends(low, high))
    if inner is not None:
        drawn.append(element("h4", inner.heading))
        drawn.append(again(f"m{place}", WIDE, class_="histogram mid", title=inner.said))
        drawn.append(_ends(inner.low, inner.high))
    return element("div", element("h4", "Distribution"), join(drawn), class_="plot")


def _ends(*words: str) -> Markup:
    return element("p", join(element("span", word) for word in words), class_="ends")


def _quantiles(column: Mapping[str, Any]) -> Markup:
    quantiles, kind = column["quantiles"], column["kind"]
    if not quantiles or kind == "bool":
        return EMPTY
    rows = (
        element("div", element("dt", percent(p)), element("dd", plain(quantiles[p], kind)))
        for p in sorted(quantiles, key=float)
    )
    return element("div", element("h4", "Quantiles"), element("dl", join(rows), class_="q"))


def percent(probability: str) -> str:
    """Write a probability in percent, without the digits that floating point adds.

    Examples
    --------
    >>> percent("0.001"), percent("1"), percent("0")
    ('0.1 %', 'max', 'min')
    """
    return {"0": "min", "1": "max"}.get(probability) or f"{100 * float(probability):.6g} %"


def _top(column: Mapping[str, Any]) -> Markup:
    top, present = column["top"], column["count"]
    if not top:
        return EMPTY
    shown = top if is_repeated(column) else top[:_FEW]
    body = (
        element(
            "tr",
            element("th", plain(entry["value"], column["kind"]), scope="row"),
            element("td", number(entry["count"])),
            element("td", bar(entry["count"], present or 0), share(entry["count"], present or 0)),
        )
        for entry in shown
    )
    return element("div", element("table", element("caption", "Commonest values"), join(body), class_="top"))


def _missing(column: Mapping[str, Any], dataset: Mapping[str, Any]) -> Markup:
    counts, starts = _stretches(column, dataset)
    if len(counts) < 2 or not any(counts):
        return EMPTY
    shares = [c / (end - start) for c, (start, end) in zip(counts, pairwise(starts), strict=False) if end > start]
    if len(shares) == len(counts):
        path, most = step_path(heights(shares, 1.0)), f"{100 * max(shares):.3g} %"
    else:
        path, most = step_path(heights(counts, max(counts))), number(max(counts))
    title = f"Missing values in {number(len(counts))} stretches of the table, up to {most} in one"
    drawn = plot(path, len(counts), class_="lack", title=title)
    ends = _ends("first row", "last row")
    return element("div", element("h4", f"Missing by position, up to {most}"), drawn, ends, class_="plot")


def _stretches(column: Mapping[str, Any], dataset: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Missing values along the table, and where each stretch begins and the last one ends, as far as that is known."""
    rows, by_block = dataset["rows"], column.get("missing_by_block")
    if by_block:
        return by_block, [i * rows // len(by_block) for i in range(len(by_block) + 1)]
    counts = column.get("missing_by_chunk") or []
    each = (column.get("missing_chunks") or 1) * dataset.get("chunk_rows", 0)
    return counts, [min(i * each, rows) for i in range(len(counts) + 1)]


def _figures(column: Mapping[str, Any], found: Sequence[int]) -> Markup:
    said = [(words, number(column[name])) for name, words in _FIGURES if column.get(name) is not None]
    said += [(words, number(column[name])) for name, words in _IF_ANY if column.get(name)]
    lengths = column.get("lengths")
    if lengths:
        said.append(("length in bytes", " · ".join(number(lengths.get(k)) for k in ("min", "mean", "max"))))
    if column.get("distinct_error"):
        said.append(("error of distinct", f"{100 * column['distinct_error']:.2g} %"))
    said += [
        (f"row of the {end}", number(column[f"{end}_row"]))
        for end in ("min", "max")
        if column.get(f"{end}_row") is not None
    ]
    said.append(("present", number(column["count"])))
    rows = [element("div", element("dt", words), element("dd", shown)) for words, shown in said if shown]
    notes = []
    if column.get("role") and column.get("role_reason"):
        notes.append(f"{column['role']}: {cut(column['role_reason'], 200)}")
    if column.get("profile") == "brief":
        notes.append("The budget left this column to counts, minimum and maximum.")
    if found:
        notes.append(join((element("a", f"finding {place + 1}", href=f"#f{place}") for place in found[:20]), " · "))
    shown = join(element("p", note, class_="note") for note in notes)
    return element("div", element("h4", "Figures"), element("dl", join(rows), class_="q"), shown)
