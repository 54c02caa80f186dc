"""The values of a column of few different ones, as codes: of coded text its own, of other columns in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.core.strings import StringBlock
from toolkit.plugin.context import Context
from toolkit.plugin.eventlog.columns import dictionary_of
from toolkit.plugin.result import Skip

MOST = 131_072
"""Different values that a column can have."""

Ints = npt.NDArray[np.int64]


class Labels:
    """Codes of a column's values; a table of few rows is not coded by itself, however few values it has.

    Parameters
    ----------
    ctx : Context
        The table; read once where the column is not coded.
    name : str
        A column of text, whole numbers or bools.

    Attributes
    ----------
    names : list of str
        The values, ascending.

    Raises
    ------
    Skip
        When there are too many.
    """

    def __init__(self, ctx: Context, name: str) -> None:
        self.name = name
        self._coded = ctx.schema[name].encoding == "coded"
        self._values: list[Any] = []
        if self._coded:
            self.names = [str(value) for value in ctx.categories(name)[:-1].tolist()]
            return
        found: set[Any] = set()
        for chunk in ctx.chunks([name]):
            values, places = _distinct(chunk.data(name).values)
            present = np.unique(places[chunk.valid(name)])
            found.update(values[place] for place in present.tolist())
            if len(found) > MOST:
                raise Skip(f"column {name!r} has more than {MOST:,} different values", "name another column")
        self._values = sorted(found)
        self.names = [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in self._values]

    def __len__(self) -> int:
        return len(self.names)

    def codes(self, values: Any, present: npt.NDArray[np.bool_]) -> Ints:
        """The code of each value, -1 where it is missing; shape (rows,).

        Parameters
        ----------
        values : ndarray or StringBlock
            As they are stored.
        present : ndarray of bool, shape (rows,)
            Which of them are there.
        """
        if self._coded:
            return np.asarray(values, np.int64)
        known = {value: code for code, value in enumerate(self._values)}
        distinct, places = _distinct(values)
        codes = np.array([known.get(value, -1) for value in distinct] or [-1], np.int64)
        return np.where(present, codes[places] if len(distinct) else -1, -1)


def _distinct(values: Any) -> tuple[list[Any], Ints]:
    """The different values, and the place of each row's among them."""
    if isinstance(values, StringBlock):
        coded = dictionary_of(values)
        return coded.dictionary.to_pylist(), np.asarray(coded.indices, np.int64)
    found, places = np.unique(values, return_inverse=True)
    return found.tolist(), places.astype(np.int64)
