#!/usr/bin/env python3
"""Benchmarks beside the peers: every figure is a ratio of two commands run alternately in one session.

    python scripts/bench.py convert|profile [--rows N] [--repeats K] [--peers duckdb,polars] [--workers N] [--json]
    python scripts/bench.py kernels [--rows N] [--repeats K] [--json]
    python scripts/bench.py overhead [--rows N] [--repeats K] [--workers N] [--json]

Each command runs in a process of its own. Wall time, CPU time and the peak of the resident memory of its whole process
tree are measured from outside. The table is generated when it is not there yet. Peers are installed with the extra
``bench``.

``overhead`` has no peer: it is what the harness takes for each of 30 plugins that do nothing, beyond a run without
them, and what a run takes of which all results are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
POLL_SECONDS = 0.01
MIB = 1 << 20

DUCKDB_CONVERT = """
import duckdb
duckdb.sql("copy (select * from read_csv('{csv}')) to '{out}' (format parquet, compression zstd)")
"""
DUCKDB_SUMMARIZE = """
import duckdb
duckdb.sql("summarize select * from read_parquet('{parquet}')").fetchall()
"""
POLARS_CONVERT = """
import polars
polars.scan_csv('{csv}', try_parse_dates=True).sink_parquet('{out}', compression='zstd')
"""
POLARS_PROFILE = """
import polars as pl
t = pl.scan_parquet('{parquet}')
print(t.select(pl.all().null_count(), pl.all().n_unique().name.suffix('_n')).collect())
print(t.select(pl.selectors.numeric()).describe())
"""
PANDAS_PROFILE = """
import pandas
t = pandas.read_parquet('{parquet}')
print(t.describe(include='all'), t.nunique())
"""


TRIVIAL = 30
TRIVIAL_MANIFEST = "type: analysis\nversion: 1\nsummary: Does nothing\n"
TRIVIAL_CODE = """from toolkit.plugin import Result
def run(ctx):
    return Result({"rows": ctx.rows})
"""


@dataclass(frozen=True)
class Measured:
    """One run: seconds of wall and CPU time, bytes of memory."""

    wall: float
    cpu: float
    peak: int


def process_tree(root: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield root
    for task in Path(f"/proc/{root}/task").glob("*"):
        for child in (task / "children").read_text().split():
            yield from process_tree(int(child))


def resident(root: int) -> int:
    """Resident bytes of a process tree, shared pages counted once for each process."""
    total = 0
    try:
        for pid in process_tree(root):
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        pass  # a process ended while it was looked at
    return total


def measure(command: list[str], environment: dict[str, str]) -> Measured:
    """Run a command to its end."""
    before = os.times()
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **environment}
    ) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, resident(process.pid))
            time.sleep(POLL_SECONDS)
        wall = time.perf_counter() - started
        error = process.stderr.read().decode() if process.stderr else ""
    after = os.times()
    if process.returncode:
        sys.exit(f"{' '.join(command)[:200]}\nended with {process.returncode}: {error[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, cpu, peak)


def generate(rows: int, folder: Path) -> tuple[Path, Path]:
    """The sample table as CSV and as Parquet."""
    csv, parquet = folder / f"sample-{rows}.csv", folder / f"sample-{rows}.parquet"
    if not csv.exists():
        command = [sys.executable, "-m", "toolkit.sample", "--rows", str(rows), "--seed", "20260101", "--out", str(csv)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    if not parquet.exists():
        import pyarrow.csv
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.csv.read_csv(csv), parquet, compression="zstd", row_group_size=262_144)
    return csv, parquet


def ours(task: str, csv: Path, work: Path, workers: str) -> tuple[list[str], dict[str, str]]:
    """Our command for a task, and its environment."""
    appdata = work / "appdata"
    if task == "convert":
        shutil.rmtree(appdata, ignore_errors=True)
        command = [sys.executable, "-m", "toolkit.convert", str(csv), "--appdata", str(appdata), "--workers", workers]
    else:
        if not (appdata / "stores").exists():
            subprocess.run(
                [sys.executable, "-m", "toolkit.convert", str(csv), "--appdata", str(appdata), "--quiet"],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        command = [sys.executable, "-m", "toolkit.run", "--appdata", str(appdata), "--no-cache", "--workers", workers]
        command += ["--plugins", "profile_basic", "--quiet"]
    return command, {}


def peer(task: str, name: str, csv: Path, parquet: Path, work: Path) -> list[str]:
    """A peer's command for a task."""
    scripts = {
        ("convert", "duckdb"): DUCKDB_CONVERT,
        ("convert", "polars"): POLARS_CONVERT,
        ("profile", "duckdb"): DUCKDB_SUMMARIZE,
        ("profile", "polars"): POLARS_PROFILE,
        ("profile", "pandas"): PANDAS_PROFILE,
    }
    if (task, name) not in scripts:
        sys.exit(f"{name} is no peer for {task}; there are: {', '.join(n for t, n in scripts if t == task)}")
    script = scripts[task, name].format(csv=csv, parquet=parquet, out=work / f"{name}.parquet")
    return [sys.executable, "-c", script]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("convert", "profile", "kernels", "overhead"))
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--csv", type=Path, help="use this table; --parquet is the same one")
    parser.add_argument("--parquet", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", default="duckdb")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "toolkit-bench")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    csv, parquet = (args.csv, args.parquet) if args.csv else generate(args.rows, args.folder)
    if args.task == "kernels":
        from bench_kernels import bench_kernels

        with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
            ours("profile", csv, Path(scratch), args.workers)  # converts the table
            (store,) = (p.parent for p in Path(scratch).glob("appdata/stores/*/zarr.json"))
            bench_kernels(store, args.repeats, args.json)
        return
    if args.task == "overhead":
        with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
            report_overhead(args, measure_overhead(args, csv, Path(scratch)))
        return
    names = ["toolkit", *args.peers.split(",")]
    runs: dict[str, list[Measured]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        work = Path(scratch)
        for _ in range(args.repeats):
            for name in names:
                if name == "toolkit":
                    command, environment = ours(args.task, csv, work, args.workers)
                else:
                    command, environment = peer(args.task, name, csv, parquet, work), {}
                runs[name].append(measure(command, environment))
    report(args, runs)


def measure_overhead(args: argparse.Namespace, csv: Path, work: Path) -> dict[str, list[Measured]]:
    """Runs without the plugins, with them, and with their results kept; one after the other, again and again."""
    for number in range(TRIVIAL):
        folder = work / "plugins" / f"analysis_trivial_{number:02d}"
        folder.mkdir(parents=True)
        (folder / "plugin.yaml").write_text(TRIVIAL_MANIFEST)
        (folder / "plugin.py").write_text(TRIVIAL_CODE)
    command, _ = ours("profile", csv, work, args.workers)  # makes the store
    base = [part for part in command if part not in ("--no-cache", "profile_basic")]
    base[base.index("--plugins") : base.index("--plugins") + 1] = ["--plugin-dir", str(work / "plugins"), "--plugins"]
    where = base.index("--plugins") + 1
    kinds = {"empty": ("report_*", ["--no-cache"]), "trivial": ("analysis_trivial_*", ["--no-cache"])}
    kinds["kept"] = ("analysis_trivial_*", [])
    runs: dict[str, list[Measured]] = {name: [] for name in kinds}
    for _ in range(args.repeats):
        for name, (plugins, options) in kinds.items():
            runs[name].append(measure([*base[:where], plugins, *base[where:], *options], {}))
    return runs


def report_overhead(args: argparse.Namespace, runs: dict[str, list[Measured]]) -> None:
    """Print the medians, and the milliseconds of wall time for each plugin."""
    each = sorted((b.wall - a.wall) / TRIVIAL * 1e3 for a, b in zip(runs["empty"], runs["trivial"], strict=True))
    found = {f"{name}_s": round(statistics.median(m.wall for m in measured), 2) for name, measured in runs.items()}
    found |= {"plugin_ms": round(statistics.median(each), 1), "spread": [round(each[0], 1), round(each[-1], 1)]}
    if args.json:
        print(json.dumps({"task": args.task, "rows": args.rows, **found}))
        return
    print(f"overhead of {TRIVIAL} plugins that do nothing: median of {args.repeats}")
    print(
        f"  {found['plugin_ms']} ms a plugin ({each[0]:.1f} to {each[-1]:.1f}) beyond {found['empty_s']} s without them"
    )
    print(f"  {found['kept_s']} s when all results are kept")


def report(args: argparse.Namespace, runs: dict[str, list[Measured]]) -> None:
    """Print the medians and, for each peer, the ratio of each pair of runs."""
    rows = []
    for name, measured in runs.items():
        ratios = sorted(a.wall / b.wall for a, b in zip(runs["toolkit"], measured, strict=True))
        rows.append(
            {
                "name": name,
                "wall_s": round(statistics.median(m.wall for m in measured), 2),
                "cpu_s": round(statistics.median(m.cpu for m in measured), 2),
                "peak_mib": round(max(m.peak for m in measured) / MIB),
                "ours_to_it": round(statistics.median(ratios), 2),
                "spread": [round(ratios[0], 2), round(ratios[-1], 2)],
            }
        )
    if args.json:
        print(json.dumps({"task": args.task, "rows": args.rows, "results": rows}))
        return
    print(f"{args.task}: median of {args.repeats}")
    print(f"{'':<10}{'wall s':>9}{'cpu s':>9}{'peak MiB':>10}{'ours : it':>11}  spread")
    for row in rows:
        spread = f"{row['spread'][0]} to {row['spread'][1]}"
        head = f"{row['name']:<10}{row['wall_s']:>9}{row['cpu_s']:>9}{row['peak_mib']:>10}"
        print(f"{head}{row['ours_to_it']:>11}  {spread}")


if __name__ == "__main__":
    main()
