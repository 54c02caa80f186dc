"""Effects planted in the sample table are found by a run of all plugins, with the right columns, rows and size."""

from __future__ import annotations

import functools
from itertools import chain
from typing import Any

import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from tests.null_runs import report_of_run
from tests.sample_store import sample_store

pytestmark = pytest.mark.slow
ROWS = 20_000
BLOCK = ROWS // 64 + 1


@functools.cache
def report() -> dict[str, Any]:
    return report_of_run(sample_store(ROWS)[0])


@functools.cache
def frame() -> pd.DataFrame:
    return sample_store(ROWS)[0].to_arrow().read_all().to_pandas()


def truth(name: str) -> dict[str, Any]:
    effect: dict[str, Any] = sample_store(ROWS)[1][name]
    return effect


def found(plugin: str, kind: str, *columns: str) -> dict[str, Any]:
    fits = [
        f
        for f in report()["findings"]
        if (f["plugin"], f["kind"]) == (f"analysis_{plugin}", kind) and set(columns) <= set(f["columns"])
    ]
    assert len(fits) == 1, (kind, columns, [f["sentence"] for f in fits])
    return fits[0]


def rows_of(finding: dict[str, Any]) -> list[int]:
    return list(chain.from_iterable(range(first, last + 1) for first, last in finding["evidence"]["rows"]))


def test_reloaded_rows() -> None:
    finding = found("duplicate_rows", "reloaded_rows")
    (source, source_stop), (start, stop) = truth("reloaded_block")["source"], truth("reloaded_block")["copy"]
    assert finding["evidence"]["rows"] == [[start, stop - 1]]
    assert finding["evidence"]["repeats"] == [[source, source_stop - 1]]


def test_near_key_and_dependencies() -> None:
    key = found("keys_dependencies", "almost_key", "event_id")
    assert ROWS - key["evidence"]["repeats"] == truth("near_key")["distinct"]
    assert set(truth("near_key")["repeated_rows"]) <= set(rows_of(key))
    exact = [f["columns"] for f in report()["findings"] if f["kind"] == "functional_dependency"]
    assert ["product", "category"] in exact
    almost = found("keys_dependencies", "almost_functional_dependency", "zip", "city")
    assert almost["columns"] == ["zip", "city"]
    assert almost["evidence"]["violations"] == truth("misspelt_cities")["rows"]
    assert almost["evidence"]["rows"][0][0] == truth("misspelt_cities")["first_rows"][0]


def test_spellings() -> None:
    cities = found("label_variants", "labels_misspelt", "city")
    assert cities["evidence"]["rows_of_variants"] == truth("misspelt_cities")["rows"]
    names = [
        found("label_variants", "labels_same_but_form", "customer_name"),
        found("label_variants", "labels_misspelt", "customer_name", "customer_id"),
    ]
    told = sum(f["evidence"]["rows_of_variants"] for f in names)
    spellings = frame().astype({"customer_name": str}).groupby("customer_id")["customer_name"].value_counts()
    others = spellings.groupby(level=0).sum() - spellings.groupby(level=0).max()
    assert told == others.sum()  # where a variant is the more frequent, the name itself is taken for one
    assert told >= 0.9 * truth("name_variants")["rows"]


def test_missing_values() -> None:
    contact = found("missingness", "missing_depends", "contact", "channel")
    channels = truth("missing_contact")
    partner = channels["partner"]
    others = [c for name, c in channels.items() if name != "partner"]
    shares = partner["missing"] / partner["rows"], sum(c["missing"] for c in others) / sum(c["rows"] for c in others)
    low, high = contact["evidence"]["difference_interval"]
    assert contact["evidence"]["difference"] == pytest.approx(shares[0] - shares[1], rel=1e-9)
    assert low < 0.38 < high
    run = found("missingness", "missing_run", "dock_load_kw")
    start, stop = truth("meter_outage")["range"]
    assert run["evidence"]["rows"] == [[start, stop - 1]]
    assert not [f for f in report()["findings"] if f["kind"] == "missing_depends" and f["columns"][0] == "finished_at"]


def test_units_and_sentinels() -> None:
    grams = found("outliers_robust", "unit_factor", "weight_kg")
    assert grams["evidence"]["factor"] == truth("grams_for_kilograms")["factor"]
    assert grams["evidence"]["plausible"] >= truth("grams_for_kilograms")["rows"]
    link = found("outliers_robust", "far_values_go_with", "weight_kg", "site")
    assert truth("grams_for_kilograms")["site"] in link["sentence"]
    sentinel = next(f for f in report()["findings"] if f["kind"] == "sentinel_value")
    assert sentinel["columns"] == ["discount"]
    assert sentinel["evidence"]["count"] == truth("discount_sentinel")["rows"]


def test_correlation_that_ends() -> None:
    finding, planted = (
        found("correlation", "correlation_changes", "weight_kg", "freight_cost"),
        truth("correlation_end"),
    )
    assert abs(finding["evidence"]["first_row_after"] - planted["first_row"]) <= BLOCK
    data = frame()[["weight_kg", "freight_cost"]]
    at = finding["evidence"]["first_row_after"]
    assert finding["evidence"]["spearman"] == pytest.approx(data.corr("spearman").iloc[0, 1], abs=2.1e-3)
    assert finding["evidence"]["before"] == pytest.approx(data[:at].corr("spearman").iloc[0, 1], abs=0.05)
    assert abs(finding["evidence"]["after"]) < 0.1


@pytest.mark.parametrize(("one", "other", "least"), [("product", "category", 0.99), ("city", "region", 0.99),
                                                    ("zip", "region", 0.8), ("activity", "resource", 0.7)])  # fmt: skip
def test_ties_of_categories(one: str, other: str, least: float) -> None:
    finding = found("categorical_association", "associated_categories", one, other)
    assert set(finding["columns"]) == {one, other}
    assert finding["interval"][0] >= least
    assert finding["log10_p"] < -8
    cell = finding["evidence"]["cells"][0]
    data = frame()[finding["columns"]].astype(str)
    assert cell["rows"] == int((data == cell["values"]).all(axis=1).sum())


def test_groups() -> None:
    finding, planted = (
        found("group_differences", "group_level", "resource", "invoice_amount"),
        truth("invoices_under_limit"),
    )
    assert finding["evidence"]["groups"][0]["group"] == planted["resource"]
    data = frame()[["resource", "invoice_amount"]].dropna()
    inside = data["resource"].astype(str) == planted["resource"]
    assert finding["evidence"]["mean"] == pytest.approx(data["invoice_amount"][inside].mean(), rel=1e-10)
    assert finding["evidence"]["mean_elsewhere"] == pytest.approx(data["invoice_amount"][~inside].mean(), rel=1e-10)


def test_drift() -> None:
    finding, planted = found("distribution_drift", "drift_of_share", "currency"), truth("currency_change")
    before, after = planted["before"], planted["after"]
    planted_change = after["USD"] / sum(after.values()) - before["USD"] / sum(before.values())
    assert '"USD"' in finding["sentence"]
    assert finding["interval"][0] < planted_change < finding["interval"][1]
    assert abs(finding["evidence"]["row"] - planted["first_row"]) <= BLOCK
    load, planted = found("distribution_drift", "drift_of_level", "dock_load_kw"), truth("load_shift")
    at = int((frame()["started_at"] < planted["at"]).sum())  # rows are nearly in the order of their time
    assert abs(load["evidence"]["row"] - at) <= 2 * BLOCK
    early, late = (frame()["dock_load_kw"][part].dropna() for part in (slice(0, at), slice(at, None)))
    delta = 2 * mannwhitneyu(late, early).statistic / len(early) / len(late) - 1
    assert load["interval"][0] < delta < load["interval"][1]


def test_invoices_under_a_limit() -> None:
    excess, planted = found("benford", "first_digits_in_excess", "invoice_amount"), truth("invoices_under_limit")
    assert excess["evidence"]["digits"] == 49
    assert excess["evidence"]["count"] >= planted["rows_from_4900_to_limit"]
    assert excess["evidence"]["n"] == planted["invoices"]
    link = found("benford", "first_digits_go_with", "invoice_amount", "resource")
    assert planted["resource"] in link["sentence"]


def test_personal_data() -> None:
    told = {
        f["evidence"]["matching"]
        for f in report()["findings"]
        if f["kind"] == "personal_data" and f["columns"] == ["contact"]
    }
    assert told == {truth("personal_data")["emails"], truth("personal_data")["phones"]}
