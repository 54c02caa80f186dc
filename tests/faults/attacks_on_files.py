"""Attacks on files that a plugin was not given, or was given to read only."""

from __future__ import annotations

import gc
import os
import sqlite3
from pathlib import Path
from typing import Any

from tests.faults.attack_list import attack
from tests.faults.native import ImpossibleHereError, c_open, c_write, call, libc, must
from tests.faults.world import SECRET, World

PYTHON = "Python's own calls on files outside of its folders"
NATIVE = "native code that opens files (Arrow, SQLite, ctypes)"
STORE = "changing what may only be read"
LINKS = "links, renames and reopening"
METADATA = "mode, owner, times and attributes"
MEMORY = "shared memory under a name"
HOOK = "removing the audit hook"


@attack(PYTHON, "explained")
def read_outside(world: World) -> None:
    assert (world.outside / "secret").read_bytes() == SECRET


@attack(PYTHON, "explained")
def write_outside(world: World) -> None:
    (world.outside / "new").write_text("x")


@attack(PYTHON, "explained")
def list_outside(world: World) -> None:
    assert list(world.outside.iterdir())


@attack(PYTHON, "explained")
def remove_outside(world: World) -> None:
    (world.outside / "secret").unlink()


@attack(PYTHON, "explained")
def make_folder_outside(world: World) -> None:
    (world.outside / "made").mkdir()


@attack(PYTHON, "explained")
def rename_out(world: World) -> None:
    (world.run / "mine").write_text("x")
    (world.run / "mine").rename(world.outside / "mine")


@attack(PYTHON, "explained")
def read_through_dots(world: World) -> None:
    assert Path(f"{world.run}/../outside/secret").read_bytes() == SECRET


@attack(PYTHON, "explained")
def read_the_password_file(_: World) -> None:
    assert Path("/etc/passwd").read_text()


@attack(PYTHON, "explained")
def truncate_the_store(world: World) -> None:
    os.truncate(world.store / "chunk", 0)


@attack(PYTHON, "explained")
def sqlite_outside(world: World) -> None:
    sqlite3.connect(world.outside / "new.db").execute("create table t(a)")


@attack(NATIVE, "refused")
def read_by_ctypes(world: World) -> None:
    descriptor = c_open(world.outside / "secret", os.O_RDONLY)
    assert os.read(descriptor, 100) == SECRET


@attack(NATIVE, "refused")
def write_by_ctypes(world: World) -> None:
    c_write(world.outside / "new", os.O_WRONLY | os.O_CREAT)


@attack(NATIVE, "refused")
def nameless_file_by_ctypes(world: World) -> None:
    c_write(world.outside, os.O_WRONLY | os.O_TMPFILE)


@attack(NATIVE, "refused")
def remove_by_ctypes(world: World) -> None:
    must(libc.unlink(os.fsencode(world.outside / "secret")))


@attack(NATIVE, "refused")
def sqlite_attach(world: World) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("attach ? as other", (str(world.outside / "new.db"),))
    connection.execute("create table other.t(a)")


@attack(NATIVE, "refused")
def arrow_read(world: World) -> None:
    assert arrow().OSFile(str(world.outside / "secret"), "r").read() == SECRET


@attack(NATIVE, "refused")
def arrow_write(world: World) -> None:
    with arrow().OSFile(str(world.outside / "new"), "w") as file:
        file.write(b"x")


@attack(STORE, "refused")
def write_the_store(world: World) -> None:
    c_write(world.store / "chunk", os.O_WRONLY)


@attack(STORE, "refused")
def truncate_by_ctypes(world: World) -> None:
    must(libc.truncate(os.fsencode(world.store / "chunk"), 0))


@attack(STORE, "refused")
def truncate_while_opening_to_read(world: World) -> None:
    os.close(c_open(world.store / "chunk", os.O_RDONLY | os.O_TRUNC))
    assert not (world.store / "chunk").stat().st_size


@attack(STORE, "refused")
def truncate_while_opening_for_nothing(world: World) -> None:
    os.close(c_open(world.store / "chunk", 3 | os.O_TRUNC))
    assert not (world.store / "chunk").stat().st_size


@attack(STORE, "refused")
def remove_from_the_store(world: World) -> None:
    must(libc.unlink(os.fsencode(world.store / "chunk")))


@attack(STORE, "refused")
def rename_in_the_store(world: World) -> None:
    must(libc.rename(os.fsencode(world.store / "chunk"), os.fsencode(world.store / "other")))


@attack(STORE, "refused")
def flags_of_a_file_open_to_read(world: World) -> None:
    """FS_IOC_SETFLAGS with FS_NODUMP_FL asks for no right to write, only for being the owner."""
    import ctypes

    descriptor = c_open(world.store / "chunk", os.O_RDONLY)
    flags = ctypes.c_long(0)
    # asked for first: a file system refuses to clear flags of its own, such as that of extents
    must(libc.ioctl(descriptor, ctypes.c_ulong(0x80086601), ctypes.byref(flags)))
    flags.value |= 0x40
    must(libc.ioctl(descriptor, ctypes.c_ulong(0x40086602), ctypes.byref(flags)))


@attack(LINKS, "refused")
def read_through_a_link_made_there(world: World) -> None:
    link = world.run / "link"
    must(libc.symlink(os.fsencode(world.outside / "secret"), os.fsencode(link)))
    assert os.read(c_open(link, os.O_RDONLY), 100) == SECRET


@attack(LINKS, "refused")
def leave_a_link_for_others(world: World) -> None:
    must(libc.symlink(b"/etc/passwd", os.fsencode(world.run / "report.json")))


@attack(LINKS, "refused")
def leave_a_fifo_for_others(world: World) -> None:
    must(libc.mkfifo(os.fsencode(world.run / "report.json"), 0o600))


@attack(LINKS, "refused")
def hard_link_to_write_through(world: World) -> None:
    must(libc.link(os.fsencode(world.store / "link-me"), os.fsencode(world.run / "mine")))
    c_write(world.run / "mine", os.O_WRONLY)


@attack(LINKS, "refused")
def rename_out_by_ctypes(world: World) -> None:
    os.close(c_open(world.run / "mine", os.O_WRONLY | os.O_CREAT))
    must(libc.rename(os.fsencode(world.run / "mine"), os.fsencode(world.outside / "mine")))


@attack(LINKS, "refused")
def rename_in_by_ctypes(world: World) -> None:
    must(libc.rename(os.fsencode(world.outside / "secret"), os.fsencode(world.run / "mine")))


@attack(LINKS, "refused")
def reopen_to_write(world: World) -> None:
    descriptor = c_open(world.store / "chunk", os.O_RDONLY)
    c_write(f"/proc/self/fd/{descriptor}", os.O_WRONLY)


@attack(LINKS, "refused")
def exchange_with_the_store(world: World) -> None:
    """RENAME_EXCHANGE, both ways at once."""
    os.close(c_open(world.run / "mine", os.O_WRONLY | os.O_CREAT))
    here, there = os.fsencode(world.run / "mine"), os.fsencode(world.store / "chunk")
    call("renameat2", -100, here, -100, there, 2)


@attack(METADATA, "explained")
def chmod(world: World) -> None:
    (world.store / "chunk").chmod(0o777)


@attack(METADATA, "explained")
def utime(world: World) -> None:
    os.utime(world.store / "chunk", (1, 1))


@attack(METADATA, "explained")
def attribute(world: World) -> None:
    os.setxattr(world.store / "chunk", "user.mark", b"x")


@attack(METADATA, "refused")
def chmod_by_ctypes(world: World) -> None:
    must(libc.chmod(os.fsencode(world.store / "chunk"), 0o777))


@attack(METADATA, "refused")
def chmod_of_what_is_open(world: World) -> None:
    must(libc.fchmod(c_open(world.store / "chunk", os.O_RDONLY), 0o777))


@attack(METADATA, "refused")
def utime_by_ctypes(world: World) -> None:
    must(libc.utimes(os.fsencode(world.store / "chunk"), None))


@attack(METADATA, "refused")
def group_by_ctypes(world: World) -> None:
    if os.getuid():
        raise ImpossibleHereError("only root can give a file away")
    must(libc.chown(os.fsencode(world.store / "chunk"), 1, 1))


@attack(MEMORY, "refused")
def dev_shm(_: World) -> None:
    c_write("/dev/shm/contained-attack", os.O_WRONLY | os.O_CREAT)


@attack(MEMORY, "killed")
def memfd_create(_: World) -> None:
    os.close(must(libc.memfd_create(b"x", 0)))


@attack(MEMORY, "killed")
def system_v_memory(_: World) -> None:
    must(libc.shmctl(must(libc.shmget(0, 4096, 0o1600)), 0, None))


@attack(HOOK, "refused")
def hook_found_by_gc(world: World) -> None:
    """Widen what the hook knows of, in its own memory."""
    import toolkit.contain.audit as module

    for thing in gc.get_objects():
        if (
            callable(thing)
            and getattr(thing, "__module__", "") == module.__name__
            and getattr(thing, "__closure__", None)
        ):
            for cell in thing.__closure__:
                content: Any = cell.cell_contents
                if isinstance(content, dict):
                    content.clear()
    assert (world.outside / "secret").read_bytes() == SECRET


@attack(HOOK, "refused")
def hook_undone_by_patching(world: World) -> None:
    import toolkit.contain.audit as module

    module._inside = lambda *_: True  # type: ignore[assignment]
    os.path.realpath = lambda path, **_: str(world.run)  # type: ignore[assignment]
    assert (world.outside / "secret").read_bytes() == SECRET


@attack("descriptors that were open before", "refused")
def inherited_descriptor(world: World) -> None:
    assert os.pread(world.open_secret, 100, 0) == SECRET


@attack("descriptors that were open before", "refused")
def inherited_high_descriptor(world: World) -> None:
    assert os.pread(world.open_far_away, 100, 0) == SECRET


def arrow() -> Any:
    try:
        import pyarrow as pa
    except (ImportError, OSError) as error:
        raise ImpossibleHereError(f"Arrow can't be loaded: {error}") from error
    return pa
