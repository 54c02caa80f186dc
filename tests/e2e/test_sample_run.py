"""A run of every plugin that ships over the sample table: its findings hold, and say nothing that they can't show."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import toolkit.run
import toolkit.verify
from tests.sample_store import sample_store
from tests.sentence_numbers import unsupported_numbers

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [n for n in os.environ if n.startswith("TOOLKIT_")]:
            patch.delenv(name)
        folder = tmp_path_factory.mktemp("sample") / "appdata"
        store = sample_store()[0].location
        assert toolkit.run.main([str(store), "--appdata", str(folder), "--executor", "serial", "--quiet"]) == 0
        yield folder


@pytest.fixture(scope="module")
def report(place: Path) -> dict[str, Any]:
    (path,) = place.glob("runs/*/report.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_every_finding_is_confirmed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = toolkit.verify.main(["latest", "--all", "--appdata", str(place), "--json"])
    verdicts = json.loads(capsys.readouterr().out)["findings"]
    assert {v["finding"]: v["why"] for v in verdicts if v["status"] != "confirmed"} == {}
    assert code == 0
    assert len({v["plugin"] for v in verdicts}) >= 8
    counted = [v for v in verdicts if any(c["what"] == "rows" for c in v["checks"])]
    assert len(counted) >= len(verdicts) // 4


def test_every_number_in_a_sentence_is_in_the_evidence(report: dict[str, Any]) -> None:
    unsupported = {f["sentence"]: found for f in report["findings"] if (found := unsupported_numbers(f))}
    assert unsupported == {}


def test_findings_of_one_cause_stand_together(report: dict[str, Any]) -> None:
    """The wrong unit of a weight, seen as far values, as a spread and as a level, is one matter."""
    lead = next(f for f in report["findings"] if f["kind"] == "unit_factor" and f["columns"] == ["weight_kg"])
    group = [f for f in report["findings"] if f["group"] == lead["id"]]
    assert group[0] == lead
    assert len({f["plugin"] for f in group}) > 1
    places = [f["group"] for f in report["findings"]]
    assert all(places.index(g) + places.count(g) > i for i, g in enumerate(places)), "no group is torn apart"


def test_a_forged_number_would_be_found() -> None:
    """The check above can fail: of numbers, of percentages, and of digits rounded the wrong way."""
    base = {"columns": ["x1"], "effect": 0.25, "interval": None, "evidence": {"count": 3, "of": 12, "mean": 4.126}}
    good = "`x1` is odd in 3 of 12 rows (25.0 %), 75 % are not, with a mean of 4.13."
    assert unsupported_numbers({**base, "sentence": good}) == []
    bad = "`x1` is odd in 7 of 12 rows (26.0 %), with a mean of 4.12."
    assert unsupported_numbers({**base, "sentence": bad}) == ["7", "26.0", "4.12"]
