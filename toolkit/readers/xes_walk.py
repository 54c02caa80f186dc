"""The XML of an event log, walked once from its beginning, as runs of events in Arrow arrays."""

from __future__ import annotations

import json
import xml.parsers.expat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import BadInputError
from toolkit.readers.base import MAX_COLUMNS, check_column_count

if TYPE_CHECKING:
    import pyarrow as pa

_VALUED = frozenset({"string", "date", "int", "float", "boolean", "id"})
_CELLS = 1 << 22
_DEEPEST = 32
_LARGEST_TOKEN = 128 << 20
_LOG_ATTRIBUTES = 1000

Slot = tuple[str, str]
"""Tag and key of an attribute."""


@dataclass(frozen=True, slots=True)
class EventRun:
    """Consecutive events.

    Attributes
    ----------
    first : int
        Number of the first of them in the log, from 1.
    rows : int
        How many there are.
    event, case : dict of Slot to pyarrow.StringArray
        Attributes of the events and of their cases as they are written, null where an event has none; shape (rows,).
    """

    first: int
    rows: int
    event: dict[Slot, pa.Array]
    case: dict[Slot, pa.Array]


class LogWalker:
    """Takes the bytes of a log and hands out runs of events.

    Parameters
    ----------
    path : Path
        The file, for errors.
    run_bytes : int
        Bytes of XML after which a run ends with the next case.

    Attributes
    ----------
    log : dict of Slot to str
        The first attributes of the log itself.
    declared : dict of str to dict
        Attributes that the log declares for every ``trace`` or ``event``.
    classifiers : dict of str to str
        Names of the log's classifiers, and their keys.
    traces, empty_traces, loose_events : int
        Cases, those of them without an event, and events without a case.

    Notes
    -----
    A document type is refused before any entity of it is declared, so that none can be expanded.
    """

    def __init__(self, path: Path, run_bytes: int) -> None:
        self._path = path
        self._run_bytes = run_bytes
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.ordered_attributes = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype
        self._fed = 0
        self._run_began = 0
        self._events = 0
        self._slots: dict[tuple[bool, Slot], None] = {}
        self._open: list[str] = []
        self._path_keys: list[str] = []
        self._list: list[list[dict[str, Any]]] = []
        self._list_slot: Slot = ("", "")
        self._rows: list[dict[Slot, str]] = []
        self._cases: list[dict[Slot, str]] = []
        self._case: dict[Slot, str] = {}
        self._case_cut = False
        self._late: dict[Slot, str] = {}
        self._runs: list[EventRun] = []
        self.log: dict[Slot, str] = {}
        self._target = self.log
        self.declared: dict[str, dict[Slot, str]] = {"trace": {}, "event": {}}
        self.classifiers: dict[str, str] = {}
        self.traces = self.empty_traces = self.loose_events = 0

    def feed(self, data: bytes) -> list[EventRun]:
        """Take the next bytes, none at the end; the runs that are complete now.

        Raises
        ------
        BadInputError
            When this is no well-formed event log; names line and character.
        """
        try:
            self._parser.Parse(data, not data)
        except xml.parsers.expat.ExpatError as error:
            what = xml.parsers.expat.ErrorString(error.code) or str(error)
            raise BadInputError(
                f"{self._path}: line {error.lineno:,}, character {error.offset + 1:,}: {what}",
                "the file is not well-formed XML, or cut short: get it again from its origin",
            ) from error
        except (LookupError, UnicodeError, ValueError) as error:
            raise BadInputError(f"{self._path}: {error}", "write the log again in UTF-8") from error
        self._fed += len(data)
        if self._fed - self._parser.CurrentByteIndex > _LARGEST_TOKEN:
            raise self._wrong(f"a value of more than {_LARGEST_TOKEN:,} bytes", "leave that attribute out")
        if len(self.log) > _LOG_ATTRIBUTES:
            for slot in list(self.log)[_LOG_ATTRIBUTES:]:
                del self.log[slot]
        if not data:
            self._flush()
        runs, self._runs = self._runs, []
        return runs

    def _start(self, name: str, attributes: list[str]) -> None:
        if name not in _VALUED:
            self._structure(name, attributes)
            return
        if len(attributes) == 4 and attributes[0] == "key" and attributes[2] == "value":
            key, value = attributes[1], attributes[3]
        else:
            key, value = self._pair(name, attributes)
        outer = self._path_keys
        if outer:
            key = self._nested(key)
        outer.append(key)
        target = self._target
        slot = (name, key)
        if slot in target:
            self._twice(key)
        target[slot] = value

    def _end(self, name: str) -> None:
        if self._path_keys:
            self._path_keys.pop()
            return
        self._open.pop()
        if name == "event":
            self._end_event()
        elif name == "trace":
            self.empty_traces += not self._cases or self._cases[-1] is not self._case
            if self._late:
                raise self._wrong(
                    f"the attribute {next(iter(self._late))[1]!r} of a large case stands behind its first events",
                    "write the attributes of a case in front of its events",
                )
            self._case = {}
            self._target = self.log
            index = self._parser.CurrentByteIndex
            if index - self._run_began >= self._run_bytes or len(self._rows) >= self._most_rows():
                self._flush()
        elif name == "global":
            self._target = self.log

    def _end_event(self) -> None:
        self._rows.append(self._target)
        self._cases.append(self._case)
        # a case that is far larger than a run is cut: later attributes of it could not reach its first events
        index = self._parser.CurrentByteIndex
        if index - self._run_began >= 4 * self._run_bytes or len(self._rows) >= 4 * self._most_rows():
            self._flush()
            self._case_cut = True
        inside = self._late if self._case_cut else self._case
        self._target = inside if self._open[-1] == "trace" else self.log

    def _structure(self, name: str, attributes: list[str]) -> None:
        """Elements that are no simple attribute."""
        prefix, _, local = name.rpartition(":")
        inside = self._open[-1] if self._open else ""
        if prefix and local in (*_VALUED, "log", "trace", "event", "list", "container", "global"):
            raise self._wrong(f"the element <{name}> has a prefix", "declare the XES namespace as the default one")
        if not inside and name != "log":
            raise self._wrong(f"the document is a <{name}>, not an event <log>", "is it an XES file?")
        if name in ("list", "container"):
            self._begin_nested(name, attributes)
            return
        if inside in ("trace", "event") and not (inside == "trace" and name == "event"):
            raise self._wrong(f"an unknown element <{name}> in an {inside}", "XES has no such element")
        self._open.append(name)
        if name == "event":
            self.loose_events += inside != "trace"
            if inside != "trace":
                self._case = {}
            self._target = {}
        elif name == "trace":
            self.traces += 1
            self._case_cut = False
            self._target = self._case = {}
        elif name in ("global", "classifier"):
            self._describe(name, dict(zip(attributes[::2], attributes[1::2], strict=True)))

    def _describe(self, name: str, given: dict[str, str]) -> None:
        if name == "classifier":
            if len(self.classifiers) < _LOG_ATTRIBUTES:
                self.classifiers[given.get("name", "")] = given.get("keys", "")
        else:
            self._target = self.declared.setdefault(given.get("scope", "event"), {})

    def _begin_nested(self, name: str, attributes: list[str]) -> None:
        key = dict(zip(attributes[::2], attributes[1::2], strict=True)).get("key")
        if key is None:
            raise self._wrong(f"a <{name}> without a key", "every attribute needs a key")
        if self._path_keys:
            key = self._nested(key)
        if name == "container":
            self._path_keys.append(key)
            return
        self._list_slot = ("list", key)
        self._list = [[]]
        self._parser.StartElementHandler = self._start_in_list
        self._parser.EndElementHandler = self._end_in_list
        self._open.append(name)

    def _start_in_list(self, name: str, attributes: list[str]) -> None:
        self._open.append(name)
        if len(self._list) > _DEEPEST:
            raise self._wrong(f"attributes nested more than {_DEEPEST} deep", "flatten them before")
        if name == "values":
            self._list.append(self._list[-1])
            return
        item: dict[str, Any] = {"type": name, **dict(zip(attributes[::2], attributes[1::2], strict=True))}
        self._list[-1].append(item)
        self._list.append(item.setdefault("children", []))

    def _end_in_list(self, name: str) -> None:
        del name
        self._open.pop()
        items = self._list.pop()
        if self._list:
            return
        if self._list_slot in self._target:
            self._twice(self._list_slot[1])
        self._target[self._list_slot] = json.dumps(_without_empty(items), ensure_ascii=False)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def _pair(self, name: str, attributes: list[str]) -> tuple[str, str]:
        given = dict(zip(attributes[::2], attributes[1::2], strict=True))
        if "key" not in given or "value" not in given:
            raise self._wrong(f"a <{name}> without a key or a value", "every attribute needs both")
        return given["key"], given["value"]

    def _nested(self, key: str) -> str:
        if len(self._path_keys) >= _DEEPEST:
            raise self._wrong(f"attributes nested more than {_DEEPEST} deep", "flatten them before")
        return f"{self._path_keys[-1]}.{key}"

    def _twice(self, key: str) -> None:
        if self._open[-1] in ("trace", "event") or (self._open[-1] == "list" and "trace" in self._open):
            raise self._wrong(f"the key {key!r} occurs twice in one {self._open[-1]}", "only one value could be kept")

    def _doctype(self, *declaration: Any) -> None:
        del declaration
        raise self._wrong("a document type declaration; its entities could be of any size", "remove the <!DOCTYPE ...>")

    def _wrong(self, problem: str, remedy: str) -> BadInputError:
        return BadInputError(f"{self._path}: line {self._parser.CurrentLineNumber:,}: {problem}", remedy)

    def _most_rows(self) -> int:
        return max(64, _CELLS // max(1, len(self._slots)))

    def _flush(self) -> None:
        self._run_began = self._parser.CurrentByteIndex
        if not self._rows:
            return
        distinct = [c for i, c in enumerate(self._cases) if not i or c is not self._cases[i - 1]]
        run = EventRun(
            self._events + 1,
            len(self._rows),
            self._arrays(self._rows, self._rows, case=False),
            self._arrays(self._cases, distinct, case=True),
        )
        self._events += run.rows
        self._rows, self._cases = [], []
        self._runs.append(run)

    def _arrays(
        self, rows: Sequence[dict[Slot, str]], distinct: Sequence[dict[Slot, str]], *, case: bool
    ) -> dict[Slot, pa.Array]:
        import pyarrow as pa

        found: dict[Slot, str] = {}
        for row in distinct:
            found.update(row)
        for slot in found:
            self._slots[case, slot] = None
        if len(self._slots) > MAX_COLUMNS:
            check_column_count(self._path, len(self._slots))
        return {slot: pa.array([row.get(slot) for row in rows], pa.string()) for slot in found}


def _without_empty(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for item in items:
        children = item.pop("children")
        if children:
            item["children"] = _without_empty(children)
    return items
