"""Findings on templates, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding
from toolkit.plugin.marked_rows import Link
from toolkit.plugin.places import block_places
from toolkit.plugin.share_changes import Change
from toolkit.plugin.wording import percent, quoted, shown

from .templates import Template

_LISTED = 20


def of_templates(ctx: Context, column: str, templates: Sequence[Template], messages: int) -> Finding:
    """Which templates there are, as a fact."""
    covered = sum(t.rows for t in templates)
    count = len(templates)
    some = f"{count:,} templates cover" if count > 1 else "1 template covers"
    sentence = f"In {quoted(column)} {some} {covered:,} of {messages:,} texts ({percent(covered / messages)}); the"
    sentence += f" commonest is {shown(templates[0].text)} ({templates[0].rows:,})."
    evidence = {
        "templates": count,
        "covered": covered,
        "messages": messages,
        "share": covered / messages,
        "listed": [[t.text, t.rows] for t in templates[:_LISTED]],
        **block_places(ctx.grid, np.flatnonzero(sum(t.blocks for t in templates)).tolist()),
    }
    advice = f"Split {quoted(column)} into the template and its parameters, and count those instead of whole texts."
    return Finding(
        "message_templates", [column], sentence, advice, effect=covered / messages, evidence=evidence,
        references=["10.1109/ICWS.2017.13", "10.1109/IPOM.2003.1251233"],
    )  # fmt: skip


def of_change(ctx: Context, column: str, template: Template, first: int, change: Change) -> Finding:
    """A template that appears, vanishes or changes its share."""
    name, rows = shown(template.text), f"{template.rows:,} rows"
    last = int(np.flatnonzero(template.blocks)[-1])
    inside = block_places(ctx.grid, np.flatnonzero(template.blocks).tolist())
    if change.kind == "appears":
        sentence = f"The template {name} of {quoted(column)} appears in row {first:,}, in none of the rows before it;"
        sentence += f" since then it is in {percent(change.after)} of the texts ({rows})."
        advice = f"Ask what changed where {quoted(column)} first says {name}, from row {first:,} on."
    elif change.kind == "vanishes":
        sentence = (
            f"The template {name} of {quoted(column)} vanishes after {percent((last + 1) / 64)} of the rows; until"
        )
        sentence += f" then it is in {percent(change.before)} of the texts ({rows})."
        advice = f"Ask whether what {quoted(column)} says as {name} ended, or is no longer written."
    else:
        sentence = (
            f"The template {name} of {quoted(column)} goes from {percent(change.before)} of the texts in the first"
        )
        sentence += f" half of the rows to {percent(change.after)} in the last ({rows})."
        advice = f"Compare the rows of {quoted(column)} with {name} of the two halves."
    evidence: dict[str, Any] = {
        "template": template.text,
        "count": template.rows,
        "first_row": first,
        "before": change.before,
        "after": change.after,
        "until": (last + 1) / 64,
        "stretches": change.stretches,
        **inside,
    }
    return Finding(
        f"template_{change.kind}", [column], sentence, advice, effect=change.difference, interval=change.interval,
        measure="share_change" if change.kind == "changes" else "share", log10_p=change.log10_p, evidence=evidence,
    )  # fmt: skip


def of_link(ctx: Context, column: str, template: Template, category: str, link: Link) -> Finding:
    """A category that the messages of a template go with."""
    name = shown(template.text)
    sentence = f"Texts like {name} in {quoted(column)} are {link.lift:.3g} times as common where {quoted(category)} is"
    sentence += (
        f" {link.level}: {link.inside:,} of {link.marked:,} such texts, in {link.rows:,} of {link.of_rows:,} rows."
    )
    evidence: dict[str, Any] = {
        "template": template.text,
        **link.evidence(),
        **block_places(ctx.grid, np.flatnonzero(template.blocks).tolist()),
    }
    advice = f"Look at the rows where {quoted(category)} is {link.level} for what writes {name} into {quoted(column)}."
    return Finding(
        "template_goes_with", [column, category], sentence, advice, effect=link.lift, interval=link.interval,
        measure="lift", log10_p=link.log10_p, evidence=evidence, references=["10.1214/aos/1176346391"],
    )  # fmt: skip
