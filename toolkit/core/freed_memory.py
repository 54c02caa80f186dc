"""Memory that is let go is kept for what is needed next, and not given back to the system in between.

Every part of a source, and every chunk of a scan, takes as much as the one before. What is given back comes again page
by page, each a fault and zeroed by the kernel: two thirds of the page faults of a conversion and half of those of a
scan were for that.
"""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK = 32 << 20
_SMALL_BLOCK, _SMALL_TOP = 256 << 10, 1 << 20
_PURGE_AFTER_MS = "10000"


def keep_freed_memory(most: int) -> None:
    """Have the C library keep what is freed.

    For a process of our own only: it changes how all of it allocates.

    Parameters
    ----------
    most : int
        Bytes at the end of the heap that are kept.
    """
    _settle(_LARGEST_BLOCK, most)


def give_back_freed_memory() -> None:
    """Have the C library give back what is freed, also where it would learn to keep it from what is asked for.

    For a process that is forked: every child begins with what it holds.
    """
    _settle(_SMALL_BLOCK, _SMALL_TOP)


def keep_freed_arrow_memory() -> None:
    """Have Arrow keep what is freed; to be called before it loads. What the environment says wins."""
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _PURGE_AFTER_MS)


def _settle(block: int, top: int) -> None:
    """Tell the C library, where it can be told, and the environment does not say otherwise."""
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, block)
        mallopt(_M_TRIM_THRESHOLD, top)
