"""Delimited text read character by character: slow, plain, and the judge of the quick code."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Reading:
    """What the automaton saw.

    `ends` are the positions behind whole records, `rows` their raw fields, `well_formed` is False where text stands
    behind a closing quote, `structural` is False where a quote stands inside a field without quotes.
    """

    ends: list[int] = field(default_factory=list)
    rows: list[list[bytes]] = field(default_factory=list)
    well_formed: bool = True
    structural: bool = True


def read(data: bytes, delimiter: bytes = b",", quote: bytes = b'"') -> Reading:
    """Read text; stops at what is not well-formed. A return at the very end does not end a record yet."""
    out = Reading()
    state, start, row, at = "start", 0, [], 0
    while at < len(data):
        char = data[at : at + 1]
        if state == "quoted":
            state = "closed" if char == quote else "quoted"
        elif (char == quote and state == "closed") or (char == quote and state == "start"):
            state = "quoted"
        elif char == delimiter:
            row.append(data[start:at])
            state, start = "start", at + 1
        elif char in (b"\n", b"\r"):
            if char == b"\r" and at + 1 == len(data):
                return out
            row.append(data[start:at])
            if data[at : at + 2] == b"\r\n":
                at += 1
            out.rows.append(row)
            out.ends.append(at + 1)
            state, start, row = "start", at + 1, []
        elif state == "closed":
            out.well_formed = False
            return out
        else:
            out.structural = out.structural and char != quote
            state = "bare"
        at += 1
    return out
