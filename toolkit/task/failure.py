"""Errors as data: what failed, in words that are the same wherever the task ran."""

from __future__ import annotations

import re
import traceback
from dataclasses import asdict, dataclass, field
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
        Whether the store is damaged, which ends the whole run.
    trace : list of str
        Last lines of the traceback, for a log; never part of a report.
    """

    type: str
    message: str
    remedy: str = ""
    where: str = ""
    damaged: bool = False
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
        """Read what `to_json` wrote."""
        return cls(**value)


def describe(error: BaseException, folder: Path | None = None) -> Failure:
    """An error as data.

    Parameters
    ----------
    error : BaseException
        With its traceback.
    folder : Path, optional
        The plugin's, to say at which of its lines the error arose.
    """
    known = isinstance(error, ToolkitError)
    message = error.message if isinstance(error, ToolkitError) else str(error)
    message = _ADDRESS.sub("0x...", " ".join(message.split()))
    if len(message) > _LONGEST:
        message = message[:_LONGEST] + "..."
    lines = "".join(traceback.format_exception(error)).splitlines()
    return Failure(
        type=type(error).__name__,
        message=message or "no message",
        remedy=error.remedy if isinstance(error, ToolkitError) else "",
        where="" if known and folder is None else _place(error, folder),
        damaged=isinstance(error, DamagedStoreError),
        trace=lines[-_TRACE_LINES:],
    )


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
