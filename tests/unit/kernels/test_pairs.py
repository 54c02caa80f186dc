from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.kernel_cases import comparable, view
from tests.memory_store import memory_dataset, reader_of
from toolkit.kernels.base import make_kernel, request
from toolkit.kernels.blocks import block_of_rows
from toolkit.kernels.waves import compute

RNG = np.random.default_rng(3)
ROWS = 5_000
CITY = [None if gone else f"c{i}" for i, gone in zip(RNG.zipf(1.6, ROWS) % 90, RNG.random(ROWS) < 0.1, strict=True)]
PRICE = np.ma.array(RNG.lognormal(size=ROWS), mask=RNG.random(ROWS) < 0.2)
DATASET = memory_dataset({"city": CITY, "price": PRICE, "flag": RNG.random(ROWS) < 0.4}, 700)


def pairs(*columns: str, **params: Any) -> dict[str, Any]:
    (found,) = compute(DATASET, [request("pairs", *columns, **params)]).values()
    return found


@pytest.mark.parametrize("blocks", [False, True])
def test_equals_a_crosstab(blocks: bool) -> None:
    found = pairs("city", "price", levels=16, levels_second=32, blocks=blocks)
    categories = DATASET.categories("city")
    names = ["(other)" if code < 0 else categories[code] for code in found["first"]["values"]]
    city = pd.Series([c if c in names or c is None else "(other)" for c in CITY]).fillna("(missing)")
    price = pd.Series(np.searchsorted(found["second"]["cuts"], PRICE.data)).mask(np.ma.getmaskarray(PRICE), 10_000)
    expected = pd.crosstab(city, price).reindex([*names, "(missing)"], fill_value=0)
    np.testing.assert_array_equal(found["table"], expected.to_numpy())
    assert found["table"].sum() == ROWS
    if blocks:
        where = block_of_rows(0, ROWS, ROWS)
        each = [((where == b) & (city == names[0]).to_numpy()).sum() for b in range(64)]
        assert found["blocks"][:, 0].sum(axis=1).tolist() == each
        np.testing.assert_array_equal(found["blocks"].sum(axis=0), found["table"])


def test_order_of_the_columns_transposes() -> None:
    np.testing.assert_array_equal(pairs("city", "flag")["table"], pairs("flag", "city")["table"].T)


def test_memory_depends_on_levels_alone() -> None:
    wanted = request("pairs", "city", "price")
    sizes = []
    for rows in (1_000, 100_000):
        dataset = memory_dataset({"city": CITY * (rows // 1_000), "price": np.tile(PRICE.data, rows // 1_000)}, 500)
        required = compute(dataset, make_kernel(wanted, view(dataset)).requires())
        sizes.append(make_kernel(wanted, view(dataset), required).memory())
    assert sizes[0] == sizes[1]


def test_one_scan_reads_each_chunk_once_for_all_pairs() -> None:
    reader_of(DATASET).reads.clear()
    wanted = [request("pairs", a, b) for a, b in (("city", "price"), ("city", "flag"), ("price", "flag"))]
    together = compute(DATASET, wanted)
    reads = reader_of(DATASET).reads
    # Once for counts and quantiles, once for the tables.
    assert all(reads.count((name, i)) <= 2 for name in ("price.values", "city.values") for i in range(8))
    assert [comparable(together[w.key]) for w in wanted] == [comparable(pairs(*w.columns)) for w in wanted]


def test_one_changed_value_in_the_last_row_changes_one_cell() -> None:
    flags = RNG.random(ROWS) < 0.4
    changed = flags.copy()
    changed[-1] = not changed[-1]
    tables = [
        compute(memory_dataset({"f": f, "city": CITY}, 700), [request("pairs", "f", "city")]) for f in (flags, changed)
    ]
    first, second = (next(iter(t.values()))["table"] for t in tables)
    assert np.count_nonzero(first != second) == 2
