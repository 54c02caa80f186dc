"""The pages of plugins are what manifests, docstrings and a run say, and every method has a DOI."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

from toolkit.core.doi import is_doi
from toolkit.engine.discovery import below, shipped_plugins
from toolkit.engine.manifest import load_manifest
from toolkit.engine.plugin_docs import described, index_page, left_over, page_head, plugin_pages, stale_pages
from toolkit.kernels.base import kernels

ROOT = Path(__file__).resolve().parents[3]
PAGES = ROOT / "docs" / "plugins"
FOLDERS = {folder.name: folder for folder in below(shipped_plugins())}
DOCSTRING = '''"""analysis_x: what x is.

What it finds. "``a`` is
so."

Method. By counting.

References
----------
Student (1908), doi:10.1093/biomet/6.1.1. Rao and
Scott (1984), doi:10.1214/aos/1176346391; a book without a number; Fisher (1922), 10.2307/2340521.
"""
'''


def test_the_pages_in_docs_are_what_manifests_and_docstrings_say() -> None:
    """To renew them: python scripts/plugin_docs.py."""
    manifests = {name: load_manifest(folder) for name, folder in FOLDERS.items()}
    assert {path.stem for path in PAGES.glob("*.md")} == {"README", *manifests}
    assert (PAGES / "README.md").read_text("utf-8") == index_page(manifests)
    for name, manifest in manifests.items():
        assert (PAGES / f"{name}.md").read_text("utf-8").startswith(page_head(manifest)), name


@pytest.mark.slow
def test_the_examples_in_docs_are_what_the_plugins_find(tmp_path: Path) -> None:
    """To renew them: python scripts/plugin_docs.py."""
    pages = plugin_pages({name: load_manifest(folder) for name, folder in FOLDERS.items()}, tmp_path)
    assert stale_pages(pages, PAGES) == []


def test_a_page_that_is_changed_missing_or_left_over_is_seen(tmp_path: Path) -> None:
    pages = {"README.md": b"a", "x.md": b"b", "y.md": b"c"}
    for name, content in pages.items():
        (tmp_path / name).write_bytes(content)
    assert stale_pages(pages, tmp_path) == []
    (tmp_path / "x.md").write_bytes(b"other")
    (tmp_path / "y.md").unlink()
    (tmp_path / "z.md").write_bytes(b"")
    assert [path.name for path in stale_pages(pages, tmp_path)] == ["x.md", "y.md", "z.md"]
    assert [path.name for path in left_over(pages, tmp_path)] == ["z.md"]


def test_the_script_complains_of_stale_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import toolkit.engine.plugin_docs

    monkeypatch.setattr(toolkit.engine.plugin_docs, "plugin_pages", lambda manifests: {"x.md": b"text"})
    script = str(ROOT / "scripts" / "plugin_docs.py")

    def exits(*options: str) -> int | str | None:
        monkeypatch.setattr(sys, "argv", [script, "--into", str(tmp_path / "pages"), *options])
        with pytest.raises(SystemExit) as left:
            runpy.run_path(script, run_name="__main__")
        return left.value.code

    assert exits("--check") == 1
    assert "x.md is stale" in capsys.readouterr().err
    assert (exits(), exits("--check")) == (0, 0)


def test_a_docstring_becomes_paragraphs_and_cited_works() -> None:
    paragraphs, cited = described(DOCSTRING)
    assert paragraphs == ["What x is.", '**What it finds.** "`a` is so."', "**Method.** By counting."]
    assert cited == {"10.1093/biomet/6.1.1": "Student (1908)", "10.1214/aos/1176346391": "Rao and Scott (1984)"}


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
            assert (PAGES / target).exists(), (page.name, target)


@pytest.mark.parametrize("name", FOLDERS)
def test_references_of_a_plugin_are_dois_also_in_its_code(name: str) -> None:
    manifest = load_manifest(FOLDERS[name])
    in_code = [
        found.rstrip(".,;")
        for path in FOLDERS[name].rglob("*.py")
        for found in re.findall(r"(?<![\w./])10\.\d{4,9}/[^\s\"'`]+", path.read_text("utf-8"))
    ]
    assert [doi for doi in (*manifest.references, *in_code) if not is_doi(doi)] == []


def test_references_of_kernels_are_dois() -> None:
    found = [doi for kernel in kernels.all().values() for doi in kernel.references]
    assert found
    assert [doi for doi in found if not is_doi(doi)] == []
