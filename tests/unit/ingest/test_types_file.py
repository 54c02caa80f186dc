"""The types file: kinds, units of measure and roles, held to or refused with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from toolkit import convert_table, open_store, run_plugins
from toolkit.convert import main
from toolkit.core.schema import ROLES
from toolkit.inspect import main as inspect
from toolkit.report.schema import report_schema

TEXT = "zip,price,day,who\n" + "".join(f"{i:05d},{i}.5,2020-01-{1 + i % 28:02d},p{i % 5}\n" for i in range(200))
TYPES = """\
zip: string
price: {kind: float, unit: EUR, role: measure}
who:
  role: resource
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(TEXT)
    return tmp_path / "t.csv"


def convert(source: Path, types: str, *more: str) -> int:
    """Run the command with a types file beside the source."""
    file = source.with_name("types.yaml")
    file.write_text(types)
    appdata = str(source.with_name("appdata"))
    return main([str(source), "--types", str(file), "--appdata", appdata, *more])


def test_units_and_roles_are_in_the_store_and_shown(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(source, TYPES) == 0
    appdata = source.with_name("appdata")
    with open_store(appdata=appdata) as dataset:
        told = {c.name: (c.kind, c.measure, c.role) for c in dataset.schema}
    assert told["price"] == ("float", "EUR", "measure")
    assert told["who"] == ("string", "", "resource")
    capsys.readouterr()
    assert inspect(["--appdata", str(appdata)]) == 0
    text = capsys.readouterr().out
    assert "float EUR" in text
    assert "resource" in text
    assert inspect(["--appdata", str(appdata), "--json"]) == 0
    shown = {c["name"]: c for c in json.loads(capsys.readouterr().out)["columns"]}
    assert (shown["price"]["measure"], shown["who"]["role"]) == ("EUR", "resource")


def test_a_unit_is_part_of_the_schema_and_a_role_of_the_key_alone(source: Path, tmp_path: Path) -> None:
    def made(types: dict[str, dict[str, str]]) -> tuple[str, str, str]:
        with convert_table(source, appdata=tmp_path / "ad", types=types) as dataset:
            return dataset.manifest.data_hash, dataset.manifest.schema_hash, dataset.key

    plain, unit, role = made({}), made({"price": {"unit": "EUR"}}), made({"price": {"role": "measure"}})
    assert plain[0] == unit[0] == role[0]
    assert unit[1] != plain[1] == role[1]
    assert len({plain[2], unit[2], role[2]}) == 3
    assert made({"price": {"role": "measure"}}) == role


def test_a_declared_role_is_the_one_in_the_report(source: Path, tmp_path: Path) -> None:
    with convert_table(source, appdata=tmp_path / "ad", types={"zip": {"role": "case"}}) as dataset:
        report = run_plugins(dataset.location, plugins=["profile_basic", "report_bundle"], appdata=tmp_path / "ad")
    (found,) = (tmp_path / "ad" / "runs").glob("*/report.json")
    columns = {c["name"]: c for c in json.loads(found.read_text())["columns"]}
    assert report.status == "ok"
    assert (columns["zip"]["role"], columns["zip"]["role_reason"]) == ("case", "declared when the table was converted")
    assert columns["price"]["role"] == "measure"


def test_every_role_that_can_be_declared_can_be_reported() -> None:
    assert set(ROLES) <= set(report_schema()["$defs"]["column"]["properties"]["role"]["enum"])


@pytest.mark.parametrize(
    ("types", "said"),
    [
        ("zip: string\nprice: number\n", "types.yaml, line 2: column 'price': unknown type 'number'"),
        ("zip: string\nnot there: int\n", "types.yaml, line 2: {source} has no column 'not there'"),
        ("price:\n  kind: float\n  role: king\n", "types.yaml, line 3: column 'price': unknown role 'king'"),
        ("price:\n  units: EUR\n", "types.yaml, line 2: column 'price': unknown field 'units'"),
        ('price:\n  unit: "a\\tb"\n', "types.yaml, line 2: column 'price': 'a\\tb' is no unit"),
        ("price: {unit: 7}\n", "types.yaml, line 1: column 'price': unit is not a word"),
        ("zip: string\nzip: int\n", "types.yaml, line 2: the key 'zip' is there twice"),
        ("price:\n  role: id\n  role: id\n", "types.yaml, line 3: the key 'role' is there twice"),
        ("price: [int]\n", "types.yaml, line 1: column 'price': neither a kind nor fields"),
        ("day: {kind: date, unit: EUR}\n", "types.yaml, line 1: column 'day' is date, and has no unit of measure"),
        ("\nwho: {unit: EUR}\n", "types.yaml, line 2: column 'who' is string, and has no unit of measure"),
        (
            "price: int\n",
            "types.yaml, line 1: {source}: column 'price' is declared as int, but row 1 from line 2 on has '0.5'",
        ),
        ("a: &x int\nb: *x\n", "types.yaml, line 1: the anchor &x is not allowed"),
        ("- price\n", "types.yaml, line 1: "),
    ],
)
def test_errors_name_file_and_line(types: str, said: str, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert convert(source, types) == 2
    assert said.format(source=source) in capsys.readouterr().err
    assert not list(source.parent.rglob("zarr.json"))
