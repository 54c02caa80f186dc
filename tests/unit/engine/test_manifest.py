"""Manifests: what they say, and every mistake with file and line."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.memory_store import memory_dataset
from toolkit.core.errors import BadInputError
from toolkit.engine.manifest import KernelNeed, Param, load_manifest, problem_with
from toolkit.engine.plan import requests_of
from toolkit.plugin import Budget

WHOLE = """\
type: analysis
version: 1.2
summary: Finds things
columns: [numeric, time]
kernels:
  - kernel: moments
  - kernel: order
    columns: numeric
    params: {k: 3}
    capped: false
  - {kernel: pairs, group: pair}
depends_on: [profile_basic, "type:planner"]
params:
  bins: {type: int, default: 10, min: 1, max: 100, help: how many}
  rule: {type: str, default: iqr, choices: [iqr, mad]}
caps: {max_windows: 4096, memory: 1GiB, max_pairs: null}
cost: {rows: 1, pairs: 2, ns: 3.5}
passes: 2
memory: 64MiB
references: [10.1000/182]
"""


def write(folder: Path, text: str, name: str = "analysis_things") -> Path:
    place = folder / name
    place.mkdir()
    (place / "plugin.yaml").write_text(textwrap.dedent(text), "utf-8")
    return place


def test_reads_all_of_it(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, WHOLE))
    assert (manifest.id, manifest.type, manifest.version) == ("analysis_things", "analysis", "1.2")
    assert manifest.columns == ("numeric", "time")
    assert manifest.kernels == (
        KernelNeed("moments", ("numeric", "time"), "column", {}, True, 6),
        KernelNeed("order", ("numeric",), "column", {"k": 3}, False, 7),
        KernelNeed("pairs", ("numeric", "time"), "pair", {}, True, 11),
    )
    assert manifest.depends_on == ("profile_basic", "type:planner")
    assert manifest.params[0] == Param("bins", "int", 10, 1, 100, (), "how many")
    assert manifest.param_defaults == {"bins": 10, "rule": "iqr"}
    assert manifest.caps is not None
    assert manifest.caps.caps == {"max_windows": 4096, "memory": 1 << 30, "max_pairs": None}
    assert {o.line for o in manifest.caps.origins.values()} == {16}
    assert manifest.cost == {"rows": 1, "pairs": 2, "ns": 3.5}
    assert (manifest.passes, manifest.memory, manifest.references) == (2, 64 << 20, ("10.1000/182",))


def test_little_is_needed(tmp_path: Path) -> None:
    manifest = load_manifest(write(tmp_path, "type: report\nversion: 1\nsummary: Writes\n", "report_x"))
    assert (manifest.columns, manifest.kernels, manifest.passes) == (("any",), (), 1)


def test_pairs_of_two_kinds_of_columns(tmp_path: Path) -> None:
    text = """
    type: analysis
    version: 1
    summary: Pairs
    kernels:
      - {kernel: group_moments, group: pair, columns: categorical, against: [numeric, time]}
    """
    manifest = load_manifest(write(tmp_path, text))
    dataset = memory_dataset({"g": ["a", "a"], "x": [1.0, 2.0], "flag": [True, False], "y": [1, 2]})
    asked, omitted = requests_of(manifest.kernels[0], manifest, dataset.schema, Budget(max_pairs=3))
    assert [r.columns for r in asked] == [("g", "x"), ("g", "y"), ("flag", "x")]
    assert [o["requested"] for o in omitted] == [4]


REFUSED = {
    "an unknown key": ("depends: [a]", "unknown key 'depends'"),
    "an unknown type": ("type: analyse", "type can't be 'analyse'"),
    "an unknown kind of column": ("columns: [numeric, money]", "there is no kind of column 'money'"),
    "columns that are a number": ("columns: 3", "columns takes a text or a list of texts"),
    "kernels that are a text": ("kernels: moments", "kernels takes a list"),
    "a kernel that is a text": ("kernels: [moments]", "is a mapping"),
    "a kernel without a name": ("kernels: [{columns: any}]", "kernel is missing"),
    "an unknown key of a kernel": ("kernels: [{kernel: moments, column: a}]", "unknown key 'column'"),
    "an unknown grouping": ("kernels: [{kernel: moments, group: triple}]", "group can't be 'triple'"),
    "an against without pairs": ("kernels: [{kernel: pairs, against: numeric}]", "against needs group: pair"),
    "a capped that is a text": ("kernels: [{kernel: moments, capped: maybe}]", "capped takes true or false"),
    "a dependency that is none": ("depends_on: [basic]", "'basic' is no id of a plugin"),
    "a dependency of no type": ("depends_on: ['type:all']", "'type:all' is no id"),
    "a parameter without default": ("params: {a: {type: int}}", "has no default"),
    "a parameter without type": ("params: {a: {default: 1}}", "type is missing"),
    "a default of another type": ("params: {a: {type: int, default: 1.5}}", "which is no int"),
    "a default below the minimum": ("params: {a: {type: int, default: 0, min: 1}}", "below the minimum"),
    "a default that is no choice": ("params: {a: {type: str, default: x, choices: [y]}}", "none of 'y'"),
    "a name with capitals": ("params: {Bins: {type: int, default: 1}}", "can't be the name of a parameter"),
    "an unknown cost": ("cost: {time: 1}", "unknown key 'time'"),
    "a cost that is a text": ("cost: {rows: linear}", "rows takes a number"),
    "no passes": ("passes: 0", "at least 1"),
    "a memory that is none": ("memory: much", "memory takes a size"),
    "a cost below zero": ("cost: {rows: -1}", "at least 0, not -1"),
    "caps that are a list": ("caps: [max_cols]", "caps takes a mapping"),
    "an unknown cap": ("caps: {max_columns: 3}", "unknown key 'max_columns'"),
    "a cap of zero": ("caps: {max_cols: 0}", "max_cols takes a whole number of at least 1, not 0"),
    "a cap on rows": ("caps: {max_rows: 100}", "every plugin reads every row"),
    "sampling": ("sampled: true", "every plugin reads every row"),
    "a reference that is a link": ("references: ['https://doi.org/10.1000/182']", "is no DOI"),
    "a requirement that is a list": ("requires: [numeric]", "requires takes a mapping"),
    "a requirement of nothing known": ("requires: {money: 1}", "unknown key 'money'"),
    "a requirement that is no number": ("requires: {numeric: many}", "numeric can't require 'many'"),
    "a requirement below nothing": ("requires: {rows: -1}", "rows can't require -1"),
    "a requirement that is a truth": ("requires: {rows: true}", "rows can't require True"),
    "a table that is a list": ("table: [transform_a]", "table takes the id of a transform"),
    "an empty summary": ("summary: ''", "summary can't be ''"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses_by_file_and_line(tmp_path: Path, name: str) -> None:
    wrong, words = REFUSED[name]
    base = {"type": "type: analysis", "version": "version: 1", "summary": "summary: Finds things"}
    lines = [text for key, text in base.items() if not wrong.startswith(f"{key}:")]
    folder = write(tmp_path, "\n".join([*lines, wrong]) + "\n")
    with pytest.raises(BadInputError) as raised:
        load_manifest(folder)
    assert raised.value.message.startswith(f"{folder}/plugin.yaml, line {len(lines) + 1}: ")
    assert words in raised.value.message


@pytest.mark.parametrize("missing", ["type", "version", "summary"])
def test_refuses_what_is_incomplete(tmp_path: Path, missing: str) -> None:
    lines = ["type: analysis", "version: 1", "summary: Finds"]
    folder = write(tmp_path, "\n".join(t for t in lines if not t.startswith(missing)))
    with pytest.raises(BadInputError, match=f"line 1: {missing} is missing"):
        load_manifest(folder)


@pytest.mark.parametrize("name", ["analysis", "report_x", "analysis_", "analysis_X", "analysis__x", "things"])
def test_the_folder_bears_the_id(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path, "type: analysis\nversion: 1\nsummary: Finds\n", name)
    with pytest.raises(BadInputError, match="which is no id"):
        load_manifest(folder)


def test_values_of_parameters_are_checked() -> None:
    count = Param("n", "int", 5, 1, 10)
    share = Param("s", "float", 0.5, 0, 1)
    flag = Param("f", "bool", default=True)
    assert [problem_with(count, v) for v in (1, 10)] == ["", ""]
    assert [bool(problem_with(count, v)) for v in (0, 11, 1.0, True, "1", None)] == [True] * 6
    assert [problem_with(share, v) for v in (0, 1, 0.3)] == ["", "", ""]
    assert problem_with(share, True)
    assert problem_with(flag, 1)
    assert not problem_with(flag, False)
