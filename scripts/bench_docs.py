"""Keeps what was measured, and writes docs/benchmarks.md from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench_measure import machine
from bench_peers import COMPUTES

ROOT = Path(__file__).resolve().parent.parent
ORDER = ("convert", "profile", "run", "scan", "scale", "limits", "columns", "overhead", "kernels")
NOTES = ROOT / "docs" / "benchmarks-notes.md"
"""What the measurements mean, and where the limits are; written by hand, taken into the page."""

INTRODUCTION = """\
Written by `python scripts/bench.py docs` from what the other tasks of `scripts/bench.py` measured. Every task runs ours
and the peers' commands alternately in one session; a ratio is the median of those of each pair. Memory is the peak of
the whole process tree, shared pages counted once for each process."""

Found = dict[str, Any]


def keep(folder: Path, found: Found) -> None:
    """Keep the results of a task, with the machine that they were measured on."""
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results" / f"{_heading(found)}.json").write_text(json.dumps({**found, "machine": machine()}, indent=1))


def write_docs(folder: Path) -> None:
    """Write the page from all tasks whose results are kept."""
    kept = [json.loads(p.read_text()) for t in ORDER for p in sorted((folder / "results").glob(f"{t}*.json"))]
    parts = ["# Benchmarks", INTRODUCTION]
    parts += [f"Machine: {name}." for name in sorted({found["machine"] for found in kept})]
    for found in kept:
        parts += section(found)
    if NOTES.exists():
        parts.append(NOTES.read_text().strip())
    (ROOT / "docs" / "benchmarks.md").write_text("\n\n".join(parts) + "\n")


def _heading(found: Found) -> str:
    """The task, and for several plugins or sizes which ones."""
    heading = str(found["task"])
    if found.get("plugins", "*") != "*":
        heading += f" of {found['plugins']}"
    if found.get("sizes"):
        heading += f", {' and '.join(f'{n:,}' for n in found['sizes'])} rows"
    return heading


def section(found: Found) -> list[str]:
    """Heading, command and table of one task."""
    rows = f" of {found['rows']:,} rows" if "rows" in found else ""
    head = f"`python {found['command']}`, median of {found['repeats']}, a table{rows}."
    if "rows" not in found:
        head = f"`python {found['command']}`, median of {found['repeats']}."
    return [f"## {_heading(found)}", head, _TABLES.get(found["task"], peers_table)(found)]


def peers_table(found: Found) -> str:
    """Ours beside the peers."""
    lines = [
        [
            row["name"],
            row["wall_s"],
            row["cpu_s"],
            row["peak_mib"],
            f"{row['ours_to_it']} ({row['spread'][0]} to {row['spread'][1]})",
            COMPUTES.get((found["task"], row["name"]), ""),
        ]
        for row in found["results"]
    ]
    return table(["", "wall s", "CPU s", "MiB", "ours to it", "what it computes"], lines)


def scan_table(found: Found) -> str:
    """Readers by speed."""
    lines = [[row["name"], row["gb_s"], row["lz4_to_it"], row["raw_to_it"]] for row in found["results"]]
    return table(["reader", "GB/s decoded", "our lz4 to it", "our raw to it"], lines)


def scale_table(found: Found) -> str:
    """Sizes, and how cost and memory go with them."""
    lines = []
    for row in found["results"]:
        gain = f"{row['two_to_one']} ({row['spread'][0]} to {row['spread'][1]})"
        kinds = [(row[k]["wall_s"], row[k]["to_first"], row[k]["peak_mib"]) for k in ("1", "2", "convert")]
        lines.append([row["name"], *kinds[0], *kinds[1], gain, *kinds[2]])
    beside = ["a row, to the first", "MiB"]
    return table(["table", "1 worker s", *beside, "2 workers s", *beside, "gain", "convert s", *beside], lines)


def columns_table(found: Found) -> str:
    """Widths, and how cost and memory go with them."""
    lines = [
        [
            row["name"],
            *(row["convert"][k] for k in ("wall_s", "peak_mib")),
            *(
                value
                for n in ("profile", "all")
                for value in (row[n]["wall_s"], row[f"{n}_ms_a_column"], row[n]["peak_mib"])
            ),
        ]
        for row in found["results"]
    ]
    head = ["table", "convert s", "MiB", "profile s", "ms a column", "MiB", "all plugins s", "ms a column", "MiB"]
    return table(head, lines)


def overhead_table(found: Found) -> str:
    """What plugins that do nothing cost."""
    lines = [[row["name"], row["wall_s"], row["cpu_s"], row["peak_mib"]] for row in found["results"]]
    each = f"{found['plugin_ms']} ms for each of 30 plugins ({found['spread'][0]} to {found['spread'][1]})."
    return table(["run", "wall s", "CPU s", "MiB"], lines) + "\n\n" + each


def kernels_table(found: Found) -> str:
    """Nanoseconds a row of each kernel."""
    lines = [
        [r["kernel"], r["columns"], f"{r['ns']:.1f}", "" if r["peer_ns"] is None else f"{r['peer_ns']:.1f}"]
        for r in found["results"]
    ]
    return table(["kernel", "columns", "ns a row", "NumPy, SciPy or polars"], lines)


def limits_table(found: Found) -> str:
    """What two processes gain."""
    lines = [[row["name"], f"{row['gain']} ({row['spread'][0]} to {row['spread'][1]})"] for row in found["results"]]
    return table(["eight tasks of", "gain of two processes over one"], lines)


_TABLES = {"scan": scan_table, "scale": scale_table, "overhead": overhead_table, "kernels": kernels_table}
_TABLES |= {"columns": columns_table, "limits": limits_table}


def table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; all columns but the first, and texts, to the right."""
    rule = [":--", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(str(v) for v in row) + " |" for row in (head, rule, *lines))
