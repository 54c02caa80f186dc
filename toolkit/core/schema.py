"""Columns: their logical kinds, their units and how they are laid out in a store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from toolkit.core.digest import digest_value
from toolkit.core.errors import BadInputError

Kind = Literal["bool", "int", "float", "timestamp", "date", "time", "duration", "decimal", "string", "binary", "null"]
Encoding = Literal["plain", "coded", "long"]
Unit = Literal["", "s", "ms", "us", "ns", "D"]

KINDS: tuple[str, ...] = get_args(Kind)
NUMERIC_KINDS = frozenset({"int", "float"})
TIME_KINDS = frozenset({"timestamp", "date", "time", "duration"})
TEXT_KINDS = frozenset({"string", "binary", "decimal"})

ROLES = (
    "id", "key candidate", "category", "code", "flag", "measure", "timestamp", "duration", "event", "text",
    "case", "activity", "start", "end", "resource", "lifecycle",
)  # fmt: skip
"""What a person can say that a column is for; the last six are of event logs."""

EVENT_ROLES = ("case", "activity", "timestamp", "start", "end", "resource", "lifecycle")
"""What a column of an event log can be for; the first three are needed."""

_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*_?\Z")
_LONGEST_NAME = 160
_PREFIXES = frozenset({"e", "h"})


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of a table.

    Attributes
    ----------
    name : str
        The real name, any text.
    array : str
        Name of its arrays in the store: safe as a file name, unique also where case does not count.
    kind : str
        Logical kind, one of `KINDS`.
    dtype : str
        NumPy dtype of the stored values, such as ``"<i4"``; of the codes for coded text; ``"utf8"`` or ``"bytes"`` for
        long text and binary.
    nullable : bool
        Whether any value is missing; then the store has a validity array beside the values.
    encoding : str
        ``plain`` for numbers and times, ``coded`` for text through a sorted dictionary, ``long`` for other text.
    unit : str
        Unit of time kinds: ``s``, ``ms``, ``us``, ``ns`` or ``D``.
    timezone : str
        ``"UTC"`` for instants, empty for naive local times.
    scale : int
        Digits behind the decimal point of a decimal column; its values are stored as canonical text.
    categories : int
        Number of distinct values of coded text.
    role : str
        What the column is for, when somebody said so, one of `ROLES`; part of the store's key, and not of the schema's
        identity.
    measure : str
        Unit of measure of numbers, such as ``EUR``, when somebody said so.
    """

    name: str
    array: str
    kind: Kind
    dtype: str
    nullable: bool = False
    encoding: Encoding = "plain"
    unit: Unit = ""
    timezone: str = ""
    scale: int = 0
    categories: int = 0
    role: str = ""
    measure: str = ""

    @property
    def identity(self) -> list[Any]:
        """What the schema's digest is over: name, logical kind, unit (of measure, for numbers), zone and scale."""
        return [self.name, self.kind, self.unit or self.measure, self.timezone, self.scale]

    def to_json(self) -> dict[str, Any]:
        """Plain values, without those that are at their defaults."""
        return {k: v for k, v in asdict(self).items() if v not in ("", 0, False) or k in ("name", "array")}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ColumnSpec:
        """Read what `to_json` wrote.

        Raises
        ------
        BadInputError
            When a field is unknown or of the wrong kind.
        """
        try:
            spec = cls(**value)
        except TypeError as error:
            raise BadInputError(f"a column's description can't be read: {error}") from error
        if spec.kind not in KINDS or spec.encoding not in get_args(Encoding) or spec.unit not in get_args(Unit):
            raise BadInputError(f"column {spec.name!r} has an unknown kind, encoding or unit")
        return spec


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns of a table, in their order.

    Attributes
    ----------
    columns : tuple of ColumnSpec
        At least one.
    """

    columns: tuple[ColumnSpec, ...]
    _index: dict[str, ColumnSpec] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {c.name: c for c in self.columns})
        if len(self._index) != len(self.columns):
            raise BadInputError("two columns have one name")

    def __iter__(self) -> Iterator[ColumnSpec]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __getitem__(self, name: str) -> ColumnSpec:
        try:
            return self._index[name]
        except KeyError:
            known = ", ".join(map(repr, list(self._index)[:20]))
            raise BadInputError(f"there is no column {name!r}", f"columns: {known}") from None

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [c.name for c in self.columns]

    def select(self, names: Sequence[str] | None) -> list[ColumnSpec]:
        """The columns of those names, in that order; all of them for None."""
        return list(self.columns) if names is None else [self[n] for n in names]

    @property
    def schema_hash(self) -> str:
        """Digest over names, logical kinds, units and order: 64 hexadecimal digits."""
        return digest_value([c.identity for c in self.columns])


def array_names(names: Sequence[str]) -> list[str]:
    """Array names for columns: the column's own where it is a plain identifier, else an encoded one.

    A plain identifier has letters, digits and single underscores, begins with a letter and is neither ``e`` nor ``h``.
    Every other name, and one that differs from an earlier one only in case, becomes ``e__`` and its UTF-8 bytes, with
    ``_xx`` for all but lower-case letters and digits. As no array name has ``__`` behind its start, ``NAME__valid``
    can't clash with a column. A name too long for a file system becomes ``h__`` and the first half of its SHA-256.

    Examples
    --------
    >>> array_names(["price", "Price", "../x", "a__b"])
    ['price', 'e___50rice', 'e___2e_2e_2fx', 'e__a_5f_5fb']
    """
    taken: set[str] = set()
    out = []
    for name in names:
        array = name
        if len(name) > _LONGEST_NAME or not _PLAIN_NAME.match(name) or name.lower() in taken | _PREFIXES:
            array = encode_name(name)
        taken.add(array.lower())
        out.append(array)
    return out


def encode_name(name: str) -> str:
    """Encode any text as a safe file name; see `array_names`."""
    octets = name.encode("utf-8", "surrogatepass")
    safe = "".join(chr(b) if 48 <= b <= 57 or 97 <= b <= 122 else f"_{b:02x}" for b in octets)
    if len(safe) > _LONGEST_NAME:
        return "h__" + digest_value(name)[:32]
    return "e__" + safe


def decode_name(array: str) -> str | None:
    """The name that `encode_name` encoded; None for a digest, which only the metadata can resolve.

    Examples
    --------
    >>> decode_name(encode_name("../x Ü"))
    '../x Ü'
    """
    if array.startswith("h__"):
        return None
    if not array.startswith("e__"):
        return array
    octets = re.sub(rb"_([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), array[3:].encode())
    return octets.decode("utf-8", "surrogatepass")
