"""What a person should know of digits."""

from __future__ import annotations

from toolkit.plugin import ChunkGrid, Finding
from toolkit.plugin.marked_rows import Link
from toolkit.plugin.places import MOST_CHUNKS, block_places
from toolkit.plugin.wording import listed, percent, quoted

from .law import FIRST_TWO, Excess, Law, band


def of_law(law: Law, grid: ChunkGrid) -> Finding:
    """The column as a whole departs from the law."""
    name, beyond = quoted(law.column), law.deviation - law.chance
    ends = [law.deviation_low, 2.0 * beyond - law.deviation_low]  # the jackknife's interval is symmetric
    return Finding(
        "benford_departure",
        [law.column],
        f"First two digits of {name} depart from Benford's law: their mean absolute deviation is "
        f"{law.deviation:.5f} in {law.n:,} positive values ({band(law.deviation)}), "
        f"where chance would make {law.chance:.5f}.",
        f"Look at the digits of {name} that are farthest from the law, before you trust its amounts as they are.",
        effect=beyond,
        evidence={"mad": law.deviation, "chance": law.chance, "n": law.n, "band": band(law.deviation),
                  "beyond_chance": beyond, "beyond_chance_interval": ends, "fit_log10_p": law.test.log10_p,
                  "chi2": law.test.chi2, "df": law.test.df, "design_effect": law.test.design_effect,
                  "first_two_counts": law.counts, **block_places(grid, range(64))},
    )  # fmt: skip


def of_excess(law: Law, found: list[Excess], chunks: list[int], grid: ChunkGrid) -> Finding:
    """First digits that occur too often, the worst in the sentence."""
    name, worst = quoted(law.column), found[0]
    law_share = float(FIRST_TWO[worst.digits - 10])
    others = [str(e.digits) for e in found[1:]]
    also = f"; so do {listed(others)}" if len(others) > 1 else f"; so does {others[0]}" if others else ""
    return Finding(
        "first_digits_in_excess",
        [law.column],
        f"First two digits {worst.digits} occur {worst.ratio:.2f} times as often as Benford's law and the digits "
        f"around them say in {name}: {worst.count:,} of {law.n:,} positive values ({percent(worst.count / law.n)}, "
        f"by the law {percent(law_share)}){also}.",
        f"Look at the rows where {name} begins with {worst.digits}: just under a limit, a round sum or a default?",
        effect=worst.ratio,
        measure="excess",
        interval=worst.interval,
        log10_p=worst.log10_p,
        evidence={"digits": worst.digits, "ratio": worst.ratio, "count": worst.count, "n": law.n,
                  "share": worst.count / law.n, "law_share": law_share,
                  "others": [{"digits": e.digits, "ratio": e.ratio, "count": e.count} for e in found[1:]],
                  **block_places(grid, range(64)), "chunks": chunks[:MOST_CHUNKS], "chunks_with_it": len(chunks)},
    )  # fmt: skip


def of_last(law: Law, found: list[Excess], grid: ChunkGrid) -> Finding:
    """Last digits that heap."""
    name, worst = quoted(law.column), found[0]
    places = f"at {law.decimals} decimals" if law.decimals else "as whole numbers"
    others = [f"{e.digits:02d}" for e in found[1:]]
    also = f"; {listed(others)} heap too" if len(others) > 1 else f"; {others[0]} heaps too" if others else ""
    share = worst.count / law.n_last
    return Finding(
        "last_digits_heap",
        [law.column],
        f"Last two digits of {name} {places} are {worst.digits:02d} in {worst.count:,} of {law.n_last:,} positive "
        f"values ({percent(share)}), where even digits would make 1 %{also}.",
        f"Ask whether {name} is rounded or priced to such endings, and don't read more digits into it than it has.",
        effect=worst.ratio,
        measure="heap",
        interval=worst.interval,
        log10_p=worst.log10_p,
        evidence={"digits": worst.digits, "count": worst.count, "n": law.n_last, "share": share, "expected": 0.01,
                  "decimals": law.decimals,
                  "others": [{"digits": e.digits, "ratio": e.ratio, "count": e.count} for e in found[1:]],
                  **block_places(grid, range(64))},
    )  # fmt: skip


def of_link(excess: Excess, column: str, category: str, link: Link, chunks: list[int]) -> Finding:
    """Digits in excess that go with a category."""
    name, other = quoted(column), quoted(category)
    return Finding(
        "first_digits_go_with",
        [column, category],
        f"Values of {name} that begin with {excess.digits} are {link.lift:.2f} times as common where {other} is "
        f"{link.level}: {link.inside:,} of {link.marked:,} such values, in {link.rows:,} of {link.of_rows:,} rows.",
        f"Review the rows where {other} is {link.level} and {name} begins with {excess.digits}.",
        effect=link.lift,
        measure="lift",
        interval=link.interval,
        log10_p=link.log10_p,
        evidence={"digits": excess.digits, "level": link.level, "lift": link.lift, "marked_inside": link.inside,
                  "marked": link.marked, "rows_inside": link.rows, "rows_with_level": link.of_rows,
                  "design_effect": link.design_effect, "chunks": chunks[:MOST_CHUNKS],
                  "chunks_with_it": len(chunks)},
    )  # fmt: skip
