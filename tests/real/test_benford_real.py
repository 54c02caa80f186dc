"""analysis_benford on payments whose digits were published (R package benford.analysis)."""

from __future__ import annotations

from pathlib import Path

import toolkit
from tests.null_tables import run_plugin

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "analysis_benford"


def test_corporate_payments(real_data: Path, tmp_path: Path) -> None:
    source = real_data / "benford" / "corporate.payment.csv.gz"
    dataset = toolkit.convert_table(source, appdata=tmp_path)
    run = toolkit.run_plugins(
        dataset,
        appdata=tmp_path,
        plugins=["analysis_benford"],
        executor="serial",
    )
    assert run.status == "ok"
    column = run_plugin(FOLDER, dataset).data["columns"]["Amount"]
    assert column["n"] == 185_083
    assert round(column["mad"], 9) == 0.002336614
    assert column["largest_deviations"] == [50, 11, 10, 14, 98]
    excess = next(f for f in run.report["findings"] if f["kind"] == "first_digits_in_excess")
    assert (excess["columns"], excess["evidence"]["digits"]) == (["Amount"], 50)
