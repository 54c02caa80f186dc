from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.blocks import block_of_rows
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(4)
ROWS = 9_000
GROUP = [None if gone else f"g{i}" for i, gone in zip(RNG.zipf(1.5, ROWS) % 40, RNG.random(ROWS) < 0.1, strict=True)]
VALUE = RNG.normal(size=ROWS) + np.array([len(g or "") for g in GROUP])


def moments(group: Any, value: Any, chunk_rows: int = 1_000, **params: Any) -> tuple[dict[str, Any], list[str]]:
    """Result of the kernel, and the names of the groups."""
    dataset = memory_dataset({"g": group, "v": value}, chunk_rows)
    (found,) = compute(dataset, [request("group_moments", "g", "v", **params)]).values()
    categories = dataset.categories("g")
    return found, ["(other)" if c < 0 else categories[c] for c in found["groups"]["values"]]


def pooled(names: list[str]) -> pd.Series:
    return pd.Series([g if g in names or g is None else "(other)" for g in GROUP]).fillna("(missing)")


@pytest.mark.parametrize("levels", [8, 64])
@pytest.mark.parametrize("kind", ["float", "missing", "int16", "int64"])
def test_equals_pandas(kind: str, levels: int) -> None:
    values: Any = {
        "float": np.where(RNG.random(ROWS) < 0.01, np.inf, VALUE),
        "missing": np.ma.array(VALUE, mask=RNG.random(ROWS) < 0.2),
        "int16": np.round(VALUE * 10).astype(np.int16),
        "int64": np.round(VALUE * 10).astype(np.int64) + 2**61,
    }[kind]
    found, names = moments(GROUP, values, levels=levels)
    shift = 2**61 if kind == "int64" else 0
    numbers = (np.ma.getdata(values) - shift).astype(float)
    plain = pd.Series(np.where(np.ma.getmaskarray(values) | np.isinf(numbers), np.nan, numbers))
    grouped = plain.groupby(pooled(names))
    order = [*names, "(missing)"]
    assert found["n"].tolist() == grouped.count().reindex(order).tolist()
    np.testing.assert_allclose(found["m2"], (grouped.var(ddof=0) * grouped.count()).reindex(order), rtol=1e-11)
    present = pooled(names) != "(missing)"
    centre = plain[present].mean()
    np.testing.assert_allclose(found["offset"], grouped.mean().reindex(order) - centre, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["total"]["m2"], plain[present].var(ddof=0) * plain[present].count(), rtol=1e-11)


def test_blocks_are_those_of_the_rows() -> None:
    found, names = moments(GROUP, VALUE, 730)
    where = block_of_rows(0, ROWS, ROWS)
    for block in (0, 31, 63):
        rows = (where == block) & (pooled(names) == "g1").to_numpy()
        place = names.index("g1")
        assert found["blocks"]["n"][block, place] == rows.sum()
        np.testing.assert_allclose(found["blocks"]["mean"][block, place], VALUE[rows].mean(), rtol=1e-12)


@pytest.mark.parametrize("chunk_rows", [1, 50, 10_000])
def test_groups_far_apart_keep_their_digits(chunk_rows: int) -> None:
    """Means 1e12 apart, and one group first seen in an outlier: no common pivot would do."""
    n = 600
    group = ["a", "b"] * (n // 2)
    noise = RNG.integers(0, 8, n) / 8
    values = np.where(np.arange(n) % 2 == 0, noise, 1e12 + noise)
    found, _ = moments(group, values, chunk_rows)
    for place, start in enumerate((0, 1)):
        own = noise[start::2]
        np.testing.assert_allclose(found["m2"][place], ((own - own.mean()) ** 2).sum(), rtol=1e-13)


def test_a_constant_group_has_no_spread() -> None:
    found, _ = moments(["a", "b"] * 500, np.where(np.arange(1000) % 2 == 0, 0.1, RNG.normal(size=1000)), 77)
    assert found["m2"][0] == 0.0
    assert found["mean"][0] == 0.1


@pytest.mark.parametrize("size", [1e300, 1e-250])
def test_very_large_and_very_small_values(size: float) -> None:
    group, values = ["a", "b"] * 500, RNG.normal(size=1000)
    found, plain = moments(group, values * size, 90)[0], moments(group, values, 90)[0]
    np.testing.assert_allclose(found["mean"] / size, plain["mean"], rtol=1e-12)
    assert np.isinf(found["m2"][:2]).all() if size > 1 else (found["m2"][:2] == 0).all()
    np.testing.assert_allclose(found["offset"] / size, plain["offset"], rtol=1e-12)


def test_distances_from_medians() -> None:
    values = np.round(VALUE, 1)  # few values, so that the medians are exact
    found, names = moments(GROUP, values, about="median")
    groups = pooled(names)
    for place, name in enumerate(names[:5]):
        own = values[(groups == name).to_numpy()]
        distances = np.abs(own - np.median(own))
        assert found["n"][place] == own.size
        np.testing.assert_allclose(found["mean"][place], distances.mean(), rtol=1e-12)
        np.testing.assert_allclose(found["m2"][place], distances.var() * own.size, rtol=1e-10)
    with pytest.raises(UsageError, match="about: mean or median, not 'mode'"):
        moments(GROUP, values, about="mode")


def test_one_changed_value_in_the_last_row_changes_its_group() -> None:
    changed = VALUE.copy()
    changed[-1] += 1
    first, second = (moments(GROUP, v)[0]["m2"] for v in (VALUE, changed))
    assert np.count_nonzero(first != second) == 1
