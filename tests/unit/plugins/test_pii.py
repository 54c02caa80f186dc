"""analysis_pii: right and wrong identifiers, random numbers, free text; and that no value ever leaves."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugins.analysis_pii.identifiers import FORMS, cards_among, is_iban, luhn
from tests.memory_store import memory_dataset
from tests.null_tables import run_plugin
from toolkit.plugin import Result

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_pii"


def run(columns: dict[str, Any], chunk_rows: int = 262_144, encoding: str = "", **options: Any) -> Result:
    encodings = dict.fromkeys((n for n, v in columns.items() if isinstance(v, list)), encoding) if encoding else None
    return run_plugin(FOLDER, memory_dataset(columns, chunk_rows, encodings=encodings), **options)


def tags(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    return {(t["column"], t["entity"]): t for t in result.data["tags"]}


def with_check(make: Callable[[random.Random], str], ends: list[str], entity: str, seed: int) -> str:
    """A random identifier whose last characters are chosen so that its check digits are right."""
    draw = random.Random(seed)
    check = next(f.check for f in FORMS if f.entity == entity)
    assert check is not None
    while True:
        body = make(draw)
        for end in ends:
            if check(body + end):
                return body + end


def digits(draw: random.Random, count: int) -> str:
    return "".join(str(draw.randrange(10)) for _ in range(count))


MAKERS: dict[str, tuple[Callable[[random.Random], str], list[str]]] = {
    "card": (lambda d: "4" + digits(d, 14), [str(i) for i in range(10)]),
    "tax_id_de": (lambda d: str(d.randrange(1, 10)) + digits(d, 9), [str(i) for i in range(10)]),
    "national_id_es": (lambda d: digits(d, 8), list("TRWAGMYFPDXBNJZSQVHLCKE")),
    "national_id_fr": (lambda d: f"{d.randrange(1, 3)}{digits(d, 2)}08{digits(d, 8)}",
                       [f"{i:02d}" for i in range(1, 98)]),
    "health_id_uk": (lambda d: digits(d, 9), [str(i) for i in range(10)]),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ["coded", "long"])
@pytest.mark.parametrize("entity", MAKERS)
def test_right_check_digits_are_tagged_and_wrong_ones_are_not(entity: str, encoding: str) -> None:
    make, ends = MAKERS[entity]
    right = [with_check(make, ends, entity, seed) for seed in range(60)]
    wrong = [v[:-1] + ends[(ends.index(v[-len(ends[0]) :]) + 1) % len(ends)][-1] for v in right]
    result = run({"a": [*right, None], "b": [*wrong, None]}, 17, encoding)
    tag = tags(result)["a", entity]
    assert (tag["strength"], tag["where"], tag["matching"], tag["of"]) == ("certain", "value", 60, 60)
    assert ("b", entity) not in tags(result)


def test_iban_of_every_country_length() -> None:
    for text in ("DE89370400440532013000", "GB82WEST12345698765432", "FR1420041010050500013M02606", "NO9386011117947"):
        assert is_iban(text)
        assert not is_iban(text[:-1] + ("1" if text[-1] != "1" else "2"))
        assert not is_iban(text[:4] + text[5:])  # too short for the country
    spaced = ["DE89 3704 0044 0532 0130 00", "FR14 2004 1010 0505 0001 3M02 606"]
    tag = tags(run({"x": [*spaced, "GB82WEST12345698765432", "NO9386011117947", "n/a"]}))
    assert tag["x", "iban"]["matching"] == 4


@pytest.mark.parametrize("as_text", [False, True])
def test_random_numbers_of_sixteen_digits_are_no_cards(as_text: bool) -> None:
    n = 20_000 if as_text else 1_000_000
    numbers = np.random.default_rng(1).integers(10**15, 10**16, n)
    result = run({"x": [str(v) for v in numbers] if as_text else numbers}, encoding="long" if as_text else "")
    assert result.data["tags"] == []
    formed, right = cards_among(numbers)
    assert right / formed == pytest.approx(0.1, abs=0.02)


def test_cards_as_whole_numbers() -> None:
    make, ends = MAKERS["card"]
    cards = np.array([int(with_check(make, ends, "card", seed)) for seed in range(40)] * 3)
    assert cards_among(cards) == (120, 120)
    assert tags(run({"x": cards}, 50))["x", "card"]["matching"] == 120
    # Two numbers that happen to be right, over and over, prove nothing.
    upstream = {"profile_basic": Result({"columns": [{"name": "x", "max": 10**16, "distinct": 2}]})}
    assert run({"x": cards[:2].repeat(500)}, upstream=upstream).data["tags"] == []


def test_luhn_agrees_with_the_definition() -> None:
    for number in range(0, 10**6, 997):
        text = str(number)
        total = sum(sum(map(int, str(int(c) * (2 if i % 2 else 1)))) for i, c in enumerate(reversed(text)))
        assert luhn(text) == (total % 10 == 0)


def test_addresses_and_telephones_in_one_column_and_addresses_in_text() -> None:
    contact = [f"user{i}@example.org" if i % 10 else f"+49 40 {1234567 + i}" for i in range(300)]
    note = [f"Please call back, or write to someone{i}@example.org today." if i % 50 == 0 else f"note {i}"
            for i in range(300)]  # fmt: skip
    found = tags(run({"contact": contact, "note": note}, 70, "long"))
    assert found["contact", "email"]["matching"] == 270
    assert found["contact", "phone"]["matching"] == 30
    assert (found["note", "email"]["where"], found["note", "email"]["matching"]) == ("text", 6)


def test_what_looks_like_it_but_is_not() -> None:
    n = 200
    rng = random.Random(2)
    columns = {
        "uuid": ["-".join(digits(rng, k) for k in (8, 4, 4, 4, 12)) for _ in range(n)],
        "day": [f"{i % 28 + 1:02d}-{i % 12 + 1:02d}-2024" for i in range(n)],
        "zip": [f"0{i % 9 + 1}{digits(rng, 3)}-{digits(rng, 4)}" for i in range(n)],
        "version": [f"{i}.{i % 7}.{i % 3}" for i in range(n)],
        "code": [f"00{digits(rng, 8)}" for _ in range(n)],
        "filename": [f"file {i}" for i in range(n)],
        "empty": [""] * n,
        "none": [None] * n,
        "big": np.arange(n) + 2**62,
    }  # fmt: skip
    assert run(columns, 33).data["tags"] == []
    assert run(columns, 33, "long").data["tags"] == []


def test_names_of_columns_are_hints() -> None:
    found = tags(run({"customer_name": ["Ann Lee", "Bo Ek"], "dateOfBirth": ["x", "y"], "n": np.arange(2)}))
    assert {(k, t["strength"]) for k, t in found.items()} == {
        (("customer_name", "person_name"), "possible"), (("dateOfBirth", "birth_date"), "possible")}  # fmt: skip


def test_no_value_is_in_the_result() -> None:
    make, ends = MAKERS["card"]
    cards = [with_check(make, ends, "card", seed) for seed in range(50)]
    mails = [f"somebody{i}@example.org" for i in range(50)]
    result = run({"pay": cards, "contact": mails, "ip": [f"10.1.2.{i}" for i in range(50)]}, 20)
    assert result.data["personal_columns"] == ["pay", "contact", "ip"]
    said = json.dumps(result.to_json(), default=str)
    assert not any(value in said or value[:8] in said for value in [*cards, *mails, "10.1.2."])
    assert all(f.log10_p is None for f in result.findings)


def test_chunks_and_the_last_row() -> None:
    columns = {"a": [f"u{i}@example.org" for i in range(99)] + ["x"]}
    assert run(columns, 7, "long").data == run(columns, 100, "long").data == run(columns, 100, "coded").data
    columns["a"][-1] = "v@example.org"
    assert run(columns, 7, "long").data["tags"][0]["matching"] == 100
