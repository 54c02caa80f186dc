"""Errors as data: whatever an error is made of, it can be told; whatever comes back is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from toolkit.core.encoding import decode, encode
from toolkit.core.errors import DamagedStoreError
from toolkit.task.failure import Failure, describe


class NoTextError(Exception):
    """One that can't say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no")


def test_an_error_without_a_text_is_told() -> None:
    assert describe(NoTextError()).reason == "NoTextError: its text can't be had: RuntimeError"


def test_what_a_terminal_would_act_upon_is_escaped() -> None:
    found = describe(ValueError("red \x1b[31m, half \ud800, café"))
    assert found.message == "red \\x1b[31m, half \\ud800, café"
    assert Failure.from_json(decode(encode(found.to_json()))) == found


def test_the_name_of_the_scratch_folder_is_left_out() -> None:
    found = describe(OSError("no space at /runs/1/scratch/a/b"), scratch="/runs/1/scratch/a")
    assert found.message == "no space at scratch/b"


def test_damage_says_where() -> None:
    found = describe(DamagedStoreError("it is damaged", "convert again", "x", 3))
    assert (found.damaged, found.column, found.chunk) == (True, "x", 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": 1}, {"message": None}, {"trace": 3}, {"trace": [4]}, {"damaged": 1}, {"chunk": "x"}, {"chunk": True},
        {"column": 2}, {"another": ""},
    ],
)  # fmt: skip
def test_what_is_no_failure_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        Failure.from_json({"type": "E", "message": "m", **fields})


def test_a_flood_of_text_is_cut() -> None:
    found = Failure.from_json({"type": "E" * 10**6, "message": "m" * 10**6, "trace": ["t" * 10**6] * 1000})
    assert len("".join([found.type, found.message, *found.trace])) < 20_000
    assert Path(found.where) == Path()
