"""The commands run, status, plugins, policy and env: output, exit codes, one clear message for every error."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toolkit.__main__
import toolkit.env
import toolkit.plugins
import toolkit.policy
import toolkit.run
import toolkit.status
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.engine.run_folder import RunFolder

GOOD = "def run(ctx):\n    return Result({'rows': ctx.rows}, [Finding('k', ['x'], 'X is so.', 'Do it.')])\n"
SLEEPS = "import time\ndef run(ctx):\n    time.sleep(60)\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a store in appdata/ and plugins in mine/, as the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in [n for n in os.environ if n.startswith("TOOLKIT_")]:
        monkeypatch.delenv(name)
    store_on_disk(tmp_path / "appdata", {"x": np.arange(50.0), "w": ["a", "b"] * 25}, chunk_rows=20)
    plugin_on_disk(tmp_path / "mine", "analysis_good", GOOD)
    return tmp_path


def run(*args: str) -> int:
    return toolkit.run.main(["--executor", "serial", "--plugin-dir", "mine", *args])


def out(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def test_run_prints_the_reports_path(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--plugins", "analysis_good") == 0
    captured = capsys.readouterr()
    path = Path(captured.out.strip())
    assert path.name in ("report.md", "report.html")
    assert "X is so." in path.read_text()
    assert "analysis_good: ok" in captured.err


def test_run_prints_one_object(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--plugins", "analysis_good", "--json", "--quiet") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    printed = json.loads(captured.out)
    assert set(printed) == {"run_id", "store_key", "status", "report_json", "report_md", "report_html", "plugins"}
    plugins = {p["id"]: p for p in printed["plugins"]}
    assert set(plugins["analysis_good"]) == {"id", "status", "cached", "duration_ms", "max_rss", "findings"}
    assert (plugins["analysis_good"]["findings"], plugins["analysis_good"]["cached"]) == (1, False)
    report = json.loads(Path(printed["report_json"]).read_text())
    assert report["dataset"]["key"] == printed["store_key"]
    assert run("--plugins", "analysis_good", "--json") == 0
    assert all(p["cached"] for p in json.loads(out(capsys))["plugins"])
    assert run("--plugins", "analysis_good", "--json", "--no-cache") == 0
    assert not any(p["cached"] for p in json.loads(out(capsys))["plugins"])


def test_run_by_key_path_and_prefix(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (store,) = (place / "appdata" / "stores").iterdir()
    for name in (store.name, store.name[:8], str(store)):
        assert run(name, "--plugins", "analysis_good", "--json") == 0
        assert json.loads(out(capsys))["store_key"] == store.name


def test_a_failed_plugin_is_exit_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin_on_disk(place / "mine", "analysis_bad", "def run(ctx):\n    raise ValueError('no')\n")
    assert run("--plugins", "analysis_*", "--json") == 1
    printed = json.loads(out(capsys))
    assert printed["status"] == "failed"
    assert {p["id"]: p["status"] for p in printed["plugins"]}["analysis_bad"] == "failed"
    assert run("--plugins", "analysis_*") == 1
    assert "analysis_bad failed: ValueError: no (plugin.py, line 3)" in capsys.readouterr().err


def test_plan_only_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--plugins", "analysis_good", "--plan-only") == 0
    assert "analysis_good: 2 columns" in out(capsys)
    assert run("--plugins", "analysis_good", "--plan-only", "--json") == 0
    assert json.loads(out(capsys))["sampled"] is False
    assert [p.name for p in (place / "appdata").iterdir()] == ["stores"]


def broken_manifest(place: Path) -> None:
    (place / "mine" / "analysis_good" / "plugin.yaml").write_text("type: analysis\nversion: 1\nsumary: x\n")


def broken_policy(place: Path) -> None:
    (place / "bad.yaml").write_text("rules:\n  - caps: {max_columns: 3}\n")


def no_store(place: Path) -> None:
    (place / "appdata").rename(place / "elsewhere")


WRONG: dict[str, tuple[Any, list[str], list[str]]] = {
    "no store": (no_store, [], ["there is no store in appdata/stores", "python -m toolkit.convert"]),
    "an unknown key": (None, ["ffffffffffff"], ["there is no store 'ffffffffffff'"]),
    "an unknown plugin": (None, ["--plugins", "analysis_none"], ["no plugin fits 'analysis_none'"]),
    "a broken manifest": (broken_manifest, [], ["plugin.yaml, line 3: unknown key 'sumary'"]),
    "a broken policy": (broken_policy, ["--policy", "bad.yaml"], ["bad.yaml, line 2: unknown key 'max_columns'"]),
    "an unknown policy": (None, ["--policy", "nowhere"], ["there is no policy 'nowhere'"]),
    "a missing folder": (None, ["--plugin-dir", "nowhere"], ["there is no folder nowhere"]),
    "no number of workers": (None, ["--workers", "many"], ["--workers takes auto or a positive integer"]),
    "no rows": (None, ["--assume-rows", "0"], ["--assume-rows takes a positive number, not 0"]),
    "an unknown executor": (None, ["--executor", "cloud"], ["unknown executor 'cloud'"]),
    "an unknown run": (None, ["--resume", "r1"], ["there is no run"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_is_exit_2_and_one_message(place: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    prepare, args, words = WRONG[name]
    if prepare is not None:
        prepare(place)
    before = sorted(place.rglob("*"))
    assert run(*args) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert "Traceback" not in captured.err
    for text in words:
        assert text in captured.err
    assert sorted(place.rglob("*")) == before


def test_a_damaged_chunk_is_exit_3(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin_on_disk(
        place / "mine", "analysis_reads", "def run(ctx):\n    [c['x'] for c in ctx.chunks()]\n    return Result()\n"
    )
    (path,) = (place / "appdata" / "stores").glob("*/x/c/1")
    path.unlink()
    assert run("--plugins", "analysis_reads") == 3
    assert "column 'x', chunk 1 (rows 20 to 39) is damaged" in capsys.readouterr().err


def test_an_interrupt_is_130_and_says_how_to_go_on(place: Path) -> None:
    plugin_on_disk(place / "mine", "analysis_sleeps", SLEEPS)
    command = [sys.executable, "-m", "toolkit.run", "--plugin-dir", "mine", "--plugins", "analysis_*", "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not list((place / "appdata").glob("runs/*/state.json")) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    (folder,) = (place / "appdata" / "runs").iterdir()
    assert f"python -m toolkit.run --resume {folder.name}" in err
    assert "Traceback" not in err
    assert b"toolkit.execute.zygote" not in b"".join(
        p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if ours(p, place)
    )


def ours(path: Path, place: Path) -> bool:
    """Whether a process's current folder is that of the test."""
    try:
        return (path.parent / "cwd").readlink() == place
    except OSError:
        return False


def test_status_tells_how_far_a_run_is(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin_on_disk(place / "mine", "analysis_times", GOOD, columns="time")
    run("--plugins", "analysis_good,analysis_times")
    capsys.readouterr()
    assert toolkit.status.main(["--json"]) == 0
    printed = json.loads(out(capsys))
    assert printed["state"] == "done"
    counts = {k: printed[k] for k in ("expected_plugins_executable", "done", "running", "failed", "skipped")}
    assert counts == {"expected_plugins_executable": 2, "done": 2, "running": 0, "failed": 0, "skipped": 1}
    assert toolkit.status.main([]) == 0
    assert "done: 2 plugins to run, 2 done" in out(capsys)


def test_status_of_a_run_that_was_killed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--plugins", "analysis_good")
    (path,) = (place / "appdata" / "runs").glob("*/state.json")
    state = json.loads(path.read_text())
    state |= {"done": False}
    state["plugins"]["report_bundle"]["status"] = "running"
    path.write_text(json.dumps(state))
    capsys.readouterr()
    assert toolkit.status.main(["--json"]) == 0
    printed = json.loads(out(capsys))
    assert (printed["state"], printed["running"], printed["eta_minutes"]) == ("interrupted", 0, None)
    with RunFolder(path.parent).held():
        assert toolkit.status.main(["--json"]) == 0
        printed = json.loads(out(capsys))
        assert (printed["state"], printed["running"]) == ("running", 1)
        low, high = printed["eta_interval"]
        assert 0 < low <= printed["eta_minutes"] <= high
        assert run("--resume", path.parent.name) == 2
        assert f"run {path.parent.name} is under way" in capsys.readouterr().err


def test_status_without_a_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.status.main([]) == 2
    assert "there is no run in appdata/runs" in capsys.readouterr().err


def test_plugins_are_listed_and_shown(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.plugins.main(["list", "--plugin-dir", "mine"]) == 0
    assert any(line.startswith("analysis_good") for line in out(capsys).splitlines())
    assert toolkit.plugins.main(["list", "--plugin-dir", "mine", "--json"]) == 0
    assert "analysis_good" in {p["id"] for p in json.loads(out(capsys))["plugins"]}
    assert toolkit.plugins.main(["show", "analysis_good", "--plugin-dir", "mine", "--json"]) == 0
    assert json.loads(out(capsys))["summary"] == "Of a test"
    assert toolkit.plugins.main(["show", "analysis_none"]) == 2


def test_a_new_plugin_is_checked_and_run(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.plugins.main(["new", "analysis_mine", "--into", "mine"]) == 0
    assert out(capsys).strip() == "mine/analysis_mine"
    assert toolkit.plugins.main(["check", "mine/analysis_mine"]) == 0
    assert "all 10 checks hold" in out(capsys)
    assert run("--plugins", "analysis_mine", "--json") == 0
    assert toolkit.plugins.main(["new", "analysis_mine", "--into", "mine"]) == 2
    assert toolkit.plugins.main(["new", "Mine", "--into", "mine"]) == 2
    assert not (place / "mine" / "Mine").exists()


def test_a_plugin_that_does_not_hold_is_exit_1(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.plugins.main(["check", "mine/analysis_good", "--json"]) == 1
    problems = json.loads(out(capsys))["problems"]
    assert {"examples", "source"} <= {p["check"] for p in problems}


def test_the_plugin_path_of_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("TOOLKIT_PLUGIN_PATH", f"mine{os.pathsep}")
    assert toolkit.run.main(["--plugins", "analysis_good", "--executor", "serial"]) == 0


def test_policy_explain_names_rule_and_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin_on_disk(place / "mine", "analysis_own", GOOD, caps={"max_windows": 64})
    (place / "p.yaml").write_text(
        "extends: off\nfull_load: 1MiB\nrules:\n  - name: mine\n    type: analysis\n    caps: {max_pairs: 7}\n"
    )
    monkeypatch.setenv("TOOLKIT_MAX_GROUPS", "9")
    args = ["explain", "--policy", "p.yaml", "--plugin-dir", "mine"]
    assert toolkit.policy.main(args) == 0
    text = out(capsys)
    for place_of_a_cap in (
        "p.yaml:6 (rule 1: mine)", "environment (TOOLKIT_MAX_GROUPS)", "mine/analysis_own/plugin.yaml:5 (caps)",
        "p.yaml:2 (full_load)",
    ):  # fmt: skip
        assert place_of_a_cap in text
    assert toolkit.policy.main([*args, "--json"]) == 0
    printed = json.loads(out(capsys))
    assert printed["sampled"] is False
    caps = {p["id"]: {c.pop("cap"): c for c in p["caps"]} for p in printed["plugins"]}
    assert caps["analysis_own"] == {
        "max_pairs": {"value": 7, "file": "p.yaml", "line": 6, "rule": "rule 1: mine", "level": "file"},
        "max_groups": {
            "value": 9, "file": "environment", "line": 0, "rule": "TOOLKIT_MAX_GROUPS", "level": "environment"
        },
        "max_windows": {
            "value": 64, "file": "mine/analysis_own/plugin.yaml", "line": 5, "rule": "caps", "level": "plugin"
        },
    }  # fmt: skip
    assert set(caps["report_bundle"]) == {"max_groups"}


def test_policy_explain_says_what_of_a_manifest_is_passed_over(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin_on_disk(place / "mine", "analysis_own", GOOD, caps={"memory": "1TiB", "time_limit_ms": 5})
    args = ["explain", "--plugin-dir", "mine"]
    assert toolkit.policy.main(args) == 0
    lines = [line.split() for line in out(capsys).splitlines() if "passed over" in line]
    assert [line[:3] for line in lines] == [["memory", "1,099,511,627,776", "mine/analysis_own/plugin.yaml:5"]]
    assert toolkit.policy.main([*args, "--json"]) == 0
    (plugin,) = (p for p in json.loads(out(capsys))["plugins"] if p["id"] == "analysis_own")
    assert [entry["cap"] for entry in plugin["passed_over"]] == ["memory"]
    assert {c["cap"]: c["level"] for c in plugin["caps"]}["time_limit_ms"] == "plugin"


def test_policy_explain_takes_a_row_count_for_a_store(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.policy.main(["explain", "--rows", "2000000", "--json"]) == 0
    printed = json.loads(out(capsys))
    assert (printed["rows"], printed["columns"], printed["tiers"]) == (2_000_000, 2, ["long"])
    assert toolkit.policy.main(["explain", "--rows", "0"]) == 2


def test_policy_schema_is_printed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.policy.main(["schema"]) == 0
    assert json.loads(out(capsys))["title"].startswith("Policy")


def test_policy_explain_for_a_size(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["explain", "--plugin-dir", "mine", "--json", "--columns", "24"]
    assert toolkit.policy.main([*args, "--rows", "2000000"]) == 0
    long = json.loads(out(capsys))
    assert toolkit.policy.main([*args, "--rows", "1000"]) == 0
    short = json.loads(out(capsys))
    pick = [next(p for p in found["plugins"] if p["id"] == "analysis_good") for found in (short, long)]
    before, after = ({c["cap"]: c["value"] for c in p["caps"]} for p in pick)
    assert "batch_size" in after
    assert "batch_size" not in before
    assert after["max_pairs"] < before["max_pairs"]
    assert toolkit.policy.main(["explain", "--policy", "off", "--rows", "5", "--columns", "5"]) == 0
    assert "no caps" in out(capsys)


def test_a_budget_reaches_the_plugin(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "def run(ctx):\n    assert ctx.budget.max_groups == 13\n    return Result()\n"
    plugin_on_disk(place / "mine", "analysis_budget", code)
    (place / "p.yaml").write_text("rules: [{id: analysis_b*, caps: {max_groups: 13}}]\n")
    assert run("--plugins", "analysis_budget", "--policy", "p.yaml") == 0
    assert run("--plugins", "analysis_budget", "--policy", "off") == 1


def test_a_full_load_is_refused_until_it_is_allowed(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plugin_on_disk(
        place / "mine", "analysis_loads", "def run(ctx):\n    return Result({'n': len(ctx.dataset_loader())})\n"
    )
    (place / "p.yaml").write_text("full_load: 100\n")
    args = ("--plugins", "analysis_loads", "--policy", "p.yaml")
    assert run(*args) == 1
    text = capsys.readouterr().err
    for words in ("BudgetError", "50 rows of 2 columns", "ctx.chunks()", "TOOLKIT_ALLOW_FULL_LOAD=1"):
        assert words in text
    monkeypatch.setenv("TOOLKIT_ALLOW_FULL_LOAD", "1")
    assert run(*args) == 0


def test_the_policy_of_the_environment(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLKIT_POLICY", "nowhere.yaml")
    assert run("--plugins", "analysis_good") == 2
    monkeypatch.setenv("TOOLKIT_POLICY", "off")
    assert run("--plugins", "analysis_good") == 0


def test_env_lists_the_variables(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOOLKIT_MAX_WORKERS", "3")
    assert toolkit.env.main(["--json"]) == 0
    assert json.loads(out(capsys))["TOOLKIT_MAX_WORKERS"]["value"] == "3"
    assert toolkit.env.main([]) == 0
    assert "TOOLKIT_MAX_WORKERS=3" in out(capsys)
    monkeypatch.setenv("TOOLKIT_MAX_WORKERS", "0")
    assert toolkit.env.main([]) == 2


def test_every_command_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert toolkit.__main__.main(["--help"]) == 0
    text = out(capsys)
    for name in ("convert", "run", "status", "inspect", "stores", "plugins", "policy", "env"):
        assert any(line.split()[:1] == [name] and len(line.split()) > 3 for line in text.splitlines()), name
    assert toolkit.__main__.main(["no_such"]) == 2
    assert toolkit.__main__.main([]) == 2
    assert toolkit.__main__.main(["env"]) == 0


def test_a_closed_pipe_is_no_error(place: Path) -> None:
    program = """
import os, sys
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
from toolkit.env import main
sys.exit(main([]))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
