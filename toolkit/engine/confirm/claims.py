"""What can be checked of a finding in the rows, as its plugin's claims.yaml says it.

A claim is data, not code: whoever checks runs nothing that the plugin brings, and can read what is checked. The file
has a list of claims for each kind of finding. Texts that begin with ``$`` stand for parts of the finding:
``$columns.0``, or ``$count`` for an entry of its evidence; ``$item`` for the entry at hand where a claim holds for each
of a list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError
from toolkit.govern.safe_yaml import load_yaml

CLAIMS = "claims.yaml"
CALCULATIONS = ("count", "first_row", "last_row", "min", "max", "mean", "r", "value", "equal_rows")
OPERATORS = ("is", "is missing", "is present", "above", "below", "at least", "at most")
_OPTIONS = frozenset({"says", "where", "rows", "row", "pairs", "repeats", "each", "chunks", *CALCULATIONS})


class UnknownPartError(LookupError):
    """A claim speaks of something that the finding does not have."""


class UncheckableError(Exception):
    """A claim that this version can't calculate."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One number of a finding and how it follows from rows.

    Attributes
    ----------
    says : Any
        What the finding says.
    name : str
        Where it says so, such as ``count``.
    calculation : str
        One of `CALCULATIONS`.
    columns : list of str
        What is calculated of; for ``count``, ``first_row`` and ``last_row`` none.
    where : list of list
        Conditions that rows must meet: column, operator, and value where the operator takes one.
    rows : list of [first, last] or None
        The only rows that count.
    pairs : list of [row, row]
        Rows to be compared.
    repeats : list of [first, last] or None
        Ranges to which those of ``rows`` are compared.
    everywhere : bool
        Whether all chunks count, and not only those that the evidence names.
    """

    says: Any
    name: str
    calculation: str
    columns: list[str] = field(default_factory=list)
    where: list[list[Any]] = field(default_factory=list)
    rows: list[list[int]] | None = None
    pairs: list[list[int]] = field(default_factory=list)
    repeats: list[list[int]] | None = None
    everywhere: bool = False

    @property
    def reads(self) -> list[str]:
        """Columns that must be read."""
        return sorted({*self.columns, *(str(condition[0]) for condition in self.where)})


def load_claims(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Claims by kind of finding; empty where a plugin states none.

    Raises
    ------
    BadInputError
        When the file is wrong; says where.
    """
    path = folder / CLAIMS
    if not path.is_file():
        return {}
    tree = load_yaml(path)
    for kind, claims in tree.items():
        if not isinstance(claims, list) or not all(isinstance(claim, dict) for claim in claims):
            raise BadInputError(f"{path}, line {tree.lines[kind]}: {kind} takes a list of claims")
        for claim in claims:
            unknown = sorted(set(claim) - _OPTIONS)
            if unknown or "says" not in claim or len(set(claim) & set(CALCULATIONS)) != 1:
                problem = f"it does not know {unknown[0]!r}" if unknown else "it takes says and one calculation"
                raise BadInputError(f"{path}, line {claim.line}: {problem}", f"calculations: {', '.join(CALCULATIONS)}")
    return dict(tree)


def claims_of(finding: Mapping[str, Any], stated: Mapping[str, list[dict[str, Any]]]) -> Iterator[Claim]:
    """The claims of a finding, with its own names and numbers put in.

    Raises
    ------
    UnknownPartError
        When it lacks something that a claim speaks of.
    """
    scope = {**finding["evidence"], "columns": finding["columns"], "effect": finding["effect"]}
    for claim in stated.get(finding["kind"], ()):
        items = _filled(claim["each"], scope) if "each" in claim else [None]
        for number, item in enumerate(items):
            made = _claim(claim, {**scope, "item": item})
            prefix = f"{claim['each'][1:]}.{number}." if "each" in claim else ""
            yield Claim(**{**made, "name": prefix + made["name"].removeprefix("item.")})


def _claim(claim: Mapping[str, Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    calculation = next(name for name in CALCULATIONS if name in claim)
    operand = _filled(claim[calculation], scope)
    where = _filled(claim.get("where", []), scope)
    if calculation in ("count", "first_row", "last_row"):
        where, operand = operand, []
    rows = _filled(claim.get("rows"), scope)
    if "row" in claim:
        row = _filled(claim["row"], scope)
        rows = [[row, row]]
    return {
        "says": _at(claim["says"], scope),
        "name": claim["says"],
        "calculation": calculation,
        "columns": [operand] if isinstance(operand, str) else list(operand),
        "where": where,
        "rows": rows,
        "pairs": _filled(claim.get("pairs", []), scope),
        "repeats": _filled(claim.get("repeats"), scope),
        "everywhere": claim.get("chunks") == "all",
    }


def _filled(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.startswith("$"):
        return _at(value[1:], scope)
    if isinstance(value, list):
        return [_filled(item, scope) for item in value]
    return value


def _at(path: str, scope: Any) -> Any:
    found = scope
    for part in path.split("."):
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise UnknownPartError(f"the finding has no {path}") from None
    return found
