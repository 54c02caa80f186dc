"""What others offer for the same tasks, each as a script that runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONVERT = {
    "duckdb": """
import duckdb
duckdb.sql("copy (select * from read_csv('{csv}')) to '{out}' (format parquet, compression zstd)")
""",
    "polars": """
import polars
polars.scan_csv('{csv}', try_parse_dates=True).sink_parquet('{out}', compression='zstd')
""",
    "pyarrow": """
import pyarrow.csv, pyarrow.parquet
pyarrow.parquet.write_table(pyarrow.csv.read_csv('{csv}'), '{out}', compression='zstd')
""",
    "pandas": """
import pandas
pandas.read_csv('{csv}').to_parquet('{out}', compression='zstd')
""",
}

SUMMARIZE = """
import duckdb
duckdb.sql("summarize select * from read_parquet('{parquet}')").fetchall()
"""

PROFILE = {
    "duckdb": SUMMARIZE,
    "polars": """
import polars as pl
t = pl.scan_parquet('{parquet}')
print(t.select(pl.all().null_count(), pl.all().n_unique().name.suffix('_n')).collect())
print(t.select(pl.selectors.numeric()).describe())
""",
    "pandas": """
import pandas
t = pandas.read_parquet('{parquet}')
print(t.describe(include='all'), t.nunique())
""",
    "ydata": """
import pandas
from ydata_profiling import ProfileReport
ProfileReport(pandas.read_parquet('{parquet}'), minimal=True, progress_bar=False).to_file('{out}.html')
""",
    "whylogs": """
import pandas, whylogs
whylogs.log(pandas.read_parquet('{parquet}')).view().to_pandas()
""",
}

PEERS = {"convert": CONVERT, "profile": PROFILE, "run": {"duckdb": SUMMARIZE}}

OWN_ENVIRONMENT = {
    "ydata": ("ydata-profiling", "pyarrow", "setuptools<81"),
    "whylogs": ("whylogs", "numpy<2", "pandas<3", "pyarrow<20", "setuptools<81"),
}
"""Packages of peers whose dependencies would clash with those of the project."""

COMPUTES = {
    ("convert", "toolkit"): "types over all rows, a digest of every chunk, a key of the content",
    ("convert", "duckdb"): "types from the first rows",
    ("convert", "polars"): "types from the first rows",
    ("convert", "pyarrow"): "types from the first block",
    ("convert", "pandas"): "types over all rows, in memory",
    ("profile", "toolkit"): "exact: distinct values, 13 quantiles, top values, histogram, moments, missing by chunk",
    ("profile", "duckdb"): "approximate distinct values and three quantiles; exact mean, deviation, missing values",
    ("profile", "polars"): "exact: distinct values, missing values, three quantiles, mean, deviation",
    ("profile", "pandas"): "exact: distinct values, three quantiles, mean, deviation, top value",
    ("profile", "ydata"): "its minimal report, in memory",
    ("profile", "whylogs"): "sketches of distinct values and quantiles",
    ("run", "toolkit"): "all plugins that apply, over all rows, with report",
    ("run", "duckdb"): "SUMMARIZE, as for profile",
}


def peer_command(task: str, name: str, csv: Path, parquet: Path, out: Path, environments: Path) -> list[str]:
    """The command of a peer for a task; makes its environment where it needs one of its own.

    Raises
    ------
    SystemExit
        When there is no such peer, with the names of those that there are.
    """
    scripts = PEERS.get(task, {})
    if name not in scripts:
        sys.exit(f"{name} is no peer for {task}; there are: {', '.join(scripts) or 'none'}")
    script = scripts[name].format(csv=csv, parquet=parquet, out=out)
    packages = OWN_ENVIRONMENT.get(name)
    if packages is None:
        return [sys.executable, "-c", script]
    python = environments / name / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environments / name)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return [str(python), "-c", script]
