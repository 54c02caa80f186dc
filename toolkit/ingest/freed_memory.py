"""Memory that is let go is kept for what is needed next, and not given back to the system in between.

Every part of a source takes as much as the one before. What is given back comes again page by page, each a fault and
zeroed by the kernel: two thirds of the page faults of a conversion were for that.
"""

from __future__ import annotations

import ctypes
import os
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_BLOCK, _KEPT = 32 << 20, 64 << 20
_PURGE_AFTER_MS = "10000"


def keep_freed_memory() -> None:
    """Have the allocators of the C library and of Arrow keep what is freed; to be called before Arrow loads.

    For a process of our own only: it changes how all of it allocates. What the environment says of it wins.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", _PURGE_AFTER_MS)
    if sys.platform == "linux" and not any(name.startswith("MALLOC_") for name in os.environ):
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
            mallopt(_M_TRIM_THRESHOLD, _KEPT)
