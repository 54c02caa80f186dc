"""What a person says of columns beside the data: their kinds, units of measure and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError
from toolkit.core.schema import KINDS, NUMERIC_KINDS, ROLES
from toolkit.govern.safe_yaml import YamlMap, load_yaml

DECLARABLE = tuple(k for k in KINDS if k not in ("null", "binary", "duration"))
"""Kinds that text can be read as."""

MEASURED = NUMERIC_KINDS | {"decimal"}
"""Kinds whose values may have a unit of measure; the unit of times is found from their values."""

_FIELDS = ("kind", "unit", "role")
_LONGEST_UNIT = 32
_SHAPE = "such as: zip: string, or: price: {kind: float, unit: EUR, role: measure}"


class Declared(dict[str, dict[str, str]]):
    """Fields by name of column: ``kind``, ``unit`` and ``role``, those that were given.

    Attributes
    ----------
    places : dict of str to str
        File and line of each column, as the beginning of an error; no part of what is declared.
    """

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, str] = {}

    def of(self, field: str) -> dict[str, str]:
        """One field of the columns that have it."""
        return {name: fields[field] for name, fields in self.items() if field in fields}

    def place(self, name: str) -> str:
        """File and line of a column, where there is a file, as the beginning of an error."""
        return self.places.get(name, "")

    def check_names(self, known: Iterable[str], what: str) -> None:
        """Refuse a column that the table does not have.

        Raises
        ------
        BadInputError
            Naming file and line.
        """
        names = list(known)
        for name in self:
            if name not in names:
                shown = ", ".join(map(repr, names[:30]))
                raise BadInputError(f"{self.place(name)}{what} has no column {name!r}", f"its columns: {shown}")

    def check_kind(self, name: str, kind: str) -> None:
        """Refuse a unit of measure where the values turned out to be no numbers.

        Raises
        ------
        BadInputError
            Naming file and line.
        """
        if "unit" in self.get(name, {}) and kind not in (*MEASURED, "null"):
            raise BadInputError(
                f"{self.place(name)}column {name!r} is {kind}, and has no unit of measure",
                "leave the unit out; that of times is found from their values",
            )


def read_types(path: Path) -> Declared:
    """Read a YAML file that maps names of columns to a kind, or to ``kind``, ``unit`` and ``role``.

    Raises
    ------
    BadInputError
        When something in it is not known; names file and line.
    """
    return declare(load_yaml(path), str(path))


def declare(given: Mapping[str, Any], source: str = "") -> Declared:
    """Check what is said of columns.

    Parameters
    ----------
    given : mapping
        By name of column, a kind or a mapping with some of ``kind``, ``unit`` and ``role``.
    source : str
        The file that it comes from, for errors.

    Raises
    ------
    BadInputError
        When a field, a kind, a role or a unit is not known.
    """
    out = Declared()
    for name, value in sorted(given.items()):
        out.places[name] = _place(source, given, name)
        if not isinstance(value, str | Mapping) or not value:
            raise BadInputError(f"{out.places[name]}column {name!r}: neither a kind nor fields", _SHAPE)
        fields = {"kind": value} if isinstance(value, str) else value
        for field, word in fields.items():
            _check(_place(source, value, field) or out.places[name], name, field, word)
        out[name] = dict(fields)
        out.check_kind(name, fields.get("kind", "float"))
    return out


def _place(source: str, given: Any, key: str) -> str:
    """File and line of a key, as the beginning of an error; empty where there is no file."""
    return f"{source}, line {given.lines[key]}: " if source and isinstance(given, YamlMap) else ""


def _check(where: str, name: str, field: Any, word: Any) -> None:
    known = {"kind": DECLARABLE, "role": ROLES}
    if field not in _FIELDS:
        raise BadInputError(f"{where}column {name!r}: unknown field {field!r}", f"known: {', '.join(_FIELDS)}")
    if not isinstance(word, str):
        raise BadInputError(f"{where}column {name!r}: {field} is not a word", _SHAPE)
    if field in known and word not in known[field]:
        what = "type" if field == "kind" else field
        raise BadInputError(
            f"{where}column {name!r}: unknown {what} {word!r}", f"known {what}s: {', '.join(known[field])}"
        )
    if field == "unit" and (not word.strip() or not word.isprintable() or len(word) > _LONGEST_UNIT):
        raise BadInputError(
            f"{where}column {name!r}: {word!r} is no unit",
            f"write it in 1 to {_LONGEST_UNIT} printable characters, such as EUR or km/h",
        )
