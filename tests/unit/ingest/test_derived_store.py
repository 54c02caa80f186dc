"""Staged tables: every kind comes back as it was appended, and nothing that is forged becomes a store."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from toolkit.api import convert_table
from toolkit.core.derived import Declaration, keep, make
from toolkit.core.encoding import decode, encode
from toolkit.core.errors import BadInputError, UsageError
from toolkit.ingest.derived_store import Published, publish_derived
from toolkit.plugin.derived import Coded, DerivedTable
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.verify import verify

ROWS = 40
I = np.arange(ROWS)  # noqa: E741  the row number
GONE = I % 6 == 1


@pytest.fixture
def parent(tmp_path: Path) -> Dataset:
    return convert_table(pa.table({"n": I, "t": [f"text {i}" for i in I]}), appdata=tmp_path, chunk_rows=16)


def staged(folder: Path, columns: list[Any], *pieces: dict[str, Any], rows: Any = "same", source: int = ROWS) -> Any:
    folder.mkdir(exist_ok=True)
    table = DerivedTable(Declaration(tuple(columns), rows, chunk_rows=16 if rows != "same" else 0), folder, source)
    with table as out:
        for piece in pieces:
            out.append(piece)
    return table.declaration.to_json()


def published(parent: Dataset, folder: Path, declared: Any) -> Published:
    return publish_derived(parent, folder, declared, AppData(parent.location.parents[1]), {"plugin": "transform_t"})


def words(values: list[str]) -> list[str | None]:
    return [None if gone else v for v, gone in zip(values, GONE, strict=True)]


TEXTS = [f"größe {i} {'x' * (i % 5)}" for i in I]
COLOURS = ["red", "green", "blue"]
SECONDS = (I * 86_399).astype("M8[s]")
WHOLE: dict[str, tuple[Any, Any, pa.Array]] = {
    "flag": (make("flag", "bool"), (I % 3 == 0, ~GONE), pa.array(I % 3 == 0, mask=GONE)),
    "int": (make("int", "int"), np.ma.array(I * 1000 - 5, mask=GONE), pa.array(I * 1000 - 5, mask=GONE)),
    "big": (make("big", "int"), I.astype(np.uint64) + 2**63, pa.array(I.astype(np.uint64) + 2**63)),
    "real": (make("real", "float"), (np.sqrt(I), ~GONE), pa.array(np.sqrt(I), mask=GONE)),
    "small": (make("small", "float"), I.astype(np.float32) / 3, pa.array(I.astype(np.float32) / 3)),
    "at": (make("at", "timestamp", unit="ms"), SECONDS, pa.array(SECONDS.astype("M8[ms]"))),
    "utc": (
        make("utc", "timestamp", timezone="UTC"),
        (SECONDS, ~GONE),
        pa.array(SECONDS.astype("M8[us]"), pa.timestamp("us", "UTC"), mask=GONE),
    ),
    "day": (make("day", "date"), SECONDS.astype("M8[D]"), pa.array(SECONDS.astype("M8[D]"))),
    "clock": (
        make("clock", "time", unit="s"),
        (I * 7).astype("m8[s]"),
        pa.array([(dt.datetime(2000, 1, 1) + dt.timedelta(seconds=int(i) * 7)).time() for i in I]),  # noqa: DTZ001
    ),
    "wait": (make("wait", "duration", unit="s"), (I * 7).astype("m8[s]"), pa.array((I * 7).astype("m8[s]"))),
    "price": (
        make("price", "decimal"),
        words([f"{i}.5" for i in I]),
        pa.array(words([f"{i}.5" for i in I])).cast(pa.decimal128(10, 1)),
    ),
    "long": (make("long", "string"), words(TEXTS), pa.array(words(TEXTS))),
    "colour": (
        make("colour", "string"),
        Coded(np.where(GONE, -1, I % 3), COLOURS),
        pa.array(words([COLOURS[i % 3] for i in I])),
    ),
    "bytes": (make("bytes", "binary"), [bytes([i, 0, 255]) for i in I], pa.array([bytes([i, 0, 255]) for i in I])),
    "nothing": (make("nothing", "float"), (np.zeros(ROWS), np.zeros(ROWS, bool)), pa.nulls(ROWS)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_every_kind_is_stored_as_convert_does(name: str, parent: Dataset, tmp_path: Path) -> None:
    column, values, expected = WHOLE[name]
    declared = staged(tmp_path / "s", [column, keep("t")], {name: values})
    made = published(parent, tmp_path / "s", declared)
    frame = pa.table({name: expected, "t": [f"text {i}" for i in I]})
    assert made.manifest.key == convert_table(frame, appdata=tmp_path / "other", chunk_rows=16).key
    with open_location(made.location) as dataset:
        assert list(verify(dataset)) == []


@pytest.mark.parametrize("step", [1, 7, 40])
def test_how_rows_are_appended_changes_nothing(step: int, parent: Dataset, tmp_path: Path) -> None:
    names = ("int", "long", "colour", "utc")
    pieces = []
    for start in range(0, ROWS, step):
        rows = slice(start, start + step)
        pieces.append(
            {
                "int": np.ma.array(I[rows] * 1000 - 5, mask=GONE[rows]),
                "long": words(TEXTS)[rows],
                # other words with every piece, or the same
                "colour": Coded(np.where(GONE, -1, I % 3)[rows], COLOURS if step > 1 else list(COLOURS)),
                "utc": (SECONDS[rows], ~GONE[rows]),
            }
        )
    declared = staged(tmp_path / "s", [WHOLE[n][0] for n in names], *pieces)
    made = published(parent, tmp_path / "s", declared)
    frame = pa.table({n: WHOLE[n][2] for n in names})
    assert made.manifest.key == convert_table(frame, appdata=tmp_path / "other", chunk_rows=16).key


def test_memory_does_not_hold_the_table(parent: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    table = DerivedTable(Declaration((make("x", "float"),), "new"), folder, ROWS)
    with table as out:
        for _ in range(40):
            out.append({"x": np.zeros(70_000)})
            assert sum(n for n, _ in table._held) <= 262_144
    assert table.declaration.total == 40 * 70_000
    assert sum(decode(p.read_bytes())["rows"] for p in folder.iterdir()) == 40 * 70_000


WRONG_APPENDS: dict[str, tuple[Any, Any, str]] = {
    "text for numbers": (make("a", "int"), ["1"] * ROWS, "another dtype"),
    "floats for whole numbers": (make("a", "int"), np.zeros(ROWS), "another dtype"),
    "too fine times": (make("a", "timestamp", unit="s"), (I + 1).astype("M8[ms]"), "more places"),
    "too few rows": (make("a", "int"), I[:-1], "its parent 40"),
    "a code outside": (make("a", "string"), Coded(I, ["a"]), "outside the 1 words"),
    "numbers for text": (make("a", "string"), [1] * ROWS, "can't hold"),
    "presence of another length": (make("a", "int"), (I, np.ones(3, bool)), "one for each value"),
    "two dimensions": (make("a", "int"), np.zeros((ROWS, 2), int), "one dimension"),
}


@pytest.mark.parametrize("case", WRONG_APPENDS)
def test_what_a_column_cannot_hold_is_an_error(case: str, parent: Dataset, tmp_path: Path) -> None:
    column, values, words_of_error = WRONG_APPENDS[case]
    with pytest.raises(UsageError, match=words_of_error):
        staged(tmp_path / "s", [column], {"a": values})


def test_columns_that_are_absent_or_too_many_are_an_error(tmp_path: Path) -> None:
    for given in ({}, {"a": I, "b": I}):
        with pytest.raises(UsageError, match=r"column '[ab]' is"):
            staged(tmp_path / "s", [make("a", "int")], given)
    with pytest.raises(UsageError, match="no rows"):
        staged(tmp_path / "s", [make("a", "int")], rows="new")


def change(tree: dict[str, Any], column: int, **values: Any) -> dict[str, Any]:
    columns = [dict(c) for c in tree["columns"]]
    columns[column].update(values)
    return {**tree, "columns": columns}


FORGED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no tree": (lambda tree: [1], "no part"),
    "more rows": (lambda tree: {**tree, "rows": 41}, "not one of 41 values"),
    "rows without end": (lambda tree: {**tree, "rows": 1 << 60}, "another number of rows"),
    "a column less": (lambda tree: {**tree, "columns": tree["columns"][:-1]}, "another number"),
    "another dtype": (lambda tree: change(tree, 0, values=np.zeros(ROWS)), "dtype float64"),
    "a matrix": (lambda tree: change(tree, 0, values=np.zeros((ROWS, 1), int)), "not one of 40"),
    "no array": (lambda tree: change(tree, 0, values="abc"), "not one of 40"),
    "a longer validity": (lambda tree: change(tree, 0, valid=np.ones(99, bool)), "not one of 40"),
    "lengths beyond the bytes": (lambda tree: change(tree, 1, lengths=np.full(ROWS, 2**31, np.uint32)), "do not fit"),
    "no UTF-8": (lambda tree: change(tree, 1, data=tree["columns"][1]["data"] | 0x80), "UTF8|UTF-8"),
    "a code outside": (lambda tree: change(tree, 2, codes=np.full(ROWS, 3, np.int32)), "outside"),
    "a code below": (lambda tree: change(tree, 2, codes=np.full(ROWS, -2, np.int32)), "outside"),
    "words that are not there": (lambda tree: change(tree, 2, words=7), "not there"),
    "words by another name": (lambda tree: change(tree, 2, words="../../x"), "not there"),
    "plain for text": (lambda tree: {**tree, "columns": tree["columns"][:1] * 3}, "does not"),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_part_is_refused(case: str, parent: Dataset, tmp_path: Path) -> None:
    forge, expected = FORGED[case]
    folder = tmp_path / "s"
    columns = [make("int", "int"), make("long", "string"), make("colour", "string")]
    declared = staged(folder, columns, {"int": I, "long": TEXTS, "colour": Coded(I % 3, COLOURS)})
    part = folder / "part-000000.tks"
    part.write_bytes(encode(forge(decode(part.read_bytes()))))
    with pytest.raises(BadInputError, match=expected):
        published(parent, folder, declared)
    assert [p.name for p in parent.location.parent.iterdir()] == [parent.location.name]


def test_bytes_cut_short_links_and_pipes_are_refused(parent: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "s"
    declared = staged(folder, [make("int", "int")], {"int": I})
    part = folder / "part-000000.tks"
    content = part.read_bytes()
    for cut in (0, 3, 9, len(content) // 2, len(content) - 1):
        part.write_bytes(content[:cut])
        with pytest.raises(BadInputError, match="can't be read"):
            published(parent, folder, declared)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(content)
    part.unlink()
    for place in (lambda: part.symlink_to(elsewhere), lambda: os.mkfifo(part), part.mkdir):
        place()
        with pytest.raises(BadInputError):
            published(parent, folder, declared)
        part.rmdir() if part.is_dir() else part.unlink()


WRONG_DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "no columns": ({"columns": []}, "1 to"),
    "one name twice": ({"columns": [make("a", "int"), make("a", "int")]}, "two columns"),
    "an unknown kind": ({"columns": [make("a", "complex")]}, "kind 'complex'"),
    "an unknown unit": ({"columns": [make("a", "timestamp", unit="h")]}, "unit 'h'"),
    "of nothing": ({"columns": [make("a", "int", of=["gone"])]}, "does not have"),
    "kept in another order": ({"columns": [keep("n")], "rows": "new"}, "can't be kept"),
    "no source row": ({"columns": [make("a", "int")], "rows": "reordered"}, "source_row"),
    "another word for rows": ({"columns": [make("a", "int")], "rows": "some"}, "rows can't be"),
    "too many parts": ({"parts": 1 << 40}, "can't be right"),
    "fewer parts": ({"parts": 0}, "0 rows are staged of 40"),
    "a part that is not there": ({"parts": 2}, "part-000001"),
    "chunks without end": ({"chunk_rows": 1 << 40}, "chunk_rows"),
    "cuts in the rows of the parent": ({"cuts": [10]}, "leave cut"),
    "cuts beyond the rows": ({"cuts": [41], "rows": "new"}, "can't be right"),
    "cuts that go back": ({"cuts": [9, 5], "rows": "new"}, "can't be right"),
    "cuts that are texts": ({"cuts": ["9"], "rows": "new"}, "can't be right|can't be read"),
    "chunks too long to hold": ({"cuts": [1], "total": 1 << 40, "rows": "new"}, "a chunk of the derived table"),
    "a number as text": ({"total": "many"}, "can't be right"),
    "an empty name": ({"columns": [make("", "int")]}, "empty or too long"),
}


@pytest.mark.parametrize("case", WRONG_DECLARATIONS)
def test_a_wrong_declaration_is_refused(case: str, parent: Dataset, tmp_path: Path) -> None:
    change, expected = WRONG_DECLARATIONS[case]
    declared = staged(tmp_path / "s", [make("int", "int")], {"int": I})
    if "columns" in change:
        change = {**change, "columns": Declaration(tuple(change["columns"])).to_json()["columns"]}
    with pytest.raises(BadInputError, match=expected):
        published(parent, tmp_path / "s", {**declared, **change})
    with pytest.raises(BadInputError, match="can't be read"):
        published(parent, tmp_path / "s", None)


@pytest.mark.parametrize(
    ("rows", "expected"), [([0, 1, 1], "twice"), ([0, 40, 1], "not have"), ([-1, 0, 1], "not have")]
)
def test_rows_of_the_parent_are_checked(rows: list[int], expected: str, parent: Dataset, tmp_path: Path) -> None:
    columns = [make("source_row", "int")]
    declared = staged(tmp_path / "s", columns, {"source_row": np.array(rows)}, rows="reordered")
    with pytest.raises(BadInputError, match=expected):
        published(parent, tmp_path / "s", declared)
    declared = staged(tmp_path / "t", columns, *({"source_row": np.array([r])} for r in (5, 3)), rows="reordered")
    assert published(parent, tmp_path / "t", declared).manifest.rows == 2
