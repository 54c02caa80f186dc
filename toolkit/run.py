"""``python -m toolkit.run``: run plugins over every row of a table and write the report."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.core.cli import (
    DONE,
    DONE_WITH_FAILURES,
    OVER_BUDGET,
    command_parser,
    complain,
    emit,
    note,
    run_command,
)

if TYPE_CHECKING:
    from toolkit.engine.run_settings import RunSettings
    from toolkit.execute.base import Executor


def main(argv: Sequence[str] | None = None) -> int:
    """Run plugins; prints the report's path."""
    parser = command_parser("run", "Run plugins over every row of a table and write the report.")
    parser.add_argument("store", nargs="?", metavar="STORE", help="path or key of a store; the newest by default")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    parser.add_argument("--workers", default="auto", help="auto, or the number of tasks that run at once")
    parser.add_argument(
        "--plugins", default="", metavar="IDS", help="ids or patterns, separated by commas; all by default"
    )
    parser.add_argument("--plugin-dir", type=Path, action="append", default=[], help="a further folder with plugins")
    parser.add_argument("--policy", default="", metavar="FILE", help="policy file, or off for no injected caps")
    parser.add_argument("--executor", default="", help="process (default) or serial")
    parser.add_argument("--resume", default="", metavar="RUN_ID", help="go on with a run that was interrupted")
    parser.add_argument("--no-cache", action="store_true", help="compute everything anew")
    parser.add_argument("--assume-rows", type=int, metavar="N", help="budgets and limits of a table of N rows")
    parser.add_argument("--plan-only", action="store_true", help="print what would be done, and do nothing")
    return run_command(parser, _run, argv)


def _run(args: argparse.Namespace) -> int:
    if args.plan_only:
        return _show_plan(args)
    from toolkit.execute.base import load_executor

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # First of all: the workers' libraries load while this process loads its own and plans.
    executor = load_executor(args.executor or ("process" if sys.platform == "linux" else "serial"))()
    gc.disable()  # start-up allocates much and frees next to nothing
    try:
        return _carry_out(args, executor)
    finally:
        gc.enable()
        executor.close()


def _show_plan(args: argparse.Namespace) -> int:
    from toolkit.core.canonical import canonical_json
    from toolkit.engine.runner import prepare_run

    view = prepare_run(_settings(args)).view()
    if args.json:
        emit(canonical_json(view.to_json()))
    else:
        for line in view.lines():
            emit(line)
    return OVER_BUDGET if view.problem else DONE


def _carry_out(args: argparse.Namespace, executor: Executor) -> int:
    from toolkit.engine.progress import Progress
    from toolkit.engine.run_report import cost_text
    from toolkit.engine.runner import carry_out, prepare_run

    prepared = prepare_run(_settings(args))
    gc.enable()
    progress = Progress(sys.stderr, quiet=args.quiet)
    try:
        report = carry_out(prepared, executor, progress.listeners())
    except KeyboardInterrupt:
        progress.clear()
        if progress.run_id:
            where = f" --appdata {args.appdata}" if args.appdata else ""
            complain(f"what was finished is kept; to go on: python -m toolkit.run --resume {progress.run_id}{where}")
        raise
    finally:
        progress.clear()
    if args.json:
        from toolkit.core.canonical import canonical_json

        emit(canonical_json(report.to_json()))
    else:
        for plugin in report.plugins:
            if plugin.status not in ("ok", "skipped"):
                note(args, f"{plugin.id} {plugin.status.replace('_', ' ')}: {plugin.reason}")
        note(args, cost_text(report))
        if report.enforcement["in_force"] in ("none", "advisory", "partial"):
            note(args, f"plugins were contained in part only: {'; '.join(report.enforcement['missing'])}")
        emit(str(report.readable))
    return DONE if report.status == "ok" else DONE_WITH_FAILURES


def _settings(args: argparse.Namespace) -> RunSettings:
    from toolkit.core.settings import parse_workers
    from toolkit.engine.run_settings import DEFAULT_EXECUTOR, RunSettings

    return RunSettings(
        store=args.store,
        appdata=args.appdata,
        plugins=[p for p in (p.strip() for p in args.plugins.split(",")) if p],
        plugin_dirs=args.plugin_dir,
        policy=args.policy,
        executor=args.executor or DEFAULT_EXECUTOR,
        workers=parse_workers(args.workers),
        cache=False if args.no_cache else None,
        resume=args.resume,
        assume_rows=args.assume_rows,
    )


if __name__ == "__main__":
    sys.exit(main())
