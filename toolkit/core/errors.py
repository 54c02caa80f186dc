"""Errors that reach a person, each with the exit code of the command contract."""

from __future__ import annotations


class ToolkitError(Exception):
    """An error with a message made for a person and an exit code.

    Parameters
    ----------
    message : str
        What failed, the value, the limit.
    remedy : str, optional
        How to go on; printed on a line of its own.
    """

    exit_code = 3

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class UsageError(ToolkitError):
    """A command or a call was used in a way that it does not take."""

    exit_code = 2


class BadInputError(ToolkitError):
    """The data, a manifest or a policy is wrong; the message names file, line or byte."""

    exit_code = 2


class NotUtf8Error(BadInputError):
    """A text whose encoding was not named has bytes that are not UTF-8."""


class MissingExtraError(BadInputError):
    """An optional dependency is needed and not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs an optional dependency that is not installed",
            f"install it with: pip install 'fullscan-toolkit[{extra}]'",
        )


class DamagedStoreError(ToolkitError):
    """A store's content does not match its digests.

    Parameters
    ----------
    message, remedy : str
        See `ToolkitError`.
    column : str, optional
        The column that is damaged; empty for the store as a whole.
    chunk : int, optional
        The chunk of it; None for its categories.
    """

    def __init__(self, message: str, remedy: str = "", column: str = "", chunk: int | None = None) -> None:
        super().__init__(message, remedy)
        self.column = column
        self.chunk = chunk


class BudgetError(ToolkitError):
    """The budget does not allow what was asked."""

    exit_code = 4
