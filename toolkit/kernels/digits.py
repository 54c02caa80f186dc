"""First and last digits of numbers, exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from toolkit.core.chunk import Chunk
from toolkit.core.errors import UsageError
from toolkit.core.schema import NUMERIC_KINDS, ColumnSpec
from toolkit.kernels.base import Kernel, KernelRequest, State, StateClass, TableView
from toolkit.kernels.blocks import BLOCKS, block_pieces
from toolkit.kernels.coding import Coder
from toolkit.kernels.levels import Levels

DECIMALS = 6
"""Digits behind the point up to which a number counts as one that somebody wrote."""

_LONGEST = 10**15
"""Numbers of fewer digits than this has are told apart by doubles."""

_ROWS = 1 << 14
_POWERS = 10 ** np.arange(19, dtype=np.int64)

Integers = npt.NDArray[np.int64]


class Digits(Kernel):
    """First two digits, and last two digits, of the shortest decimal numbers that are read back as the values.

    The first column is the number; a second one, if there is one, gives groups by the kernel ``levels``. The sign is
    left out; zeros, NaN and infinities are only counted. First digits are those of every other value. Last digits are
    counted by the number of decimals that a value needs, 0 to 6, so that they can be read at the decimals that the
    column turns out to have: 1.5 in a column of amounts ends in 50. Values that need more than 6 decimals, or more than
    15 digits, have no last digits.

    Parameters of a request: ``levels``, how many groups there are at most; ``sign``: ``any``, or ``positive`` to leave
    out values below zero, which then are only counted.

    The state holds, all int64, ``first``, shape (64, 90), from 10 to 99 by block of rows; ``groups``, shape
    (groups + 1, 90), the same by group, the last for rows without one; ``last``, shape (64, 7, 100), by block and
    decimals; and the numbers of ``zeros``, ``negatives``, values that are not ``finite`` and those without last digits,
    ``long``.
    """

    name: ClassVar[str] = "digits"
    version: ClassVar[int] = 1
    state_class: ClassVar[StateClass] = "exact"
    references: ClassVar[tuple[str, ...]] = ("10.1214/ss/1177009869", "10.1198/000313007X223496")
    defaults: ClassVar[Mapping[str, Any]] = {"levels": 64, "sign": "any"}
    arity: ClassVar[int | None] = None

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        super().__init__(request, table)
        if len(request.columns) > 2:
            raise UsageError(f"kernel digits takes a number and a group, not {len(request.columns)} columns")
        if self.params["sign"] not in ("any", "positive"):
            raise UsageError(f"kernel digits takes sign: any or positive, not {self.params['sign']!r}")
        self._coder: Coder | None = None

    @classmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Numbers."""
        return spec.kind in NUMERIC_KINDS

    @classmethod
    def accepts_at(cls, spec: ColumnSpec, place: int) -> bool:
        """Numbers; as the second what the kernel ``levels`` takes."""
        return Levels.accepts(spec) if place == 1 else cls.accepts(spec)

    def requires(self) -> list[KernelRequest]:
        """The levels of the groups."""
        return [KernelRequest("levels", self.request.columns[1:], {"levels": self.params["levels"]})][: self._grouped]

    @property
    def _grouped(self) -> int:
        return len(self.request.columns) - 1

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the levels."""
        super().bind(inputs)
        if inputs:
            self._coder = Coder(self.table.schema[self.request.columns[1]], inputs[0])

    def init(self) -> State:
        """No values."""
        groups = self._coder.levels + 1 if self._coder is not None else 0
        return {
            "first": np.zeros((BLOCKS, 90), np.int64),
            "groups": np.zeros((groups, 90), np.int64),
            "last": np.zeros((BLOCKS, DECIMALS + 1, 100), np.int64),
            **dict.fromkeys(("zeros", "negatives", "infinite", "long"), 0),
        }

    def update(self, state: State, chunk: Chunk) -> State:
        """Count the digits of a chunk."""
        values, valid = chunk.raw(self.column), chunk.data(self.column).valid
        codes = self._coder.codes(chunk) if self._coder is not None else None
        leaf = self.init()
        for block, lo, hi in block_pieces(chunk.rows.start, chunk.rows.stop, self.table.grid.rows, _ROWS):
            part, chosen = values[lo:hi], codes if codes is None else codes[lo:hi]
            keep = (part != 0) & (np.isfinite(part) if part.dtype.kind == "f" else True)
            present = np.ones(part.size, bool) if valid is None else valid[lo:hi]
            leaf["zeros"] += int(np.count_nonzero((part == 0) & present))
            if part.dtype.kind == "f":
                leaf["infinite"] += int(np.count_nonzero(np.isinf(part) & present))
            part, chosen = part[keep & present], chosen if chosen is None else chosen[keep & present]
            if part.dtype.kind != "u":
                below = part < 0
                leaf["negatives"] += int(np.count_nonzero(below))
                if self.params["sign"] == "positive":
                    part, chosen = part[~below], chosen if chosen is None else chosen[~below]
            first, decimals, last = decimal_digits(part)
            leaf["first"][block] += np.bincount(first - 10, minlength=90)
            short = decimals >= 0
            leaf["long"] += int(np.count_nonzero(~short))
            cells = decimals[short] * 100 + last[short]
            leaf["last"][block] += np.bincount(cells, minlength=(DECIMALS + 1) * 100).reshape(-1, 100)
            if chosen is not None:
                cells = chosen.astype(np.intp) * 90 + first - 10
                leaf["groups"] += np.bincount(cells, minlength=leaf["groups"].size).reshape(-1, 90)
        return self.merge(state, leaf)

    def merge(self, left: State, right: State) -> State:
        """Add the counts."""
        return {name: left[name] + right[name] for name in left}

    def finish(self, state: State) -> dict[str, Any]:
        """Read the last digits at the column's decimals.

        Returns
        -------
        dict
            ``first_two``, int64, shape (90,), of 10 to 99; ``first_two_blocks``, shape (64, 90); ``first_two_groups``,
            shape (groups + 1, 90), or None, and ``groups``, the result of ``levels``; ``decimals``, the fewest that
            99 % of the values with last digits need; ``last_two``, shape (100,), at these decimals, with
            ``last_two_blocks``, shape (64, 100); of the values with more decimals there are ``finer``; ``zeros``,
            ``negatives``, ``infinite`` and ``long``.
        """
        needed = state["last"].sum(axis=(0, 2))
        reached = 100 * np.cumsum(needed) >= 99 * needed.sum()
        decimals = int(reached.argmax())
        last = state["last"][:, decimals].copy()
        if decimals >= 1:  # one decimal fewer: a zero follows the last digit
            tenths = state["last"][:, decimals - 1].reshape(BLOCKS, 10, 10).sum(axis=1)
            last[:, ::10] += tenths
        last[:, 0] += state["last"][:, : max(decimals - 1, 0)].sum(axis=(1, 2))
        return {
            "first_two": state["first"].sum(axis=0),
            "first_two_blocks": state["first"],
            "first_two_groups": state["groups"] if self._coder is not None else None,
            "groups": dict(self.inputs[0]) if self.inputs else None,
            "decimals": decimals,
            "last_two": last.sum(axis=0),
            "last_two_blocks": last,
            "finer": int(needed[decimals + 1 :].sum()),
            **{name: state[name] for name in ("zeros", "negatives", "infinite", "long")},
        }

    def memory(self) -> int:
        """The tables."""
        groups = self._coder.levels + 1 if self._coder is not None else 0
        return 8 * (BLOCKS * 90 + 90 * groups + BLOCKS * (DECIMALS + 1) * 100) + 4096

    def scratch(self) -> int:
        """Another state or two, and temporaries of a piece."""
        return 5 * self.memory() + 40 * 8 * min(_ROWS, self.chunk_rows) + 8 * self.chunk_rows + (1 << 21)

    def cost(self) -> float:
        """Nanoseconds a row; more where values have more than 15 digits."""
        return 40.0


def decimal_digits(values: npt.NDArray[Any]) -> tuple[Integers, Integers, Integers]:
    """First two digits, decimals and last two digits of numbers other than zero.

    Parameters
    ----------
    values : ndarray of int or float, shape (n,)
        Finite and not 0.

    Returns
    -------
    first, decimals, last : ndarray of int64, shape (n,)
        First digits from 10 to 99: one digit counts as followed by a zero. Decimals are -1 where a value needs more
        than 6, or more than 15 digits; last digits then have no meaning.

    Notes
    -----
    An integer k below 10**15 with ``k / 10**d`` equal to the double is its shortest decimal form if d is the least such
    number: division is correctly rounded, and numbers of up to 15 digits are told apart by doubles.

    Examples
    --------
    >>> [a.tolist() for a in decimal_digits(np.array([0.3, 1200.0, -49.95]))]
    [[30, 12, 49], [1, 0, 2], [3, 0, 95]]
    """
    if values.dtype.kind in "iu":
        size = np.abs(values.astype(np.int64)).view(np.uint64) if values.dtype.kind == "i" else values.astype(np.uint64)
        last = (size % np.uint64(100)).astype(np.int64)
        wide = size >= np.uint64(_LONGEST)
        reduced = np.where(wide, size // np.uint64(100_000), size).astype(np.int64)
        return _first_two(reduced), np.zeros(size.size, np.int64), last
    narrow = values.dtype.itemsize < 8
    size = np.abs(values)
    whole, decimals = np.zeros(size.size, np.int64), np.full(size.size, -1, np.int64)
    left = np.flatnonzero(size < (1e6 if narrow else 1e15))
    for d in range(DECIMALS + 1):
        if not left.size:
            break
        part = size[left]
        scaled = np.rint(part.astype(np.float64) * 10.0**d)
        back = (scaled / 10.0**d).astype(values.dtype)
        hit = (back == part) & (scaled < (1e6 if narrow else _LONGEST)) & (scaled > 0)
        whole[left[hit]], decimals[left[hit]] = scaled[hit].astype(np.int64), d
        left = left[~hit]
    first = _first_two(np.maximum(whole, 1))
    rest = np.flatnonzero(decimals < 0)
    if rest.size:
        first[rest] = _first_two_long(size[rest])
    return first, decimals, whole % 100


def _first_two(whole: Integers) -> Integers:
    """First two digits of positive integers."""
    digits = np.searchsorted(_POWERS, whole, side="right")
    return np.where(digits > 1, whole // _POWERS[np.maximum(digits - 2, 0)], whole * 10)


def _first_two_long(size: npt.NDArray[Any]) -> Integers:
    """The same of doubles of any length: by the digits themselves where rounding might matter."""
    out = np.zeros(size.size, np.int64)
    wide = size.astype(np.float64)
    ordinary = (wide > 1e-280) & (wide < 1e280) & (size.dtype.itemsize == 8)
    # The last bits of the logarithm differ among processors; what follows from it is checked, or not used.
    exponent = np.floor(np.log10(np.where(ordinary, wide, 1.0)))
    leading = np.where(ordinary, wide, 1.0) / 10.0 ** (exponent - 1.0)
    near = np.abs(leading - np.rint(leading)) < 1e-9
    safe = ordinary & ~near & (leading > 10.0) & (leading < 100.0)
    out[safe] = leading[safe].astype(np.int64)
    for i in np.flatnonzero(~safe):
        text = np.format_float_scientific(size[i], unique=True, trim="0")
        out[i] = int(text[0] + text[2])
    return out


PROVIDES = Digits
