"""The check of a column's fields, against the library that checks whole reports."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.report.sample_report import COLUMNS, DATASET, outcomes
from toolkit.report.conformity import conforms
from toolkit.report.model import build_report
from toolkit.report.schema import report_schema

COLUMN = report_schema()["$defs"]["column"]
FIELDS = {k: v for k, v in COLUMN["properties"].items() if k not in ("name", "kind")}

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "0", "full", "id"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["0", "0.5", "value", "count", "edges", "counts", "length"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(FIELDS)), plain)
def test_it_says_what_the_library_says(name: str, value: Any) -> None:
    schema = {**FIELDS[name], "$defs": report_schema()["$defs"]}
    assert conforms(value, FIELDS[name]) == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "columns",
    [5, [5], [{"name": 3}], [{}], [{"name": "price", "count": "many", "top": 7, "quantiles": [1], "mean": 2.5}]],
)
def test_of_a_profile_only_what_conforms_enters_the_report(columns: Any) -> None:
    changed = outcomes()
    for outcome in changed:
        if outcome["type"] == "profile":
            outcome["data"] = {"columns": columns}
    report = build_report(DATASET, COLUMNS, changed)
    price = next(c for c in report["columns"] if c["name"] == "price")
    assert (price["count"], price["top"], price["quantiles"]) == (None, [], {})
    named = isinstance(columns, list) and columns[0] != 5 and columns[0].get("name") == "price"
    assert price["mean"] == (2.5 if named else None)
