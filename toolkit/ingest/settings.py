"""What a store's content depends on besides its source.

Imports nothing heavy: a reuse must cost next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.core.errors import UsageError
from toolkit.ingest.declared import Declared, declare

ON_BAD_ROW = ("error", "quarantine")


def content_settings(
    *,
    columns: Sequence[str] = (),
    types: Mapping[str, Any] | None = None,
    format: str = "zarr",  # noqa: A002  the same word as the command's option
    codec: str = "",
    chunk_rows: int = 0,
    on_bad_row: str = "error",
    options: Mapping[str, str | Sequence[str]] | None = None,
    table: str = "",
    reader: str = "",
) -> dict[str, Any]:
    """The settings of a conversion, as they are part of its identity; see `toolkit.convert_table`.

    Raises
    ------
    UsageError
        When one of them has a value that it does not take.
    BadInputError
        When something in ``types`` is not known.
    """
    if on_bad_row not in ON_BAD_ROW:
        raise UsageError(f"on_bad_row takes {' or '.join(ON_BAD_ROW)}, not {on_bad_row!r}")
    if chunk_rows < 0:
        raise UsageError(f"chunk_rows takes a positive number, not {chunk_rows}")
    given = {name: [value] if isinstance(value, str) else list(value) for name, value in (options or {}).items()}
    return {
        "columns": list(columns),
        "types": types if isinstance(types, Declared) else declare(types or {}),
        "format": format,
        "codec": codec,
        "chunk_rows": chunk_rows,
        "on_bad_row": on_bad_row,
        "options": dict(sorted(given.items())),
        "table": table,
        "reader": reader,
    }
