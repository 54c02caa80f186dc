"""What is to contain the plugins of a run, and what did."""

from __future__ import annotations

from typing import Any

from toolkit.contain.lockdown import impossible
from toolkit.contain.rules import Enforcement
from toolkit.execute.base import InForce, load_executor

_STRENGTH = ("none", "advisory", "partial", "kernel")


def check_enforcement(enforcement: Enforcement, executor: str) -> None:
    """Refuse a run whose policy demands what can't be had.

    Parameters
    ----------
    enforcement : str
        Of the policy.
    executor : str
        Name of the executor.

    Raises
    ------
    ContainmentError
        With what is missing. No plugin has been run.
    """
    missing = load_executor(executor).missing() if enforcement == "required" else ()
    if missing:
        raise impossible(missing)


class Containment:
    """Gathers what contained the tasks of a run.

    Parameters
    ----------
    enforcement : str
        What the policy asks for.
    """

    def __init__(self, enforcement: Enforcement) -> None:
        self._asked = enforcement
        self._level = ""
        self._missing: dict[str, None] = {}

    def add(self, held: InForce | None) -> None:
        """Take in what contained a task; None when it ended before it had begun."""
        if held is None:
            return
        if not self._level or _STRENGTH.index(held.level) < _STRENGTH.index(self._level):
            self._level = held.level
        self._missing |= dict.fromkeys(held.missing)

    def to_json(self) -> dict[str, Any]:
        """What was asked for, and the weakest of what was in force; None when no task was run.

        Returns
        -------
        dict
            ``asked``; ``in_force``: ``kernel``, ``partial``, ``advisory`` or ``none``; ``missing``: a sentence each.
        """
        return {"asked": self._asked, "in_force": self._level or None, "missing": list(self._missing)}
