"""analysis_survival_kaplan_meier: against statsmodels, on planted groups, on null tables, on event logs and dates."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from plugins.analysis_survival_kaplan_meier.cases import Cases
from plugins.analysis_survival_kaplan_meier.curve import Curve, log_rank
from plugins.analysis_survival_kaplan_meier.peaks import highest_peak
from plugins.analysis_survival_kaplan_meier.source import Source
from plugins.analysis_survival_kaplan_meier.times import TimeCounts, smallest_step
from tests.memory_store import memory_dataset
from tests.null_tables import KINDS, Dependence, null_columns, run_plugin
from tests.sample_store import sample_store
from tests.unit.plugins.run_profile import run_profile
from toolkit.plugin import Budget, Context, Inputs, Result, Skip
from toolkit.storage.dataset import Dataset

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_survival_kaplan_meier"


def run(columns: dict[str, Any] | Dataset, chunk_rows: int = 262_144, **options: Any) -> Result:
    dataset = columns if isinstance(columns, Dataset) else memory_dataset(columns, chunk_rows)
    return run_plugin(FOLDER, dataset, upstream={"profile_basic": run_profile(dataset)[0]}, **options)


def null_table(seed: int, dependence: Dependence, rows: int = 8_000) -> dict[str, Any]:
    """Times, events and groups that have nothing to do with each other, while rows depend on their neighbours."""
    columns = null_columns(seed, dependence, rows)
    return {
        "duration": np.round(np.exp(columns["x"]) * 30),
        "event": (columns["y"] > -0.5).astype(np.int8),
        "region": columns["region"],
        "kind": columns["kind"],
        "flag": columns["flag"],
        "number": np.round(columns["number"] / 10.0).astype(np.int8),
    }


def random_curve(seed: int, n: int = 400) -> tuple[Curve, Any, Any]:
    rng = np.random.default_rng(seed)
    times, events = np.ceil(rng.exponential(20, n)), rng.random(n) < 0.7
    distinct, place = np.unique(times, return_inverse=True)
    return Curve(distinct, np.bincount(place, events).astype(np.int64), np.bincount(place)), times, events


def test_curves_are_those_of_statsmodels() -> None:
    curve, times, events = random_curve(1)
    theirs = SurvfuncRight(times, events)
    held = curve.events > 0
    assert curve.survival[held] == pytest.approx(theirs.surv_prob, rel=1e-12)
    with np.errstate(invalid="ignore"):
        error = curve.survival * np.sqrt(curve.greenwood)
    assert error[held] == pytest.approx(theirs.surv_prob_se, rel=1e-12, nan_ok=True)
    assert curve.median == theirs.quantile(0.5)


def test_the_log_rank_test_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(2)
    times, events, group = np.ceil(rng.exponential(20, 500)), rng.random(500) < 0.7, rng.integers(0, 4, 500)
    distinct, place = np.unique(times, return_inverse=True)
    tables = [np.zeros((distinct.size, 4), np.int64) for _ in range(2)]
    np.add.at(tables[0], (place, group), events)
    np.add.at(tables[1], (place, group), 1)
    chi2, p = survdiff(times, events, group)
    mine = log_rank(*tables)
    assert mine[:2] == (pytest.approx(chi2, rel=1e-12), 3)
    assert 10 ** mine[2] == pytest.approx(p, rel=1e-12)
    assert log_rank(tables[0][:, :1], tables[1][:, :1]) == (0.0, 0, 0.0)


def test_influences_sum_to_nothing_and_give_greenwoods_variance() -> None:
    curve, _, _ = random_curve(3)
    limit = 45.0
    influence, events = curve.influence(limit), curve.events
    counts = np.stack([curve.ended - events, events], axis=1)
    assert (influence * counts).sum() == pytest.approx(0.0, abs=1e-8)
    # Greenwood's variance of the area, from the areas right of each event, 10.1186/1471-2288-13-152.
    widths = np.diff(np.clip(np.append(curve.times, np.inf), 0, limit))
    area = (curve.survival * widths)[::-1].cumsum()[::-1]
    left = curve.at_risk - events
    variance = np.sum(np.where(left > 0, area**2 * events / (curve.at_risk * np.maximum(left, 1)), 0.0))
    assert (influence**2 * counts).sum() / curve.rows**2 == pytest.approx(variance, rel=1e-10)
    # What a row's absence does to the mean is its influence over the number of rows, to the first order.
    k = int(np.flatnonzero(events)[5])
    one = np.zeros_like(events)
    one[k] = 1
    without = Curve(curve.times, events - one, curve.ended - one).restricted_mean(limit)
    assert curve.restricted_mean(limit) - without == pytest.approx(influence[k, 1] / curve.rows, rel=0.02)


@given(st.lists(st.floats(0, 1e12), min_size=1, max_size=60), st.integers(1, 8), st.randoms())
@example([*map(float, range(16)), 5e-324], 1, random.Random(0))
@settings(max_examples=60, deadline=None)
def test_counts_by_time_do_not_depend_on_the_order_of_rows(times: list[float], parts: int, chance: Any) -> None:
    values = np.array(times)
    whole = TimeCounts([1], 16)
    whole.add(values, [np.zeros(values.size, np.int64)])
    shuffled = list(times)
    chance.shuffle(shuffled)
    other = TimeCounts([1], 16)
    for part in np.array_split(np.array(shuffled), parts):
        other.add(part, [np.zeros(part.size, np.int64)])
    assert whole.edges.tolist() == other.edges.tolist()
    assert whole.counts[0].tolist() == other.counts[0].tolist()
    assert int(whole.counts[0].sum()) == values.size
    assert whole.edges.size <= 16
    if whole.exponent is not None:
        assert len({Fraction(t) // Fraction(whole.step) for t in times}) <= 16
        assert len({2 * Fraction(t) // Fraction(whole.step) for t in times}) > 16


def test_the_step_is_the_smallest_that_fits() -> None:
    assert smallest_step(np.array([1e-300, 2e-300, 1.0]), 2) == -995
    assert smallest_step(np.array([0.0, 1e300, 2.0**1023]), 2) == 997


def test_a_planted_group_is_found_with_its_size() -> None:
    rng = np.random.default_rng(4)
    n = 12_000
    slow = rng.random(n) < 0.3
    full = rng.exponential(np.where(slow, 30.0, 10.0))
    watched = rng.uniform(0, 60, n)
    columns = {
        "tenure": np.minimum(full, watched),
        "churned": full <= watched,
        "plan": ["basic" if s else "plus" for s in slow],
        "other": rng.random(n) < 0.5,
    }
    result = run(columns, 3_000)
    whole, group = result.findings
    assert whole.kind == "time_to_event"
    assert whole.evidence["count"] == n
    assert whole.evidence["censored"] == int((full > watched).sum())
    assert group.columns == ["tenure", "churned", "plan"]
    limit = group.evidence["limit"]
    truth = 30 * -math.expm1(-limit / 30) / (10 * -math.expm1(-limit / 10))
    if group.evidence["group"] == "plus":
        truth = 1 / truth
    assert group.interval is not None
    assert group.interval[0] < truth < group.interval[1]
    assert group.effect == pytest.approx(truth, rel=0.05)
    assert result.n_tests == 2
    assert "`tenure` is taken as the time and `churned` = true as the event" in whole.sentence
    # An exponential's median is ln 2 of its mean.
    medians = {v["value"]: v["median"] for v in result.data["groups"]["plan"]["values"]}
    assert medians["basic"] == pytest.approx(30 * math.log(2), rel=0.06)
    assert medians["plus"] == pytest.approx(10 * math.log(2), rel=0.06)


def test_the_sample_table_says_how_long_orders_take_by_priority() -> None:
    dataset, truth = sample_store()
    result = run(dataset)
    planted = truth["slow_priority"]
    group = next(f for f in result.findings if f.columns[-1] == "priority")
    assert group.evidence["group"] == "low"
    assert all(told in group.sentence for told in group.evidence["in_words"].values())
    assert 'Until "Deliver", cases with `priority` = "low" take' in group.sentence
    ratio = planted["low"]["mean_hours"] / np.mean([planted[p]["mean_hours"] for p in ("high", "normal")])
    assert group.evidence["median"] / group.evidence["median_elsewhere"] == pytest.approx(ratio, rel=0.1)
    assert group.evidence["restricted_mean"] / 3_600 == pytest.approx(planted["low"]["mean_hours"], rel=0.05)
    assert result.data["groups"]["priority"]["values"][1]["events"] == pytest.approx(planted["low"]["count"], rel=0.02)
    assert {f.columns[-1] for f in result.findings if f.log10_p is not None} == {"priority"}
    assert result.data["not_compared"]["outcome"].startswith("it says how rows end")


def log(seed: int, cases: int = 300) -> tuple[dict[str, Any], dict[int, tuple[float, bool]]]:
    """An event log whose rows stand in any order, and what is true of each case."""
    rng = np.random.default_rng(seed)
    rows, truth = [], {}
    for case in range(cases):
        start = int(rng.integers(0, 10**6))
        steps = start + np.cumsum(rng.integers(1, 5_000, rng.integers(1, 6)))
        closed = bool(rng.random() < 0.7)
        rows.append((case, "Open", start, "ab"[case % 2]))
        rows += [(case, "Work", int(t), "ab"[case % 2]) for t in steps[:-1]]
        rows.append((case, "Close" if closed else "Wait", int(steps[-1]), "ab"[case % 2]))
        truth[case] = (float(steps[-1] - start), closed)
    rng.shuffle(rows)
    columns = {
        "ticket": np.array([int(r[0]) * 1_000_003 for r in rows]),
        "activity": [str(r[1]) for r in rows],
        "at": np.array([int(r[2]) for r in rows], "datetime64[s]"),
        "team": [str(r[3]) for r in rows],
    }
    return columns, truth


def test_cases_of_an_event_log() -> None:
    columns, truth = log(5)
    result = run(columns, 100)
    times, events = (np.array(v) for v in zip(*truth.values(), strict=True))
    distinct, place = np.unique(times, return_inverse=True)
    expected = Curve(distinct, np.bincount(place, events).astype(np.int64), np.bincount(place))
    assert result.data["curve"]["count"] == len(truth)
    assert result.data["curve"]["events"] == int(events.sum())
    assert result.data["curve"]["median"] == expected.median
    assert result.data["event"] == '"Close"'
    assert set(result.data["groups"]) == {"team"}


@pytest.mark.parametrize("encoding", ["coded", "long"])
def test_cases_named_by_text_however_it_is_stored(encoding: str) -> None:
    columns, _ = log(5)
    expected = run(columns, 100).data
    named = {**columns, "ticket": [f"T{number:012d}" for number in columns["ticket"].tolist()]}
    found = run(memory_dataset(named, 100, encodings={"ticket": encoding})).data
    assert found["columns"] == {"case": "ticket", "activity": "activity", "time": "at"}
    assert found == expected


def test_more_cases_than_are_held_at_once_are_read_in_several_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plugins.analysis_survival_kaplan_meier.cases.AT_ONCE", 64)
    columns, truth = log(5)
    ctx = Context(memory_dataset(columns, 100), Inputs("p", ("any",), {}, Budget()))
    source = Source("events", {"case": "ticket", "activity": "activity", "time": "at"}, None)
    batches = list(Cases(ctx, source, [], len(truth)))
    assert len(batches) == 5
    assert max(b.times.size for b in batches) < 100
    found = sorted(zip(np.concatenate([b.times for b in batches]).tolist(),
                       np.concatenate([b.happened for b in batches]).tolist(), strict=True))  # fmt: skip
    assert found == sorted(truth.values())


def test_the_names_of_the_standard_of_event_logs_are_known() -> None:
    columns, truth = log(5)
    names = {"ticket": "case:concept:name", "activity": "concept:name", "at": "time:timestamp", "team": "case:team"}
    result = run({names[name]: values for name, values in columns.items()} | {"status": columns["team"]}, 100)
    assert result.data["columns"]["case"] == "case:concept:name"
    assert result.data["curve"]["events"] == sum(closed for _, closed in truth.values())


def test_the_commonest_end_is_the_event_where_no_activity_is_named_like_one() -> None:
    columns, truth = log(6)
    columns["activity"] = [{"Close": "Zap", "Wait": "Sleep"}.get(a, a) for a in columns["activity"]]
    result = run(columns, 77)
    assert result.data["event"] == '"Zap"'
    assert result.data["curve"]["events"] == sum(closed for _, closed in truth.values())
    again = run(columns, 77, params={"target": "Sleep"})
    assert again.data["curve"]["events"] == sum(not closed for _, closed in truth.values())


def test_rows_with_a_start_and_an_end() -> None:
    rng = np.random.default_rng(7)
    start = rng.integers(0, 10**6, 900)
    length = rng.integers(1, 10**5, 900)
    gone = rng.random(900) < 0.2
    end = np.where(gone, np.iinfo(np.int64).min, (start + length) * 1000)
    result = run({"opened": start.astype("datetime64[s]"), "closed_at": end.astype("datetime64[ms]"),
                  "team": [f"t{i % 3}" for i in range(900)]}, 100, params={"curve_points": 1_000})  # fmt: skip
    latest = int((start + length)[~gone].max())
    latest = max(latest, int(start.max()))
    times = np.where(gone, latest - start, length).astype(float)
    theirs = SurvfuncRight(times, ~gone)
    curve = result.data["curve"]
    true = dict(zip(theirs.surv_times.tolist(), theirs.surv_prob.tolist(), strict=True))
    mine = dict(zip(curve["times"], curve["survival"], strict=True))
    assert {t: mine[t] for t in true} == pytest.approx(true, rel=1e-12)
    assert curve["events"] == int((~gone).sum())


def test_a_peak_of_the_hazard() -> None:
    rng = np.random.default_rng(8)
    days = np.minimum(np.ceil(rng.exponential(40, 5_000)), np.where(rng.random(5_000) < 0.3, 14, 1e9))
    result = run({"days": days, "closed": np.ones(5_000, bool) & (days < 100)})
    peak = next(f for f in result.findings if f.kind == "hazard_peak")
    assert peak.evidence["time"] == 14
    assert peak.evidence["events"] == int(((days == 14) & (days < 100)).sum())
    assert highest_peak(random_curve(9)[0]) is None


def test_many_distinct_times_are_counted_in_steps_with_a_bound() -> None:
    rng = np.random.default_rng(10)
    times, events = rng.exponential(20, 6_000), rng.random(6_000) < 0.6
    exact = SurvfuncRight(times, events)
    result = run({"duration": times, "event": events}, 1_000, params={"times": 256, "curve_points": 10_000})
    step = result.data["step"]
    assert 0 < step <= 1
    assert "Times are counted in steps of" in result.findings[0].sentence
    assert abs(result.data["curve"]["median"] - exact.quantile(0.5)) <= step
    curve = result.data["curve"]
    for t, s in zip(curve["times"], curve["survival"], strict=True):
        true = exact.surv_prob[exact.surv_times < t + step][-1:] if (exact.surv_times < t + step).any() else [1.0]
        assert s - result.data["bound"] - 1e-12 <= true[0] <= s + 1e-12
    assert [v["count"] for v in [curve]] == [6_000]


@pytest.mark.parametrize(
    ("columns", "params", "reason"),
    [
        ({"price": np.arange(1.0, 50)}, {}, "no columns say how long"),
        ({"duration": np.arange(1.0, 50)}, {}, "no columns say how long"),
        ({"duration": np.arange(1.0, 50)}, {"duration": "nope"}, "there is no column 'nope'"),
        ({"duration": np.arange(1.0, 50)}, {"duration": "duration"}, "alone there is no time until an event"),
        ({"duration": np.arange(1.0, 50), "state": ["a", "b"] * 24 + ["a"]},
         {"event": "state"}, "none of its values"),
        ({"duration": -np.arange(1.0, 50), "event": [True, False] * 24 + [True]},
         {"duration": "duration"}, "of 0 rows none has the event"),
    ],
)  # fmt: skip
def test_where_there_is_nothing_it_says_what_to_do(
    columns: dict[str, Any], params: dict[str, str], reason: str
) -> None:
    with pytest.raises(Skip) as skipped:
        run(columns, params=params)
    assert reason in skipped.value.reason
    assert skipped.value.recommendation


def test_declared_roles_and_text_events() -> None:
    rng = np.random.default_rng(11)
    columns = {"x": rng.integers(1, 30, 400), "y": rng.integers(0, 2, 400), "time": rng.random(400),
               "how": [("dead", "alive")[k] for k in rng.integers(0, 2, 400)]}  # fmt: skip
    declared = memory_dataset(columns, specs={"x": {"role": "duration"}, "y": {"role": "event"}})
    result = run(declared)
    assert result.data["columns"] == {"duration": "x", "event": "y"}
    assert "declared" in result.findings[0].sentence
    named = run(columns, params={"duration": "x", "event": "how", "event_value": "dead"})
    assert named.data["curve"]["events"] == columns["how"].count("dead")


def test_missing_and_impossible_values_are_counted_apart() -> None:
    time = np.ma.array([1.0, 2.0, np.nan, np.inf, -1.0, 3.0, 0.0, 4.0] * 5, mask=[0, 0, 0, 0, 0, 0, 0, 1] * 5)
    event = np.ma.array([1, 0, 1, 1, 1, 1, 1, 1] * 5, mask=[0, 0, 0, 0, 0, 1, 0, 0] * 5)
    result = run({"duration": time, "event": event.astype(np.int8)}, params={"duration": "duration"})
    assert result.data["left_out"] == {
        "without a number in duration": 15, "with a negative duration": 5, "without a value in event": 5,
    }  # fmt: skip
    assert result.data["curve"]["count"] == 15
    assert result.data["curve"]["times"] == [0.0, 1.0, 2.0]


def test_results_do_not_depend_on_chunks_and_caps_keep_all_rows() -> None:
    columns = null_table(1, "autocorrelated", 3_000)
    whole = run(columns)
    for chunk_rows in (1_000, 37):
        other = run(columns, chunk_rows)
        assert other.data["curve"] == whole.data["curve"]
        assert [f.sentence for f in other.findings] == [f.sentence for f in whole.findings]
    dataset = memory_dataset(columns, 500)
    capped = run(dataset, budget=Budget(max_groups=1, max_pairs=1, max_cols=1))
    assert capped.data["curve"] == whole.data["curve"]
    (group,) = capped.data["groups"].values()
    assert sum(v["count"] for v in group["values"]) == 3_000


@pytest.mark.parametrize("dependence", KINDS)
def test_null_tables(dependence: Dependence) -> None:
    found = [run(null_table(seed, dependence, 4_800), 4_096) for seed in range(4)]
    assert all(r.n_tests >= 10 for r in found)
    assert sum(any(f.log10_p is not None for f in r.findings) for r in found) <= 1
