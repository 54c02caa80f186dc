"""A plugin's code: what its digest is over, and how it is loaded."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from toolkit.core.code import code_digest
from toolkit.core.errors import BadInputError
from toolkit.task.code import loaded_plugin


def plugin(folder: Path, code: str = "X = 1\n", **more: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "plugin.py").write_text(code)
    for name, text in more.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_the_digest_is_over_names_and_contents(tmp_path: Path) -> None:
    digests = {
        code_digest(plugin(tmp_path / "a")),
        code_digest(plugin(tmp_path / "b", "X = 2\n")),
        code_digest(plugin(tmp_path / "c", more="")),
        code_digest(plugin(tmp_path / "d", other="")),
    }
    assert len(digests) == 4
    assert code_digest(plugin(tmp_path / "e")) == code_digest(tmp_path / "a")


def test_caches_and_hidden_files_do_not_count(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "a")
    before = code_digest(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "plugin.pyc").write_bytes(b"x")
    (folder / ".hidden").write_bytes(b"x")
    assert code_digest(folder) == before


def test_loading_leaves_nothing(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "analysis_x", "from .near import Y\nX = Y + 1\n", near="Y = 1\n")
    with loaded_plugin("analysis_x", folder, code_digest(folder)) as module:
        assert module.X == 2
        assert "toolkit_plugin_analysis_x.near" in sys.modules
    assert not [name for name in sys.modules if name.startswith("toolkit_plugin_")]
    assert not (folder / "__pycache__").exists()
    plugin(folder, "X = 5\n")
    with loaded_plugin("analysis_x", folder, "") as module:
        assert module.X == 5


def test_code_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    folder = plugin(tmp_path / "analysis_x")
    digest = code_digest(folder)
    plugin(folder, "X = 2\n")
    with pytest.raises(BadInputError, match="has changed"), loaded_plugin("analysis_x", folder, digest):
        pass


def test_a_folder_without_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"plugin\.py is missing"), loaded_plugin("analysis_x", tmp_path, ""):
        pass
