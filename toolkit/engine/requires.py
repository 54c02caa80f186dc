"""What a table must have for a plugin to apply, as its manifest states it."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass

from toolkit.core.schema import Schema
from toolkit.govern.safe_yaml import YamlMap, check_keys, fault
from toolkit.plugin.selection import SELECTORS

COUNTED = ("rows", "columns", *(s for s in SELECTORS if s != "any"))
"""What can be required: a number of rows, of columns, of columns of a kind."""

_CONDITION = re.compile(r"(>=|<=|==|>|<)?\s*([0-9][0-9_]{0,18})\Z")
_HOLDS = {">=": operator.ge, "<=": operator.le, "==": operator.eq, ">": operator.gt, "<": operator.lt}
_WORDS = {">=": "at least {}", "<=": "at most {}", "==": "exactly {}", ">": "more than {}", "<": "fewer than {}"}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition.

    Attributes
    ----------
    what : str
        One of `COUNTED`.
    comparison : str
        ``>=``, ``<=``, ``==``, ``>`` or ``<``.
    count : int
        What the number of rows or columns is compared with.
    """

    what: str
    comparison: str
    count: int

    def holds(self, rows: int, schema: Schema) -> bool:
        """Whether a table meets it."""
        return bool(_HOLDS[self.comparison](count_of(self.what, rows, schema), self.count))

    def __str__(self) -> str:
        return f"{self.what} {self.comparison} {self.count}"


def count_of(what: str, rows: int, schema: Schema) -> int:
    """How many rows or columns of a kind a table has."""
    if what == "rows":
        return rows
    return len(schema) if what == "columns" else sum(map(SELECTORS[what], schema))


def unmet(requirements: tuple[Requirement, ...], rows: int, schema: Schema) -> str:
    """Why a plugin does not apply to a table, and what would make it apply; empty when it does.

    Examples
    --------
    >>> from toolkit.core.schema import ColumnSpec
    >>> schema = Schema((ColumnSpec("a", "a", "int", "<i4"),))
    >>> unmet((Requirement("numeric", ">=", 2),), 10, schema)
    'it needs at least 2 numeric columns, and the table has 1; declare further ones with --types, if there are any'
    """
    for requirement in requirements:
        if not requirement.holds(rows, schema):
            found = count_of(requirement.what, rows, schema)
            amount = _WORDS[requirement.comparison].format(f"{requirement.count:,}")
            noun = "row" if requirement.what == "rows" else "column"
            noun += "" if requirement.count == 1 and requirement.comparison != "<" else "s"
            kind = "" if requirement.what in ("rows", "columns") else f"{requirement.what} "
            reason = f"it needs {amount} {kind}{noun}, and the table has {found:,}"
            return f"{reason}; {_advice(requirement, kind)}"
    return ""


def _advice(requirement: Requirement, kind: str) -> str:
    more = requirement.count and requirement.comparison in (">=", ">", "==")
    if requirement.what == "rows":
        return "run it on a longer table" if more else "run it on a shorter table"
    if kind and more:
        return "declare further ones with --types, if there are any"
    return "convert the table with more of its columns" if more else "choose fewer columns with --columns"


def read_requires(root: YamlMap, where: str) -> tuple[Requirement, ...]:
    """The conditions of a manifest, in their order.

    Raises
    ------
    BadInputError
        With file and line, when one of them can't be read.
    """
    given = root.get("requires")
    if given is None:
        return ()
    if not isinstance(given, YamlMap):
        raise fault(where, root.lines["requires"], "requires takes a mapping, as in {numeric: '>=2', rows: '>=200'}")
    check_keys(given, COUNTED, where)
    out = []
    for what, value in given.items():
        found = None if isinstance(value, bool) else _CONDITION.match(str(value).strip())
        if found is None:
            problem = f"{what} can't require {value!r}"
            raise fault(where, given.lines[what], problem, "write a number, or a comparison as in '>=2'")
        out.append(Requirement(what, found[1] or ">=", int(found[2])))
    return tuple(out)
