"""llm_prompt_builder: what a language model may be told of a table, written to a file and sent nowhere.

What it finds. Nothing of its own: it writes `prompt.md`, a prompt that asks a language model to explain the report, and
`context.json`, the same facts as a tree. Nothing is sent: the plugin's process has no network, and a person decides
what becomes of the files.

Method. The prompt is built from what may be shown, never from what a report says with something cut out. No value of
text of any column is part of it, no sentence, recommendation or text from the evidence of a finding, no smallest or
largest value, no row number and no digest of the data. A finding is told by the words of its kind, its columns, its
effect with interval and how sure it is; a column by kind, role, missing share, number of distinct values and, where it
holds numbers or times that name nothing, by quantiles with at least ten rows beyond them (``fewest``), with three
significant digits; times to the month. Of columns that `analysis_pii` tags, or did not look at, there is the kind of
personal data and no figure, and of a finding about them no figure either. Numbers of fewer than ten rows are told as
such (k-anonymity, Sweeney). Names of columns, kinds and plugins are shown where all their words are in a list of common
ones, so that a name that holds an address, a number or a person can't pass; the others are called by their place, as in
`column_7`, which leads back to the name in report.json. All that comes from the table stands as JSON between two lines
with a digest of it, in ASCII, with markup, invisible and control characters as codes, under a head that says that it is
data and no instruction.

It fails closed: without a result of `analysis_pii` there is no prompt, and the plugin is skipped.

Cost. No row is read; some milliseconds.

Caps. ``characters`` (24,000, some 6,000 tokens) bounds the prompt: findings in the report's order come first, then
columns in the table's, and how many were left out is told. ``max_cols`` takes the first columns.

What it does not do. It does not judge whether figures of columns that `analysis_pii` does not tag are secret: that is
for whoever sends the prompt. ``names: all`` shows names that look harmless, and a name can look so and be none. It
calls no model.

References
----------
Sweeney (2002), doi:10.1142/S0218488502001648
"""

from __future__ import annotations

from typing import Any

from toolkit.plugin import Context, Result, Skip

from .columns import Columns
from .figures import counted
from .findings import facts
from .prompt import build


def run(ctx: Context) -> Result:
    """Write the prompt.

    Returns
    -------
    Result
        ``files`` has ``prompt.md`` and ``context.json``; ``data`` how much of the report is in them.

    Raises
    ------
    Skip
        Without a result of analysis_pii that says which columns are personal.
    """
    columns = Columns(ctx, personal(ctx))
    report, fewest = ctx.report, ctx.params["fewest"]
    shown = set(ctx.columns())
    findings = [facts(f, i + 1, columns, fewest) for i, f in enumerate(report["findings"])]
    entries = [columns.facts(entry) for entry in report["columns"] if entry["name"] in shown]
    table = {
        "rows": counted(report["dataset"]["rows"], fewest),
        "columns": len(report["columns"]),
        "findings": len(findings),
        "all_rows_were_read": not report["dataset"]["sampled"],
        "tests": report["discovery"]["n_tests"],
    }
    text, context = build(table, findings, entries, ctx.params["characters"])
    data = {
        "files": ["context.json", "prompt.md"],
        "characters": len(text),
        "findings": len(context["findings"]),
        "findings_left_out": context["findings_left_out"],
        "columns": len(context["columns"]),
        "columns_left_out": context["columns_left_out"],
        "personal_columns": len(columns.hidden),
    }
    files = {"prompt.md": text.encode("ascii"), "context.json": pretty(context).encode("ascii")}
    return Result(data=data, files=files)


def personal(ctx: Context) -> dict[str, Any]:
    """What analysis_pii says; nothing at all may be written without it.

    Examples
    --------
    >>> class Nothing:
    ...     results = {}
    >>> personal(Nothing())
    Traceback (most recent call last):
    toolkit.plugin.result.Skip: nobody knows which columns are personal: there is no result of analysis_pii
    """
    found = ctx.results.get("analysis_pii")
    wanted = ("personal_columns", "not_looked_at", "tags")
    if found is None or not all(isinstance(found.data.get(key), list) for key in wanted):
        raise Skip(
            "nobody knows which columns are personal: there is no result of analysis_pii",
            "let analysis_pii run in the same run, with a cap on columns that takes all of them",
        )
    return found.data


def pretty(context: dict[str, Any]) -> str:
    """The tree as indented JSON in ASCII."""
    import json

    return json.dumps(context, ensure_ascii=True, indent=1, allow_nan=False) + "\n"
