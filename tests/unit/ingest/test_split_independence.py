"""The type of a column and the key of its store don't depend on where the source is cut into parts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.ingest.table_truth import tree
from toolkit.ingest.evidence import Decision, decide
from toolkit.ingest.pipeline import Converted, ConvertSettings, convert_source
from toolkit.ingest.staging import stage
from toolkit.ingest.text_types import infer
from toolkit.readers.base import Part, SourceColumn
from toolkit.storage.appdata import AppData

VALUES: list[str | None] = [
    None, "", " ", "NA", "NULL", "x", "true", "False", "0", "1", "-1", "-0", "7 ", " 8", "007", "+5", "255", "256",
    "9007199254740992", "9007199254740993", "-9223372036854775808", "9223372036854775807", "18446744073709551615",
    "-18446744073709551615", "12345678901234567890123", "10000000000000000000000", "1.5", "-0.0", "1e5", "1e400",
    "1e-400", "nan", "NaN", "inf", "-inf", "0.1", "1.", ".5", "0x1f", "1_000", "1,000", "2020-02-29", "2021-02-29",
    "2020-02-29 10:00", "2020-02-29T10:00:00", "2020-02-29 10:00:00.5", "2020-02-29 10:00:00.123456",
    "2020-02-29 10:00:00.123456789", "2020-02-29 10:00:00.123456000", "1600-01-01 00:00:00", "1600-01-01",
    "9999-12-31 23:59:59", "2020-02-29T10:00:00Z", "2020-02-29T10:00:00+02:00", "2020-02-29T10:00:00.123456789Z",
    "1600-01-01T00:00:00Z", "10:00", "10:00:00", "10:00:00.25", "24:00", "23:59:60", "1e2",
]  # fmt: skip
short_columns = st.one_of(
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=12),
    st.lists(st.sampled_from(VALUES[1:31]), min_size=1, max_size=12),
    st.lists(st.sampled_from([None, *VALUES[41:]]), min_size=1, max_size=12),
)
# types are tried on the first values, of which there may be many of one kind
columns = st.builds(
    lambda values, times: values[:1] * times + values[1:], short_columns, st.sampled_from([1, 1, 1, 7, 65, 4100])
)
cuts = st.lists(st.integers(0, 12) | st.sampled_from([64, 65, 66, 4096, 4100, 4101]), max_size=4)


class SplitColumn:
    """A column of text, handed out in runs of rows."""

    def __init__(self, values: Sequence[str | None], cuts: Sequence[int]) -> None:
        self.options: dict[str, Any] = {}
        self.notes: list[str] = []
        self.columns: Sequence[SourceColumn] = [SourceColumn("v", infer=True)]
        edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
        self._runs = [list(values[a:b]) for a, b in pairwise(edges)]

    def parts(self) -> Any:
        for index, run in enumerate(self._runs):
            yield Part(index, run, 1)

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        return pa.table({str(i): pa.array(part.payload, pa.string()) for i in columns})

    def fingerprint(self) -> str:
        return ""

    def progress(self) -> tuple[int, int]:
        return 0, 1

    def close(self) -> None:
        pass


def converted(values: Sequence[str | None], cuts: Sequence[int], appdata: Path) -> Converted:
    source = SplitColumn(values, cuts)
    place = AppData(appdata)
    with place.workspace() as work:
        return convert_source(source, place, work, ConvertSettings(chunk_rows=5), lambda *_: None, what="the column")


def decided(values: Sequence[str | None], cuts: Sequence[int], folder: Path) -> Decision:
    """What the first look at the parts leads to."""
    parts = [p.payload for p in SplitColumn(values, cuts).parts()]
    staged = [stage([infer(pa.array(run, pa.string()))], len(run), folder / "part-0.arrow") for run in parts]
    return decide([s.evidence[0] for s in staged], inferred=True)


split_examples = [
    (["1600-01-01 00:00:00", "2020-02-29 10:00:00.123456789"], [1]),
    (["1600-01-01 00:00:00", "2020-02-29 10:00:00.123456000"], [1]),
    (["9007199254740993", "1.5"], [1]),
    (["NA", "1"], [1]),
    (["NA", "x"], [1]),
    (["NA", "2020-02-29 10:00"], [1]),
    (["12345678901234567890123", "-0"], [1]),
    (["-1", "18446744073709551615"], [1]),
    (["1"] * 70 + ["12345678901234567890123"], [70]),
    ([None] * 5000 + ["1", "NA", "x"], [5001]),
    (["NA"] * 5000 + ["1"], [5000]),
    ([""] * 70 + ["2020-02-29"], [70]),
]


@settings(max_examples=300)
@given(values=columns, cuts=cuts)
def test_any_split_leads_to_the_same_type(
    values: list[str | None], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole, split = decided(values, [], folder), decided(values, cuts, folder)
    assert (whole.kind, whole.timezone, whole.unit, whole.dtype, whole.missing) == (
        split.kind,
        split.timezone,
        split.unit,
        split.dtype if split.kind != "string" else whole.dtype,
        split.missing if not split.again else whole.missing,
    )


def same_store(values: list[str | None], cuts: list[int], base: Path) -> None:
    whole, split = converted(values, [], base / "whole"), converted(values, cuts, base / "split")
    assert whole.manifest.key == split.manifest.key
    assert tree(whole.path) == tree(split.path)


@pytest.mark.parametrize(("values", "cuts"), split_examples)
def test_awkward_splits_lead_to_the_same_store(values: list[str | None], cuts: list[int], tmp_path: Path) -> None:
    same_store(values, cuts, tmp_path)


@settings(max_examples=25)
@given(values=columns, cuts=cuts)
def test_any_split_leads_to_the_same_store(
    values: list[str | None], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    same_store(values, cuts, tmp_path_factory.mktemp("split"))


@pytest.mark.slow
@settings(max_examples=500)
@given(values=columns, cuts=cuts)
def test_any_of_many_splits_leads_to_the_same_store(
    values: list[str | None], cuts: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    same_store(values, cuts, tmp_path_factory.mktemp("split"))
