"""A page of documentation for each plugin: from its manifest, its docstring, and a run on the sample table."""

from __future__ import annotations

import ast
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.core.doi import is_doi
from toolkit.engine.access_matrix import recorded_table
from toolkit.engine.check.subject import run_here
from toolkit.engine.manifest import KernelNeed, Manifest, Param
from toolkit.engine.plan import make_plan
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.report_input import report_of
from toolkit.govern.policy import DEFAULT, PLUGIN_TYPES, load_policy
from toolkit.report.addresses import doi_address
from toolkit.report.column_tables import column_tables
from toolkit.report.escape import code, escape, prose
from toolkit.report.figures import number
from toolkit.report.renderers.markdown_report import derived_text, finding_text
from toolkit.report.text_table import text_table

SAMPLE_ROWS = 20_000
SAMPLE_SEED = 1
_CHUNK_ROWS = 4_096
_INDEX = "README.md"
_MOST_FINDINGS = 3
_MOST_COLUMNS = 8
_LEADS = ("What it finds", "Method", "Cost", "Caps", "What it does not do")
"""Words with which a docstring's paragraphs may begin."""
_CITED = re.compile(r"([^\s.;,][^;]*?\(\d{4}\))[^;]*?\bdoi:(10\.\d{4,9}/\S+?)[.,;]*(?=\s|$)")


def plugin_pages(manifests: Mapping[str, Manifest], work: Path | None = None) -> dict[str, bytes]:
    """The pages of all plugins and their index, by file name.

    Parameters
    ----------
    manifests : mapping of str to Manifest
        The plugins.
    work : Path, optional
        Folder for the sample table; a temporary one by default.

    Returns
    -------
    dict of str to bytes
        Markdown; the same on every machine of one kind.
    """
    if work is None:
        with tempfile.TemporaryDirectory(prefix="toolkit-docs-") as folder:
            return plugin_pages(manifests, Path(folder))
    dataset = recorded_table(work, SAMPLE_ROWS, SAMPLE_SEED, _CHUNK_ROWS)
    policy = load_policy(DEFAULT)
    runs = run_here(make_plan(dataset, dict(manifests), list(manifests), policy), dataset, work)
    report = report_of(dataset, runs.values(), policy)
    pages = {_INDEX: index_page(manifests)}
    for name, manifest in sorted(manifests.items()):
        blocks = [page_head(manifest), *_example(manifest, runs[name], report), *_references(manifest), _FOOT]
        pages[f"{name}.md"] = "\n\n".join(blocks) + "\n"
    return {name: text.encode() for name, text in pages.items()}


def stale_pages(pages: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Files in a folder that are not what they should be, that are missing, or whose plugin is gone."""
    wrong = [folder / name for name, content in pages.items() if _content(folder / name) != content]
    return sorted([*wrong, *left_over(pages, folder)])


def left_over(pages: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Pages of plugins that are gone."""
    return sorted(path for path in folder.glob("*.md") if path.name not in pages)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def index_page(manifests: Mapping[str, Manifest]) -> str:
    """The list of all plugins, by type."""
    blocks = ["# Plugins", _INDEX_HEAD]
    for plugin_type in PLUGIN_TYPES:
        found = [m for _, m in sorted(manifests.items()) if m.type == plugin_type]
        if found:
            rows = [f"| [`{m.id}`]({m.id}.md) | {escape(m.summary)} |" for m in found]
            blocks += [f"## {_TITLES[plugin_type]}", "\n".join(["| plugin | |", "| :-- | :-- |", *rows])]
    return "\n\n".join(blocks) + "\n"


_TITLES = {
    "profile": "Profiles", "planner": "Planners", "transform": "Transforms", "analysis": "Analyses",
    "report": "Reports", "llm": "Language models",
}  # fmt: skip
_INDEX_HEAD = f"""\
What comes with the toolkit. Every plugin works on every row. `python -m toolkit.run STORE --plugins ID` runs one, with
what it depends on; [the guide](../plugin-guide.md) says how to write another. What becomes of findings stands in
[the report](../report.md), what each reads in [how plugins get at the rows](../plugin_data_access_matrix.md).

Written by `scripts/plugin_docs.py` from manifests, docstrings and a run on the [sample table](../sample-table.md)
({SAMPLE_ROWS:,} rows, seed {SAMPLE_SEED}); do not edit."""
_FOOT = "---\n\nWritten by `scripts/plugin_docs.py`; do not edit. [All plugins](README.md)"


def page_head(manifest: Manifest) -> str:
    """What a page says before the example: all that needs no run."""
    said, _ = described(_source(manifest))
    blocks = [f"# {manifest.id}", *said, "## Facts", _facts(manifest)]
    if manifest.params:
        blocks += ["## Parameters", _set(manifest), _params(manifest.params)]
    return "\n\n".join([*blocks, "## Example"])


def _source(manifest: Manifest) -> str:
    return (manifest.folder / "plugin.py").read_text("utf-8")


def described(source: str) -> tuple[list[str], dict[str, str]]:
    r"""What a module's docstring says, as paragraphs of Markdown, and the works that it cites, by DOI.

    Examples
    --------
    >>> described('\"\"\"a: of it.\n\nCost. Of ``n``.\n\nReferences\n----------\nStudent (1908), doi:10.1/2.\n\"\"\"')
    (['Of it.', '**Cost.** Of `n`.'], {})
    """
    text = ast.get_docstring(ast.parse(source)) or ""
    said, _, references = text.partition("\nReferences\n----------\n")
    title, *paragraphs = (" ".join(p.split()) for p in said.split("\n\n"))
    title = title.partition(": ")[2] or title
    out = [title[:1].upper() + title[1:]]
    for paragraph in paragraphs:
        lead = next((lead for lead in _LEADS if paragraph.startswith(f"{lead}. ")), None)
        shown = paragraph.replace("``", "`")
        out.append(shown if lead is None else f"**{lead}.**{shown[len(lead) + 1 :]}")
    cited = {match[2]: match[1] for match in _CITED.finditer(" ".join(references.split()))}
    return out, {doi: work for doi, work in cited.items() if is_doi(doi)}


def _facts(manifest: Manifest) -> str:
    rows = [(name, value) for name, value in _stated(manifest) if value]
    return "\n".join(["| | |", "| :-- | :-- |", *(f"| {name} | {value} |" for name, value in rows)])


def _stated(manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield "type, version", f"{manifest.type}, {manifest.version}"
    yield "columns", ", ".join(manifest.columns)
    yield "requires", ", ".join(map(str, manifest.requires))
    yield "depends on", ", ".join(f"`{name}`" for name in manifest.depends_on)
    yield "runs on the table of", f"`{manifest.table}`" if manifest.table else ""
    yield "[kernels](../kernels.md)", ", ".join(dict.fromkeys(map(_kernel, manifest.kernels)))
    yield "cost", _cost(manifest.cost)
    yield "memory beyond a chunk", f"{manifest.memory / 2**20:,.0f} MiB" if manifest.memory else ""
    caps = manifest.caps.caps.items() if manifest.caps else ()
    yield "caps of its own", ", ".join(f"`{cap}` {'none' if value is None else f'{value:,}'}" for cap, value in caps)
    yield "family of its tests", manifest.family


def _kernel(need: KernelNeed) -> str:
    params = ", ".join(f"{name} {value}" for name, value in need.params.items())
    return f"`{need.kernel}`{f' ({params})' if params else ''}"


def _cost(cost: Mapping[str, float]) -> str:
    """A manifest's cost as a product.

    Examples
    --------
    >>> _cost({"rows": 1, "columns": 2, "ns": 5}), _cost({})
    ('5 ns × rows × columns^2', '')
    """
    powers = [f"{unit}{'' if power == 1 else f'^{power:g}'}" for unit, power in cost.items() if unit != "ns" and power]
    return " × ".join([f"{cost.get('ns', 1):,.10g} ns", *powers]) if cost else ""


def _set(manifest: Manifest) -> str:
    first = manifest.params[0]
    value = f'"{manifest.id}": {{"{first.name}": {first.default!r}}}'
    return f"Set from Python: `toolkit.api.run_plugins(store, params={{{value}}})`."


def _params(params: Sequence[Param]) -> str:
    rows = []
    for param in params:
        bounds = ", ".join(map(str, param.choices))
        if param.minimum is not None or param.maximum is not None:
            ends = ("" if end is None else f"{end:,.10g}" for end in (param.minimum, param.maximum))
            bounds = " to ".join(ends).strip()
        default = f"{param.default!r}" if isinstance(param.default, str) else f"{param.default}"
        rows.append(f"| `{param.name}` | {param.type} | {escape(default)} | {escape(bounds)} | {escape(param.help)} |")
    return "\n".join(["| name | type | default | bounds | |", "| :-- | :-- | :-- | :-- | :-- |", *rows])


def _example(manifest: Manifest, run: PluginRun, report: Mapping[str, Any]) -> list[str]:
    table = f"the [sample table](../sample-table.md) of {SAMPLE_ROWS:,} rows (`--seed {SAMPLE_SEED}`)"
    if run.status != "ok":
        return [f"On {table} it is {run.status.replace('_', ' ')}: {prose(run.reason)}"]
    out = []
    if manifest.type == "profile":
        shown = report["columns"][:_MOST_COLUMNS]
        out += [f"The first {len(shown)} columns of {table}:", column_tables(shown, report["dataset"]["rows"])[1]]
    for made in (d for d in report["derived"] if d["plugin"] == manifest.id):
        _, _, columns = derived_text(made).partition("\n")
        out += [f"Columns that it makes of {table}:", "\n".join(line[2:] for line in columns.splitlines())]
    out += _data(manifest, run, table)
    found = [f for f in report["findings"] if f["plugin"] == manifest.id]
    if found:
        first = _of_different_kinds(found)[:_MOST_FINDINGS]
        some = (
            f"{number(len(first))} of its {number(len(found))} findings" if len(first) < len(found) else "Its findings"
        )
        out += [f"{some} on {table}:", "\n".join(f"{i}. {finding_text(f)}" for i, f in enumerate(first, 1))]
    return out or [f"On {table} it finds nothing."]


def _of_different_kinds(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings with the first of each kind before all others."""
    kinds: set[str] = set()
    ranked = []
    for place, finding in enumerate(findings):
        ranked.append((finding["kind"] in kinds, place, finding))
        kinds.add(finding["kind"])
    return [finding for _, _, finding in sorted(ranked, key=lambda entry: entry[:2])]


def _data(manifest: Manifest, run: PluginRun, table: str) -> list[str]:
    """What planners and reports have in place of findings."""
    data = run.decoded().data
    if manifest.type == "planner":
        rows = [[entry["id"], entry["reason"]] for entry in data["plugins"]]
        return [f"Its plan for {table}:", text_table(["plugin", "why"], rows, right=[], widest=[40, 200])]
    if manifest.type == "report":
        return [f"Files that it writes: {', '.join(map(code, data['files']))}."]
    return []


def _references(manifest: Manifest) -> list[str]:
    _, cited = described(_source(manifest))
    lines = []
    for doi in dict.fromkeys([*manifest.references, *cited]):
        work = f"{escape(cited[doi])}, " if doi in cited else ""
        lines.append(f"- {work}<{doi_address(doi)}>")
    return ["## References", "\n".join(lines)] if lines else []
