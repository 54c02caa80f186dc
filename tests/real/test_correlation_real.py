"""analysis_correlation on real tables, against SciPy."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

import toolkit


def test_flights_agree_with_scipy(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "tables" / "hflights.csv.gz"
    run = toolkit.run_plugins(
        toolkit.convert_table(source, appdata=tmp_path),
        appdata=tmp_path,
        plugins=["analysis_correlation"],
        executor="serial",
    )
    assert run.status == "ok"
    frame = pd.read_csv(source)
    found = {tuple(f["columns"]): f for f in run.report["findings"] if f["plugin"] == "analysis_correlation"}
    for a, b in (("DepDelay", "ArrDelay"), ("AirTime", "Distance")):
        both = frame[[a, b]].dropna()
        finding = found.get((a, b)) or found[b, a]
        assert finding["evidence"]["n"] == len(both)
        assert finding["evidence"]["r"] == pytest.approx(stats.pearsonr(both[a], both[b]).statistic, rel=1e-9)
        assert finding["evidence"]["spearman"] == pytest.approx(stats.spearmanr(both[a], both[b]).statistic, rel=1e-10)
