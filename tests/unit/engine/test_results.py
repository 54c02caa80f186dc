"""Results that are kept: whole, or as if they were not there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import ToolkitError
from toolkit.engine.journal import Journal
from toolkit.engine.results import ResultStore
from toolkit.storage.durable import DiskError


def test_keeps_bytes(tmp_path: Path) -> None:
    store = ResultStore(tmp_path / "deep")
    store.write({"k": b"body", "empty": b"", "m": b"more"})
    store.write({"n": b"next"})
    fresh = ResultStore(tmp_path / "deep")
    found = {key: fresh.read(key) for key in ("k", "empty", "m", "n", "other")}
    assert found == {"k": b"body", "empty": b"", "m": b"more", "n": b"next", "other": None}
    assert len(list((tmp_path / "deep").iterdir())) == 2
    assert ResultStore(tmp_path / "nowhere").read("k") is None


def test_without_reading_it_still_writes(tmp_path: Path) -> None:
    ResultStore(tmp_path).write({"k": b"old"})
    fresh = ResultStore(tmp_path, reading=False)
    assert fresh.read("k") is None
    fresh.write({"k": b"new"})
    assert ResultStore(tmp_path).read("k") == b"new"


def test_another_whole_copy_stands_in(tmp_path: Path) -> None:
    store = ResultStore(tmp_path)
    store.write({"k": b"body", "m": b"more"})
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b"body", b"bodi"))
    assert ResultStore(tmp_path).read("k") is None
    assert ResultStore(tmp_path).read("m") == b"more"
    store.write({"k": b"body"})
    assert ResultStore(tmp_path).read("k") == b"body"


@given(data=st.data())
def test_any_change_makes_it_absent(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("kept")
    ResultStore(folder).write({"k": b"some result"})
    (path,) = folder.iterdir()
    whole = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del whole[data.draw(st.integers(0, len(whole) - 1)) :]
    path.write_bytes(bytes(whole))
    assert ResultStore(folder).read("k") is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DiskError, match="keeping results"):
        ResultStore(tmp_path).write({"k": b""})


def test_the_journal_does_its_jobs_in_order() -> None:
    done: list[int] = []
    journal = Journal()
    for i in range(100):
        journal.put(lambda i=i: done.append(i))  # type: ignore[misc]
    journal.close()
    assert done == list(range(100))
    assert not [t for t in threading.enumerate() if t.name == "journal"]
    journal.close()


def test_the_journal_raises_what_a_job_raised() -> None:
    def fail() -> None:
        raise DiskError("the disk is full")

    journal = Journal()
    done: list[int] = []
    journal.put(fail)

    def go_on() -> None:
        for i in range(10_000):
            journal.put(lambda i=i: done.append(i))  # type: ignore[misc]
        journal.close()

    with pytest.raises(ToolkitError, match="the disk is full"):
        go_on()
    journal.close()
