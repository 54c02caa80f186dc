"""From codes and whole numbers to the Arrow columns that are written as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from toolkit.samples import vocabulary as words
from toolkit.samples.draws import Ints
from toolkit.samples.events import FIRST_LOG, FIRST_TOPIC, MISSING, NO_NOTE, Events
from toolkit.samples.orders import Orders

FIRST_CUSTOMER_ID = 50_001

_TEAMS = tuple(dict.fromkeys(words.TEAMS))
_RESOURCES = tuple(f"{team}-{member + 1}" for team, size in _TEAMS for member in range(size))
_TEAM_STARTS = {team: sum(size for _, size in _TEAMS[:i]) for i, (team, _) in enumerate(_TEAMS)}
_FIRST_RESOURCE = np.array([_TEAM_STARTS[team] for team, _ in words.TEAMS], dtype=np.int64)
_OUTCOMES = np.array([variant.outcome for variant in words.VARIANTS], dtype=np.int64)
_CITY_OF_ZIP = np.array(words.CITY_OF_ZIP, dtype=np.int64)
_CATEGORIES = np.array(words.CATEGORY_OF_PRODUCT, dtype=np.int64)
_NOTE_WORDS = pa.array([word for topic in words.TOPIC_WORDS for word in topic])
_WORDS_A_TOPIC = len(words.TOPIC_WORDS[0])


class Renderer:
    """Turns blocks of events into Arrow tables with the sample's columns.

    Parameters
    ----------
    customers : int
        Customers that orders may come from; their names are made once.
    """

    def __init__(self, customers: int) -> None:
        self._names = pa.array([name for i in range(customers) for name in words.customer_names(i)])
        self._contacts = pa.array([words.customer_contact(i) for i in range(customers)])

    def table(self, orders: Orders, events: Events) -> pa.Table:
        """Return the columns of one block, in the sample's order.

        Parameters
        ----------
        orders : Orders
            The block's orders.
        events : Events
            Rows of the block; `Events.order` points into `orders`.
        """
        columns = self._event_columns(orders, events) | self._customer_columns(orders, events)
        columns |= self._goods_columns(orders, events) | self._remarks(orders, events)
        return pa.table(columns)

    def _event_columns(self, orders: Orders, events: Events) -> dict[str, Any]:
        at = events.order
        number = pc.utf8_lpad(pa.array(orders.number + 1).cast(pa.string()), 8, "0")
        ids = pc.binary_join_element_wise("ORD", number, "-")
        return {
            "event_id": pa.array(events.event_id),
            "order_id": pa.DictionaryArray.from_arrays(pa.array(at.astype(np.int32)), ids),
            "activity": _labels(words.ACTIVITIES, events.activity),
            "started_at": pa.array(events.started, pa.timestamp("us")),
            "finished_at": pa.array(events.finished, pa.timestamp("us"), mask=events.finished == MISSING),
            "resource": _labels(_RESOURCES, _FIRST_RESOURCE[events.activity] + events.member),
            "site": _labels(words.SITES, orders.site[at]),
            "channel": _labels(words.CHANNELS, orders.channel[at]),
            "priority": _labels(words.PRIORITIES, orders.priority[at]),
        }

    def _customer_columns(self, orders: Orders, events: Events) -> dict[str, Any]:
        at = events.order
        customer = orders.customer[at]
        place = customer % len(words.ZIPS)
        city = _CITY_OF_ZIP[place]
        spelling = city + len(words.CITIES) * orders.misspelt_city[at]
        return {
            "customer_id": pa.array(FIRST_CUSTOMER_ID + customer),
            "customer_name": _labels(self._names, customer * words.NAME_VARIANTS + orders.name_variant[at]),
            "contact": _labels(self._contacts, customer, orders.no_contact[at]),
            "zip": _labels(words.ZIPS, place),
            "city": _labels(words.CITIES + words.MISSPELT_CITIES, spelling),
            "region": _labels(words.REGIONS, city % len(words.REGIONS)),
        }

    def _goods_columns(self, orders: Orders, events: Events) -> dict[str, Any]:
        at = events.order
        kilograms = np.where(orders.in_grams, orders.weight * 1000, orders.weight)[at]
        return {
            "product": _labels(words.PRODUCTS, orders.product[at]),
            "category": _labels(words.CATEGORIES, _CATEGORIES[orders.product[at]]),
            "quantity": pa.array(orders.quantity[at]),
            "unit_price": _decimals(orders.unit_price[at], 2),
            "discount": pa.array(events.discount),
            "amount": _decimals(orders.amount[at], 2),
            "currency": _labels(words.CURRENCIES, orders.currency[at]),
            "weight_kg": _decimals(kilograms, 3),
            "freight_cost": _decimals(orders.freight[at], 2),
            "invoice_amount": _decimals(events.invoice, 2, events.invoice == MISSING),
        }

    def _remarks(self, orders: Orders, events: Events) -> dict[str, Any]:
        return {
            "dock_load_kw": _decimals(events.load, 1, events.load == MISSING),
            "delivery_note": _notes(events.note, events.note_seed),
            "outcome": _labels(words.OUTCOMES, _OUTCOMES[orders.variant[events.order]]),
        }


COLUMNS = (
    "event_id", "order_id", "activity", "started_at", "finished_at", "resource", "site", "channel", "priority",
    "customer_id", "customer_name", "contact", "zip", "city", "region", "product", "category", "quantity", "unit_price",
    "discount", "amount", "currency", "weight_kg", "freight_cost", "invoice_amount", "dock_load_kw", "delivery_note",
    "outcome",
)  # fmt: skip


def _labels(labels: Sequence[str] | Any, codes: Ints, absent: NDArray[np.bool_] | None = None) -> Any:
    """Return text labels as an Arrow dictionary array."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=absent), pa.array(labels))


def _decimals(scaled: Ints, digits: int, absent: NDArray[np.bool_] | None = None) -> Any:
    """Return exact decimals from whole numbers of the last digit; no value passes through a binary fraction."""
    words_of_128_bits = np.empty((len(scaled), 2), dtype="<i8")
    words_of_128_bits[:, 0] = scaled
    words_of_128_bits[:, 1] = scaled >> 63
    valid = None if absent is None else pa.py_buffer(np.packbits(~absent, bitorder="little").tobytes())
    values = pa.py_buffer(words_of_128_bits.tobytes())
    return pa.Array.from_buffers(pa.decimal128(18, digits), len(scaled), [valid, values])


def _notes(kind: Ints, seed: Ints) -> Any:
    """Return the free texts: all of one kind are made together and then put back in the rows' order."""
    written = np.flatnonzero(kind != NO_NOTE)
    order = written[np.argsort(kind[written], kind="stable")]
    texts = [_topic_texts(topic, seed[order[kind[order] == FIRST_TOPIC + topic]]) for topic in range(len(words.TOPICS))]
    texts += [
        _log_texts(template, seed[order[kind[order] == FIRST_LOG + i]])
        for i, template in enumerate(words.LOG_TEMPLATES)
    ]
    place = np.zeros(len(kind), dtype=np.int64)
    place[order] = np.arange(len(order))
    return pa.concat_arrays(texts).take(pa.array(place, mask=kind == NO_NOTE))


def _topic_texts(topic: int, seed: Ints) -> Any:
    """Return notes of words drawn from one topic's vocabulary, by eight bits of the seed a word."""
    picks = [topic * _WORDS_A_TOPIC + (seed >> 8 * i & 255) % _WORDS_A_TOPIC for i in range(words.NOTE_WORDS)]
    return pc.binary_join_element_wise(*(_NOTE_WORDS.take(pa.array(pick)) for pick in picks), " ")


def _log_texts(template: tuple[str, ...], seed: Ints) -> Any:
    numbers = (seed % 900_000 + 100_000, (seed >> 20) % 12 + 1, (seed >> 40) % 400 + 20)
    first, second, third = (pa.array(number).cast(pa.string()) for number in numbers)
    return pc.binary_join_element_wise(template[0], first, template[1], second, template[2], third, template[3], "")
