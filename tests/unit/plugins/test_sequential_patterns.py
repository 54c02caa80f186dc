"""analysis_sequential_patterns_prefixspan: brute force, any split, outcomes planted and none, the sample table."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.analysis_sequential_patterns_prefixspan import walks
from plugins.analysis_sequential_patterns_prefixspan.database import Database, database, joined
from plugins.analysis_sequential_patterns_prefixspan.mining import closed_patterns, contains, frequent, occurrences
from tests.event_logs import random_log, results_of, traces_of
from tests.null_logs import null_log, sorted_table
from tests.null_tables import KINDS, run_plugin
from tests.sample_store import sample_store
from toolkit.api import convert_table
from toolkit.engine.check.subject import differences
from toolkit.engine.discovery import shipped_plugins
from toolkit.govern.policy import Policy
from toolkit.plugin import Budget, Result
from toolkit.plugin.eventlog import CaseLog

PLUGIN = "analysis_sequential_patterns_prefixspan"
FOLDER = shipped_plugins() / PLUGIN
Sets = list[tuple[int, ...]]
SEQUENCES = st.lists(
    st.lists(
        st.sets(st.integers(0, 3), min_size=1, max_size=3).map(lambda s: tuple(sorted(s))), min_size=1, max_size=4
    ),
    min_size=1,
    max_size=9,
)


def brute(sequences: list[Sets], least: int, longest: int) -> dict[Any, int]:
    """Frequent patterns by listing every pattern of every sequence."""
    counts: Counter[Any] = Counter()
    for sequence in sequences:
        seen: set[Any] = set()
        waiting: list[tuple[int, Any, int]] = [(0, (), 0)]
        while waiting:
            start, pattern, size = waiting.pop()
            for place in range(start, len(sequence)):
                for count in range(1, longest - size + 1):
                    for chosen in itertools.combinations(sequence[place], count):
                        grown = (*pattern, chosen)
                        seen.add(grown)
                        waiting.append((place + 1, grown, size + count))
        counts.update(seen)
    return {pattern: n for pattern, n in counts.items() if n >= least}


def as_log(sequences: list[Sets]) -> CaseLog:
    """Sequences as cases, the sets of which have a time each."""
    items = [i for s in sequences for group in s for i in group]
    times = [place for s in sequences for place, group in enumerate(s) for _ in group]
    starts = np.cumsum([0, *(sum(map(len, s)) for s in sequences)])
    follows = np.ones(len(items), bool)
    follows[starts[:-1]] = False
    return CaseLog(starts, np.array(items), np.array(times), follows)


def as_database(sequences: list[Sets]) -> Database:
    log = as_log(sequences)
    return database(log, log.activity, np.zeros(len(sequences), np.int64), 1, together=True)


@settings(max_examples=60, deadline=None)
@given(SEQUENCES, st.integers(1, 3), st.integers(1, 4), st.data())
def test_random_databases_equal_brute_force(sequences: list[Sets], least: int, longest: int, data: Any) -> None:
    truth = brute(sequences, least, longest)
    cut = data.draw(st.integers(0, len(sequences)))
    parts = [as_database(part) for part in (sequences[:cut], sequences[cut:]) if part]
    for pieces in ([as_database(sequences)], parts, [joined(parts)]):
        assert frequent(lambda p=pieces: p, 4, least, longest, 10**6) == (truth, least)  # type: ignore[misc]
    patterns = sorted(truth)
    assert occurrences(lambda: parts, patterns, 1)[:, 0].tolist() == [truth[p] for p in patterns]
    closed = set(closed_patterns(truth))
    for pattern in patterns:
        hidden = any(q != pattern and truth[q] == truth[pattern] and contains(q, pattern) for q in patterns)
        assert (pattern in closed) is not hidden


@pytest.mark.parametrize("together", [False, True])
def test_small_parts_add_up(monkeypatch: pytest.MonkeyPatch, together: bool) -> None:
    """However few sequences are looked at together; with and without activities at one time."""
    rng = np.random.default_rng(8)
    sequences: list[Sets] = []
    for _ in range(60):
        sizes = rng.integers(1, 3, int(rng.integers(1, 9))) if together else np.ones(int(rng.integers(1, 9)), int)
        sequences.append([tuple(sorted(rng.choice(4, size, replace=False).tolist())) for size in sizes.tolist()])
    truth = brute(sequences, 3, 3)
    data = as_database(sequences)
    for cells, most in ((1 << 19, 1 << 13), (40, 3), (1, 1)):
        monkeypatch.setattr(walks, "_CELLS", cells)
        monkeypatch.setattr(walks, "_MOST_AT_ONCE", most)
        assert frequent(lambda: [data], 4, 3, 3, 10**6) == (truth, 3)
        assert occurrences(lambda: [data], sorted(truth), 1)[:, 0].tolist() == [truth[p] for p in sorted(truth)]


def test_some_sequences_of_a_database() -> None:
    sequences = [[(0, 1), (2,)], [(3,)], [(1,), (1,), (0, 2)]]
    data = as_database(sequences)
    assert data.sizes.sum() == sum(len(group) for s in sequences for group in s)
    for number in range(len(data)):
        part = data.which(np.array([number]))
        alone = as_database(
            [s for s, h in zip(sequences, hashes_of(sequences), strict=True) if h == tuple(data.hashes[number])]
        )
        for field in ("items", "sets", "set_starts", "weights"):
            assert np.array_equal(getattr(part, field), getattr(alone, field)), field


def hashes_of(sequences: list[Sets]) -> list[tuple[int, ...]]:
    return [tuple(as_database([s]).hashes[0]) for s in sequences]


def test_too_many_patterns_raise_the_support() -> None:
    rng = np.random.default_rng(1)
    sequences = [[(int(i),) for i in rng.integers(0, 4, 6)] for _ in range(40)]
    truth = brute(sequences, 1, 3)
    found, least = frequent(lambda: [as_database(sequences)], 4, 2, 3, 10)
    assert least > 2
    assert found == {p: n for p, n in truth.items() if n >= least}
    by_length = Counter(sum(map(len, p)) for p in found)
    assert max(by_length.values()) <= 10
    lower = Counter(sum(map(len, p)) for p, n in truth.items() if n >= least - 1)
    assert max(lower.values()) > 10


def table_of(sequences: list[Sets], folder: Path) -> Any:
    rows = [
        (f"s{number}", f"i{item}", place)
        for number, sequence in enumerate(sequences)
        for place, group in enumerate(sequence)
        for item in group
    ]
    frame = pd.DataFrame(rows, columns=["case_id", "activity", "place"])
    frame["timestamp"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(frame.pop("place"), "h")
    # Few rows: told to be coded, as a long column of so few labels would be.
    return convert_table(frame.astype({"activity": "category"}), appdata=folder)


def plain(data: dict[str, Any]) -> dict[Any, int]:
    return {tuple(tuple(int(i[1:]) for i in g) for g in sets): n for sets, n, _ in data["patterns"]}


def test_sequences_of_a_table_equal_brute_force(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    sequences = [
        [tuple(sorted(set(rng.integers(0, 5, 2).tolist()))) for _ in range(int(rng.integers(1, 6)))] for _ in range(60)
    ]
    dataset = table_of(sequences, tmp_path)
    params = {"support": 0.1, "ties": "together", "longest": 4}
    data = results_of(dataset, tmp_path, PLUGIN, params)[PLUGIN].decoded().data
    assert (data["least"], plain(data)) == (6, brute(sequences, 6, 4))
    apart: list[Sets] = [[(i,) for group in s for i in group] for s in sequences]
    data = results_of(dataset, tmp_path, PLUGIN, {**params, "ties": "sequence"})[PLUGIN].decoded().data
    assert plain(data) == brute(apart, 6, 4)


def test_any_split_and_sequences_that_do_not_fit(tmp_path: Path) -> None:
    columns = random_log(2, 120)
    frame = pd.DataFrame({"case_id": columns["case"], "activity": columns["activity"], "timestamp": columns["at"]})
    ends = {case: "good" if len(t) % 2 else "bad" for case, t in traces_of(columns).items()}
    frame["outcome"] = frame["case_id"].map(ends)
    results = []
    for rows, chunks, held in ((0, 64, 1 << 21), (40, 1, 1 << 21), (40, 64, 10)):
        dataset = convert_table(frame, appdata=tmp_path, chunk_rows=rows)
        run = results_of(dataset, tmp_path, PLUGIN, {"held": held}, Policy(partition_chunks=chunks))[PLUGIN]
        results.append(run.decoded())
    first, *others = results
    assert first.n_tests > 3
    for other in others:
        assert differences(first.data, other.data, exact=True) == ""
        assert [f.sentence for f in first.findings] == [f.sentence for f in other.findings]


def test_no_pattern_goes_with_an_outcome_that_is_drawn() -> None:
    found = []
    for seed in range(12):
        columns, upstream = drawn_outcomes(seed)
        result = run_plugin(FOLDER, sorted_table(columns), upstream=upstream, params={"longest": 3})
        assert result.n_tests > 10
        found += [seed] if any(f.log10_p is not None for f in result.findings) else []
    assert len(found) <= 2, found


def drawn_outcomes(seed: int) -> tuple[dict[str, Any], dict[str, Result]]:
    """A log whose cases take their own ways, and an outcome that depends on neighbours' and on nothing else."""
    columns, upstream = null_log(seed, KINDS[seed % 3], 800)
    rng = np.random.default_rng(seed)
    names = np.array(["a", "b", "c", "d", "e"])
    columns["activity"] = names[rng.integers(0, 5, len(columns["activity"]))].tolist()
    columns["outcome"] = [{"v0": "kept", "v1": "lost"}.get(v, "kept") for v in columns.pop("site")]
    return columns, upstream


def test_a_planted_pattern_is_found() -> None:
    columns, upstream = drawn_outcomes(4)
    steps = np.array(columns["activity"]).reshape(-1, 5)
    rng = np.random.default_rng(9)
    planted = np.array([_contains(row, "bdb") for row in steps]) & (rng.random(len(steps)) < 0.7)
    outcome = np.array(columns["outcome"]).reshape(-1, 5)
    outcome[planted] = "lost"
    columns["outcome"] = outcome.ravel().tolist()
    result = run_plugin(FOLDER, sorted_table(columns), upstream=upstream, params={"ubiquitous": 0.99})
    (found,) = [f for f in result.findings if f.log10_p is not None]
    assert found.evidence["pattern"] == [["b"], ["d"], ["b"]]
    assert found.evidence["outcome"] == "lost"
    lost = outcome[:, 0] == "lost"
    has = np.array([_contains(row, "bdb") for row in steps])
    assert (found.evidence["inside"], found.evidence["with_pattern"]) == (int((lost & has).sum()), int(has.sum()))
    assert f"{found.evidence['inside']:,} of {found.evidence['with_pattern']:,} cases" in found.sentence


def _contains(row: Any, steps: str) -> bool:
    left = iter(row.tolist())
    return all(step in left for step in steps)


def test_caps_at_one_still_read_everything() -> None:
    columns, upstream = drawn_outcomes(1)
    dataset = sorted_table(columns)
    result = run_plugin(FOLDER, dataset, upstream=upstream, budget=Budget(max_groups=1, max_pairs=1))
    assert result.data["cases"] == 800
    assert len({i for sets, _, _ in result.data["patterns"] for g in sets for i in g}) == 1


def test_the_sample_tables_rework(tmp_path: Path) -> None:
    dataset, truth = sample_store()
    result = results_of(dataset, tmp_path, PLUGIN)[PLUGIN].decoded()
    found = next(f for f in result.findings if f.evidence.get("outcome") == "cancelled")
    steps = [group[0] for group in found.evidence["pattern"]]
    assert "Reject Edit Reject" in " ".join(steps)
    planted = truth["rework_cancelled"]["two or more rejects"]
    assert found.evidence["inside"] == planted["cancelled"]
    assert found.evidence["with_pattern"] == sum(planted.values())
