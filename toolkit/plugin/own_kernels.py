"""Kernels on columns that only other results show, fed by a Reducer in a pass of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.core.schema import Schema
from toolkit.kernels.base import Kernel, KernelRequest, TableView, kernels
from toolkit.plugin.context import Context


def own_kernel(
    ctx: Context,
    name: str,
    *columns: str,
    schema: Schema | None = None,
    inputs: Sequence[Mapping[str, Any]] = (),
    **params: Any,
) -> Kernel:
    """A kernel, to be used by its ``init``, ``update``, ``merge`` and ``finish``.

    A manifest asks for kernels before any value is known. Where the columns follow from results, a Reducer makes the
    kernel's state a part of its own. It is computed for this plugin alone, so prefer the manifest where that will do.

    Parameters
    ----------
    ctx : Context
        The table.
    name : str
        The kernel.
    *columns : str
        Its columns.
    schema : Schema, optional
        Where the chunks that it is given have columns that the table has not.
    inputs : sequence of mapping
        Results of the kernels that it requires, in their order; the manifest asks for them.
    **params
        Its parameters.
    """
    kernel = kernels.get(name)(KernelRequest(name, columns, params), TableView(schema or ctx.schema, ctx.grid))
    kernel.bind(inputs)
    return kernel
