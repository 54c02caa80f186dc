"""All that a plugin's author needs.

A plugin is a folder ``<type>_<name>`` with a manifest ``plugin.yaml`` and a module ``plugin.py`` that has either a
function ``run(ctx)`` or a class ``Plugin(Reducer)``. docs/plugin-guide.md walks through one.
"""

from __future__ import annotations

from toolkit.core.canonical import round_significant
from toolkit.core.chunk import Chunk, ColumnData
from toolkit.core.derived import DerivedColumn, keep, make
from toolkit.core.errors import BudgetError, DamagedStoreError, ToolkitError, UsageError
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.runs import places_of_runs
from toolkit.core.schema import ColumnSpec, Schema
from toolkit.core.strings import StringBlock
from toolkit.kernels.base import State, StateClass
from toolkit.kernels.blocks import BLOCKS, block_bounds, block_of_rows
from toolkit.kernels.rowhash import hash_rows
from toolkit.plugin.bins import RowBlocks, TimeBins, row_blocks, time_bins
from toolkit.plugin.budget import CAPS, Budget
from toolkit.plugin.context import Context
from toolkit.plugin.derived import Coded, DerivedTable
from toolkit.plugin.discoveries import discoveries
from toolkit.plugin.facts import ColumnFacts, column_facts
from toolkit.plugin.grouping import OTHER, Groups, keep_groups
from toolkit.plugin.inputs import Inputs
from toolkit.plugin.ranking import keep_findings
from toolkit.plugin.reducer import Reducer
from toolkit.plugin.result import Finding, Result, Skip
from toolkit.plugin.selection import omission, rank_columns, select_columns, select_pairs
from toolkit.plugin.shelf import Shelf

__all__ = [
    "BLOCKS",
    "CAPS",
    "OTHER",
    "Budget",
    "BudgetError",
    "Chunk",
    "ChunkGrid",
    "Coded",
    "ColumnData",
    "ColumnFacts",
    "ColumnSpec",
    "Context",
    "DamagedStoreError",
    "DerivedColumn",
    "DerivedTable",
    "Finding",
    "Groups",
    "Inputs",
    "Partition",
    "Reducer",
    "Result",
    "RowBlocks",
    "Schema",
    "Shelf",
    "Skip",
    "State",
    "StateClass",
    "StringBlock",
    "TimeBins",
    "ToolkitError",
    "UsageError",
    "block_bounds",
    "block_of_rows",
    "column_facts",
    "discoveries",
    "hash_rows",
    "keep",
    "keep_findings",
    "keep_groups",
    "make",
    "omission",
    "places_of_runs",
    "rank_columns",
    "round_significant",
    "row_blocks",
    "select_columns",
    "select_pairs",
    "time_bins",
]
