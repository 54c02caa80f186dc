"""All plugins that ship: the same bytes however a run is split, every chunk is read, the last row counts."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import toolkit
from tests.memory_store import memory_dataset
from tests.null_runs import tested_plugins as looking_at_rows
from tests.null_tables import Columns
from toolkit.core.canonical import canonical_json
from toolkit.engine.check.subject import differences
from toolkit.engine.manifest import Manifest, load_manifest
from toolkit.engine.plan import requests_of
from toolkit.kernels.base import kernels
from toolkit.kernels.waves import compute
from toolkit.plugin import Budget, Context, Inputs, Result, Skip
from toolkit.plugin.context import kernel_key
from toolkit.sample import main as sample
from toolkit.storage.dataset import Dataset
from toolkit.task.code import loaded_plugin
from toolkit.task.plugin_task import make_reducer, reduce_whole

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
SAMPLED = 3_000
WORKERS = [int(n) for n in os.environ.get("TOOLKIT_WORKERS", "3").split(",")]
"""Numbers of processes that are compared with none; "1,2,3" takes a minute or two more."""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    truth = folder / "truth.json"
    assert sample(["--rows", str(SAMPLED), "--out", str(folder / "t.csv"), "--truth", str(truth), "--quiet"]) == 0
    return folder / "t.csv"


def report_of(
    dataset: Dataset, appdata: Path, executor: str, workers: int, partition_chunks: int
) -> tuple[bytes, dict[str, Any]]:
    policy = appdata / f"of-{partition_chunks}.yaml"
    policy.write_text(f"extends: off\npartition_chunks: {partition_chunks}\n")
    run = toolkit.run_plugins(
        dataset, appdata=appdata, executor=executor, workers=workers, cache=False, policy=policy
    )  # fmt: skip
    bad = {p.id: p.reason for p in run.plugins if p.status not in ("ok", "skipped")}
    assert not bad
    return run.files["report.json"].read_bytes(), run.report


@pytest.mark.slow
def test_the_same_bytes_for_any_split_and_ten_digits_for_any_chunks(source: Path, tmp_path: Path) -> None:
    small = toolkit.convert_table(source, appdata=tmp_path / "small", chunk_rows=1_000)
    whole = toolkit.convert_table(source, appdata=tmp_path / "whole", chunk_rows=262_144)
    assert (small.grid.n_chunks, whole.grid.n_chunks) == (3, 1)
    expected, of_small = report_of(small, tmp_path / "small", "serial", 1, 64)
    for workers in WORKERS:
        assert report_of(small, tmp_path / "small", "process", workers, 2)[0] == expected, workers
    _, of_whole = report_of(whole, tmp_path / "whole", "serial", 1, 64)
    for name in sorted({f["plugin"] for f in [*of_small["findings"], *of_whole["findings"]]}):
        found = [[of_content(f) for f in r["findings"] if f["plugin"] == name] for r in (of_small, of_whole)]
        exact = is_exact(load_manifest(PLUGINS / name))
        assert differences(*(json.loads(canonical_json(f)) for f in found), exact=exact) == "", name
    assert len({f["plugin"] for f in of_small["findings"]}) >= 10


def of_content(finding: dict[str, Any]) -> dict[str, Any]:
    """A finding without what depends on chunks: ids, of evidence and derived tables, and a sentence that names them."""
    left = {"id", "group", "table"} | ({"sentence"} if finding["kind"] == "sentinel_value" else set())
    return {k: v for k, v in finding.items() if k not in left}


def is_exact(manifest: Manifest) -> bool:
    """Whether nothing that a plugin rests on is summed in floating point by chunk."""
    needed = [kernels.get(k.kernel) for k in manifest.kernels]
    with loaded_plugin(manifest.id, manifest.folder, "") as module:
        reducer = make_reducer(module)
    own = reducer is None or reducer.state_class == "exact"
    return own and all(k.state_class == "exact" for k in needed) and manifest.id != "profile_basic"


def table(rows: int = 2_000) -> Columns:
    """Something for each plugin, and in the last row a value that matters to it."""
    rng = np.random.default_rng(9)
    place = rng.integers(0, 12, rows)
    amount = np.round(10 ** rng.uniform(0, 5, rows), 2)
    amount[rng.random(rows) < 0.1] = 4_950.55
    amount[-1] = 4_951.55
    size = rng.normal(10, 1, rows)
    size[::50], size[-1] = size[::50] * 1_000, 9_000.0
    zips, city = [f"{10_000 + p}" for p in place.tolist()], [f"Hambourg {'abcdef'[p // 2]}" for p in place.tolist()]
    city[-1] = "Hambuorg a"
    mixed = [f"{v:.2f}" for v in amount.tolist()]
    mail = [f"someone{i}@example.org" if i % 3 else None for i in range(rows)]
    mail[-1] = "last@example.org"
    columns: Columns = {
        "amount": amount, "size": size, "weight": np.ma.array(size * 2 + rng.normal(size=rows), mask=place == 3),
        "zip": zips, "city": city, "kind": [f"k{k}" for k in ((place + rng.integers(0, 2, rows)) % 5).tolist()],
        "flag": place < 4, "mail": mail, "mixed": mixed, "number": np.arange(rows),
        "at": np.datetime64("2024-01-01", "s") + 600 * np.arange(rows),
    }  # fmt: skip
    for values in columns.values():
        values[7] = values[-1]  # so that the last row repeats another
    return columns


def without_last(columns: Columns, name: str) -> Columns:
    values = columns[name]
    if isinstance(values, list):
        return {**columns, name: [*values[:-1], None]}
    gone = np.ma.array(values, mask=np.ma.getmaskarray(values).copy())
    gone[-1] = np.ma.masked
    return {**columns, name: gone}


@dataclass
class Ran:
    """What one plugin said of a table, and which chunks of which columns were read for it."""

    said: str
    reads: dict[str, set[int]]


def run_all(columns: Columns, scratch: Path) -> dict[str, Ran]:
    """All plugins that look at rows, in this process; kernels are computed for each by itself."""
    reads: dict[str, set[int]] = {}
    dataset = memory_dataset(columns, 250, on_read=lambda column, chunk: reads.setdefault(column, set()).add(chunk))
    found: dict[str, Result] = {}
    out = {}
    for manifest in (*looking_at_rows(), load_manifest(PLUGINS / "transform_normalize_mixed")):
        reads.clear()
        asked = [r for need in manifest.kernels for r in requests_of(need, manifest, dataset.schema, Budget())[0]]
        results = compute(dataset, asked)
        (scratch / manifest.id).mkdir(parents=True)
        inputs = Inputs(
            plugin=manifest.id, selectors=manifest.columns, params=manifest.param_defaults, budget=Budget(),
            kernels={kernel_key(r.kernel, r.columns, r.params): results[r.key] for r in asked},
            upstream={name: found[name] for name in manifest.needs if name in found}, scratch=scratch / manifest.id,
        )  # fmt: skip
        with loaded_plugin(manifest.id, manifest.folder, "") as module, suppress(Skip):
            ctx, reducer = Context(dataset, inputs), make_reducer(module)
            if reducer is None:
                found[manifest.id] = module.run(ctx)
            else:
                reducer.ctx = ctx
                found[manifest.id] = reduce_whole(reducer)
        if manifest.id not in found:
            continue
        said = canonical_json(found[manifest.id].to_json())
        out[manifest.id] = Ran(said, {column: set(chunks) for column, chunks in reads.items()})
    return out


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    return run_all(table(), tmp_path_factory.mktemp("plain"))


LAST = {
    "city": ["analysis_label_variants", "analysis_keys_dependencies"],
    "size": ["analysis_correlation", "analysis_outliers_robust", "analysis_group_differences", "analysis_missingness",
             "analysis_regression_drivers", "analysis_distribution_drift", "profile_basic"],
    "kind": ["analysis_categorical_association", "analysis_association_rules"],
    "amount": ["analysis_benford"],
    "flag": ["analysis_duplicate_rows"],
    "mail": ["analysis_pii"],
    "mixed": ["transform_normalize_mixed", "analysis_log_templates"],
    "at": ["analysis_time_gaps"],
}  # fmt: skip
"""Columns by whose last value the result of a plugin changes."""


def test_every_chunk_of_each_column_is_read(plain: dict[str, Ran]) -> None:
    """Columns that a plugin reads a part of would be sampled."""
    assert set(plain) == {name for names in LAST.values() for name in names}
    for name, ran in plain.items():
        assert ran.reads, name
        for column, chunks in ran.reads.items():
            assert chunks == set(range(8)), (name, column)


@pytest.mark.slow
@pytest.mark.parametrize("column", LAST)
def test_the_last_value_counts(column: str, plain: dict[str, Ran], tmp_path: Path) -> None:
    changed = run_all(without_last(table(), column), tmp_path)
    for name in LAST[column]:
        assert changed[name].said != plain[name].said, name
