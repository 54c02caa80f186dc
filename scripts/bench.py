#!/usr/bin/env python3
"""Benchmarks beside the peers: every figure is a ratio of two commands run alternately in one session.

    python scripts/bench.py convert|profile|run [--rows N] [--repeats K] [--peers duckdb,polars] [--workers N] [--json]
    python scripts/bench.py scan|kernels|overhead [--rows N] [--repeats K] [--json]
    python scripts/bench.py scale [--sizes 2000000,10000000] [--plugins IDS] [--json]
    python scripts/bench.py columns --rows 100000 [--widths 24,2000] [--json]
    python scripts/bench.py limits [--repeats K] [--json]
    python scripts/bench.py docs

Each command runs in a process of its own. Wall time, CPU time and the peak of the resident memory of its whole process
tree are measured from outside. The table is generated when it is not there yet. Peers are installed with the extra
``bench``; ydata and whylogs get environments of their own when they are asked for.

``scan`` reads all columns in one process. ``scale`` runs the plugins with one and two workers on tables of several
sizes, and ``columns`` the profile and all plugins on tables of several widths. ``overhead`` has no peer: it is what the
harness takes for each of 30 plugins that do nothing, beyond a run without them, and what a run takes of which all
results are kept. ``limits`` is what the machine gains from a second process. What is measured is kept in the folder;
``docs`` writes docs/benchmarks.md from it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench_docs import keep, write_docs
from bench_measure import MIB, Measured, generate, measure
from bench_peers import peer_command

TRIVIAL = 30
TRIVIAL_MANIFEST = "type: analysis\nversion: 1\nsummary: Does nothing\n"
TRIVIAL_CODE = """from toolkit.plugin import Result
def run(ctx):
    return Result({"rows": ctx.rows})
"""

Found = dict[str, Any]


def convert_command(csv: Path, appdata: Path, *options: str) -> list[str]:
    """Our conversion of a table."""
    return [sys.executable, "-m", "toolkit.convert", str(csv), "--appdata", str(appdata), "--quiet", *options]


def run_command(store: Path, workers: str, *options: str) -> list[str]:
    """Our run over a store."""
    appdata = ["--appdata", str(store.parent.parent)]
    return [sys.executable, "-m", "toolkit.run", str(store), *appdata, "--workers", workers, "--quiet", *options]


def converted(csv: Path, appdata: Path, *options: str) -> Path:
    """The store of a table; the conversion finds it where it is there already."""
    command = convert_command(csv, appdata, *options)
    return Path(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip())


def beside_peers(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """Ours and the peers', one after the other, again and again."""
    appdata = work / "appdata"
    plugins = {"profile": ("--plugins", "profile_basic"), "run": ()}
    names = ["toolkit", *(args.peers.split(",") if args.peers else ())]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    for _ in range(args.repeats):
        for name in names:
            if name != "toolkit":
                out = work / f"{name}.parquet"
                command = peer_command(args.task, name, csv, parquet, out, args.folder / "environments")
            elif args.task == "convert":
                shutil.rmtree(appdata, ignore_errors=True)
                command = convert_command(csv, appdata, "--workers", args.workers)
            else:
                command = run_command(converted(csv, appdata), args.workers, "--no-cache", *plugins[args.task])
            runs[name].append(measure(command, {}))
    rows = []
    for name, measured in runs.items():
        ratios = sorted(a.wall / b.wall for a, b in zip(runs["toolkit"], measured, strict=True))
        rows.append({"name": name, **_medians(measured), "ours_to_it": _middle(ratios), "spread": _ends(ratios)})
    return {"rows": args.rows, "results": rows}


def overhead(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """Runs without the plugins, with them, and with their results kept; one after the other, again and again."""
    for number in range(TRIVIAL):
        folder = work / "plugins" / f"analysis_trivial_{number:02d}"
        folder.mkdir(parents=True)
        (folder / "plugin.yaml").write_text(TRIVIAL_MANIFEST)
        (folder / "plugin.py").write_text(TRIVIAL_CODE)
    appdata = work / "appdata"
    store = converted(csv, appdata)
    kinds = {"empty": ("report_*", ["--no-cache"]), "trivial": ("analysis_trivial_*", ["--no-cache"])}
    kinds["kept"] = ("analysis_trivial_*", [])
    runs: dict[str, list[Measured]] = {name: [] for name in kinds}
    for _ in range(args.repeats):
        for name, (plugins, options) in kinds.items():
            given = ["--plugin-dir", str(work / "plugins"), "--plugins", plugins, *options]
            runs[name].append(measure(run_command(store, args.workers, *given), {}))
    each = sorted((b.wall - a.wall) / TRIVIAL * 1e3 for a, b in zip(runs["empty"], runs["trivial"], strict=True))
    rows = [{"name": name, **_medians(measured)} for name, measured in runs.items()]
    return {"rows": args.rows, "results": rows, "plugin_ms": round(statistics.median(each), 1), "spread": _ends(each)}


def scan(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """Bytes that readers hand out a second, and ours beside theirs."""
    from bench_scan import bench_scan

    stores = [converted(csv, work / codec, "--codec", codec) for codec in ("lz4", "none")]
    speeds = bench_scan(*stores, parquet, work, args.repeats)
    rows = []
    for name, measured in speeds.items():
        row: Found = {"name": name, "gb_s": round(statistics.median(measured) / 1e9, 2)}
        for ours in ("toolkit, lz4", "toolkit, raw"):
            ratios = sorted(a / b for a, b in zip(speeds[ours], measured, strict=True))
            row[ours.replace("toolkit, ", "") + "_to_it"] = _middle(ratios)
        rows.append(row)
    return {"rows": args.rows, "results": rows}


def kernels(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """Nanoseconds a row of each kernel."""
    from bench_kernels import bench_kernels

    return {"rows": args.rows, "results": bench_kernels(converted(csv, work / "appdata"), args.repeats)}


def scale(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """The same plugins on tables of several sizes, with one worker and with two; all in turn, again and again."""
    sizes = [int(n) for n in args.sizes.split(",")]
    tables = {size: generate(size, args.folder)[0] for size in sizes}
    stores = {size: converted(tables[size], args.folder / f"scale-{size}") for size in sizes}
    runs: dict[int, dict[str, list[Measured]]] = {s: {"convert": [], "1": [], "2": []} for s in sizes}
    for _ in range(args.repeats):
        for size, kinds in runs.items():
            kinds["convert"].append(measure(convert_command(tables[size], work / "c"), {}))
            shutil.rmtree(work / "c")
            for workers in ("1", "2"):
                command = run_command(stores[size], workers, "--no-cache", "--plugins", args.plugins)
                kinds[workers].append(measure(command, {}))
    rows = [_scale_row(sizes[0], size, runs) for size in sizes]
    return {"results": rows, "plugins": args.plugins, "sizes": sizes}


def _scale_row(first: int, size: int, runs: dict[int, dict[str, list[Measured]]]) -> Found:
    """One size, and what a row takes beside the first size's, pair by pair."""
    row: Found = {"name": f"{size:,} rows"}
    for kind, measured in runs[size].items():
        pairs = zip(measured, runs[first][kind], strict=True)
        row[kind] = _medians(measured) | {"to_first": _middle(sorted(a.wall / b.wall * first / size for a, b in pairs))}
    gains = sorted(a.wall / b.wall for a, b in zip(runs[size]["1"], runs[size]["2"], strict=True))
    return row | {"two_to_one": _middle(gains), "spread": _ends(gains)}


def columns(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """The profile, and all plugins, on tables of several widths."""
    from bench_columns import widen

    rows: list[Found] = []
    for width in [int(n) for n in args.widths.split(",")]:
        table = widen(parquet, width, work / f"{width}.parquet")
        appdata = work / f"columns-{width}"
        row: Found = {"name": f"{width:,} columns", "convert": _medians([measure(convert_command(table, appdata), {})])}
        store = converted(table, appdata)
        for name, plugins in (("profile", "profile_basic"), ("all", "*")):
            command = run_command(store, args.workers, "--no-cache", "--plugins", plugins)
            row[name] = _medians([measure(command, {}) for _ in range(args.repeats)])
            row[f"{name}_ms_a_column"] = round(row[name]["wall_s"] / width * 1e3, 1)
        rows.append(row)
    return {"rows": args.rows, "results": rows}


def limits(args: argparse.Namespace, csv: Path, parquet: Path, work: Path) -> Found:
    """What two processes gain of which nothing is ours."""
    from bench_limits import bench_limits

    return {"results": bench_limits(args.repeats)}


TASKS: dict[str, Callable[[argparse.Namespace, Path, Path, Path], Found]] = {
    "convert": beside_peers,
    "profile": beside_peers,
    "run": beside_peers,
    "scan": scan,
    "kernels": kernels,
    "overhead": overhead,
    "scale": scale,
    "columns": columns,
    "limits": limits,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=(*TASKS, "docs"))
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--csv", type=Path, help="use this table; --parquet is the same one")
    parser.add_argument("--parquet", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", default="duckdb", help="names, separated by commas")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--sizes", default="2000000,5000000,10000000,20000000", help="rows, for scale")
    parser.add_argument("--widths", default="24,240,2000", help="numbers of columns, for columns")
    parser.add_argument("--plugins", default="*", help="what scale runs")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "toolkit-bench")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.task == "docs":
        write_docs(args.folder)
        return
    csv = parquet = args.folder
    if args.task not in ("scale", "limits"):
        csv, parquet = (args.csv, args.parquet) if args.csv else generate(args.rows, args.folder)
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        found = TASKS[args.task](args, csv, parquet, Path(scratch))
    found |= {"task": args.task, "repeats": args.repeats, "command": _command(args, parser)}
    keep(args.folder, found)
    print(json.dumps(found) if args.json else as_text(found))


def _command(args: argparse.Namespace, parser: argparse.ArgumentParser) -> str:
    """What was asked for beyond the defaults, without the places of files."""
    asked = [f"--{name} {value}" for name, value in vars(args).items() if value != parser.get_default(name)]
    kept = [
        option
        for option in asked
        if option.split()[0] in ("--rows", "--peers", "--workers", "--sizes", "--widths", "--plugins")
    ]
    return " ".join(["scripts/bench.py", args.task, *kept])


def as_text(found: Found) -> str:
    """A task's results as lines: one for each row, its figures by name."""
    lines = [f"{found['task']}: median of {found['repeats']}"]
    for row in found["results"]:
        figures = ", ".join(f"{key} {value}" for key, value in _flat(row).items() if key not in ("name", "kernel"))
        lines.append(f"  {row.get('name', row.get('kernel')):<20} {figures}")
    if "plugin_ms" in found:
        lines.append(f"  {found['plugin_ms']} ms a plugin, {found['spread'][0]} to {found['spread'][1]}")
    return "\n".join(lines)


def _flat(row: Found) -> Found:
    flat: Found = {}
    for key, value in row.items():
        flat |= {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _medians(measured: list[Measured]) -> Found:
    return {
        "wall_s": round(statistics.median(m.wall for m in measured), 2),
        "cpu_s": round(statistics.median(m.cpu for m in measured), 2),
        "peak_mib": round(statistics.median(m.peak for m in measured) / MIB),
    }


def _middle(ratios: list[float]) -> float:
    return _short(statistics.median(ratios))


def _ends(ratios: list[float]) -> list[float]:
    return [_short(ratios[0]), _short(ratios[-1])]


def _short(ratio: float) -> float:
    """Three digits, so that small ratios say something too."""
    return float(f"{ratio:.3g}")


if __name__ == "__main__":
    main()
