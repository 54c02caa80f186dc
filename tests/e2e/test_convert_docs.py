"""The examples of docs/convert.md work as they stand, and its lists are complete."""

from __future__ import annotations

import re
import shlex
import sqlite3
from pathlib import Path

import pytest

import toolkit
from toolkit.convert import main as convert
from toolkit.core.schema import ROLES
from toolkit.ingest.declared import DECLARABLE
from toolkit.ingest.text_types import NULL_SPELLINGS
from toolkit.readers.base import readers
from toolkit.stores import main as stores

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "convert.md").read_text("utf-8")
COMMANDS = {"toolkit.convert": convert, "toolkit.stores": stores}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the page names."""
    monkeypatch.chdir(tmp_path)
    orders = "zip,price,ordered,customer\n01234,1.50,2024-02-29 12:30:00,7\n00501,-,2024-03-01 08:00:00,8\n"
    files = {
        "orders.csv": orders.replace("-,2024-03-01", "2.25,2024-03-01"),
        "german.csv": "betrag;ort\n1.234,5;Köln\n",
        "bare.psv": "1|a\n-|n.a.\n",
        "ragged.csv": "a,b\n1,2\n3\n",
        "logs/2024-01.csv": "a,b\n1,2\n",
        "logs/2024-02.csv": "a,b\n3,4\n",
        "types.yaml": blocks("yaml")[0],
    }
    (tmp_path / "logs").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "latin.csv").write_bytes("a,b\né,1\n".encode("latin-1"))
    with sqlite3.connect("shop.sqlite") as connection:
        connection.execute("CREATE TABLE orders (town TEXT, price REAL)")
        connection.execute("CREATE TABLE towns (town TEXT)")
        connection.executemany("INSERT INTO orders VALUES (?, ?)", [("a", 1.0), ("b", 2.0)])
    connection.close()
    return tmp_path


def test_the_commands_run(folder: Path) -> None:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(lines) > 10
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[:2] == ["python", "-m"]
        expected = int(found[1]) if (found := re.search(r"# exit code (\d)", line)) else 0
        given = [toolkit.open_store().key if w == "STORE" else w for w in words[3:]]
        assert COMMANDS[words[2]]([*given, "--quiet"]) == expected, line
    assert (folder / "orders.parquet").exists()


def test_the_python_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = blocks("python")
    exec(block, {})
    assert capsys.readouterr().out == "EUR\n"


def test_every_reader_and_option_is_there() -> None:
    rows = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", TEXT, re.MULTILINE)}
    for name, reader in readers.all().items():
        assert set(re.findall(r"`(\w+)`", rows[name])) >= {o.name for o in reader.takes}, name
        assert reader.suffixes[0] in rows[name]
        assert all(f"`{o.name}`" in TEXT for o in reader.takes)


def test_every_kind_role_and_null_spelling_is_there() -> None:
    for word in (*DECLARABLE, *ROLES, *filter(None, NULL_SPELLINGS)):
        assert f"`{word}`" in TEXT, word
