"""Judges of converted tables that don't share code with the converter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.storage.dataset import Dataset

MISSING_WORDS = {"NA", "N/A", "n/a", "NULL", "null", "None", ""}


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder with its bytes."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def raw_text(path: Path, **how: Any) -> pd.DataFrame:
    """A CSV as pandas reads it when told to leave every value alone; an empty field is missing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], **how)


def check_table(dataset: Dataset, raw: pd.DataFrame) -> None:
    """Compare every value and every missing one with the text from which the store was made."""
    assert dataset.rows == len(raw)
    assert dataset.schema.names == [str(c) for c in raw.columns]
    frame = dataset.to_pandas()
    for position, spec in enumerate(dataset.schema):
        text = raw.iloc[:, position].astype(object)
        missing = text.isna() if spec.kind == "string" else text.isna() | text.isin(MISSING_WORDS)
        got = frame.iloc[:, position]
        if spec.kind == "float":
            valid = np.concatenate([c.valid(spec.name) for c in dataset.chunks([spec.name])])
            assert np.array_equal(~valid, missing.to_numpy(bool)), spec.name
        else:
            assert np.array_equal(got.isna().to_numpy(bool), missing.to_numpy(bool)), spec.name
        present = ~missing.to_numpy(bool)
        check_values(spec.kind, got[present].tolist(), text[present].tolist(), spec.name)


def check_values(kind: str, got: Sequence[Any], text: Sequence[str], name: str) -> None:
    """Compare values that are present with their text."""
    if kind == "null":
        assert not len(got)
    elif kind == "int":
        assert [int(v) for v in got] == [int(t) for t in text], name
    elif kind == "bool":
        assert [bool(v) for v in got] == [{"true": True, "false": False}[t.lower()] for t in text], name
    elif kind == "float":
        want, have = np.array([float(t) for t in text]), np.asarray(got, np.float64)
        assert np.array_equal(have, want, equal_nan=True), name
        assert np.array_equal(np.signbit(have), np.signbit(want)), name
    elif kind in ("date", "timestamp"):
        zoned = pd.to_datetime(pd.Series(text, dtype=object), format="ISO8601", utc=True)
        assert list(pd.to_datetime(pd.Series(got, dtype=object), utc=True)) == list(zoned), name
    else:
        assert kind in ("string", "decimal"), kind
        assert list(got) == list(text), name
