"""The command ``python -m toolkit.sample``: write a sample table whose findings are known beforehand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.core.canonical import canonical_json, pretty_json
from toolkit.core.cli import DONE, command_parser, emit, note, run_command
from toolkit.core.errors import ToolkitError, UsageError

MOST_ROWS = 2_000_000_000
"""Row numbers beyond it would overflow the arithmetic of times."""

_PROGRESS_ROWS = 500_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments; those of the process by default.

    Returns
    -------
    int
        The exit code: 0 done, 2 wrong usage, 3 when the file could not be written.
    """
    parser = command_parser("sample", "Write a realistic order-to-delivery table with planted, documented effects.")
    parser.add_argument("--rows", type=int, default=200_000, metavar="N", help="rows without the header (200000)")
    parser.add_argument("--seed", type=int, default=20260101, metavar="S", help="equal rows and seed, equal bytes")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.csv", help="file to write")
    parser.add_argument("--truth", type=Path, metavar="FILE.json", help="also write the planted effects, as JSON")
    return run_command(parser, _body, argv)


def _body(args: argparse.Namespace) -> int:
    _check(args)
    # Imported here, so that --help and a wrong option answer at once.
    from toolkit.samples.table import write_csv

    announced = 0

    def progress(rows: int) -> None:
        nonlocal announced
        if rows - announced >= _PROGRESS_ROWS:
            announced = rows
            note(args, f"{rows:,} of {args.rows:,} rows")

    try:
        sample = write_csv(args.out, args.rows, args.seed, progress)
        if args.truth is not None:
            args.truth.parent.mkdir(parents=True, exist_ok=True)
            args.truth.write_text(pretty_json(sample.truth), encoding="utf-8")
    except OSError as error:
        raise ToolkitError(
            f"cannot write {error.filename or args.out}: {error.strerror}", "name another file with --out and --truth"
        ) from error
    note(args, f"wrote {sample.rows:,} rows of {sample.columns} columns, {sample.size:,} bytes")
    if args.json:
        facts = {"path": str(args.out), "truth": None if args.truth is None else str(args.truth), "seed": args.seed}
        counts = {"rows": sample.rows, "columns": sample.columns, "bytes": sample.size, "sha256": sample.sha256}
        emit(canonical_json(facts | counts))
    else:
        emit(str(args.out))
    return DONE


def _check(args: argparse.Namespace) -> None:
    if not 1 <= args.rows <= MOST_ROWS:
        raise UsageError(f"--rows takes a number from 1 to {MOST_ROWS:,}, not {args.rows:,}")
    if args.seed < 0:
        raise UsageError(f"--seed takes a number from 0 on, not {args.seed}")
    if args.out.suffix.lower() != ".csv":
        raise UsageError(f"--out takes a file that ends in .csv, not {args.out}", "the sample is written as CSV")
    if args.truth is not None and args.truth.suffix.lower() != ".json":
        raise UsageError(f"--truth takes a file that ends in .json, not {args.truth}")


if __name__ == "__main__":
    sys.exit(main())
