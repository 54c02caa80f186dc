"""analysis_duplicate_rows: rows that repeat earlier rows.

It finds rows that repeat an earlier one in every column, blocks of rows that were loaded twice, rows that repeat the
one right before, and rows that repeat an earlier one in all columns but times and columns that number the rows: "Rows
450,000 to 459,999 repeat rows 440,000 to 449,999 exactly (10,000 rows): they were loaded twice."

The result is exact. Two readings of the table, which are split over workers: the first marks, for 64-bit hashes of the
rows, which slots of a filter of fixed size are hit once and which again; the second gathers the rows whose slots were
hit again. Rows of equal hash are then compared value by value, and only the chunks in which they lie are read for it,
so that no collision makes a false duplicate. Missing equals missing, NaN equals NaN, -0.0 equals 0.0. Rows that lie at
one distance from those that they repeat are merged to ranges.

It costs two hashes of every row, about 24 ns a row and column. Memory is the filters, 32 MiB up to 16 million rows and
256 MiB from 128 million on, and at most two million rows of 16 bytes at once: where more are gathered, the table is
read again for the rest.

``max_cols`` does not hold, as rows are equal in all columns or not at all. ``max_findings`` keeps all kinds and the
largest blocks. Of more than two million repeating rows all are counted; ranges are told of those that come first in the
table.

It does not find rows that are nearly equal in other columns, such as names in two spellings. Where more than half of
the rows repeat others but for ids and times, the columns are too coarse for that to mean anything, and it is not told.

References
----------
Elmagarmid, Ipeirotis and Verykios (2007), doi:10.1109/TKDE.2007.250581; Bloom (1970), doi:10.1145/362686.362692.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.plugin import Context, Finding, Result, State, omission
from toolkit.plugin.repeats import Repeats, RepeatScan

from .findings import finding_of_adjacent, finding_of_block, finding_of_near, finding_of_repeats, largest
from .ranges import adjacent, ranges

_NO_IDS = ("measure", "text", "duration")
_BLOCKS_LISTED = 1000


class Plugin(RepeatScan):
    """Two passes over the hashes of whole rows, and of rows without ids and times.

    Examples
    --------
    >>> is_id({"role": "id", "distinct": 95}, 100, 0.9), is_id({"role": "text", "distinct": 100}, 100, 0.9)
    (True, False)
    """

    def column_sets(self) -> list[list[str]]:
        """The columns but ids and times, where that is a question, and all columns."""
        names = self.ctx.columns(capped=False)
        entries = self.ctx.result("profile_basic").data["columns"]
        ids = {e["name"] for e in entries if is_id(e, self.ctx.rows, self.ctx.params["id_share"])}
        others = [n for n in names if n not in ids]
        return [others, [*others, *(n for n in names if n in ids)]] if 2 <= len(others) < len(names) else [names]

    def finish(self, state: State, ctx: Context) -> Result:
        """Compare what was gathered, and merge it to ranges."""
        sets = self.column_sets()
        names = ctx.columns(capped=False)
        found = self.found(len(sets) - 1, state)
        blocks = ranges(found.rows, found.firsts, ctx.params["block_rows"])
        findings = [finding_of_block(ctx, names, block) for block in largest(blocks)]
        if found.count:
            findings.append(finding_of_repeats(ctx, names, found, blocks))
        beside = adjacent(found.rows, found.firsts)
        if beside.size:
            findings.append(finding_of_adjacent(ctx, names, beside, found.rows.size))
        near = None
        if len(sets) > 1:
            near, more = self._near(state, sets, found)
            findings += more
        if not found.complete:
            rule = "all repeating rows are counted; ranges are told of those that come first in the table"
            ctx.omit(omission("repeating rows", found.rows.size, found.count, rule, []))
        data = {
            "repeats": found.count,
            "different_rows": found.groups,
            "most_repeated": [[first, count] for first, count in found.top.items()],
            "blocks": [list(block) for block in blocks[:_BLOCKS_LISTED]],
            "adjacent": beside.size,
            "repeats_but_for_ids": near,
            "ignored": [n for n in names if n not in sets[0]],
        }
        return Result(data, _kept(findings, ctx))

    def _near(self, state: State, sets: list[list[str]], found: Repeats) -> tuple[int | None, list[Finding]]:
        """Rows that repeat others but for ids and times: how many, None where they are too many to mean anything."""
        if self.given_up(0):
            return None, []
        near = self.found(0, state)
        count = near.count - found.count  # who repeats a row in all columns does so in some
        share = count / self.ctx.rows
        only = ~np.isin(near.rows, found.rows, assume_unique=True)
        if not count or share > self.ctx.params["near_share"] or not only.any():
            return count, []
        ignored = sets[1][len(sets[0]) :]
        return count, [finding_of_near(self.ctx, sets[0], ignored, near.rows[only], near.firsts[only])]


def is_id(entry: Mapping[str, Any], rows: int, share: float) -> bool:
    """Whether a column, as a profile has it, tells rows apart without saying what they are: a time or a row number."""
    role = entry.get("role")
    if entry.get("kind") in ("timestamp", "date"):
        return True
    return role not in _NO_IDS and role is not None and (entry.get("distinct") or 0) >= share * rows


def _kept(findings: list[Finding], ctx: Context) -> list[Finding]:
    most = ctx.budget.max_findings
    if most is None or len(findings) <= most:
        return findings
    ctx.omit(omission("max_findings", most, len(findings), "the largest blocks, then the other kinds", []))
    return findings[:most]
