"""analysis_survival_kaplan_meier on public survival data, against what lifelines and statsmodels say of them.

The figures of lifelines are in survival_by_lifelines.json, written by scripts/survival_reference.py: lifelines needs an
older pandas than the project's.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

import toolkit
from plugins.analysis_survival_kaplan_meier.curve import Curve
from tests.null_tables import run_plugin
from tests.unit.plugins.run_profile import run_profile
from toolkit.plugin import Result

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "plugins" / "analysis_survival_kaplan_meier"
REFERENCE = json.loads((Path(__file__).parent / "survival_by_lifelines.json").read_text())["sets"]
TEN = {"rel": 1e-10, "abs": 1e-14}


@pytest.fixture(params=REFERENCE)
def found(
    request: pytest.FixtureRequest, real_data: Path, tmp_path: Path
) -> tuple[dict[str, Any], pd.DataFrame, Result]:
    name = request.param
    source = real_data / "survival" / f"{name}.csv"
    dataset = toolkit.convert_table(source, appdata=tmp_path)
    profile = run_profile(dataset)[0]
    params = {"groups": ",".join(REFERENCE[name]["groups"]), "curve_points": 100_000}
    result = run_plugin(FOLDER, dataset, params=params, upstream={"profile_basic": profile})
    return REFERENCE[name], pd.read_csv(source, keep_default_na=False, na_values=[""]), result


def counted(frame: pd.DataFrame, columns: list[str]) -> Curve:
    times, place = np.unique(frame[columns[0]].to_numpy(np.float64), return_inverse=True)
    events = np.bincount(place, frame[columns[1]].to_numpy(np.float64)).astype(np.int64)
    return Curve(times, events, np.bincount(place))


def same_as_lifelines(curve: dict[str, Any], expected: dict[str, Any]) -> None:
    at = [curve["times"].index(t) for t in expected["times"]]
    assert [curve["survival"][i] for i in at] == pytest.approx(expected["survival"], **TEN)
    for end in ("low", "high"):
        mine = [math.nan if curve[end][i] is None or curve["survival"][i] == 0 else curve[end][i] for i in at]
        theirs = [
            math.nan if v is None or s == 0 else v for v, s in zip(expected[end], expected["survival"], strict=True)
        ]
        assert mine == pytest.approx(theirs, nan_ok=True, **TEN)
    assert curve["median"] == expected["median"]
    for mine, theirs in zip(curve["median_interval"], expected["median_interval"], strict=True):
        # Where nobody is left, lifelines has an interval without a width, and we have none.
        assert mine == theirs or (mine is None and curve["survival"][curve["times"].index(theirs)] == 0)


def test_curves_medians_and_tests_are_those_of_lifelines(found: tuple[dict[str, Any], pd.DataFrame, Result]) -> None:
    expected, frame, result = found
    assert list(result.data["columns"].values()) == expected["columns"]
    assert result.data["step"] == 0
    same_as_lifelines(result.data["curve"], expected["curve"])
    for column, group in expected["groups"].items():
        mine = result.data["groups"][column]
        assert mine["log_rank"]["chi2"] == pytest.approx(group["chi2"], **TEN)
        assert mine["log_rank"]["df"] == group["df"]
        assert 10 ** mine["log_rank"]["log10_p"] == pytest.approx(group["p"], **TEN)
        curves = {str(v["value"]): v for v in mine["values"]}
        for value, curve in group["curves"].items():
            same_as_lifelines(curves[value.removesuffix(".0")] if value not in curves else curves[value], curve)
            rows = frame[frame[column].astype(str) == value]
            own = counted(rows, expected["columns"])
            assert own.restricted_mean(curve["limit"]) == pytest.approx(curve["restricted_mean"], **TEN)


def test_every_step_is_that_of_statsmodels(found: tuple[dict[str, Any], pd.DataFrame, Result]) -> None:
    expected, frame, result = found
    duration, event = expected["columns"]
    theirs = SurvfuncRight(frame[duration], frame[event])
    mine = counted(frame, expected["columns"])
    events = mine.events > 0
    assert mine.survival[events] == pytest.approx(theirs.surv_prob, **TEN)
    with np.errstate(invalid="ignore"):
        error = mine.survival * np.sqrt(mine.greenwood)
    assert error[events] == pytest.approx(theirs.surv_prob_se, nan_ok=True, **TEN)
    assert result.data["curve"]["survival"] == mine.survival[mine.ended > 0].tolist()


def test_groups_that_differ_are_found_and_sorted_tables_prove_nothing(real_data: Path, tmp_path: Path) -> None:
    dataset = toolkit.convert_table(real_data / "survival" / "dd.csv", appdata=tmp_path)
    result = run_plugin(FOLDER, dataset, upstream={"profile_basic": run_profile(dataset)[0]})
    groups = {f.columns[-1]: f.evidence["group"] for f in result.findings if f.kind == "group_survival"}
    assert groups["regime"] == "Monarchy"
    assert groups["democracy"] == "Non-democracy"
    sorted_by_group = toolkit.convert_table(real_data / "survival" / "waltons_dataset.csv", appdata=tmp_path)
    result = run_plugin(FOLDER, sorted_by_group, upstream={"profile_basic": run_profile(sorted_by_group)[0]})
    (whole,) = result.findings
    assert whole.evidence["groups"][0]["log10_p"] < -25
    assert whole.evidence["groups"][0]["medians"] == {"control": 58.0, "miR-137": 26.0}
