"""What is kept of failures: whichever way the same fault is met, it is told in the same words."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.contain.verdict import Verdict, reached
from toolkit.engine.failure_record import FailureRecord, failure_record
from toolkit.engine.manifest import Manifest
from toolkit.engine.plan import Planned
from toolkit.execute.base import Limits, Outcome, Usage
from toolkit.plugin.budget import Budget
from toolkit.task.failure import Failure
from toolkit.task.place import Phase, Place

LIMITS = Limits(memory=400 << 20, disk=8 << 20, threads=64)


def record(
    verdict: Verdict | None = None, failure: Failure | None = None, task: str = "plugin:a", place: Place | None = None
) -> FailureRecord:
    made = Outcome(task, None, verdict or Verdict(), Usage(last_rss=7), "printed", place or Place("run"))
    planned = Planned(Manifest("a", Path(), "analysis", "1", "of a test"), "", {}, Budget(), {})
    return failure_record(planned, made, LIMITS, failure, "no result")


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (Failure("MemoryError", "no message"), reached("memory", 400 << 20)),
        (Failure("_ArrayMemoryError", "Unable to allocate 8.00 TiB"), reached("memory", 400 << 20)),
        (Failure("RuntimeError", "can't start new thread"), reached("threads", 64)),
        (Failure("OSError", "[Errno 27] File too large"), reached("quota", 8 << 20)),
    ],
)
def test_an_error_upon_a_limit_reads_as_the_watch_that_sees_it(failure: Failure, verdict: Verdict) -> None:
    refused, watched = record(failure=failure), record(verdict)
    assert refused.reported() == watched.reported()
    assert (refused.reason, refused.status) == (watched.reason, watched.status)


def test_an_error_of_the_code_is_told_with_its_line() -> None:
    found = record(
        failure=Failure("ValueError", "no", where="plugin.py, line 3", trace=["Traceback", "ValueError: no"])
    )
    assert (found.cause, found.reason) == ("error", "ValueError: no (plugin.py, line 3)")
    assert found.log == "printed\nTraceback\nValueError: no"
    assert found.rss == 7
    assert set(found.reported()) == {"phase", "cause", "limit", "signal", "remedy"}


def test_a_plugin_that_failed_upon_a_refusal_is_told_with_its_line_and_the_remedy() -> None:
    verdict = Verdict("failed", "violation", "it tried, and went on", "remove it")
    found = record(verdict, Failure("PermissionError", "may not fork", where="plugin.py, line 9"))
    assert (found.cause, found.remedy) == ("violation", "remove it")
    assert found.reason == "PermissionError: may not fork (plugin.py, line 9); remove it"
    assert record(verdict).reason == "it tried, and went on; remove it"


@pytest.mark.parametrize(
    ("task", "phase", "said"),
    [
        ("plugin:a", "import", "import"),
        ("plugin:a", "pass", "pass 2"),
        ("plugin:a:1.4", "pass", "pass 2, part 5"),
        ("plugin:a:1.join", "merge", "merge of pass 2"),
        ("plugin:a:1.join", "finish", "finish"),
    ],
)
def test_the_phase_in_words(task: str, phase: Phase, said: str) -> None:
    assert record(Verdict("failed", "crash", "x"), task=task, place=Place(phase, 1)).phase == said
