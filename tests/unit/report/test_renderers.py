from __future__ import annotations

import itertools
import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.report.sample_report import COLUMNS, DATASET, NASTY, outcomes
from toolkit.report.column_tables import MOST_COLUMNS
from toolkit.report.escape import code, escape, prose
from toolkit.report.model import build_report
from toolkit.report.renderer import Renderer, renderers
from toolkit.report.text_table import cells, text_table

ROW = re.compile(r"(?<!\\)\|")


def _report() -> dict:
    return build_report(DATASET, COLUMNS, outcomes())


def _markdown(report: dict) -> str:
    return renderers.get("markdown").render(report).decode()


def test_renderers_are_found_and_keep_the_protocol() -> None:
    assert set(renderers.all()) >= {"html", "json", "markdown"}
    names = [r.filename for r in renderers.all().values()]
    assert len(names) == len(set(names))
    for renderer in renderers.all().values():
        assert isinstance(renderer, Renderer)
        report = _report()
        assert renderer.render(report) == renderer.render(_report()) != b""
        assert report == _report(), "a renderer must not change the report"


def test_json_reads_back_as_the_same_tree() -> None:
    data = renderers.get("json").render(_report())
    assert data.endswith(b"}\n")
    assert json.loads(data) == _report()


def test_json_can_hold_text_that_utf8_can_not() -> None:
    report = build_report(DATASET, [{"name": "a\ud800b", "kind": "int"}], [])
    assert json.loads(renderers.get("json").render(report))["columns"][0]["name"] == "a\ud800b"
    assert "a\\\\ud800b" in renderers.get("markdown").render(report).decode()


def test_markdown_puts_findings_first_and_names_every_part() -> None:
    text = _markdown(_report())
    heads = re.findall(r"^## (\w+(?: \w+)*)", text, re.MULTILINE)
    assert heads == ["Findings", "Columns", "Plugins", "Left out", "References"]
    for part in ("100 rows, 4 columns", "all 100 rows were read", "p < 1e-300", "https://doi.org/10.1007/s00180-015-0637-z",
                 "skipped: there is no \\*time\\* column", "timed out: 60 s; lower max_cols", "`max_cols: 4`", "≈ 98",
                 "rows 3 to 17, 5; chunks 3, 4"):  # fmt: skip
        assert part in text


def test_text_from_data_is_never_markup() -> None:
    text = _markdown(_report())
    lowered = text.lower()
    assert "<script" not in lowered
    assert "<img" not in lowered
    assert "<b>" not in lowered
    assert "](javascript" not in lowered.replace("\\]", "")
    assert "http://evil" not in text
    assert "\u202e" not in text
    assert not re.search(r"^# \*x", text, re.MULTILINE)


def test_every_table_is_rectangular_and_fits_a_wide_terminal() -> None:
    lines = _markdown(_report()).splitlines()
    tables = [line for line in lines if line.startswith("|")]
    assert tables
    for before, line in itertools.pairwise(tables):
        if lines.index(line) == lines.index(before) + 1:
            assert len(ROW.findall(line)) == len(ROW.findall(before))
    plain = [line for line in tables if "\\" not in line and "&" not in line]
    assert max(cells(line) for line in plain) <= 120


def test_a_report_of_nothing_is_said_to_be_one() -> None:
    text = _markdown(build_report(DATASET, COLUMNS, []))
    assert "## Findings\n\nNone." in text
    assert "## Left out\n\nNothing." in text
    assert "no plugin that was done says" in text


def test_rows_that_were_not_read_are_named() -> None:
    partial = outcomes()
    partial[0]["coverage"]["rows"] = 60
    assert "not all of the 100 rows were read by: `profile_basic` 60" in _markdown(
        build_report(DATASET, COLUMNS, partial)
    )


def test_very_wide_tables_are_listed_up_to_a_cap_that_is_said() -> None:
    columns = [{"name": f"c{i}", "kind": "int"} for i in range(MOST_COLUMNS + 7)]
    text = _markdown(build_report(DATASET, columns, []))
    assert f"The first {MOST_COLUMNS} are listed" in text
    assert f"| c{MOST_COLUMNS - 1} " in text
    assert f"| c{MOST_COLUMNS} " not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("order_id", "order_id"),
        ("_private_", "\\_private\\_"),
        ("a*b", "a\\*b"),
        ("a|b", "a\\|b"),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ("[t](u)", "\\[t\\](u)"),
        ("a\nb\tc", "a⏎b⇥c"),
        ("see https://x.example", "see https\\://x.example"),
        ("www.x.example", "www\\.x.example"),
        ("zero\u200bwidth", "zero\\\\u200bwidth"),
    ],
)
def test_escapes(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_names_are_code_where_that_is_safe() -> None:
    assert code("order_id") == "`order_id`"
    assert code("a`b") == "“a\\`b”"
    assert code("") == "“”"
    assert code(" x") == "“ x”"
    assert prose("Column `a*b` is *odd*.") == "Column `a*b` is \\*odd\\*."
    assert prose(f"Column `{NASTY}` is odd.", [NASTY]).startswith("Column “we\\|ird \\`name\\`⏎&lt;script&gt;")


@given(st.text(max_size=60))
def test_escaped_text_has_no_bare_markup_and_no_line_breaks(text: str) -> None:
    for shown in (escape(text), code(text), prose(text), prose(f"a `{text}` b", [text])):
        assert len(shown.splitlines()) <= 1
        outside = re.sub(r"`[^`<>&|\\]+`", "", shown)
        assert not re.search(r"(?<!\\)(?:\\\\)*[`*|\[\]$~]", re.sub(r"\\.", "", outside))
        assert "<" not in shown
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") for c in shown)


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=20)), max_size=6))
def test_tables_stay_rectangular_whatever_the_cells_hold(rows: list[tuple[str, str]]) -> None:
    lines = text_table(["a", "b"], rows, right=[1], widest=[8, 8]).split("\n")
    assert len(lines) == len(rows) + 2
    assert {len(ROW.findall(re.sub(r"\\\\", "", line))) for line in lines} == {3}
