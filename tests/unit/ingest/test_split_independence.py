"""The type of a column and the key of its store don't depend on where the source is cut into parts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from toolkit.ingest.evidence import Decision, decide
from toolkit.ingest.pipeline import ConvertSettings, Converted, convert_source
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
columns = st.one_of(
    st.lists(st.sampled_from(VALUES), min_size=1, max_size=12),
    st.lists(st.sampled_from(VALUES[1:31]), min_size=1, max_size=12),
    st.lists(st.sampled_from([None, *VALUES[41:]]), min_size=1, max_size=12),
)
cuts = st.lists(st.integers(0, 12), max_size=4)


class SplitColumn:
    """A column of text, handed out in runs of rows."""

    options: dict[str, Any] = {}
    notes: list[str] = []
    columns: Sequence[SourceColumn] = [SourceColumn("v", infer=True)]

    def __init__(self, values: Sequence[str | None], cuts: Sequence[int]) -> None:
        edges = sorted({0, len(values), *(c for c in cuts if c < len(values))})
        self._runs = [list(values[a:b]) for a, b in zip(edges, edges[1:], strict=False)]

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
    return convert_source(source, AppData(appdata), ConvertSettings(chunk_rows=5), lambda *_: None, what="the column")


def content(found: Converted) -> dict[str, bytes]:
    return {str(p.relative_to(found.path)): p.read_bytes() for p in sorted(found.path.rglob("*")) if p.is_file()}


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values=columns, cuts=cuts)
@example(values=["1600-01-01 00:00:00", "2020-02-29 10:00:00.123456789"], cuts=[1])
@example(values=["1600-01-01 00:00:00", "2020-02-29 10:00:00.123456000"], cuts=[1])
@example(values=["9007199254740993", "1.5"], cuts=[1])
@example(values=["NA", "1"], cuts=[1])
@example(values=["NA", "x"], cuts=[1])
@example(values=["12345678901234567890123", "-0"], cuts=[1])
@example(values=["-1", "18446744073709551615"], cuts=[1])
def test_any_split_leads_to_the_same_store(
    values: list[str | None], cuts: list[int], tmp_path_factory: Any
) -> None:
    base = tmp_path_factory.mktemp("split")
    whole, split = converted(values, [], base / "whole"), converted(values, cuts, base / "split")
    (_, _, one), (_, _, other) = whole.decisions[0], split.decisions[0]
    assert (one.kind, one.timezone, one.unit, one.dtype, one.missing) == (
        other.kind, other.timezone, other.unit, other.dtype, other.missing,
    )  # fmt: skip
    assert whole.manifest.key == split.manifest.key
    assert content(whole) == content(split)
