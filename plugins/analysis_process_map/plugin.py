"""analysis_process_map: what follows what in a process, how often and after how long, and which cases skip a step.

What it finds. The directly-follows graph: activities, how often each follows each, after how long on average, with what
cases begin and end; how many variants cover most cases; and short cuts: "3,104 cases skip "Approve": they go from
"Check credit" straight to "Pick", after 2.8 hours on average; 190,896 cases go from "Check credit" to "Approve" (1.6 %
skip it)."

Method. Exact counts over the sorted event log, whose chunks hold whole cases, so any split of the work gives the same
numbers. A step is one event after another in its case. An activity is taken for skipped where most of what follows the
activity before it goes through it, most of what precedes the activity behind it comes through it, and few cases go
directly; of such cases those count in which it does not happen at all. All of this is counted, nothing is tested.

Cost. Three passes over case, activity and time, about 900 ns an event in all; 1 MB of memory.

Caps. ``max_groups`` (200 unless the policy says more for this plugin) keeps the most frequent activities; the others
are one node, which stays in every total. ``max_pairs`` bounds how many steps are listed in the result's data, the most
frequent first.

What it does not do. It is no model of the process: that A follows B and B follows C says nothing of all three in one
case, for which there are variants. Activities at the same time come in the order of their rows.

References
----------
van der Aalst (2019), doi:10.1016/j.procs.2019.12.189. Leemans, Fahland and van der Aalst (2018),
doi:10.1007/s10270-016-0545-x.
"""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np

from toolkit.plugin import (
    Chunk,
    Context,
    Groups,
    Result,
    State,
    StateClass,
    keep_findings,
    keep_groups,
    omission,
    pictures,
)
from toolkit.plugin.eventlog import CaseReducer, case_log

from .findings import findings_of
from .graph import Graph, edge_sums, graph_of, merged_sums, no_edges
from .skips import Skipped, no_skips, skip_counts, skips_of


class Plugin(CaseReducer):
    """Activities in the first pass, steps in the second, cases that skip something in the third.

    Examples
    --------
    >>> Plugin.state_class
    'exact'
    """

    state_class: ClassVar[StateClass] = "exact"
    passes = 3

    @cached_property
    def groups(self) -> Groups:
        """The activities that have a node of their own; needs the counts of the first pass."""
        return keep_groups(self.former["activities"], self.ctx.budget.max_groups, self.labels.names)

    @cached_property
    def skipped(self) -> list[Skipped]:
        """Steps that may be skipped; needs the steps of the second pass."""
        steps = np.array(self.former["edges"]["count"])
        return skips_of(steps, self.groups, self.ctx.params)

    def columns(self) -> list[str]:
        """Case, activity and time; the activity alone where nothing else is counted."""
        return [self.roles.activity] if self.pass_number == 0 else list(self.roles.given.values())[:3]

    def init(self) -> State:
        """Tables of nothing."""
        if self.pass_number == 0:
            return {"activities": np.zeros(len(self.labels), np.int64)}
        if self.pass_number == 1:
            return {"activities": self.former["activities"], "edges": no_edges(len(self.groups.counts))}
        return {"counts": no_skips(len(self.skipped))}

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the cases of a chunk."""
        if self.pass_number == 0:
            codes = self.labels.codes(chunk.data(self.roles.activity).values, chunk.valid(self.roles.activity))
            counts = np.bincount(codes, minlength=state["activities"].size)
            return {"activities": state["activities"] + counts}
        log = case_log(chunk, self.roles, self.labels)
        nodes = self.groups.of(log.activity)
        if self.pass_number == 1:
            found = edge_sums(log, nodes, len(self.groups.counts))
            return {**state, "edges": merged_sums(state["edges"], found)}
        found = skip_counts(self.skipped, log, nodes, chunk.rows.start)
        return {"counts": merged_sums(state["counts"], found)}

    def merge(self, left: State, right: State) -> State:
        """Add."""
        if self.pass_number == 0:
            return {"activities": left["activities"] + right["activities"]}
        part = "edges" if self.pass_number == 1 else "counts"
        return {**left, part: merged_sums(left[part], right[part])}

    def finish(self, state: State, ctx: Context) -> Result:
        """Draw the graph and word the findings."""
        profile = self.profile
        if self.groups.omission is not None:
            ctx.omit(self.groups.omission)
        names = self.groups.labels(self.labels.names)
        graph = graph_of(self.former["edges"], names, ctx.schema[self.roles.timestamp].unit)
        counts = (state["counts"]["cases"].tolist(), state["counts"]["rows"].tolist())
        findings = findings_of(graph, profile, self.roles, list(zip(self.skipped, *counts, strict=True)), ctx)
        most = ctx.budget.max_findings
        if most is not None and len(findings) > most:
            ctx.omit(omission("max_findings", most, len(findings), "the map, then skipped steps by cases", []))
            findings = keep_findings(findings, most, ctx.schema)
        return Result(data_of(graph, ctx), findings)


def data_of(graph: Graph, ctx: Context) -> dict[str, object]:
    """The graph as plain values; steps beyond ``max_pairs`` are told in the ledger."""
    cap, edges = ctx.budget.max_pairs, graph.edges
    if cap is not None and len(edges) > cap:
        ctx.omit(omission("max_pairs", cap, len(edges), "the most frequent steps; counts take in all", []))
        edges = edges[:cap]
    nodes = [{**node, "name": node["activity"], "count": node["events"]} for node in graph.nodes]
    steps = [{"from": e["from"], "to": e["to"], "count": e["events"], "seconds": e["mean_seconds"]} for e in edges]
    note = f"{graph.events:,} events in {graph.cases:,} cases; a number at a step is how often it was taken."
    picture = pictures.graph("What follows what in the process", nodes, steps, "times", note)
    told = {"activities": graph.nodes, "steps": edges, "events": graph.events, "cases": graph.cases}
    return {**told, "pictures": [picture]}
