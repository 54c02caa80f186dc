"""What a kernel is, and the registry in which kernels are found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from toolkit.core.chunk import Chunk
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.core.errors import BadInputError, UsageError
from toolkit.core.grid import ChunkGrid
from toolkit.core.registry import Registry
from toolkit.core.schema import ColumnSpec, Schema

if TYPE_CHECKING:
    from toolkit.kernels.spill import Spill
    from toolkit.storage.dataset import Dataset

StateClass = Literal["exact", "tree", "serial"]
State = Any
"""A tree of dicts, lists, strings, bytes, numbers, None and arrays, as `toolkit.core.encoding` writes it."""


_SHOWN = 3
"""Columns that a message names."""


@dataclass(frozen=True, eq=False)
class KernelRequest:
    """One kernel on some columns with some parameters.

    Attributes
    ----------
    kernel : str
        Name of the kernel.
    columns : tuple of str
        The columns it works on.
    params : dict
        Values that JSON can hold; what is not given is at the kernel's default.

    Notes
    -----
    Two requests are equal when their `key` is: a parameter given at its default makes no difference.
    """

    kernel: str
    columns: tuple[str, ...]
    params: Mapping[str, Any]

    @cached_property
    def key(self) -> str:
        """Digest over kernel, its version, columns and all parameters: 32 hexadecimal digits."""
        found = kernels.get(self.kernel)
        params = {**found.defaults, **self.params}
        return digest_value([self.kernel, found.version, list(self.columns), params])[:KEY_LENGTH]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KernelRequest) and self.key == other.key

    def __hash__(self) -> int:
        return int(self.key[:15], 16)

    def few_columns(self) -> str:
        """Its columns for a message: of many the first.

        Examples
        --------
        >>> KernelRequest("comoments", ("a", "b", "c", "d", "e"), {}).few_columns()
        'a, b, c and 2 more columns'
        """
        shown = ", ".join(self.columns[:_SHOWN])
        more = len(self.columns) - _SHOWN
        return shown if more <= 0 else f"{shown} and {more:,} more column{'s' if more > 1 else ''}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"kernel": self.kernel, "columns": list(self.columns), "params": dict(self.params)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> KernelRequest:
        """Read what `to_json` wrote.

        Raises
        ------
        BadInputError
            When it is not a request.
        """
        try:
            return cls(str(value["kernel"]), tuple(map(str, value["columns"])), dict(value["params"]))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInputError(f"this is no kernel request: {value!r:.200}") from error


@dataclass(frozen=True, slots=True)
class TableView:
    """What a kernel may know of the table before it reads any of it.

    Attributes
    ----------
    schema : Schema
        The columns.
    grid : ChunkGrid
        The row grid.
    """

    schema: Schema
    grid: ChunkGrid


class Kernel(ABC):
    """One request on one table.

    Attributes
    ----------
    name : str
        What requests call it.
    version : int
        Raised when the same data would give another state or result.
    state_class : str
        ``exact`` when states merge without rounding in any order and grouping; ``tree`` when they merge along the
        canonical binary tree over chunks only; ``serial`` when they don't merge.
    references : tuple of str
        DOIs of the methods.
    defaults : dict
        Every parameter with its default; None where the kernel derives it.
    arity : int or None
        How many columns a request names; None for any number of them, each once.
    scans : bool
        Whether chunks are read for it; False where the result follows from those of `requires` alone.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    state_class: ClassVar[StateClass]
    references: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {}
    arity: ClassVar[int | None] = 1
    scans: ClassVar[bool] = True

    def __init__(self, request: KernelRequest, table: TableView) -> None:
        self.request = request
        self.table = table
        unknown = sorted(set(request.params) - set(self.defaults))
        if unknown:
            known = ", ".join(self.defaults) or "none"
            raise UsageError(f"kernel {self.name} has no parameter {unknown[0]!r}", f"parameters: {known}")
        self.params = {**self.defaults, **request.params}
        if not request.columns or len(request.columns) != (self.arity or len(request.columns)):
            wanted = "at least one" if self.arity is None else self.arity
            raise UsageError(f"kernel {self.name} takes {wanted} column(s), not {len(request.columns)}")
        if self.arity is None and len(set(request.columns)) != len(request.columns):
            raise UsageError(f"kernel {self.name} takes each column once; one of {list(request.columns)} comes twice")
        for place, name in enumerate(request.columns):
            if not self.accepts_at(table.schema[name], place):
                spec = table.schema[name]
                raise UsageError(
                    f"kernel {self.name} is not defined on column {name!r} ({spec.kind}, stored {spec.encoding})",
                    "Kernel.accepts(spec) says which columns a kernel takes",
                )
        self.column = request.columns[0]
        self.spec = table.schema[self.column]
        self.inputs: Sequence[Mapping[str, Any]] = ()
        self.spill: Spill | None = None
        """Where a scan lets it write what it can't hold; without it, a state holds what it gathers."""

    def requires(self) -> list[KernelRequest]:
        """Requests whose final results this one needs before its scan; mostly none."""
        return []

    def bind(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Take the results of `requires`, in their order, once and before any of the methods below."""
        self.inputs = inputs

    def state_key(self) -> str:
        """Equal for requests whose states are the same and whose results alone differ: a scan gathers one for all."""
        return self.request.key

    @classmethod
    @abstractmethod
    def accepts(cls, spec: ColumnSpec) -> bool:
        """Whether the kernel is defined on a column, at some place of a request."""

    @classmethod
    def accepts_at(cls, spec: ColumnSpec, place: int) -> bool:
        """Whether a request may name a column at a place, from 0; the same everywhere for most kernels."""
        del place
        return cls.accepts(spec)

    @abstractmethod
    def init(self) -> State:
        """The state of no rows, the identity of `merge`."""

    @abstractmethod
    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk; may change and return ``state``, never the chunk."""

    def batch(self) -> str | None:
        """Equal for kernels of one class that take in a chunk together sooner than one by one; mostly None."""
        return None

    @classmethod
    def leaves(cls, batch: Sequence[Self], chunk: Chunk) -> list[State]:
        """What `update` makes of `init` and a chunk, for each kernel of a batch, to the bit."""
        return [kernel.update(kernel.init(), chunk) for kernel in batch]

    @abstractmethod
    def merge(self, left: State, right: State) -> State:
        """Join two states; may change and return ``left``.

        Associative with `init` as its identity; ``left`` covers the earlier rows.
        """

    def settle(self, state: State) -> State:
        """Bring a state to its one canonical form, in which it is encoded; may change and return ``state``.

        Exact kernels settle to the same bytes for any order and grouping of the chunks.
        """
        return state

    @abstractmethod
    def finish(self, state: State) -> dict[str, Any]:
        """Turn a state into a result: a plain tree of numbers, strings, lists and small arrays.

        May settle the state.
        """

    def resolve(self, result: dict[str, Any], dataset: Dataset) -> dict[str, Any]:
        """Replace row numbers or codes in a final result by the values they stand for.

        Calling it a second time changes nothing.
        """
        del dataset
        return result

    @abstractmethod
    def memory(self) -> int:
        """Bytes that a state may hold at most between two calls."""

    def scratch(self) -> int:
        """Bytes that one call may need at most beyond `memory`; kernels of a scan need theirs one after the other."""
        return 0

    @abstractmethod
    def cost(self) -> float:
        """Roughly the nanoseconds it takes for each row."""

    @property
    def undivided(self) -> bool:
        """Whether one scan reads all chunks, as states of a part don't merge or would be too large to hand over."""
        return self.state_class == "serial"

    @property
    def chunk_rows(self) -> int:
        """Rows of the largest chunk."""
        return min(self.table.grid.chunk_rows, self.table.grid.rows)


kernels: Registry[type[Kernel]] = Registry("kernel", package="toolkit.kernels")


def make_kernel(
    request: KernelRequest, table: TableView, inputs: Mapping[str, Mapping[str, Any]] | None = None
) -> Kernel:
    """The kernel that serves a request.

    Parameters
    ----------
    request : KernelRequest
        The request.
    table : TableView
        The table.
    inputs : mapping, optional
        Final results by the key of their request, among them those that the kernel requires; without them the kernel
        can be asked what it requires, and not be used.

    Raises
    ------
    UsageError
        When there is no such kernel, or it takes neither that column nor those parameters.
    """
    kernel = kernels.get(request.kernel)(request, table)
    required = kernel.requires() if inputs is not None else []
    if required and inputs is not None:
        kernel.bind([inputs[r.key] for r in required])
    return kernel


def request(kernel: str, *columns: str, **params: Any) -> KernelRequest:
    """A request in short.

    Examples
    --------
    >>> request("moments", "price").key == request("moments", "price").key
    True
    """
    return KernelRequest(kernel, columns, params)
