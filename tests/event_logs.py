"""Event logs for tests: random ones, and what a dictionary counts in them."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tests.memory_store import memory_dataset
from toolkit.engine.check.subject import run_here
from toolkit.engine.discovery import discover
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plan import make_plan, requests_of
from toolkit.engine.plugin_run import PluginRun
from toolkit.govern.policy import Policy
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs
from toolkit.plugin.context import kernel_key
from toolkit.storage.dataset import Dataset

STEPS = ("create", "check", "approve", "ship", "pay", "close")
EPOCH = 1_700_000_000_000_000


def random_log(seed: int, cases: int = 60, kind: str = "text", *, missing: bool = True) -> dict[str, Any]:
    """Columns ``case``, ``activity`` and ``at`` of a process with loops and skips, rows shuffled, some values missing.

    Parameters
    ----------
    seed : int
        Of the log.
    cases : int
        How many.
    kind : str
        ``text`` for names with one that is "NA", ``int``, or ``long`` for long texts that differ late.
    missing : bool
        Whether some rows lack a value.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[Any, str | None, int | None]] = []
    for number in range(cases):
        name: Any = {
            "text": "NA" if number == 3 else f"order {number * 7919 % 1000}",
            "int": number * 7919 % 1000 - 300,
            "long": f"urn:process:instance:of:the:year:{'x' * (number % 40)}:{number}",
        }[kind]
        at = int(rng.integers(0, 40_000_000))
        position = 0
        while position < len(STEPS):
            rows.append((name, STEPS[position], EPOCH + at))
            at += int(rng.integers(0, 4)) * 1_000_000
            position = max(0, position + int(rng.choice([1, 1, 1, 1, 2, -1])))
    order = rng.permutation(len(rows))
    columns: dict[str, list[Any]] = {
        key: [rows[i][k] for i in order] for k, key in enumerate(("case", "activity", "at"))
    }
    if missing:
        for values in columns.values():
            for i in rng.integers(0, len(rows), 4).tolist():
                values[i] = None
    times = np.array([np.datetime64("NaT") if t is None else t for t in columns["at"]], "M8[us]")
    return {"case": columns["case"], "activity": columns["activity"], "at": times}


def log_table(columns: dict[str, Any], chunk_rows: int = 64) -> Dataset:
    """The log as a table; activities are coded, as `convert` would have them."""
    text = {n: "long" if "urn" in str(v[0]) else "coded" for n, v in columns.items() if n in ("case", "activity")}
    text["activity"] = "coded"
    return memory_dataset(columns, chunk_rows, encodings=text)


def counted(columns: dict[str, Any]) -> dict[str, Any]:
    """Cases, events, variants and the like by brute force, in the order of time and row."""
    traces = traces_of(columns)
    variants = Counter(tuple(a for _, _, a in t) for t in traces.values())
    steps = [(p, q) for t in traces.values() for p, q in pairwise(t)]
    return {
        "cases": len(traces),
        "events": sum(map(len, traces.values())),
        "variants": len(variants),
        "activities": len({a for t in traces.values() for _, _, a in t}),
        "tied_events": sum(p[0] == q[0] for p, q in steps),
        "repeated_events": sum(p[0] == q[0] and p[2] == q[2] for p, q in steps),
        "displaced_events": sum(p[1] > q[1] for p, q in steps),
        "top": sorted(variants.values(), reverse=True),
        "firsts": Counter(t[0][2] for t in traces.values()),
        "lasts": Counter(t[-1][2] for t in traces.values()),
        "durations": sorted(t[-1][0] - t[0][0] for t in traces.values()),
        "follows": Counter((p[2], q[2]) for p, q in steps),
    }


def traces_of(columns: dict[str, Any]) -> dict[Any, list[tuple[int, int, str]]]:
    """Time, row and activity of the events of each case, in order."""
    traces: dict[Any, list[tuple[int, int, str]]] = {}
    names = ("case", "activity", "at")
    for row, (case, activity, at) in enumerate(zip(*(columns[n] for n in names), strict=True)):
        if case is not None and activity is not None and not np.isnat(at):
            traces.setdefault(case, []).append((int(at.astype(np.int64)), row, activity))
    return {case: sorted(events) for case, events in traces.items()}


def results_of(
    dataset: Dataset,
    work: Path,
    plugin: str,
    params: dict[str, Any] | None = None,
    policy: Policy | None = None,
    folders: tuple[Path, ...] = (),
) -> dict[str, PluginRun]:
    """Run a plugin, and all that it needs, in this process: transforms derive their tables."""
    manifests = discover(tuple(folders))
    given = {plugin: params} if params else None
    plan = make_plan(dataset, manifests, [plugin], policy or Policy(), given)
    kept = [p for p in plan.plugins if p.manifest.type not in ("report", "llm")]
    plan = make_plan(dataset, {p.manifest.id: p.manifest for p in kept}, [plugin], policy or Policy(), given)
    return run_here(plan, dataset, work)


def context_of(folder: Path, dataset: Dataset, scratch: Path | None = None, **given: Any) -> Context:
    """What a plugin sees of a table, with the kernels that its manifest asks for."""
    manifest = load_manifest(folder)
    asked = [r for need in manifest.kernels for r in requests_of(need, manifest, dataset.schema, Budget())[0]]
    results = compute(dataset, asked)
    kernels = {kernel_key(r.kernel, r.columns, r.params): results[r.key] for r in asked}
    inputs = Inputs(manifest.id, manifest.columns, {**manifest.param_defaults, **given}, kernels=dict(kernels))
    inputs.scratch = scratch
    return Context(dataset, inputs)
