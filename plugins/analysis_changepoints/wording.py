"""Changes as findings, in words."""

from __future__ import annotations

import math
from typing import Any

from toolkit.plugin import Finding
from toolkit.plugin.wording import listed, quoted

from .refine import Place
from .signals import Signal
from .testing import Step

MEASURES = {"level": "level_shift", "spread": "spread_ratio", "rate": "rate_ratio"}
"""What effects are; parameters of these names say from where on a change matters."""
KINDS = {"level": "level_shift", "spread": "spread_shift", "rate": "rate_shift"}
_NAMED = 3


def effect_of(signal: Signal, step: Step, deviation: float) -> tuple[float, tuple[float, float]]:
    """Size of a change, with its interval: of a level in standard deviations, else the ratio of later to earlier."""
    gap, (low, high) = step.after - step.before, step.interval
    if signal.what == "level":
        if deviation <= 0:
            return math.copysign(math.inf, gap), (math.copysign(math.inf, gap),) * 2
        return gap / deviation, (low / deviation, high / deviation)
    if signal.what == "spread":
        return math.exp(gap / 2.0), (math.exp(low / 2.0), math.exp(high / 2.0))
    early = max(step.before**2 / 4.0 - 0.375, 1e-9)

    def ratio(change: float) -> float:
        return max(max(step.before + change, 0.0) ** 2 / 4.0 - 0.375, 0.0) / early

    return ratio(gap), (ratio(low), ratio(high))


def is_sure(what: str, interval: tuple[float, float], least: float) -> bool:
    """Whether a change is sure to exceed the least that matters, on either side.

    Examples
    --------
    >>> is_sure("level", (0.4, 0.6), 0.3), is_sure("spread", (0.7, 0.9), 1.25), is_sure("rate", (0.5, 0.7), 1.25)
    (True, False, True)
    """
    low, high = interval
    if what == "level":
        return low > least or high < -least
    return low > least or high < 1.0 / least


def finding_of(
    signal: Signal, step: Step, place: Place, effect: tuple[float, tuple[float, float]], together: list[str]
) -> Finding:
    """Say what changed, when, and by how much.

    Parameters
    ----------
    signal, step, place : Signal, Step, Place
        The change.
    effect : tuple
        Its size and interval.
    together : list of str
        Other columns that change at the same time.
    """
    before, after = _sides(signal, step)
    evidence: dict[str, Any] = {
        "before": before,
        "after": after,
        "when": place.when,
        "row": place.row,
        "rows": [list(place.rows)],
        "chunks": place.chunks,
        "chunks_with_it": len(place.chunks),
        "bins": len(signal.series),
        "bin": signal.series.width(),
        "blocks": step.blocks,
        "calendar": signal.cycle,
        "together_with": together,
        "changing_together": len(together),
        "further": max(len(together) - _NAMED, 0),
    }
    said, numbers = _said(signal, step, place, effect)
    evidence |= numbers
    if together:
        more = [quoted(name) for name in together[:_NAMED]]
        if evidence["further"]:
            more.append(f"{evidence['further']:,} more")
        said += f"; {listed(more)} {'change' if len(together) > 1 else 'changes'} then too"
    advice = (
        f"Ask what changed for {quoted(signal.column)} at {place.when}, and judge it before and after that apart."
        if signal.what != "rate"
        else f"Find out whether at {place.when} by {quoted(signal.column)} other things happened, or were recorded."
    )
    return Finding(
        KINDS[signal.what],
        [signal.column],
        f"{said}.",
        advice,
        effect=effect[0],
        measure=MEASURES[signal.what],
        interval=effect[1],
        log10_p=step.log10_p,
        evidence=evidence,
        references=["10.1080/01621459.2012.737745"],
    )


def _said(
    signal: Signal, step: Step, place: Place, effect: tuple[float, tuple[float, float]]
) -> tuple[str, dict[str, Any]]:
    """What changed and by how much, and the numbers in it."""
    size, (low, high) = effect
    before, after = _sides(signal, step)
    when = f" at {place.when}" if signal.series.order == "time" or place.row is not None else f" from {place.when} on"
    if signal.what == "level":
        gap = (step.after - step.before, *step.interval)
        said = (
            f"The mean of {quoted(signal.column)} {'rose' if gap[0] > 0 else 'fell'} from {number(before)} to "
            f"{number(after)}{when} ({number(gap[0], sign=True)}, 95 % interval {number(gap[1], sign=True)} to "
            f"{number(gap[2], sign=True)}; {abs(size):.2f} standard deviations)"
        )
        names = ("change", "change_low", "change_high")
        return said, dict(zip(names, gap, strict=True)) | {"standard_deviations": size}
    way, ratio = "rose" if size > 1 else "fell", f"({size:.2f} times, 95 % interval {low:.2f} to {high:.2f})"
    width = signal.series.width()
    if signal.what == "spread":
        said = (
            f"The spread of {quoted(signal.column)} within {width} {way} from a standard deviation of "
            f"{number(before)} to {number(after)}{when} {ratio}"
        )
    else:
        said = (
            f"By {quoted(signal.column)}, rows in {width} {way} from {number(before)} to {number(after)}{when} {ratio}"
        )
    return said, {"ratio": size, "ratio_low": low, "ratio_high": high}


def number(value: float, *, sign: bool = False) -> str:
    """Write a number with four significant digits, or whole.

    Examples
    --------
    >>> number(304.97103), number(59.86, sign=True), number(1234567.8)
    ('305', '+59.86', '1,234,568')
    """
    plus = "+" if sign else ""
    if abs(value) >= 10_000:
        return f"{value:{plus},.0f}"
    return f"{value:{plus}.4g}"


def _sides(signal: Signal, step: Step) -> tuple[float, float]:
    if signal.what == "spread":
        return math.exp(step.before / 2.0), math.exp(step.after / 2.0)
    if signal.what == "rate":
        return max(step.before**2 / 4.0 - 0.375, 0.0), max(step.after**2 / 4.0 - 0.375, 0.0)
    return step.before, step.after
