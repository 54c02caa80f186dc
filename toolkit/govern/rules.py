"""Rules of a policy: which caps hold for which plugins on tables of which size, and where each was written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from toolkit.core.settings import parse_size
from toolkit.govern.safe_yaml import YamlMap, check_keys, fault
from toolkit.plugin.budget import CAPS, SIZE_CAPS

Level = Literal["default", "environment", "file", "plugin"]
"""Who set a cap: a policy that ships, a TOOLKIT_* variable, the user's file, the plugin or what names it by id."""

LARGEST_COUNT = (1 << 53) - 1
"""The largest integer that every reader of JSON and YAML takes for what it is."""
SIZE_PATTERN = r"^([1-9][0-9]{0,14}|[1-9][0-9]{0,5}(\.[0-9]{1,6})? ?([KMGTkmgt]([Ii]?[Bb])?|[Bb]))$"
"""A number of bytes as a text; policies/policy.schema.json has the same pattern."""

_SAMPLING = (
    "sample", "sampled", "sampling", "sample_rows", "sample_size", "sample_share", "sample_fraction", "subsample",
    "max_rows", "row_limit", "rows",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tier:
    """A range of table sizes; both ends belong to it."""

    name: str
    min_rows: int = 0
    max_rows: int | None = None
    min_columns: int = 0
    max_columns: int | None = None

    def holds(self, rows: int, columns: int) -> bool:
        """Whether a table of that size belongs to it."""
        fits_rows = self.min_rows <= rows and (self.max_rows is None or rows <= self.max_rows)
        fits_columns = self.min_columns <= columns and (self.max_columns is None or columns <= self.max_columns)
        return fits_rows and fits_columns


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a cap or a setting was set.

    Attributes
    ----------
    source : str
        The file; ``environment`` for a variable.
    line : int
        Line of the file; 0 for a variable.
    rule : str
        The rule, the key or the variable.
    level : str
        See `Level`.
    """

    source: str
    line: int
    rule: str
    level: Level = "file"


@dataclass(frozen=True, slots=True)
class Rule:
    """Caps for the plugins and tables that fit; a later rule overrides an earlier one, cap by cap.

    Attributes
    ----------
    tier : Tier or None
        Sizes of table for which it holds; None for all.
    types, ids : tuple of str
        Types, and patterns of ids, of the plugins for which it holds; empty for all.
    caps : dict of str to int or None
        The caps that it sets; None lifts a cap.
    origins : dict of str to Origin
        Where each of them is written.
    level : str
        ``default`` for one of a policy that ships, ``file`` for one of the user's.
    """

    name: str
    tier: Tier | None
    types: tuple[str, ...]
    ids: tuple[str, ...]
    caps: dict[str, int | None]
    origins: dict[str, Origin]
    level: Level = "file"

    def holds(self, plugin_type: str, plugin_id: str, rows: int, columns: int) -> bool:
        """Whether it applies to a plugin on a table of that size."""
        return (
            (self.tier is None or self.tier.holds(rows, columns))
            and (not self.types or plugin_type in self.types)
            and (not self.ids or any(fnmatchcase(plugin_id, pattern) for pattern in self.ids))
        )

    def names(self, plugin_id: str) -> bool:
        """Whether the user wrote it for this plugin by its very id, not by a pattern."""
        return self.level == "file" and plugin_id in self.ids


def read_caps(caps: YamlMap, where: str, rule: str, level: Level) -> tuple[dict[str, int | None], dict[str, Origin]]:
    """Caps of a rule or a manifest by name, and where each is written.

    Raises
    ------
    BadInputError
        With file and line, for a cap that there is not and a value that it does not take.
    """
    refuse_sampling(caps, where)
    check_keys(caps, CAPS, where)
    values = {cap: (read_size if cap in SIZE_CAPS else read_count)(caps, cap, where) for cap in caps}
    return values, {cap: Origin(where, caps.lines[cap], rule, level) for cap in caps}


def refuse_sampling(mapping: YamlMap, where: str) -> None:
    """Say why there is no such key, where one would have some of the rows read."""
    for key in mapping:
        if key.lower() in _SAMPLING:
            raise fault(
                where,
                mapping.lines[key],
                f"unknown key {key!r}: every plugin reads every row, and no setting has rows sampled or left out",
                f"bound the work instead, by {', '.join(cap for cap in CAPS if cap.startswith('max_'))}",
            )


def read_count(body: YamlMap, key: str, where: str) -> int | None:
    """A whole number from 1 to `LARGEST_COUNT`, or None."""
    value: Any = body.get(key)
    if value is None:
        return None
    whole = not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value % 1 == 0))
    if not whole or value < 1:
        raise fault(where, body.lines[key], f"{key} takes a whole number of at least 1, not {value!r}")
    if value > LARGEST_COUNT:
        raise fault(where, body.lines[key], f"{key} takes at most {LARGEST_COUNT}; null is for no limit")
    return int(value)


def read_size(body: YamlMap, key: str, where: str) -> int | None:
    """A number of bytes, with or without a unit, or None."""
    value: Any = body.get(key)
    if not isinstance(value, str):
        return read_count(body, key, where)
    if not re.search(SIZE_PATTERN, value):
        raise fault(where, body.lines[key], f"{key} takes a size of at least 1 such as 512MiB or 2GB, not {value!r}")
    return parse_size(value, key)
