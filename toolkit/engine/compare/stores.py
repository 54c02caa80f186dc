"""The comparison of two stores as one plain tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from toolkit.core.schema import TIME_KINDS, ColumnSpec
from toolkit.engine.compare.drift import distances, only_in, tests_of
from toolkit.engine.compare.states import States
from toolkit.engine.compare.tables import Pair, Side, pair_of, requests_for
from toolkit.engine.compare.wording import MEASURES, PLUGIN, Seen, category_findings, drift_findings, schema_findings
from toolkit.engine.results import ResultStore
from toolkit.govern.discovery import DEFAULT_CONTROL, DiscoveryControl
from toolkit.govern.policy import Policy
from toolkit.report.findings import reported_findings
from toolkit.report.plain import plain_tree
from toolkit.storage.dataset import Dataset

COMPARISON_VERSION = "1.0"
_MOST_LISTED = 20


def compare_datasets(
    first: Dataset,
    second: Dataset,
    *,
    kept: tuple[ResultStore | None, ResultStore | None] = (None, None),
    policy: Policy | None = None,
    control: DiscoveryControl = DEFAULT_CONTROL,
    scanned: dict[str, set[str]] | None = None,
) -> dict[str, Any]:
    """Compare two tables column by column.

    Parameters
    ----------
    first, second : Dataset
        The stores, such as last month's load and this month's.
    kept : tuple of ResultStore or None
        Kernels' states of earlier runs; only what they don't have is scanned.
    policy : Policy, optional
        How much memory a scan may take.
    control : DiscoveryControl
        The share of tested findings that may be false.
    scanned : dict of str to set of str, optional
        Filled with the columns of either store (``first``, ``second``) that had to be read. It hangs on what was kept,
        and is no part of the result.

    Returns
    -------
    dict
        ``first`` and ``second``, ``columns``, ``findings`` (as in report.json), ``discovery`` and ``references``. The
        same for the same two contents, whatever was kept and however the stores are cut.
    """
    states = [States(d, k, policy or Policy()) for d, k in zip((first, second), kept, strict=True)]
    changes = [_change(name, first, second) for name in _names(first, second)]
    shared = [c["name"] for c in changes if c["in"] == "both" and len(c["kinds"]) == 1]
    known = [s.answer(r for n in shared for r in requests_for(s.dataset.schema[n])) for s in states]
    raw = schema_findings(changes)
    columns, n_tests = [], 0
    for change in changes:
        entry: dict[str, Any] = {"first": None, "second": None, "stability_index": None, "ks_distance": None}
        entry |= {"tests": [], "new": [], "gone": [], **change}
        if change["name"] in shared:
            pair = pair_of(change["name"], states[0], states[1], known)
            found, tested = _column(pair, first.schema[pair.name], entry)
            raw += found
            n_tests += tested
        columns.append(entry)
    if scanned is not None:
        scanned |= {"first": states[0].scanned, "second": states[1].scanned}
    outcome = {"id": PLUGIN, "status": "ok", "findings": raw, "n_tests": n_tests}
    findings, account = reported_findings([outcome], [c["name"] for c in columns], {}, control)
    return {
        "comparison_version": COMPARISON_VERSION,
        "first": _store(first),
        "second": _store(second),
        "same_data": first.manifest.data_hash == second.manifest.data_hash,
        "columns": plain_tree(columns, rounded=True),
        "discovery": account,
        "findings": findings,
        "references": sorted({doi for finding in findings for doi in finding["references"]}),
    }


def _names(first: Dataset, second: Dataset) -> list[str]:
    """The second store's columns in their order, and those that only the first has."""
    return [*second.schema.names, *(n for n in first.schema.names if n not in second.schema.names)]


def _change(name: str, first: Dataset, second: Dataset) -> dict[str, Any]:
    specs = [d.schema[name] for d in (first, second) if name in d.schema.names]
    where = "both" if len(specs) == 2 else "first" if name in first.schema.names else "second"
    kinds = list(dict.fromkeys(_kind(spec) for spec in specs))
    return {"name": name, "in": where, "kinds": kinds}


def _kind(spec: ColumnSpec) -> str:
    """What has to be equal for values to be comparable, in words."""
    scale = str(spec.scale) if spec.kind == "decimal" else ""
    encoding = "long" if spec.encoding == "long" and spec.kind == "decimal" else ""
    return " ".join(filter(None, [spec.kind, spec.unit, spec.timezone, spec.measure, scale, encoding]))


def _column(pair: Pair, spec: ColumnSpec, entry: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """Fill in what is told of a column; its findings, and how many tests were made."""
    sides = (pair.first, pair.second)
    summaries = [{k: _value(v, spec) for k, v in side.summary.items()} for side in sides]
    new, gone = only_in(pair.second, pair.first), only_in(pair.first, pair.second)
    tests, sizes = tests_of(pair), distances(pair)
    entry |= {name: _side(side, s) for name, side, s in zip(("first", "second"), sides, summaries, strict=True)}
    entry |= sizes
    entry["tests"] = [{**asdict(t), "measure": MEASURES[t.what], "interval": list(t.interval)} for t in tests]
    for what, absent, side in (("new", new, pair.second), ("gone", gone, pair.first)):
        of = sum(side.labels.values())
        entry[what] = [{"value": v, "count": n, "share": n / of} for v, n in absent[:_MOST_LISTED]]
    found = [*category_findings(pair, new, gone), *drift_findings(pair, tests, Seen(summaries, sizes))]
    return found, len(tests)


def _side(side: Side, summary: Mapping[str, Any]) -> dict[str, Any]:
    rows, missing = int(side.rows.sum()), int(side.missing.sum())
    labels = {"categories": len(side.labels)} if side.labels else {}
    return {"rows": rows, "count": rows - missing, "missing": missing, **labels, **summary}


def _value(value: Any, spec: ColumnSpec) -> Any:
    """A stored value as a person reads it: moments as ISO 8601, times of day and durations in seconds."""
    if value is None or spec.kind not in TIME_KINDS:
        return value
    if spec.kind in ("time", "duration"):
        return int(value) / {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[spec.unit]
    return str(np.int64(value).view(f"datetime64[{spec.unit}]")) + ("Z" if spec.timezone else "")


def _store(dataset: Dataset) -> dict[str, Any]:
    manifest = dataset.manifest
    names: Sequence[str] = ("key", "rows", "chunk_rows", "data_hash", "schema_hash")
    return {**{name: getattr(manifest, name) for name in names}, "columns": len(dataset.schema)}
