"""The plugin under proof, and how it is run in this process, without cache or files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.engine.board import KernelBoard
from toolkit.engine.check.tables import as_store, mixed_table
from toolkit.engine.manifest import Manifest
from toolkit.engine.plan import Plan, make_plan
from toolkit.engine.plugin_run import PluginRun
from toolkit.engine.results import ResultStore
from toolkit.engine.schedule import Schedule
from toolkit.engine.scratch import Scratch
from toolkit.engine.tables import Tables
from toolkit.execute.serial import SerialExecutor
from toolkit.govern.policy import Policy
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset

WHOLE = 1 << 30
"""Chunks of a partition, so many that no table of a check is split."""


@dataclass(slots=True)
class Subject:
    """A plugin and what is needed to try it.

    Attributes
    ----------
    manifest : Manifest
        The plugin.
    others : mapping of str to Manifest
        Further plugins, for those that it depends on.
    work : Path
        A folder for the stores of the tables.
    """

    manifest: Manifest
    others: Mapping[str, Manifest]
    work: Path
    _stores: dict[int, Dataset] = field(default_factory=dict)

    def mixed(self, chunk_rows: int = 0) -> Dataset:
        """The mixed table with chunks of so many rows; 0 for one chunk."""
        if chunk_rows not in self._stores:
            self._stores[chunk_rows] = as_store(mixed_table(), self.work, chunk_rows)
        return self._stores[chunk_rows]

    def run(
        self,
        dataset: Dataset,
        policy: Policy | None = None,
        partition_chunks: int = WHOLE,
        assume_rows: int | None = None,
    ) -> PluginRun:
        """Run the plugin on a table, and what it depends on; see `make_plan` for ``assume_rows``."""
        used = {self.manifest.id: self.manifest}
        waiting = [self.manifest]
        while waiting:
            manifest = waiting.pop()
            for name in (*manifest.depends_on, manifest.table):
                for key, other in self.others.items():
                    if name in (key, f"type:{other.type}") and key not in used:
                        used[key] = other
                        waiting.append(other)
        policy = policy or Policy(partition_chunks=partition_chunks)
        plan = make_plan(dataset, used, list(used), policy, assume_rows=assume_rows)
        return run_here(plan, dataset, self.work)[self.manifest.id]


def run_here(plan: Plan, dataset: Dataset, work: Path) -> dict[str, PluginRun]:
    """Carry out a plan in this process, without cache or files but for derived tables and scratch folders.

    Parameters
    ----------
    plan : Plan
        Of the table.
    dataset : Dataset
        The table.
    work : Path
        A folder for what plugins write.

    Returns
    -------
    dict of str to PluginRun
        Every plugin of the plan, ended.
    """
    chunks = plan.policy.partition_chunks

    def board(table: Dataset) -> KernelBoard:
        return KernelBoard(table, "", chunks, None, lambda key: None, lambda key, body: None)

    tables = Tables(dataset, board, AppData(work))
    unused = ResultStore(work, reading=False)
    schedule = Schedule(plan, tables, unused, lambda key, body: None, lambda run: None, Scratch(AppData(work), work))
    executor = SerialExecutor()
    executor.begin(1)
    try:
        for _ in schedule.run(executor, 1, schedule.prepare()):
            pass
    finally:
        schedule.scratch.close()
    return schedule.plugins


def differences(left: object, right: object, *, exact: bool, where: str = "") -> str:
    """The first place where two trees differ; empty when they don't.

    Parameters
    ----------
    left, right : tree
        Plain values.
    exact : bool
        Whether floats must be equal; else they may differ in the tenth digit.
    where : str
        The path so far.

    Notes
    -----
    Entries of a dict whose name has ``chunk`` in it are left out: they speak of the chunks themselves.

    Examples
    --------
    >>> differences({"a": [1, 2.0]}, {"a": [1, 2.1]}, exact=True)
    'a.1: 2.0 and 2.1'
    """
    if isinstance(left, dict) and isinstance(right, dict):
        names = sorted({*left, *right}, key=str)
        pairs = [(n, left.get(n, "nothing"), right.get(n, "nothing")) for n in names if "chunk" not in str(n)]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(i, a, b) for i, (a, b) in enumerate(zip(left, right, strict=True))]
    elif left == right or _both_nan(left, right) or (not exact and _close(left, right)):
        return ""
    else:
        return f"{where or 'the result'}: {left!r:.60} and {right!r:.60}"
    for name, a, b in pairs:
        found = differences(a, b, exact=exact, where=f"{where}.{name}" if where else str(name))
        if found:
            return found
    return ""


def _both_nan(left: object, right: object) -> bool:
    return isinstance(left, float) and isinstance(right, float) and math.isnan(left) and math.isnan(right)


def _close(left: object, right: object) -> bool:
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    return numbers and math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-11)  # type: ignore[arg-type]
