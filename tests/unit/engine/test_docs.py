"""The guide's plugins hold their contract, its commands and the examples of the other pages work."""

from __future__ import annotations

import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

import toolkit.plugins
from toolkit.core.settings import CAP_VARIABLES
from toolkit.engine.check import CHECKS, check_plugin
from toolkit.engine.manifest import load_manifest
from toolkit.engine.new_plugin import new_plugin
from toolkit.govern.policy import load_policy
from toolkit.govern.telemetry import Telemetry
from toolkit.govern.telemetry_schema import Heartbeat, PluginRow, TaskRow
from toolkit.plugin.budget import CAPS

DOCS = Path(__file__).resolve().parents[3] / "docs"
GUIDE = (DOCS / "plugin-guide.md").read_text("utf-8")
FILES = dict(re.findall(r"^`(\w+/plugin\.\w+)`\n\n```\w+\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL))
PLUGINS = sorted({name.partition("/")[0] for name in FILES})


def write(folder: Path, plugin: str) -> Path:
    place = folder / plugin
    place.mkdir()
    for name in ("plugin.yaml", "plugin.py"):
        (place / name).write_text(FILES[f"{plugin}/{name}"], "utf-8")
    return place


def test_the_guide_shows_plugins() -> None:
    assert PLUGINS == ["analysis_negative", "analysis_skewed", "analysis_spread", "transform_positive"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_of_the_guide_holds(plugin: str, tmp_path: Path) -> None:
    assert check_plugin(load_manifest(write(tmp_path, plugin)), {}) == []


def test_the_first_is_what_new_writes(tmp_path: Path) -> None:
    folder = new_plugin("analysis_negative", tmp_path)
    assert (folder / "plugin.py").read_text("utf-8") == FILES["analysis_negative/plugin.py"]


def test_the_transform_is_what_new_writes(tmp_path: Path) -> None:
    folder = new_plugin("transform_positive", tmp_path)
    assert (folder / "plugin.py").read_text("utf-8") == FILES["transform_positive/plugin.py"]


def test_the_guide_names_every_key_and_the_number_of_checks() -> None:
    assert f"all {len(CHECKS)} checks hold" in GUIDE
    from toolkit.engine import manifest

    for key in (*manifest._KEYS, *manifest._KERNEL_KEYS, *manifest._PARAM_KEYS):
        assert re.search(rf"`[^`]*\b{key}\b[^`]*`", GUIDE), key


def test_the_guides_commands_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    console = re.search(r"```console\n(.*?)```", GUIDE, re.DOTALL)
    assert console is not None
    lines = console[1].splitlines()
    for command, said in zip(lines[0:4:2], lines[1:4:2], strict=True):
        args = command.removeprefix("$ python -m toolkit.plugins ").split()
        assert toolkit.plugins.main([*args, "--quiet"]) == 0
        assert capsys.readouterr().out.strip() == said


def test_the_policy_page_shows_a_policy(tmp_path: Path) -> None:
    text = (DOCS / "policy.md").read_text("utf-8")
    example = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    path = tmp_path / "mine.yaml"
    path.write_text(example[1], "utf-8")
    budget, _ = load_policy(str(path)).resolve("analysis", "analysis_my_lda", 2_000_000, 24)
    assert (budget.max_groups, budget.memory, budget.max_pairs, budget.max_findings) == (2000, 2 << 30, None, 100)
    from toolkit.govern import policy

    for key in (*policy._KEYS, *CAPS, *CAP_VARIABLES.values()):
        assert f"`{key}`" in text or f"\n{key}:" in text, key


def test_the_telemetry_page_has_every_column_and_its_queries_run(tmp_path: Path) -> None:
    text = (DOCS / "telemetry.md").read_text("utf-8")
    for name in (n for row in (TaskRow, PluginRow, Heartbeat) for n in ("id", *row.__dataclass_fields__)):
        assert f"`{name}`" in text, name
    path = tmp_path / "t.sqlite"
    kept = Telemetry(path, pytest.fail)
    kept.record([PluginRow("r", "a", "d", "k", 2_000_000, 2, 8.0, 4.0, 1 << 20, 3, "process", "ok", "now")])
    ok = TaskRow("r", "t", "plugin", "a", "d", "k", 2_000_000, 2, 8.0, 4.0, 1 << 20, "ok", "", "now")
    kept.record([replace(ok, predicted_ms=4.0, predicted_rss=1 << 19)])
    kept.beat("r", [Heartbeat("r", "t", "a", "joining", 1, 2, 3 << 20, 5.0, 6.0)])
    kept.record([TaskRow("r", "t", "plugin", "a", "d", "k", 2_000_000, 2, 8.0, 4.0, 1 << 20, "failed", "so", "now")])
    kept.close()
    connection = sqlite3.connect(path)
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    results = [connection.execute(query).fetchall() for query in queries]
    connection.close()
    assert results == [
        [("a", 1, 8.0, 1)], [("a", "d", 1.0)], [("now", "a", "failed", "so")],
        [("a", 1, 2.0, 2.0)], [("r", "a", "joining", 1, 2, 3)],
    ]  # fmt: skip
