from __future__ import annotations

import os
from pathlib import Path

import pytest

from toolkit.contain.clearing import clear


def test_files_folders_and_links_go_and_what_links_point_to_stays(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "kept").write_text("x")
    (run / "a" / "b").mkdir(parents=True)
    (run / "a" / "b" / "file").write_text("x")
    (run / "a" / "to-folder").symlink_to(other)
    (run / "a" / "dangling").symlink_to("nowhere")
    (run / "to-folder").symlink_to(other)
    os.mkfifo(run / "fifo")
    clear(run)
    assert list(run.iterdir()) == []
    assert (other / "kept").read_text() == "x"
    assert other.stat().st_mode & 0o777 == 0o755


def test_folders_deeper_than_a_path_can_be_long(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    before = Path.cwd()
    os.chdir(run)
    try:
        for _ in range(1200):
            Path("a-folder").mkdir()
            os.chdir("a-folder")
        Path("file").write_text("x")
    finally:
        os.chdir(before)
    clear(run)
    assert list(run.iterdir()) == []


def test_wide_and_nested(tmp_path: Path) -> None:
    for first in range(8):
        for second in range(8):
            folder = tmp_path / "run" / str(first) / str(second)
            folder.mkdir(parents=True)
            (folder / "1").write_text("x")
    clear(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is closed to root")
def test_folders_closed_to_their_owner(tmp_path: Path) -> None:
    close_and_clear(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_folders_closed_to_their_owner_as_another_user(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == 0 and folder != Path("/tmp"):
            folder.chmod(0o755)
    run = tmp_path / "mine"
    run.mkdir()
    os.chown(run, 65534, 65534)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setresuid(65534, 65534, 65534)
            close_and_clear(run)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0


def close_and_clear(base: Path) -> None:
    run = base / "run"
    (run / "closed" / "closed-too").mkdir(parents=True)
    (run / "closed" / "file").write_text("x")
    (run / "closed" / "closed-too").chmod(0)
    (run / "closed").chmod(0)
    clear(run)
    assert list(run.iterdir()) == []


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "kept").write_text("x")
    (tmp_path / "run").symlink_to(tmp_path / "other")
    with pytest.raises(OSError, match=r"."):
        clear(tmp_path / "run")
    assert (tmp_path / "other" / "kept").exists()
