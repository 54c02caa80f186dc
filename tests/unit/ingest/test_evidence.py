"""One decision from what the parts of a column say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.ingest.evidence import Evidence, decide, narrowest

INT = Evidence("int", rows=5, missing=1, low=0, high=300)
NULL = Evidence("null", rows=3, missing=3)


def test_missing_values_are_summed_and_the_type_is_the_narrowest() -> None:
    found = decide([INT, NULL, Evidence("int", 2, 0, low=-1, high=1)], inferred=True)
    assert (found.kind, found.dtype, found.missing, found.again) == ("int", "<i2", 4, ())
    assert "6 values present" in found.reason


def test_a_column_without_values_is_null() -> None:
    assert decide([NULL], inferred=True).kind == "null"


def test_only_words_for_missing_values_are_text() -> None:
    words = Evidence("null", 3, 3, spelled={"NA": 3})
    found = decide([words, NULL], inferred=True)
    assert (found.kind, found.again) == ("string", (0,))
    among_numbers = decide([words, INT], inferred=True)
    assert (among_numbers.kind, among_numbers.again) == ("int", ())
    assert "'NA' 3 times" in among_numbers.reason


def test_text_in_one_part_makes_the_others_be_read_again() -> None:
    found = decide([INT, Evidence("string", 1, 0), NULL], inferred=True)
    assert (found.kind, found.again) == ("string", (0,))
    assert "int, string" in found.reason


def test_integers_beyond_both_ends_of_64_bits_are_decimals() -> None:
    low, high = Evidence("int", 1, 0, low=-1, high=-1), Evidence("int", 1, 0, low=2**64 - 1, high=2**64 - 1)
    assert decide([low, high], inferred=True).kind == "decimal"
    assert decide([high], inferred=True).dtype == "<u8"


def test_integers_beside_floats_must_be_exact_as_such() -> None:
    floats = Evidence("float", 1, 0)
    assert decide([INT, floats], inferred=True).kind == "float"
    large = Evidence("int", 1, 0, low=2**53 + 1, high=2**53 + 1, as_float=False)
    found = decide([large, floats], inferred=True)
    assert (found.kind, found.again) == ("string", (0, 1))


def test_the_finest_unit_is_that_of_the_column() -> None:
    times = [Evidence("timestamp", 1, 0, unit="s"), Evidence("timestamp", 1, 0, unit="ms"), Evidence("date", 1, 0)]
    found = decide(times, inferred=True)
    assert (found.kind, found.unit) == ("timestamp", "ms")


def test_nanoseconds_and_far_away_years_are_text() -> None:
    fine = Evidence("timestamp", 1, 0, unit="us", low=0, high=0, fine=True)
    far = Evidence("date", 1, 0, low=-(10**19), high=-(10**19))
    assert decide([fine, far], inferred=True).kind == "string"
    assert decide([fine], inferred=True).kind == "timestamp"


def test_instants_and_local_times_do_not_mix() -> None:
    instant, local = Evidence("timestamp", 1, 0, timezone="UTC", unit="s"), Evidence("timestamp", 1, 0, unit="s")
    assert decide([instant, local], inferred=True).kind == "string"
    assert decide([instant], inferred=True).timezone == "UTC"


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_the_narrowest_type_holds_the_range_and_no_narrower_does(a: int, b: int) -> None:
    import numpy as np

    low, high = min(a, b), max(a, b)
    found = np.iinfo(narrowest(low, high))
    assert found.min <= low <= high <= found.max
    smaller = [np.iinfo(f"{found.kind}{n}") for n in (1, 2, 4) if n < found.bits // 8]
    assert not any(s.min <= low and high <= s.max for s in smaller)


def test_a_range_beyond_64_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="no integer dtype"):
        narrowest(-1, 2**64)
