"""Event logs: which columns are case, activity and time, and their events in the order of cases and times.

A table of any length is sorted in bounded memory: its rows are parted by ranges of their case, written to the plugin's
scratch folder, and sorted part by part (`sort_events`). A case is never parted.
"""

from __future__ import annotations

from toolkit.core.schema import EVENT_ROLES
from toolkit.core.time_spans import span, told
from toolkit.plugin.eventlog.case_blocks import CASE_BLOCKS, block_of_cases, block_starts, starts_by_slice
from toolkit.plugin.eventlog.case_log import CaseLog, case_log
from toolkit.plugin.eventlog.case_reducer import CaseReducer
from toolkit.plugin.eventlog.columns import Columns, take
from toolkit.plugin.eventlog.durations import DurationHistogram
from toolkit.plugin.eventlog.labels import Labels
from toolkit.plugin.eventlog.roles import Roles
from toolkit.plugin.eventlog.sorting import EventSorter, SortedEvents, case_runs
from toolkit.plugin.eventlog.variants import VariantTally, sequence_hashes

__all__ = [
    "CASE_BLOCKS",
    "EVENT_ROLES",
    "CaseLog",
    "CaseReducer",
    "Columns",
    "DurationHistogram",
    "EventSorter",
    "Labels",
    "Roles",
    "SortedEvents",
    "VariantTally",
    "block_of_cases",
    "block_starts",
    "case_log",
    "case_runs",
    "sequence_hashes",
    "span",
    "starts_by_slice",
    "take",
    "told",
]
