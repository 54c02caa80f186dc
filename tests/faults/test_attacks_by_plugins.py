"""The list of attacks, carried out by plugins in a worker of the process executor: each ends as stated, and alone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import tests.faults.attacks_on_files
import tests.faults.attacks_on_network
import tests.faults.attacks_on_processes  # noqa: F401  they list themselves
from tests.faults.arena_link import REPOSITORY
from tests.faults.attack_list import ATTACKS, Attack
from tests.faults.world import World
from tests.plugin_on_disk import data_of, failure_of, plugin_on_disk, plugin_task
from tests.store_on_disk import store_on_disk
from toolkit.contain.lockdown import missing_layers
from toolkit.execute.base import Access, Limits, Outcome, Task
from toolkit.execute.process import ProcessExecutor

MISSING = "; ".join(missing_layers())
pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING or "all layers are there")

ATTACKER = """
import types
from pathlib import Path
from tests.faults.attack_list import ATTACKS
from tests.faults.native import ImpossibleHereError
import tests.faults.attacks_on_files, tests.faults.attacks_on_network, tests.faults.attacks_on_processes
def run(ctx):
    world = types.SimpleNamespace(**ctx.params["world"])
    for name in ("base", "run", "store", "outside"):
        setattr(world, name, Path(getattr(world, name)))
    try:
        ATTACKS[ctx.params["attack"]].run(world)
    except ImpossibleHereError as error:
        return Result({"impossible": str(error)})
    return Result({"impossible": ""})
"""
WELL = "def run(ctx):\n    return Result({'rows': ctx.rows})\n"


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """A world, an executor, a table and the plugins."""
    base = tmp_path_factory.mktemp("field")
    executor = ProcessExecutor()
    executor.begin(2)
    (base / "world").mkdir()
    handler = signal.getsignal(signal.SIGUSR1)
    world = World(base / "world")
    dataset = store_on_disk(base / "app", {"x": np.arange(10.0)}, chunk_rows=5)
    bad, well = plugin_on_disk(base, "analysis_bad", ATTACKER), plugin_on_disk(base, "analysis_well", WELL)
    yield SimpleNamespace(executor=executor, world=world, dataset=dataset, bad=bad, well=well)
    executor.close()
    world.close()
    signal.signal(signal.SIGUSR1, handler)


def told(world: World, supervisor: int) -> dict[str, Any]:
    """What an attack has to know of its world."""
    names = ("base", "run", "store", "outside", "tcp_port", "udp_port", "abstract", "open_secret", "open_far_away")
    found = {name: getattr(world, name) for name in names} | {"supervisor": supervisor}
    return {k: str(v) if isinstance(v, Path) else v for k, v in found.items()}


def attack_by_plugin(field: SimpleNamespace, attack: Attack) -> Outcome:
    """Run it; a well-behaved plugin runs beside it and must not notice."""
    params = {"attack": attack.name, "world": told(field.world, field.executor._pid)}
    task = plugin_task(field.dataset, field.bad, limits=Limits(wall_ms=20_000, memory=2 << 30), params=params)
    # The code of the attacks, and the folders that the list takes to be the plugin's.
    read = (*task.access.read, str(REPOSITORY / "tests"), str(field.world.store))
    access = Access(read, str(field.world.run), "required")
    field.executor.submit(Task(task.id, task.payload, task.limits, access))
    field.executor.submit(plugin_task(field.dataset, field.well))
    found = {o.task_id: o for o in field.executor.completed()}
    assert data_of(found["analysis_well:0"]) == {"rows": 10}
    return found["analysis_bad:0"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_an_attack_by_a_plugin_ends_as_stated(field: SimpleNamespace, attack: Attack) -> None:
    world = field.world
    world.reset()
    world.arrivals()
    before = world.fingerprint()
    outcome = attack_by_plugin(field, attack)
    if outcome.output is not None and b"impossible" in outcome.output and (why := data_of(outcome)["impossible"]):
        pytest.skip(why)
    assert world.fingerprint() == before
    assert world.traps() == []
    assert world.arrivals() == []
    assert outcome.in_force is not None
    assert outcome.in_force.level == "kernel"
    if attack.end == "killed":
        assert (outcome.verdict.cause, outcome.verdict.signal) == ("forbidden_call", "SIGSYS"), outcome
        assert outcome.verdict.remedy
        return
    failure = failure_of(outcome)
    if attack.end == "explained":
        assert "a contained process may not" in failure.message
