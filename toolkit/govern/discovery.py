"""How false discoveries are controlled over a run: what a policy says of it, and the families of hypotheses."""

from __future__ import annotations

from dataclasses import dataclass

METHODS = ("benjamini-hochberg", "benjamini-yekutieli")
"""The first assumes p-values that are independent or rise together, the second nothing of how they depend."""

FAMILIES = ("quality", "association", "time", "process", "text")
"""What a plugin's hypotheses may be about."""


@dataclass(frozen=True, slots=True)
class DiscoveryControl:
    """Which share of the tested findings of a run may be false.

    Attributes
    ----------
    rate : float
        Expected share of false ones, above 0 and at most 1.
    method : str
        One of `METHODS`.
    """

    rate: float = 0.05
    method: str = METHODS[0]


DEFAULT_CONTROL = DiscoveryControl()
