"""What is tested of the templates of a column: changes along the rows, and categories that they go with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Finding, round_significant
from toolkit.plugin.inference import beyond
from toolkit.plugin.marked_rows import link_test
from toolkit.plugin.share_changes import change_of

from .templates import Template
from .wording import of_change, of_link

LOG10_LEVEL = math.log10(0.05)


def changes(
    ctx: Context, name: str, messages: npt.NDArray[np.int64], templates: Sequence[Template], starts: Sequence[int]
) -> tuple[list[Finding], int]:
    """Findings on templates that come, go or change, and how many were tested.

    Parameters
    ----------
    ctx : Context
        The table.
    name : str
        The column.
    messages : ndarray of int64, shape (64,)
        Messages by block of rows.
    templates : sequence of Template
        Its templates.
    starts : sequence of int
        The first row of each.
    """
    found = []
    tests = 0
    for template, first in zip(templates, starts, strict=True):
        change = change_of(template.blocks, messages)
        if change is None:
            continue
        tests += 1
        small = change.kind == "changes" and not beyond(*change.interval, ctx.params["share_change"])
        if not small and round_significant(change.log10_p) <= LOG10_LEVEL:
            found.append(of_change(ctx, name, template, first, change))
    return found, tests


def links(
    ctx: Context,
    name: str,
    tables: Mapping[str, Any],
    held: Mapping[str, Sequence[int]],
    templates: Sequence[Template],
) -> tuple[list[Finding], int]:
    """Findings on categories that templates go with, the strongest first, and how many were tested.

    Parameters
    ----------
    ctx : Context
        The table.
    name : str
        The column.
    tables : mapping of str to ndarray of int64, each of shape (templates held against it + 1, 64, levels + 1)
        By category: messages of no such template, and of each of them, by block and level.
    held : mapping of str to sequence of int
        By category: the templates that are held against it.
    templates : sequence of Template
        Its templates.
    """
    found = []
    tests = 0
    pairs = sorted((template, k, category) for category, of in held.items() for k, template in enumerate(of, 1))
    for template, k, category in pairs:
        levels = ctx.kernel("block_codes", category)["levels"]
        marked = tables[category][k]
        link = link_test(ctx, category, levels, marked, tables[category].sum(axis=0) - marked)
        if link is None:
            continue
        tests += 1
        if round_significant(link.interval[0]) > ctx.params["lift"] and round_significant(link.log10_p) <= LOG10_LEVEL:
            found.append(of_link(ctx, name, templates[template], category, link))
    found.sort(key=lambda f: (round_significant(f.log10_p or 0.0), -round_significant(f.effect or 0.0)))
    return found, tests
