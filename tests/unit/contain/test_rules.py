from __future__ import annotations

import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from toolkit.contain.rules import InForce, Rules, Violation, interpreter_paths
from toolkit.core.errors import UsageError


def test_rules_survive_json() -> None:
    rules = Rules(read=("/usr",), write=("/tmp/a", "/tmp/b"), memory=1, cpu_ms=2, enforcement="best-effort")
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))) == rules


def test_what_is_in_force_survives_json() -> None:
    held = InForce("partial", 3, seccomp=False, limits={"memory": 5}, missing=("no filter",))
    assert InForce.from_json(json.loads(json.dumps(held.to_json()))) == held


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"enforcement": "strict"}, "enforcement is 'strict', which is none of required, best-effort, advisory"),
        ({"read": ("relative",)}, "'relative'; a path in them must be absolute"),
        ({"write": ("../up",)}, "must be absolute"),
        ({"memory": 0}, "memory is 0; it must be positive"),
        ({"quota": -1}, "quota is -1"),
        ({"open_files": 0}, "open_files is 0"),
    ],
)
def test_rules_that_mean_nothing_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Rules(**fields)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"event": "open"},
        {"event": 1, "sentence": "x", "grave": True},
        {"event": "open", "sentence": "x", "grave": 1},
    ],
)
def test_what_a_plugin_sends_in_place_of_a_violation_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no violation"):
        Violation.from_json(value)


def test_violations_are_kept_short() -> None:
    assert len(Violation.from_json({"event": "e", "sentence": "x" * 10_000, "grave": True}).sentence) == 300


def test_paths_of_the_interpreter_are_there_real_and_not_nested() -> None:
    paths = interpreter_paths()
    assert list(paths) == sorted(paths)
    for path in paths:
        assert os.path.realpath(path) == path
        assert Path(path).exists()
        assert not any(str(above) in paths for above in Path(path).parents)
    for needed in (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), pytest.__file__):
        assert any(Path(os.path.realpath(needed)).is_relative_to(p) for p in paths)
    # No whole prefix, home or root: that would give away what is beside the libraries.
    assert not {"/", "/usr", "/etc", "/home", "/root", sys.prefix, str(Path.home())} & set(paths)
