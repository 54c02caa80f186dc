"""The notebook in docs/examples, cell by cell, and what it shows; without a kernel, which would only slow it down."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from toolkit.report.notebook import Report, ReportedFinding
from toolkit.storage.dataset import Dataset

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "examples" / "first_report.ipynb"


def cells() -> list[str]:
    tree = json.loads(NOTEBOOK.read_text("utf-8"))
    assert tree["nbformat"] == 4
    code = [cell for cell in tree["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code), "outputs would go stale"
    return ["".join(cell["source"]) for cell in code]


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does; the value of its last line where that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(NOTEBOOK), "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    return eval(compile(ast.Expression(last.value), str(NOTEBOOK), "eval"), names)


@pytest.mark.slow
def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("TOOLKIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [run_cell(source, names) for source in cells()]
    assert shown[0] == 0
    assert isinstance(shown[1], Dataset)
    assert "20,000 rows, 28 columns" in shown[1]._repr_html_()
    assert isinstance(shown[2], pd.DataFrame)
    assert len(shown[2]) == 5
    assert "3 of 3 plugins done" in shown[3]._repr_html_()
    assert {"kind", "low", "high", "q_value"} <= set(shown[4].columns)
    assert isinstance(shown[5], ReportedFinding)
    assert shown[5]["sentence"].split("`")[0] in shown[5]._repr_html_()
    assert shown[6].index.name == "name"
    assert len(names["columns"]) == 28
    assert shown[7] == 0
    assert isinstance(shown[8], list)
    assert isinstance(names["run"].report, Report)
