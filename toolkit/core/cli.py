"""What all commands share: options, one way out of every error, output that survives a closed pipe."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from toolkit.core.errors import ToolkitError

DONE = 0
DONE_WITH_FAILURES = 1
WRONG_USAGE = 2
RUNTIME_FAILURE = 3
OVER_BUDGET = 4
INTERRUPTED = 130

Body = Callable[[argparse.Namespace], int]


def command_parser(name: str, summary: str) -> argparse.ArgumentParser:
    """A parser with the options that every command takes: ``--json``, ``--quiet``, ``--traceback``.

    Parameters
    ----------
    name : str
        The command, such as ``run``.
    summary : str
        One sentence for ``--help``.
    """
    parser = argparse.ArgumentParser(prog=f"python -m toolkit.{name}", description=summary)
    shared = parser.add_argument_group("every command")
    shared.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    shared.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    shared.add_argument("--traceback", action="store_true", help="show where in the code an error arose")
    return parser


def run_command(parser: argparse.ArgumentParser, body: Body, argv: Sequence[str] | None) -> int:
    """Parse the arguments, run the command and turn every error into one message and an exit code.

    Parameters
    ----------
    parser : ArgumentParser
        From `command_parser`, with the command's own options added.
    body : callable
        The command; takes the parsed arguments, returns the exit code.
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        0 done; 1 done, with failures; 2 wrong usage or input; 3 runtime failure; 4 over budget; 130 interrupted.
    """
    args = parser.parse_args(argv)
    try:
        return body(args)
    except ToolkitError as error:
        return _fail(args, str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail(args, "interrupted", INTERRUPTED)
    except BrokenPipeError:
        _mute(sys.stdout)
        return RUNTIME_FAILURE
    except MemoryError:
        return _fail(args, "out of memory\n  use fewer --workers, or a policy with smaller caps", RUNTIME_FAILURE)
    except Exception as error:  # noqa: BLE001  a command's last resort: a person gets a sentence, not a traceback
        text = f"internal error: {type(error).__name__}: {error}\n  run it again with --traceback to see where"
        return _fail(args, text, RUNTIME_FAILURE)


def leave(code: int) -> NoReturn:
    """End the process with an exit code, without a last search for garbage in everything that was loaded.

    The interpreter makes two, which with large libraries take a tenth of a second and find nothing that matters.

    An interrupted command ends here at once: once an interrupt has passed through an ``exec`` of text, as the
    definition of every dataclass has one, CPython ends the process by a signal instead of the code, handled or not.
    One that comes while a command that is done ends changes nothing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    if code == INTERRUPTED:
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)


def emit(text: str) -> None:
    """Write a line of output; a reader that has closed the pipe is no error, as the work is done."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _mute(sys.stdout)


def note(args: argparse.Namespace, text: str) -> None:
    """Write a line for a person to stderr, unless ``--quiet`` was given."""
    if not args.quiet:
        complain(text)


def complain(text: str) -> None:
    """Write a line to stderr, whatever has become of it."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (BrokenPipeError, ValueError):
        _mute(sys.stderr)


def _fail(args: argparse.Namespace, text: str, code: int) -> int:
    if args.traceback:
        complain(traceback.format_exc().rstrip())
    complain(f"error: {text}" if code != INTERRUPTED else text)
    return code


def _mute(stream: Any) -> None:
    """Point a stream whose reader has gone at the null device, so that the interpreter's last flush is silent too."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass
