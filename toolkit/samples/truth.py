"""The ledger of planted effects: exact rows, ranges and sizes, counted while the table is generated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.samples import vocabulary as words
from toolkit.samples.draws import Ints
from toolkit.samples.events import FIRST_LOG, FIRST_TOPIC, MISSING, SENTINEL, SUSPECT_BILLER, Events
from toolkit.samples.layout import HOUR, OUTAGE_HOURS, Layout, RowRange
from toolkit.samples.orders import APPROVAL_LIMIT, Orders, customer_base

TRUTH_VERSION = 1

_LISTED_ROWS = 20
_OUTCOMES = np.array([variant.outcome for variant in words.VARIANTS], dtype=np.int64)


class Ledger:
    """Counts the planted effects of one table.

    Parameters
    ----------
    layout : Layout
        Where the effects were planted.
    seed : int
        Seed of the table, repeated in the result.

    Notes
    -----
    Facts of rows count every row as written, the re-loaded block twice. Facts of orders (waits, lead times, rework)
    count each event once, as a reader does who removes exact duplicates first.
    """

    def __init__(self, layout: Layout, seed: int) -> None:
        self._layout = layout
        self._seed = seed
        self._counts: Counter[str] = Counter()
        self._misspelt: list[int] = []
        self._first_of: dict[str, int] = {}
        self._respelt_customers = np.zeros(customer_base(layout), dtype=np.bool_)
        self._freight = {False: _Pairs(), True: _Pairs()}
        self._waits = {activity: _Mean() for activity in words.ACTIVITIES}
        self._leads = {priority: _Mean() for priority in words.PRIORITIES}
        self._load = {False: _Mean(), True: _Mean()}

    def see_rows(self, first: int, orders: Orders, events: Events) -> None:
        """Count effects of rows.

        Parameters
        ----------
        first : int
            Row of the first of these events in the table as written.
        orders : Orders
            The block's orders.
        events : Events
            Consecutive rows as written.
        """
        at = events.order
        self._count("sentinel", events.discount == SENTINEL)
        self._count("no_discount", events.discount == 0)
        self._count("unbooked", events.finished == MISSING)
        self._count("misspelt", orders.misspelt_city[at])
        self._misspelt += (first + np.flatnonzero(orders.misspelt_city[at])).tolist()
        del self._misspelt[_LISTED_ROWS:]
        respelt = orders.name_variant[at] > 0
        self._count("respelt", respelt)
        self._respelt_customers[orders.customer[at][respelt]] = True
        self._count("in_grams", orders.in_grams[at])
        self._count_labels("channel", words.CHANNELS, orders.channel[at])
        self._count_labels("no_contact", words.CHANNELS, orders.channel[at][orders.no_contact[at]])
        phone = orders.customer[at] % 10 == 9
        self._count("email", ~phone & ~orders.no_contact[at])
        self._count("phone", phone & ~orders.no_contact[at])
        self._count_labels(
            "note", words.TOPICS, events.note[(events.note >= FIRST_TOPIC) & (events.note < FIRST_LOG)] - 1
        )
        self._count("log", events.note >= FIRST_LOG)
        self._see_money(orders, events)
        self._see_load(events)
        self._see_changes(orders, events)

    def see_orders(self, orders: Orders, events: Events) -> None:
        """Count effects of orders, from a block of events as generated."""
        self._see_waits(events)
        self._see_leads(orders, events)
        seen = np.unique(events.order)
        rejects = np.bincount(events.order[events.activity == words.REJECT], minlength=len(orders))[seen]
        cancelled = _OUTCOMES[orders.variant[seen]] == words.CANCELLED
        for rework in (False, True):
            for lost in (False, True):
                self._count(
                    f"orders rework={rework} cancelled={lost}", ((rejects >= 2) == rework) & (cancelled == lost)
                )
        shipped = np.isin(seen, events.order[events.activity == words.SHIP])
        approved = np.isin(seen, events.order[events.activity == words.APPROVE])
        self._count("unapproved", shipped & ~approved)

    def truth(self) -> dict[str, Any]:
        """Return the planted effects as plain values, once all rows were seen."""
        effects = self._of_quality() | self._of_values() | self._of_time() | self._of_process()
        return {"version": TRUTH_VERSION, "rows": self._layout.rows, "seed": self._seed, "effects": effects}

    def _count(self, name: str, which: NDArray[np.bool_]) -> None:
        self._counts[name] += int(np.count_nonzero(which))

    def _count_labels(self, name: str, labels: Sequence[str], codes: Ints) -> None:
        for label, count in zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True):
            self._counts[f"{name} {label}"] += count

    def _labelled(self, name: str, labels: Sequence[str]) -> dict[str, int]:
        return {label: self._counts[f"{name} {label}"] for label in labels}

    def _see_money(self, orders: Orders, events: Events) -> None:
        invoiced = events.invoice != MISSING
        planted = invoiced & (events.member == SUSPECT_BILLER) & (orders.under_limit[events.order] >= 0)
        near = (events.invoice >= APPROVAL_LIMIT - 10_000) & (events.invoice < APPROVAL_LIMIT)
        self._count("invoices", invoiced)
        self._count("planted invoices", planted)
        self._count("invoices near limit", near)

    def _see_load(self, events: Events) -> None:
        start, stop = self._layout.discord()
        odd = (events.started >= start) & (events.started < stop)
        self._count("odd day", odd)
        self._count("unmetered", events.load == MISSING)
        for late in (False, True):
            chosen = ((events.started >= self._layout.shift()) == late) & (events.load != MISSING)
            self._load[late].add(events.load[chosen])

    def _see_changes(self, orders: Orders, events: Events) -> None:
        """Count what changes from a certain order on; the change is seen at that order's first row."""
        at = events.order
        first = self._layout.written_row(orders.first)
        late = first >= self._layout.currency_change
        for name, chosen in (("currency after", late[at]), ("currency before", ~late[at])):
            self._count_labels(name, words.CURRENCIES, orders.currency[at][chosen])
        unrelated = first >= self._layout.correlation_end
        plain = orders.site[at] != words.GRAM_SITE
        for ended in (False, True):
            chosen = plain & (unrelated[at] == ended)
            self._freight[ended].add(orders.weight[at][chosen], orders.freight[at][chosen])
        self._note_first("currency", first[late])
        self._note_first("correlation", first[unrelated])

    def _note_first(self, name: str, rows: Ints) -> None:
        if len(rows) and int(rows[0]) < self._layout.rows:
            self._first_of.setdefault(name, int(rows[0]))

    def _see_waits(self, events: Events) -> None:
        """Add the time between a booked end and the next event of the order."""
        follows = (events.order[1:] == events.order[:-1]) & (events.finished[:-1] != MISSING)
        wait = events.started[1:] - events.finished[:-1]
        for code, activity in enumerate(words.ACTIVITIES):
            self._waits[activity].add(wait[follows & (events.activity[1:] == code)])

    def _see_leads(self, orders: Orders, events: Events) -> None:
        """Add the time from an order's creation to its booked delivery."""
        arrived = np.flatnonzero((events.activity == words.DELIVER) & (events.finished != MISSING))
        order = events.order[arrived]
        created = np.searchsorted(events.order, order)
        lead = events.finished[arrived] - events.started[created]
        for code, priority in enumerate(words.PRIORITIES):
            self._leads[priority].add(lead[orders.priority[order] == code])

    def _of_quality(self) -> dict[str, Any]:
        plan, counts = self._layout, self._counts
        repeats = list(plan.repeated_ids)
        rows = self._labelled("channel", words.CHANNELS)
        missing = self._labelled("no_contact", words.CHANNELS)
        return {
            "reloaded_block": {"source": _range(plan.reload_source), "copy": _range(plan.reload_copy)},
            "near_key": {
                "column": "event_id",
                "repeated_rows": repeats,
                "distinct": plan.generated - len(repeats),
            },
            "misspelt_cities": {"rows": counts["misspelt"], "first_rows": self._misspelt},
            "exact_dependency": {"from": "product", "to": "category", "violations": 0},
            "name_variants": {"rows": counts["respelt"], "customers": int(self._respelt_customers.sum())},
            "missing_contact": {c: {"rows": rows[c], "missing": missing[c]} for c in words.CHANNELS},
            "missing_at_random": {"column": "finished_at", "rows": counts["unbooked"]},
            "meter_outage": {"range": _range(plan.meter_outage), "missing": counts["unmetered"]},
            "personal_data": {"column": "contact", "emails": counts["email"], "phones": counts["phone"]},
        }

    def _of_values(self) -> dict[str, Any]:
        plan, counts = self._layout, self._counts
        return {
            "discount_sentinel": {
                "range": _range(plan.sentinel),
                "value": SENTINEL,
                "rows": counts["sentinel"],
                "zero_rows": counts["no_discount"],
            },
            "grams_for_kilograms": {"site": words.SITES[words.GRAM_SITE], "rows": counts["in_grams"], "factor": 1000},
            "invoices_under_limit": {
                "resource": f"billing-{SUSPECT_BILLER + 1}",
                "limit": APPROVAL_LIMIT // 100,
                "planted_rows": counts["planted invoices"],
                "rows_from_4900_to_limit": counts["invoices near limit"],
                "invoices": counts["invoices"],
            },
            "correlation_end": {
                "columns": ["weight_kg", "freight_cost"],
                "first_row": self._first_of.get("correlation"),
                "without_site": words.SITES[words.GRAM_SITE],
                "r_before": self._freight[False].correlation(),
                "r_after": self._freight[True].correlation(),
            },
            "note_topics": {
                "topics": self._labelled("note", words.TOPICS),
                "scanner_messages": counts["log"],
                "templates": len(words.LOG_TEMPLATES),
            },
        }

    def _of_time(self) -> dict[str, Any]:
        start, stop = self._layout.gap()
        odd_start, odd_stop = self._layout.discord()
        return {
            "time_gap": {"start": _time(start), "stop": _time(stop), "hours": OUTAGE_HOURS},
            "currency_change": {
                "first_row": self._first_of.get("currency"),
                "before": self._labelled("currency before", words.CURRENCIES),
                "after": self._labelled("currency after", words.CURRENCIES),
            },
            "load_season": {
                "column": "dock_load_kw",
                "by_hour": list(words.LOAD_BY_HOUR),
                "by_weekday_percent": list(words.LOAD_BY_WEEKDAY),
            },
            "load_discord": {
                "start": _time(odd_start),
                "stop": _time(odd_stop),
                "rows": self._counts["odd day"],
                "hours_off": 12,
            },
            "load_shift": {
                "at": _time(self._layout.shift()),
                "kw": words.LOAD_SHIFT,
                "mean_before": self._load[False].mean(10),
                "mean_after": self._load[True].mean(10),
            },
        }

    def _of_process(self) -> dict[str, Any]:
        waits = {name: wait.facts() for name, wait in self._waits.items() if wait.count}
        table = {
            f"{'two or more' if rework else 'fewer'} rejects": {
                outcome: self._counts[f"orders rework={rework} cancelled={lost}"]
                for outcome, lost in (("cancelled", True), ("not cancelled", False))
            }
            for rework in (False, True)
        }
        return {
            "slow_priority": {name: lead.facts() for name, lead in self._leads.items()},
            "credit_bottleneck": {"activity": words.ACTIVITIES[words.CHECK], "wait_before": waits},
            "rework_cancelled": table,
            "skipped_approval": {"orders": self._counts["unapproved"]},
        }


class _Mean:
    """A mean of whole numbers, exact until it is divided."""

    def __init__(self) -> None:
        self.count = 0
        self._total = 0

    def add(self, values: Ints) -> None:
        self.count += len(values)
        self._total += int(values.sum())

    def mean(self, unit: int) -> float | None:
        return self._total / self.count / unit if self.count else None

    def facts(self) -> dict[str, Any]:
        return {"count": self.count, "mean_hours": self.mean(HOUR)}


class _Pairs:
    """A correlation of two whole-number columns, exact until it is divided."""

    def __init__(self) -> None:
        self._sums = [0] * 6

    def add(self, x: Ints, y: Ints) -> None:
        # A block's sums stay below 2**63: weights below 2**21, freights below 2**17, at most 2**16 rows.
        parts = (len(x), x.sum(), y.sum(), (x * x).sum(), (y * y).sum(), (x * y).sum())
        self._sums = [total + int(part) for total, part in zip(self._sums, parts, strict=True)]

    def correlation(self) -> float | None:
        n, x, y, xx, yy, xy = self._sums
        spread = (n * xx - x * x) * (n * yy - y * y)
        return float((n * xy - x * y) / spread**0.5) if spread else None


def _range(rows: RowRange) -> list[int]:
    return [rows.start, rows.stop]


def _time(microseconds: int) -> str:
    # Naive on purpose: the table's times carry no zone.
    moment = datetime.fromisoformat("1970-01-01") + timedelta(microseconds=microseconds)
    return moment.isoformat(sep=" ", timespec="microseconds")
