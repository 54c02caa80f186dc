"""transform_normalize_mixed: its grammars, its decisions, what its table holds, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
import string
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.transform_normalize_mixed.date_orders import read_date
from plugins.transform_normalize_mixed.formats import read
from plugins.transform_normalize_mixed.number_grammar import keeps_digits, parse_number
from toolkit.api import convert_table, run_plugins
from toolkit.plugin import Finding
from toolkit.sample import main as sample
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location

PLUGIN = "transform_normalize_mixed"
NUMBERS: dict[str, tuple[str | None, str | None]] = {
    "12": ("12", "12"),
    "0": ("0", "0"),
    "-7": ("-7", "-7"),
    "\u22127": ("-7", "-7"),
    "1,234": ("1234", "1.234"),
    "1.234": ("1.234", "1234"),
    "1.234,5": (None, "1234.5"),
    "1,234.5": ("1234.5", None),
    "1 234 567": ("1234567", "1234567"),
    "1\u202f234,50": (None, "1234.50"),
    "1'234.50": ("1234.50", None),
    "12,5": (None, "12.5"),
    "-0.0": ("-0.0", None),
    "6.02E+23": ("6.02E+23", None),
    "9223372036854775807": ("9223372036854775807", "9223372036854775807"),
    # codes, other scripts, other notations, and what is half a number
    **dict.fromkeys(
        (
            "1e5", "0x1F", "٣", "１２", "-0", "\u22120", "007", "00", "-01", "0,123,456", "+5", "--5", "1,23,456",
            "1234,567.8", "1,234,56", "1,234 567", "1.2.3", ".5", "5.", "1_000", "1e", "e5", "NaN", "inf", "1/2",
            "12-5",
            "5 5", "", " 5", "5\n", "9223372036854775808", "0.12345678901234567", "1.0e+999", "½", "²", "1,", ",1",
            "(5)", "5-", "0b1", "1E+5",
        ),
        (None, None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_what_is_a_number_and_what_is_not(text: str) -> None:
    assert (parse_number(text, "point"), parse_number(text, "comma")) == NUMBERS[text]


@given(st.integers(-(10**12), 10**12), st.integers(0, 6), st.sampled_from(["point", "comma"]), st.booleans())
def test_a_number_that_was_written_is_read_back(digits: int, places: int, style: Any, grouped: bool) -> None:
    value = Decimal(digits).scaleb(-places)
    text = f"{value:,.{places}f}" if grouped else f"{value:.{places}f}"
    if style == "comma":
        text = text.translate(str.maketrans(",.", ".,"))
    found = parse_number(text, style)
    if keeps_digits(f"{value:.{places}f}"):
        assert found is not None
        assert Decimal(found) == value
        assert Decimal(repr(float(found))) == value
    elif places:
        assert found is None


@given(st.text(st.sampled_from(string.digits + "-+.,' eExX€%٣１²\u2212\u00a0"), max_size=12))
def test_nothing_is_read_as_a_number_that_its_digits_do_not_say(text: str) -> None:
    for style in ("point", "comma"):
        found = parse_number(text, style)  # type: ignore[arg-type]
        if found is not None:
            assert [c for c in found if c in string.digits] == [c for c in text if c in string.digits]
            assert all(ord(c) < 128 for c in text if c.isdigit())
            assert found.startswith("-") == (text[0] in "-\u2212")


DAY = 86_400_000_000
DATES: dict[str, list[str]] = {
    "2024-02-29": ["ymd"], "2023-02-29": [], "29/02/2024": ["dmy"], "02/29/2024": ["mdy"], "02/03/2024": ["dmy", "mdy"],
    "02.03.2024": ["dmy"], "13.13.2024": [], "2-3-2024": ["dmy", "mdy"], "2-3/2024": [], "1/2/24": [], "20240102": [],
    "3 Jan 2024": ["named"], "Jan 3, 2024": ["named"], "3-january-2024": ["named"], "3 Jam 2024": [], "0000-01-01": [],
    "2024-01-02 03:04": ["ymd"], "2024-01-02T03:04:05.5": ["ymd"], "2024-01-02 25:00": [],
    "01/02/2024 12:05 am": ["dmy", "mdy"],
    "01/02/2024 13:05 pm": [], "2024-01-02 ": [], "٢٠٢٤-01-02": [], "2024-01-02Z": [],
}  # fmt: skip


@pytest.mark.parametrize("text", DATES)
def test_what_is_a_date(text: str) -> None:
    assert list(read_date(text)) == DATES[text]


@given(st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)))  # noqa: DTZ001
def test_a_moment_that_was_written_is_read_back(moment: dt.datetime) -> None:
    expected = (moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1)  # noqa: DTZ001
    texts = {
        "ymd": moment.isoformat(" "),
        "dmy": f"{moment.day}.{moment.month}.{moment.year:04d} {moment:%H:%M:%S.%f}",
        "named": f"{moment.day} {moment:%b} {moment.year:04d} {moment:%H:%M:%S.%f}",
    }
    for order, text in texts.items():
        assert read_date(text) == {order: (expected, True)}


def test_percentages_amounts_and_booleans() -> None:
    assert read("12 %") == {("percent", "point"): "12", ("percent", "comma"): "12"}
    assert read("€1.234,50") == read("1.234,50 €") == read("EUR 1.234,50") == {("EUR", "comma"): "1234.50"}
    assert read("-$5") == read("$-5") == {("USD", "point"): "-5", ("USD", "comma"): "-5"}
    assert read("ABC 5") == read("5 kg") == read("%5") == read("5%%") == read("- 5 €") == {}
    assert read("JA") == {("bool", "ja/nein"): True}


class Normalised:
    """A table, run through the plugin."""

    def __init__(self, folder: Path, table: pa.Table, chunk_rows: int = 0, **params: Any) -> None:
        self.source = convert_table(table, appdata=folder, chunk_rows=chunk_rows)
        self.run_on(self.source, folder, **params)

    def run_on(self, dataset: Dataset, folder: Path, **params: Any) -> None:
        report = run_plugins(
            dataset,
            appdata=folder,
            plugins=[PLUGIN],
            policy="off",
            executor="serial",
            params={PLUGIN: params},
            cache=False,
        )
        plugin = next(p for p in report.plugins if p.id == PLUGIN)
        assert plugin.status == "ok", (plugin.reason, plugin.log)
        self.found = {f["kind"] + ":" + f["columns"][0]: f for f in report.findings}
        self.lineage = {c["name"]: c for c in report.report["derived"][0]["columns"]}
        self.key = report.report["derived"][0]["key"]
        self.dataset = open_location(AppData(folder).store_path(self.key))

    def values(self, name: str = "x") -> list[Any]:
        out: list[Any] = self.dataset.to_arrow([name]).read_all().column(name).to_pylist()
        return out

    def kind(self, name: str = "x") -> str:
        return self.dataset.schema[name].kind


def column(values: Sequence[str | None], times: int = 10) -> pa.Table:
    return pa.table({"x": pa.array([*values] * times, pa.string()), "n": np.arange(len(values) * times)})


EURO = ["1.234,50", "0,75", "12,00", "-3,10", "1.000.000,99", "7"]
READ_AS: dict[str, tuple[list[str | None], str, list[Any]]] = {
    "decimal comma": (EURO, "float", [1234.5, 0.75, 12.0, -3.1, 1000000.99, 7.0]),
    "decimal point": (["1,234.50", "0.75", "1,000"], "float", [1234.5, 0.75, 1000.0]),
    "grouped integers": (["1 234", "12", "7 654 321"], "int", [1234, 12, 7654321]),
    "percentages": (["12 %", "7,5 %", "0 %"], "float", [12.0, 7.5, 0.0]),
    "amounts": (["€ 5,00", "€ 1.200,00"], "float", [5.0, 1200.0]),
    "booleans": (["Yes", "no", " yes ", None], "bool", [True, False, True, None]),
    "day first": (["31/12/2023", "01/02/2024", "5/5/2024"], "date", [dt.date(2023, 12, 31), dt.date(2024, 2, 1),
                  dt.date(2024, 5, 5)]),
    "month first": (["12/31/2023", "01/02/2024"], "date", [dt.date(2023, 12, 31), dt.date(2024, 1, 2)]),
    "with a time": (["31.12.2023 23:59", "1.2.2024"], "timestamp", [dt.datetime(2023, 12, 31, 23, 59),  # noqa: DTZ001
                    dt.datetime(2024, 2, 1)]),  # noqa: DTZ001
}  # fmt: skip


@pytest.mark.parametrize("coded", [True, False])
@pytest.mark.parametrize("name", READ_AS)
def test_columns_that_become_something_else(name: str, coded: bool, tmp_path: Path) -> None:
    texts, kind, expected = READ_AS[name]
    values = texts * 20
    if not coded:
        # as many distinct texts as rows: spaces around them tell them apart
        values = [None if v is None else v + " " * i for i, v in enumerate(values)]
    table = pa.table({"x": pa.array(values, pa.string()), "n": np.arange(len(values))})
    made = Normalised(tmp_path, table, chunk_rows=7)
    assert (made.source.schema["x"].encoding == "coded") is coded
    assert made.kind() == kind
    assert made.values() == expected * 20
    assert made.values("n") == list(range(len(values)))
    assert made.lineage["x"]["of"] == ["x"]
    assert made.lineage["n"]["kept"]
    assert list(made.found) == ["text_normalised:x"]
    again = Normalised.__new__(Normalised)
    again.run_on(made.dataset, tmp_path)
    assert again.key == made.key


LEFT: dict[str, tuple[list[str], str]] = {
    "codes with a leading zero": (["01234", "12345", "00017"], ""),
    "codes with an e": (["1e5", "2e7", "9e3"], ""),
    "groups or decimals": (["1,234", "5,678", "9,012"], "ambiguous_format"),
    "both decimal signs": (["1,5", "2.5", "7", "3,25"] + ["8"] * 400, "ambiguous_format"),
    "days or months": (["01/02/2024", "03/04/2024", "11/12/2024"], "ambiguous_format"),
    "both orders": (["31/12/2023", "12/31/2023"] + ["5/5/2024"] * 200, "ambiguous_format"),
    "too few": (["1,5"] * 90 + ["x"] * 10, ""),
    "several units": (["5 €", "7 $", "8,50 €"], "mixed_units"),
    "one word": (["yes", "yes", "yes"], ""),
    "years of two digits": (["1/2/24", "3/4/25"], ""),
    "words": (["red", "green", "blue"], ""),
    "more digits than a double": (["0.1234567890123456", "0.5"], ""),
    "integers a double would change": (["9007199254740993", "0.5"], ""),
}


@pytest.mark.parametrize("name", LEFT)
def test_columns_that_stay_text(name: str, tmp_path: Path) -> None:
    texts, kind = LEFT[name]
    made = Normalised(tmp_path, column(texts, 10 if len(texts) < 50 else 1))
    assert made.key == made.source.key
    assert [f.partition(":")[0] for f in made.found] == ([kind] if kind else [])


def test_what_becomes_missing_is_counted_and_listed(tmp_path: Path) -> None:
    values = ["1.234,50", "0,75"] * 490 + ["n/a"] * 12 + ["-"] * 5 + ["siehe unten"] * 3 + [None] * 4
    made = Normalised(tmp_path, column(values, 1), chunk_rows=100)
    assert made.values()[:2] == [1234.5, 0.75]
    assert made.values()[980:] == [None] * 24
    found = made.found["text_normalised:x"]
    assert found["evidence"]["missing"] == [["n/a", 12], ["-", 5], ["siehe unten", 3]]
    assert (found["evidence"]["read"], found["evidence"]["values"], found["evidence"]["became_missing"]) == (
        980,
        983,
        20,
    )
    assert "980 of 983 values (99.7%) are numbers with a decimal comma; 20 values became missing" in found["sentence"]


def test_one_value_in_the_last_row_settles_or_unsettles(tmp_path: Path) -> None:
    dates = ["01/02/2024", "03/04/2024"] * 100
    assert Normalised(tmp_path / "a", column(dates, 1)).kind() == "string"
    assert Normalised(tmp_path / "b", column([*dates, "13/02/2024"], 1)).kind() == "date"
    assert Normalised(tmp_path / "c", column([*dates, "13/02/2024", "02/13/2024"], 1)).kind() == "string"


def test_the_share_is_exact(tmp_path: Path) -> None:
    for wrong, kind in ((20, "float"), (21, "string")):
        values = ["1,5"] * (1000 - wrong) + ["?!"] * wrong
        assert Normalised(tmp_path / str(wrong), column(values, 1)).kind() == kind


def test_labels_are_tidied(tmp_path: Path) -> None:
    values = ["Berlin"] * 6 + ["berlin", " Berlin ", "BERLIN", "Köln", "Ko\u0308ln", "unknown", "straße", "STRASSE"]
    made = Normalised(tmp_path, column(values), text_sentinels="unknown")
    # of two spellings that are equally common the first in the order of code points stays
    assert made.values()[: len(values)] == ["Berlin"] * 9 + ["Köln"] * 2 + [None] + ["STRASSE"] * 2
    evidence = made.found["text_tidied:x"]["evidence"]
    assert (evidence["untidy"], evidence["relabelled"]) == (20, 30)
    again = Normalised.__new__(Normalised)
    again.run_on(made.dataset, tmp_path, text_sentinels="unknown")
    assert again.key == made.key


def test_long_text_is_tidied(tmp_path: Path) -> None:
    values = [f" note {i}\u00a0" if i % 3 else f"cafe\u0301 {i}" for i in range(50)] + [None]
    made = Normalised(tmp_path, column(values, 1), chunk_rows=8)
    assert made.values() == [f"note {i}" if i % 3 else f"café {i}" for i in range(50)] + [None]
    assert made.found["text_tidied:x"]["evidence"]["untidy"] == 50


@pytest.mark.parametrize("seed", range(6))
def test_tables_with_nothing_to_find_have_no_finding(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    letters = np.array(list(string.ascii_lowercase))
    ids = ["".join(rng.choice(letters, 8)) + str(i) for i in range(300)]
    words = rng.choice(["red", "green", "blue", "n/a", "unknown", "on hold"], 300)
    codes = [f"{n:05d}" for n in rng.integers(0, 99_999, 300)]
    made = Normalised(
        tmp_path, pa.table({"id": ids, "word": words, "code": pa.array(codes), "x": rng.normal(size=300)})
    )
    assert made.found == {}
    assert made.key == made.source.key


def test_the_sample_table_and_effects_planted_in_it(tmp_path: Path) -> None:
    assert sample(["--rows", "5000", "--seed", "3", "--out", str(tmp_path / "orders.csv"), "--quiet"]) == 0
    source = convert_table(tmp_path / "orders.csv", appdata=tmp_path)
    frame = source.to_arrow().read_all()
    amounts, started = frame["amount"].to_pylist(), frame["started_at"].to_pylist()
    rows = len(amounts)
    gone = {i for i in range(rows) if i % 97 == 5}
    written = ["n/a" if i in gone else f"{a:,.2f}".translate(str.maketrans(",.", ".,")) for i, a in enumerate(amounts)]
    dates = [t.strftime("%m/%d/%Y %H:%M:%S") for t in started]
    cities = [c.upper() if i % 50 == 1 else c for i, c in enumerate(frame["city"].to_pylist())]
    for name, values in (("amount", written), ("started_at", dates), ("city", cities)):
        position = frame.schema.get_field_index(name)
        frame = frame.set_column(position, name, pa.array(values, pa.string()))
    plain = Normalised.__new__(Normalised)
    plain.run_on(source, tmp_path / "plain")
    assert not [f for f in plain.found if not f.startswith("text_tidied")]
    assert plain.kind("zip") == "string"
    made = Normalised(tmp_path / "made", frame)
    assert made.kind("zip") == "string"
    assert made.values("amount") == [None if i in gone else float(f"{a:.2f}") for i, a in enumerate(amounts)]
    assert made.values("started_at") == [t.replace(microsecond=0) for t in started]
    assert {f for f in made.found if f.startswith("text_normalised")} == {
        "text_normalised:amount", "text_normalised:started_at",
    }  # fmt: skip
    assert made.found["text_normalised:amount"]["evidence"]["missing"] == [["n/a", len(gone)]]
    assert made.found["text_tidied:city"]["evidence"]["relabelled"] == sum(i % 50 == 1 for i in range(rows))


def test_sentences_rest_on_evidence(tmp_path: Path) -> None:
    import re

    values = ["1.234,50", "0,75"] * 490 + ["n/a"] * 12 + ["1.5"]
    for number, texts in enumerate((values, values[:-1], ["5 €", "7 $"] * 30, ["Rom", "rom ", "Rom"] * 30)):
        made = Normalised(tmp_path / str(number), column(texts, 1))
        assert made.found
        for found in made.found.values():
            told = set(re.findall(r"(?<![\w.,'])[0-9][0-9,]*(?:\.[0-9]+)?(?=[ %)])", found["sentence"]))
            known = repr(found["evidence"])
            share = found["evidence"].get("share", 0)
            for figure in told - {f"{share * 100:.1f}"}:
                assert re.search(rf"\b{figure.replace(',', '')}\b", known), (figure, found)
            assert found["columns"][0] in found["recommendation"]
            assert Finding(found["kind"], found["columns"], found["sentence"], found["recommendation"])
