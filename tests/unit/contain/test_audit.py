"""What the hook makes of events, asked without installing it: there would be no way back."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from toolkit.contain.audit import Finding, Judge, _judges, _roots


@pytest.fixture
def judges(tmp_path: Path) -> dict[str, Judge]:
    for name in ("run", "store", "outside", "run-beside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "outside" / "file")
    writable = _roots([str(tmp_path / "run"), os.devnull])
    return _judges(_roots([str(tmp_path / "run"), str(tmp_path / "store"), os.devnull]), writable)


def found(judges: dict[str, Judge], event: str, *arguments: Any) -> Finding | None:
    return judges[event](arguments)


READ, WRITE = os.O_RDONLY | os.O_CLOEXEC, os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@pytest.mark.parametrize(
    ("path", "flags", "grave"),
    [
        ("run/file", READ, None),
        ("run/file", WRITE, None),
        ("run/new/deep", WRITE, None),
        ("store/file", READ, None),
        ("store/file", os.O_RDWR, True),
        ("store/new", WRITE, True),
        ("outside/file", READ, False),
        ("outside/file", WRITE, True),
        ("run/../outside/file", READ, False),
        ("run/link", READ, False),
        ("run/link", os.O_WRONLY, True),
        ("run-beside/file", READ, False),
        ("outside/is-not-there", READ, None),
        ("outside/is-not-there", WRITE, True),
    ],
)
def test_opening(judges: dict[str, Judge], tmp_path: Path, path: str, flags: int, grave: bool | None) -> None:
    for given in (str(tmp_path / path), os.fsencode(tmp_path / path), tmp_path / path):
        verdict = found(judges, "open", given, "r", flags)
        assert (verdict and verdict[1]) == grave


def test_descriptors_and_the_null_device_may_be_opened(judges: dict[str, Judge]) -> None:
    assert found(judges, "open", 3, "r", 0) is None
    assert found(judges, "open", os.devnull, "w", WRITE) is None
    assert found(judges, "open", "a\0b", "r", READ) is None  # open itself refuses it


def test_changes_of_folders(judges: dict[str, Judge], tmp_path: Path) -> None:
    mine, other = str(tmp_path / "run" / "a"), str(tmp_path / "store" / "a")
    for event in ("os.remove", "os.rmdir", "os.mkdir", "os.truncate"):
        assert found(judges, event, mine, -1) is None
        assert found(judges, event, other, -1)
    for event in ("os.rename", "os.link"):
        assert found(judges, event, mine, mine + "b", -1, -1) is None
        assert found(judges, event, mine, other, -1, -1) == (
            f"write {other!r}: it is outside of the folders given to it",
            True,
        )
        assert found(judges, event, other, mine, -1, -1)
    assert found(judges, "os.symlink", "/etc/passwd", mine, -1) == ("make a symbolic link", False)


def test_metadata_is_never_changed_and_its_own_files_are_not_named(judges: dict[str, Judge], tmp_path: Path) -> None:
    own = found(judges, "os.chmod", str(tmp_path / "run" / "file"), 0o700, -1)
    assert own == ("change mode, owner, times or attributes of its files", False)
    other = found(judges, "os.utime", str(tmp_path / "store" / "file"), None, None, -1)
    assert other is not None
    assert other[1]


def test_databases(judges: dict[str, Judge], tmp_path: Path) -> None:
    for name in (":memory:", "", "file::memory:?cache=shared", str(tmp_path / "run" / "new.db")):
        assert found(judges, "sqlite3.connect", name) is None
    assert found(judges, "sqlite3.connect", f"file:{tmp_path}/store/file?mode=ro") is None
    assert found(judges, "sqlite3.connect", f"file:{tmp_path}/outside/file?mode=ro")
    assert found(judges, "sqlite3.connect", str(tmp_path / "outside" / "new.db"))


def test_programs_processes_and_signals(judges: dict[str, Judge]) -> None:
    assert found(judges, "subprocess.Popen", "/bin/sh", ["sh"], None, None) == ("start a program ('/bin/sh')", True)
    # As ctypes.util and joblib ask the machine: refused, and not held against them.
    assert found(judges, "subprocess.Popen", "/usr/bin/gcc", ["gcc"], None, None) == (
        "start a program ('/usr/bin/gcc')",
        False,
    )
    assert found(judges, "os.system", b"rm -rf x") == ("start a program ('rm -rf x')", True)
    assert found(judges, "os.fork") == ("start a process", True)
    assert found(judges, "os.kill", os.getpid(), 0) is None
    assert found(judges, "os.kill", os.getppid(), 0)
    assert found(judges, "os.killpg", os.getpid(), 0)


def test_network(judges: dict[str, Judge]) -> None:
    assert found(judges, "socket.__new__", None, socket.AF_INET, socket.SOCK_STREAM, 0)
    assert found(judges, "socket.__new__", None, socket.AF_UNIX, socket.SOCK_STREAM, 0) is None
    assert found(judges, "socket.connect", None, "/run/socket")
    assert found(judges, "socket.sendmsg", None, None) is None
    assert found(judges, "socket.sendmsg", None, "/run/socket")
    assert found(judges, "socket.getaddrinfo", "localhost", 80, 0, 0, 0) == (
        "reach the network (socket.getaddrinfo)",
        True,
    )


def test_limits_are_read_and_not_set(judges: dict[str, Judge]) -> None:
    assert found(judges, "resource.prlimit", 0, 7, None) is None
    assert found(judges, "resource.prlimit", 0, 7, (1, 1))
    assert found(judges, "resource.setrlimit", 7, (1, 1))


def test_what_is_shown_is_short_and_harmless(judges: dict[str, Judge]) -> None:
    verdict = found(judges, "os.system", "x" * 5000 + "\n\u202e")
    assert verdict is not None
    assert len(verdict[0]) < 160
    verdict = found(judges, "os.system", "a\n\u202eb")
    assert verdict is not None
    assert verdict[0].isascii()
    assert "\n" not in verdict[0]
