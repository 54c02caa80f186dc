"""The protocol that an input format implements, and how the reader of a file is found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from toolkit.core.errors import BadInputError
from toolkit.core.registry import Registry
from toolkit.readers.options import ReaderOption

if TYPE_CHECKING:
    import pyarrow as pa

HEAD_BYTES = 1 << 16
"""Bytes from the beginning of a file by which its format is recognised."""

MAX_COLUMNS = 20_000
"""Widest table that is taken; every column is a folder of the store."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the person said about the source.

    Attributes
    ----------
    encoding : str
        Text encoding; UTF-8 when empty.
    part_bytes : int
        Source bytes to hand out at a time; bounds memory.
    quarantine : bool
        Whether bad records are left out and handed over, and are no error, where the format can tell them apart.
    format : dict
        Further options of one format, such as ``delimiter``: those that its reader says it takes.
    """

    encoding: str = ""
    part_bytes: int = 16 << 20
    quarantine: bool = False
    format: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NumberForm:
    """How numbers are written in a text, where that is not the usual way.

    Attributes
    ----------
    decimal : str
        What stands in front of the fraction.
    thousands : str
        What stands between groups of three digits; empty where nothing does.
    """

    decimal: str = "."
    thousands: str = ""


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column as the source declares it.

    Attributes
    ----------
    name : str
        Its name.
    declared : str
        The source's own type, as text; empty where the source has none.
    infer : bool
        Whether its values are text whose type is to be found out.
    numbers : NumberForm, optional
        How numbers are written in that text; the usual way when None.
    """

    name: str
    declared: str = ""
    infer: bool = False
    numbers: NumberForm | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that can't be part of the table.

    Attributes
    ----------
    line : int
        Line of the source at which it begins, from 1.
    reason : str
        What is wrong with it.
    record : bytes
        The whole record as it stands in the source.
    """

    line: int
    reason: str
    record: bytes


@dataclass(slots=True)
class Part:
    """A run of rows of the source, not parsed yet.

    Attributes
    ----------
    index : int
        Its number, from 0.
    payload : object
        What `Source.parse` needs.
    line : int
        Line, record or row of the source at which it begins, from 1.
    offset : int
        Byte of the decompressed source at which it begins, where that has a meaning.
    mark : str
        Tells this part's content from any other's: two parts with one mark, from one place, hold the same.
    rejected : list of Rejected
        Bad records that `Source.parse` left out, where `ReadOptions.quarantine` asks for it.
    """

    index: int
    payload: Any
    line: int
    offset: int = 0
    mark: str = ""
    rejected: list[Rejected] = field(default_factory=list)


class ReadAgain(Exception):  # noqa: N818  it is no error
    """The source has learnt something about itself and is to be read again from its beginning.

    Raised by `Source.parse`, at most once.
    """


class Source(Protocol):
    """One open table."""

    columns: Sequence[SourceColumn]
    options: dict[str, Any]
    notes: list[str]

    def parts(self) -> Iterator[Part]:
        """Read the source from its beginning; called on one thread at a time, and again for a second pass."""

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Parse some columns of a part; called from several threads.

        Columns with ``infer`` come as ``pyarrow.string``, others in Arrow's type of them.

        Raises
        ------
        BadInputError
            Naming file, line or byte, and what is wrong.
        """

    def fingerprint(self) -> str:
        """SHA-256 of the source's bytes, known after all parts were read."""

    def progress(self) -> tuple[int, int]:
        """Bytes of the source read so far, and in all."""

    def close(self) -> None:
        """Let go of files."""


@runtime_checkable
class Reader(Protocol):
    """One input format."""

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    takes: ClassVar[tuple[ReaderOption, ...]]

    def sniff(self, head: bytes) -> bool:
        """Whether a file that begins like this is of the format for certain."""

    def open(self, path: Path, options: ReadOptions) -> Source:
        """Open a file.

        Raises
        ------
        BadInputError
            When it can't be read as this format.
        """


readers: Registry[Reader] = Registry("input format", package="toolkit.readers")

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")


def find_reader(path: Path, head: bytes) -> Reader:
    """The reader of a file: by its content where that is certain, else by its suffix.

    Raises
    ------
    BadInputError
        When no format claims the file.
    """
    known = readers.all()
    for reader in known.values():
        if reader.sniff(head):
            return reader
    name = path.name.lower()
    for compression in COMPRESSIONS:
        name = name.removesuffix(compression)
    for reader in known.values():
        if name.endswith(reader.suffixes):
            return reader
    suffixes = sorted(s for r in known.values() for s in r.suffixes)
    raise BadInputError(
        f"{path}: the format is not known",
        f"known suffixes: {', '.join(suffixes)}; else name it, as in --reader delimited",
    )


def check_column_count(path: Path, count: int) -> None:
    """Refuse a table that is wider than the store takes.

    Raises
    ------
    BadInputError
        Naming the number and the limit.
    """
    if count > MAX_COLUMNS:
        raise BadInputError(
            f"{path}: {count:,} columns; at most {MAX_COLUMNS:,} are taken",
            "name the ones you need with --columns",
        )
