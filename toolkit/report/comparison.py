"""A comparison of two stores in the formats in which it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.core.canonical import pretty_json
from toolkit.report.addresses import doi_address
from toolkit.report.compared_columns import COLUMN_HEADS, column_lines, store_line
from toolkit.report.escape import code
from toolkit.report.figures import number
from toolkit.report.html.comparison import comparison_page
from toolkit.report.renderers.markdown_report import finding_text
from toolkit.report.text_table import text_table

MOST_COLUMNS = 500
"""Columns that the table lists; compare.json has all of them."""

Comparison = Mapping[str, Any]


def comparison_files(comparison: Comparison) -> dict[str, bytes]:
    """Contents by file name: compare.json, which is the truth, and compare.md and compare.html made from it.

    Parameters
    ----------
    comparison : mapping
        What `toolkit.engine.compare.stores.compare_datasets` gives.
    """
    return {
        "compare.json": pretty_json(dict(comparison)).encode("utf-8", "backslashreplace"),
        "compare.md": comparison_markdown(comparison).encode("utf-8", "backslashreplace"),
        "compare.html": comparison_page(comparison),
    }


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison to be read in a terminal."""
    stores = [comparison["first"], comparison["second"]]
    told = (("First", stores[0]), ("Second", stores[1]))
    facts = [f"- **{which}** {store_line(store)}, {code(store['key'])}" for which, store in told]
    if comparison["same_data"]:
        facts.append("- **The data are the same**, to the last bit")
    account = comparison["discovery"]
    facts.append(
        f"- **Tests** {number(account['n_tests'])} hypotheses, {number(account['kept'])} differences kept at a "
        f"false discovery rate of {account['rate']:.2g}"
    )
    findings = [f"{i}. {finding_text(f)}" for i, f in enumerate(comparison["findings"], start=1)]
    columns = comparison["columns"]
    blocks = ["# Comparison of two stores", "\n".join(facts), f"## Differences ({number(len(findings))})"]
    blocks += ["\n".join(findings) if findings else "None.", f"## Columns ({number(len(columns))})"]
    if len(columns) > MOST_COLUMNS:
        blocks.append(f"The first {number(MOST_COLUMNS)} are listed; compare.json has all of them.")
    body = list(column_lines(columns[:MOST_COLUMNS]))
    blocks.append(text_table(COLUMN_HEADS, body, right=[2, 3, 4, 5, 6], widest=[24, 16, 13, 13, 17, 17, 9]))
    if comparison["references"]:
        blocks += ["## References", "\n".join(f"- <{doi_address(doi)}>" for doi in comparison["references"])]
    return "\n\n".join(blocks) + "\n"
