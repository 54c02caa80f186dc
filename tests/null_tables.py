"""Tables in which there is nothing to be found, and effects to plant in them.

On 200 null tables the share with any tested finding may be at most 5 %: `null_tables` yields tables whose columns are
independent of each other while their rows may depend on their neighbours, as rows of real tables do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tests.memory_store import memory_dataset
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.plan import requests_of
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs, Result
from toolkit.plugin.context import kernel_key
from toolkit.report.discovery import weakness
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.plugin_task import make_reducer, reduce_whole

Dependence = Literal["independent", "autocorrelated", "grouped"]
TABLES = int(os.environ.get("TOOLKIT_NULL_TABLES", "40"))
"""How many null tables the slow campaigns try; the figures of record are of 200."""

KINDS: tuple[Dependence, ...] = ("independent", "autocorrelated", "grouped")
Floats = npt.NDArray[np.float64]
Columns = dict[str, Any]


def allowed(tables: int) -> int:
    """How many of so many null tables may have a finding where one in twenty is expected to: 19 of 200.

    Examples
    --------
    >>> allowed(200), allowed(40)
    (19, 6)
    """
    from scipy.stats import binom

    return int(binom.ppf(0.995, tables, 0.05))


def ar1(rng: np.random.Generator, rows: int, phi: float = 0.8) -> Floats:
    """A stationary autoregressive series of unit variance, in which a row depends on the one before."""
    from scipy.signal import lfilter

    noise = rng.normal(size=rows) * np.sqrt(1.0 - phi * phi)
    noise[0] = rng.normal()
    series: Floats = lfilter([1.0], [1.0, -phi], noise)
    return series


def random_intercepts(rng: np.random.Generator, rows: int, group: int = 500) -> Floats:
    """A series of unit variance in which each run of ``group`` rows has a level of its own, half of the variance."""
    levels = np.repeat(rng.normal(size=-(-rows // group)), group)[:rows]
    return np.sqrt(0.5) * (levels + rng.normal(size=rows))


def null_columns(seed: int, dependence: Dependence, rows: int = 8_000) -> Columns:
    """Columns of several kinds, with missing values, independent of each other.

    Parameters
    ----------
    seed : int
        Tables of different seeds are independent.
    dependence : str
        Of neighbouring rows: none, an autocorrelation of 0.8, or a level of its own for each 500 rows.
    rows : int
        Number of rows.
    """
    rng = np.random.default_rng([KINDS.index(dependence), seed])

    def series() -> Floats:
        if dependence == "independent":
            return rng.normal(size=rows)
        return ar1(rng, rows) if dependence == "autocorrelated" else random_intercepts(rng, rows)

    def category(levels: int) -> list[str]:
        cuts = np.quantile(rng.normal(size=10_000), np.cumsum(rng.dirichlet(np.full(levels, 5.0)))[:-1])
        return [f"v{code}" for code in np.searchsorted(cuts, series()).tolist()]

    return {
        "x": series(),
        "y": series(),
        "money": np.ma.array(np.round(np.exp(series()) * 100, 2), mask=series() > 1.6),
        "number": np.round(series() * 10).astype(np.int32),
        "region": category(4),
        "kind": [None if gone else v for v, gone in zip(category(7), series() > 1.8, strict=True)],
        "flag": series() > 0.5,
    }


def null_tables(count: int = 200, rows: int = 8_000, chunk_rows: int = 4_096) -> Iterator[tuple[Dependence, Dataset]]:
    """Null tables of fixed seeds, in turn independent, autocorrelated and grouped."""
    for seed in range(count):
        dependence = KINDS[seed % len(KINDS)]
        yield dependence, memory_dataset(null_columns(seed, dependence, rows), chunk_rows)


def plant_correlation(columns: Columns, x: str, y: str, r: float) -> Columns:
    """The columns with ``y`` mixed with ``x`` so that they correlate; both are floats of about unit variance."""
    mixed = r * columns[x] + np.sqrt(1.0 - r * r) * columns[y]
    return {**columns, y: mixed}


def plant_group_shift(columns: Columns, group: str, level: Any, value: str, shift: float) -> Columns:
    """The columns with ``shift`` standard deviations added to ``value`` in one group."""
    inside = np.array([v == level for v in columns[group]])
    return {**columns, value: columns[value] + np.where(inside, shift * np.std(columns[value]), 0.0)}


def plant_level_shift(columns: Columns, value: str, row: int, shift: float) -> Columns:
    """The columns with ``shift`` standard deviations added to ``value`` from a row on."""
    after = np.arange(len(columns[value])) >= row
    return {**columns, value: columns[value] + np.where(after, shift * np.std(columns[value]), 0.0)}


def plant_outage(columns: Columns, name: str, start: int, stop: int) -> Columns:
    """The columns with a run of rows of one numeric column missing."""
    values = np.ma.array(columns[name], mask=np.ma.getmaskarray(columns[name]).copy())
    values[start:stop] = np.ma.masked
    return {**columns, name: values}


def plant_association(columns: Columns, first: str, second: str, share: float, seed: int = 0) -> Columns:
    """The columns with ``second`` set to a function of ``first`` in a share of the rows; both are lists of texts."""
    rng = np.random.default_rng(seed)
    levels = sorted({v for v in columns[second] if v is not None})
    taken = {v: levels[i % len(levels)] for i, v in enumerate(sorted({v for v in columns[first] if v is not None}))}
    chosen = (rng.random(len(columns[first])) < share).tolist()
    pairs = zip(columns[first], columns[second], chosen, strict=True)
    return {**columns, second: [taken[a] if c and a is not None else b for a, b, c in pairs]}


def run_plugin(
    folder: Path,
    dataset: Dataset,
    *,
    params: Mapping[str, Any] | None = None,
    budget: Budget | None = None,
    upstream: Mapping[str, Result] | None = None,
) -> Result:
    """Run one plugin on a table in this process: its kernels are computed, and nothing is kept.

    What it found must be ready for the control of false discoveries over a run.

    Parameters
    ----------
    folder : Path
        The plugin's folder.
    dataset : Dataset
        The table, such as one of `memory_dataset`.
    params : mapping, optional
        Parameters that differ from the manifest's defaults.
    budget : Budget, optional
        Caps; none by default.
    upstream : mapping, optional
        Results of plugins that it depends on.

    Raises
    ------
    Skip
        When the plugin skips the table.
    """
    manifest, caps = load_manifest(folder), budget or Budget()
    asked = [r for need in manifest.kernels for r in requests_of(need, manifest, dataset.schema, caps)[0]]
    results = compute(dataset, asked)
    inputs = Inputs(
        plugin=manifest.id,
        selectors=manifest.columns,
        params={**manifest.param_defaults, **(params or {})},
        budget=caps,
        kernels={kernel_key(r.kernel, r.columns, r.params): results[r.key] for r in asked},
        upstream=dict(upstream or {}),
    )
    with loaded_plugin(manifest.id, folder, "") as module:
        ctx, reducer = Context(dataset, inputs), make_reducer(module)
        if reducer is None:
            found = module.run(ctx)
        else:
            reducer.ctx = ctx
            found = reduce_whole(reducer)
    assert isinstance(found, Result)
    assert_ready_for_control(manifest, inputs.params, found)
    return found


def assert_ready_for_control(manifest: Manifest, params: Mapping[str, Any], result: Result) -> None:
    """What the control of false discoveries over a run needs of a plugin, and that it drops nothing for its size."""
    tested = [f.to_json() for f in result.findings if f.log10_p is not None]
    assert manifest.family or not result.n_tests, f"{manifest.id} tests hypotheses, and its manifest has no family"
    for finding in tested:
        assert finding["measure"], f"{manifest.id}: {finding['kind']} does not say what its effect is"
        ends = finding["interval"]
        assert weakness(finding, params) == "", (finding["kind"], finding["measure"], finding["effect"], ends)
        assert ends[0] <= finding["effect"] <= ends[1], (finding["kind"], finding["effect"], ends)


def null_tables_with_findings(
    folder: Path, count: int, upstream: Mapping[str, Result] | None = None
) -> list[tuple[Dependence, str]]:
    """Run a plugin on null tables: of each on which it made a tested finding, the kind and the first sentence.

    Findings of facts, which have no p-value, don't count. ``upstream`` has results of plugins that it depends on.
    """
    out = []
    for dependence, dataset in null_tables(count):
        tested = [f for f in run_plugin(folder, dataset, upstream=upstream).findings if f.log10_p is not None]
        if tested:
            out.append((dependence, tested[0].sentence))
    return out
