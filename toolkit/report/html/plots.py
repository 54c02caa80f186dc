"""Plots as compact SVG: one path for each, drawn from the report's figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import groupby
from typing import Any

from toolkit.report.html.markup import Markup, element, join

HEIGHT = 30
"""Units from the base of a plot to its top."""
WIDE = 1000
"""Units along a scale on which places are marked."""


def step_path(heights: Sequence[int], base: int = HEIGHT) -> str:
    """Path of bars that stand side by side, one unit wide each.

    Examples
    --------
    >>> step_path([0, 0, 3, 3, 1], base=5)
    'M0 5H2V2H4V4H5V5z'
    """
    path, at, level = [f"M0 {base}"], 0, base
    for height, run in groupby(heights):
        if base - height != level:
            level = base - height
            path.append(f"V{level}")
        at += len(list(run))
        path.append(f"H{at}")
    if level != base:
        path.append(f"V{base}")
    return "".join(path) + "z"


def block_path(edges: Sequence[float], tall: Sequence[int]) -> str:
    """Path of blocks between edges that are shares of the scale.

    Examples
    --------
    >>> block_path([0.0, 0.5, 1.0], [10, 30])
    'M0 30V20H500V0H1000V30z'
    """
    steps = "".join(f"V{HEIGHT - h}H{round(WIDE * end)}" for h, end in zip(tall, edges[1:], strict=True))
    return f"M{round(WIDE * edges[0])} {HEIGHT}{steps}V{HEIGHT}z"


def heights(values: Sequence[float], most: float, tall: int = HEIGHT) -> list[int]:
    """Round to units of height; what is not zero is seen."""
    return [max(1, round(tall * value / most)) if value > 0 and most > 0 else 0 for value in values]


def bars_path(counts: Sequence[int]) -> str:
    """Path of bars with gaps between them, five units from one to the next, in relation to the largest."""
    tall = heights(counts, max(counts, default=0))
    return "".join(f"M{5 * i} {HEIGHT}v-{h}h4v{h}z" for i, h in enumerate(tall) if h)


def plot(path: str, wide: int, *, class_: str, title: str | None = None, id_: str | None = None) -> Markup:
    """Draw a path over its whole width; without a title it is hidden from screen readers."""
    drawn = element("path", d=path, id=id_)
    return _svg(drawn, f"0 0 {wide} {HEIGHT}", class_, title)


def again(id_: str, wide: int, *, class_: str, title: str) -> Markup:
    """Draw a plot of the page once more, at another size."""
    return _svg(element("use", href=f"#{id_}"), f"0 0 {wide} {HEIGHT}", class_, title)


def box(places: Sequence[float], title: str) -> Markup:
    """Draw a box between the quartiles with a line at the median and whiskers to the 5 % and 95 % quantiles.

    Parameters
    ----------
    places : sequence of float
        The quantiles 0.05, 0.25, 0.5, 0.75 and 0.95 as shares of the scale.
    title : str
        What is seen.
    """
    low, first, middle, third, high = (round(WIDE * min(max(place, 0.0), 1.0)) for place in places)
    drawn = (
        element("path", class_="wh", d=f"M{low} 5H{high}"),
        element("path", class_="bx", d=f"M{first} 1H{max(third, first + 2)}V9H{first}z"),
        element("path", class_="md", d=f"M{middle} 0V10"),
    )
    return _svg(join(drawn), f"0 0 {WIDE} 10", "box", title)


def effect(value: float, interval: Sequence[float] | None, title: str) -> Markup:
    """Draw an effect and its interval on a scale that holds zero; shares and correlations up to one."""
    ends = [value, *(interval or ())]
    low, high = min(0.0, *ends), max(0.0, *ends)
    if low >= -1.0 and high <= 1.0:
        low, high = (-1.0 if low < 0 else 0.0), 1.0
    wide = (high - low) or 1.0

    def place(at: float) -> int:
        return 10 + round((WIDE - 20) * (at - low) / wide)

    zero, at = place(0.0), place(value)
    drawn = [element("path", class_="ax", d=f"M10 12H{WIDE - 10}M{zero} 4V20")]
    if interval is None:
        drawn.append(element("path", class_="ef", d=f"M{min(zero, at)} 8H{max(zero, at)}V16H{min(zero, at)}z"))
    else:
        drawn.append(element("path", class_="iv", d=f"M{place(interval[0])} 12H{place(interval[1])}"))
        drawn.append(element("path", class_="pt", d=f"M{at} 12h0"))
    return _svg(join(drawn), f"0 0 {WIDE} 24", "effect", title)


def place_on(value: Any, low: Any, high: Any) -> float | None:
    """Where a value lies between two others, as a share of the way; None where that has no meaning.

    Examples
    --------
    >>> place_on(3, 1, 5), place_on("2024-01-02", "2024-01-01", "2024-01-05"), place_on("Infinity", 0, 1)
    (0.5, 0.25, None)
    """
    numbers = [_scale(v) for v in (value, low, high)]
    at, start, end = numbers
    if at is None or start is None or end is None or end <= start:
        return None
    return (at - start) / (end - start)


def _scale(value: Any) -> float | None:
    if isinstance(value, int | float):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        return float(value) if value[:1] in "-+.0123456789" and "Inf" not in value else None
    except ValueError:
        return _seconds(value)


def _seconds(value: str) -> float | None:
    """Seconds of a time as ISO 8601 text since some moment."""
    try:
        if ":" in value and "-" not in value:
            of_day = time.fromisoformat(value)
            return of_day.hour * 3600.0 + of_day.minute * 60 + of_day.second + of_day.microsecond / 1e6
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return None
    return (moment - datetime.combine(date.min, time.min)).total_seconds()


def _svg(drawn: Markup, view: str, class_: str, title: str | None) -> Markup:
    scaled = {"viewBox": view, "preserveAspectRatio": "none"}
    if title is None:
        return element("svg", drawn, class_=class_, aria_hidden="true", **scaled)
    return element("svg", element("title", title), drawn, class_=class_, role="img", **scaled)
