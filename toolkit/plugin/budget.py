"""What a plugin may spend."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Budget:
    """Caps on the work of one plugin; None where there is no cap. Rows are never capped.

    Attributes
    ----------
    batch_size : int or None
        Rows of a batch that `Context.dataset_iter_batches` hands out.
    max_cols : int or None
        Columns.
    max_pairs : int or None
        Pairs of columns.
    max_groups : int or None
        Groups of rows, such as the values of a category.
    max_windows : int or None
        Windows of time or of rows.
    max_findings : int or None
        Findings that are kept.
    time_limit_ms, cpu_limit_ms : int or None
        Wall and processor time, milliseconds. A safety net: when one is reached, the plugin ends without findings.
    memory : int or None
        Bytes that the plugin's process may hold.
    disk : int or None
        Bytes that it may write to its folder.
    """

    batch_size: int | None = None
    max_cols: int | None = None
    max_pairs: int | None = None
    max_groups: int | None = None
    max_windows: int | None = None
    max_findings: int | None = None
    time_limit_ms: int | None = None
    cpu_limit_ms: int | None = None
    memory: int | None = None
    disk: int | None = None

    def to_json(self) -> dict[str, int | None]:
        """Every cap by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Budget:
        """Read what `to_json` wrote."""
        return cls(**value)


CAPS: tuple[str, ...] = tuple(f.name for f in fields(Budget))
"""Names of all caps."""
MACHINE_CAPS = ("time_limit_ms", "cpu_limit_ms", "memory", "disk")
"""Caps that protect the machine: a plugin's own manifest can lower them and not raise them."""
SIZE_CAPS = ("memory", "disk")
"""Caps that are numbers of bytes."""
