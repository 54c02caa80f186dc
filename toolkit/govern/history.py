"""What plugins took in earlier runs, read from telemetry before a run is scheduled."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from toolkit.govern.predict import MOST_OBSERVATIONS, Observation
from toolkit.govern.telemetry import read_telemetry

_PLUGINS = """
SELECT plugin, code_digest, rows * max(columns, 1), wall_ms, CASE executor WHEN 'serial' THEN 0 ELSE max_rss END
FROM (
    SELECT *, row_number() OVER (PARTITION BY plugin, code_digest ORDER BY id DESC) AS age
    FROM plugins WHERE plugin IN ({marks}) AND status = 'ok'
) WHERE age <= {most} ORDER BY id DESC
"""
_SCANS = """
SELECT wall_ms / predicted_ms FROM tasks
WHERE plugin = 'kernels' AND status = 'ok' AND code_digest = ? AND predicted_ms > 0 ORDER BY id DESC LIMIT 100
"""
_AT_ONCE = 500
"""Names in one query; SQLite takes no more than some ten thousand."""


def plugin_history(path: Path, plugins: Iterable[str]) -> dict[str, list[Observation]]:
    """What plugins took, the latest first; empty where the file has nothing or can't be read."""
    names = list(plugins)
    found: dict[str, list[Observation]] = defaultdict(list)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        query = _PLUGINS.format(marks=", ".join("?" * len(some)), most=MOST_OBSERVATIONS)
        for plugin, digest, size, wall_ms, max_rss in read_telemetry(path, query, some):
            found[plugin].append(Observation(size, wall_ms, max_rss, digest))
    return dict(found)


def scan_pace(path: Path, code_digest: str) -> float | None:
    """How much longer scans took than the kernels' cost model said, in the median; None where nothing is known."""
    ratios = [row[0] for row in read_telemetry(path, _SCANS, (code_digest,))]
    return statistics.median(ratios) if ratios else None
