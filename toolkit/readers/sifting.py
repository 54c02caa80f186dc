"""Bad records of delimited text told apart from good ones, so that the good ones can be taken."""

from __future__ import annotations

from collections.abc import Iterator

from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, Rejected
from toolkit.readers.records import RecordCutter, count_lines

MOST_REJECTED = 100_000
"""Bad records of one part; more of them mean that the file is of another kind than it was taken for."""


def sift(part: Part, cutter: RecordCutter, width: int, first: str = "the header") -> tuple[bytes, list[Rejected]]:
    """Go through a part record by record.

    Parameters
    ----------
    part : Part
        Its payload's ``text`` is the block.
    cutter : RecordCutter
        What a well-formed record is.
    width : int
        Fields that a record has to have.
    first : str
        What says so, for a person.

    Returns
    -------
    tuple of bytes and list of Rejected
        The good records, untouched and in order, and the bad ones.

    Raises
    ------
    BadInputError
        When there are more than `MOST_REJECTED` bad ones.
    """
    good: list[bytes] = []
    bad: list[Rejected] = []
    line = part.line
    for record, whole in _records(part.payload.text, cutter):
        problem = _problem(record, cutter, width, first) if whole else "its quotes are out of place"
        if problem:
            bad.append(Rejected(line, problem, record))
            if len(bad) > MOST_REJECTED:
                raise BadInputError(
                    f"more than {MOST_REJECTED:,} bad records from line {part.line} on",
                    "is it delimited text, with the delimiter and quotes that were found?",
                )
        else:
            good.append(record)
        line += count_lines(record)
    return b"".join(good), bad


def _records(block: bytes, cutter: RecordCutter) -> Iterator[tuple[bytes, bool]]:
    """Records and whether they are well-formed; one that is not ends with its line."""
    block = block if block.endswith((b"\n", b"\r")) else block + b"\n"
    at = 0
    while at < len(block):
        rest = block[at:] if at else block
        for record in cutter.records(rest):
            at += len(record)
            yield record, True
        if at < len(block):
            end = block.find(b"\n", at) + 1 or len(block)
            yield block[at:end], False
            at = end


def _problem(record: bytes, cutter: RecordCutter, width: int, first: str) -> str:
    if b"\x00" in record:
        return "it has a NUL byte"
    try:
        record.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"byte {error.start} of it, 0x{record[error.start]:02x}, is not UTF-8"
    if not record.strip(b"\r\n"):
        return ""
    count = len(cutter.fields(record))
    return "" if count == width else f"{count} {'field' if count == 1 else 'fields'} where {first} has {width}"
