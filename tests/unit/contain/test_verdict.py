from __future__ import annotations

import json
import signal
from dataclasses import replace

import pytest

from toolkit.contain.limits import ORPHANED
from toolkit.contain.rules import Rules, Violation
from toolkit.contain.verdict import Ending, judge
from toolkit.contain.watch import Breach

MIB = 1 << 20
RULES = Rules(memory=512 * MIB, cpu_ms=1500, file_size=64 * MIB, threads=32, quota=256 * MIB)
WELL = Ending(status=0, has_result=True, rules=RULES)
GRAVE = Violation("socket.connect", "reach the network (socket.connect)", True)
HARMLESS = Violation("open", "read '/etc/x': it is outside of the folders given to it", False)


def exited(code: int) -> int:
    return code << 8


def test_a_process_that_ends_well_with_a_result_is_believed() -> None:
    verdict = judge(WELL)
    assert (verdict.status, verdict.cause, verdict.reason, verdict.signal) == ("ok", "none", "", "")


@pytest.mark.parametrize(
    ("breach", "status", "reason"),
    [
        (Breach("wall_ms", 500), "timed_out", "reached time_limit_ms: 500"),
        (Breach("memory", 512 * MIB), "failed", "used more memory than its limit of 512 MiB"),
        (Breach("threads", 32), "failed", "ran more threads than its limit of 32"),
        (Breach("quota", 256 * MIB), "failed", "wrote more to its folder than its limit of 256 MiB"),
        (Breach("quota", 1000), "failed", "wrote more to its folder than its limit of 1,000 bytes"),
        (Breach("result", 1_000_000), "failed", "its result has more than 1,000,000 bytes, the limit"),
    ],
)
def test_what_the_supervisor_did_counts_first(breach: Breach, status: str, reason: str) -> None:
    # It killed the process, and a result may have come a moment before.
    verdict = judge(replace(WELL, status=int(signal.SIGKILL), breach=breach, violations=(GRAVE,)))
    assert (verdict.status, verdict.cause, verdict.reason) == (status, breach.what, reason)
    assert verdict.limit == breach.limit
    assert verdict.remedy


@pytest.mark.parametrize(
    ("number", "status", "cause", "words"),
    [
        (signal.SIGXCPU, "timed_out", "cpu_ms", "reached cpu_limit_ms: 1500"),
        (signal.SIGXFSZ, "failed", "file_size", "wrote a file of more than 64 MiB"),
        (signal.SIGSYS, "failed", "forbidden_call", "a system call that is forbidden (SIGSYS)"),
        (signal.SIGKILL, "failed", "killed", "when the machine runs out of memory"),
        (signal.SIGTERM, "failed", "killed", "ended from outside (SIGTERM)"),
        (signal.SIGSEGV, "failed", "crash", "crashed (SIGSEGV)"),
        (signal.SIGBUS, "failed", "crash", "crashed (SIGBUS)"),
        (signal.SIGFPE, "failed", "crash", "crashed (SIGFPE)"),
        (signal.SIGILL, "failed", "crash", "crashed (SIGILL)"),
        (signal.SIGABRT, "failed", "crash", "aborted (SIGABRT)"),
        (signal.SIGALRM, "failed", "crash", "was ended (SIGALRM)"),
    ],
)
@pytest.mark.parametrize("core", [0, 0x80])
def test_each_signal_has_its_verdict(number: signal.Signals, status: str, cause: str, words: str, core: int) -> None:
    verdict = judge(replace(WELL, status=int(number) | core, has_result=False))
    assert (verdict.status, verdict.cause, verdict.signal) == (status, cause, number.name)
    assert words in verdict.reason
    assert verdict.remedy


def test_a_real_time_signal_has_a_number_for_its_name() -> None:
    assert "signal 40" in judge(replace(WELL, status=40)).reason


@pytest.mark.parametrize(("cpu_ms", "cause"), [(1900.0, "killed"), (2000.0, "cpu_ms"), (3000.0, "cpu_ms")])
def test_a_kill_after_the_processor_time_is_used_up_is_the_hard_limit(cpu_ms: float, cause: str) -> None:
    # 1500 ms are 2 s for the kernel.
    verdict = judge(replace(WELL, status=int(signal.SIGKILL), cpu_ms=cpu_ms))
    assert verdict.cause == cause


def test_without_a_limit_a_kill_is_a_kill() -> None:
    ending = Ending(int(signal.SIGKILL), has_result=False, rules=Rules(), cpu_ms=1e9)
    assert judge(ending).cause == "killed"


def test_an_end_without_a_result_is_a_failure_whatever_the_code() -> None:
    for code in (0, 1, 98):
        verdict = judge(replace(WELL, status=exited(code), has_result=False))
        assert (verdict.cause, verdict.reason) == (
            "no_result",
            f"its process ended without a result (exit code {code})",
        )
    assert judge(replace(WELL, status=exited(3))).cause == "no_result"
    assert judge(replace(WELL, status=exited(ORPHANED), has_result=False)).cause == "killed"


def test_a_refusal_that_was_kept_silent_about_is_a_failure_if_it_is_grave() -> None:
    assert judge(replace(WELL, violations=(HARMLESS,) * 9)).status == "ok"
    verdict = judge(replace(WELL, violations=(HARMLESS, GRAVE)))
    assert (verdict.status, verdict.cause) == ("failed", "violation")
    assert verdict.reason == "it tried to reach the network (socket.connect), and went on after that was refused"
    assert "and 2 more such attempts" in judge(replace(WELL, violations=(GRAVE,) * 3)).reason


def test_a_verdict_hangs_on_no_measurement() -> None:
    endings = [replace(WELL, status=int(signal.SIGXCPU), cpu_ms=cpu) for cpu in (1500.0, 2345.6)]
    assert judge(endings[0]) == judge(endings[1])


def test_verdicts_are_plain_values() -> None:
    assert json.loads(json.dumps(judge(WELL).to_json()))["status"] == "ok"
