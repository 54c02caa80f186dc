"""Runs a plugin: whole, or one part of a Reducer that is split over partitions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from toolkit.core.encoding import decode, encode
from toolkit.core.grid import Partition
from toolkit.plugin.budget import Budget
from toolkit.plugin.context import Context, Progress
from toolkit.plugin.inputs import Inputs, KernelKey, kernel_key
from toolkit.plugin.reducer import Reducer
from toolkit.plugin.result import Result, Skip
from toolkit.plugin.source import Source
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.coverage import coverage, unit_coverage
from toolkit.task.packaging import ResultError, checked_result
from toolkit.task.payload import PluginCall
from toolkit.task.place import NOWHERE, Tracker
from toolkit.task.reduce import join_nodes, pack_nodes, reduce_chunks, unpack_nodes, writable


def run_plugin(
    dataset: Dataset, call: PluginCall, progress: Progress, tracker: Tracker = NOWHERE, source: Source | None = None
) -> dict[str, Any]:
    """Carry out one task of a plugin, on a table that may have been derived from a source.

    Returns
    -------
    dict
        ``{"status": "ok", "result": bytes}``, with ``staged`` where a transform derived a table;
        ``{"status": "skipped", "reason": ..., "recommendation": ...}``; or of a Reducer that is to be split
        ``{"split": number of passes}``, of a part ``{"nodes": ..., "reads": ...}``, of a joined pass that is not the
        last ``{"former": bytes}``.
    """
    ctx = Context(dataset, replace(_inputs(call), source=source), progress, tracker.at)
    if call.scratch:
        ctx.scratch = Path(call.scratch)
    for entry in call.omitted:
        ctx.omit(entry)
    tracker.enter("import")
    try:
        with loaded_plugin(call.id, Path(call.folder), call.digest) as module:
            return _Run(dataset, ctx, call, tracker).whole(module)
    except Skip as skip:
        return {"status": "skipped", "reason": skip.reason, "recommendation": skip.recommendation}
    finally:
        if ctx.damage is not None:
            raise ctx.damage


class _Run:
    """One task of a plugin under way."""

    def __init__(self, dataset: Dataset, ctx: Context, call: PluginCall, tracker: Tracker) -> None:
        self._dataset, self._ctx, self._call, self._tracker = dataset, ctx, call, tracker

    def whole(self, module: ModuleType) -> dict[str, Any]:
        ctx, call = self._ctx, self._call
        reducer = make_reducer(module)
        if reducer is None:
            self._tracker.enter("run")
            return self._package(_run_function(module)(ctx))
        reducer.ctx = ctx
        reducer.pass_number = call.pass_number
        reducer.former = None if call.former is None else writable(decode(call.former))
        if call.mode == "part":
            self._tracker.enter("pass", call.pass_number)
            nodes = reduce_chunks(reducer, ctx.chunks(reducer.columns(), Partition(*call.partition)))
            return {"nodes": pack_nodes(nodes), "reads": _packed_reads(ctx), "full_loads": ctx.full_loads}
        if call.mode == "join":
            return self._join(reducer)
        if reducer.state_class != "serial" and ctx.grid.n_chunks > call.partition_chunks:
            return {"split": reducer.passes}
        return self._package(reduce_whole(reducer, self._tracker))

    def _join(self, reducer: Reducer) -> dict[str, Any]:
        ctx, call = self._ctx, self._call
        self._tracker.enter("merge", call.pass_number)
        nodes = []
        for part in map(decode, call.parts):
            nodes += unpack_nodes(part["nodes"])
            ctx.full_loads += part["full_loads"]
            for name, chunks in part["reads"]:
                ctx.reads.setdefault(name, set()).update(chunks.tolist())
        state = join_nodes(reducer, nodes, ctx.grid.n_chunks)
        if call.pass_number + 1 < reducer.passes:
            return {"former": encode(state)}
        reducer.columns()  # so that what a cap left out is recorded here too
        self._tracker.enter("finish")
        return self._package(reducer.finish(state, ctx))

    def _package(self, returned: Any) -> dict[str, Any]:
        self._tracker.enter("result")
        call, ctx = self._call, self._ctx
        result = checked_result(returned, call.type, ctx)
        scanned = {column for _, columns, _, _ in call.kernels for column in columns}
        found = coverage(self._dataset, ctx.reads, scanned, ctx.row_limit)
        asked = [columns for _, columns, _, _ in call.kernels]
        found["units"] = unit_coverage(ctx, call.selectors, asked, result.omitted)
        if ctx.full_loads:
            found["full_loads"] = ctx.full_loads
        out: dict[str, Any] = {"status": "ok", "result": encode(replace(result, coverage=found).to_json())}
        if ctx.derived is not None:
            if not ctx.derived.complete:
                raise ResultError("its derived table was not closed", "write it within: with ctx.derive(...) as out")
            out["staged"] = ctx.derived.declaration.to_json()
        return out


def reduce_whole(reducer: Reducer, tracker: Tracker = NOWHERE) -> Result:
    """Run all passes of a Reducer over the whole table in this process."""
    ctx = reducer.ctx
    for number in range(reducer.passes):
        tracker.enter("pass", number)
        reducer.pass_number = number
        nodes = reduce_chunks(reducer, ctx.chunks(reducer.columns()))
        state = join_nodes(reducer, nodes, ctx.grid.n_chunks)
        if number + 1 < reducer.passes:
            # Through its bytes, as between processes, so that a split run gives the same.
            reducer.former = writable(decode(encode(state)))
    tracker.enter("finish")
    return reducer.finish(state, ctx)


def make_reducer(module: ModuleType) -> Reducer | None:
    """The plugin's Reducer; None when it has a function ``run`` instead.

    Raises
    ------
    ResultError
        When it has neither, or both.
    """
    found = getattr(module, "Plugin", None)
    if (found is None) == (getattr(module, "run", None) is None):
        raise ResultError("plugin.py must have either a function run(ctx) or a class Plugin(Reducer)")
    if found is None:
        return None
    if not (inspect.isclass(found) and issubclass(found, Reducer)):
        raise ResultError("Plugin must be a class that derives from toolkit.plugin.Reducer")
    reducer: Reducer = found()
    return reducer


def _run_function(module: ModuleType) -> Callable[[Context], Any]:
    run: Any = module.run
    if not callable(run):
        raise ResultError("run in plugin.py is not a function")
    found: Callable[[Context], Any] = run
    return found


def _packed_reads(ctx: Context) -> list[list[Any]]:
    import numpy as np

    return [[name, np.array(sorted(chunks), np.int64)] for name, chunks in sorted(ctx.reads.items())]


def _inputs(call: PluginCall) -> Inputs:
    kernels: dict[KernelKey, dict[str, Any] | Callable[[], dict[str, Any]]] = {}
    for name, columns, params, result in call.kernels:
        kernels[kernel_key(name, columns, params)] = _decoder(result)
    return Inputs(
        plugin=call.id,
        selectors=tuple(call.selectors),
        params=call.params,
        budget=Budget.from_json(call.budget),
        kernels=kernels,
        upstream={name: Result.from_json(decode(data)) for name, data in call.upstream.items()},
        report=call.report,
        full_load=call.full_load,
        load_rows=call.load_rows,
        seed=call.seed,
        plan=call.plan,
        # Only transforms derive tables, which is what this folder is for.
        scratch=Path(call.scratch) if call.scratch and call.type == "transform" else None,
    )


def _decoder(data: bytes) -> Callable[[], dict[str, Any]]:
    return lambda: decode(data)
