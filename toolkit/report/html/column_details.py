"""What unfolds below a column: the distribution, quantiles, common values, where values are missing, moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.report.figures import number, share, value_text
from toolkit.report.html.markup import EMPTY, Markup, element, join
from toolkit.report.html.plots import again, box, heights, place_on, plot, step_path
from toolkit.report.text_table import cut

_FIGURES = (
    ("mean", "mean"), ("std", "standard deviation"), ("skewness", "skewness"), ("kurtosis", "excess kurtosis"),
    ("entropy", "entropy, bits"), ("zeros", "zeros"), ("negatives", "negative"),
)  # fmt: skip
_IF_ANY = (
    ("nan", "NaN"), ("positive_infinities", "infinite"), ("negative_infinities", "minus infinite"), ("empty", "empty texts")
)  # fmt: skip
_BOX = ("0.05", "0.25", "0.5", "0.75", "0.95")
_LONGEST_VALUE = 60


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


def _histogram(column: Mapping[str, Any], place: int) -> Markup:
    histogram = column.get("histogram")
    if not histogram or not any(histogram["counts"]):
        return EMPTY
    counts, edges = histogram["counts"], histogram["edges"]
    low, high = value_text(edges[0]), value_text(edges[-1])
    title = f"Histogram of {len(counts)} equal bins from {low} to {high}; the fullest holds {number(max(counts))}"
    quantiles = column["quantiles"]
    places = [place_on(quantiles.get(p), edges[0], edges[-1]) for p in _BOX]
    known = [at for at in places if at is not None]
    drawn = [again(f"h{place}", len(counts), class_="histogram", title=title)]
    if len(known) == len(_BOX):
        said = ", ".join(value_text(quantiles[p]) for p in _BOX)
        drawn.append(box(known, f"Quantiles 5, 25, 50, 75 and 95 %: {said}"))
    drawn.append(element("p", element("span", low), element("span", high), class_="ends"))
    return element("div", element("h4", "Distribution"), join(drawn), class_="plot")


def _quantiles(column: Mapping[str, Any]) -> Markup:
    quantiles = column["quantiles"]
    if not quantiles or column["kind"] == "bool":
        return EMPTY
    rows = (
        element("div", element("dt", percent(p)), element("dd", value_text(quantiles[p])))
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
    body = (
        element(
            "tr",
            element("th", element("bdi", cut(value_text(entry["value"]), _LONGEST_VALUE)), scope="row"),
            element("td", number(entry["count"])),
            element("td", bar(entry["count"], present or 0), share(entry["count"], present or 0)),
        )
        for entry in top
    )
    return element("div", element("table", element("caption", "Commonest values"), join(body), class_="top"))


def _missing(column: Mapping[str, Any], dataset: Mapping[str, Any]) -> Markup:
    counts = column.get("missing_by_chunk")
    if not counts or len(counts) < 2:
        return EMPTY
    each = (column.get("missing_chunks") or 1) * dataset.get("chunk_rows", 0)
    rows = [min(each, dataset["rows"] - i * each) for i in range(len(counts))]
    if min(rows) > 0:
        shares = [c / n for c, n in zip(counts, rows, strict=True)]
        path = step_path(heights(shares, 1.0))
        most = f"{100 * max(shares):.3g} % of one"
    else:
        path = step_path(heights(counts, max(counts)))
        most = f"{number(max(counts))} in one"
    title = f"Missing values in {number(len(counts))} stretches of the table, up to {most}"
    drawn = plot(path, len(counts), class_="lack", title=title)
    ends = element(
        "p", element("span", "first row"), element("span", f"up to {most}"), element("span", "last row"), class_="ends"
    )
    return element("div", element("h4", "Missing by position"), drawn, ends, class_="plot")


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
