"""How many workers, and how much memory for them: what is asked for, else the least of what bounds them."""

from __future__ import annotations

import pytest

from toolkit.govern import workers
from toolkit.govern.policy import Policy
from toolkit.govern.workers import MemoryLimit, choose_workers, memory_limit

NONE = MemoryLimit(None)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "available_cores", lambda: 8)
    monkeypatch.setattr(workers, "available_memory", lambda: 10 << 30)


def test_what_is_asked_for_wins() -> None:
    assert choose_workers(20, 2, Policy(max_workers=3), MemoryLimit(1), [100]).count == 20


@pytest.mark.parametrize(
    ("most", "policy", "limit", "tasks", "expected"),
    [
        (None, Policy(), NONE, [100], (8, "processors")),
        (None, Policy(), MemoryLimit(1000), [100, 900], (8, "processors")),
        (None, Policy(), MemoryLimit(1000), [900, 200], (5, "memory")),
        (None, Policy(), MemoryLimit(1000), [1 << 60], (1, "memory")),
        (3, Policy(), MemoryLimit(1000), [100], (3, "TOOLKIT_MAX_WORKERS")),
        (3, Policy(max_workers=2), MemoryLimit(1000), [100], (2, "policy")),
        (None, Policy(), MemoryLimit(1 << 40), [], (8, "processors")),
    ],
)
def test_auto_is_the_least_bound(
    most: int | None, policy: Policy, limit: MemoryLimit, tasks: list[int], expected: tuple[int, str]
) -> None:
    found = choose_workers(None, most, policy, limit, tasks)
    assert (found.count, found.reason) == expected


def test_memory_is_a_share_of_what_is_free_or_the_policys_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory_limit(Policy(memory_share=50)) == MemoryLimit(5 << 30, "memory_share")
    monkeypatch.setattr(workers, "resident", lambda: 100 << 20)
    strict = memory_limit(Policy(max_memory=2 << 30))
    # The harness's own processes are within the policy's limit, so that all processes together keep to it.
    assert strict.reason == "max_memory"
    assert 1 << 30 < (strict.bytes or 0) < 2 << 30
    assert memory_limit(Policy(max_memory=1)).bytes == 0
    monkeypatch.setattr(workers, "available_memory", lambda: None)
    assert memory_limit(Policy()) == NONE
