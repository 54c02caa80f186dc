"""Each kind of finding of profile_basic: planted and found; and none on tables in which there is nothing to find."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from tests.unit.plugins.run_profile import findings_of, run_profile
from toolkit.plugin import Budget, Finding

ROWS = 4000
CHUNK = 500


def _rng() -> np.random.Generator:
    return np.random.default_rng(11)


def _amounts() -> np.ndarray:
    return np.round(_rng().gamma(2.0, 20.0, ROWS), 2)


def _with(values: np.ndarray, rows: Any, value: Any) -> np.ndarray:
    out = values.copy()
    out[rows] = value
    return out


def _only(values: Any, kind: str, **options: Any) -> Finding:
    """The finding of that kind on a table of one column, which must be the only finding."""
    found = findings_of({"x": values}, CHUNK, **options)
    assert [f.kind for f in found] == [kind], [f.sentence for f in found]
    assert found[0].columns == ["x"]
    assert "`x`" in found[0].recommendation
    return found[0]


def test_all_missing() -> None:
    finding = _only([None] * 40, "all_missing")
    assert finding.sentence == "Column `x` has no value in any of 40 rows."
    assert _only(np.full(40, np.nan), "all_missing").evidence["nan"] == 40
    assert _only(np.ma.array(np.arange(40), mask=True), "all_missing").evidence["missing"] == 40


def test_constant() -> None:
    finding = _only(["v1"] * 40, "constant")
    assert finding.sentence == 'Column `x` has the one value "v1" in all 40 rows.'
    some = np.ma.array(np.full(40, 7), mask=np.arange(40) < 10)
    said = "Column `x` has the one value 7 in 30 of 40 rows and is missing in the other 10."
    assert _only(some, "constant").sentence == said
    assert _only(np.array(["2024-05-01"] * 9, "M8[D]"), "constant").evidence["value"] == "2024-05-01"
    assert _only(np.array([True] * 9), "constant").evidence["value"] is True


def test_near_constant() -> None:
    values = np.where(np.arange(ROWS) % 2000 == 3, 5, 1)
    finding = _only(values, "near_constant")
    assert finding.evidence | {"count": 3998, "of": 4000, "others": 2} == finding.evidence
    assert findings_of({"x": values}, near_constant=0.9999) == []


def test_mostly_missing_names_the_chunks_without_a_value() -> None:
    rows = np.arange(ROWS)
    values = np.ma.array(_amounts(), mask=(rows >= 1000) & (rows < 2000) | (rows % 2 == 0))
    finding = _only(values, "mostly_missing")
    assert finding.evidence["chunks"] == [2, 3]
    assert finding.evidence["missing"] == 2500
    assert "(62.5 %), among them all rows of 2 of 8 chunks" in finding.sentence
    assert findings_of({"x": values}, CHUNK, mostly_missing=0.7) == []


def test_infinite_values_are_located() -> None:
    values = _with(_with(_amounts(), [700, 701, 702], np.inf), [2600], -np.inf)
    finding = _only(values, "infinite_values")
    assert finding.evidence | {"positive": 3, "negative": 1, "rows": [[700, 702]], "chunks": [1]} == finding.evidence
    assert finding.evidence["second"]["rows"] == [[2600, 2600]]
    assert "-Infinity 1 times, in row 2,600" in finding.sentence


def test_nan_and_nan_beside_missing() -> None:
    values = _with(_amounts(), [3, 4, 900], np.nan)
    assert _only(values, "nan_values").evidence["rows"] == [[3, 4], [900, 900]]
    both = np.ma.array(values, mask=np.arange(ROWS) < 2)
    finding = _only(both, "nan_beside_missing")
    assert (finding.evidence["nan"], finding.evidence["missing"]) == (3, 2)


@pytest.mark.parametrize(
    ("values", "sentinel", "rest"),
    [
        (_amounts(), -999.0, (0.52, 241.53)),
        (_amounts(), 9999.0, (0.52, 241.53)),
        (_amounts().astype(np.float32), -9999.0, None),
        (_rng().integers(18, 90, ROWS), 999, (18, 89)),
        (_rng().integers(18, 90, ROWS), -1, (18, 89)),
        (_rng().integers(1000, 2000, ROWS), 0, (1000, 1999)),
        (_rng().integers(1000, 2000, ROWS), 2147483647, (1000, 1999)),
        (_rng().integers(10, 90, ROWS).astype(np.uint8), 255, (10, 89)),
    ],
)
def test_sentinels_far_from_the_rest(values: np.ndarray, sentinel: float, rest: tuple[float, float] | None) -> None:
    places = [1500, 1501, 1502, 1700]
    finding = _only(_with(values, places, sentinel), "sentinel_value")
    assert finding.evidence["value"] == sentinel
    assert finding.evidence["count"] == 4
    assert finding.evidence["rows"] == [[1500, 1502], [1700, 1700]]
    assert finding.evidence["chunks"] == [3]
    assert finding.evidence["of_chunks"] == 8
    assert "all in chunk 3, between rows 1,500 and 1,700" in finding.sentence
    if rest is not None:
        kept = np.delete(values, places)
        assert (finding.evidence["rest_min"], finding.evidence["rest_max"]) == (kept.min(), kept.max())


def test_the_catalogues_own_example() -> None:
    rows = np.arange(ROWS)
    values = np.where(rows % 16, 0.0, _amounts())
    values[(rows >= 1600) & (rows < 2400) & (rows % 97 == 0)] = -999.0
    found = {f.kind: f for f in findings_of({"discount": values}, CHUNK)}
    assert set(found) == {"heaped_value", "sentinel_value"}
    assert found["heaped_value"].evidence["count"] == np.sum(values == 0)
    assert found["sentinel_value"].evidence["chunks"] == [3, 4]
    assert "all in chunks 3 and 4" in found["sentinel_value"].sentence


def test_several_sentinels_hide_behind_one_another() -> None:
    values = _with(_with(_with(_amounts(), [5, 6], -999.0), [7, 8, 9], -99.0), [10, 11], 99999.0)
    found = findings_of({"x": values}, CHUNK)
    assert [f.evidence["value"] for f in found] == [-999.0, -99.0, 99999.0]


def test_the_one_negative_value_beside_small_numbers() -> None:
    values = _rng().integers(0, 50, ROWS)
    finding = _only(_with(values, np.arange(0, ROWS, 10), -1), "sentinel_value")
    assert "the one negative value" in finding.sentence
    # Few of them are the tail of a distribution.
    assert findings_of({"x": _with(values, [1, 2], -1)}, CHUNK) == []


def test_dates_that_stand_for_none() -> None:
    base = np.datetime64("2023-01-01T00:00:00", "us") + _rng().integers(0, 10**13, ROWS).astype("m8[us]")
    finding = _only(_with(base, [10, 11], np.datetime64("1900-01-01T00:00:00", "us")), "sentinel_value")
    assert "is 1900-01-01 in 2 of 4,000 values" in finding.sentence
    days = np.datetime64("2023-01-01") + _rng().integers(0, 300, ROWS).astype("m8[D]")
    assert _only(_with(days, [10, 11], np.datetime64("9999-12-31")), "sentinel_value").evidence["value"] == "9999-12-31"
    assert (
        _only(_with(days, [10, 11], np.datetime64("1970-01-01")), "sentinel_value").evidence["rest_max"] == "2023-10-27"
    )
    # A series that begins at the epoch has it as an ordinary value.
    assert findings_of({"x": np.datetime64("1970-01-01") + np.arange(ROWS).astype("m8[D]")}, CHUNK) == []


def test_one_row_is_no_sentinel_unless_asked_for() -> None:
    values = _with(_amounts(), [77], -999.0)
    assert findings_of({"x": values}, CHUNK) == []
    assert [f.kind for f in findings_of({"x": values}, CHUNK, sentinel_rows=1)] == ["sentinel_value"]


def test_heaps() -> None:
    values = _with(_rng().normal(50, 5, ROWS), np.arange(0, ROWS, 4), 42.5)
    finding = _only(values, "heaped_value")
    assert finding.evidence | {"value": 42.5, "count": 1000, "next_count": 1, "chunks_with_it": 8} == finding.evidence
    assert findings_of({"x": values}, CHUNK, heap_share=0.3) == []
    known = _with(_rng().integers(0, 2000, ROWS), np.arange(0, ROWS, 4), 999)
    assert _only(known, "sentinel_value").evidence["value"] == 999
    noon = np.datetime64("2024-01-01T00:00:00", "s") + _rng().integers(0, 10**7, ROWS).astype("m8[s]")
    heaped = _with(noon, np.arange(0, ROWS, 5), np.datetime64("2024-02-29T12:00:00", "s"))
    assert _only(heaped, "heaped_value").evidence["count"] == 800


@pytest.mark.parametrize("encoding", ["coded", "long"])
def test_text_that_holds_something_else(encoding: str) -> None:
    def only(values: list[str | None], kind: str) -> Finding:
        dataset = memory_dataset({"x": values}, CHUNK, encodings={"x": encoding})
        found = [
            f for f in run_profile(dataset)[0].findings if f.kind not in ("high_cardinality_text", "missing_marks")
        ]
        assert [f.kind for f in found] == [kind]
        return found[0]

    numbers = [f"{i / 8:,.2f}" if i % 100 else "n/a" for i in range(ROWS)]
    finding = only(numbers, "numbers_as_text")
    assert finding.evidence | {"count": 3960, "of": 4000, "not": 40} == finding.evidence
    if encoding == "coded":
        assert 'most often "n/a" (40 times)' in finding.sentence
    dates = [f"{1 + i % 28:02d}.{1 + i % 12:02d}.2024" for i in range(ROWS)]
    assert only(dates, "dates_as_text").evidence["count"] == ROWS
    stamps = [f"2024-01-31 {i // 60 % 24:02d}:{i % 60:02d}:00" for i in range(ROWS)]
    assert only(stamps, "dates_as_text").evidence["count"] == ROWS
    codes = [f"{i % 3000:05d}" for i in range(ROWS)]
    assert only(codes, "leading_zero_codes").evidence["leading_zeros"] == ROWS


@pytest.mark.parametrize(
    "values",
    [
        [f"10.0.{i % 250}.{i // 250}" for i in range(ROWS)],  # addresses
        [f"1.{i}.2" for i in range(ROWS)],  # versions
        [f"+49 30 {i:07d}" for i in range(ROWS)],  # telephone numbers
        [f"{i:04x}-{i:03d}" for i in range(ROWS)],
        [f"{i % 90} main street" for i in range(ROWS)],
    ],
)
def test_text_that_only_looks_like_numbers(values: list[str]) -> None:
    kinds = {f.kind for f in findings_of({"x": values}, CHUNK)}
    assert kinds <= {"high_cardinality_text"}


def test_texts_that_say_that_there_is_no_value() -> None:
    values = ["?" if i % 50 == 0 else f"v{i % 7}" for i in range(ROWS)]
    finding = _only(values, "missing_marks")
    assert finding.evidence["count"] == 80
    assert finding.evidence["rows"][:2] == [[0, 0], [50, 50]]
    assert finding.evidence["rows_listed"] == "the first 20 runs"
    several = _only(["N/A" if i % 3 else "unknown" if i % 2 else f"v{i % 7}" for i in range(ROWS)], "missing_marks")
    assert [v["value"] for v in several.evidence["values"]] == ["N/A", "unknown"]


def test_empty_text() -> None:
    finding = _only(["" if i % 9 == 0 else None if i % 9 == 1 else f"v{i % 7}" for i in range(ROWS)], "empty_text")
    assert (finding.evidence["count"], finding.evidence["missing"]) == (445, 445)


def test_whole_numbers_stored_as_floating_point() -> None:
    values = np.ma.array(_rng().integers(0, 90, ROWS).astype(float), mask=np.arange(ROWS) % 9 == 0)
    assert _only(values, "whole_numbers_as_float").evidence["count"] == int(values.count())
    assert findings_of({"x": _with(_amounts(), [ROWS - 1], 0.25)}, CHUNK) == []


def test_text_of_which_most_values_differ() -> None:
    values = [f"remark {i // 2 * 7919 % 100003}" for i in range(ROWS)]
    finding = _only(values, "high_cardinality_text")
    assert finding.evidence["distinct"] == ROWS // 2
    assert findings_of({"x": values}, CHUNK, many_texts=3000) == []
    assert findings_of({"x": [f"key {i}" for i in range(ROWS)]}, CHUNK) == []  # every one of its own: a key


def _null_tables() -> list[tuple[str, dict[str, Any]]]:
    tables = []
    for seed in range(6):
        rng = np.random.default_rng(100 + seed)
        tables.append((
            f"seed {seed}",
            {
                "normal": rng.normal(0, 1, ROWS),
                "shifted": np.round(rng.normal(3, 1, ROWS), 1),
                "rounded": np.round(rng.normal(3, 1, ROWS)).astype(np.int64),
                "uniform": rng.uniform(0, 1000, ROWS),
                "hundred": rng.integers(0, 100, ROWS),
                "thousand": rng.integers(-1000, 1000, ROWS),
                "lognormal": np.round(rng.lognormal(3, 1, ROWS), 2),
                "counts": rng.poisson(0.5, ROWS),
                "rare": rng.geometric(0.5, ROWS) - 1,
                "some_missing": np.ma.array(rng.normal(100, 15, ROWS), mask=rng.random(ROWS) < 0.1),
                "flag": rng.random(ROWS) < 0.02,
                "region": [f"r{i}" for i in rng.integers(0, 12, ROWS)],
                "at": np.datetime64("2024-01-01", "us") + rng.integers(0, 10**14, ROWS).astype("m8[us]"),
                "day": np.datetime64("1969-06-01") + rng.integers(0, 600, ROWS).astype("m8[D]"),
                "id": np.arange(ROWS),
                "walk": np.cumsum(rng.normal(0, 1, ROWS)),
            },
        ))  # fmt: skip
    return tables


@pytest.mark.parametrize(("name", "table"), _null_tables())
def test_a_table_with_nothing_odd_has_no_finding(name: str, table: dict[str, Any]) -> None:
    assert [f.sentence for f in findings_of(table, CHUNK)] == [], name


NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")


def _evidence(tree: Any) -> tuple[list[float], list[str]]:
    if isinstance(tree, dict):
        parts = [_evidence(v) for v in tree.values()]
    elif isinstance(tree, list | tuple):
        parts = [_evidence(v) for v in tree]
    else:
        is_number = isinstance(tree, int | float) and not isinstance(tree, bool)
        return ([float(tree)] if is_number else []), ([tree] if isinstance(tree, str) else [])
    return [n for p in parts for n in p[0]], [t for p in parts for t in p[1]]


def _odd_table() -> dict[str, Any]:
    rows = np.arange(ROWS)
    return {
        "all missing 7": [None] * ROWS,
        "constant": np.ma.array(np.full(ROWS, 12.5), mask=rows < 3),
        "near": np.where(rows == 8, 3, 4),
        "mostly": np.ma.array(_amounts(), mask=rows > 1200),
        "inf": _with(_with(_amounts(), [3, 2000], np.inf), [5], -np.inf),
        "nan": np.ma.array(_with(_amounts(), [3, 2000], np.nan), mask=rows == 9),
        "sentinel": _with(_amounts(), rows[::40], -999.25),
        "below": _with(_rng().integers(0, 50, ROWS), rows[::10], -1),
        "date": _with(np.datetime64("2024-01-01") + (rows % 300).astype("m8[D]"), [1, 2], np.datetime64("1900-01-01")),
        "heap": _with(_amounts(), rows[::3], 17.5),
        "number": [f"{i / 3:.3f}" if i % 70 else "see note 12" for i in range(ROWS)],
        "day": [f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)],
        "zip": [f"{i % 500:05d}" for i in range(ROWS)],
        "mark": [("?", "n/a", "none")[i % 3] if i % 5 == 0 else f"v{i % 7}" for i in range(ROWS)],
        "empty": ["" if i % 9 else f"v{i % 7}" for i in range(ROWS)],
        "whole": (rows % 77).astype(float),
        "texts": [f"remark {i // 2 * 7919 % 100003}" for i in range(ROWS)],
    }


def test_every_number_of_a_sentence_is_in_its_evidence() -> None:
    found = findings_of(_odd_table(), CHUNK)
    assert len({f.kind for f in found}) == 15
    for finding in found:
        numbers, texts = _evidence(finding.evidence)
        said = re.sub(r"`[^`]*`", "", finding.sentence)
        for text in texts:
            said = said.replace(f'"{text}"', "").replace(text, "")
        assert NUMBER.search(said), finding.sentence
        for token in NUMBER.findall(said):
            value = float(token.replace(",", ""))
            digits = len(token.partition(".")[2])
            shares = [round(100 * n, digits) for n in numbers]
            assert value in numbers or value in shares, f"{token} in {finding.sentence}: {finding.evidence}"


def test_each_sentence_is_one_and_names_its_column_and_an_action() -> None:
    for finding in findings_of(_odd_table(), CHUNK):
        assert f"`{finding.columns[0]}`" in finding.sentence
        assert finding.sentence.endswith(".")
        assert "\n" not in finding.sentence
        assert len(finding.sentence) < 300
        assert finding.recommendation.endswith(".")
        assert finding.log10_p is None
        assert finding.effect is None or 0 < finding.effect <= 1


def test_findings_are_ordered_and_cut_by_the_budget() -> None:
    table = _odd_table()
    every = findings_of(table, CHUNK)
    result, ctx = run_profile(table, CHUNK, budget=Budget(max_findings=4))
    assert [f.kind for f in result.findings] == [f.kind for f in every[:4]]
    assert every[0].kind == "all_missing"
    assert [(o["cap"], o["requested"]) for o in ctx.omissions] == [("max_findings", len(every))]


def test_a_second_look_is_taken_at_few_columns_and_bounded() -> None:
    table = _odd_table()
    _, ctx = run_profile(table, CHUNK)
    read = {"inf", "nan", "sentinel", "below", "date", "heap", "mark", "number", "zip", "day", "near", "constant"}
    assert set(ctx.reads) <= read
    result, ctx = run_profile(table, CHUNK, located_columns=1)
    kinds = {f.kind for f in result.findings}
    assert "sentinel_value" not in kinds
    assert "infinite_values" in kinds
    assert [o["cap"] for o in ctx.omissions] == ["located_columns"]


def test_a_clean_table_is_not_read_again() -> None:
    _, ctx = run_profile(_null_tables()[0][1], CHUNK)
    assert ctx.reads == {}


def test_long_and_awkward_names_and_values_stay_readable() -> None:
    name = "a`b|c\n<script>" + "z" * 200
    found = findings_of({name: ["x" * 500] * 10})
    assert found[0].columns == [name]
    assert len(found[0].sentence) < 400
    assert len(found[0].evidence["value"]) == 120
