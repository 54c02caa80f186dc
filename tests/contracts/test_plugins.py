"""One suite over every plugin that is found: its manifest, its source, its laws, its behaviour on awkward tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.memory_store import memory_dataset, reader_of
from tests.plugin_on_disk import plugin_on_disk
from tests.series_tables import run_on_series
from toolkit.core.settings import read_settings
from toolkit.engine.check import CHECKS, check_plugin
from toolkit.engine.check.subject import Subject
from toolkit.engine.discovery import discover
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.new_plugin import new_plugin
from toolkit.engine.plan import make_plan, requests_of
from toolkit.govern.policy import PLUGIN_TYPES, Policy
from toolkit.kernels.base import kernels
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs, Result, Skip
from toolkit.plugin.inputs import kernel_key
from toolkit.plugin.series import TRANSFORM
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.plugin_task import make_reducer, reduce_whole

PLUGINS = discover(read_settings().plugin_path)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the stores of all checks: a table that is there is not converted again."""
    return tmp_path_factory.mktemp("stores")


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_plugin_holds(plugin: str, check: str, stores: Path) -> None:
    assert check_plugin(PLUGINS[plugin], PLUGINS, [check], stores) == []


@pytest.mark.parametrize("plugin", [p for p, m in PLUGINS.items() if m.type not in ("report", "llm")])
def test_what_ships_names_its_methods(plugin: str) -> None:
    manifest = PLUGINS[plugin]
    assert manifest.references or any(kernels.get(k.kernel).references for k in manifest.kernels)


@pytest.mark.parametrize("plugin", [p for p, m in PLUGINS.items() if m.type not in ("report", "llm") and not m.table])
def test_the_input_is_not_changed(plugin: str, tmp_path: Path) -> None:
    """Also where a plugin makes the arrays writable again: the store's own are compared."""
    manifest = PLUGINS[plugin]
    dataset = small_table()
    reader = reader_of(dataset)
    before = {key: chunk.tobytes() for key, chunk in reader._chunks.items()}
    run_in_memory(manifest, dataset, tmp_path)
    assert {key: chunk.tobytes() for key, chunk in reader._chunks.items()} == before


@pytest.mark.parametrize("plugin_type", PLUGIN_TYPES)
def test_a_new_plugin_holds_all(plugin_type: str, tmp_path: Path, stores: Path) -> None:
    manifest = load_manifest(new_plugin(f"{plugin_type}_fresh", tmp_path))
    assert check_plugin(manifest, PLUGINS, work=stores) == []
    code = (manifest.folder / "plugin.py").read_text()
    assert len(code.splitlines()) <= 40


BROKEN = {
    "no example": ("def run(ctx):\n    return Result()\n", "examples", "has no example"),
    "a wrong example": (
        'def run(ctx):\n    """>>> 1 + 1\n    3\n    """\n    return Result()\n',
        "examples",
        "is wrong",
    ),
    "a forbidden import": ("import subprocess\ndef run(ctx):\n    return Result()\n", "source", "imports subprocess"),
    "the engine": ("import toolkit.engine\ndef run(ctx):\n    return Result()\n", "source", "imports toolkit.engine"),
    "another plugin": ("import plugins.a\ndef run(ctx):\n    return Result()\n", "source", "imports plugins.a"),
    "an undeclared parameter": ("def run(ctx):\n    return Result({'k': ctx.params['k']})\n", "source", "not declared"),
    "a crash on nothing": (
        "def run(ctx):\n    return Result({'m': [min(c['whole'][c.valid('whole')]) for c in ctx.chunks(['whole'])]})\n",
        "awkward tables",
        "ends as failed",
    ),
    "a result of the chunks": (
        "def run(ctx):\n    return Result({'n': sum(1 for c in ctx.chunks())})\n",
        "chunk sizes",
        "data.n: 1 and 23",
    ),
    "the last rows left out": (
        "def run(ctx):\n    [c['big'] for c in list(ctx.chunks(['big']))[:2]]\n    return Result()\n",
        "caps",
        "every row",
    ),
    "randomness": (
        "import random\ndef run(ctx):\n    return Result({'r': random.random()})\n",
        "repeats",
        "another result",
    ),
    "a merge that forgets": (
        """
        class Plugin(Reducer):
            state_class = "exact"
            def init(self): return {"n": 0}
            def update(self, state, chunk): return {"n": state["n"] + len(chunk)}
            def merge(self, left, right): return dict(left)
            def finish(self, state, ctx): return Result(state)
        """,
        "laws",
        "no identity",
    ),
    "a merge that depends on the grouping": (
        """
        class Plugin(Reducer):
            state_class = "tree"
            def init(self): return {"v": None}
            def update(self, state, chunk): return {"v": float(chunk.index)}
            def merge(self, left, right):
                if left["v"] is None: return right
                if right["v"] is None: return left
                return {"v": left["v"] - right["v"]}
            def finish(self, state, ctx): return Result(state)
        """,
        "laws",
        "not associative",
    ),
    "sums that are called exact": (
        """
        class Plugin(Reducer):
            state_class = "exact"
            def init(self): return {"s": 0.0}
            def update(self, state, chunk): return {"s": state["s"] + 0.1 * (chunk.index + 1)}
            def merge(self, left, right): return {"s": left["s"] + right["s"]}
            def finish(self, state, ctx): return Result(state)
        """,
        "splits",
        "another result",
    ),
    "passes that are not declared": (
        """
        class Plugin(Reducer):
            passes = 2
            def init(self): return {}
            def update(self, state, chunk): return state
            def merge(self, left, right): return left
            def finish(self, state, ctx): return Result()
        """,
        "laws",
        "passes",
    ),
    "a state that is no tree": (
        """
        class Plugin(Reducer):
            def init(self): return {"s": set()}
            def update(self, state, chunk): return state
            def merge(self, left, right): return left
            def finish(self, state, ctx): return Result()
        """,
        "laws",
        "can't be part of a state",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_suite_finds_what_is_broken(name: str, tmp_path: Path, stores: Path) -> None:
    code, check, words = BROKEN[name]
    manifest = load_manifest(plugin_on_disk(tmp_path, "analysis_broken", code))
    problems = check_plugin(manifest, PLUGINS, [check], stores)
    assert any(words in p.text for p in problems), problems


def test_a_change_of_the_input_is_found(tmp_path: Path) -> None:
    """If it were not, the test above would prove nothing."""
    code = """
    def run(ctx):
        for chunk in ctx.chunks(["whole"]):
            values = chunk["whole"]
            values.flags.writeable = True
            values[:] = 0
        return Result()
    """
    dataset = small_table()
    reader = reader_of(dataset)
    before = {key: chunk.tobytes() for key, chunk in reader._chunks.items()}
    run_in_memory(load_manifest(plugin_on_disk(tmp_path, "analysis_changes", code)), dataset, tmp_path)
    assert {key: chunk.tobytes() for key, chunk in reader._chunks.items()} != before


def test_a_subject_runs_what_it_depends_on(tmp_path: Path, stores: Path) -> None:
    first = load_manifest(plugin_on_disk(tmp_path, "profile_first", "def run(ctx):\n    return Result({'a': 1})\n"))
    code = "def run(ctx):\n    return Result(ctx.result('profile_first').data)\n"
    second = load_manifest(plugin_on_disk(tmp_path, "analysis_second", code, depends_on=["profile_first"]))
    subject = Subject(second, {first.id: first, second.id: second}, stores)
    assert subject.run(subject.mixed()).decoded().data == {"a": 1}


def small_table() -> Dataset:
    i = np.arange(40)
    return memory_dataset(
        {
            "whole": np.ma.array(i % 7, mask=i % 5 == 0),
            "real": np.sin(i),
            "flag": i % 2 == 0,
            "colour": [None if k % 9 == 4 else ("red", "green")[k % 2] for k in range(40)],
            "note": [f"note {k}" for k in range(40)],
            "at": (i * 3600).astype("M8[s]"),
        },
        7,
        encodings={"colour": "coded", "note": "long"},
    )


def run_in_memory(manifest: Manifest, dataset: Dataset, scratch: Path) -> Result | None:
    """Run a plugin, and those that it needs, in this process on a table that is not on disk."""
    if manifest.table == TRANSFORM:
        try:
            return run_on_series(manifest.folder, dataset)
        except Skip:
            return None
    asked = [(n, r) for n in manifest.kernels for r in requests_of(n, manifest, dataset.schema, Budget())[0]]
    answers = compute(dataset, [r for _, r in asked])
    found = {kernel_key(n.kernel, r.columns, n.params): answers[r.key] for n, r in asked}
    inputs = Inputs(manifest.id, manifest.columns, manifest.param_defaults, kernels=dict(found))
    needed = {name: run_in_memory(PLUGINS[name], dataset, scratch) for name in manifest.depends_on if name in PLUGINS}
    if any(result is None for result in needed.values()):
        return None  # what needs a plugin that was skipped is skipped
    inputs.upstream = {name: result for name, result in needed.items() if result is not None}
    inputs.plan, inputs.scratch = make_plan(dataset, PLUGINS, [], Policy()).to_json(), scratch
    ctx = Context(dataset, inputs)
    with loaded_plugin(manifest.id, manifest.folder, "") as module:
        reducer = make_reducer(module)
        try:
            if reducer is None:
                return module.run(ctx)
            reducer.ctx = ctx
            return reduce_whole(reducer)
        except Skip:
            return None
