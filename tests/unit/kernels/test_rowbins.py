from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.memory_store import memory_dataset
from toolkit.kernels.base import request
from toolkit.kernels.waves import compute

ROWS = 5_003
RNG = np.random.default_rng(3)
VALUE = np.where(RNG.random(ROWS) < 0.05, np.nan, 1e6 + RNG.normal(size=ROWS))
COUNT = np.ma.array(RNG.integers(0, 9, ROWS), mask=RNG.random(ROWS) < 0.1)


@pytest.mark.parametrize("chunk_rows", [50, 701, 10_000])
@pytest.mark.parametrize("blocks", [1, 64, 1000, 9000])
def test_equals_grouping_by_block(chunk_rows: int, blocks: int) -> None:
    dataset = memory_dataset({"v": VALUE, "c": COUNT}, chunk_rows)
    (found,) = compute(dataset, [request("rowbins", "v", "c", blocks=blocks)]).values()
    count = min(blocks, ROWS)
    edges = np.array([i * ROWS // count for i in range(count + 1)])
    assert found["first"].tolist() == edges[:-1].tolist()
    assert found["last"].tolist() == (edges[1:] - 1).tolist()
    assert found["rows"].tolist() == np.diff(edges).tolist()
    block = np.repeat(np.arange(count), np.diff(edges))
    for name, column in (("v", pd.Series(VALUE)), ("c", pd.Series(COUNT.astype(float).filled(np.nan)))):
        grouped, values = column.groupby(block), found["values"][name]
        assert values["n"].tolist() == grouped.count().tolist()
        for field, expected in (("mean", grouped.mean()), ("min", grouped.min()), ("max", grouped.max())):
            np.testing.assert_allclose(values[field], expected, rtol=1e-12)
        np.testing.assert_allclose(values["m2"], grouped.var(ddof=0) * grouped.count(), rtol=1e-9, atol=1e-9)
