"""Full-scan statistics on large tables: exact, repeatable, in bounded memory.

Names are loaded when they are first used, so that a command imports no more than it needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from toolkit.core.version import __version__

if TYPE_CHECKING:
    from toolkit.api import compare_stores, convert_table, open_report, open_store, run_plugins

__all__ = ["__version__", "compare_stores", "convert_table", "open_report", "open_store", "run_plugins"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("toolkit.api"), name)
    raise AttributeError(f"module 'toolkit' has no attribute {name!r}")
