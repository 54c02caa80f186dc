"""A plugin on a derived table reads rows of the table from which it was derived."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.derived_plugins import DOUBLE, ROWS, Place, ended
from toolkit.engine import discovery

LOOK = """
def run(ctx):
    rows = [int(v) for c in ctx.source.chunks(["n"], 95, 130) for v in c["n"]]
    seen = {"seen": rows, "of": ctx.source.rows, "names": list(ctx.source.schema.names)}
    return Result({}, [Finding("seen", ["n"], "There are rows.", "Look at n.", evidence=seen)])
"""
OWN = """
def run(ctx):
    assert ctx.source is None
    return Result({})
"""


def test_rows_of_the_parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: place.plugins)
    place.add("transform_double", DOUBLE)
    place.add("analysis_look", LOOK, table="transform_double")
    place.add("analysis_own", OWN)
    for options in ({}, {"executor": "process", "workers": 1, "cache": False}):
        report = place.run(**options)
        assert set(ended(report).values()) == {"ok"}
        (finding,) = report.findings
        assert finding["evidence"] == {"seen": list(range(90, 150)), "of": ROWS, "names": ["n", "x", "w"]}
