"""A plugin run once more over the rows, beside nothing that an earlier run kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.engine.confirm.records import Recorded, kept_findings
from toolkit.engine.plan import select
from toolkit.engine.run_folder import PLAN, RunFolder
from toolkit.engine.runner import run_plugins
from toolkit.storage.appdata import AppData

_COMPARED = ("code_digest", "params", "budget")


@dataclass(slots=True)
class Replayed:
    """What plugins said when they were run again.

    Attributes
    ----------
    findings : dict of str to set of str
        Ids of findings by plugin; a plugin that did not end well has none.
    problems : dict of str to str
        Why a plugin could not be run again, or how it ended.
    changes : dict of str to str
        What of a plugin is not as it was in the run: code, parameters, budget.
    """

    findings: dict[str, set[str]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    changes: dict[str, str] = field(default_factory=dict)


def replay(record: Recorded, plugins: Sequence[str]) -> Replayed:
    """Run plugins again over every row that they read, with the run's own settings and no kept result.

    Parameters
    ----------
    record : Recorded
        The run.
    plugins : sequence of str
        Their ids.
    """
    asked = record.plan.get("asked", {})
    known = record.manifests
    done = Replayed(problems={p: "the plugin is not installed" for p in plugins if p not in known})
    there = [p for p in plugins if p in known]
    if not there:
        return done
    wanted = sorted(p for p in _seen(record.plan, there) if p in known)
    params = {k: v for k, v in asked.get("params", {}).items() if k in select(known, wanted)}
    with record.place.workspace() as folder:
        run = run_plugins(
            record.dataset,
            appdata=folder,
            plugins=wanted,
            plugin_dirs=record.plugin_dirs,
            policy=asked.get("policy", ""),
            cache=False,
            params=params,
            seed=asked.get("seed", 0),
            assume_rows=asked.get("assume_rows"),
        )
        again = RunFolder(run.folder)
        kept = kept_findings(AppData(folder), again, there)
        for plugin in there:
            ended = next(p for p in run.plugins if p.id == plugin)
            if ended.status != "ok":
                done.problems[plugin] = f"the plugin {ended.status.replace('_', ' ')}: {ended.reason}"
            else:
                done.findings[plugin] = kept.get(plugin, set())
        done.changes = _changes(record.plan, again.read(PLAN))
    return done


def _seen(plan: dict[str, Any], plugins: Sequence[str]) -> set[str]:
    """Plugins with those whose results they were given, as these may shape what they say."""
    needs = {p["id"]: p.get("needs", ()) for p in plan.get("plugins", ())}
    found: set[str] = set()
    waiting = list(plugins)
    while waiting:
        plugin = waiting.pop()
        if plugin not in found:
            found.add(plugin)
            waiting += needs.get(plugin, ())
    return found


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    former = {p["id"]: p for p in before.get("plugins", ())}
    out = {}
    for plugin in after.get("plugins", ()):
        old = former.get(plugin["id"], {})
        changed = [name.replace("_digest", "") for name in _COMPARED if old.get(name) != plugin.get(name)]
        if changed:
            out[plugin["id"]] = ", ".join(changed)
    return out
