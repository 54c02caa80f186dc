"""Attacks that really attack, each in a process of its own: without containment they succeed, under it they fail.

An attack that does not succeed without containment proves nothing, and is skipped with what this machine said.
"""

from __future__ import annotations

import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

import tests.faults.attacks_on_files
import tests.faults.attacks_on_network
import tests.faults.attacks_on_processes  # noqa: F401  they list themselves
from tests.faults.arena_link import REPOSITORY, Arena, got_there
from tests.faults.attack_list import ATTACKS, Attack
from toolkit.contain.lockdown import missing_layers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="containment by the kernel is for Linux")

MISSING = "; ".join(missing_layers())
kernel_enforces = pytest.mark.skipif(bool(MISSING), reason=MISSING or "all layers are there")

ON_FILES = [a.name for a in ATTACKS.values() if a.run.__module__.endswith("files") and "arrow" not in a.name]


@pytest.fixture(scope="module", params=["as this user", "as nobody"])
def arena(request: pytest.FixtureRequest) -> Iterator[Arena]:
    if request.param == "as nobody" and os.getuid() != 0:
        pytest.skip("only root can become another user; this user is not root already")
    made = Arena("--nobody") if request.param == "as nobody" else Arena()
    yield made
    made.close()


@pytest.fixture(scope="module")
def own() -> Iterator[Arena]:
    made = Arena()
    yield made
    made.close()


@kernel_enforces
@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_that_succeeds_freely_ends_as_stated(arena: Arena, attack: Attack) -> None:
    if attack.control:
        free = arena.ask(attack.name, layers="none")
        if not got_there(free):
            pytest.skip(f"it does not succeed here without containment either: {free.get('why')}")
    held = arena.ask(attack.name)
    if held["end"] == "not possible":
        pytest.skip(held["why"])
    assert held["in_force"]["level"] == "kernel"
    assert not got_there(held)
    assert held["left"] == []
    assert held["end"] == ("killed" if attack.end == "killed" else "refused"), held
    if attack.end == "killed":
        assert held["verdict"]["cause"] == "forbidden_call"
        assert held["verdict"]["signal"] == "SIGSYS"
        assert held["verdict"]["remedy"]
    if attack.end == "explained":
        assert "a contained process may not" in held["why"]
        assert held["violations"]


@kernel_enforces
@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_kernels_with_an_older_landlock_stop_attacks_on_files_too(own: Arena, abi: int) -> None:
    """What their Landlock does not govern yet, truncation above all, falls to the filter of system calls."""
    ends = {name: own.ask(name, simulate={"landlock": abi}) for name in ON_FILES}
    assert {a["in_force"]["landlock_abi"] for a in ends.values()} == {abi}
    assert [name for name, answer in ends.items() if got_there(answer)] == []


@kernel_enforces
def test_the_oldest_landlock_leaves_signals_and_the_network_to_the_filter(own: Arena) -> None:
    names = [a.name for a in ATTACKS.values() if a.run.__module__.endswith(("network", "processes"))]
    reached = [name for name in names if got_there(own.ask(name, simulate={"landlock": 1}))]
    assert reached == []


PYTHON_ATTACKS = [a.name for a in ATTACKS.values() if a.end == "explained"]


def test_without_the_kernel_the_hook_alone_is_advisory_and_says_so(own: Arena) -> None:
    simulate = {"landlock": 0, "seccomp": False}
    rules = {"enforcement": "best-effort"}
    for name in PYTHON_ATTACKS:
        answer = own.ask(name, simulate=simulate, rules=rules)
        assert answer["in_force"]["level"] == "advisory"
        assert len(answer["in_force"]["missing"]) == 2
        assert not got_there(answer), name
        assert "a contained process may not" in answer["why"], name
    # What advisory means: native code gets around it.
    assert got_there(own.ask("read_by_ctypes", simulate=simulate, rules=rules))


@pytest.mark.parametrize("simulate", [{"landlock": 0}, {"seccomp": False}, {"landlock": 0, "seccomp": False}])
def test_nothing_is_run_where_enforcement_is_required_and_can_not_be_had(own: Arena, simulate: dict[str, Any]) -> None:
    answer = own.ask("write_by_ctypes", simulate=simulate, rules={"enforcement": "required"})
    assert answer["end"] == "not contained"
    assert not got_there(answer)
    assert "can't be contained here" in answer["why"]
    assert "enforcement: best-effort" in answer["why"]


@kernel_enforces
def test_best_effort_takes_the_layer_that_is_there(own: Arena) -> None:
    rules = {"enforcement": "best-effort"}
    walled = own.ask("write_by_ctypes", simulate={"seccomp": False}, rules=rules)
    assert walled["in_force"]["level"] == "partial"
    assert not got_there(walled)
    filtered = own.ask("send_udp_by_ctypes", simulate={"landlock": 0}, rules=rules)
    assert filtered["in_force"]["level"] == "partial"
    assert filtered["end"] == "killed"


def test_advisory_enforcement_uses_no_layer_of_the_kernel(own: Arena) -> None:
    answer = own.ask("run_by_libc_system", rules={"enforcement": "advisory"})
    assert answer["in_force"]["level"] == "advisory"
    assert answer["in_force"]["seccomp"] is False
    assert answer["end"] == "done"


@kernel_enforces
@pytest.mark.slow
def test_the_table_of_the_document_is_what_happens(own: Arena) -> None:
    layers = ("audit", "landlock", "seccomp")
    outcomes: dict[str, dict[str, list[bool]]] = defaultdict(lambda: {layer: [] for layer in layers})
    incomplete = set()
    for attack in ATTACKS.values():
        if attack.control and not got_there(own.ask(attack.name, layers="none")):
            incomplete.add(attack.row)
            continue
        for layer in layers if attack.control else ("seccomp",):
            outcomes[attack.row][layer].append(got_there(own.ask(attack.name, layers=layer)))
    text = (REPOSITORY / "docs" / "security.md").read_text("utf-8")
    cell = "(stops|partly|misses)"
    rows = re.findall(rf"^\| (.+?) \| {cell} \| {cell} \| {cell} \|$", text, re.MULTILINE)
    stated = {row: tuple(cells) for row, *cells in rows}
    found = {row: tuple(word(columns[layer]) for layer in layers) for row, columns in outcomes.items()}
    assert set(stated) == {a.row for a in ATTACKS.values()}
    for row in set(found) - incomplete:
        assert stated[row] == found[row], row


def word(got: list[bool]) -> str:
    """What a layer does to the attacks of a row."""
    return "misses" if all(got) else "partly" if any(got) else "stops"
