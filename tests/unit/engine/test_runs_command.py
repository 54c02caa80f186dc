"""Runs: listed, shown, resumed, collected; results that no kept run uses go, those of live runs never."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import toolkit.run
import toolkit.runs
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.engine.run_folder import PACKS, STATE, RunFolder

GOOD = "def run(ctx):\n    return Result({{'n': {0}}}, [Finding('k', ['x'], 'X is {0}.', 'Do it.')])\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store in appdata/ and plugins in mine/, as the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("TOOLKIT_")]:
        monkeypatch.delenv(name)
    store_on_disk(tmp_path / "appdata", {"x": np.arange(50.0)}, chunk_rows=20)
    plugin_on_disk(tmp_path / "mine", "analysis_good", GOOD.format(0))
    return tmp_path


def run(*args: str) -> str:
    """Run; the id of the run."""
    before = set(Path("appdata/runs").glob("*"))
    command = ["--executor", "serial", "--plugin-dir", "mine", "--plugins", "analysis_good", "--quiet", *args]
    assert toolkit.run.main(command) == 0
    new = set(Path("appdata/runs").glob("*")) - before
    return new.pop().name if new else ""


def change(number: int) -> None:
    plugin_on_disk(Path("mine"), "analysis_good", GOOD.format(number))


def said(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, object]:
    capsys.readouterr()
    assert toolkit.runs.main([*args, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def packs() -> set[str]:
    return {p.name for p in Path("appdata/results").rglob("*.tkr")}


def cached() -> set[str]:
    newest = max(Path("appdata/runs").glob("*/run.json"))
    return {p["id"] for p in json.loads(newest.read_text())["plugins"] if p["cached"]}


def test_runs_are_listed_and_shown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.runs.main(["list"]) == 0
    assert "no run in appdata/runs" in capsys.readouterr().err
    first = run()
    run()
    runs = said(capsys, "list")["runs"]
    assert isinstance(runs, list)
    assert [r["state"] for r in runs] == ["done", "done"]
    assert {r["run_id"] for r in runs} >= {first}
    assert (runs[0]["ok"], runs[0]["failed"], runs[0]["status"]) == (2, 0, "ok")
    assert toolkit.runs.main(["list"]) == 0
    assert first in capsys.readouterr().out
    side = said(capsys, "show", first)["side"]
    assert isinstance(side, dict)
    assert {"value", "low", "high", "basis", "runs"} == set(side["plugins"][0]["predicted_ms"])
    assert toolkit.runs.main(["show", first]) == 0
    text = capsys.readouterr().out
    assert "analysis_good" in text
    assert f"run {first} done" in text


def test_wrong_usage_is_exit_2(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.runs.main(["show", "nothing"]) == 2
    assert toolkit.runs.main(["gc", "--keep", "-1"]) == 2
    assert toolkit.runs.main(["gc", "r1"]) == 2
    assert "toolkit.runs show r1" in capsys.readouterr().err


def test_results_that_no_kept_run_uses_are_collected(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    old = packs()
    change(1)
    kept = run()
    assert said(capsys, "gc") == {"runs": [], "results": [], "bytes": 0}
    gone = said(capsys, "gc", "--keep", "1")
    assert kept not in gone["runs"]  # type: ignore[operator]
    assert {Path(str(p)).name for p in gone["results"]} == old  # type: ignore[union-attr]
    assert isinstance(gone["bytes"], int)
    assert gone["bytes"] > 0
    run()
    assert cached() == {"analysis_good", "report_bundle"}
    change(0)
    run()
    assert cached() == set()
    assert list(Path("appdata/tmp").glob("tmp-*")) == []


def test_a_run_that_only_read_results_keeps_them(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run()
    before = packs()
    run()
    assert said(capsys, "gc", "--keep", "1")["results"] == []
    assert packs() == before


def test_a_live_run_is_never_touched(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = RunFolder(Path("appdata/runs") / run())
    with live.held():
        assert said(capsys, "gc", "--keep", "0") == {"runs": [], "results": [], "bytes": 0}
    assert said(capsys, "gc", "--keep", "0")["runs"] == [live.run_id]
    assert packs() == set()
    assert list(Path("appdata/results").iterdir()) == []


def test_a_run_that_does_not_say_what_it_uses_keeps_everything(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("appdata/runs") / run()
    (folder / PACKS).unlink()
    change(1)
    run()
    assert said(capsys, "gc")["results"] == []
    for name in ("plan.json", STATE):
        (folder / name).unlink()
    assert said(capsys, "gc")["results"] == []


def test_what_was_cut_short_is_cleared_away(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path("appdata/runs") / run()
    (results,) = Path("appdata/results").iterdir()
    left = [results / ".abc.tkr.77", folder / ".report.json.77"]
    for path in left:
        path.write_bytes(b"part")
    said(capsys, "gc")
    run("--resume", folder.name)
    assert not any(path.exists() for path in left)


def test_a_flipped_byte_is_computed_anew_and_said(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run()
    report = (Path("appdata/runs") / first / "report.json").read_bytes()
    for pack in Path("appdata/results").rglob("*.tkr"):
        body = bytearray(pack.read_bytes())
        body[-1] ^= 1
        pack.write_bytes(body)
    capsys.readouterr()
    second = run()
    assert "kept results are damaged and are computed anew" in capsys.readouterr().err
    assert cached() == set()
    assert (Path("appdata/runs") / second / "report.json").read_bytes() == report
    side = json.loads((Path("appdata/runs") / second / "run.json").read_text())
    assert any(name.startswith("analysis_good") for name in side["damaged_results"])
    run()
    assert capsys.readouterr().err == ""
    assert cached() == {"analysis_good", "report_bundle"}


@pytest.mark.parametrize("offset", [0, 5, 20, 60])
def test_a_byte_flipped_in_the_table_of_contents_is_said_too(
    place: Path, capsys: pytest.CaptureFixture[str], offset: int
) -> None:
    run()
    for pack in Path("appdata/results").rglob("*.tkr"):
        body = bytearray(pack.read_bytes())
        body[offset] ^= 1
        pack.write_bytes(body)
    capsys.readouterr()
    run()
    assert "computed anew" in capsys.readouterr().err
    assert cached() == set()
