from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.report.sample_report import (
    COLUMNS,
    DATASET,
    HOSTILE_NAMES,
    hostile_outcomes,
    outcomes,
    wide_outcomes,
)
from toolkit.report.figures import number
from toolkit.report.html.close_up import close_up
from toolkit.report.html.evidence import facts as evidence_facts
from toolkit.report.html.markup import Markup, element, join, text
from toolkit.report.html.page import LIMIT, page
from toolkit.report.html.plots import effect, place_on, step_path
from toolkit.report.model import build_report

ALLOWED = {
    "a", "b", "bdi", "body", "button", "caption", "code", "dd", "defs", "details", "div", "dl", "dt", "footer", "g",
    "h1", "h2", "h3", "h4", "head", "header", "html", "i", "input", "label", "li", "main", "marker", "meta", "nav",
    "ol", "option", "output", "p", "path", "rect", "script", "section", "select", "small", "span", "style", "summary",
    "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul", "use",
}  # fmt: skip
LEFT_OPEN = {"td", "th", "tr", "li", "dt", "dd", "path", "use", "meta", "input", "option"}


class Reader(HTMLParser):
    """Elements with their attributes, the text, and whether every end tag fits."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []
        self.open: list[str] = []
        self.feed(data.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        assert len({name for name, _ in attrs}) == len(attrs), attrs
        if tag not in LEFT_OPEN:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("script", "style"):
            self.said.append(data)

    @property
    def text(self) -> str:
        return " ".join(self.said)


def _hostile() -> dict[str, Any]:
    columns, found = hostile_outcomes()
    return build_report(DATASET, columns, found)


def _wide(n_columns: int, n_findings: int = 200) -> dict[str, Any]:
    columns, found = wide_outcomes(n_columns, n_findings)
    return build_report({**DATASET, "rows": 6400, "chunk_rows": 100}, columns, found)


def test_the_page_has_every_part_with_the_findings_first() -> None:
    read = Reader(page(build_report(DATASET, COLUMNS, outcomes())))
    sections = [attributes["id"] for tag, attributes in read.elements if tag == "section"]
    assert sections == ["overview", "findings", "columns", "plugins", "left-out", "references"]
    assert read.open == []
    for part in ("100 rows × 4 columns", "All 100 rows were read", DATASET["data_hash"], "skipped", "no *time* column",
                 "60 s; lower max_cols", "doi:10.1007/s00180-015-0637-z", "q < 1e-300", "max_cols: 4"):  # fmt: skip
        assert part in read.text


def test_hostile_names_and_values_are_text_and_nothing_else() -> None:
    read = Reader(page(_hostile()))
    assert {tag for tag, _ in read.elements} <= ALLOWED
    assert sum(tag == "script" for tag, _ in read.elements) == 1
    names = {name for _, attributes in read.elements for name in attributes}
    assert not any(name.startswith("on") or name in ("style", "src", "srcset", "action") for name in names)
    targets = {str(attributes["href"]) for _, attributes in read.elements if "href" in attributes}
    assert all(re.match(r"#[a-z0-9-]+\Z|https://doi\.org/10\.", target) for target in targets)
    for said in (
        "<script>window.hit=1</script>",
        '=HYPERLINK("http://evil.example","x")',
        "\\u202eevil\\u2066",
        "שלום",
    ):
        assert said in read.text
    assert not re.search("[\u200b\u202a-\u202e\u2066-\u2069]", read.text)
    assert max(map(len, read.said)) < 2_000, "a label of 10 kB is cut"


def test_only_the_one_script_and_the_one_style_are_allowed() -> None:
    data = page(_hostile()).decode()
    (policy,) = re.findall(r'http-equiv=Content-Security-Policy content="([^"]*)"', data)
    policy = policy.replace("&#x27;", "'")
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", data, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert data.index("Content-Security-Policy") < data.index("<style>") < data.index("<script>")


def test_the_same_report_gives_the_same_bytes() -> None:
    assert page(_hostile()) == page(_hostile())
    changed = [{**o, "duration_ms": 1.0, "max_rss": 5, "predicted_ms": 9} for o in outcomes()]
    assert page(build_report(DATASET, COLUMNS, changed)) == page(build_report(DATASET, COLUMNS, outcomes()[::-1]))


def _columns_on(read: Reader) -> int:
    return sum(tag in ("div", "details") and str(a.get("class")) == "col" for tag, a in read.elements)


@pytest.mark.parametrize(
    ("n_columns", "n_findings", "all_unfold"),
    [
        (24, 10, True),
        pytest.param(600, 200, True, marks=pytest.mark.slow),
        pytest.param(2000, 3000, False, marks=pytest.mark.slow),
    ],
)
def test_the_page_stays_under_two_megabytes(n_columns: int, n_findings: int, all_unfold: bool) -> None:
    data = page(_wide(n_columns, n_findings))
    assert len(data) < LIMIT
    read = Reader(data)
    gone = re.findall(r"([\d,]+) more columns are in report\.json", read.text)
    assert _columns_on(read) + sum(int(n.replace(",", "")) for n in gone) == n_columns
    assert ("are shown without details" in read.text) != all_unfold
    assert ("findings is in report.json alone" in read.text) != all_unfold


def test_columns_that_do_not_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.report.html.page.LIMIT", 200_000)
    data = page(build_report(DATASET, [{"name": f"column {i}", "kind": "int"} for i in range(1_000)], []))
    assert 190_000 < len(data) < 200_000
    read = Reader(data)
    (gone,) = re.findall(r"([\d,]+) more columns are in report\.json", read.text)
    assert _columns_on(read) + int(gone) == 1_000


def test_very_long_names_and_lists_do_not_break_the_limit() -> None:
    report = build_report(DATASET, [{"name": f"{i}" + "n" * 10_000, "kind": "int"} for i in range(300)], [])
    entry = {"plugin": "p" * 10_000, "what": "w" * 10_000, "left_out": ["n" * 10_000] * 50, "rule": "r" * 10_000}
    report["omitted"] = [entry] * 5_000
    report["references"] = [{"doi": "10.1000/" + "d" * 5_000, "used_by": ["u" * 5_000] * 50}] * 500
    plugin = {**build_report(DATASET, [], outcomes())["plugins"][0], "id": "i" * 10_000, "reason": "r" * 10_000}
    report["plugins"] = [plugin] * 3_000
    assert len(page(report)) < LIMIT


def test_every_figure_of_a_column_is_the_reports() -> None:
    report = _wide(3)
    read = Reader(page(report))
    column = report["columns"][0]
    for name in ("mean", "std", "skewness", "kurtosis", "entropy"):
        assert number(column[name]) in read.text
    for value in column["quantiles"].values():
        assert number(value) in read.text


def test_missing_values_by_position_are_shares_of_the_stretch() -> None:
    read = Reader(page(_wide(3)))
    assert "Missing values in 64 stretches of the table, up to 9 % in one" in read.text
    report = _wide(3)
    del report["dataset"]["chunk_rows"]
    assert "up to 9 in one" in Reader(page(report)).text


def test_associations_are_drawn_and_listed() -> None:
    columns = [{"name": name, "kind": "float"} for name in ("a", "b", "c")]
    pairs = [
        {"columns": ["a", "b"], "spearman": -0.8, "spearman_interval": [-0.9, -0.7], "r": -0.5, "n": 40},
        {"columns": ["a", "c"], "spearman": 0.95, "spearman_interval": [-0.1, 1.0], "n": 41},
        {"columns": ["b", "c"], "spearman": None, "r": float("nan")},
        {"columns": ["b"], "spearman": 0.3}, "odd", {"columns": ["b", 3], "r": 0.2}, {"columns": ["b", "c"], "r": 7},
    ]  # fmt: skip
    outcome = {**outcomes()[1], "data": {"pairs": pairs}, "findings": []}
    report = build_report(DATASET, columns, [outcome])
    assert [(a["columns"], a["measure"], a["value"], a["n"]) for a in report["associations"]] == [
        (["a", "b"], "spearman", -0.8, 40), (["a", "b"], "r", -0.5, 40), (["a", "c"], "spearman", 0.95, 41)
    ]  # fmt: skip
    data = page(report).decode()
    assert 'class=n4 d="M0 24h23v23h-23z"' in data
    assert 'class=s0 d="M0 48h23v23h-23z"' in data, "an interval that holds zero is pale"
    assert "Spearman&#x27;s rank correlation of 2 pairs of columns" in data


def test_the_middle_is_drawn_where_far_values_flatten_the_histogram() -> None:
    column = _wide(1)["columns"][0]
    assert close_up(column) is None
    skewed = {**column, "histogram": {"edges": [0, 1, 2], "counts": [95, 5]}}
    found = close_up(skewed)
    assert found is not None
    assert "5 % at 3.7035" in found.said
    assert close_up({**skewed, "quantiles": dict.fromkeys(column["quantiles"], 1.0)}) is None


def test_a_logarithmic_scale_for_positive_values_over_orders_of_magnitude() -> None:
    """Of the log-uniform distribution from 1 to 10^6, density is flat on it: all blocks are of one height."""
    column = _wide(1)["columns"][0]
    quantiles = {p: 10.0 ** (6 * float(p)) for p in column["quantiles"]}
    skewed = {**column, "quantiles": quantiles, "histogram": {"edges": [0, 1, 2], "counts": [95, 5]}}
    found = close_up(skewed)
    assert found is not None
    assert (found.heading, found.low, found.high) == ("On a logarithmic scale", "1", "1,000,000")
    assert set(re.findall(r"V(\d+)H", found.path)) == {"0"}
    assert found.path.endswith("H1000V30z")
    with_zero = close_up({**skewed, "quantiles": {**quantiles, "0": 0.0}})
    assert with_zero is not None
    assert with_zero.heading == "Its middle 90 %"
    heaped = {p: max(v, 10.0) for p, v in quantiles.items()}  # a sixth of the values are the smallest
    assert "logarithmic" not in (close_up({**skewed, "quantiles": heaped}) or with_zero).heading


def test_times_have_a_picture_of_their_own() -> None:
    report = _wide(3)
    assert "id=times" not in page(report).decode()
    edges = [f"2024-01-{day:02d}T00:00:00" for day in range(1, 5)]
    moment = {**report["columns"][0], "name": "<b>when", "kind": "timestamp", "quantiles": {}}
    moment["histogram"] = {"edges": edges, "counts": [4, 0, 9]}
    text = page({**report, "columns": [moment, *report["columns"][1:]]}).decode()
    assert "fullest from 2024-01-03 to 2024-01-04: 9 rows" in text
    assert "1 of 3 stretches without a row, the first from 2024-01-02" in text
    assert "<b>when" not in text
    assert 'href="#times"' in text or "href=#times" in text


def test_figures_along_the_rows_are_drawn() -> None:
    drawn = evidence_facts({"spearman_by_block": [0.5, None, *[1.0] * 6]})
    assert "By 8 blocks of rows" in drawn
    assert "0.5 to 1" in drawn
    assert "<svg" not in evidence_facts({"spearman_by_block": [0.5] * 7, "by": ["x"] * 9, "odd_by_block": ["x"] * 9})


def test_effects_are_drawn_on_a_scale_with_zero() -> None:
    assert "M10 8H500V16H10z" in effect(0.5, None, "t"), "a share is a bar from the left"
    assert "M745 12h0" in effect(0.5, [-0.1, 0.6], "t"), "of -1 to 1"
    assert "M500 12h0" in effect(0.5, [0.4, 0.6], "t"), "of 0 to 1"
    assert "M990 12h0" in effect(40.0, [20.0, 40.0], "t"), "of 0 to 40"
    assert "<title>a &lt; b</title>" in effect(0.0, None, "a < b")


def test_places_on_a_scale() -> None:
    assert place_on("2024-01-01T12:00:00", "2024-01-01", "2024-01-02") == 0.5
    assert place_on("12:00:00", "00:00:00", "18:00:00") == pytest.approx(2 / 3)
    assert place_on("1.50", "1", "2.00") == 0.5
    assert place_on("Infinity", 0, 1) is place_on(None, 0, 1) is place_on(1, 1, 1) is place_on("x", 0, 1) is None


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_a_step_path_gives_its_heights_back(heights: list[int]) -> None:
    level, at, found = 0, 0, []
    for letter, figure in re.findall(r"([VH])(\d+)", step_path(heights)):
        if letter == "V":
            level = 30 - int(figure)
        else:
            found += [level] * (int(figure) - at)
            at = int(figure)
    assert found == heights


@settings(max_examples=50)
@given(st.text(max_size=40), st.text(max_size=40))
def test_text_never_becomes_markup(content: str, value: str) -> None:
    made = element("p", content, title=value)
    read = Reader(made.encode("utf-8", "backslashreplace"))
    assert [tag for tag, _ in read.elements] == ["p"]
    assert set(read.elements[0][1]) == {"title"}
    assert isinstance(join([content, made], value), Markup)
    assert not set(text(content)) & set("<>\"'")


def test_names_of_columns_that_are_hostile_are_all_there() -> None:
    read = Reader(page(_hostile()))
    anchors = {str(attributes.get("id")) for _, attributes in read.elements}
    assert {f"c{i}" for i in range(len(HOSTILE_NAMES))} <= anchors
    assert "(no name)" in read.text
