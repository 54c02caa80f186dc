"""Orders: what is drawn once for all events of an order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.samples import vocabulary as words
from toolkit.samples.draws import Ints, chance, draw, weighted
from toolkit.samples.layout import Layout

_PRICES = np.array(words.PRICE_CENTS, dtype=np.int64)
_WEIGHTS = np.array(words.WEIGHT_GRAMS, dtype=np.int64)
_QUANTITIES = np.array(words.QUANTITIES, dtype=np.int64)
_DISCOUNTS = np.array(words.DISCOUNTS, dtype=np.int64)
_VARIANT_WEIGHTS = [variant.weight for variant in words.VARIANTS]
VARIANT_STEPS = np.array([len(variant.steps) for variant in words.VARIANTS], dtype=np.int64)

APPROVAL_LIMIT = 500_000
"""Invoices below this, in cents, are paid without a second signature."""


@dataclass(frozen=True, slots=True)
class Orders:
    """A block of orders; every field is an array with one entry an order.

    Labels are codes into the tuples of `toolkit.samples.vocabulary`; money is in cents, weights in grams.
    """

    number: Ints
    first: Ints
    """Number of the order's first event, as generated."""
    variant: Ints
    channel: Ints
    priority: Ints
    site: Ints
    customer: Ints
    name_variant: Ints
    no_contact: NDArray[np.bool_]
    misspelt_city: NDArray[np.bool_]
    product: Ints
    quantity: Ints
    unit_price: Ints
    discount: Ints
    sentinel: NDArray[np.bool_]
    """The discount is written as -999 on the rows of the sentinel's stretch."""
    amount: Ints
    currency: Ints
    weight: Ints
    in_grams: NDArray[np.bool_]
    freight: Ints
    under_limit: Ints
    """An invoice amount just under the approval limit, or -1."""

    def __len__(self) -> int:
        return len(self.number)


def customer_base(layout: Layout) -> int:
    """Return how many customers the table's orders come from."""
    return max(20, min(layout.rows // 40, words.LARGEST_CUSTOMER_BASE))


def draw_orders(rng: np.random.Generator, layout: Layout, number: int, first: int, size: int) -> Orders:
    """Draw a block of orders.

    Parameters
    ----------
    rng : Generator
        The block's random stream.
    layout : Layout
        Where the effects lie.
    number : int
        Number of the block's first order.
    first : int
        Number of the block's first event, as generated.
    size : int
        Orders in the block.
    """
    variant = weighted(rng, _VARIANT_WEIGHTS, size)
    steps = VARIANT_STEPS[variant]
    firsts = first + np.cumsum(steps) - steps
    rows = layout.written_row(firsts)
    channel = weighted(rng, words.CHANNEL_WEIGHTS, size)
    site = weighted(rng, words.SITE_WEIGHTS, size)
    base = customer_base(layout)
    # The smaller of two uniform draws: some customers order often, most seldom.
    customer = np.minimum(rng.integers(0, base, size), rng.integers(0, base, size))
    spelt = np.where(chance(rng, 3000, size), rng.integers(1, words.NAME_VARIANTS, size), 0)
    product = rng.integers(0, len(words.PRODUCTS), size)
    quantity = draw(rng, _QUANTITIES, size)
    unit_price = _PRICES[product] * rng.integers(950, 1051, size) // 1000
    discount = _DISCOUNTS[weighted(rng, words.DISCOUNT_WEIGHTS, size)]
    weight = _WEIGHTS[product] * quantity * rng.integers(900, 1101, size) // 1000
    return Orders(
        number=np.arange(number, number + size, dtype=np.int64),
        first=firsts,
        variant=variant,
        channel=channel,
        priority=weighted(rng, words.PRIORITY_WEIGHTS, size),
        site=site,
        customer=customer,
        name_variant=np.where(customer % words.VARIANT_EVERY == 0, spelt, 0),
        no_contact=np.where(channel == words.PARTNER, chance(rng, 4000, size), chance(rng, 200, size)),
        misspelt_city=chance(rng, 20, size),
        product=product,
        quantity=quantity,
        unit_price=unit_price,
        discount=discount,
        sentinel=chance(rng, 5000, size),
        amount=unit_price * quantity * (100 - discount) // 100,
        currency=np.where(
            rows >= layout.currency_change,
            weighted(rng, words.CURRENCY_WEIGHTS_LATE, size),
            weighted(rng, words.CURRENCY_WEIGHTS, size),
        ),
        weight=weight,
        in_grams=(site == words.GRAM_SITE) & chance(rng, 3000, size),
        freight=_freight(rng, weight, rows >= layout.correlation_end),
        under_limit=np.where(chance(rng, 4000, size), APPROVAL_LIMIT - rng.integers(1, 10_001, size), -1),
    )


def _freight(rng: np.random.Generator, weight: Ints, unrelated: NDArray[np.bool_]) -> Ints:
    """Charge 3.90 an order and 0.35 a kilogram; later orders pay for the weight of another order."""
    charged = np.where(unrelated, rng.permutation(weight), weight)
    return 390 + charged * 35 // 1000 + rng.integers(-60, 61, len(weight))
