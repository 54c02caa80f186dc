"""The Python in README.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "README.md").read_text("utf-8"), re.DOTALL)
    (block,) = [b for b in blocks if b.startswith("import toolkit")]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "your_table.csv").write_text("price,town\n1.5,a\n,b\n3,a\n")
    found: dict[str, object] = {}
    exec(block, found)
    assert found["report"].status == "ok"  # type: ignore[attr-defined]
    assert list((tmp_path / "appdata" / "runs").glob("*/report.json"))
