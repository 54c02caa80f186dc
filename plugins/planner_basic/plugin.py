"""planner_basic: what the run is going to do, with the reason for every plugin, from profile, policy and manifests.

It reads no row and no clock: work is counted in the units of the plan, steps of each manifest's cost formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.plugin import Context, Result

_LISTED = 20
_MUTE = ("constant", "empty")
"""Roles of columns that can tell a statistic nothing."""


def run(ctx: Context) -> Result:
    """Plan with the profile where there is one."""
    profile = ctx.results.get("profile_basic")
    columns = profile.data["columns"] if profile is not None else []
    plugins = planned(ctx.plan["plugins"], len(ctx.schema), columns)
    units = [p["work_units"] for p in plugins if p["work_units"] is not None]
    return Result({"plugins": plugins, "work_units": sum(units), "profiled": len(columns)})


def planned(
    plugins: Sequence[Mapping[str, Any]], columns: int, profile: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One entry for each plugin, in the order of the plan.

    Parameters
    ----------
    plugins : sequence of mapping
        Those of the run's plan.
    columns : int
        Columns of the table.
    profile : sequence of mapping
        What profile_basic says of the columns: ``name`` and ``role``.

    Examples
    --------
    >>> plan = {
    ...     "id": "analysis_a",
    ...     "applies": True,
    ...     "takes": ["numeric"],
    ...     "columns": ["x", "y"],
    ...     "requires": [],
    ...     "budget": {"max_pairs": 1},
    ...     "work_units": 100.0,
    ... }
    >>> (entry,) = planned([plan], 3, [{"name": "x", "role": "constant"}])
    >>> entry["work_units"], entry["reason"]
    (100.0, 'it takes numeric columns, 2 of 3; 1 of them can tell nothing, being constant or empty')
    """
    roles = {c["name"]: c.get("role") for c in profile}
    return [_entry(p, columns, roles) for p in plugins]


def _entry(plugin: Mapping[str, Any], columns: int, roles: Mapping[str, Any]) -> dict[str, Any]:
    applies, later = plugin["applies"], bool(plugin.get("table"))
    mute = [name for name in plugin["columns"] if roles.get(name) in _MUTE]
    entry = {
        "id": plugin["id"],
        "included": applies,
        "reason": _reason(plugin, columns, mute),
        "columns": list(plugin["columns"][:_LISTED]),
        "n_columns": len(plugin["columns"]),
        "mute_columns": mute[:_LISTED],
        "caps": {cap: value for cap, value in plugin["budget"].items() if value is not None},
        "caps_set_by": dict(plugin.get("caps_set_by", {})),
        "omitted": [o["what"] for o in plugin.get("omitted", [])],
    }
    return entry | {"work_units": plugin["work_units"] if applies and not later else None}


def _reason(plugin: Mapping[str, Any], columns: int, mute: Sequence[str]) -> str:
    if not plugin["applies"]:
        return str(plugin["reason"])
    if plugin.get("table"):
        return f"it runs on the table of {plugin['table']} and is planned when that is made"
    takes = "any" if "any" in plugin["takes"] else " and ".join(plugin["takes"])
    reason = f"it takes {takes} columns, {len(plugin['columns'])} of {columns}"
    if plugin["requires"]:
        reason += f"; met: {', '.join(plugin['requires'])}"
    if mute:
        reason += f"; {len(mute)} of them can tell nothing, being constant or empty"
    return reason
