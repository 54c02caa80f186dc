"""What a plugin returns is checked and brought into one form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.encoding import encode
from toolkit.plugin import Budget, Context, Finding, Inputs, Result
from toolkit.task.coverage import coverage
from toolkit.task.packaging import ResultError, checked_result, read_result

DATASET = memory_dataset({"a": np.arange(10.0), "b": ["x", "y"] * 5}, 4)


def context(**budget: int) -> Context:
    return Context(DATASET, Inputs("analysis_x", budget=Budget(**budget)))


def finding(**fields: Any) -> Finding:
    return Finding(**{"kind": "k", "columns": ["a"], "sentence": "A is so.", "recommendation": "Do so.", **fields})


def test_data_keep_all_digits_and_findings_ten() -> None:
    third = 1 / 3
    returned = Result(
        {"b": np.float64(third), "a": (np.int64(1), math.nan)}, [finding(effect=third, evidence={"x": third})]
    )
    result = checked_result(returned, "analysis", context())
    assert result.data == {"a": [1, None], "b": third}
    assert list(result.data) == ["a", "b"]
    assert result.findings[0].effect == 0.3333333333
    assert result.findings[0].evidence == {"x": 0.3333333333}


def test_reported_tests_count_at_least() -> None:
    result = checked_result(Result(findings=[finding(log10_p=-3.0), finding()]), "analysis", context())
    assert result.n_tests == 1
    assert checked_result(Result(n_tests=7, findings=[finding(log10_p=-3.0)]), "analysis", context()).n_tests == 7


def test_too_many_findings_are_cut_and_said() -> None:
    findings = [finding(sentence=f"Number {i}.") for i in range(5)]
    result = checked_result(Result(findings=findings), "analysis", context(max_findings=3))
    assert [f.sentence for f in result.findings] == ["Number 0.", "Number 1.", "Number 2."]
    assert result.omitted[0]["what"] == "2 of 5 findings left out by max_findings: 3"


WRONG: dict[str, tuple[Any, str]] = {
    "no result": ({"a": 1}, "it returned a dict"),
    "nothing": (None, "it returned a NoneType"),
    "a set": (Result({"a": {1, 2}}), "set has no canonical JSON form"),
    "bytes": (Result({"a": b"x"}), "bytes has no canonical JSON form"),
    "a finding that is a dict": (Result(findings=[{"kind": "k"}]), "holds a dict"),  # type: ignore[list-item]
    "a finding without words": (Result(findings=[finding(sentence=" ")]), "has no sentence"),
    "a reference in words": (Result(findings=[finding(references=["Student (1908)"])]), "is no DOI"),
    "an address": (Result(findings=[finding(references=["https://doi.org/10.1000/182"])]), "is no DOI"),
    "a finding without advice": (Result(findings=[finding(recommendation="")]), "has no recommendation"),
    "a column that is not there": (Result(findings=[finding(columns=["c"])]), "column 'c', which does not exist"),
    "a p over 1": (Result(findings=[finding(log10_p=0.5)]), "p is at most 1"),
    "files": (Result(files={"a.txt": b""}), "can't"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_result_is_refused(name: str) -> None:
    returned, words = WRONG[name]
    with pytest.raises(ResultError, match=words):
        checked_result(returned, "analysis", context())


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "", "run.json", "x" * 200, "a\0b"])
def test_a_file_can_not_leave_the_folder(name: str) -> None:
    with pytest.raises(ResultError, match="can't be the name of a file"):
        checked_result(Result(files={name: b""}), "report", context())


def test_a_partial_read_gives_no_findings() -> None:
    ctx = context()
    next(ctx.dataset_iter_batches(["a"], row_limit=3))
    assert checked_result(Result({"n": 3}), "analysis", ctx).data == {"n": 3}
    with pytest.raises(ResultError, match="only the first 3 rows"):
        checked_result(Result(findings=[finding()]), "analysis", ctx)


def test_what_another_process_sent_is_checked_again() -> None:
    good = Result({"a": [1, 2.5]}, [finding(interval=(0.1, 0.2))], 3)
    assert read_result(encode(good.to_json()), "analysis") == good
    bad: list[Any] = [
        b"garbage",
        encode([1]),
        encode({}),
        encode({**good.to_json(), "data": [1]}),
        encode({**good.to_json(), "more": 1}),
        encode({**good.to_json(), "findings": [{"kind": "k"}]}),
        encode({**good.to_json(), "files": {"a": "text"}}),
        encode({**good.to_json(), "findings": [finding(references=["Student (1908)"]).to_json()]}),
    ]
    for data in bad:
        with pytest.raises(ResultError):
            read_result(data, "analysis")


def test_coverage_counts_what_was_read() -> None:
    full = coverage(DATASET, {"a": {0, 1, 2}}, ["b"])
    assert {k: full[k] for k in ("rows", "of_rows", "columns", "chunks", "complete")} == {
        "rows": 10, "of_rows": 10, "columns": 2, "chunks": 6, "complete": True,
    }  # fmt: skip
    part = coverage(DATASET, {"a": {0, 2}}, [])
    assert (part["rows"], part["chunks"], part["complete"]) == (6, 2, False)
    assert coverage(DATASET, {"a": {0, 1, 2}}, [], row_limit=5)["complete"] is False
    assert coverage(DATASET, {}, []) == {}
    digests = {coverage(DATASET, {"a": c}, s)["digest"] for c, s in [({0}, []), ({0, 1}, []), ({0}, ["b"])]}
    assert len(digests) == 3


def test_coverage_certifies_the_content() -> None:
    other = memory_dataset({"a": np.arange(10.0) + 1, "b": ["x", "y"] * 5}, 4)
    assert coverage(other, {"b": {0}}, [])["digest"] == coverage(DATASET, {"b": {0}}, [])["digest"]
    assert coverage(other, {"a": {0}}, [])["digest"] != coverage(DATASET, {"a": {0}}, [])["digest"]
