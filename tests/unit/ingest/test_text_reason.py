"""Why a column is text: the record names a value that is of no other type."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from toolkit.ingest.text_reason import _PLAIN_TEXT
from toolkit.ingest.text_types import NULL_SPELLINGS, infer


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1"] * 5000 + ["x"], "5,001 values present are text: 'x' is neither a boolean, a number, a date nor a time"),
        (["2023-02-28", "2023-02-30"], "'2023-02-30' is neither"),
        (["1", "007"], "'007' has leading zeros, which a number would lose"),
        (["1,234", "5"], "'1,234' is no number, unless --option thousands says"),
        (["1", "2020-01-01"], "its values read as several types; only text holds all of them"),
        (["1"] * 5000 + ["2020-01-01"] * 5000, "; only text holds all of them"),
        (["é" * 100], f"'{'é' * 39}…' is neither"),
        (["+1", "nan"], "'+1' is neither"),
    ],
)
@pytest.mark.parametrize("max_memory", [None, 1])
def test_the_record_names_the_value(values: list[str], said: str, max_memory: int | None, tmp_path: Path) -> None:
    lines = "".join(f'"{v}";{i}\n' for i, v in enumerate(values))
    (tmp_path / "t.csv").write_text("a;b\n" + lines, "utf-8")
    toolkit.convert_table(tmp_path / "t.csv", appdata=tmp_path / "ad", max_memory=max_memory).close()
    (record,) = (tmp_path / "ad" / "sources").iterdir()
    why = {t["column"]: t["why"] for t in json.loads(record.read_text("utf-8"))["types"]}
    assert said in why["a"]
    assert why["b"].endswith("values present are of this type")


@given(st.text(st.sampled_from("0123456789+-.:eEtrufalsTZ naif/,é'"), min_size=1, max_size=8))
def test_what_is_text_at_a_glance_is_text(value: str) -> None:
    if value not in NULL_SPELLINGS and _PLAIN_TEXT.search(value):
        assert infer(pa.array([value], pa.string())).kind == "string"
