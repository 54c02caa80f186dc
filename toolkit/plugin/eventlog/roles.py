"""The columns of an event log, by what they are for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from toolkit.plugin.result import Skip


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of columns; empty where there is none.

    Attributes
    ----------
    case : str
        What the events belong to, such as an order.
    activity : str
        What was done.
    timestamp : str
        When; events of a case are ordered by it.
    start, end : str
        A second time: when what ended at the timestamp began, or when what began at it ended. One of them at most.
    resource : str
        Who did it.
    lifecycle : str
        Which step of the activity it was, such as ``start`` or ``complete``.
    """

    case: str
    activity: str
    timestamp: str
    start: str = ""
    end: str = ""
    resource: str = ""
    lifecycle: str = ""

    @property
    def given(self) -> dict[str, str]:
        """Roles that a column has, in the order of `toolkit.core.schema.EVENT_ROLES`."""
        return {role: name for role, name in asdict(self).items() if name}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Roles:
        """Those that ``profile_eventlog`` found, from its result's data.

        Raises
        ------
        Skip
            When it found none.

        Examples
        --------
        >>> Roles.of({"roles": {"case": "order", "activity": "step", "timestamp": "at"}}).given
        {'case': 'order', 'activity': 'step', 'timestamp': 'at'}
        """
        if "roles" not in data:
            raise Skip("profile_eventlog found no event log", "declare its columns: role: case, activity and timestamp")
        return cls(**{role: name for role, name in data["roles"].items() if name})
