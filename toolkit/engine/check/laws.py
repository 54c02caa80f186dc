"""The laws of a Reducer: identity, associativity, a state that survives its own encoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolkit.core.encoding import decode, encode
from toolkit.engine.check.subject import Subject, differences
from toolkit.kernels.base import KernelRequest
from toolkit.kernels.waves import compute
from toolkit.plugin.budget import Budget
from toolkit.plugin.context import Context
from toolkit.plugin.inputs import Inputs, KernelKey, kernel_key
from toolkit.plugin.reducer import Reducer
from toolkit.plugin.result import Skip
from toolkit.plugin.selection import select_columns
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.plugin_task import make_reducer
from toolkit.task.reduce import writable

_CHUNK_ROWS = 5


def law_problems(subject: Subject) -> Iterator[str]:
    """Check the laws on the chunks of the mixed table; nothing to check when the plugin is a function."""
    manifest = subject.manifest
    dataset = subject.mixed(_CHUNK_ROWS)
    if not select_columns(dataset.schema, manifest.columns)[0]:
        return
    with loaded_plugin(manifest.id, manifest.folder, "") as module:
        reducer = make_reducer(module)
        if reducer is None:
            return
        if reducer.passes != manifest.passes:
            yield f"plugin.yaml says passes: {manifest.passes}, plugin.py says passes = {reducer.passes}"
        reducer.ctx = Context(dataset, _inputs(subject, dataset))
        try:
            for number in range(reducer.passes):
                reducer.pass_number = number
                yield from _pass_problems(reducer)
                reducer.former = _joined(reducer)
        except Skip:
            return


def _pass_problems(reducer: Reducer) -> Iterator[str]:
    exact = reducer.state_class == "exact"
    states = [encode(s) for s in _states(reducer)]
    a, b, c = states[:3]

    def merged(left: bytes, right: bytes) -> bytes:
        return encode(reducer.merge(_fresh(left), _fresh(right)))

    for number, state in enumerate(states):
        if encode(decode(state)) != state:
            yield f"the state of chunk {number} changes when it is encoded and decoded"
        for left, right, side in ((encode(reducer.init()), state, "left"), (state, encode(reducer.init()), "right")):
            found = _differ(merged(left, right), state, exact=exact)
            if found:
                yield f"init() is no identity of merge on the {side}: {found}"
    found = _differ(merged(merged(a, b), c), merged(a, merged(b, c)), exact=exact)
    if found:
        yield f"merge is not associative: {found}"
    if exact:
        found = _differ(merged(a, b), merged(b, a), exact=True)
        if found:
            yield f"states are declared exact, but the order of merging matters: {found}"


def _differ(left: bytes, right: bytes, *, exact: bool) -> str:
    if left == right:
        return ""
    found = differences(_listed(decode(left)), _listed(decode(right)), exact=exact)
    return found or ("the encoded bytes differ, as dict keys come in another order" if exact else "")


def _listed(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {str(k).replace("chunk", "ch_unk"): _listed(v) for k, v in tree.items()}
    if isinstance(tree, list):
        return [_listed(v) for v in tree]
    return tree.tolist() if hasattr(tree, "tolist") else tree


def _states(reducer: Reducer) -> list[Any]:
    if reducer.state_class == "serial":
        return [reducer.init()] * 3
    return [reducer.update(reducer.init(), chunk) for chunk in reducer.ctx.chunks(reducer.columns())]


def _joined(reducer: Reducer) -> Any:
    state = reducer.init()
    for chunk in reducer.ctx.chunks(reducer.columns()):
        state = reducer.update(state, chunk)
    return writable(decode(encode(state)))


def _fresh(state: bytes) -> Any:
    return writable(decode(state))


def _inputs(subject: Subject, dataset: Dataset) -> Inputs:
    from toolkit.engine.plan import requests_of

    manifest = subject.manifest
    asked = [
        (need, request)
        for need in manifest.kernels
        for request in requests_of(need, manifest, dataset.schema, Budget())[0]
    ]
    requests: list[KernelRequest] = [request for _, request in asked]
    answers = compute(dataset, requests)
    kernels: dict[KernelKey, Any] = {
        kernel_key(need.kernel, request.columns, need.params): answers[request.key] for need, request in asked
    }
    upstream = {}
    for name in manifest.depends_on:
        if name in subject.others:
            other = Subject(subject.others[name], subject.others, subject.work)
            upstream[name] = other.run(dataset).decoded()
    return Inputs(manifest.id, manifest.columns, manifest.param_defaults, kernels=kernels, upstream=upstream)
