"""Where plugins are found, and what is refused there."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from tests.plugin_on_disk import plugin_on_disk
from toolkit.core.errors import BadInputError, UsageError
from toolkit.engine import discovery
from toolkit.engine.discovery import discover, shipped_plugins


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shipped"
    plugin_on_disk(folder, "profile_a", "")
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: folder)
    return folder


def test_what_ships_is_found() -> None:
    found = discover()
    assert list(found) == sorted(found)
    assert set(found) >= {p.name for p in shipped_plugins().iterdir() if (p / "plugin.yaml").is_file()}


def test_named_folders_hold_plugins_or_are_one(shipped: Path, tmp_path: Path) -> None:
    plugin_on_disk(tmp_path / "more", "analysis_b", "")
    one = plugin_on_disk(tmp_path / "one", "analysis_c", "")
    (tmp_path / "more" / "no_plugin").mkdir()
    assert list(discover([tmp_path / "more", one])) == ["analysis_b", "analysis_c", "profile_a"]


def test_two_of_one_id_are_both_named(shipped: Path, tmp_path: Path) -> None:
    other = plugin_on_disk(tmp_path / "more", "profile_a", "")
    with pytest.raises(UsageError) as raised:
        discover([tmp_path / "more"])
    assert str(shipped / "profile_a") in raised.value.message
    assert str(other) in raised.value.message


def test_one_folder_named_twice_is_one(shipped: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(shipped)
    assert list(discover([shipped, link])) == ["profile_a"]


def test_a_missing_folder_is_named(shipped: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        discover([tmp_path / "nowhere"])


def entry_point(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = importlib.metadata.EntryPoint("mine", value, "toolkit.plugins")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] if group == "toolkit.plugins" else [])


def test_installed_plugins_are_found_without_importing_them(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = plugin_on_disk(tmp_path / "site", "analysis_installed", "raise RuntimeError('imported')\n")
    (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site"), *sys.path])
    entry_point(monkeypatch, "analysis_installed")
    assert list(discover()) == ["analysis_installed", "profile_a"]


@pytest.mark.parametrize("value", ["no_such_package", "json", "json.no_such"])
def test_an_entry_point_without_a_plugin_is_named(shipped: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry_point(monkeypatch, value)
    with pytest.raises(BadInputError, match="mine"):
        discover()
