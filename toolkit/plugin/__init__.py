"""All that a plugin's author needs.

A plugin is a folder ``<type>_<name>`` with a manifest ``plugin.yaml`` and a module ``plugin.py`` that has either a
function ``run(ctx)`` or a class ``Plugin(Reducer)``. docs/plugin-guide.md walks through one.
"""

from __future__ import annotations

from toolkit.core.canonical import round_significant
from toolkit.core.chunk import Chunk, ColumnData
from toolkit.core.errors import BudgetError, DamagedStoreError, ToolkitError, UsageError
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock
from toolkit.kernels.base import State, StateClass
from toolkit.plugin.budget import CAPS, Budget
from toolkit.plugin.context import Context, Inputs
from toolkit.plugin.reducer import Reducer
from toolkit.plugin.result import Finding, Result, Skip
from toolkit.plugin.selection import omission, select_columns, select_pairs

__all__ = [
    "CAPS",
    "Budget",
    "BudgetError",
    "Chunk",
    "ChunkGrid",
    "ColumnData",
    "ColumnSpec",
    "Context",
    "DamagedStoreError",
    "Finding",
    "Inputs",
    "Partition",
    "Reducer",
    "Result",
    "Schema",
    "Skip",
    "State",
    "StateClass",
    "StringBlock",
    "ToolkitError",
    "UsageError",
    "omission",
    "round_significant",
    "select_columns",
    "select_pairs",
]
