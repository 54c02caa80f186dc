"""``python -m toolkit.verify``: whether findings of a run hold, checked in the rows that they name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.core.canonical import canonical_json
from toolkit.core.cli import DONE, DONE_WITH_FAILURES, command_parser, emit, note, run_command
from toolkit.core.errors import UsageError
from toolkit.core.settings import read_settings
from toolkit.engine.confirm.records import open_record
from toolkit.engine.confirm.verdict import CONFIRMED, Verdict, confirm
from toolkit.report.escape import visible
from toolkit.storage.appdata import AppData

_LONGEST = 60


def main(argv: Sequence[str] | None = None) -> int:
    """Check findings; 0 when all are confirmed, 1 when one is not."""
    parser = command_parser("verify", "Read the chunks that a finding names again, and say whether it holds.")
    parser.add_argument("run", metavar="RUN", help="id of a run, the beginning of one, or latest")
    parser.add_argument("finding", nargs="?", default="", metavar="FINDING", help="its id, or the beginning of it")
    parser.add_argument("--all", action="store_true", help="check every finding of the run")
    parser.add_argument("--replay", action="store_true", help="also run the plugins again, over every row they read")
    parser.add_argument("--appdata", type=Path, help="folder for stores, results and runs")
    return run_command(parser, _verify, argv)


def _verify(args: argparse.Namespace) -> int:
    if args.all == bool(args.finding):
        raise UsageError("verify takes a finding or --all", "report.json lists the findings with their ids")
    record = open_record(AppData(args.appdata or read_settings().appdata), args.run)
    findings = list(record.findings.values()) if args.all else [record.find(args.finding)]
    verdicts = confirm(record, findings, replayed=args.replay)
    confirmed = sum(v.status == CONFIRMED for v in verdicts)
    if args.json:
        tree = {"run_id": record.folder.run_id, "confirmed": confirmed, "findings": [v.to_json() for v in verdicts]}
        emit(canonical_json(tree))
    else:
        for verdict in verdicts:
            for line in _lines(verdict, args.all):
                emit(line)
        note(args, f"{confirmed} of {len(verdicts)} findings of run {record.folder.run_id} confirmed")
    return DONE if confirmed == len(verdicts) else DONE_WITH_FAILURES


def _lines(verdict: Verdict, short: bool) -> list[str]:
    finding = verdict.finding
    lines = [f"{finding['id']} {verdict.status}: {visible(finding['sentence'])}"]
    for check in verdict.checks:
        if short and check.holds:
            continue
        what = f"{check.what} {check.name}".rstrip()
        values = "" if check.said is None and check.found is None else f": {_text(check.said)}"
        if not check.holds and values:
            values += f", but found {_text(check.found)}"
        lines.append(f"  {'holds' if check.holds else 'FAILS':<6} {what}{values} ({check.note})")
    if verdict.uncheckable:
        lines.append(f"  not checkable: {verdict.uncheckable}")
    if verdict.chunks and not short:
        read = ", ".join(f"{visible(name)} ({len(chunks)})" for name, chunks in verdict.chunks.items())
        lines.append(f"  chunks read again, by column: {read}")
    return lines


def _text(value: object) -> str:
    text = visible(str(value))
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


if __name__ == "__main__":
    sys.exit(main())
