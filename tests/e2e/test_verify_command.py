"""Verify: every finding that was found is confirmed, and none that was forged, whatever was forged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toolkit.run
import toolkit.verify
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.report.findings import finding_id

SUM = """
def run(ctx):
    total = sum(float(c['x'][c['x'] > 0].sum()) for c in ctx.chunks(['x']))
    return Result({}, [Finding('total', ['x'], f'X comes to {total:.0f}.', 'Do.', evidence={'total': total})])
"""
ROWS = 1000


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a profile, which states claims, and of a plugin that states none."""
    home = tmp_path_factory.mktemp("verify")
    x = np.arange(ROWS, dtype=np.float64) % 97 + 1.0
    x[300:340] = -999.0
    store_on_disk(home / "appdata", {"x": x}, chunk_rows=100)
    plugin_on_disk(home / "mine", "analysis_sum", SUM, columns="numeric")
    command = ["--appdata", str(home / "appdata"), "--plugin-dir", str(home / "mine"), "--executor", "serial"]
    assert toolkit.run.main([*command, "--plugins", "analysis_sum,profile_basic", "--quiet"]) == 0
    return home


@pytest.fixture
def home(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, as the current folder; its plan names the copies."""
    for name in [n for n in os.environ if n.startswith("TOOLKIT_")]:
        monkeypatch.delenv(name)
    place = tmp_path / "home"
    shutil.copytree(finished, place)
    (plan,) = place.glob("appdata/runs/*/plan.json")
    plan.write_text(plan.read_text().replace(str(finished), str(place)))
    monkeypatch.chdir(place)
    return place


def report_file() -> Path:
    (found,) = Path("appdata/runs").glob("*/report.json")
    return found


def finding_of(kind: str) -> dict[str, Any]:
    found = json.loads(report_file().read_text())["findings"]
    return next(f for f in found if f["kind"] == kind)


def forge(kind: str, change: Callable[[dict[str, Any]], object], *, new_id: bool = True) -> str:
    """Change a finding in report.json, and give it the id of what it now says; the id."""
    report = json.loads(report_file().read_text())
    finding = next(f for f in report["findings"] if f["kind"] == kind)
    change(finding)
    if new_id:
        finding["id"] = finding_id(finding["plugin"], finding)
    report_file().write_text(json.dumps(report))
    return str(finding["id"])


def verified(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = toolkit.verify.main(["latest", *args, "--json"])
    return code, json.loads(capsys.readouterr().out)["findings"]


def failed(verdict: dict[str, Any]) -> list[str]:
    return [check["what"] for check in verdict["checks"] if not check["holds"]]


class TestWhatWasFound:
    def test_claims_are_counted_in_the_named_chunks_alone(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        finding = finding_of("sentinel_value")
        assert finding["evidence"]["chunks"] == [3]
        code, (verdict,) = verified(capsys, finding["id"])
        assert (code, verdict["status"], verdict["chunks_read"]) == (0, "confirmed", {"x": [3]})
        (count,) = [c for c in verdict["checks"] if c["name"] == "count"]
        assert (count["said"], count["found"]) == (40, 40)

    def test_a_plugin_without_claims_is_run_again(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, (verdict,) = verified(capsys, finding_of("total")["id"][:8])
        assert (code, verdict["status"]) == (0, "confirmed")
        assert [c["what"] for c in verdict["checks"]][-1] == "replay"
        assert len(list(Path("appdata/runs").iterdir())) == 1, "a replay leaves no run behind"

    def test_replay_on_demand(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        _, (verdict,) = verified(capsys, finding_of("sentinel_value")["id"], "--replay")
        assert [c["what"] for c in verdict["checks"]][-1] == "replay"

    def test_text_has_the_numbers(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert toolkit.verify.main(["latest", finding_of("sentinel_value")["id"]]) == 0
        text = capsys.readouterr().out
        assert "holds  rows count: 40 (calculated from the rows)" in text
        assert "x (1)" in text


class TestWhatWasForged:
    def test_a_sentence(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        wanted = forge("total", lambda f: f.update(sentence="X comes to 7."), new_id=False)
        code, (verdict,) = verified(capsys, wanted)
        assert (code, failed(verdict)) == (1, ["id"])

    @pytest.mark.parametrize("kept", [True, False])
    def test_a_number_that_rows_tell(self, home: Path, capsys: pytest.CaptureFixture[str], kept: bool) -> None:
        wanted = forge("sentinel_value", lambda f: f["evidence"].update(count=41))
        if not kept:
            shutil.rmtree("appdata/results")
        code, (verdict,) = verified(capsys, wanted)
        assert (code, failed(verdict)) == (1, ["rows", "kept result"] if kept else ["rows"])

    def test_other_chunks_have_other_numbers(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        wanted = forge("sentinel_value", lambda f: f["evidence"].update(chunks=[4]))
        code, (verdict,) = verified(capsys, wanted)
        assert code == 1
        assert "rows" in failed(verdict)

    @pytest.mark.parametrize("kept", [True, False])
    def test_a_number_that_no_claim_covers(self, home: Path, capsys: pytest.CaptureFixture[str], kept: bool) -> None:
        wanted = forge("sentinel_value", lambda f: f["evidence"].update(share=0.5))
        if not kept:
            shutil.rmtree("appdata/results")
        code, (verdict,) = verified(capsys, wanted)
        assert (code, failed(verdict)) == (1, ["kept result" if kept else "replay"])

    def test_a_number_of_a_plugin_without_claims(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.rmtree("appdata/results")
        wanted = forge("total", lambda f: f["evidence"].update(total=7.0))
        code, (verdict,) = verified(capsys, wanted)
        assert (code, failed(verdict)) == (1, ["replay"])

    def test_a_plugin_that_never_ran(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        wanted = forge("total", lambda f: f.update(plugin="analysis_other"))
        code, (verdict,) = verified(capsys, wanted)
        assert (code, failed(verdict)) == (1, ["plugin"])

    @pytest.mark.parametrize("name", ["data_hash", "schema_hash", "rows"])
    def test_another_table(self, home: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
        report = json.loads(report_file().read_text())
        report["dataset"][name] = 7 if name == "rows" else "0" * 64
        report_file().write_text(json.dumps(report))
        code, verdicts = verified(capsys, "--all")
        assert code == 1
        assert all(failed(verdict) == ["table"] for verdict in verdicts)

    def test_rows_that_were_changed(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        chunk = next(p for p in Path("appdata/stores").rglob("3*") if p.is_file())
        chunk.write_bytes(bytes(b ^ 0xFF for b in chunk.read_bytes()))
        code, (verdict,) = verified(capsys, finding_of("sentinel_value")["id"])
        assert (code, failed(verdict)[0]) == (1, "rows")
        assert "damaged" in json.dumps(verdict)

    @pytest.mark.parametrize("change", [{"value": [1]}, {"chunks": "all"}, {"chunks": [None]}, {"value": {}}])
    def test_evidence_of_another_form(
        self, home: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any]
    ) -> None:
        wanted = forge("sentinel_value", lambda f: f["evidence"].update(change))
        code, (verdict,) = verified(capsys, wanted)
        assert (code, verdict["status"]) == (1, "not confirmed")

    def test_a_q_value(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        wanted = forge("total", lambda f: f.update(log10_p=-5.0, q_value=1e-9, effect=1.0))
        code, (verdict,) = verified(capsys, wanted)
        assert code == 1
        assert "q-value" in failed(verdict)


class TestWhatCanNotBeChecked:
    def test_a_plugin_that_is_gone(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        shutil.rmtree("mine/analysis_sum")
        code, (verdict,) = verified(capsys, finding_of("total")["id"])
        assert (code, verdict["status"], verdict["why"]) == (1, "not checkable", "the plugin is not installed")

    def test_claims_of_a_later_version_are_not_held_against_it(
        self, home: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (Path("mine") / "analysis_sum" / "claims.yaml").write_text("total:\n  - {says: later, count: [[x, is, 1]]}\n")
        code, (verdict,) = verified(capsys, finding_of("total")["id"])
        assert (code, verdict["status"]) == (0, "confirmed")
        assert "code changed since" in verdict["checks"][-1]["note"]

    def test_a_plugin_that_has_changed(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        plugin_on_disk(Path("mine"), "analysis_sum", SUM.replace("comes to", "sums to"), columns="numeric")
        shutil.rmtree("appdata/results")
        code, (verdict,) = verified(capsys, finding_of("total")["id"])
        assert (code, verdict["status"]) == (1, "not checkable")
        assert "code changed" in verdict["why"]


@pytest.mark.parametrize("args", [["latest"], ["latest", "abc", "--all"], ["latest", "zz"], ["nosuchrun", "--all"]])
def test_wrong_usage_is_told_apart(home: Path, args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.verify.main(args) == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["{", "[]", "{}"])
def test_a_report_that_is_none_is_refused(home: Path, content: str, capsys: pytest.CaptureFixture[str]) -> None:
    report_file().write_text(content)
    assert toolkit.verify.main(["latest", "--all"]) == 2
    assert "report" in capsys.readouterr().err
