"""Sequential patterns with published answers."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from tests.event_logs import results_of
from toolkit.api import convert_table

PLUGIN = "analysis_sequential_patterns_prefixspan"


def test_the_example_of_the_prefixspan_paper(real_data: Path, tmp_path: Path) -> None:
    text = (real_data / "sequences" / "contextPrefixSpan.txt").read_text()
    rows = [
        (f"sequence {number}", item, pd.Timestamp("2024-01-01") + pd.Timedelta(place, "h"))
        for number, line in enumerate(part for part in text.split("-2") if part.strip())
        for place, group in enumerate(line.split("-1"))
        for item in group.split()
    ]
    frame = pd.DataFrame(rows, columns=["case_id", "activity", "timestamp"])
    dataset = convert_table(frame, appdata=tmp_path)
    params = {"support": 0.5, "ties": "together", "longest": 9}
    data = results_of(dataset, tmp_path, PLUGIN, params)[PLUGIN].decoded().data
    found = {"".join(f"({' '.join(group)})" for group in sets): cases for sets, cases, _ in data["patterns"]}
    listed = (real_data / "sequences" / "contextPrefixSpan_minsup2_patterns.csv").read_text().splitlines()[1:]
    truth = {pattern: int(cases) for pattern, _, cases in (line.rpartition(",") for line in listed)}
    assert len(truth) == 53
    assert found == truth
