"""Kernels on columns that only other results show, fed by a Reducer in a pass of its own."""

from __future__ import annotations

from typing import Any

from toolkit.core.schema import Schema
from toolkit.kernels.base import Kernel, KernelRequest, TableView, kernels
from toolkit.plugin.context import Context


def own_kernel(ctx: Context, name: str, *columns: str, schema: Schema | None = None, **params: Any) -> Kernel:
    """A kernel that needs the results of no others, to be used by its ``init``, ``update``, ``merge`` and ``finish``.

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
    **params
        Its parameters.
    """
    kernel = kernels.get(name)(KernelRequest(name, columns, params), TableView(schema or ctx.schema, ctx.grid))
    kernel.bind([])
    return kernel
