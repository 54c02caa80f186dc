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
_PURGE_AFTER_MS = "10000"


def keep_freed_memory(most: int) -> None:
    """Have the C library keep what is freed; where it can't be told, do nothing.

    For a process of our own only: it changes how all of it allocates.

    Parameters
    ----------
    most : int
        Bytes at the end of the heap that are kept.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
            mallopt(_M_TRIM_THRESHOLD, most)


def keep_freed_arrow_memory() -> None:
    """Have Arrow keep what is freed; to be called before it loads. What the environment says wins."""
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _PURGE_AFTER_MS)


def is_settled_outside() -> bool:
    """Whether the environment says how the C library allocates."""
    return any(name.startswith("MALLOC_") for name in os.environ)
