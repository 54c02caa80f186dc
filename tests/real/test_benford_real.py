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
    # The payments lie in a few stretches of the file: among 191 tests the report leaves that excess out, and says so.
    assert excess.log10_p is not None
    assert excess.log10_p > -3
    dropped = run.report["discovery"]["dropped"]
    assert [(d["plugin"], d["count"]) for d in dropped] == [("analysis_benford", 1)]
    assert "last_digits_heap" in {f["kind"] for f in run.report["findings"]}
