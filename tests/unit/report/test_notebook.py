"""Reports and findings in a notebook: nothing from the data is markup, and frames have every finding and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import toolkit
from tests.unit.report.sample_report import COLUMNS, DATASET, NASTY, outcomes
from toolkit.core.errors import BadInputError, UsageError
from toolkit.report.model import build_report
from toolkit.report.notebook import PARTS, Report, ReportedFinding


@pytest.fixture
def report() -> Report:
    return Report(build_report(DATASET, COLUMNS, outcomes()))


def test_a_frame_has_every_finding(report: Report) -> None:
    frame = report.to_pandas()
    assert list(frame["id"]) == [f["id"] for f in report["findings"]]
    ends = [f["interval"][0] if f["interval"] else None for f in report["findings"]]
    low = frame["low"].astype(object)
    assert low.where(low.notna(), None).tolist() == ends
    assert set(report["findings"][0]) - {"interval"} <= set(frame.columns)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_a_frame_also_when_empty(report: Report, part: str) -> None:
    assert len(report.to_pandas(part)) == len(report[part])
    assert len(Report({**report, part: []}).to_pandas(part)) == 0


def test_columns_are_found_by_name(report: Report) -> None:
    frame = report.to_pandas("columns")
    assert list(frame.index) == [c["name"] for c in report["columns"]]
    with pytest.raises(UsageError, match="no part 'dataset'"):
        report.to_pandas("dataset")


def test_hostile_text_is_inert(report: Report) -> None:
    """In the summary of a report, and in a finding."""
    hostile = {**report["findings"][0], "columns": [NASTY], "sentence": f"`{NASTY}` is {NASTY}."}
    for page in (Report({**report, "findings": [hostile]})._repr_html_(), ReportedFinding(hostile)._repr_html_()):
        assert NASTY not in page
        assert "<script" not in page.lower()


def test_a_finding_is_a_series(report: Report) -> None:
    (finding, *_) = report.findings
    series = finding.to_pandas()
    assert series["id"] == series.name == finding["id"]
    assert series["evidence"] == finding["evidence"]


def test_a_report_is_opened_by_its_run(report: Report, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "20260101T000000000Z-aaaaaa"
    folder.mkdir(parents=True)
    with pytest.raises(BadInputError, match=r"report\.json can't be read"):
        toolkit.open_report(appdata=tmp_path)
    (folder / "report.json").write_text(json.dumps(report))
    assert toolkit.open_report(appdata=tmp_path) == report
    for text in ("{", "[]"):
        (folder / "report.json").write_text(text)
        with pytest.raises(BadInputError, match="is no"):
            toolkit.open_report("2026", appdata=tmp_path)
