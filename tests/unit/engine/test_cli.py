"""One way out of every error: a sentence on stderr and the exit code of the contract."""

from __future__ import annotations

import argparse

import pytest

from toolkit.core.cli import command_parser, emit, note, run_command
from toolkit.core.errors import BadInputError, BudgetError, DamagedStoreError, UsageError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UsageError("a", "b"), 2, "error: a\n  b\n"),
        (BadInputError("a"), 2, "error: a\n"),
        (DamagedStoreError("a"), 3, "error: a\n"),
        (BudgetError("a"), 4, "error: a\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (MemoryError(), 3, "error: out of memory\n  use fewer --workers, or a policy with smaller caps\n"),
        (KeyError("x"), 3, "error: internal error: KeyError: 'x'\n  run it again with --traceback to see where\n"),
    ],
)
def test_errors(error: BaseException, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def body(args: argparse.Namespace) -> int:
        raise error

    assert run_command(command_parser("x", "X."), body, []) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_the_bodys_code_is_handed_on() -> None:
    assert run_command(command_parser("x", "X."), lambda args: 1, []) == 1


def test_wrong_options_are_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        run_command(command_parser("x", "X."), lambda args: 0, ["--no-such"])
    assert raised.value.code == 2
    assert "python -m toolkit.x" in capsys.readouterr().err


def test_a_traceback_is_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    def body(args: argparse.Namespace) -> int:
        raise UsageError("a")

    assert run_command(command_parser("x", "X."), body, ["--traceback"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_quiet_hides_notes_and_not_output(capsys: pytest.CaptureFixture[str]) -> None:
    def body(args: argparse.Namespace) -> int:
        note(args, "a note")
        emit("output")
        return 0

    run_command(command_parser("x", "X."), body, ["--quiet"])
    assert capsys.readouterr() == ("output\n", "")
    run_command(command_parser("x", "X."), body, [])
    assert capsys.readouterr() == ("output\n", "a note\n")
