"""How many workers: what is asked for, else the least of what bounds them."""

from __future__ import annotations

import pytest

from toolkit.govern import workers
from toolkit.govern.policy import Policy
from toolkit.govern.workers import WORKER_BASE, choose_workers


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "available_cores", lambda: 8)
    monkeypatch.setattr(workers, "available_memory", lambda: 10 * (WORKER_BASE + 100))


def test_what_is_asked_for_wins() -> None:
    assert choose_workers(20, 2, Policy(max_workers=3), 100).count == 20


@pytest.mark.parametrize(
    ("most", "policy", "task_bytes", "expected"),
    [
        (None, Policy(memory_share=100), 100, (8, "processors")),
        (None, Policy(memory_share=50), 100, (5, "memory")),
        (3, Policy(), 100, (3, "TOOLKIT_MAX_WORKERS")),
        (3, Policy(max_workers=2), 100, (2, "policy")),
        (None, Policy(), 1 << 60, (1, "memory")),
    ],
)
def test_auto_is_the_least_bound(most: int | None, policy: Policy, task_bytes: int, expected: tuple[int, str]) -> None:
    found = choose_workers(None, most, policy, task_bytes)
    assert (found.count, found.reason) == expected


def test_the_machine_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert workers.available_cores() >= 1
    memory = workers.available_memory()
    assert memory is None or memory > 0
