"""What a run is going to do: which plugins, in which order, on which columns, with which budget and kernels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from toolkit.core.code import code_digest
from toolkit.core.errors import UsageError
from toolkit.core.schema import Schema
from toolkit.engine.manifest import KernelNeed, Manifest, problem_with
from toolkit.engine.requires import unmet
from toolkit.engine.work import unit_counts, work_units
from toolkit.govern.policy import PLUGIN_TYPES, Policy
from toolkit.govern.rules import Origin
from toolkit.govern.safe_yaml import fault
from toolkit.kernels.base import KernelRequest, kernels
from toolkit.plugin.budget import Budget
from toolkit.plugin.selection import Omission, select_columns, select_pairs
from toolkit.storage.dataset import Dataset

_WAITS_FOR = {
    "profile": (),
    "planner": ("profile",),
    "transform": ("planner",),
    "analysis": ("planner", "transform"),
    "report": ("profile", "planner", "transform", "analysis"),
    "llm": ("profile", "planner", "transform", "analysis", "report"),
}
"""Types that are through before a plugin of a type begins, whatever it depends on by name."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One plugin of a run.

    Attributes
    ----------
    manifest : Manifest
        The plugin.
    digest : str
        Of its code.
    params : dict
        Values of its parameters.
    budget : Budget
        Its caps.
    origins : dict of str to Origin
        Where each cap was set.
    columns : list of str
        Columns that it takes.
    requests : list of (KernelNeed, KernelRequest)
        Kernels that it needs.
    omitted : list of dict
        What caps left out.
    units : dict of str to int
        Rows, columns, pairs, groups and windows that it meets at most; see `toolkit.engine.work`.
    assumed_rows : int or None
        Rows that its budget is for, where they are not the table's own.
    waits_for : list of str
        Plugins that have to end before it begins.
    needs : list of str
        Those of them without whose result it can't run.
    sees : list of str
        Those whose results it is given.
    skip : str
        Why it does not apply; empty when it does.
    refused : bool
        Whether that is because it needs more memory than the policy allows.
    deferred : bool
        Whether the table that it runs on has still to be made, so that its columns and kernels are not known.
    """

    manifest: Manifest
    digest: str
    params: dict[str, Any]
    budget: Budget
    origins: dict[str, Origin]
    columns: list[str] = field(default_factory=list)
    requests: list[tuple[KernelNeed, KernelRequest]] = field(default_factory=list)
    omitted: list[Omission] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    assumed_rows: int | None = None
    waits_for: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    sees: list[str] = field(default_factory=list)
    skip: str = ""
    refused: bool = False
    deferred: bool = False

    @property
    def id(self) -> str:
        """Id of the plugin."""
        return self.manifest.id

    @property
    def work(self) -> float:
        """Work units; 0 where it is skipped."""
        return 0.0 if self.skip else work_units(self.manifest.cost, self.units, self.manifest.passes)

    def to_json(self) -> dict[str, Any]:
        """Plain values for the plan's file."""
        return {
            "id": self.id,
            "type": self.manifest.type,
            "version": self.manifest.version,
            "applies": not self.skip,
            "reason": self.skip or None,
            "code_digest": self.digest,
            "params": self.params,
            "budget": self.budget.to_json(),
            "caps_set_by": {cap: f"{Path(o.source).name}, line {o.line}" for cap, o in sorted(self.origins.items())},
            "takes": list(self.manifest.columns),
            "table": self.manifest.table or None,
            "requires": [str(r) for r in self.manifest.requires],
            "columns": self.columns,
            "kernels": sorted({need.kernel for need, _ in self.requests}),
            "kernel_requests": len(self.requests),
            "passes": self.manifest.passes,
            "work_units": self.work,
            "units": self.units,
            "waits_for": self.waits_for,
            "needs": self.needs,
            "omitted": self.omitted,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts.

    Attributes
    ----------
    store_key : str
        The table.
    rows, columns, chunks : int
        Its size.
    assumed_rows : int or None
        Rows that the budgets are for, where they are not the table's own.
    policy : Policy
        What bounds the run.
    seed : int
        Of random streams.
    plugins : list of Planned
        In the order of their layers.
    layers : list of list of str
        Plugins that may run at the same time, layer after layer.
    """

    store_key: str
    rows: int
    columns: int
    chunks: int
    policy: Policy
    seed: int
    plugins: list[Planned]
    layers: list[list[str]]
    assumed_rows: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values; the same for any number of workers."""
        return {
            "store_key": self.store_key,
            "rows": self.rows,
            "assumed_rows": self.assumed_rows,
            "columns": self.columns,
            "chunks": self.chunks,
            "partition_chunks": self.policy.partition_chunks,
            "sampled": False,
            "seed": self.seed,
            "layers": self.layers,
            "plugins": [p.to_json() for p in self.plugins],
        }


def make_plan(
    dataset: Dataset,
    manifests: Mapping[str, Manifest],
    patterns: Sequence[str],
    policy: Policy,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    assume_rows: int | None = None,
) -> Plan:
    """Plan a run.

    Parameters
    ----------
    dataset : Dataset
        The table.
    manifests : mapping of str to Manifest
        All plugins there are.
    patterns : sequence of str
        Ids, or patterns of ids, of those to run; all when empty. Plugins that they depend on by name come along, and
        so do all of type ``report``.
    policy : Policy
        Caps.
    params : mapping, optional
        Values of parameters by plugin and name.
    seed : int
        Of random streams.
    assume_rows : int, optional
        Budgets and limits are those of a table of so many rows: a rehearsal on a small table.

    Raises
    ------
    UsageError
        When a pattern fits no plugin, or a parameter is wrong.
    BadInputError
        When a manifest depends on a plugin that there is not, on itself, or asks for a kernel that there is not.
    """
    chosen = select(manifests, patterns)
    for plugin in params or {}:
        if plugin not in chosen:
            raise UsageError(f"there are parameters for {plugin!r}, which is not part of this run")
    if assume_rows is not None and assume_rows < 1:
        raise UsageError(f"--assume-rows takes a positive number, not {assume_rows}")
    given = {m.id: {**_roles(m, policy), **(params or {}).get(m.id, {})} for m in chosen.values()}
    plugins = {m.id: _planned(dataset, m, policy, given[m.id], assume_rows) for m in chosen.values()}
    plugins = {key: _linked(p, plugins) for key, p in plugins.items()}
    layers = _layers(plugins)
    for key in (key for layer in layers for key in layer):
        plugins[key] = _without_needs(plugins[key], plugins)
    ordered = [plugins[key] for layer in layers for key in layer]
    grid = dataset.grid
    return Plan(
        dataset.key, dataset.rows, len(dataset.schema), grid.n_chunks, policy, seed, ordered, layers, assume_rows
    )


def select(manifests: Mapping[str, Manifest], patterns: Sequence[str]) -> dict[str, Manifest]:
    """The plugins that fit, those that they depend on by name, and the reports."""
    chosen: dict[str, Manifest] = {}
    for pattern in patterns or ["*"]:
        found = [key for key in manifests if fnmatchcase(key, pattern)]
        if not found:
            raise UsageError(f"no plugin fits {pattern!r}", f"plugins: {', '.join(manifests) or 'none'}")
        chosen |= {key: manifests[key] for key in found}
    chosen |= {key: m for key, m in manifests.items() if m.type == "report"}
    waiting = list(chosen.values())
    while waiting:
        manifest = waiting.pop()
        for wanted in manifest.needs:
            if wanted in chosen:
                continue
            if wanted not in manifests:
                known = ", ".join(manifests)
                raise fault(
                    str(manifest.path),
                    manifest.lines["table" if wanted == manifest.table else "depends_on"],
                    f"there is no plugin {wanted!r}",
                    f"plugins: {known}",
                )
            chosen[wanted] = manifests[wanted]
            waiting.append(manifests[wanted])
    return dict(sorted(chosen.items()))


def _planned(
    dataset: Dataset, manifest: Manifest, policy: Policy, given: dict[str, Any], assume_rows: int | None
) -> Planned:
    rows, columns = assume_rows or dataset.rows, len(dataset.schema)
    budget, origins = policy.resolve(manifest.type, manifest.id, rows, columns, manifest.caps)
    digest, params = code_digest(manifest.folder), _params(manifest, given)
    planned = Planned(manifest, digest, params, budget, origins, assumed_rows=assume_rows)
    if manifest.table:
        # its table is not there yet: work is estimated as on this one
        return replace(planned, units=unit_counts(rows, columns, budget), deferred=True)
    return settled(planned, dataset, policy)


def settled(planned: Planned, dataset: Dataset, policy: Policy) -> Planned:
    """A plugin planned on the table that it runs on: its budget, columns and kernels, or why it does not apply."""
    manifest, schema, rows = planned.manifest, dataset.schema, planned.assumed_rows or dataset.rows
    budget, origins = policy.resolve(manifest.type, manifest.id, rows, len(schema), manifest.caps)
    planned = replace(planned, budget=budget, origins=origins, deferred=False, requests=[])
    problem = unmet(manifest.requires, rows, schema)
    if problem:
        return replace(planned, skip=problem)
    columns, omitted = select_columns(schema, manifest.columns, budget.max_cols)
    units = unit_counts(rows, len(columns), budget)
    planned = replace(planned, columns=columns, omitted=[omitted] if omitted else [], units=units)
    if not columns:
        return replace(planned, skip=f"there is no column of kind {' or '.join(manifest.columns)}")
    excess = _excess(manifest, budget, policy)
    if excess:
        return replace(planned, skip=excess, refused=True)
    for need in manifest.kernels:
        requests, left_out = requests_of(need, manifest, schema, budget)
        planned.requests.extend((need, r) for r in requests)
        planned.omitted.extend(o for o in left_out if o not in planned.omitted)
    return planned


def _excess(manifest: Manifest, budget: Budget, policy: Policy) -> str:
    """Why a plugin can't run within the policy's limits; the same on any machine, as the report says it."""
    needed = manifest.memory or 0
    for name, most in (("memory", budget.memory), ("max_memory", policy.max_memory)):
        if most is not None and needed > most:
            return f"it needs {needed / 2**20:,.0f} MiB, and {name} of the policy is {most / 2**20:,.0f} MiB"
    return ""


def _roles(manifest: Manifest, policy: Policy) -> dict[str, str]:
    """Parameters that name the column of a role which the policy gives."""
    return {p.name: policy.roles[p.role] for p in manifest.params if p.role in policy.roles}


def _params(manifest: Manifest, given: dict[str, Any]) -> dict[str, Any]:
    known = {p.name: p for p in manifest.params}
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"{manifest.id} has no parameter {name!r}", f"parameters: {', '.join(known) or 'none'}")
        problem = problem_with(known[name], value)
        if problem:
            raise UsageError(f"parameter {name!r} of {manifest.id} {problem}")
    return manifest.param_defaults | given


def requests_of(
    need: KernelNeed, manifest: Manifest, schema: Schema, budget: Budget
) -> tuple[list[KernelRequest], list[Omission]]:
    """The kernel requests that a line of a manifest stands for on a table.

    Raises
    ------
    BadInputError
        With file and line, when there is no such kernel.
    """
    known = kernels.all()
    if need.kernel not in known:
        raise fault(
            str(manifest.path), need.line, f"there is no kernel {need.kernel!r}", f"kernels: {', '.join(known)}"
        )
    kernel = known[need.kernel]
    unknown = sorted(set(need.params) - set(kernel.defaults))
    if unknown:
        remedy = f"parameters: {', '.join(kernel.defaults) or 'none'}"
        raise fault(str(manifest.path), need.line, f"kernel {need.kernel!r} has no parameter {unknown[0]!r}", remedy)
    max_cols = budget.max_cols if need.capped else None
    names, left_out = select_columns(schema, need.columns, max_cols)
    names = [n for n in names if kernel.accepts_at(schema[n], 0)]
    omitted = [left_out] if left_out else []
    groups: list[tuple[str, ...]] = [(n,) for n in names]
    if need.group == "table":
        groups = [tuple(names)] if names else []
    elif need.group == "pair":
        others = None
        if need.against:
            others, left_out = select_columns(schema, need.against, max_cols)
            others = [n for n in others if kernel.accepts_at(schema[n], 1)]
            omitted += [left_out] if left_out and left_out not in omitted else []
        pairs, left_out = select_pairs(names, budget.max_pairs if need.capped else None, others)
        groups = list(pairs)
        omitted += [left_out] if left_out else []
    return [KernelRequest(need.kernel, group, need.params) for group in groups], omitted


def _linked(planned: Planned, plugins: Mapping[str, Planned]) -> Planned:
    manifest = planned.manifest
    by_type: dict[str, list[str]] = {t: [] for t in PLUGIN_TYPES}
    for key, other in plugins.items():
        by_type[other.manifest.type].append(key)
    named = list(manifest.needs)
    of_types = [key for d in manifest.depends_on if d.startswith("type:") for key in by_type[d.removeprefix("type:")]]
    before = [key for t in _WAITS_FOR[manifest.type] for key in by_type[t]]
    waits = sorted({*named, *of_types, *before} - {planned.id})
    return replace(planned, waits_for=waits, needs=named, sees=sorted({*named, *of_types} - {planned.id}))


def _without_needs(planned: Planned, plugins: Mapping[str, Planned]) -> Planned:
    """A plugin that needs one which does not apply does not apply either."""
    reasons = (unusable(name, "skipped", plugins[name].skip) for name in planned.needs if plugins[name].skip)
    return planned if planned.skip else replace(planned, skip=next(reasons, ""))


def unusable(name: str, status: str, reason: str) -> str:
    """Why a plugin can't run that needs another one."""
    past = {"failed": "failed", "skipped": "was skipped", "timed_out": "timed out"}
    return f"it needs {name}, which {past[status]}: {reason}"


def _layers(plugins: Mapping[str, Planned]) -> list[list[str]]:
    """Layers of plugins that wait only for those of earlier layers."""
    rank = {t: i for i, t in enumerate(PLUGIN_TYPES)}
    done: set[str] = set()
    layers: list[list[str]] = []
    while len(done) < len(plugins):
        ready = [key for key, p in plugins.items() if key not in done and done.issuperset(p.waits_for)]
        if not ready:
            left = [p.manifest for key, p in sorted(plugins.items()) if key not in done]
            manifest = next(m for m in left if m.depends_on or m.table)
            line = manifest.lines["depends_on" if manifest.depends_on else "table"]
            circle = ", ".join(m.id for m in left)
            raise fault(str(manifest.path), line, f"plugins wait for each other in a circle: {circle}")
        layers.append(sorted(ready, key=lambda key: (rank[plugins[key].manifest.type], key)))
        done.update(ready)
    return layers
