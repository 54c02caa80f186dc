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
    found = run_plugin(FOLDER, dataset)
    column = found.data["columns"]["Amount"]
    assert column["n"] == 185_083
    assert round(column["mad"], 9) == 0.002336614
    assert column["largest_deviations"] == [50, 11, 10, 14, 98]
    excess = next(f for f in found.findings if f.kind == "first_digits_in_excess")
    assert (excess.columns, excess.evidence["digits"]) == (["Amount"], 50)
    assert excess.interval is not None
    assert excess.interval[0] > 1.2
    # Half of these payments lie in a sixteenth of the file, but they are too many in all sixteenths.
    assert excess.log10_p is not None
    assert excess.log10_p < -4
    reported = [f for f in run.report["findings"] if f["kind"] == "first_digits_in_excess"]
    assert [f["evidence"]["digits"] for f in reported] == [50]
    assert "last_digits_heap" in {f["kind"] for f in run.report["findings"]}
