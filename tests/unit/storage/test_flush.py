"""Flushing a store: what is open for it, and that a refused flush is an error."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from toolkit.storage.backend import backends
from toolkit.storage.durable import begin_flush, fsync_tree, open_folder
from toolkit.storage.layout import ArraySpec


def test_a_store_that_is_given_up_leaves_no_descriptor_open(tmp_path: Path) -> None:
    before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for number, attempt in enumerate(("given up", "failed")):
        writer = backends.get("zarr").create(tmp_path / str(number), "lz4", 8, 8)
        if attempt == "failed":
            (tmp_path / str(number) / "a").touch()
            with pytest.raises(NotADirectoryError) as kept:
                writer.write_chunk(ArraySpec("a", "values", "<i4"), 0, np.zeros(8, "<i4"))
            assert kept.value.__traceback__ is not None  # holds the writer
        else:
            del writer
        assert set(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_flush_that_is_begun_early_changes_nothing(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as stream:
        stream.write(b"x" * (1 << 18))
        stream.flush()
        begin_flush(stream.fileno())
        stream.write(b"y")
    assert (tmp_path / "f").read_bytes() == b"x" * (1 << 18) + b"y"
    read_end, write_end = os.pipe()
    begin_flush(write_end)  # refused, and no error: it promises nothing
    os.close(read_end)
    os.close(write_end)


def test_an_error_of_the_last_flush_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def syncfs(self, descriptor: int) -> int:
            ctypes.set_errno(errno.EIO)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *args, **options: Refusing())
    descriptor = open_folder(tmp_path)
    try:
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            fsync_tree(tmp_path, descriptor)
    finally:
        os.close(descriptor)
