"""The memory that shipped policies give a scan is enough for every column of a table of any length."""

from __future__ import annotations

import pytest

from toolkit.core.grid import ChunkGrid
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.govern.policy import load_policy
from toolkit.kernels.base import TableView, kernels, make_kernel, request
from toolkit.kernels.waves import pack

SPECS = [
    ColumnSpec("number", "number", "float", "<f8", True, "plain"),
    ColumnSpec("text", "text", "string", "utf8", True, "long"),
    ColumnSpec("category", "category", "string", "<i4", True, "coded", categories=1 << 20),
]


@pytest.mark.parametrize("policy", ["default", "laptop", "cluster"])
@pytest.mark.parametrize("rows", [2_000_000, 2_200_000, 10**9])
def test_each_kernel_of_a_column_fits(policy: str, rows: int) -> None:
    table = TableView(Schema(tuple(SPECS)), ChunkGrid(rows, 262_144))
    fits = 0
    for name, kernel in kernels.all().items():
        for spec in SPECS:
            if kernel.arity == 1 and kernel.scans and kernel.accepts(spec):
                one = make_kernel(request(name, spec.name), table)
                if not one.requires():  # what others need follows from what those found
                    assert pack([one], load_policy(policy).scan_memory)
                    fits += 1
    assert fits > 8
