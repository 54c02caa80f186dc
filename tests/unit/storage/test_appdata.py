"""Stores are published whole or not at all, found by path or key, and work folders belong to one."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from toolkit import convert_table, open_store
from toolkit.core.errors import BadInputError, DamagedStoreError
from toolkit.storage.appdata import AppData, discard
from toolkit.storage.durable import DiskError, naming_disk_errors, read_file, rename_noreplace, write_durably


def test_what_is_published_never_replaces_what_is_there(tmp_path: Path) -> None:
    place = AppData(tmp_path)
    for content, published in (("first", True), ("second", False)):
        built = tmp_path / f"built-{content}"
        built.mkdir()
        (built / "x").write_text(content)
        assert place.publish(built, place.stores / "k") is published
        assert not built.exists()
    assert (place.stores / "k" / "x").read_text() == "first"


def test_a_rename_does_not_fall_for_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "empty").mkdir()
    assert not rename_noreplace(tmp_path / "new", tmp_path / "empty")
    assert rename_noreplace(tmp_path / "new", tmp_path / "free")
    with pytest.raises(OSError, match="No such file"):
        rename_noreplace(tmp_path / "absent", tmp_path / "other")


def test_a_work_folder_is_removed_and_its_name_is_locked(tmp_path: Path) -> None:
    place, order = AppData(tmp_path), []

    def second() -> None:
        with place.workspace("shared"):
            order.append("second")

    with place.workspace("shared") as folder:
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        order.append("first")
        assert folder.is_dir()
    other.join(10)
    assert order == ["first", "second"]
    assert not folder.exists()


def test_stale_work_is_collected_and_live_work_is_not(tmp_path: Path) -> None:
    place = AppData(tmp_path)
    stale = place.tmp / "tmp-stale"
    (stale / "deep").mkdir(parents=True)
    with place.workspace() as live:
        assert place.collect_stale() == [stale]
        assert live.is_dir()
    assert not stale.exists()


def test_stores_are_found_by_path_key_and_the_beginning_of_a_key(tmp_path: Path) -> None:
    place = AppData(tmp_path)
    with pytest.raises(BadInputError, match=r"there is no store.*\n.*toolkit\.convert"):
        place.find_store()
    first = convert_table(pa.table({"a": [1]}), appdata=tmp_path)
    second = convert_table(pa.table({"a": [2]}), appdata=tmp_path)
    os.utime(first.location, ns=(10**18, 10**18))
    assert place.find_store() == second.location
    assert place.find_store(first.key) == place.find_store(first.key[:8]) == first.location
    assert place.find_store(str(first.location)) == first.location
    assert open_store(first.key[:8], appdata=tmp_path).key == first.key
    for unknown in ("abcdef012345", first.key[:3], "../../etc"):
        with pytest.raises(BadInputError, match="no store"):
            place.find_store(unknown)


def test_a_beginning_that_fits_two_keys_is_refused(tmp_path: Path) -> None:
    place = AppData(tmp_path)
    for name in ("abcdef1", "abcdef2"):
        (place.stores / name).mkdir(parents=True)
    with pytest.raises(BadInputError, match="more than one store"):
        place.find_store("abcdef")


def test_records_of_sources_are_whole_or_absent(tmp_path: Path) -> None:
    place = AppData(tmp_path)
    assert place.source_record("x") is None
    place.write_source_record("x", {"store": "k", "ü": 1})
    assert place.source_record("x") == {"store": "k", "ü": 1}
    (place.sources / "x.json").write_text("[1")
    assert place.source_record("x") is None
    assert [p.name for p in place.sources.iterdir()] == ["x.json"]


def test_discard_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "x").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    for name in ("link", "absent"):
        discard(tmp_path / name)
    assert (tmp_path / "kept" / "x").exists()
    assert not (tmp_path / "link").is_symlink()


def test_a_file_is_written_whole_and_read_with_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "f"
    write_durably(path, b"abc")
    write_durably(path, b"defg")
    assert read_file(path, 4) == b"defg"
    with pytest.raises(DamagedStoreError, match="at most 3"):
        read_file(path, 3)
    with pytest.raises(DamagedStoreError, match="absent"):
        read_file(tmp_path / "absent", 3)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(DamagedStoreError, match="link"):
        read_file(tmp_path / "link", 10)
    assert [p.name for p in path.parent.iterdir()] == ["f"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.ENOTDIR])
def test_disk_errors_name_phase_and_path(code: int, tmp_path: Path) -> None:
    with (
        pytest.raises(DiskError, match=r"doing it: .*: /some/file") as caught,
        naming_disk_errors("doing it", tmp_path),
    ):
        raise OSError(code, "no", "/some/file")
    assert caught.value.exit_code == 3
    assert caught.value.remedy


def test_other_errors_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), naming_disk_errors("doing it", tmp_path):
        (tmp_path / "absent").read_bytes()
