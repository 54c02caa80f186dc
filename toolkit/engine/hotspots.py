"""Where a run's time and memory go, from the telemetry of an appdata folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError
from toolkit.engine.run_folder import PLAN, RUN
from toolkit.storage.appdata import AppData

# A task is about a part of the table's rows; all tasks of a plugin in a run together read each row of its columns.
_QUERY = """
SELECT run_id, plugin, kind, count(*), sum(wall_ms), sum(cpu_ms), max(max_rss), max(rows), max(columns)
FROM tasks WHERE status = 'ok' GROUP BY run_id, plugin, kind ORDER BY run_id, plugin, kind
"""


@dataclass(slots=True)
class Hotspot:
    """What a plugin, or all scans for kernels, cost over all runs.

    Attributes
    ----------
    name : str
        The plugin; ``kernels`` for the scans.
    runs, tasks : int
        Runs in which it did something, and its tasks.
    wall_ms, cpu_ms : float
        Milliseconds of all its tasks.
    max_rss : int
        Peak resident bytes of any of its processes.
    values : int
        Rows times columns that it was about, over all runs.
    """

    name: str
    runs: int = 0
    tasks: int = 0
    wall_ms: float = 0.0
    cpu_ms: float = 0.0
    max_rss: int = 0
    values: int = 0


@dataclass(frozen=True, slots=True)
class Costs:
    """All that is known of costs in an appdata folder.

    Attributes
    ----------
    hotspots : list of Hotspot
        The most processor time first.
    runs : int
        Runs in telemetry.
    tables : list of str
        Sizes of their tables.
    machines : list of str
        Where they ran, as far as their folders still say so.
    """

    hotspots: list[Hotspot]
    runs: int
    tables: list[str]
    machines: list[str]


def read_costs(place: AppData) -> Costs:
    """Add up the telemetry of a folder; tasks that did not end well are left out.

    Raises
    ------
    BadInputError
        When there is no telemetry, or it can't be read.
    """
    found: dict[str, Hotspot] = {}
    runs: dict[str, tuple[int, int]] = {}
    for run_id, plugin, _, tasks, wall, cpu, rss, rows, columns in _rows(place.telemetry):
        if run_id not in runs:
            runs[run_id] = rows, int(_read(place, run_id, PLAN).get("columns") or 0)
        width = (runs[run_id][1] if plugin == "kernels" else 0) or columns
        spot = found.setdefault(plugin, Hotspot(plugin))
        spot.runs += 1
        spot.tasks += tasks
        spot.wall_ms += wall
        spot.cpu_ms += cpu
        spot.max_rss = max(spot.max_rss, rss)
        spot.values += rows * width
    tables = {f"{rows:,} x {columns}" if columns else f"{rows:,} rows" for rows, columns in runs.values()}
    machines = {_machine(_read(place, run_id, RUN).get("host")) for run_id in runs}
    order = sorted(found.values(), key=lambda h: (-h.cpu_ms, h.name))
    return Costs(order, len(runs), sorted(tables), sorted(machines - {""}))


def costs_markdown(costs: Costs) -> str:
    """The page docs/perf_hotspots.md."""
    total = sum(h.cpu_ms for h in costs.hotspots) or 1.0
    head = _HEAD.format(
        runs=costs.runs,
        tables="; ".join(costs.tables),
        machines="; ".join(costs.machines) or "a machine that its run folders no longer name",
    )
    return head + "".join(_row(h, total) for h in costs.hotspots)


def _row(spot: Hotspot, total: float) -> str:
    each = f"{spot.cpu_ms * 1e6 / spot.values:,.1f}" if spot.values else "-"
    share = f"{100 * spot.cpu_ms / total:.1f} %"
    return (
        f"| `{spot.name}` | {share} | {spot.cpu_ms:,.0f} | {spot.wall_ms:,.0f} | {each} |"
        f" {spot.max_rss / 2**20:,.0f} | {spot.tasks} | {spot.runs} |\n"
    )


_HEAD = """\
# Where the time goes

Written by `scripts/perf_hotspots.py` from the telemetry of {runs} runs; do not edit. It depends on the machine, so
nothing checks that it is up to date.

Tables: {tables}. Machine: {machines}.

Times are of all tasks together, in milliseconds of processor and wall time; `ns` is processor time for each row and
column that the plugin takes (of the table's, for `kernels`, the scans that are shared by all plugins); `MiB` is the
largest resident size of one of its processes.

| plugin | share of CPU | CPU ms | wall ms | ns | MiB | tasks | runs |
| :-- | --: | --: | --: | --: | --: | --: | --: |
"""


def _rows(path: Path) -> list[tuple[Any, ...]]:
    import sqlite3

    if not path.is_file():
        raise BadInputError(f"there is no telemetry in {path.parent}", "run something first: python -m toolkit.run")
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            found = connection.execute(_QUERY).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise BadInputError(f"{path} can't be read: {error}") from error
    if not found:
        raise BadInputError(f"{path} has no task that ended well", "run something first: python -m toolkit.run")
    return found


def _read(place: AppData, run_id: str, name: str) -> dict[str, Any]:
    try:
        value = json.loads((place.runs / run_id / name).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _machine(host: Any) -> str:
    if not isinstance(host, dict):
        return ""
    system = re.match(r"(\w+)-(\d+\.\d+)", str(host.get("system")))  # the rest says which build it is
    name = " ".join(system.groups()) if system else str(host.get("system"))
    return f"{name}, {host.get('cores')} cores, Python {host.get('python')}"
