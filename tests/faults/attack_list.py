"""The list of attacks, which the modules beside this one fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.faults.world import World

End = Literal["explained", "refused", "killed"]


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes
    ----------
    row : str
        The row of the table in docs/security.md that it belongs to.
    end : str
        How it must end under all layers: ``explained`` by the audit hook, ``refused`` by the kernel with an error,
        ``killed`` by SIGSYS.
    control : bool
        Whether it may be tried without containment, to show that it works then; not where the machine would suffer.
    """

    name: str
    row: str
    end: End
    run: Callable[[World], None]
    control: bool


ATTACKS: dict[str, Attack] = {}


def attack(row: str, end: End, *, control: bool = True) -> Callable[[Callable[[World], None]], Callable[[World], None]]:
    """List a function that attacks: it returns when it has got what it wanted, and raises when it hasn't."""

    def listed(function: Callable[[World], None]) -> Callable[[World], None]:
        name = function.__name__
        assert name not in ATTACKS, name
        ATTACKS[name] = Attack(name, row, end, function, control)
        return function

    return listed
