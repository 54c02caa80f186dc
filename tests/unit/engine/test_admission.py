"""Admission, with any tasks: the limit holds, hogs are alone, nothing is lost, the longest comes first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from toolkit.engine.admission import SHORT_MS, Admission, Expected
from toolkit.execute.base import Task

EXPECTED = st.builds(Expected, st.floats(0, 1e6), st.integers(0, 1000), st.booleans())


def play(tasks: list[Expected], workers: int, limit: int | None, picks: list[int]) -> list[list[str]]:
    """Run tasks that end in an order drawn at random; what ran together after each turn."""
    queue = Admission(workers, limit)
    for i, expected in enumerate(tasks):
        queue.put(Task(str(i), b""), expected)
    running: list[str] = []
    seen, done = [], []
    turn = 0
    while len(done) < len(tasks):
        running += [t.id for t in queue.take()]
        assert running, "nothing runs and something waits"
        assert set(running) == queue.admitted
        seen.append(list(running))
        ended = running.pop(picks[turn % len(picks)] % len(running))
        assert queue.ended(ended) == tasks[int(ended)]
        done.append(ended)
        turn += 1
    assert sorted(done, key=int) == [str(i) for i in range(len(tasks))]
    return seen


@given(
    st.lists(EXPECTED, max_size=40),
    st.integers(1, 8),
    st.none() | st.integers(0, 2000),
    st.lists(st.integers(0, 100), min_size=1),
)
def test_what_runs_together_fits(tasks: list[Expected], workers: int, limit: int | None, picks: list[int]) -> None:
    for together in play(tasks, workers, limit, picks):
        assert len(together) <= workers + 1
        if len(together) > 1:
            expected = [tasks[int(name)] for name in together]
            assert not any(e.alone for e in expected)
            assert limit is None or sum(e.memory for e in expected) <= limit


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30))
def test_short_ones_first_then_the_longest(times: list[float]) -> None:
    tasks = [Expected(t, 1) for t in times]
    queue = Admission(len(tasks), None)
    for i, expected in enumerate(tasks):
        queue.put(Task(str(i), b""), expected)
    order = [times[int(t.id)] for t in queue.take()]
    short = [t for t in order if t < SHORT_MS]
    long = [t for t in order if t >= SHORT_MS]
    assert order == short + long
    assert long == sorted(long, reverse=True)


@given(st.lists(EXPECTED, min_size=2, max_size=30), st.integers(1, 2000))
def test_room_is_not_left_empty(tasks: list[Expected], limit: int) -> None:
    """After a turn nothing waits that would fit beside what runs."""
    queue = Admission(100, limit)
    for i, expected in enumerate(tasks):
        queue.put(Task(str(i), b""), expected)
    running = [tasks[int(t.id)] for t in queue.take()]
    waiting = [e for i, e in enumerate(tasks) if str(i) not in queue.admitted]
    if any(e.alone for e in running):
        assert len(running) == 1
        return
    held = sum(e.memory for e in running)
    assert all(e.alone or held + e.memory > limit for e in waiting)
