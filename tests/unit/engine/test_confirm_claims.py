"""Claims: read from a plugin's file, and calculated from rows as pandas would, in the named chunks alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.errors import BadInputError
from toolkit.engine.confirm.claims import UncheckableError, UnknownPartError, claims_of, load_claims
from toolkit.engine.confirm.recompute import named_chunks, recompute
from toolkit.engine.discovery import discover
from toolkit.storage.dataset import Dataset

ROWS, CHUNK = 100, 30
_RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "x": np.where(_RNG.random(ROWS) < 0.1, np.nan, 1e9 + _RNG.normal(size=ROWS)),
        "y": _RNG.integers(0, 5, ROWS).astype(float),
        "n": _RNG.integers(-3, 4, ROWS),
        "c": _RNG.choice(["red", "green", "blue"], ROWS),
    }
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return memory_dataset(
        {name: FRAME[name].tolist() if name == "c" else FRAME[name].to_numpy() for name in FRAME}, CHUNK
    )


def calculated(dataset: Dataset, claim: dict[str, Any], chunks: list[int] | None = None, **evidence: Any) -> Any:
    """What a claim on a finding with this evidence comes to."""
    finding = {"kind": "k", "columns": ["x", "c"], "effect": None, "evidence": {"said": 0, **evidence}}
    (made,) = claims_of(finding, {"k": [{"says": "said", **claim}]})
    return recompute(made, dataset, range(dataset.grid.n_chunks) if chunks is None else chunks)


class TestCalculations:
    def test_counts_meet_every_condition(self, dataset: Dataset) -> None:
        claim = {"count": [["n", "above", "$low"], ["n", "at most", 2], ["c", "is", "red"]]}
        expected = ((FRAME.n > -1) & (FRAME.n <= 2) & (FRAME.c == "red")).sum()
        assert calculated(dataset, claim, low=-1) == expected > 0

    def test_nan_is_no_value(self, dataset: Dataset) -> None:
        assert calculated(dataset, {"count": [["$columns.0", "is present"]]}) == FRAME.x.notna().sum() < ROWS

    def test_first_and_last_rows(self, dataset: Dataset) -> None:
        at = np.flatnonzero(FRAME.n == 3)
        assert calculated(dataset, {"first_row": [["n", "is", 3]]}) == at[0]
        assert calculated(dataset, {"last_row": [["n", "is", 3]]}) == at[-1]

    def test_mean_and_ends_of_a_group(self, dataset: Dataset) -> None:
        group = FRAME[FRAME.c == "blue"]
        where = [["c", "is", "blue"]]
        assert calculated(dataset, {"mean": "y", "where": where}) == pytest.approx(group.y.mean(), rel=1e-14)
        assert calculated(dataset, {"min": "n", "where": where}) == group.n.min()
        assert calculated(dataset, {"max": "x", "where": where}) == group.x.max()

    def test_correlation_keeps_its_digits_far_from_zero(self, dataset: Dataset) -> None:
        """The numbers are near 10^9, where sums of squares would have lost all digits of the spread."""
        expected = FRAME.x.sub(1e9).corr(FRAME.y)
        assert calculated(dataset, {"r": ["x", "y"]}) == pytest.approx(expected, rel=1e-6)

    def test_named_rows_and_chunks_alone_are_read(self, dataset: Dataset) -> None:
        reads: set[tuple[str, int]] = set()
        fresh = dataset.unread()
        fresh.on_read = lambda column, chunk: reads.add((column, chunk))
        assert calculated(fresh, {"count": [["n", "at least", -3]], "rows": "$rows"}, rows=[[35, 40], [58, 62]]) == 11
        assert reads == {("n", 1), ("n", 2)}
        reads.clear()
        assert calculated(fresh, {"count": [["n", "at least", -3]]}, [3]) == 10
        assert reads == {("n", 3)}

    def test_equal_rows_and_single_values(self, dataset: Dataset) -> None:
        pairs = [[0, 1], [2, 2], [40, 99]]
        expected = sum(FRAME.n[a] == FRAME.n[b] and FRAME.c[a] == FRAME.c[b] for a, b in pairs)
        assert calculated(dataset, {"equal_rows": ["n", "c"], "pairs": "$pairs"}, pairs=pairs) == expected
        assert calculated(dataset, {"value": "n", "row": 77}) == FRAME.n[77]
        ranges = {"rows": [[0, 9]], "repeats": [[50, 59]]}
        expected = (FRAME.n[:10].to_numpy() == FRAME.n[50:60].to_numpy()).sum()
        assert calculated(dataset, {"equal_rows": ["n"], "rows": "$rows", "repeats": "$repeats"}, **ranges) == expected

    @pytest.mark.parametrize(
        "claim",
        [
            {"count": [["absent", "is", 1]]},
            {"count": [["c", "is", "a group of rare values"]]},
            {"count": [["c", "above", 1]]},
            {"mean": "c"},
            {"value": "n", "row": ROWS},
            {"equal_rows": ["n"], "pairs": [[0, -1]]},
        ],
    )
    def test_what_can_not_be_calculated_is_said(self, dataset: Dataset, claim: dict[str, Any]) -> None:
        with pytest.raises(UncheckableError):
            calculated(dataset, claim)


def test_each_item_is_a_claim() -> None:
    stated = {"k": [{"each": "$cells", "says": "item.rows", "count": [["c", "is", "$item.value"]]}]}
    cells = [{"rows": 3, "value": "red"}, {"rows": 4, "value": "blue"}]
    finding = {"kind": "k", "columns": [], "effect": None, "evidence": {"cells": cells}}
    found = list(claims_of(finding, stated))
    assert [(c.name, c.says, c.where) for c in found] == [
        ("cells.0.rows", 3, [["c", "is", "red"]]),
        ("cells.1.rows", 4, [["c", "is", "blue"]]),
    ]


def test_a_part_that_the_finding_lacks_is_named() -> None:
    finding = {"kind": "k", "columns": [], "effect": None, "evidence": {}}
    with pytest.raises(UnknownPartError, match=r"columns\.0"):
        list(claims_of(finding, {"k": [{"says": "effect", "mean": "$columns.0"}]}))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"chunks": [2]}, [2]),
        ({"chunks": [2, 1], "chunks_with_it": 2}, [1, 2]),
        ({"chunks": [1], "chunks_with_it": 4}, [0, 1, 2, 3]),
        ({"chunks": [9]}, [0, 1, 2, 3]),
    ],
)
def test_named_chunks_where_all_are_named(dataset: Dataset, evidence: dict[str, Any], expected: list[int]) -> None:
    assert named_chunks(evidence, dataset) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("k: 3", "line 1: k takes a list of claims"),
        ("k:\n  - {says: a, sums: x}", "does not know 'sums'"),
        ("k:\n  - {says: a}", "line 2: it takes says and one calculation"),
        ("k:\n  - {says: a, min: x, max: x}", "one calculation"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "claims.yaml").write_text(text)
    with pytest.raises(BadInputError, match=problem):
        load_claims(tmp_path)


@pytest.mark.parametrize("plugin", discover([]).values(), ids=lambda m: m.id)
def test_claims_that_ship_are_read(plugin: Any) -> None:
    for kind, claims in load_claims(plugin.folder).items():
        code = "".join(path.read_text() for path in sorted(plugin.folder.glob("*.py")))
        assert claims
        made = f'"{kind}"' in code or f'"{kind.rpartition("_")[0]}_{{' in code
        assert made, f"{plugin.id} finds no {kind}"
