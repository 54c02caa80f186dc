"""YAML that can't hurt: plain values only, each with its line, and hard limits on size and depth.

Manifests and policies may come from strangers. Aliases (which expand without bound), tags (which name Python types),
duplicate keys (of which one silently wins) and deep nesting (which overflows the C stack of libyaml) are refused.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError

LARGEST = 1 << 20
"""Bytes of a file, at most."""
DEEPEST = 50
"""Levels of nesting, at most."""


class YamlMap(dict[str, Any]):
    """A mapping that knows where it stands.

    Attributes
    ----------
    line : int
        Its first line, from 1.
    lines : dict of str to int
        The line of each key.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class YamlList(list[Any]):
    """A list that knows where it stands.

    Attributes
    ----------
    line : int
        Its first line, from 1.
    lines : list of int
        The line of each item.
    """

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def load_yaml(path: Path) -> YamlMap:
    """Read a file whose top level is a mapping.

    Raises
    ------
    BadInputError
        With file and line, when it can't be read, is too large or too deep, or uses what is refused.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}") from error
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes, where: str) -> YamlMap:
    """Parse bytes whose top level is a mapping; see `load_yaml`.

    Examples
    --------
    >>> parse_yaml(b"{a: 1, b: [x, yes]}", "example")
    {'a': 1, 'b': ['x', True]}
    """
    if len(data) > LARGEST:
        raise BadInputError(f"{where} has more than {LARGEST:,} bytes, the limit for such a file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise fault(where, line, f"byte {error.start} is not UTF-8") from error
    import yaml

    try:
        value = _Builder(where).build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(p for p in (error.context, error.problem) if p)
        raise fault(where, mark.line + 1 if mark else 1, problem) from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise fault(where, line, str(error).splitlines()[0]) from None
    except RecursionError:
        raise fault(where, 1, f"more than {DEEPEST} levels") from None
    if not isinstance(value, YamlMap):
        raise fault(where, 1, "the top level must be a mapping, as in `key: value`")
    return value


def fault(where: str, line: int, problem: str, remedy: str = "") -> BadInputError:
    """An error that names file and line."""
    return BadInputError(f"{where}, line {line}: {problem}", remedy)


def check_keys(mapping: YamlMap, allowed: Sequence[str], where: str) -> None:
    """Refuse the first key that is not allowed, by its line."""
    for key in mapping:
        if key not in allowed:
            raise fault(where, mapping.lines[key], f"unknown key {key!r}", f"known keys: {', '.join(allowed)}")


@functools.cache
def _scalars() -> Any:
    """The safe loader's own reading of plain scalars; the one in Python, which takes an event without a parser."""
    import yaml

    return yaml.SafeLoader("")


class _Builder:
    """Builds values from the parser's events, so that nothing is composed before it is checked."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._events: Any = iter(())

    def build(self, text: str) -> Any:
        import yaml
        from yaml.events import DocumentEndEvent, DocumentStartEvent, StreamEndEvent

        # events only, which libyaml makes without recursion and twenty times as fast; what is too deep ends the reading
        self._events = yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        next(self._events)
        start = next(self._events)
        if not isinstance(start, DocumentStartEvent):
            raise fault(self._where, 1, "the file is empty")
        value = self._value(next(self._events), 1)
        end = next(self._events)
        assert isinstance(end, DocumentEndEvent)
        after = next(self._events)
        if not isinstance(after, StreamEndEvent):
            raise fault(self._where, after.start_mark.line + 1, "a second document begins; one is allowed")
        return value

    def _value(self, event: Any, depth: int) -> Any:
        from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            raise fault(self._where, line, f"the alias *{event.anchor} is not allowed; write the value out")
        if getattr(event, "anchor", None):
            raise fault(self._where, line, f"the anchor &{event.anchor} is not allowed")
        if getattr(event, "tag", None):
            raise fault(self._where, line, f"the tag {event.tag} is not allowed; plain values only")
        if depth > DEEPEST:
            raise fault(self._where, line, f"more than {DEEPEST} levels")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, line)
        if isinstance(event, MappingStartEvent):
            return self._mapping(line, depth)
        assert isinstance(event, SequenceStartEvent)
        return self._sequence(line, depth)

    def _mapping(self, line: int, depth: int) -> YamlMap:
        from yaml.events import MappingEndEvent, ScalarEvent

        out = YamlMap(line)
        while not isinstance(event := next(self._events), MappingEndEvent):
            at = event.start_mark.line + 1
            if not isinstance(event, ScalarEvent) or event.anchor or event.tag:
                self._value(event, depth + 1)
                raise fault(self._where, at, "a key must be plain text")
            if event.value in out:
                raise fault(
                    self._where, at, f"the key {event.value!r} is there twice; first in line {out.lines[event.value]}"
                )
            out.lines[event.value] = at
            out[event.value] = self._value(next(self._events), depth + 1)
        return out

    def _sequence(self, line: int, depth: int) -> YamlList:
        from yaml.events import SequenceEndEvent

        out = YamlList(line)
        while not isinstance(event := next(self._events), SequenceEndEvent):
            out.lines.append(event.start_mark.line + 1)
            out.append(self._value(event, depth + 1))
        return out

    def _scalar(self, event: Any, line: int) -> Any:
        from yaml.nodes import ScalarNode

        loader = _scalars()
        tag = loader.resolve(ScalarNode, event.value, event.implicit)
        kind = tag.rsplit(":", 1)[-1]
        # 12:30 is a text to everyone but YAML 1.1, to which it is 750; dates stay texts as well.
        if kind in ("merge", "timestamp", "binary", "value") or (kind in ("int", "float") and ":" in event.value):
            return event.value
        try:
            return loader.yaml_constructors[tag](loader, ScalarNode(tag, event.value))
        except ValueError as error:
            raise fault(self._where, line, f"{event.value!r} is no {kind}") from error
