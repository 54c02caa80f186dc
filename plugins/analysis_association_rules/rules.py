"""Rules from frequent sets, and whether each says more than a shorter one."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import round_significant
from toolkit.plugin.inference import jackknife_of_sums, table_test

from .bits import Ints
from .itemsets import Itemsets
from .transactions import Transactions

FEWEST_EXPECTED = 5.0
"""Count, in each cell of its table, from which a rule is tested by chi-square."""

_AT_ONCE = 1 << 10


@dataclass(frozen=True, slots=True)
class Rule:
    """Transactions with some items mostly have another one.

    Attributes
    ----------
    items : tuple of int
        The antecedent.
    then : int
        The consequent.
    rows, has, held : int
        Transactions that have all of them; those that have the antecedent; those that have the consequent.
    best : tuple of int
        The part of the antecedent, perhaps none of it, that has the consequent most often.
    best_rows, best_has : int
        Transactions that have that part and the consequent; that have that part.
    """

    items: tuple[int, ...]
    then: int
    rows: int
    has: int
    held: int
    best: tuple[int, ...]
    best_rows: int
    best_has: int

    @property
    def confidence(self) -> float:
        """Share of the antecedent's transactions that have the consequent."""
        return self.rows / self.has

    @property
    def gain(self) -> float:
        """Confidence over that of the best shorter rule."""
        return self.confidence * self.best_has / self.best_rows

    @property
    def all(self) -> tuple[int, ...]:
        """All items, ascending."""
        return tuple(sorted((*self.items, self.then)))


@dataclass(frozen=True, slots=True)
class Tested:
    """A rule that says more than any shorter one.

    Attributes
    ----------
    rule : Rule
        The rule.
    interval : tuple of float
        95 % interval of its gain.
    log10_p : float
        The largest p-value of the tests against shorter rules.
    design_effect : float
        By which that test's chi-square was divided.
    """

    rule: Rule
    interval: tuple[float, float]
    log10_p: float
    design_effect: float


@dataclass(slots=True)
class Ruleset:
    """What combinations say.

    Attributes
    ----------
    rules : list of Rule
        Those of frequent sets that are right often enough.
    n_tests : int
        Hypotheses: rules of all sets that were counted, frequent or not, of which a test could find anything.
    """

    rules: list[Rule]
    n_tests: int


def rules_of(found: Itemsets, total: int, confidence: float, least: float, shortest: int) -> Ruleset:
    """Rules with one consequent and at least one antecedent.

    Parameters
    ----------
    found : Itemsets
        Frequent sets.
    total : int
        Transactions.
    confidence : float
        Least share.
    least : float
        Gain from which a rule is one.
    shortest : int
        Items of the sets from which rules are tested.

    Notes
    -----
    Whether a test could find anything hangs on how frequent the parts of a rule are, not on how often they meet, so
    that leaving out the others does not make the tests too lenient: Tarone (1990), 10.2307/2531456.
    """
    rows = {(): total} | dict(zip(found.sets, found.counts, strict=True))
    out = Ruleset([], 0)
    for items in (tuple(s) for sets in found.candidates[1:] for s in sets.tolist()):
        together = rows.get(items)
        testable = 0
        for i, then in enumerate(items):
            rest = items[:i] + items[i + 1 :]
            best = _best_shorter(rows, items, i)
            rule = Rule(rest, then, together or 0, rows[rest], rows[(then,)], best, rows[_with(best, then)], rows[best])
            testable += can_be_tested(rule, least)
            if together is not None and round_significant(rule.confidence) >= confidence:
                out.rules.append(rule)
        if len(items) >= shortest:
            out.n_tests += min(testable, 1) if len(items) == 2 else testable  # a pair is one test, both ways
    return out


def _best_shorter(rows: dict[tuple[int, ...], int], items: tuple[int, ...], then: int) -> tuple[int, ...]:
    """The part of an antecedent that has the consequent, the item at place ``then``, most often."""
    best: tuple[int, ...] = ()
    right, has = rows[(items[then],)], rows[best]
    for part, joined in _parts(len(items), then):
        inside = tuple([items[i] for i in part])
        n, k = rows[inside], rows[tuple([items[i] for i in joined])]
        if k * has > right * n:  # as integers, so that equal shares are equal: the shorter part stays
            best, right, has = inside, k, n
    return best


@functools.cache
def _parts(size: int, then: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Places of each true part of an antecedent, without and with the consequent's."""
    rest = [i for i in range(size) if i != then]
    parts = [part for n in range(1, len(rest)) for part in combinations(rest, n)]
    return [(part, tuple(sorted((*part, then)))) for part in parts]


def can_be_tested(rule: Rule, least: float) -> bool:
    """Whether chi-square can be trusted with a rule against the best shorter one, and the rule could gain enough."""
    outside = rule.best_has - rule.has
    smallest = min(rule.has, outside) * min(rule.best_rows, rule.best_has - rule.best_rows)
    expected = rule.has * rule.best_rows / rule.best_has
    return smallest >= FEWEST_EXPECTED * rule.best_has and min(rule.has, rule.best_rows) > least * expected


def tested(found: Itemsets, table: Transactions, rules: list[Rule], least: float) -> list[Tested]:
    """Of some rules those that are surely ``least`` times as often right as the best shorter one, with their tests."""
    out: list[Tested] = []
    candidates = [r for r in rules if round_significant(r.gain) > least and can_be_tested(r, least)]
    for at in range(0, len(candidates), _AT_ONCE):
        part = candidates[at : at + _AT_ONCE]
        for rule, low, high in zip(part, *_intervals(found, table, part), strict=True):
            if round_significant(low) > least:
                tests = [_test(found, table, rule, shorter) for shorter in _shorter(rule)]
                weakest = max(tests, key=lambda t: t.log10_p)
                out.append(Tested(rule, (low, high), weakest.log10_p, weakest.design_effect))
    return out


def _shorter(rule: Rule) -> list[tuple[int, ...]]:
    """Parts of the antecedent that the rule is tested against: the best, and all that lack one item."""
    lacking = [rule.items[:i] + rule.items[i + 1 :] for i in range(len(rule.items))]
    return list(dict.fromkeys([rule.best, *lacking]))


def _intervals(found: Itemsets, table: Transactions, rules: list[Rule]) -> tuple[list[float], list[float]]:
    """Ends of the intervals of the gains, by the jackknife over blocks of rows."""
    sums = np.stack(
        [
            np.stack([_blocks(found, table, r.all) for r in rules], axis=1),
            np.stack([_blocks(found, table, r.items) for r in rules], axis=1),
            np.stack([_blocks(found, table, _with(r.best, r.then)) for r in rules], axis=1),
            np.stack([_blocks(found, table, r.best) for r in rules], axis=1),
        ],
        axis=1,
    )

    def log_gain(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(counts.astype(np.float64))
        return np.asarray(logs[0] - logs[1] - logs[2] + logs[3])

    # Blocks without any row of a rule say nothing of how its share varies, and the fewer have some, the less is known.
    ends = jackknife_of_sums(sums, log_gain, sums[:, 0]).interval()
    low, high = ([math.exp(min(e, 700.0)) if math.isfinite(e) else math.nan for e in end.tolist()] for end in ends)
    return low, high


def _test(found: Itemsets, table: Transactions, rule: Rule, shorter: tuple[int, ...]) -> Any:
    """Whether, where a part of the antecedent is, the rest of it and the consequent are independent."""
    both = _blocks(found, table, rule.all)
    has = _blocks(found, table, rule.items)
    then = _blocks(found, table, _with(shorter, rule.then))
    inside = _blocks(found, table, shorter)
    cells = np.stack([both, has - both, then - both, inside - has - then + both], axis=1)
    return table_test(cells.reshape(-1, 2, 2))


def _blocks(found: Itemsets, table: Transactions, items: tuple[int, ...]) -> Ints:
    return np.asarray(found.blocks[:, found.place[items]]) if items else table.sizes


def _with(items: tuple[int, ...], then: int) -> tuple[int, ...]:
    return tuple(sorted((*items, then)))
