"""Arrays that a plugin lays out once and reads several times, without holding them in memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from toolkit.plugin.context import Context


class Shelf:
    """Arrays by name, to which more can be appended.

    Parameters
    ----------
    ctx : Context
        In whose scratch folder they are kept; in memory where there is none.

    Examples
    --------
    >>> class NoFolder:
    ...     scratch = None
    >>> shelf = Shelf(NoFolder())
    >>> shelf.append("rows", np.array([1, 2]))
    >>> shelf.append("rows", np.array([3]))
    >>> shelf.take("rows", np.int64).tolist()
    [1, 2, 3]
    """

    def __init__(self, ctx: Context) -> None:
        self._folder: Path | None = ctx.scratch
        self._held: dict[str, list[npt.NDArray[Any]]] = {}

    def append(self, name: str, values: npt.NDArray[Any]) -> None:
        """Add values behind those of that name."""
        if self._folder is None:
            self._held.setdefault(name, []).append(values)
            return
        with (self._folder / name).open("ab") as file:
            file.write(values.tobytes())

    def put(self, name: str, values: npt.NDArray[Any]) -> None:
        """Keep values in place of those of that name."""
        if self._folder is None:
            self._held[name] = [values]
        else:
            (self._folder / name).write_bytes(values.tobytes())

    def take(self, name: str, dtype: Any, *, last: bool = False) -> npt.NDArray[Any]:
        """All values of a name; they are given away the last time."""
        if self._folder is None:
            parts = self._held.pop(name, []) if last else self._held.get(name, [])
            return np.concatenate(parts) if parts else np.zeros(0, dtype)
        path = self._folder / name
        if not path.exists():
            return np.zeros(0, dtype)
        values = np.fromfile(path, dtype)
        if last:
            path.unlink()
        return values
