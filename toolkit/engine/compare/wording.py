"""What is said of two stores: facts on schema and categories, and tests that outlive the control."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolkit.engine.compare.drift import Test
from toolkit.engine.compare.tables import Pair, Side
from toolkit.plugin.inference import beyond
from toolkit.plugin.inference.effects import MINIMUM_EFFECTS
from toolkit.plugin.wording import listed, percent, quoted, shown

PLUGIN = "toolkit.compare"
MEASURES = {"level": "cliffs_delta", "spread": "spread_change", "share": "share_change", "missing": "null_rate"}
_RANKS = ["10.1037/0033-2909.114.3.494"]
_BLOCKS = ["10.1093/biomet/34.1-2.28", "10.1214/aos/1176347265"]
_MOST_LISTED = 20
_MOST_SAID = 3

Fields = dict[str, Any]
Labels = Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Seen:
    """Figures of a column that sentences need.

    Attributes
    ----------
    summaries : sequence of two mappings
        ``min``, ``max`` and quartiles in either store, as a person reads them.
    sizes : mapping
        ``stability_index`` and ``ks_distance``.
    """

    summaries: Sequence[Mapping[str, Any]]
    sizes: Mapping[str, Any]


def schema_findings(changes: Sequence[Mapping[str, Any]]) -> list[Fields]:
    """Columns that are in one store alone, and those that are of another kind in the second."""
    out = []
    for change in changes:
        name = change["name"]
        if change["in"] != "both":
            there, lacks = ("first", "second") if change["in"] == "first" else ("second", "first")
            out.append(
                _fact(
                    "column_gone" if there == "first" else "column_new",
                    [name],
                    f"Column {quoted(name)} ({change['kinds'][0]}) is in the {there} store and not in the {lacks}.",
                    f"Ask whether {quoted(name)} was {'dropped' if there == 'first' else 'added'} or renamed.",
                    {"kind": change["kinds"][0]},
                )
            )
        elif len(change["kinds"]) == 2:
            before, after = change["kinds"]
            out.append(
                _fact(
                    "column_retyped",
                    [name],
                    f"Column {quoted(name)} is {before} in the first store and {after} in the second.",
                    f"Declare the kind of {quoted(name)} when you convert, so that both stores have the same.",
                    {"kind_first": before, "kind_second": after},
                )
            )
    return out


def category_findings(pair: Pair, new: Labels, gone: Labels) -> list[Fields]:
    """Categories that only one of the stores has."""
    found = (("new_categories", new, pair.second, "second"), ("gone_categories", gone, pair.first, "first"))
    return [_only(pair.name, *one) for one in found if one[1]]


def _only(name: str, kind: str, absent: Labels, side: Side, which: str) -> Fields:
    of, rows = sum(side.labels.values()), sum(n for _, n in absent)
    told = listed([f"{shown(label)} ({percent(n / of)})" for label, n in absent[:_MOST_SAID]])
    more = max(len(absent) - _MOST_SAID, 0)
    said = (
        f"{quoted(name)} has {len(absent):,} {'value' if len(absent) == 1 else 'values'} in the {which} store that the "
    )
    said += f"{'first' if which == 'second' else 'second'} has not: {told}{f' and {more:,} more' if more else ''}; "
    said += f"{rows:,} of {of:,} rows ({percent(rows / of)})."
    evidence = {
        "values": len(absent),
        "more": more,
        "rows_with_them": rows,
        "of": of,
        "share": rows / of,
        "categories": [{"value": v, "count": n, "share": n / of} for v, n in absent[:_MOST_LISTED]],
    }
    advice = f"Ask what {shown(absent[0][0])} in {quoted(name)} stands for before you compare shares."
    return _fact(kind, [name], said, advice, evidence, effect=rows / of)


def drift_findings(pair: Pair, tests: Sequence[Test], seen: Seen) -> list[Fields]:
    """The surest change of a column, where its whole interval matters, and that of its missing values."""
    sure = [t for t in tests if beyond(*t.interval, MINIMUM_EFFECTS[MEASURES[t.what]])]
    out = []
    for group in (("missing",), ("level", "spread", "share")):
        found = sorted((t for t in sure if t.what in group), key=lambda t: (t.what == "spread", round(t.log10_p, 8)))
        if found:
            out.append(_drift(pair, found[0], len(found) - 1, seen))
    return out


def _drift(pair: Pair, test: Test, further: int, seen: Seen) -> Fields:
    said, advice = _SAID[test.what](quoted(pair.name), test, seen)
    evidence: Fields = {
        "first": test.first,
        "second": test.second,
        "rows_first": int(pair.first.rows.sum()),
        "rows_second": int(pair.second.rows.sum()),
        "level": 0.95,
        "further": further,
        **({} if test.value is None else {"value": test.value}),
        **{k: v for k, v in seen.sizes.items() if v is not None},
    }
    if pair.form == "numbers":
        for side, summary in zip(("first", "second"), seen.summaries, strict=True):
            evidence |= {f"{quartile}_{side}": summary[quartile] for quartile in _QUARTILES}
    return {
        **_fact(f"drift_of_{test.what}", [pair.name], said, advice, evidence, effect=test.effect),
        "interval": list(test.interval),
        "log10_p": test.log10_p,
        "measure": MEASURES[test.what],
        "references": [*(_RANKS if test.what == "level" else []), *_BLOCKS],
    }


def _missing(name: str, test: Test, seen: Seen) -> tuple[str, str]:
    del seen
    said = f"{name} is missing in {percent(test.first)} of the first store's rows and in {percent(test.second)} of "
    said += f"the second's ({_points(test)})."
    return said, f"Find out what changed in the source of {name} before you fill it or compare averages."


def _share(name: str, test: Test, seen: Seen) -> tuple[str, str]:
    del seen
    said = f"{shown(test.value)} is {percent(test.first)} of {name} in the first store and {percent(test.second)} in "
    said += f"the second ({_points(test)})."
    return said, f"Compare other columns within values of {name}, as its mix has changed."


def _level(name: str, test: Test, seen: Seen) -> tuple[str, str]:
    medians = [_number(summary["median"]) for summary in seen.summaries]
    low, high = test.interval
    said = (
        f"{name} is {'higher' if test.effect > 0 else 'lower'} in the second store: median {medians[0]} in the first, "
    )
    said += f"{medians[1]} in the second (Cliff's delta {test.effect:.2f}, 95 % interval {low:.2f} to {high:.2f}; "
    said += f"stability index {seen.sizes['stability_index']:.2f})."
    return said, _POOL.format(name)


def _spread(name: str, test: Test, seen: Seen) -> tuple[str, str]:
    middle = [f"{_number(s['lower_quartile'])} to {_number(s['upper_quartile'])}" for s in seen.summaries]
    said = (
        f"{name} is {'more' if test.effect > 0 else 'less'} spread in the second store: the middle half of its values "
    )
    said += f"is {middle[0]} in the first, {middle[1]} in the second (distance of ranks from the middle "
    said += f"{_signed(test.effect)} %, 95 % interval {_signed(test.interval[0])} to {_signed(test.interval[1])})."
    return said, _POOL.format(name)


def _points(test: Test) -> str:
    low, high = map(_signed, test.interval)
    return f"{_signed(test.effect)} points, 95 % interval {low} to {high}"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f}"


_SAID = {"missing": _missing, "share": _share, "level": _level, "spread": _spread}
_POOL = "Find out what changed about {} before you pool the two stores."
_QUARTILES = ("lower_quartile", "median", "upper_quartile")


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def _fact(
    kind: str, columns: list[str], sentence: str, recommendation: str, evidence: Fields, effect: float | None = None
) -> Fields:
    return {
        "kind": kind,
        "columns": columns,
        "sentence": sentence,
        "recommendation": recommendation,
        "effect": effect,
        "interval": None,
        "log10_p": None,
        "evidence": evidence,
        "references": [],
        "measure": "",
    }
