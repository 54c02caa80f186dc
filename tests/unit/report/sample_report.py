"""A small run's outcomes, made by hand, with names and values that try to break out of their place."""

from __future__ import annotations

import copy
from typing import Any

NASTY = "we|ird `name`\n<script>alert(1)</script> [x](javascript:alert(2)) *b* \u202e"
DATASET = {"key": "ab" * 16, "rows": 100, "data_hash": "cd" * 32, "schema_hash": "ef" * 32}
COLUMNS = [
    {"name": "price", "kind": "float"},
    {"name": NASTY, "kind": "string"},
    {"name": "order_id", "kind": "int"},
    {"name": "started at", "kind": "timestamp"},
]
_PROFILE = [
    {
        "name": "price", "count": 99, "missing": 1, "distinct": 50, "distinct_exact": True, "min": 0.1,
        "max": 123456.789, "mean": 1 / 3, "std": 1.5, "skewness": 0.1, "kurtosis": -0.2,
        "quantiles": {"0": 0.1, "0.5": 2.5, "1": 123456.789}, "top": [{"value": 2.5, "count": 9}],
        "role": "measure", "zeros": 0, "negatives": 3, "nan": 0,
    },
    {
        "name": NASTY, "count": 100, "missing": 0, "distinct": 3, "distinct_exact": True, "min": "a|b",
        "max": "<img src=x onerror=alert(3)>", "top": [{"value": "a|b\n# *x* https://a.example", "count": 60}],
        "role": "category",
    },
    {
        "name": "order_id", "count": 100, "missing": 0, "distinct": 98, "distinct_exact": False, "min": 1,
        "max": 2**63 + 1, "mean": 5e8, "std": 1.0, "quantiles": {"0.5": 50}, "top": [{"value": 1, "count": 1}],
        "role": "id",
    },
]  # fmt: skip
FINDING = {
    "kind": "sentinel_values",
    "columns": ["price", NASTY],
    "effect": 0.1 + 0.2,
    "interval": (1 / 3, 2 / 3),
    "log10_p": None,
    "evidence": {"rows": [[3, 17], [5, 5]], "chunks": [3, 4], "share": 1 / 7},
    "sentence": f"Column `price` holds -999 in 16 rows, and `{NASTY}` too, <b>see</b> http://evil.example/x.",
    "recommendation": "Treat -999 in `price` as missing.",
    "references": ["10.1080/00031305.1996.10473566"],
}
_OUTCOMES = [
    {
        "id": "profile_basic", "type": "profile", "version": 1, "status": "ok", "reason": "",
        "coverage": {"rows": 100, "chunks": 1, "columns": 3}, "budget": {"max_cols": 3}, "n_tests": 0,
        "references": ["10.1007/s00180-015-0637-z"], "data": {"columns": _PROFILE}, "findings": [FINDING],
        "omitted": [{"what": "1 of 4 cols left out by max_cols: 3", "cap": "max_cols", "value": 3, "requested": 4,
                     "evaluated": 3, "rule": "the first columns in table order", "left_out": ["started at"],
                     "restore": "max_cols: 4"}],
        "duration_ms": 12.5, "workers": 2, "host": "here",
    },
    {
        "id": "analysis_trend", "type": "analysis", "version": 2, "status": "ok", "reason": "",
        "coverage": {"rows": 100}, "budget": {}, "n_tests": 40, "references": [], "data": {}, "omitted": [],
        "findings": [
            {**FINDING, "kind": "trend", "log10_p": -400.0}, {**FINDING, "kind": "trend", "log10_p": -3.0},
            {**FINDING, "kind": "trend", "log10_p": -2.5},
        ],
    },
    {
        "id": "analysis_x", "type": "analysis", "version": 1, "status": "skipped", "data": {}, "findings": [],
        "reason": "there is no *time* column", "coverage": {}, "budget": {}, "references": ["10.1000/unused"],
        "omitted": [],
    },
    {
        "id": "analysis_y", "type": "analysis", "version": 1, "status": "timed_out", "reason": "60 s; lower max_cols",
        "coverage": {}, "budget": {}, "references": [], "data": {}, "findings": [FINDING], "omitted": [], "n_tests": 7,
    },
]  # fmt: skip


def outcomes() -> list[dict[str, Any]]:
    """A copy that a test may change."""
    return copy.deepcopy(_OUTCOMES)
