"""A process with one thread that forks, contains and judges one child a request: attacks, honest work and mishaps.

It is started by the tests, reads a request a line (JSON) and answers with one.
"""

from __future__ import annotations

import ctypes
import encodings.idna  # noqa: F401  as another user, it could not be loaded later
import errno
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

import tests.faults.attacks_on_files
import tests.faults.attacks_on_network
import tests.faults.attacks_on_processes
import tests.faults.mishaps
import tests.faults.work
from tests.faults.attack_list import ATTACKS
from tests.faults.native import ImpossibleHereError
from tests.faults.world import World
from toolkit.contain import audit, capabilities, landlock, limits, lockdown, seccomp
from toolkit.contain.kernel import prctl, processor
from toolkit.contain.rules import ContainmentError, InForce, Rules, Violation, interpreter_paths
from toolkit.contain.verdict import Ending, judge
from toolkit.contain.watch import Breach, check, check_quota

NOBODY = 65534
PATIENCE = 30.0
_PR_SET_DUMPABLE = 4


def main() -> None:
    """Serve requests until the other end closes."""
    base = Path(sys.argv[1])
    if "--nobody" in sys.argv:
        os.chown(base, NOBODY, NOBODY)
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        # As a process of this user would be from its start; else the control runs of attacks on it would fail.
        prctl(_PR_SET_DUMPABLE, 1)
    libc = ctypes.CDLL(None)
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: what an attack leaves behind is found
    world = World(base)
    lockdown.prepare()
    print(json.dumps({"pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        print(json.dumps(serve(world, json.loads(line))), flush=True)
    world.close()


def serve(world: World, request: dict[str, Any]) -> dict[str, Any]:
    """Run one child and say how it ended and what it changed."""
    world.arrivals()
    before = world.fingerprint()
    reading, writing = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            contained(world, request, supervisor, writing)
        finally:
            os._exit(98)
    os.close(writing)
    rules = make_rules(world, request)
    text, status, cpu_ms, breach = supervise(pid, reading, rules, request)
    said = last_line(text)
    violations = tuple(Violation.from_json(v) for v in said.get("violations", []))
    ending = Ending(status, "end" in said, rules, cpu_ms, breach, violations)
    end = said.get("end") or ("killed" if status == signal.SIGSYS else f"status {status}")
    changed = [b for b in world.fingerprint() if b not in before] + world.traps()
    answer = {
        **said,
        "end": end,
        "changed": [str(c[:1]) for c in changed] + world.arrivals(),
        "left": strays(),
        "verdict": judge(ending).to_json(),
    }
    world.reset()
    return answer


def supervise(pid: int, reading: int, rules: Rules, request: dict[str, Any]) -> tuple[bytes, int, float, Breach | None]:
    """Wait for a child, watching it as an executor would."""
    deadline = time.monotonic() + PATIENCE
    text, breach = b"", None
    while True:
        if select.select([reading], [], [], 0.01)[0]:
            block = os.read(reading, 1 << 16)
            text += block
            if not block:
                break
        breach = breach or check(pid, rules) or check_quota(rules, pid)
        if breach is None and time.monotonic() > deadline:
            breach = Breach("wall_ms", int(PATIENCE * 1000))
        if breach is not None:
            os.kill(pid, signal.SIGKILL)
    os.close(reading)
    _, status, usage = os.wait4(pid, 0)
    return text, status, (usage.ru_utime + usage.ru_stime) * 1e3, breach


def contained(world: World, request: dict[str, Any], supervisor: int, writing: int) -> None:
    """The child: contain it as asked, then do what is asked."""
    said: dict[str, Any] = {"violations": []}

    def tell() -> None:
        os.write(writing, json.dumps(said).encode() + b"\n")

    def note(violation: Violation) -> None:
        said["violations"].append(violation.to_json())

    def on_violation(violation: Violation) -> None:
        note(violation)
        tell()

    try:
        said["in_force"] = restrict(world, request, supervisor, writing, on_violation).to_json()
    except ContainmentError as error:
        said["end"], said["why"] = "not contained", str(error)
        tell()
        os._exit(0)
    tell()
    try:
        said["value"] = act(world, request)
        said["end"] = "done"
    except ImpossibleHereError as error:
        said["end"], said["why"] = "not possible", str(error)
    except BaseException as error:  # noqa: BLE001  whatever an attack raises, it has not got there
        said["end"], said["why"] = "refused", f"{type(error).__name__}: {error}"[:400]
        said["errno"] = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    tell()
    os._exit(0)


def act(world: World, request: dict[str, Any]) -> Any:
    """Do the deed."""
    name = request["do"]
    if name in ATTACKS:
        return ATTACKS[name].run(world)
    for module in (tests.faults.work, tests.faults.mishaps):
        if hasattr(module, name):
            return getattr(module, name)(world)
    raise KeyError(name)


def make_rules(world: World, request: dict[str, Any]) -> Rules:
    """Rules for a child; as another user, this interpreter's files can't even be looked for."""
    read = (str(world.store),) if os.getuid() == NOBODY else (str(world.store), *readable())
    return Rules(read=read, write=(str(world.run),), **request.get("rules", {}))


def readable() -> tuple[str, ...]:
    """Libraries, and the code of the tests."""
    root = Path(__file__).resolve().parents[2]
    return (*interpreter_paths(), str(root / "toolkit"), str(root / "tests"))


def restrict(world: World, request: dict[str, Any], supervisor: int, writing: int, on_violation: Any) -> InForce:
    """All layers, one of them, or none; on a simulated kernel if asked."""
    rules, layers = make_rules(world, request), request.get("layers", "all")
    for name, value in request.get("simulate", {}).items():
        {"landlock": landlock, "seccomp": seccomp}[name].__dict__[{"landlock": "abi", "seccomp": "available"}[name]] = (
            lambda value=value: value
        )
    if layers == "all":
        return lockdown.lock_down(rules, on_violation, parent=supervisor, keep=[writing])
    limits.die_with_parent(supervisor)
    os.chdir(world.run)
    if layers in ("landlock", "seccomp"):
        capabilities.forbid_new_privileges()
    if layers == "landlock":
        landlock.restrict(rules.read, (*rules.write, os.devnull), landlock.abi())
    if layers == "seccomp":
        seccomp.install(processor(), landlock.abi())
    if layers == "audit":
        audit.install(rules.read, rules.write, on_violation)
    return InForce()


def last_line(text: bytes) -> dict[str, Any]:
    """The last complete line that a child sent."""
    lines = text.split(b"\n")[:-1]
    return json.loads(lines[-1]) if lines else {}


def strays() -> list[int]:
    """Processes that are left behind; ended here."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for pid in map(int, children):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return [int(c) for c in children]


if __name__ == "__main__":
    main()
