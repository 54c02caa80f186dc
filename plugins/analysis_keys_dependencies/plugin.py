"""analysis_keys_dependencies: which columns tell rows apart, repeat other columns, or follow from others.

It finds keys, and columns or pairs of columns that are almost keys, with the rows that repeat; columns that are the
same or nearly so; and functional dependencies, with the rows that break them: "zip determines city but for 4,550 of
2,000,000 rows (g3 = 0.0023); the first is row 2,238, where city is Muich for zip 80331 instead of Munich." Constant
columns are told by profile_basic, and left out here.

All results are exact. Single keys follow from the profile's exact numbers of distinct values. Almost keys and pairs are
found as in analysis_duplicate_rows: a filter of fixed size, then a comparison value by value. A dependency is judged by
g3, the share of rows that would have to go for it to hold, from a table of how often values meet. Candidates are pruned
first by distinct values, then by each sixteenth run of 4,096 rows: rows that break a dependency there break it in the
table, so that what is rejected is rejected rightly. The few that are left are counted over all rows. Where a column has
more values than are counted at once, a part of them is counted, chosen by a hash; what survives that is counted part by
part, in further readings of the table. Two columns of few values are also tried together, and told where neither of
them determines the third alone. Two columns are compared by 64-bit hashes of their values, which are exact for
integers, and else but for a chance of 2**-64 a row.

It costs two readings of the columns concerned; a dependency that holds about 40 ns a row, all others next to nothing.

``max_pairs`` and a bound on memory keep the dependencies on the columns with the fewest values; ``key_pairs`` the pairs
with the fewest combinations; ``left_pairs`` the pairs that are tried together. More than 16 readings are not made.

It doesn't look for keys of three columns, for what follows from two columns of many values or from three, nor for
dependencies of numbers with fractions, times and long text.

References
----------
Kivinen and Mannila (1995), doi:10.1016/0304-3975(95)00028-U, for g3; Huhtala, Kärkkäinen, Porkka and Toivonen (1999),
doi:10.1093/comjnl/42.2.100, and Papenbrock and Naumann (2016), doi:10.1145/2882903.2915203, for pruning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.plugin import Chunk, Context, Finding, Result, State, hash_rows, omission
from toolkit.plugin.repeats import Filter, Repeats, RepeatScan, repeat_share

from .findings import almost_key, dependencies, key, same_columns
from .held import Held, counted
from .plan import MOST_READINGS, Dependent, Plan, make_plan, parts_of
from .tables import Places, joined, no_table, screened

COMPARED, UNEQUAL, FIRST = range(3)
"""Of two columns: rows where either has a value, rows among them where they differ, the first of these."""

_COARSE = 0.5


class Plugin(RepeatScan):
    """Screens in the first pass, counts in the second.

    Examples
    --------
    >>> gain(violations=2, present=100, commonest=60)
    0.95
    """

    _plan: Plan | None = None
    _parts: tuple[int, list[int]] | None = None

    @property
    def plan(self) -> Plan:
        """What is done; the same in every process."""
        if self._plan is None:
            self._plan = make_plan(self.ctx)
        return self._plan

    @property
    def parts(self) -> list[int]:
        """Parts of the determining values of each candidate, of which a pass counts the first; 0 for none."""
        if self._parts is None or self._parts[0] != self.pass_number:
            alive = [d if self._alive("tables", i) else None for i, d in enumerate(self.plan.dependents)]
            found = parts_of(alive, self.plan.allowed)
            most = None if self.pass_number == 0 else MOST_READINGS
            self._parts = self.pass_number, [0 if most is not None and n > most else n for n in found]
        return self._parts[1]

    def column_sets(self) -> list[list[str]]:
        """Columns and pairs that may be almost keys."""
        return self.plan.sets

    def columns(self) -> list[str]:
        """Columns that are not done with after the profile."""
        return self.plan.columns

    def filters(self) -> list[Filter]:
        """Those of the first pass."""
        found: list[Filter] = self.former["hashes"]
        return found

    def given_up(self, index: int) -> bool:
        """Whether a pair of columns repeats so often that it is no key, nor almost one."""
        return len(self.plan.sets[index]) > 1 and repeat_share(self.filters()[index]) > _COARSE

    def init(self) -> State:
        """No rows."""
        twins = np.zeros((len(self.plan.twins), 3), np.int64)
        twins[:, FIRST] = self.ctx.rows
        tables = [no_table() if n else None for n in self.parts]
        return {"hashes": super().init(), "tables": tables, "twins": twins}

    def update(self, state: State, chunk: Chunk) -> State:
        """Screen or count the rows of a chunk."""
        plan = self.plan
        for name in plan.columns:  # also what is given up early, so that the coverage says what was judged on
            chunk.data(name)
        if plan.sets:
            state["hashes"] = super().update(state["hashes"], chunk)
        chosen = screened(chunk.rows, self.ctx.rows) if self.pass_number == 0 else None
        if chosen is not None and not chosen.any():
            return state
        places = Places(chunk, chosen)
        for i, pair in enumerate(plan.dependents):
            if state["tables"][i] is not None:
                found = places.table(pair, 0, self.parts[i])
                state["tables"][i] = joined(state["tables"][i], found, pair.width, plan.allowed)
        self._compare(state["twins"], chunk, chosen)
        return state

    def merge(self, left: State, right: State) -> State:
        """Join two states."""
        pairs = zip(left["tables"], right["tables"], self.plan.dependents, strict=True)
        twins = left["twins"] + right["twins"]
        twins[:, FIRST] = np.minimum(left["twins"][:, FIRST], right["twins"][:, FIRST])
        self._give_up(twins)
        return {
            "hashes": super().merge(left["hashes"], right["hashes"]),
            "tables": [joined(a, b, d.width, self.plan.allowed) for a, b, d in pairs],
            "twins": twins,
        }

    def finish(self, state: State, ctx: Context) -> Result:
        """Tell keys, columns that are the same, and dependencies."""
        plan, facts = self.plan, {e["name"]: e for e in ctx.result("profile_basic").data["columns"]}
        findings = [key(ctx, [name]) for name in plan.keys]
        data: dict[str, Any] = {"keys": [[name] for name in plan.keys], "almost_keys": []}
        for i, names in enumerate(plan.sets):
            if not self.given_up(i):
                self._judge_key(names, self.found(i, state["hashes"]), data, findings)
        twins = self._same(state["twins"], facts)
        findings += [same_columns(ctx, *pair, *counts) for pair, counts in twins.items()]
        data["same_columns"] = [[*pair, *counts] for pair, counts in twins.items()]
        holds = self._holds(state["tables"], [set(pair) for pair in twins])
        data["dependencies"] = [[_named(d.by), d.column, held.violations] for d, held in holds]
        findings += dependencies(ctx, holds)
        most = ctx.budget.max_findings
        if most is not None and len(findings) > most:
            ctx.omit(omission("max_findings", most, len(findings), "keys, equal columns, then dependencies", []))
            findings = findings[:most]
        ctx.cover("pairs", len(plan.dependents), len(plan.dependents))
        return Result(data, findings)

    def _judge_key(self, names: list[str], found: Repeats, data: dict[str, Any], findings: list[Finding]) -> None:
        if not found.count:
            data["keys"].append(names)
            findings.append(key(self.ctx, names))
        elif found.count <= self.ctx.params["key_error"] * self.ctx.rows:
            data["almost_keys"].append([*names, found.count])
            findings.append(almost_key(self.ctx, names, found))

    def _alive(self, what: str, index: int) -> bool:
        return self.pass_number == 0 or self.former[what][index] is not None

    def _compare(self, twins: Any, chunk: Chunk, chosen: Any) -> None:
        """Hashes of two columns are equal where their values are, also of an integer and a float."""
        known: dict[str, Any] = {}
        rows = slice(None) if chosen is None else chosen
        for i, pair in enumerate(self.plan.twins):
            if self.pass_number and self.former["twins"][i, UNEQUAL] > self.plan.unequal:
                twins[i, UNEQUAL] = self.plan.unequal + 1
            if twins[i, UNEQUAL] > self.plan.unequal:
                continue
            for name in pair:
                if name not in known:
                    known[name] = hash_rows(chunk, [name]), chunk.valid(name)
            (first, there), (second, here) = known[pair[0]], known[pair[1]]
            either = (there | here)[rows]
            differ = np.flatnonzero((first[rows] != second[rows]) & either)
            twins[i, COMPARED] += np.count_nonzero(either)
            twins[i, UNEQUAL] += differ.size
            if differ.size:
                at = int(differ[0]) if chosen is None else int(np.flatnonzero(chosen)[differ[0]])
                twins[i, FIRST] = min(int(twins[i, FIRST]), chunk.rows.start + at)
        self._give_up(twins)

    def _give_up(self, twins: Any) -> None:
        """Of columns that differ too often one state, whatever else was seen of them."""
        twins[twins[:, UNEQUAL] > self.plan.unequal] = 0, self.plan.unequal + 1, 0

    def _same(self, twins: Any, facts: dict[str, Any]) -> dict[tuple[str, str], tuple[int, int, int]]:
        found = {}
        for pair, (compared, unequal, first) in zip(self.plan.twins, twins.tolist(), strict=True):
            others = min(facts[n]["count"] - (facts[n]["top"][0]["count"] if facts[n]["top"] else 1) for n in pair)
            enough = unequal <= (1 - self.ctx.params["gain"]) * others  # or two rare events would pass for one
            if compared and enough and unequal <= (1 - self.ctx.params["equal_share"]) * compared:
                found[pair] = (compared, unequal, first)
        return found

    def _holds(self, tables: list[Any], same: list[set[str]]) -> list[tuple[Dependent, Held]]:
        """Dependencies that are told, those of one column first."""
        plan, params = self.plan, self.ctx.params
        found: dict[tuple[tuple[str, ...], str], tuple[Dependent, Held]] = {}
        unread = [d for i, d in enumerate(plan.dependents) if tables[i] is None and self._alive("tables", i)
                  and not self.parts[i]]  # fmt: skip
        if unread:
            rule = f"dependencies of which at most {MOST_READINGS} parts have to be counted"
            listed = [f"{' and '.join(d.by)} -> {d.column}" for d in unread]
            self.ctx.omit(omission("readings", MOST_READINGS, MOST_READINGS + len(unread), rule, listed))
        for pair, held in zip(
            plan.dependents, counted(self.ctx, plan.dependents, tables, self.parts, plan.allowed), strict=True
        ):
            if held is None or held.values.size < 2 or any({name, pair.column} in same for name in pair.by):
                continue
            enough = held.present >= params["group_rows"] * held.groups
            enough &= held.violations <= params["error"] * held.present
            if enough and gain(held.violations, held.present, int(held.counts.max())) >= params["gain"]:
                found[pair.by, pair.column] = pair, held
        return [entry for (by, column), entry in found.items() if len(by) == 1 or not _follows(found, by, column)]


def gain(violations: int, present: int, commonest: int) -> float:
    """Share of the errors of always guessing the commonest value that are avoided (Goodman and Kruskal's lambda)."""
    return 1.0 - violations / (present - commonest) if present > commonest else 0.0


def _follows(found: Mapping[tuple[tuple[str, ...], str], Any], by: tuple[str, ...], column: str) -> bool:
    """Whether what two columns determine follows from one of them, or one of the two from the other."""
    a, b = by
    return any(key in found for key in (((a,), column), ((b,), column), ((a,), b), ((b,), a)))


def _named(by: tuple[str, ...]) -> Any:
    return by[0] if len(by) == 1 else list(by)
