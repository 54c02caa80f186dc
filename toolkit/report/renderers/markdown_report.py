"""report.md: the report to be read, in a terminal or rendered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from toolkit.report.addresses import doi_address
from toolkit.report.column_tables import column_tables
from toolkit.report.coverage import rows_read
from toolkit.report.escape import code, escape, prose
from toolkit.report.figures import number, probability
from toolkit.report.ranking import lead_and_others
from toolkit.report.text_table import cut

_MOST_RANGES = 8
_MOST_NAMES = 8
_KEY_SHOWN = 12


class MarkdownRenderer:
    """GitHub-flavoured Markdown; text that comes from the data is escaped."""

    name: ClassVar[str] = "markdown"
    filename: ClassVar[str] = "report.md"

    def render(self, report: Mapping[str, Any]) -> bytes:
        """See `toolkit.report.renderer.Renderer`."""
        blocks = [
            *_head(report),
            *_findings(report["findings"]),
            *column_tables(report["columns"], report["dataset"]["rows"]),
            *_plugins(report["plugins"]),
            *_derived(report["derived"]),
            *_omitted(report["omitted"]),
            *_references(report["references"]),
        ]
        return ("\n\n".join(blocks) + "\n").encode("utf-8", "backslashreplace")


def _head(report: Mapping[str, Any]) -> list[str]:
    dataset, plugins = report["dataset"], report["plugins"]
    ok = sum(p["status"] == "ok" for p in plugins)
    rest = {s: sum(p["status"] == s for p in plugins) for s in ("skipped", "failed", "timed_out")}
    said = "".join(f", {n} {status.replace('_', ' ')}" for status, n in rest.items() if n)
    hashes = [code(dataset[which][:16]) for which in ("data_hash", "schema_hash")]
    facts = [
        f"- **Table** {number(dataset['rows'])} rows, {number(len(report['columns']))} columns",
        f"- **Store** {code(dataset['key'])}, data {hashes[0]}…, schema {hashes[1]}…",
        f"- **Plugins** {ok} of {len(plugins)} done{said}",
        f"- **Coverage** {_coverage_line(plugins, dataset['rows'])}",
        *_tests(report["discovery"]),
    ]
    return ["# Report", "\n".join(facts)]


def _coverage_line(plugins: Sequence[Mapping[str, Any]], rows: int) -> str:
    read, partial = rows_read(plugins, rows)
    if not read:
        return "no plugin that was done says how many rows it read"
    if not partial:
        return f"all {number(rows)} rows were read, none sampled"
    listed = ", ".join(f"{code(p['id'])} {number(p['coverage']['rows'])}" for p in partial)
    return f"not all of the {number(rows)} rows were read by: {listed}"


def _tests(account: Mapping[str, Any]) -> list[str]:
    """What became of the hypotheses; nothing where none was tested."""
    if not account["n_tests"]:
        return []
    tested, kept = account["tested"], account["kept"]
    handed = "1 finding" if tested == 1 else f"{number(tested)} findings"
    line = f"- **Tests** {number(account['n_tests'])} hypotheses, {handed} of which {number(kept)} "
    line += f"{'is' if kept == 1 else 'are'} kept at a false discovery rate of {account['rate']:.2g}"
    dropped = [f"{number(d['count'])} of {code(d['plugin'])}: {prose(d['reason'])}" for d in account["dropped"]]
    return [f"{line}; dropped: {', '.join(dropped)}" if dropped else line]


def _findings(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    if not findings:
        return ["## Findings", "None."]
    items = []
    for number_, (lead, others) in enumerate(lead_and_others(findings), start=1):
        items.append(f"{number_}. {finding_text(findings[lead])}")
        items += [f"   - {finding_text(findings[place], 5)}" for place in others]
    return [f"## Findings ({number(len(findings))})", "\n".join(items)]


def finding_text(finding: Mapping[str, Any], indent: int = 3) -> str:
    """A finding as an item of a list whose mark takes so many characters."""
    names = finding["columns"]
    lines = [f"**{escape(finding['kind'].replace('_', ' '))}**: {prose(finding['sentence'], names)}"]
    if finding["recommendation"]:
        lines.append(f"To do: {prose(finding['recommendation'], names)}")
    return f"  \n{' ' * indent}".join([*lines, _finding_foot(finding)])


def _finding_foot(finding: Mapping[str, Any]) -> str:
    parts = []
    for what in ("rows", "chunks"):
        ranges = finding["evidence"].get(what)
        if isinstance(ranges, list) and ranges:
            more = "" if len(ranges) <= _MOST_RANGES else " …"
            parts.append(f"{what} {', '.join(_range(r) for r in ranges[:_MOST_RANGES])}{more}")
    if finding["table"]:
        parts.append(f"of the derived table {code(finding['table'][:_KEY_SHOWN])}")
    if finding["q_value"] is not None:
        parts.append(f"q {probability(finding['q_value'])}")
    if finding["log10_p"] is not None:
        parts.append(f"p {probability(10.0 ** finding['log10_p'])}")
    if finding["also_found_by"]:
        parts.append(f"also found by {', '.join(map(code, finding['also_found_by']))}")
    return "; ".join([*parts, f"{code(finding['plugin'])} {code(finding['id'])}"])


def _range(value: Any) -> str:
    if isinstance(value, list) and len(value) == 2:
        first, last = value
        return number(first) if first == last else f"{number(first)} to {number(last)}"
    return escape(number(value))


def _plugins(plugins: Sequence[Mapping[str, Any]]) -> list[str]:
    if not plugins:
        return []
    lines = []
    for plugin in plugins:
        reason = f": {prose(plugin['reason'])}" if plugin["reason"] else ""
        status = plugin["status"].replace("_", " ")
        lines.append(f"- {code(plugin['id'])} {escape(str(plugin['version']))}, {status}{reason}")
        lines[-1] += _read(plugin["coverage"])
    return ["## Plugins", "\n".join(lines)]


def _derived(derived: Sequence[Mapping[str, Any]]) -> list[str]:
    if not derived:
        return []
    return ["## Derived tables", "\n".join(map(derived_text, derived))]


def derived_text(table: Mapping[str, Any]) -> str:
    """A derived table as an item of a list."""
    made = [c for c in table["columns"] if not c["kept"]]
    kept = len(table["columns"]) - len(made)
    facts = f"{number(table['rows'])} rows, {number(kept)} columns kept, {number(len(made))} made"
    key, parent = (code(table[which][:_KEY_SHOWN]) for which in ("key", "parent"))
    lines = [f"- {key} by {code(table['plugin'])} from {parent}: {facts}"]
    for column in made[:_MOST_NAMES]:
        of = ", ".join(code(cut(name, 40)) for name in column["of"])
        lines.append(
            f"  - {code(cut(column['name'], 40))} ({column['kind']}) of {of or 'the rows'}: {prose(column['how'])}"
        )
    if len(made) > _MOST_NAMES:
        lines.append(f"  - and {number(len(made) - _MOST_NAMES)} more")
    return "\n".join(lines)


def _read(coverage: Mapping[str, Any]) -> str:
    """Say what a plugin read and tested, as far as its coverage says so."""
    parts = []
    if isinstance(coverage.get("rows"), int):
        of = f" of {number(coverage['of_rows'])}" if isinstance(coverage.get("of_rows"), int) else ""
        columns = f" of {number(coverage['columns'])} columns" if isinstance(coverage.get("columns"), int) else ""
        parts.append(f"read {number(coverage['rows'])}{of} rows{columns}")
    units = coverage.get("units")
    for unit, found in sorted(units.items()) if isinstance(units, dict) else ():
        if found["evaluated"] < found["requested"]:
            parts.append(f"evaluated {number(found['evaluated'])} of {number(found['requested'])} {unit}")
    if isinstance(coverage.get("n_tests"), int):
        parts.append(f"tested {number(coverage['n_tests'])} hypotheses")
    return f"; {', '.join(parts)}" if parts else ""


def _omitted(omitted: Sequence[Mapping[str, Any]]) -> list[str]:
    if not omitted:
        return ["## Left out", "Nothing."]
    lines = []
    for entry in omitted:
        line = f"- {code(entry['plugin'])}: {prose(str(entry['what']))}"
        if entry.get("rule"):
            line += f"; kept: {prose(str(entry['rule']))}"
        names = entry.get("left_out")
        if isinstance(names, list) and names:
            more = " …" if len(names) > _MOST_NAMES else ""
            line += f"; left out: {', '.join(code(cut(str(n), 40)) for n in names[:_MOST_NAMES])}{more}"
        if entry.get("restore"):
            line += f"; to have it all: {code(str(entry['restore']))}"
        lines.append(line)
    return ["## Left out", "\n".join(lines)]


def _references(references: Sequence[Mapping[str, Any]]) -> list[str]:
    if not references:
        return []
    lines = [f"- <{doi_address(r['doi'])}> ({', '.join(code(user) for user in r['used_by'])})" for r in references]
    return ["## References", "\n".join(lines)]


PROVIDES = MarkdownRenderer()
