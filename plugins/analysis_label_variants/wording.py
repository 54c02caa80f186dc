"""The finding on the labels of a column, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from toolkit.plugin import Context, Finding
from toolkit.plugin.places import Places
from toolkit.plugin.wording import cut, percent, quoted, shown

from .fingerprints import Label


@dataclass(frozen=True, slots=True)
class Variants:
    """Variants in one column.

    Attributes
    ----------
    column : str
        The column.
    what : str
        ``form``, ``spelling``, or ``companion`` for spellings that another column confirms.
    of : mapping of Label to Label
        For each variant the label that is meant.
    present : int
        Rows that have a label.
    other : str
        The column that confirms; empty where there is none.
    """

    column: str
    what: str
    of: Mapping[Label, Label]
    present: int
    other: str = ""


def finding_of(ctx: Context, variants: Variants, places: Places, most: int) -> Finding:
    """Say how many labels are variants of others, and give the most frequent one as an example."""
    grouped: dict[Label, list[Label]] = {}
    for label, meant in sorted(variants.of.items(), key=lambda pair: (-pair[0].rows, pair[0].code)):
        grouped.setdefault(meant, []).append(label)
    meant, labels = next(iter(grouped.items()))
    count, rows = len(variants.of), sum(label.rows for label in variants.of)
    share = rows / variants.present
    column, one = quoted(variants.column), count == 1
    if variants.what == "form":
        told = f"{'is' if one else 'are'} the same as a more frequent one but for capitals, blanks or punctuation"
    else:
        target = f"another of the same {quoted(variants.other)}" if variants.other else "a far more frequent one"
        told = f"{'differs' if one else 'differ'} by one letter from {target}"
    told += ":" if one else ", such as"
    sentence = (
        f"{count:,} {'label' if one else 'labels'} of {column} {told} {_said(labels[0])} for {_said(meant)}; "
        f"{'it is' if one else 'they are'} in {rows:,} of {variants.present:,} rows ({percent(share)})."
    )
    listed = [
        {"label": cut(m.text), "rows_of_it": m.rows, "variants": [[cut(v.text), v.rows] for v in of[:most]]}
        for m, of in list(grouped.items())[:most]
    ]
    evidence: dict[str, Any] = {
        "labels": count,
        "labels_meant": len(grouped),
        "rows_of_variants": rows,
        "present": variants.present,
        "share": share,
        "groups": listed,
        "groups_listed": "all" if len(grouped) <= most else f"the first {most}",
        **places.evidence(),
        "of_chunks": ctx.grid.n_chunks,
    }
    x, y = shown(labels[0].text), shown(meant.text)
    advice = f"Map {x} to {y} in {column}" + (
        "" if one else f", and the other {count - 1:,} as the evidence lists them"
    )
    check = "" if variants.what != "spelling" else ", once somebody who knows them has looked"
    return Finding(
        "labels_same_but_form" if variants.what == "form" else "labels_misspelt",
        [variants.column, *filter(None, [variants.other])],
        sentence,
        f"{advice}{check}.",
        effect=share,
        evidence=evidence,
        references=[] if variants.what == "form" else ["10.1145/363958.363994"],
    )


def _said(label: Label) -> str:
    return f"{shown(label.text)} ({label.rows:,} {'row' if label.rows == 1 else 'rows'})"
