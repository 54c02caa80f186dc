"""``python -m toolkit.env``: the environment variables that the toolkit reads, and what they are set to."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, command_parser, emit, run_command
from toolkit.core.settings import VARIABLES, read_settings


def main(argv: Sequence[str] | None = None) -> int:
    """List the variables."""
    return run_command(command_parser("env", "List the environment variables and their values."), _env, argv)


def _env(args: argparse.Namespace) -> int:
    read_settings()  # a variable with a value that it does not take is an error here as everywhere
    if args.json:
        emit(canonical_json({n: {"value": os.environ.get(n), "meaning": t} for n, t in VARIABLES.items()}))
        return DONE
    for name, meaning in VARIABLES.items():
        value = os.environ.get(name)
        emit(f"{name}={value}" if value is not None else f"{name} is not set")
        emit(f"    {meaning}")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
