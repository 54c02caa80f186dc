"""Conversions that are killed, run into each other or out of disk: a store is absent or complete.

``TOOLKIT_KILLS`` and ``TOOLKIT_KILLED_PAIRS`` set how many conversions the slow tests kill, alone and beside another
(12 and 5 by default, 60 and 20 for a campaign).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.faults.disks import resize
from tests.unit.ingest.table_truth import tree
from toolkit import convert_table
from toolkit.convert import main as convert_command
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import open_location
from toolkit.storage.verify import verify

ROWS = 60_000
KILLS = int(os.environ.get("TOOLKIT_KILLS", "12"))
KILLED_PAIRS = int(os.environ.get("TOOLKIT_KILLED_PAIRS", "5"))


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table whose last row changes the type of a column, so that its parts are read a second time."""
    path = tmp_path_factory.mktemp("source") / "t.csv"
    lines = (f"{i},name {i % 97},{i / 7},{i % 50},text {i}" for i in range(ROWS - 1))
    path.write_text("id,name,x,late,text\n" + "\n".join(lines) + "\n1,a,0.5,not a number,t\n")
    return path


@pytest.fixture(scope="module")
def complete(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Every file of the store that the source leads to."""
    return tree(convert_table(source, appdata=tmp_path_factory.mktemp("complete")).location)


def start(source: Path, appdata: Path, *more: str) -> subprocess.Popen[str]:
    # many small parts, so that there is much to be interrupted in
    command = [sys.executable, "-m", "toolkit.convert", str(source), "--appdata", str(appdata), "--max-memory", "1MB"]
    return subprocess.Popen([*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def check_absent_or_complete(appdata: Path, complete: dict[str, bytes]) -> int:
    stores = AppData(appdata).list_stores()
    for store in stores:
        assert tree(store) == complete
        with open_location(store) as dataset:
            assert list(verify(dataset)) == []
    return len(stores)


@pytest.fixture(scope="module")
def duration(source: Path, tmp_path_factory: pytest.TempPathFactory) -> float:
    """Seconds that a whole conversion takes here and now."""
    began = time.monotonic()
    assert finished(start(source, tmp_path_factory.mktemp("timed")))[0] == 0
    return time.monotonic() - began


def kill_and_go_on(seed: int, source: Path, complete: dict[str, bytes], duration: float, appdata: Path) -> None:
    process = start(source, appdata)
    time.sleep(duration * random.Random(seed).uniform(0.2, 1.05))
    process.kill()
    process.communicate(timeout=60)
    check_absent_or_complete(appdata, complete)
    code, out, err = finished(start(source, appdata))
    assert (code, "Traceback" in err) == (0, False), err
    assert tree(Path(out.strip())) == complete
    assert check_absent_or_complete(appdata, complete) == 1
    assert [p.name for p in (appdata / "tmp").iterdir() if p.is_dir()] == []


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment(
    seed: int, source: Path, complete: dict[str, bytes], duration: float, tmp_path: Path
) -> None:
    kill_and_go_on(seed, source, complete, duration, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 100 + KILLS))
def test_killed_at_many_more_moments(
    seed: int, source: Path, complete: dict[str, bytes], duration: float, tmp_path: Path
) -> None:
    kill_and_go_on(seed, source, complete, duration, tmp_path)


def test_killed_again_and_again_it_still_gets_there(
    source: Path, complete: dict[str, bytes], duration: float, tmp_path: Path
) -> None:
    for share in (0.5, 0.6, 0.7, 0.8):
        process = start(source, tmp_path)
        time.sleep(duration * share)
        process.kill()
        process.communicate(timeout=60)
        check_absent_or_complete(tmp_path, complete)
    assert finished(start(source, tmp_path))[0] == 0
    assert check_absent_or_complete(tmp_path, complete) == 1


def test_what_others_left_behind_is_harmless(source: Path, complete: dict[str, bytes], tmp_path: Path) -> None:
    stale = tmp_path / "tmp" / "tmp-0123456789abcdef"
    (stale / "store").mkdir(parents=True)
    (stale / "part-000000.arrow").write_bytes(b"half of a par")
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / ".1-record.json.999").write_text("{")
    (tmp_path / "sources" / f"{source.stat().st_size}-damaged.json").write_text("{")
    code, _, err = finished(start(source, tmp_path))
    assert code == 0, err
    assert check_absent_or_complete(tmp_path, complete) == 1


@pytest.mark.parametrize("share", [0.5, 0.6, 0.7, 0.8])
def test_interrupted_it_says_so_and_publishes_nothing(
    share: float, source: Path, complete: dict[str, bytes], duration: float, tmp_path: Path
) -> None:
    process = start(source, tmp_path)
    time.sleep(duration * share)
    process.send_signal(signal.SIGINT)
    code, out, err = finished(process)
    if code != 0:  # else it was quicker than the signal
        assert (code, out) == (130, "")
        assert "interrupted" in err
        assert "Traceback" not in err
        assert check_absent_or_complete(tmp_path, complete) == 0
    assert finished(start(source, tmp_path))[0] == 0


# --- two at once -----------------------------------------------------------------------------------------------------


def test_two_at_once_end_with_one_store(source: Path, complete: dict[str, bytes], tmp_path: Path) -> None:
    results = [finished(p) for p in [start(source, tmp_path), start(source, tmp_path, "--workers", "1")]]
    assert [code for code, _, _ in results] == [0, 0]
    assert results[0][1] == results[1][1]
    assert check_absent_or_complete(tmp_path, complete) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(KILLED_PAIRS))
def test_one_of_two_killed(
    seed: int, source: Path, complete: dict[str, bytes], duration: float, tmp_path: Path
) -> None:
    first, second = start(source, tmp_path), start(source, tmp_path)
    time.sleep(duration * random.Random(seed).uniform(0.3, 1.5))
    first.kill()
    first.communicate(timeout=60)
    code, _, err = finished(second)
    assert code == 0, err
    assert check_absent_or_complete(tmp_path, complete) == 1


# --- the disk --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kilobytes", "phase"),
    [(64, "staging"), (400, "staging"), (1200, "staging"), (2300, "encoding"), (2700, "encoding")],
)
def test_a_full_disk_is_named_and_nothing_is_left(kilobytes: int, phase: str, small_disk: Path, tmp_path: Path) -> None:
    source, values = tmp_path / "noise.csv", random.Random(1)
    # neither the parts nor the store can be compressed: 8 bytes a value in both
    source.write_text(
        "a,b,c\n" + "".join(f"{values.random()},{values.random()},{values.random()}\n" for _ in range(ROWS))
    )
    resize(small_disk, f"size={kilobytes}k")
    appdata = small_disk / "appdata"
    code, out, err = finished(start(source, appdata))
    assert (code, out) == (3, ""), err
    assert err.startswith(f"error: {phase} the ")
    assert "No space left on device" in err
    assert str(appdata) in err
    assert AppData(appdata).list_stores() == []
    assert [p.name for p in (appdata / "tmp").iterdir() if p.is_dir()] == []
    resize(small_disk, "size=64m")
    assert finished(start(source, appdata))[0] == 0
    assert len(AppData(appdata).list_stores()) == 1


def test_a_disk_without_room_for_one_more_file_is_named_in_every_phase(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inodes run out, one file later each time: in staging, in encoding and in publishing."""
    source, phases = tmp_path / "t.csv", set()
    source.write_text("a,b\n1,x\n,y\n")
    for inodes in range(4, 40):
        resize(small_disk, f"nr_inodes={inodes}")
        appdata = AppData(small_disk / "appdata")
        code = convert_command([str(source), "--appdata", str(appdata.root), "--quiet"])
        out, err = capsys.readouterr()
        for store in appdata.list_stores():
            with open_location(store) as dataset:
                assert list(verify(dataset)) == []
        if code == 0:
            break
        assert (code, out) == (3, ""), err
        assert str(small_disk) in err
        assert "No space left on device" in err
        phases.add(err.split(":")[1].strip())
        assert not appdata.tmp.is_dir() or [p.name for p in appdata.tmp.iterdir() if p.is_dir()] == []
        shutil.rmtree(appdata.root, ignore_errors=True)
    assert code == 0
    assert phases >= {"staging the source", "encoding the store", "publishing the store"}


def test_a_limit_on_the_size_of_files_is_named(source: Path, tmp_path: Path) -> None:
    """Where no file system can be mounted, this at least can be had: the disk refuses to write on."""
    command = ["prlimit", "--fsize=100000", sys.executable, "-m", "toolkit.convert", str(source)]
    ran = subprocess.run([*command, "--appdata", str(tmp_path / "ad")], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (3, ""), ran.stderr
    assert "File too large" in ran.stderr
    assert str(tmp_path / "ad") in ran.stderr
    assert AppData(tmp_path / "ad").list_stores() == []
    assert [p.name for p in (tmp_path / "ad" / "tmp").iterdir() if p.is_dir()] == []


def test_a_clock_that_jumps_back_changes_nothing(
    source: Path, complete: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(range(2_000_000_000, 0, -1_000_000))
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    monkeypatch.setattr(time, "time_ns", lambda: next(now) * 10**9)
    with convert_table(source, appdata=tmp_path) as dataset:
        assert tree(dataset.location) == complete
    os.utime(source, ns=(1, 1))  # long before the record was written
    with convert_table(source, appdata=tmp_path) as dataset:
        assert tree(dataset.location) == complete


def test_a_read_only_disk_is_named(source: Path, small_disk: Path) -> None:
    resize(small_disk, "ro")
    code, out, err = finished(start(source, small_disk / "appdata"))
    assert (code, out) == (3, "")
    assert "Read-only file system" in err
    assert str(small_disk) in err


def test_appdata_that_is_no_folder_is_named(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    code, out, err = finished(start(source, tmp_path / "file"))
    assert code in (2, 3)
    assert out == ""
    assert str(tmp_path / "file") in err
    assert "internal error" not in err


# --- the source ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["grow", "vanish", "replace"])
def test_a_source_that_changes_while_it_is_read_is_refused(
    change: str, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolkit.core.errors import BadInputError
    from toolkit.ingest import pipeline

    copy = tmp_path / "t.csv"
    copy.write_bytes(source.read_bytes())
    decide = pipeline._decide

    def meanwhile(*args: object) -> object:
        if change == "grow":
            with copy.open("a") as stream:
                stream.write("2,b,1,2,t\n")
        elif change == "vanish":
            copy.unlink()
        else:
            other = tmp_path / "other"
            other.write_bytes(source.read_bytes())
            other.replace(copy)
            os.utime(copy, ns=(1, 1))
        return decide(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "_decide", meanwhile)
    with pytest.raises(BadInputError, match=r"t\.csv"):
        convert_table(copy, appdata=tmp_path / "ad")
    assert AppData(tmp_path / "ad").list_stores() == []
