#!/usr/bin/env python3
"""Write what lifelines says of public survival data, for tests/real/test_survival_real.py.

lifelines needs an older pandas than the project: run this with the Python of a virtual environment of its own
(`pip install lifelines==0.30.3`), which needs nothing else of the project.
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from pathlib import Path
from typing import Any

SETS = {
    "waltons_dataset": ("T", "E", ["group"]),
    "lung": ("time", "status", ["sex", "ph.ecog"]),
    "rossi": ("week", "arrest", ["fin", "race", "paro"]),
    "larynx": ("time", "death", ["Stage_III", "Stage_IV"]),
    "dd": ("duration", "observed", ["regime", "un_continent_name"]),
}
POINTS = 30


def number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def curve(times: Any, events: Any, limit: float) -> dict[str, Any]:
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times, restricted_mean_survival_time

    fit = KaplanMeierFitter().fit(times, events)
    steps, ends = fit.survival_function_.iloc[:, 0], fit.confidence_interval_
    held = [t for t in steps.index if t in set(times)]
    held = held[:: max(1, len(held) // POINTS)]
    median = median_survival_times(ends)
    return {
        "times": [float(t) for t in held],
        "survival": [float(steps.loc[t]) for t in held],
        "low": [number(ends.loc[t].iloc[0]) for t in held],
        "high": [number(ends.loc[t].iloc[1]) for t in held],
        "median": number(fit.median_survival_time_),
        "median_interval": [number(median.iloc[0, 0]), number(median.iloc[0, 1])],
        "limit": limit,
        "restricted_mean": float(restricted_mean_survival_time(fit, t=limit)),
    }


def reference(folder: Path) -> dict[str, Any]:
    import pandas as pd
    from lifelines import __version__
    from lifelines.statistics import multivariate_logrank_test

    sets = {}
    for name, (duration, event, groups) in SETS.items():
        table = pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        limit = float(table[duration].median() * 1.5)
        entry: dict[str, Any] = {
            "columns": [duration, event],
            "curve": curve(table[duration], table[event], limit),
            "groups": {},
        }
        for group in groups:
            rows = table[table[group].notna()]
            test = multivariate_logrank_test(rows[duration], rows[group], rows[event])
            entry["groups"][group] = {
                "chi2": float(test.test_statistic),
                "p": float(test.p_value),
                "df": int(rows[group].nunique() - 1),
                "curves": {str(v): curve(own[duration], own[event], limit) for v, own in rows.groupby(group)},
            }
        sets[name] = entry
    return {"lifelines": __version__, "sets": sets}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of the CSV files")
    parser.add_argument("out", type=Path, help="JSON file to write")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of lifelines on pandas
    chosen.out.write_text(json.dumps(reference(chosen.folder), separators=(",", ":")) + "\n")
