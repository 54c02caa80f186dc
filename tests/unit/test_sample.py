"""The sample table: repeatable bytes, and every documented effect found again with pandas."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from toolkit.sample import main
from toolkit.samples.layout import plan
from toolkit.samples.render import COLUMNS
from toolkit.samples.table import blocks, write_csv, written_pieces

ROWS = 20_000
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[pd.DataFrame, dict[str, Any]]:
    path = tmp_path_factory.mktemp("sample") / "orders.csv"
    truth = write_csv(path, ROWS, 20260101).truth
    frame = pd.read_csv(path, dtype={"zip": str}, parse_dates=["started_at", "finished_at"], date_format="ISO8601")
    return frame, truth["effects"]


@pytest.fixture(scope="module")
def frame(sample: tuple[pd.DataFrame, dict[str, Any]]) -> pd.DataFrame:
    return sample[0]


@pytest.fixture(scope="module")
def effects(sample: tuple[pd.DataFrame, dict[str, Any]]) -> dict[str, Any]:
    return sample[1]


@pytest.fixture(scope="module")
def events(frame: pd.DataFrame) -> pd.DataFrame:
    """Each event once, with its order's former event beside it."""
    once = frame.drop_duplicates(ignore_index=True)
    return once.assign(before=once.groupby("order_id")["finished_at"].shift())


class TestBytes:
    def test_same_rows_and_seed_give_same_bytes(self, tmp_path: Path) -> None:
        first = write_csv(tmp_path / "a.csv", 5_000, 3)
        second = write_csv(tmp_path / "b.csv", 5_000, 3)
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
        assert first == second

    def test_another_seed_gives_other_bytes(self, tmp_path: Path) -> None:
        assert write_csv(tmp_path / "a.csv", 500, 3).sha256 != write_csv(tmp_path / "b.csv", 500, 4).sha256

    @pytest.mark.parametrize("rows", [1, 2, 9, 99, 199, 200, 999, 1000, 4321])
    def test_has_exactly_the_rows_asked_for(self, tmp_path: Path, rows: int) -> None:
        path = tmp_path / "a.csv"
        sample = write_csv(path, rows, 0)
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) == rows + 1
        assert lines[0] == ",".join(COLUMNS)
        assert sample.size == path.stat().st_size
        json.dumps(sample.truth, allow_nan=False)

    def test_reloaded_block_may_span_blocks_of_orders(self) -> None:
        layout = plan(600_000)
        rows = np.concatenate([events.generated for _, events in written_pieces(layout, blocks(layout, 1))])
        source, copy = layout.reload_source, layout.reload_copy
        spans = {int(events.generated[0]) // len(events) for _, events in blocks(layout, 1)}
        assert len(spans) > 1
        assert len(rows) == layout.rows
        np.testing.assert_array_equal(rows[source.start : source.stop], rows[copy.start : copy.stop])
        np.testing.assert_array_equal(np.delete(rows, slice(copy.start, copy.stop)), np.arange(layout.generated))

    def test_leaves_nothing_behind_when_it_fails(self, tmp_path: Path) -> None:
        def stop(rows: int) -> None:
            raise RuntimeError(rows)

        with pytest.raises(RuntimeError):
            write_csv(tmp_path / "a.csv", 500, 0, stop)
        assert list(tmp_path.iterdir()) == []


class TestQuality:
    def test_reloaded_block(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        source, copy = effects["reloaded_block"]["source"], effects["reloaded_block"]["copy"]
        repeated = np.flatnonzero(frame.duplicated())
        np.testing.assert_array_equal(repeated, np.arange(*copy))
        pd.testing.assert_frame_equal(
            frame.iloc[slice(*source)].reset_index(drop=True), frame.iloc[slice(*copy)].reset_index(drop=True)
        )

    def test_near_key(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        once = frame.drop(index=range(*effects["reloaded_block"]["copy"]))
        assert once.index[once["event_id"].duplicated()].tolist() == effects["near_key"]["repeated_rows"]
        assert frame["event_id"].nunique() == effects["near_key"]["distinct"]

    def test_misspelt_cities(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        usual = frame.groupby("zip")["city"].agg(lambda cities: cities.mode()[0])
        wrong = frame.index[frame["city"] != frame["zip"].map(usual)]
        assert len(wrong) == effects["misspelt_cities"]["rows"] > 0
        assert wrong[:20].tolist() == effects["misspelt_cities"]["first_rows"]
        assert frame["zip"].str.fullmatch(r"\d{5}").all()

    def test_exact_dependency(self, frame: pd.DataFrame) -> None:
        assert (frame.groupby("product")["category"].nunique() == 1).all()

    def test_name_variants(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        spellings = frame.groupby("customer_id")["customer_name"].agg(["nunique", lambda names: names.mode()[0]])
        usual = frame["customer_id"].map(spellings.iloc[:, 1])
        # A customer with few orders may be misspelt more often than not: hence not equal, but close.
        assert abs((frame["customer_name"] != usual).sum() / effects["name_variants"]["rows"] - 1) < 0.25
        assert (spellings["nunique"] > 1).sum() <= effects["name_variants"]["customers"]
        assert set(spellings.index[spellings["nunique"] > 1] % 8) == {50_001 % 8}

    def test_missing_contact_depends_on_channel(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        counted = frame.groupby("channel")["contact"].agg(rows="size", present="count")
        for channel, truth in effects["missing_contact"].items():
            rows, present = counted.loc[channel]
            assert {"rows": rows, "missing": rows - present} == truth
        shares = {c: t["missing"] / t["rows"] for c, t in effects["missing_contact"].items()}
        assert shares["partner"] > 5 * max(shares["web"], shares["phone"], shares["store"])

    def test_missing_ends_and_meter_outage(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        assert frame["finished_at"].isna().sum() == effects["missing_at_random"]["rows"]
        lost = np.flatnonzero(frame["dock_load_kw"].isna())
        np.testing.assert_array_equal(lost, np.arange(*effects["meter_outage"]["range"]))
        assert len(lost) == effects["meter_outage"]["missing"]

    def test_personal_data(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        contact = frame["contact"].dropna()
        emails = contact.str.fullmatch(r"[a-z0-9.]+@example\.org")
        phones = contact.str.fullmatch(r"\+49 555 01\d{5}")
        assert emails.sum() == effects["personal_data"]["emails"]
        assert phones.sum() == effects["personal_data"]["phones"]
        assert (emails | phones).all()


class TestValues:
    def test_discount_sentinel(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["discount_sentinel"]
        rows = frame.index[frame["discount"] == truth["value"]]
        assert len(rows) == truth["rows"] > 0
        assert truth["range"][0] <= rows.min() <= rows.max() < truth["range"][1]
        assert (frame["discount"] == 0).sum() == truth["zero_rows"]

    def test_amount_is_price_times_quantity_less_discount(self, frame: pd.DataFrame) -> None:
        known = frame[frame["discount"] >= 0]
        expected = known["unit_price"] * known["quantity"] * (100 - known["discount"]) / 100
        assert (expected - known["amount"]).abs().max() < 0.011

    def test_grams_for_kilograms(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["grams_for_kilograms"]
        # Before the correlation ends, freight tells the true weight.
        early = frame.iloc[: effects["correlation_end"]["first_row"]]
        charged = (early["freight_cost"] - 3.90) / 0.35
        wrong = early["weight_kg"] > 100 * charged + 200
        assert set(early.loc[wrong, "site"]) == {truth["site"]}
        assert 0 < wrong.sum() <= truth["rows"]

    def test_invoices_under_limit(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["invoices_under_limit"]
        assert (frame["invoice_amount"].notna() == (frame["activity"] == "Invoice")).all()
        near = frame[frame["invoice_amount"].between(4_900, truth["limit"], inclusive="left")]
        assert len(near) == truth["rows_from_4900_to_limit"]
        odd = near[near["resource"] == truth["resource"]]
        assert truth["planted_rows"] <= len(odd) <= truth["rows_from_4900_to_limit"]
        assert frame["invoice_amount"].count() == truth["invoices"]

    def test_correlation_end(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["correlation_end"]
        kept = frame[frame["site"] != truth["without_site"]]
        for part, r in ((kept.index < truth["first_row"], "r_before"), (kept.index >= truth["first_row"], "r_after")):
            assert kept[part]["weight_kg"].corr(kept[part]["freight_cost"]) == pytest.approx(truth[r], abs=1e-9)
        assert truth["r_before"] > 0.99
        assert abs(truth["r_after"]) < 0.15

    def test_note_topics(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["note_topics"]
        scanner = frame["delivery_note"].dropna().str.contains(r"\d")
        assert scanner.sum() == truth["scanner_messages"]
        assert (~scanner).sum() == sum(truth["topics"].values())
        assert frame["delivery_note"].isna().any()


class TestTime:
    def test_time_gap(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["time_gap"]
        inside = frame["started_at"].between(truth["start"], truth["stop"], inclusive="left")
        assert not inside.any()
        times = frame["started_at"].sort_values()
        assert times[times >= truth["stop"]].iloc[0] - times[times < truth["start"]].iloc[-1] >= pd.Timedelta(hours=36)

    def test_currency_change(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        truth = effects["currency_change"]
        for part, rows in (("before", slice(0, truth["first_row"])), ("after", slice(truth["first_row"], None))):
            assert frame["currency"].iloc[rows].value_counts().to_dict() == truth[part]

    def test_load(self, frame: pd.DataFrame, effects: dict[str, Any]) -> None:
        season, discord, shift = (effects[f"load_{name}"] for name in ("season", "discord", "shift"))
        late = frame["started_at"] >= shift["at"]
        assert frame.loc[~late, "dock_load_kw"].mean() == pytest.approx(shift["mean_before"])
        assert frame.loc[late, "dock_load_kw"].mean() == pytest.approx(shift["mean_after"])
        odd = (frame["started_at"] >= discord["start"]) & (frame["started_at"] < discord["stop"])
        assert odd.sum() == discord["rows"]
        hour = (frame["started_at"].dt.hour + discord["hours_off"] * odd) % 24
        percent = frame["started_at"].dt.day_of_week.map(lambda day: season["by_weekday_percent"][day])
        expected = hour.map(lambda h: season["by_hour"][h]) * percent / 100 + shift["kw"] * late
        assert (frame["dock_load_kw"] - expected).abs().max() < 12.1


class TestProcess:
    def test_slow_priority(self, events: pd.DataFrame, effects: dict[str, Any]) -> None:
        created = events.groupby("order_id")["started_at"].first()
        arrived = events[events["activity"] == "Deliver"].dropna(subset="finished_at")
        lead = (arrived["finished_at"] - arrived["order_id"].map(created)).dt.total_seconds() / 3600
        means = lead.groupby(arrived["priority"]).agg(["count", "mean"])
        for priority, truth in effects["slow_priority"].items():
            assert means.loc[priority, "count"] == truth["count"]
            assert means.loc[priority, "mean"] == pytest.approx(truth["mean_hours"])
        assert means.loc["low", "mean"] / means.loc["normal", "mean"] == pytest.approx(3, abs=0.4)

    def test_credit_bottleneck(self, events: pd.DataFrame, effects: dict[str, Any]) -> None:
        waits = ((events["started_at"] - events["before"]).dt.total_seconds() / 3600).groupby(events["activity"])
        counted = waits.agg(["count", "mean"])
        truth = effects["credit_bottleneck"]
        for activity, facts in truth["wait_before"].items():
            assert counted.loc[activity, "count"] == facts["count"]
            assert counted.loc[activity, "mean"] == pytest.approx(facts["mean_hours"])
        assert counted["mean"].idxmax() == truth["activity"]

    def test_rework_goes_with_cancelling(self, events: pd.DataFrame, effects: dict[str, Any]) -> None:
        orders = events.groupby("order_id").agg(
            rejects=("activity", lambda steps: (steps == "Reject").sum()), outcome=("outcome", "first")
        )
        table = pd.crosstab(orders["rejects"] >= 2, orders["outcome"] == "cancelled")
        truth = effects["rework_cancelled"]
        for rework, name in ((False, "fewer rejects"), (True, "two or more rejects")):
            assert {"cancelled": table.loc[rework, True], "not cancelled": table.loc[rework, False]} == truth[name]

    def test_skipped_approval(self, events: pd.DataFrame, effects: dict[str, Any]) -> None:
        steps = events.groupby("order_id")["activity"].agg(set)
        skipped = steps.map(lambda names: "Ship" in names and "Approve" not in names)
        assert skipped.sum() == effects["skipped_approval"]["orders"] > 0


class TestCommand:
    def test_prints_the_path_and_writes_the_truth(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out, truth = tmp_path / "new" / "orders.csv", tmp_path / "truth.json"
        assert main(["--rows", "300", "--seed", "1", "--out", str(out), "--truth", str(truth)]) == 0
        assert capsys.readouterr().out == f"{out}\n"
        assert json.loads(truth.read_text(encoding="utf-8"))["rows"] == 300

    def test_prints_one_json_object(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "orders.csv"
        assert main(["--rows", "300", "--out", str(out), "--json", "--quiet"]) == 0
        captured = capsys.readouterr()
        facts = json.loads(captured.out)
        assert captured.err == ""
        assert (facts["rows"], facts["columns"], facts["bytes"]) == (300, 28, out.stat().st_size)

    @pytest.mark.parametrize(
        "wrong",
        [["--rows", "0"], ["--rows", "-5"], ["--seed", "-1"], ["--out", "orders.txt"], ["--truth", "truth.txt"]],
    )
    def test_refuses_wrong_options(self, tmp_path: Path, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--rows", "10", "--out", str(tmp_path / "a.csv"), *wrong]) == 2
        assert wrong[0] in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []

    def test_names_a_folder_that_it_cannot_make(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "file").write_text("")
        assert main(["--rows", "10", "--out", str(tmp_path / "file" / "a.csv")]) == 3
        assert str(tmp_path / "file") in capsys.readouterr().err


def test_every_effect_is_documented(effects: dict[str, Any]) -> None:
    text = (REPOSITORY / "docs" / "sample-table.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", text, flags=re.MULTILINE))
    assert set(effects) <= documented
    assert set(COLUMNS) <= documented
    assert documented <= set(effects) | set(COLUMNS)
