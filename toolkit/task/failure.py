"""Errors as data: what failed, in words that are the same wherever the task ran."""

from __future__ import annotations

import re
import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from toolkit.core.errors import DamagedStoreError, ToolkitError

_LONGEST = 500
_TRACE_LINES = 20
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a task gave no result.

    Attributes
    ----------
    type : str
        Name of the error's class.
    message : str
        What it says; without addresses of objects, which differ from process to process.
    remedy : str
        What to do about it, where the error knows.
    where : str
        File and line in the plugin's folder, such as ``plugin.py, line 12``.
    damaged : bool
        Whether the store is said to be damaged; when it is, the whole run ends.
    column : str
        The column that is said to be; empty for the whole store.
    chunk : int or None
        The chunk of it; None for its categories.
    trace : list of str
        Last lines of the traceback, for a log; never part of a report.
    """

    type: str
    message: str
    remedy: str = ""
    where: str = ""
    damaged: bool = False
    column: str = ""
    chunk: int | None = None
    trace: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """One plain sentence for a report."""
        place = f" ({self.where})" if self.where else ""
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.type}: {self.message}{place}{remedy}"

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Failure:
        """Read what `to_json` wrote, cut to the lengths that it keeps to.

        Raises
        ------
        TypeError, ValueError
            When it is something else: it comes from a process that may have sent anything.
        """
        made = cls(**value)
        texts = (made.type, made.message, made.remedy, made.where, made.column, *made.trace)
        if not all(isinstance(t, str) for t in texts) or not isinstance(made.damaged, bool):
            raise ValueError("this is no failure")
        if made.chunk is not None and type(made.chunk) is not int:
            raise ValueError("this is no failure")
        return replace(
            made,
            type=made.type[:_LONGEST],
            message=made.message[: _LONGEST + 3],
            remedy=made.remedy[:_LONGEST],
            where=made.where[:_LONGEST],
            trace=[line[:_LONGEST] for line in made.trace[-_TRACE_LINES:]],
        )


def describe(error: BaseException, folder: Path | None = None, scratch: str = "") -> Failure:
    """An error as data.

    Parameters
    ----------
    error : BaseException
        With its traceback.
    folder : Path, optional
        The plugin's, to say at which of its lines the error arose.
    scratch : str, optional
        The task's, whose name is another one in each run and so is left out of the message.
    """
    known = isinstance(error, ToolkitError)
    message = _said(error)
    if scratch:
        message = message.replace(scratch, "scratch")
    message = _ADDRESS.sub("0x...", _printable(" ".join(message.split())))
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "..."
    lines = [_printable(line) for line in "".join(traceback.format_exception(error)).splitlines()]
    return Failure(
        type=type(error).__name__,
        message=message or "no message",
        remedy=_printable(str(error.remedy)) if isinstance(error, ToolkitError) else "",
        where="" if known and folder is None else _place(error, folder),
        damaged=isinstance(error, DamagedStoreError),
        column=error.column if isinstance(error, DamagedStoreError) else "",
        chunk=error.chunk if isinstance(error, DamagedStoreError) else None,
        trace=lines[-_TRACE_LINES:],
    )


def _said(error: BaseException) -> str:
    """The error's text; an error of a plugin may have none to give."""
    try:
        return str(error.message if isinstance(error, ToolkitError) else str(error))
    except Exception as other:  # noqa: BLE001  its own code
        return f"its text can't be had: {type(other).__name__}"


def _printable(text: str) -> str:
    """Text with what a terminal or an encoder would stumble over written as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _place(error: BaseException, folder: Path | None) -> str:
    if folder is None:
        return ""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder):
            return f"{path.relative_to(folder).as_posix()}, line {frame.lineno}"
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(folder):
        return f"{Path(error.filename).relative_to(folder).as_posix()}, line {error.lineno}"
    return ""
