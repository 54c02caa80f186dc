"""analysis_regression_drivers on NIST's reference sets, through store, kernels and result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import toolkit
from tests.null_tables import run_plugin
from tests.real.test_nist_regression import SETS, digits, read

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "analysis_regression_drivers"


@pytest.mark.parametrize("small_table", [0, 100_000])
@pytest.mark.parametrize("name", [*SETS, "NoInt1"])
def test_nist(real_data: Path, tmp_path: Path, name: str, small_table: int) -> None:
    import pandas as pd

    degree, wanted = SETS.get(name, (1, 12.0))
    columns, certified = read(real_data / "nist_strd" / f"{name}.dat", degree)
    text = (real_data / "nist_strd" / f"{name}.dat").read_text("ascii", "replace")
    errors = [float(m) for m in re.findall(r"^ +B\d+ +\S+ +(\S+)", text, re.MULTILINE)]
    dataset = toolkit.convert_table(pd.DataFrame(columns), appdata=tmp_path)
    intercept = name != "NoInt1"
    data = run_plugin(FOLDER, dataset, params={"small_table": small_table, "intercept": intercept}).data
    rows = ([data["constant"]] if intercept else []) + data["coefficients"]
    assert len(rows) == len(certified)
    assert min(digits(row["value"], true) for row, true in zip(rows, certified, strict=True)) >= wanted
    if name != "Wampler1":  # whose errors are zero
        found = [digits(row["error_independent"], true) for row, true in zip(rows, errors, strict=True)]
        assert min(found) >= 9.0
