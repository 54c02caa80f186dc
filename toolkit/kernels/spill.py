"""Arrays on disk that a state outgrows memory with: one file without a name, gone with the process that wrote it."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from toolkit.core.errors import ToolkitError


class Stored(NamedTuple):
    """Where an array lies.

    Attributes
    ----------
    offset : int
        First byte in the file.
    size : int
        Elements.
    dtype : dtype
        Of each.
    """

    offset: int
    size: int
    dtype: np.dtype[Any]


class Spill:
    """Keeps arrays in a file.

    Parameters
    ----------
    folder : Path, optional
        Where the file is made, when there is something to write; the system's folder for temporary files by default.

    Examples
    --------
    >>> with Spill() as spill:
    ...     kept = spill.write(np.arange(10))
    ...     spill.read(kept, 3, 6).tolist()
    [3, 4, 5]
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._held = ExitStack()
        self._file: int | None = None
        self.nbytes = 0
        """Bytes written so far."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back the space."""
        self._held.close()
        self._file = None

    def write(self, array: npt.NDArray[Any]) -> Stored:
        """Keep an array of one dimension.

        Raises
        ------
        ToolkitError
            When the disk does not take it.
        """
        place = Stored(self.nbytes, array.size, array.dtype)
        rest = np.ascontiguousarray(array).view(np.uint8).data
        try:
            while rest:
                done = os.pwrite(self._opened(), rest, self.nbytes)
                self.nbytes += done
                rest = rest[done:]
        except OSError as error:
            folder = self._folder or tempfile.gettempdir()
            raise ToolkitError(
                f"the disk does not take {self.nbytes + len(rest):,} bytes of values that don't fit in memory, in "
                f"{folder}: {os.strerror(error.errno or 0)}",
                "free some space, or name another folder with --appdata",
            ) from error
        return place

    def read(self, place: Stored, start: int = 0, stop: int | None = None) -> npt.NDArray[Any]:
        """Elements of a kept array from ``start`` to before ``stop``."""
        size = (place.size if stop is None else stop) - start
        out = np.empty(size, place.dtype)
        if not size:
            return out
        rest, at = out.view(np.uint8).data, place.offset + start * place.dtype.itemsize
        while rest:
            done = 0 if self._file is None else os.preadv(self._file, [rest], at)
            if not done:
                raise ToolkitError("a temporary file is shorter than what was written to it", "run it again")
            at += done
            rest = rest[done:]
        return out

    def _opened(self) -> int:
        if self._file is None:
            file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115  closed by the stack
            self._file = self._held.enter_context(file).fileno()
        return self._file
