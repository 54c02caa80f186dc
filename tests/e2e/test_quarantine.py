"""Bad records are set aside whole, with their lines, and the rest is converted: nothing shifted, dropped or padded."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

import toolkit
from toolkit.convert import main as convert
from toolkit.storage.appdata import AppData

BAD = b'a,b,c\n1,2,3\n4,5\n6,"x\ny",8\n9,1\x00,2\n7,"open\n5,6,7\n8,\xff,9\n1,2,3,4\n10,11,12\n'


def _convert(source: Path, appdata: Path, *more: str) -> int:
    return convert([str(source), "--appdata", str(appdata), "--on-bad-row", "quarantine", "--quiet", *more])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_bad_records_go_to_a_file_with_their_lines_and_reasons(tmp_path: Path, workers: str) -> None:
    source = tmp_path / "bad.csv"
    source.write_bytes(BAD)
    assert _convert(source, tmp_path / "appdata", "--workers", workers) == 1
    (file,) = (tmp_path / "appdata" / "stores").glob("*.quarantine.jsonl")
    rejected = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [r["line"] for r in rejected] == [3, 6, 7, 9, 10]
    records = [r["record"].encode() if "record" in r else base64.b64decode(r["base64"]) for r in rejected]
    assert records == [b"4,5\n", b"9,1\x00,2\n", b'7,"open\n', b"8,\xff,9\n", b"1,2,3,4\n"]
    with toolkit.open_store(appdata=tmp_path / "appdata") as store:
        assert store.to_pandas().to_numpy().tolist() == [[1, "2", 3], [6, "x\ny", 8], [5, "6", 7], [10, "11", 12]]


def test_every_record_is_in_the_store_or_in_the_file_however_the_source_is_cut(tmp_path: Path) -> None:
    lines = [b"id,text"]
    lines += [b"%d,%d,extra" % (i, i) if i % 97 == 0 else b'%d,"t, %d"' % (i, i) for i in range(20_000)]
    source = tmp_path / "many.csv"
    source.write_bytes(b"\n".join(lines) + b"\n")
    for memory in ("64MiB", "1MiB"):
        appdata = tmp_path / memory
        assert _convert(source, appdata, "--max-memory", memory) == 1
        (file,) = (appdata / "stores").glob("*.quarantine.jsonl")
        rejected = [json.loads(line)["line"] for line in file.read_text().splitlines()]
        assert rejected == [i + 2 for i in range(20_000) if i % 97 == 0]
        with toolkit.open_store(appdata=appdata) as store:
            assert store.to_pandas()["id"].tolist() == [i for i in range(20_000) if i % 97]


def test_the_file_is_told_of_again_when_the_store_is_reused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "bad.csv"
    source.write_bytes(BAD)
    appdata = tmp_path / "appdata"
    assert _convert(source, appdata, "--json") == 1
    assert _convert(source, appdata, "--json") == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["quarantined"], first["reused"]) == (5, False)
    assert (second["quarantined"], second["reused"]) == (5, True)
    assert len(AppData(appdata).list_stores()) == 1


def test_a_file_without_bad_records_leaves_no_quarantine(tmp_path: Path) -> None:
    source = tmp_path / "good.csv"
    source.write_text("a,b\n1,2\n")
    assert _convert(source, tmp_path / "appdata") == 0
    assert not list((tmp_path / "appdata" / "stores").glob("*.jsonl"))
