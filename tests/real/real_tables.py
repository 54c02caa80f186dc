"""Real tables as frames, and plugins run on them in this process."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.memory_store import memory_dataset
from tests.null_tables import run_plugin
from toolkit.plugin import Result

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
ADULT = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
]


@functools.cache
def read_table(real_data: Path, name: str) -> pd.DataFrame:
    """The tables ``adult``, ``hflights`` and ``names``; nobody may change what is returned."""
    folder = real_data / "tables"
    if name == "adult":
        return pd.read_csv(folder / "adult.data.gz", names=ADULT, skipinitialspace=True, na_values="?")
    return pd.read_csv(folder / {"hflights": "hflights.csv.gz", "names": "names_1880_2010.csv.gz"}[name])


def run_on(plugin: str, frame: pd.DataFrame, chunk_rows: int = 10_000, **options: Any) -> Result:
    """Run a plugin on a frame, in which NaN stands for missing values."""
    columns: dict[str, Any] = {}
    for name in frame:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            filled = values.fillna(0).to_numpy()
            whole = filled.dtype.kind == "f" and bool((filled == np.round(filled)).all())
            columns[str(name)] = np.ma.array(
                filled.astype(np.int64) if whole else filled, mask=values.isna().to_numpy()
            )
        else:
            columns[str(name)] = [None if pd.isna(v) else v for v in values.tolist()]
    return run_plugin(PLUGINS / plugin, memory_dataset(columns, chunk_rows), **options)
