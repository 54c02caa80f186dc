"""Event logs in which waits go with nothing, sorted by case, and what profile_eventlog says of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.memory_store import memory_dataset
from tests.null_tables import KINDS, Dependence, ar1, random_intercepts
from toolkit.plugin import Result
from toolkit.storage.dataset import Dataset

STEPS = ("create", "check", "approve", "ship", "pay")
SECOND = 1_000_000


def null_log(seed: int, dependence: Dependence, cases: int = 1_200) -> tuple[dict[str, Any], dict[str, Result]]:
    """Columns of a log, and the results that a plugin on it needs.

    Parameters
    ----------
    seed : int
        Logs of different seeds are independent.
    dependence : str
        Of cases that begin one after the other: none, an autocorrelation of 0.8, or a level of its own for each 50.
    cases : int
        How many.
    """
    rng = np.random.default_rng([KINDS.index(dependence), seed, 7])

    def series() -> Any:
        if dependence == "independent":
            return rng.normal(size=cases)
        return ar1(rng, cases) if dependence == "autocorrelated" else random_intercepts(rng, cases, 50)

    begin = np.sort(rng.integers(0, 180 * 86_400, cases))
    waits = np.stack([np.exp(series() * 0.8 + 8 + k) for k in range(len(STEPS))], axis=1).astype(np.int64)
    times = begin[:, None] + np.cumsum(waits, axis=1)
    n = cases * len(STEPS)
    columns: dict[str, Any] = {
        "case": np.repeat(np.arange(cases, dtype=np.int32), len(STEPS)),
        "activity": list(STEPS) * cases,
        "at": (times.ravel() * SECOND).astype("M8[us]"),
    }
    for name, levels in (("site", 4), ("priority", 3), ("channel", 6)):
        cuts = np.quantile(rng.normal(size=10_000), np.cumsum(rng.dirichlet(np.full(levels, 5.0)))[:-1])
        columns[name] = [f"v{c}" for c in np.repeat(np.searchsorted(cuts, series()), len(STEPS)).tolist()]
    columns["resource"] = [f"r{c}" for c in rng.integers(0, 5, n).tolist()]
    return columns, {"profile_eventlog": Result(profile_of(columns))}


def profile_of(columns: dict[str, Any], **roles: str) -> dict[str, Any]:
    """What profile_eventlog says of a log."""
    times = columns["at"].astype(np.int64)
    return {
        "roles": {"case": "case", "activity": "activity", "timestamp": "at", **roles},
        "span": [int(times.min()), int(times.max())],
    }


def sorted_table(columns: dict[str, Any]) -> Dataset:
    """The log as a table of one chunk, which holds whole cases."""
    names = [n for n, v in columns.items() if isinstance(v, list)]
    return memory_dataset(columns, 1 << 20, encodings=dict.fromkeys(names, "coded"))
