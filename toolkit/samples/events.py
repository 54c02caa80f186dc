"""Events: each order's way through the process, one row an event, with times in microseconds."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from toolkit.samples import vocabulary as words
from toolkit.samples.draws import Ints, chance, draw, lognormal_table, weighted
from toolkit.samples.layout import DAY, HOUR, Layout
from toolkit.samples.orders import VARIANT_STEPS, Orders

MISSING = -1
"""In whole-number columns whose values are never negative."""

SENTINEL = -999
"""What one loader wrote instead of an unknown discount."""

FIRST_EVENT_ID = 10_000_001

SLOW_FACTOR = 3
"""Orders of low priority wait and take this many times as long."""

SUSPECT_BILLER = 4
"""The biller, of five, whose invoices crowd under the approval limit."""

NO_NOTE, FIRST_TOPIC, FIRST_LOG = 0, 1, 1 + len(words.TOPICS)
"""Kinds of note: none, then one a topic, then one a scanner message."""

_LONGEST = max(len(variant.steps) for variant in words.VARIANTS)
_STEPS = np.array([variant.steps + (0,) * (_LONGEST - len(variant.steps)) for variant in words.VARIANTS])
_WAITS = np.array(words.WAIT_MINUTES, dtype=np.int64)
_WORKS = np.array(words.WORK_MINUTES, dtype=np.int64)
_TEAM_SIZES = np.array([size for _, size in words.TEAMS], dtype=np.int64)
_LOADS = np.array(words.LOAD_BY_HOUR, dtype=np.int64)
_WEEKDAYS = np.array(words.LOAD_BY_WEEKDAY, dtype=np.int64)
_SPREAD = lognormal_table(0.6)
_MILLI_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Events:
    """Rows of the table, as codes and whole numbers; every field is an array with one entry a row."""

    generated: Ints
    event_id: Ints
    order: Ints
    """Index of the order within its block."""
    activity: Ints
    started: Ints
    finished: Ints
    """`MISSING` where it was not booked."""
    member: Ints
    """Number of the person within the activity's team, from 0."""
    discount: Ints
    invoice: Ints
    load: Ints
    note: Ints
    note_seed: Ints

    def __len__(self) -> int:
        return len(self.generated)

    def slice(self, start: int, stop: int) -> Events:
        """Return some of the rows, by their place in the block."""
        return Events(*(getattr(self, field.name)[start:stop] for field in fields(self)))


def draw_events(rng: np.random.Generator, layout: Layout, orders: Orders) -> Events:
    """Draw the events of a block of orders, without those beyond the table's last row."""
    steps = VARIANT_STEPS[orders.variant]
    order = np.repeat(np.arange(len(orders)), steps)
    generated = orders.first[0] + np.arange(len(order), dtype=np.int64)
    position = generated - orders.first[order]
    activity = _STEPS[orders.variant[order], position]
    started, finished = _times(rng, layout, orders, order, activity)
    member = rng.integers(0, _TEAM_SIZES[activity])
    events = Events(
        generated=generated,
        event_id=_ids(layout, generated),
        order=order,
        activity=activity,
        started=started,
        finished=np.where(chance(rng, 100, len(order)), MISSING, finished),
        member=member,
        discount=_discounts(layout, orders, order, generated),
        invoice=_invoices(orders, order, activity, member),
        load=_loads(rng, layout, generated, started),
        note=_notes(rng, orders, order, activity),
        note_seed=rng.integers(0, 1 << 62, len(order)),
    )
    return events.slice(0, max(0, layout.generated - int(orders.first[0])))


def _times(rng: np.random.Generator, layout: Layout, orders: Orders, order: Ints, activity: Ints) -> tuple[Ints, Ints]:
    """Return when each event starts and finishes: alternating waits and work from the order's creation on."""
    size = len(order)
    factor = np.where(orders.priority == words.LOW, SLOW_FACTOR, 1)[order] * _MILLI_MINUTE
    wait = _WAITS[activity] * draw(rng, _SPREAD, size) * factor + rng.integers(0, 1_000_000, size)
    work = _WORKS[activity] * draw(rng, _SPREAD, size) * factor + rng.integers(0, 1_000_000, size)
    elapsed = np.cumsum(wait + work)
    before = np.repeat((elapsed - wait - work)[orders.first - orders.first[0]], VARIANT_STEPS[orders.variant])
    created = layout.plain_time(layout.written_row(orders.first))[order]
    finished = created + elapsed - before
    return layout.with_gap(finished - work), layout.with_gap(finished)


def _ids(layout: Layout, generated: Ints) -> Ints:
    """Number the events, except that a few repeat the number before theirs."""
    repeated = np.isin(layout.written_row(generated), np.array(layout.repeated_ids, dtype=np.int64))
    return FIRST_EVENT_ID + generated - repeated


def _discounts(layout: Layout, orders: Orders, order: Ints, generated: Ints) -> Ints:
    hidden = orders.sentinel[order] & layout.sentinel.mask(layout.written_row(generated))
    return np.where(hidden, SENTINEL, orders.discount[order])


def _invoices(orders: Orders, order: Ints, activity: Ints, member: Ints) -> Ints:
    """Return what is invoiced, on rows that are invoices."""
    planted = (orders.under_limit[order] >= 0) & (member == SUSPECT_BILLER)
    amounts = np.where(planted, orders.under_limit[order], orders.amount[order])
    return np.where(activity == words.INVOICE, amounts, MISSING)


def _loads(rng: np.random.Generator, layout: Layout, generated: Ints, started: Ints) -> Ints:
    """Return the dock's load in tenths of a kW at the start of each event."""
    start, stop = layout.discord()
    odd = (started >= start) & (started < stop)
    hour = (started // HOUR + 12 * odd) % 24
    weekday = (started // DAY + 3) % 7  # 1970-01-01 was a Thursday
    noise = rng.integers(-60, 61, len(started)) + rng.integers(-60, 61, len(started))
    shifted = 10 * words.LOAD_SHIFT * (started >= layout.shift())
    load = _LOADS[hour] * _WEEKDAYS[weekday] // 10 + shifted + noise
    return np.where(layout.meter_outage.mask(layout.written_row(generated)), MISSING, load)


def _notes(rng: np.random.Generator, orders: Orders, order: Ints, activity: Ints) -> Ints:
    """Return the kind of note on each row: topics on deliveries and returns, messages on shipments."""
    size = len(order)
    topic = weighted(rng, (40, 15, 45), size)
    returned = np.array([variant.outcome == words.RETURNED for variant in words.VARIANTS])[orders.variant[order]]
    # Most parcels that come back were damaged when they arrived.
    topic = np.where(returned & chance(rng, 8000, size), words.TOPICS.index("damage"), topic)
    scan = weighted(rng, words.LOG_WEIGHTS, size)
    written = chance(rng, 8000, size)
    note = np.where((activity == words.DELIVER) & written | (activity == words.RETURN), FIRST_TOPIC + topic, NO_NOTE)
    return np.where((activity == words.SHIP) & written, FIRST_LOG + scan, note)
