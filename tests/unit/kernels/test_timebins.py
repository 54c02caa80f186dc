from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.memory_store import memory_dataset
from toolkit.core.errors import UsageError
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(9)
ROWS = 6_000
START = np.datetime64("1969-12-30T05:00:00", "us")
TIMES = START + RNG.integers(0, 5 * 86_400 * 10**6, ROWS).astype("m8[us]")
TIMES[::50] = np.datetime64("NaT")
VALUE = np.where(RNG.random(ROWS) < 0.05, np.nan, 1e6 + RNG.normal(size=ROWS))
GROUP = [None if i % 9 == 0 else f"g{i % 4}" for i in range(ROWS)]


def bins(columns: dict[str, Any], chunk_rows: int = 700, **params: Any) -> dict[str, Any]:
    (found,) = compute(memory_dataset(columns, chunk_rows), [request("timebins", *columns, **params)]).values()
    return found


@pytest.mark.parametrize("chunk_rows", [50, 700, 10_000])
@pytest.mark.parametrize("most", [24, 4096])
def test_equals_resampling(chunk_rows: int, most: int) -> None:
    found = bins({"t": TIMES, "v": VALUE}, chunk_rows, max_bins=most)
    assert found["step"] == (6 * 3600 if most == 24 else 300) * 10**9
    frame = pd.DataFrame({"v": VALUE}, index=pd.DatetimeIndex(TIMES)).loc[lambda f: f.index.notna()]
    start = pd.Timestamp(found["start"])
    grouped = frame.groupby((frame.index - start) // pd.Timedelta(found["step"]))["v"]
    places = range(found["rows"].shape[1])
    assert found["rows"][0].tolist() == grouped.size().reindex(places, fill_value=0).tolist()
    assert found["untimed"] == ROWS // 50
    values = found["values"]["v"]
    timed = np.flatnonzero(~np.isnat(TIMES))
    rows_of = pd.Series(timed).groupby((frame.index - start) // pd.Timedelta(found["step"]))
    for name, expected in (("first", rows_of.min()), ("last", rows_of.max())):
        assert found[name][0].tolist() == expected.reindex(places, fill_value=-1).tolist()
    assert values["n"][0].tolist() == grouped.count().reindex(places, fill_value=0).tolist()
    for name, expected in (("mean", grouped.mean()), ("min", grouped.min()), ("max", grouped.max())):
        np.testing.assert_allclose(values[name][0], expected.reindex(places), rtol=1e-12)
    spread = (grouped.var(ddof=0) * grouped.count()).reindex(places)
    np.testing.assert_allclose(values["m2"][0], spread, rtol=1e-9, atol=1e-9)


def test_groups() -> None:
    found = bins({"t": TIMES, "g": GROUP}, max_bins=10)
    timed = ~np.isnat(TIMES)
    for place, name in enumerate(["g0", "g1", "g2", "g3", None]):
        expected = sum(t and g == name for t, g in zip(timed.tolist(), GROUP, strict=True))
        assert found["rows"][place].sum() == expected
    assert found["values"] == {}


def test_several_numbers_are_as_each_alone() -> None:
    other = np.arange(ROWS) % 17
    together = bins({"t": TIMES, "v": VALUE, "g": GROUP, "o": other}, max_bins=300)["values"]
    for name, values in (("v", VALUE), ("o", other)):
        alone = bins({"t": TIMES, "x": values, "g": GROUP}, max_bins=300)["values"]["x"]
        for field, expected in alone.items():
            np.testing.assert_array_equal(together[name][field], expected)


def test_one_bin_of_times_before_and_after_the_epoch() -> None:
    times = np.array([-5, 5], "M8[s]")
    assert bins({"t": times}, max_bins=1)["rows"].tolist() == [[1, 1]]


@pytest.mark.parametrize("unit", ["D", "ms"])
def test_other_units_and_given_steps(unit: str) -> None:
    times = np.array([-1, 0, 1, 2, 2, 40], f"M8[{unit}]")
    step = 2 * int(np.timedelta64(1, unit) / np.timedelta64(1, "ns"))
    found = bins({"t": times}, 2, step=step)
    assert (found["step"], found["start"]) == (step, -step)
    assert found["rows"][0, :3].tolist() == [1, 2, 2]
    assert found["rows"].shape == (1, 22)
    with pytest.raises(UsageError, match="more than 5 bins"):
        bins({"t": times}, 2, step=step, max_bins=5)
    with pytest.raises(UsageError, match="don't divide"):
        bins({"t": times}, 2, step=step // 2 + 7)


def test_a_column_without_times() -> None:
    found = bins({"t": np.array(["NaT", "NaT"], "M8[s]"), "v": [1.0, 2.0]})
    assert (found["rows"].tolist(), found["untimed"]) == ([[0]], 2)
