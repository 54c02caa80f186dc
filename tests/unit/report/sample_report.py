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


HOSTILE_NAMES = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror=window.hit=2>',
    "' onfocus='window.hit=3' autofocus='",
    "</code></title></style></script><svg onload=window.hit=4>",
    '=HYPERLINK("http://evil.example","x")',
    "\u202eevil\u2066 names\u200b",
    "שלום שם ארוך",
    "javascript:window.hit=5",
    "&lt;b&gt; &amp;amp; `tick` {{7*7}} ${7*7}",
    "",
    " ",
    "a\ud800b",
    "l" * 10_000,
)
"""Names and values that must be shown and do nothing."""


def hostile_outcomes() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Columns and outcomes in which every text that can come from data is hostile."""
    columns = [{"name": name, "kind": "string"} for name in HOSTILE_NAMES]
    profile = [
        {
            "name": name, "count": 100, "missing": 0, "distinct": 3, "distinct_exact": True, "min": name[:200],
            "max": name[:200], "top": [{"value": name[:200], "count": 60}], "role": "category",
            "role_reason": f"says {name[:200]}",
        }
        for name in HOSTILE_NAMES
    ]  # fmt: skip
    findings = [
        {
            **FINDING, "kind": f"kind_{name}", "columns": [name, HOSTILE_NAMES[0]],
            "sentence": f"Column `{name}` is {name}.", "recommendation": f"See `{name}`: {name}",
            "evidence": {name: name, "values": [{name: name}], "more": {"a": [name]}},
        }
        for name in HOSTILE_NAMES
    ]  # fmt: skip
    tie = {"spearman": 0.9, "spearman_interval": [0.8, 1.0], "n": 9}
    pairs = [{"columns": [name, "<b>"], **tie} for name in HOSTILE_NAMES]
    omitted = [{"what": name, "rule": name, "left_out": list(HOSTILE_NAMES), "restore": name} for name in HOSTILE_NAMES]
    derived = {
        "key": "ab", "parent": "cd", "rows": 100, "rows_are": "same",
        "columns": [{"name": n, "kind": n[:20], "of": [n], "how": n, "kept": False} for n in HOSTILE_NAMES],
    }  # fmt: skip
    profiler, failed = outcomes()[0], {**outcomes()[2], "reason": HOSTILE_NAMES[1]}
    found = {
        "data": {"columns": profile, "pairs": pairs, "pictures": hostile_pictures()},
        "findings": findings, "omitted": omitted, "derived": derived,
        "budget": {"memory": None}, "version": HOSTILE_NAMES[0],
    }  # fmt: skip
    return columns, [{**profiler, **found}, failed]


def hostile_pictures() -> list[dict[str, Any]]:
    """One picture of each kind, every text of which is hostile."""
    nodes = [{"name": name, "count": 100 - i, "first": i == 0, "last": i > 9} for i, name in enumerate(HOSTILE_NAMES)]
    last = len(nodes) - 1
    steps = [(i, i + 1) for i in range(last)] + [(last, 0), (3, 3), (2, 9), (5, 4)]
    edges = [{"from": a, "to": b, "count": 50 - a, "seconds": 3600.0 * a if a else None} for a, b in steps]
    entries = [
        {"label": n, "share": 0.9 / (i + 1), "interval": [0.0, 1.0], "note": n} for i, n in enumerate(HOSTILE_NAMES)
    ]
    marks = [{"label": name, "at": [i / 20, i / 19]} for i, name in enumerate(HOSTILE_NAMES)]
    values = [None, 1.0, -2.5e300, None, 3.0, 1e300]
    ends = [HOSTILE_NAMES[0], HOSTILE_NAMES[1]]
    text = {"title": HOSTILE_NAMES[3], "note": HOSTILE_NAMES[4]}
    for node in nodes:
        node["first"], node["last"] = int(node["first"]), int(node["last"])
    return [
        {"kind": "graph", "unit": HOSTILE_NAMES[2], "nodes": nodes, "edges": edges, **text},
        {"kind": "bars", "entries": entries, **text},
        {"kind": "line", "columns": list(HOSTILE_NAMES), "ends": ends, "values": values, "marks": marks, **text},
    ]


def wide_outcomes(n_columns: int, n_findings: int = 200) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Columns and outcomes of a table of so many columns, all of them with a full profile."""
    columns = [
        {"name": f"measured_value_{i:05d}", "kind": "string" if i % 3 == 2 else "float"} for i in range(n_columns)
    ]
    quantiles = {p: 1.2345 * place for place, p in enumerate(
        ("0", "0.001", "0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99", "0.999", "1"))}  # fmt: skip
    edges = [0.5 * i for i in range(51)]
    profile = []
    for i, column in enumerate(columns):
        entry = {
            "name": column["name"], "count": 90, "missing": 10, "distinct": 50, "distinct_exact": True,
            "top": [{"value": f"common value {k}", "count": 20 - k} for k in range(10)], "entropy": 1.234567,
            "role": "measure", "role_reason": "numbers with fractions", "min_row": i, "max_row": i,
            "missing_by_chunk": [(i * k) % 10 for k in range(64)], "missing_chunks": 1,
        }  # fmt: skip
        if column["kind"] == "float":
            counts = [(i * 7919 + k * k * 31) % 997 for k in range(50)]
            entry |= {
                "quantiles": quantiles, "histogram": {"edges": edges, "counts": counts}, "mean": 1 / 3, "std": 1 / 7,
                "skewness": 0.123456, "kurtosis": -0.2, "min": 0.0, "max": 14.814, "zeros": 3, "negatives": 0, "nan": 0,
            }  # fmt: skip
        profile.append(entry)
    findings = [
        {
            **FINDING,
            "columns": [columns[i % n_columns]["name"]],
            "sentence": f"Column {i} is odd.",
            "evidence": {**FINDING["evidence"], "rows": [[i, i]]},
            "effect": i / n_findings,
        }
        for i in range(n_findings)
    ]
    outcome = {**outcomes()[0], "data": {"columns": profile}, "findings": findings}
    return columns, [outcome]
