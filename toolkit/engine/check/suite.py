"""The checks by name, and all of them on one plugin."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.errors import ToolkitError
from toolkit.engine.check.laws import law_problems
from toolkit.engine.check.source import doctest_problems, source_problems
from toolkit.engine.check.subject import Subject, differences
from toolkit.engine.check.tables import as_store, awkward_tables
from toolkit.engine.manifest import Manifest
from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.policy import Policy
from toolkit.govern.rules import Origin, Rule
from toolkit.plugin.budget import CAPS, MACHINE_CAPS

_LONGEST_SUMMARY = 120
_TIGHT = dict.fromkeys((c for c in CAPS if c not in MACHINE_CAPS), 1)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a plugin does not hold.

    Attributes
    ----------
    check : str
        Name of the check.
    text : str
        What is wrong.
    """

    check: str
    text: str


def check_plugin(
    manifest: Manifest, others: Mapping[str, Manifest], names: Iterable[str] = (), work: Path | None = None
) -> list[Problem]:
    """Try a plugin.

    Parameters
    ----------
    manifest : Manifest
        The plugin.
    others : mapping of str to Manifest
        Further plugins, for those that it depends on.
    names : iterable of str
        Names in `CHECKS`; all when empty.
    work : Path, optional
        Folder for the stores of the tables; a temporary one by default.

    Returns
    -------
    list of Problem
        Empty when it holds all.
    """
    if work is None:
        with tempfile.TemporaryDirectory(prefix="toolkit-check-") as folder:
            return check_plugin(manifest, others, names, Path(folder))
    subject = Subject(manifest, others, work)
    problems: list[Problem] = []
    for name in names or CHECKS:
        try:
            problems += [Problem(name, text) for text in CHECKS[name](subject)]
        except ToolkitError as error:
            problems.append(Problem(name, error.message))
        except Exception as error:  # noqa: BLE001  whatever a plugin raises is what is to be found
            problems.append(Problem(name, f"{type(error).__name__}: {error}"))
    return problems


def _manifest(subject: Subject) -> Iterator[str]:
    manifest = subject.manifest
    if len(manifest.summary.splitlines()) != 1 or len(manifest.summary) > _LONGEST_SUMMARY:
        yield f"summary must be one line of at most {_LONGEST_SUMMARY} characters"
    for param in manifest.params:
        if not param.help:
            yield f"parameter {param.name!r} has no help"


def _source(subject: Subject) -> Iterator[str]:
    yield from source_problems(subject.manifest)


def _examples(subject: Subject) -> Iterator[str]:
    yield from doctest_problems(subject.manifest)


def _chunk_sizes(subject: Subject) -> Iterator[str]:
    """The same result for any chunk size, one row included."""
    whole = subject.run(subject.mixed())
    yield from _ending("the mixed table", whole)
    for rows in (1, 4):
        other = subject.run(subject.mixed(rows))
        found = _compare(whole, other, exact=False)
        if found:
            yield f"chunks of {rows} rows give another result than one chunk: {found}"


def _splits(subject: Subject) -> Iterator[str]:
    """The same bytes however the chunks are split over tasks."""
    dataset = subject.mixed(2)
    whole = subject.run(dataset)
    yield from _ending("the mixed table in chunks of two rows", whole)
    for chunks in (1, 3, 5):
        other = subject.run(dataset, partition_chunks=chunks)
        if other.result != whole.result:
            found = _compare(whole, other, exact=True) or "the encoded bytes differ"
            yield f"partitions of {chunks} chunks give another result than one partition: {found}"


def _repeats(subject: Subject) -> Iterator[str]:
    """The same bytes when it is run again."""
    first, second = subject.run(subject.mixed(4)), subject.run(subject.mixed(4))
    if first.result != second.result:
        yield f"a second run gives another result: {_compare(first, second, exact=True)}"


def _awkward(subject: Subject) -> Iterator[str]:
    """Ends well, or is skipped with a reason, on tables that have next to nothing in them."""
    runs = [("the mixed table", subject.run(subject.mixed(4)))]
    for name, table in awkward_tables().items():
        runs.append((f"a table of {name}", subject.run(as_store(table, subject.work))))
    for name, run in runs:
        yield from _ending(name, run)


def _ending(table: str, run: PluginRun) -> Iterator[str]:
    if run.status not in ("ok", "skipped"):
        yield f"on {table} it ends as {run.status}: {run.reason}"
    if run.status == "skipped" and not run.reason:
        yield f"on {table} it is skipped without a reason"


def _caps(subject: Subject) -> Iterator[str]:
    """Ends well under the tightest budget, and still reads every row."""
    origins = {cap: Origin("check", 1, "the tightest budget") for cap in _TIGHT}
    # For all, and once more by the plugin's very id, as its own manifest would win over the first.
    rules = [Rule("the tightest budget", None, (), ids, dict(_TIGHT), origins) for ids in ((), (subject.manifest.id,))]
    run = subject.run(subject.mixed(4), Policy(rules=tuple(rules)))
    if run.status not in ("ok", "skipped"):
        yield f"with every cap at 1 it ends as {run.status}: {run.reason}"
    coverage = run.decoded().coverage
    if not coverage.get("complete", True):
        yield "with every cap at 1 it does not read every row of the columns that it takes"


def _references(subject: Subject) -> Iterator[str]:
    """Who tests hypotheses says by which method."""
    run = subject.run(subject.mixed())
    if run.decoded().n_tests and not run.outcome()["references"]:
        yield "it tests hypotheses, and plugin.yaml has no references"


def _compare(left: PluginRun, right: PluginRun, *, exact: bool) -> str:
    return differences(_content(left), _content(right), exact=exact)


def _content(run: PluginRun) -> dict[str, Any]:
    result = run.decoded()
    findings = [
        {"kind": f.kind, "columns": f.columns, "effect": f.effect, "log10_p": f.log10_p} for f in result.findings
    ]
    return {
        "status": run.status,
        "reason": run.reason,
        "data": result.data,
        "findings": findings,
        "n_tests": result.n_tests,
    }


CHECKS: dict[str, Callable[[Subject], Iterator[str]]] = {
    "manifest": _manifest,
    "source": _source,
    "examples": _examples,
    "laws": law_problems,
    "chunk sizes": _chunk_sizes,
    "splits": _splits,
    "repeats": _repeats,
    "awkward tables": _awkward,
    "caps": _caps,
    "references": _references,
}
"""Every check by name."""
