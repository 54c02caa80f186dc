"""An interrupted conversion leaves marks, and goes on from them when it is run again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import toolkit
from toolkit.convert import main as convert_command
from toolkit.ingest import marks, sources
from toolkit.ingest.marks import read_mark
from toolkit.readers.base import Part, ReadOptions
from toolkit.readers.delimited import DelimitedReader, DelimitedSource
from toolkit.storage.appdata import AppData
from toolkit.storage.verify import verify

ROWS = 400_000
SMALL = "8MiB"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "table.csv"
    with path.open("w") as out:
        out.write("id,label,note\n")
        out.writelines(f'{i},label {i % 50},"a note, number {i}"\n' for i in range(ROWS))
    return path


def _command(source: Path, appdata: Path) -> list[str]:
    return [
        sys.executable, "-m", "toolkit.convert", str(source), "--appdata", str(appdata),
        "--max-memory", SMALL, "--workers", "1", "--quiet",
    ]  # fmt: skip


def _interrupt_when_some_parts_are_staged(source: Path, appdata: Path, number: int) -> int:
    with subprocess.Popen(_command(source, appdata), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while len(list(appdata.glob("tmp/*/*.done"))) < 3 and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        os.kill(process.pid, number)
        process.wait()
        return process.returncode


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_it_goes_on_from_its_marks(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    appdata = tmp_path / "appdata"
    assert _interrupt_when_some_parts_are_staged(source, appdata, number) == code
    marks = len(list(appdata.glob("tmp/*/*.done")))
    assert marks >= 3
    assert not AppData(appdata).list_stores()
    parsed: list[int] = []
    parse = DelimitedSource.parse

    def counted(self: DelimitedSource, part: Part, columns: list[int]) -> object:
        parsed.append(part.index)
        return parse(self, part, columns)

    monkeypatch.setattr(DelimitedSource, "parse", counted)
    with toolkit.convert_table(source, appdata=appdata, max_memory=8 << 20, workers=1) as store:
        assert store.rows == ROWS
        assert not list(verify(store))
        key = store.key
    assert min(parsed) >= marks - 1
    assert not any(p.is_dir() for p in (appdata / "tmp").iterdir())
    with toolkit.convert_table(source, appdata=tmp_path / "undisturbed") as undisturbed:
        assert undisturbed.key == key


def test_another_version_begins_anew(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that an older version typed are not mixed with those of a newer one."""
    appdata = tmp_path / "appdata"
    _interrupt_when_some_parts_are_staged(source, appdata, signal.SIGKILL)
    (left,) = (p for p in (appdata / "tmp").iterdir() if p.is_dir())
    for mark in left.glob("*.done"):
        mark.write_text(mark.read_text().replace('"kind":"int"', '"kind":"string"'))
    monkeypatch.setattr(marks, "_converter_code", lambda: "that of a newer version")
    with toolkit.convert_table(source, appdata=appdata, max_memory=8 << 20, workers=1) as store:
        assert store.schema["id"].kind == "int"
        assert not list(verify(store))
    assert left.exists()
    assert AppData(appdata).collect_stale() == [left]


def test_a_record_of_another_version_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, appdata = tmp_path / "t.csv", tmp_path / "appdata"
    source.write_text("a\n1\n")
    command = [str(source), "--appdata", str(appdata), "--json"]
    reused = []
    for version in ("1", "1", "2", "2"):
        monkeypatch.setattr(sources, "__version__", version)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            assert convert_command(command) == 0
        reused.append(json.loads(out.getvalue())["reused"])
    # the store of the same content is there already the third time, but the source is read again
    assert len(list((appdata / "sources").glob("*.json"))) == 2
    assert reused == [False, True, True, True]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"store": "../../elsewhere"}', '{"store": 3}', "null", "\x00"])
def test_a_damaged_source_record_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    source, appdata = tmp_path / "t.csv", tmp_path / "appdata"
    source.write_text("a\n1\n")
    with toolkit.convert_table(source, appdata=appdata) as store:
        location = store.location
    (record,) = (appdata / "sources").glob("*.json")
    (tmp_path / "elsewhere").mkdir()
    record.write_text(content)
    with toolkit.convert_table(source, appdata=appdata) as store:
        assert store.location == location
    assert json.loads(record.read_text())["store"] == location.name


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_staged_part_that_was_damaged_is_staged_again(source: Path, tmp_path: Path, share: float) -> None:
    appdata = tmp_path / "appdata"
    _interrupt_when_some_parts_are_staged(source, appdata, signal.SIGKILL)
    part = min(appdata.glob("tmp/*/part-*.arrow"))
    data = bytearray(part.read_bytes())
    data[int(len(data) * share)] ^= 4
    part.write_bytes(data)
    with toolkit.convert_table(source, appdata=appdata, max_memory=8 << 20, workers=1) as store:
        key = store.key
    with toolkit.convert_table(source, appdata=tmp_path / "undisturbed") as undisturbed:
        assert undisturbed.key == key


def test_a_source_that_has_changed_is_read_from_its_beginning(source: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_bytes(source.read_bytes())
    appdata = tmp_path / "appdata"
    _interrupt_when_some_parts_are_staged(mine, appdata, signal.SIGKILL)
    content = bytearray(mine.read_bytes())
    content[content.index(b"label 0")] = ord("L")
    before = mine.stat()
    mine.write_bytes(content)
    # the same size and time: the marks alone have to tell
    os.utime(mine, ns=(before.st_atime_ns, before.st_mtime_ns))
    with toolkit.convert_table(mine, appdata=appdata, max_memory=8 << 20, workers=1) as store:
        assert store.to_pandas(["label"], slice(0, 1))["label"].tolist() == ["Label 0"]


def test_a_mark_without_its_part_counts_for_nothing(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("a\n1\n")
    opened = DelimitedReader().open(source, ReadOptions())
    (part,) = opened.parts()
    (tmp_path / "part-000000.done").write_text('{"mark": ""}')
    assert read_mark(tmp_path / "part-000000.arrow", part) is None
    opened.close()


def test_two_converters_of_one_source_end_with_one_store(source: Path, tmp_path: Path) -> None:
    appdata = tmp_path / "appdata"
    both = [subprocess.Popen(_command(source, appdata), stdout=subprocess.PIPE) for _ in range(2)]
    paths = {process.communicate()[0].decode().strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert paths == {str(AppData(appdata).find_store())}
