"""Discords of the Numenta series with a known cause, against a simple baseline: writes docs/discords-on-nab.md.

Give the folder of the series (nab, with anomaly_windows.json) as the argument. Every series gets as many discords as it
has labelled windows; so does the baseline, which takes the values farthest from the median, in robust standard
deviations, none within a window's length of another.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
PAGE = ROOT / "docs" / "discords-on-nab.md"
GROUP = "realKnownCause"
HEAD = """# Discords on labelled series

The seven series with a known cause of the Numenta anomaly benchmark (Ahmad and others 2017,
doi:10.1016/j.neucom.2017.04.070), each binned by `transform_binned_series` at its own pace and searched by
`analysis_matrix_profile_motifs_discords` with its default window. As many discords are taken as a file has labelled
windows. A hit is a discord that overlaps a label; a label is found when a discord overlaps it. The baseline takes as
many stretches around the values farthest from the median, of the same length and as far apart. Written by
`scripts/nab_discords.py`; a test computes it anew.

| series | bins | window | labels | discords: hits | labels found | baseline: hits | labels found |
| :-- | --: | --: | --: | --: | --: | --: | --: |
"""

TAIL = """Discords are windows with a shape of their own: holidays in the taxi series, a misconfiguration that changes
the daily curve. The baseline finds extreme values, such as failures that end in a fall or a spike, and is better at
those. Neither stands for the other: `analysis_changepoints` and `analysis_outliers_robust` look at values.
"""


def rows(folder: Path) -> Iterator[tuple[Any, ...]]:
    """For each series: name, bins, window, labels, hits and labels found, of discords and of the baseline."""
    from plugins.analysis_matrix_profile_motifs_discords.extremes import compared, discords
    from plugins.analysis_matrix_profile_motifs_discords.plugin import window_of
    from plugins.analysis_matrix_profile_motifs_discords.profile import matrix_profile
    from tests.memory_store import memory_dataset
    from tests.series_tables import binned, series_inputs
    from toolkit.plugin import Context
    from toolkit.plugin.series import read_series

    labels = json.loads((folder / "anomaly_windows.json").read_text())
    for place in sorted((folder / GROUP).glob("*.csv")):
        frame = pd.read_csv(place, parse_dates=["timestamp"])
        columns = {"t": frame["timestamp"].to_numpy().astype("M8[us]"), "value": frame["value"].to_numpy()}
        derived, told, _ = binned(memory_dataset(columns))
        series = read_series(Context(derived, series_inputs(told))).fitted(20_000)
        x, m = series.column("value").mean, window_of(series, 0)
        assert series.start_ms is not None
        assert series.step_ms is not None
        spans = [
            tuple((pd.Timestamp(end).value // 10**6 - series.start_ms) / series.step_ms for end in window)
            for window in labels[f"{GROUP}/{place.name}"]
        ]
        profile = matrix_profile(x, m)
        found = [d.start for d in discords(profile, m, len(spans), compared(profile, m))]
        simple = _farthest(x, m, len(spans))
        yield (place.stem, x.size, m, len(spans), *_score(found, m, spans), *_score(simple, m, spans))


def page(folder: Path) -> str:
    """The page, from the series in a folder."""
    lines, total = [], np.zeros(5, int)
    for name, bins, window, *counts in rows(folder):
        total += counts
        lines.append(f"| {name} | {bins:,} | {window:,} | {' | '.join(map(str, counts))} |")
    labels, hits, recalled, plain_hits, plain_recalled = total.tolist()
    lines.append(f"| together | | | {labels} | {hits} | {recalled} | {plain_hits} | {plain_recalled} |")
    told = (
        f"\nDiscords: precision {hits / labels:.2f}, recall {recalled / labels:.2f}. "
        f"Baseline: precision {plain_hits / labels:.2f}, recall {plain_recalled / labels:.2f}.\n\n{TAIL}"
    )
    return HEAD + "\n".join(lines) + "\n" + told


def _farthest(x: Any, m: int, most: int) -> list[int]:
    """First bins of stretches around the values farthest from the median."""
    middle = np.nanmedian(x)
    left = np.where(np.isfinite(x), np.abs(x - middle), -1.0)
    out = []
    for _ in range(most):
        at = int(left.argmax())
        out.append(max(0, at - m // 2))
        left[max(0, at - m) : at + m + 1] = -1.0
    return out


def _score(starts: list[int], m: int, spans: list[Any]) -> tuple[int, int]:
    """Stretches that overlap a label, and labels that a stretch overlaps."""
    pairs = [[start <= stop and start + m >= first for first, stop in spans] for start in starts]
    return sum(map(any, pairs)), int(np.any(pairs, axis=0).sum())


if __name__ == "__main__":
    PAGE.write_text(page(Path(sys.argv[1])), "utf-8")
    print(PAGE)
