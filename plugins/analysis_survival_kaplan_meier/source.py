"""Which columns say how long something lasted and whether its event came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from toolkit.plugin import Context, Skip
from toolkit.plugin.wording import quoted

DURATION_WORDS = (
    "duration", "survival", "survtime", "futime", "tenure", "lifetime", "followup", "time", "t", "los", "ttf", "tte",
    "weeks", "week", "months", "month", "days", "day", "hours", "years",
)  # fmt: skip
EVENT_WORDS = (
    "event", "e", "observed", "uncensored", "death", "dead", "died", "deceased", "failure", "failed", "churn",
    "churned", "relapse", "recurrence", "arrest", "arrested", "default", "defaulted", "converted", "closed", "resolved",
    "delta", "fustat", "status", "cens", "censor", "censored",
)  # fmt: skip
CASE_WORDS = ("case", "trace", "ticket", "order", "session", "incident", "request", "claim", "application")
ACTIVITY_WORDS = ("activity", "task", "event", "step", "action", "stage", "state", "status")
CLOCK_WORDS = ("timestamp", "started", "start", "time", "at", "date", "completed", "complete", "when")
START_WORDS = (
    "start",
    "started",
    "begin",
    "began",
    "opened",
    "open",
    "created",
    "admitted",
    "admission",
    "entry",
    "from",
)
END_WORDS = (
    "end",
    "ended",
    "finish",
    "finished",
    "closed",
    "resolved",
    "completed",
    "discharged",
    "exit",
    "to",
    "until",
)
TARGET_WORDS = ("deliver", "delivered", "close", "closed", "resolve", "resolved", "complete", "completed", "finish",
                "finished", "discharge", "discharged")  # fmt: skip
XES = {"case": "case:concept:name", "activity": "concept:name", "time": "time:timestamp"}
"""Names of an event log's columns by the standard of such logs, IEEE 1849."""

_FEW = 0.01
_CENSORED = frozenset({"cens", "censor", "censored"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ADVICE = (
    "name the columns with the parameters duration and event, or start and end, or case, activity and time and the "
    "activity target of an event log; or declare them with --types, as roles duration and event, or case, activity and "
    "timestamp"
)

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where times until the event come from.

    Attributes
    ----------
    kind : str
        ``columns``: a row has a duration and says whether the event came. ``dates``: a row has a start and, unless it
        is open, an end. ``events``: a row is an event of a case.
    columns : dict of str to str
        Names by use: ``duration`` and ``event``; ``start`` and ``end``; or ``case``, ``activity`` and ``time``.
    happened : Any
        Value of the event column that says that it came; the target activity of an event log.
    why : str
        How the columns were found, as a sentence.
    """

    kind: Literal["columns", "dates", "events"]
    columns: Mapping[str, str]
    happened: Any = True
    why: str = ""

    @property
    def unit(self) -> str:
        """What is counted."""
        return "cases" if self.kind == "events" else "rows"


def find_source(ctx: Context, entries: Sequence[Entry]) -> Source:
    """The columns that a person named, declared, or that names and values tell.

    Raises
    ------
    Skip
        Where there are none.
    """
    known = {entry["name"]: entry for entry in entries}
    for name in filter(
        None, (ctx.params[p] for p in ("duration", "event", "start", "end", "case", "activity", "time"))
    ):
        if name not in ctx.schema:
            raise Skip(f"there is no column {name!r}", _ADVICE)
    for attempt in (_of_columns, _of_events, _of_dates):
        found = attempt(ctx, known)
        if found is not None:
            return found
    raise Skip("no columns say how long something lasted and whether its event came", _ADVICE)


def words_of(name: str) -> list[str]:
    """The words of a column's name, in lower case.

    Examples
    --------
    >>> words_of("timeToEvent"), words_of("T"), words_of("started_at")
    (['time', 'to', 'event'], ['t'], ['started', 'at'])
    """
    return [w for w in re.split(r"[^a-z0-9]+", _CAMEL.sub("_", name).lower()) if w]


def best_by_name(names: Iterable[str], words: Sequence[str]) -> str | None:
    """The column whose name has the word that comes first in a list; of several the one of fewest words.

    Examples
    --------
    >>> best_by_name(["start_year", "duration", "time"], DURATION_WORDS), best_by_name(["price"], DURATION_WORDS)
    ('duration', None)
    """
    ranks = []
    for place, name in enumerate(names):
        own = words_of(name)
        found = [words.index(w) for w in own if w in words]
        if found:
            ranks.append((min(found), len(own), place, name))
    return min(ranks)[3] if ranks else None


def _declared(ctx: Context, role: str, kinds: tuple[str, ...]) -> str | None:
    named = [spec.name for spec in ctx.schema if spec.role == role and spec.kind in kinds]
    return named[0] if len(named) == 1 else None


def _of_columns(ctx: Context, known: Mapping[str, Entry]) -> Source | None:
    asked = (ctx.params["duration"], ctx.params["event"])
    if any(ctx.params[p] for p in ("start", "end", "case", "activity", "time")) and not any(asked):
        return None
    numbers = ("int", "float", "duration")
    duration = asked[0] or _declared(ctx, "duration", numbers)
    event = asked[1] or _declared(ctx, "event", ("int", "float", "bool", "string"))
    why = "named by parameters" if all(asked) else "declared" if duration and event and not any(asked) else ""
    if not duration:
        fit = [spec.name for spec in ctx.schema if spec.kind in numbers and _could_be_duration(known.get(spec.name))]
        duration = best_by_name([n for n in fit if n != event], DURATION_WORDS)
    if not event:
        fit = [spec.name for spec in ctx.schema if _could_be_event(known.get(spec.name))]
        event = best_by_name([n for n in fit if n != duration], EVENT_WORDS)
    if not duration or not event:
        if any(asked):
            raise Skip(f"with {next(filter(None, asked))!r} alone there is no time until an event", _ADVICE)
        return None
    if ctx.schema[duration].kind not in numbers:
        raise Skip(f"{duration!r} is of kind {ctx.schema[duration].kind}, and no duration", _ADVICE)
    happened = _event_value(ctx, event, known.get(event, {}))
    why = why or "found by their names and values"
    said = f"{quoted(duration)} is taken as the time and {quoted(event)} = {_plain(happened)} as the event, {why}."
    return Source("columns", {"duration": duration, "event": event}, happened, said)


def _could_be_duration(entry: Entry | None) -> bool:
    """Numbers that differ and are not below 0, but for a few errors."""
    if entry is None or entry.get("min") is None or entry.get("role") in ("id", "key candidate", "constant", "flag"):
        return False
    few = _FEW * int(entry.get("count") or 0)
    return entry["kind"] == "duration" or entry["min"] >= 0 or int(entry.get("negatives") or few + 1) <= few


def _could_be_event(entry: Entry | None) -> bool:
    """True and false, or numbers of which there are two that differ by one, or the one that says yes."""
    if entry is None or entry.get("min") is None:
        return False
    if entry["kind"] == "bool":
        return True
    ends = (entry["min"], entry["max"])
    return entry["kind"] in ("int", "float") and entry.get("distinct") in (1, 2) and ends in ((0, 1), (1, 2), (1, 1))


def _event_value(ctx: Context, event: str, entry: Entry) -> Any:
    """Which value says that the event came."""
    spec, said = ctx.schema[event], ctx.params["event_value"]
    if spec.encoding == "coded":
        if said not in ctx.categories(event)[:-1].tolist():
            raise Skip(
                f"{event!r} is text, and {said!r} none of its values", "give event_value, the value that says yes"
            )
        return said
    if spec.kind not in ("bool", "int", "float"):
        raise Skip(f"{event!r} is of kind {spec.kind}, and says of no row whether the event came", _ADVICE)
    if said:
        try:
            return said.lower() in ("true", "1") if spec.kind == "bool" else float(said)
        except ValueError:
            raise Skip(f"event_value {said!r} is no value of {event!r}", "give a number") from None
    censored = bool(_CENSORED & set(words_of(event)))
    if spec.kind == "bool":
        return not censored
    ends = (float(entry.get("min") or 0), float(entry.get("max") or 0))
    return (0.0 if ends[1] <= 1 else 1.0) if censored else ends[1] or 1.0


def _of_events(ctx: Context, known: Mapping[str, Entry]) -> Source | None:
    asked = {use: ctx.params[use] for use in ("case", "activity", "time")}
    if any(ctx.params[p] for p in ("start", "end")) and not any(asked.values()):
        return None
    coded = [s.name for s in ctx.schema if s.encoding == "coded" and s.kind == "string"]
    if not any(asked.values()) and all(name in ctx.schema for name in XES.values()) and not _misfit(ctx, XES):
        return Source("events", XES, ctx.params["target"] or None, _told(asked, XES))
    several = [s.name for s in ctx.schema if s.kind in ("string", "int") and _repeats(known, s.name, ctx)]
    clocks = [s.name for s in ctx.schema if s.kind in ("timestamp", "date")]
    found = {
        "case": asked["case"] or _declared(ctx, "case", ("string", "int")) or best_by_name(several, CASE_WORDS),
        "activity": asked["activity"] or _declared(ctx, "activity", ("string",)) or best_by_name(coded, ACTIVITY_WORDS),
        "time": asked["time"] or _declared(ctx, "timestamp", ("timestamp", "date")) or best_by_name(clocks, CLOCK_WORDS)
        or (clocks[0] if len(clocks) == 1 else None),
    }  # fmt: skip
    if len({name for name in found.values() if name}) < 3:
        if any(asked.values()):
            lacking = [use for use, name in found.items() if not name]
            raise Skip(f"the event log lacks a column of {' and '.join(lacking) or 'its own for each use'}", _ADVICE)
        return None
    columns = {use: str(name) for use, name in found.items()}
    problem = _misfit(ctx, columns)
    if problem:
        if any(asked.values()):
            raise Skip(problem, _ADVICE)
        return None
    return Source("events", columns, ctx.params["target"] or None, _told(asked, columns))


def _told(asked: Mapping[str, str], columns: Mapping[str, str]) -> str:
    names = ", ".join(f"{quoted(name)} as the {use}" for use, name in columns.items())
    how = "named by parameters" if all(asked.values()) else "found by roles, names and values"
    return f"A case counts from its first row; {names}: {how}."


def _misfit(ctx: Context, columns: Mapping[str, str]) -> str:
    case, activity, time = (ctx.schema[columns[use]] for use in ("case", "activity", "time"))
    if case.kind not in ("string", "int"):
        return f"the case {case.name!r} is of kind {case.kind}"
    if activity.encoding != "coded":
        return f"the activity {activity.name!r} has too many values, or is no text"
    return "" if time.kind in ("timestamp", "date") else f"the time {time.name!r} is of kind {time.kind}"


def _repeats(known: Mapping[str, Entry], name: str, ctx: Context) -> bool:
    """Whether a value has at least two rows on average, and there are many values."""
    distinct = ctx.schema[name].categories or (known.get(name) or {}).get("distinct") or 0
    return 16 <= distinct <= ctx.rows // 2


def _of_dates(ctx: Context, known: Mapping[str, Entry]) -> Source | None:
    asked = (ctx.params["start"], ctx.params["end"])
    clocks = [s.name for s in ctx.schema if s.kind in ("timestamp", "date")]
    start = asked[0] or best_by_name([n for n in clocks if n != asked[1]], START_WORDS)
    end = asked[1] or best_by_name([n for n in clocks if n != start], END_WORDS)
    if not start or not end:
        if any(asked):
            raise Skip("start and end are given together", _ADVICE)
        return None
    if any(name not in clocks for name in (start, end)):
        raise Skip(f"{start!r} and {end!r} are not both dates or time stamps", _ADVICE)
    if not (known.get(end) or {}).get("missing") and not all(asked):
        return None  # nothing is open, so nothing says that the end is an event
    how = "named by parameters" if all(asked) else "found by their names"
    said = (
        f"The time from {quoted(start)} to {quoted(end)} counts, {how}; rows without {quoted(end)} are open and were "
        f"watched until the latest time in either."
    )
    return Source("dates", {"start": start, "end": end}, True, said)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else f'"{value}"'
