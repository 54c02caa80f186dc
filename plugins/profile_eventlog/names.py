"""What a column's name says of its role in an event log, from 0 to 100."""

from __future__ import annotations

import re

STANDARD = 90
"""From here on a name says it by itself: names of XES (IEEE 1849), and words that mean nothing else."""

_NAMES: dict[str, dict[str, int]] = {
    "case": {
        "case_concept_name": 100, "case_id": 100, "caseid": 100, "case": 95, "case_number": 95, "case_no": 95,
        "case_key": 95, "trace_id": 90, "trace": 90, "process_instance": 95, "process_instance_id": 95,
    },
    "activity": {
        "concept_name": 100, "activity": 99, "activity_name": 99, "activity_id": 90, "event_name": 90, "task_name": 90,
        "task": 85, "event": 80, "step": 85, "action": 80, "operation": 75, "event_type": 75, "activity_type": 80,
        "stage": 65, "phase": 65, "status": 60, "state": 60, "transition": 50, "type": 20,
    },
    "timestamp": {
        "time_timestamp": 100, "timestamp": 99, "complete_timestamp": 98, "event_time": 95, "event_timestamp": 95,
        "start_timestamp": 94, "time": 90, "datetime": 90, "date_time": 90, "ts": 85, "date": 60,
    },
    "resource": {
        "org_resource": 100, "resource": 99, "resource_id": 95, "resource_name": 95, "user": 80, "user_id": 75,
        "agent": 80, "employee": 80, "performer": 90, "operator": 75, "staff": 75, "actor": 75, "assignee": 80,
        "worker": 75, "originator": 85, "clerk": 75, "handler": 75,
    },
    "lifecycle": {"lifecycle_transition": 100, "lifecycle": 95, "lifecycle_id": 90},
}  # fmt: skip

_THINGS = frozenset({
    "order", "ticket", "incident", "claim", "application", "request", "session", "visit", "admission", "loan",
    "shipment", "issue", "job", "instance", "contract", "purchase", "invoice", "patient", "encounter", "case", "trace",
})  # fmt: skip
"""What events commonly belong to."""
_NUMBERS = frozenset({"id", "no", "nr", "num", "number", "key", "ref", "code"})
_MOMENTS = {"timestamp": 85, "datetime": 85, "time": 75, "at": 70, "date": 55, "on": 40}
_BEGINS = frozenset({"start", "started", "begin", "began", "begun", "from", "opened"})
_ENDS = frozenset({"end", "ended", "finish", "finished", "complete", "completed", "stop", "stopped", "closed", "until"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CASE_ATTRIBUTE = "case:"
"""What the names of attributes of cases begin with, after XES; only one of them can be the case, none an event's."""


def words(name: str) -> list[str]:
    """The words of a name, in lower case.

    Examples
    --------
    >>> words("case:concept:name"), words("orderId"), words("Started at")
    (['case', 'concept', 'name'], ['order', 'id'], ['started', 'at'])
    """
    return [word for word in re.split(r"[^a-z0-9]+", _CAMEL.sub("_", name).lower()) if word]


def name_score(role: str, name: str) -> int:
    """How much a name speaks for a role.

    Examples
    --------
    >>> [name_score("case", name) for name in ("case:concept:name", "order_id", "customer_id", "colour")]
    [100, 70, 30, 0]
    >>> [name_score("timestamp", name) for name in ("time:timestamp", "started_at", "case:startdate")]
    [100, 70, 0]
    """
    found = words(name)
    if role != "case" and name.startswith(_CASE_ATTRIBUTE):
        return 0
    whole = _NAMES[role].get("_".join(found))
    if whole is not None:
        return whole
    if role == "case":
        thing, number = bool(_THINGS & set(found)), bool(_NUMBERS & set(found))
        plain = all(word in _THINGS | _NUMBERS for word in found)
        return (70 if plain else 45) if thing else 30 if number else 0
    if role == "timestamp":
        return max((_MOMENTS.get(word, 0) for word in found), default=0)
    known = _NAMES[role]
    return max((known.get(word, 0) // 2 for word in found), default=0)


def is_attribute_of_case(name: str) -> bool:
    """Whether a name says, after XES, that the column describes cases and not events."""
    return name.startswith(_CASE_ATTRIBUTE)


def side(name: str) -> str:
    """Whether a name is of a beginning (``start``), an end (``end``) or neither.

    Examples
    --------
    >>> side("started_at"), side("complete_timestamp"), side("time:timestamp")
    ('start', 'end', '')
    """
    found = set(words(name))
    return "start" if found & _BEGINS else "end" if found & _ENDS else ""
