"""The sample table with its planted effects, as a store: written and converted once for each process of the tests."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from toolkit.api import convert_table
from toolkit.sample import main as sample
from toolkit.storage.dataset import Dataset


@functools.cache
def sample_store(rows: int = 20_000, seed: int = 1) -> tuple[Dataset, dict[str, Any]]:
    """The table, and the effects planted in it by name.

    Parameters
    ----------
    rows : int
        Number of rows.
    seed : int
        Seed of the table.
    """
    folder = Path(tempfile.mkdtemp(prefix="toolkit-sample-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    source, truth = folder / "orders.csv", folder / "truth.json"
    assert (
        sample(["--rows", str(rows), "--seed", str(seed), "--out", str(source), "--truth", str(truth), "--quiet"]) == 0
    )
    dataset = convert_table(source, appdata=folder)
    return dataset, json.loads(truth.read_text())["effects"]
