"""Wall time, CPU time and memory of a command with all its processes, and the tables that commands are measured on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE")
POLL_SECONDS = 0.01
MIB = 1 << 20


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


def machine() -> str:
    """The processor, the cores that may be used, the memory and the versions, in one line."""
    info = Path("/proc/cpuinfo").read_text()
    names = [line.partition(":")[2].strip() for line in info.splitlines() if line.startswith("model name")]
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 2**20
    cores = len(os.sched_getaffinity(0))
    name = names[0] if names else platform.machine()
    system = f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"
    return f"{name}, {cores} cores, {memory:.0f} GiB, {system}"


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
