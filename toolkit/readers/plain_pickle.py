"""Lists, texts and numbers out of a pickle, which is read and never run.

HDF5 files of PyTables and pandas keep column names as pickles. Unpickling runs whatever a pickle says: here its
operations are followed instead, and an object of any class becomes a placeholder.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from typing import Any

_LARGEST = 64 << 20
_MARK = object()


class Opaque:
    """Stands for an object that only running the pickle would make.

    Attributes
    ----------
    state : object
        What the pickle would have given it to fill itself with.
    """

    def __init__(self) -> None:
        self.state: Any = None


def plain_values(data: bytes) -> Any:
    """What a pickle of plain values holds.

    Parameters
    ----------
    data : bytes
        The pickle, of any protocol.

    Raises
    ------
    ValueError
        When it is none, or too large.

    Examples
    --------
    >>> import pickle
    >>> plain_values(pickle.dumps([("a", 1), None, {"b": [2.5, True]}]))
    [('a', 1), None, {'b': [2.5, True]}]
    """
    if len(data) > _LARGEST:
        raise ValueError(f"a pickle of {len(data):,} bytes; at most {_LARGEST:,} are read")
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for operation, argument, _ in pickletools.genops(data):
            if operation.name == "STOP":
                return stack.pop()
            _apply(operation.name, argument, stack, memo)
    except (IndexError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"no pickle: {error}") from error
    raise ValueError("a pickle without an end")


def plain_array(data: bytes) -> tuple[tuple[int, ...], list[Any]]:
    """Shape and values, in C order, of a pickled object array of NumPy.

    Parameters
    ----------
    data : bytes
        The pickle.

    Raises
    ------
    ValueError
        When it is none, or an array of something else.

    Examples
    --------
    >>> import numpy, pickle
    >>> plain_array(pickle.dumps(numpy.array([["a", None], ["b", 2]], object), protocol=4))
    ((2, 2), ['a', None, 'b', 2])
    """
    found = plain_values(data)
    state = found.state if isinstance(found, Opaque) else None
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[4], list):
        raise ValueError("no pickled array of objects")
    # NumPy writes the values in C order whatever the array's own is
    _, shape, _, _, values = state
    if not all(isinstance(n, int) for n in shape) or math.prod(shape) != len(values):
        raise ValueError("a pickled array whose shape is not that of its values")
    return tuple(shape), values


def _apply(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    if name in _IGNORED:
        return
    if name in _VALUES:
        stack.append(argument.decode("latin-1") if isinstance(argument, bytes) else argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name]())
    elif name in _MEMO:
        memo[len(memo) if argument is None else argument] = stack[-1]
    elif name in _RECALL:
        stack.append(memo[int(argument)])
    elif name in _MARKED:
        items = _since_mark(stack)
        _MARKED[name](stack, items)
    elif name in _ON_STACK:
        _ON_STACK[name](stack)
    else:
        raise TypeError(f"the operation {name}")


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _append(stack: list[Any]) -> None:
    item = stack.pop()
    _extend(stack, [item])


def _extend(stack: list[Any], items: list[Any]) -> None:
    if isinstance(stack[-1], list):
        stack[-1].extend(items)


def _set_item(stack: list[Any]) -> None:
    value, key = stack.pop(), stack.pop()
    _set_items(stack, [key, value])


def _set_items(stack: list[Any], items: list[Any]) -> None:
    if isinstance(stack[-1], dict):
        stack[-1].update(zip(items[::2], items[1::2], strict=True))


def _as_dict(stack: list[Any], items: list[Any]) -> None:
    stack.append(dict(zip(items[::2], items[1::2], strict=True)))


def _as_object(stack: list[Any], items: list[Any]) -> None:
    del items
    stack.append(Opaque())


_IGNORED = {"PROTO", "FRAME"}
_VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "MARK": lambda: _MARK,
    "GLOBAL": Opaque,
}
_MARKED: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "LIST": lambda stack, items: stack.append(items),
    "TUPLE": lambda stack, items: stack.append(tuple(items)),
    "DICT": _as_dict,
    "APPENDS": _extend,
    "SETITEMS": _set_items,
    "POP_MARK": lambda stack, items: None,
    "INST": _as_object,
    "OBJ": _as_object,
}
_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"})
_RECALL = frozenset({"GET", "BINGET", "LONG_BINGET"})


def _tuple_of(count: int) -> Callable[[list[Any]], None]:
    def collect(stack: list[Any]) -> None:
        items = [stack.pop() for _ in range(count)]
        stack.append(tuple(items[::-1]))

    return collect


def _object_of(count: int) -> Callable[[list[Any]], None]:
    """An operation that takes so many values from the stack and makes an object."""

    def make(stack: list[Any]) -> None:
        for _ in range(count):
            stack.pop()
        stack.append(Opaque())

    return make


def _build(stack: list[Any]) -> None:
    state = stack.pop()
    if isinstance(stack[-1], Opaque):
        stack[-1].state = state


_ON_STACK: dict[str, Callable[[list[Any]], Any]] = {
    "APPEND": _append,
    "SETITEM": _set_item,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "REDUCE": _object_of(2),
    "NEWOBJ": _object_of(2),
    "NEWOBJ_EX": _object_of(3),
    "STACK_GLOBAL": _object_of(2),
    "BUILD": _build,
    "DUP": lambda stack: stack.append(stack[-1]),
    "POP": lambda stack: stack.pop(),
}
