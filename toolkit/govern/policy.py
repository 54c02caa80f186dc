"""The policy: which caps hold for which plugin on which table. It bounds complexity, never rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from toolkit.core.errors import BadInputError, UsageError
from toolkit.core.settings import parse_size
from toolkit.govern.safe_yaml import YamlList, YamlMap, check_keys, fault, load_yaml
from toolkit.plugin.budget import CAPS, Budget

PLUGIN_TYPES = ("profile", "planner", "transform", "analysis", "report", "llm")
"""Types of plugins, in the order in which they run."""

DEFAULT_PARTITION_CHUNKS = 64
DEFAULT_SCAN_MEMORY = 512 << 20
OFF = "off"

_KEYS = (
    "summary", "extends", "partition_chunks", "scan_memory", "full_load", "max_workers", "memory_share", "tiers",
    "rules",
)  # fmt: skip
_TIER_KEYS = ("min_rows", "max_rows", "min_columns", "max_columns")
_RULE_KEYS = ("name", "tier", "type", "id", "caps")
_DEFAULT_SHARE = 80


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
    """Where a cap was set: file, line and rule."""

    source: str
    line: int
    rule: str


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
    """

    name: str
    tier: Tier | None
    types: tuple[str, ...]
    ids: tuple[str, ...]
    caps: dict[str, int | None]
    origins: dict[str, Origin]

    def holds(self, plugin_type: str, plugin_id: str, rows: int, columns: int) -> bool:
        """Whether it applies to a plugin on a table of that size."""
        return (
            (self.tier is None or self.tier.holds(rows, columns))
            and (not self.types or plugin_type in self.types)
            and (not self.ids or any(fnmatchcase(plugin_id, pattern) for pattern in self.ids))
        )


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run may spend.

    Attributes
    ----------
    source : str
        The file, or ``off``.
    partition_chunks : int
        Chunks of a partition; work is split there, whatever the number of workers is.
    scan_memory : int
        Bytes that the states of the kernels in one scan may take together; more scans are made to keep to it.
    full_load : int or None
        Bytes up to which `Context.dataset_loader` loads a table whole; None for any number.
    max_workers : int or None
        Most worker processes.
    memory_share : int
        Percent of the free memory that all processes together may use.
    rules : tuple of Rule
        In order of their force, the strongest last.
    """

    source: str = OFF
    partition_chunks: int = DEFAULT_PARTITION_CHUNKS
    scan_memory: int = DEFAULT_SCAN_MEMORY
    full_load: int | None = None
    max_workers: int | None = None
    memory_share: int = _DEFAULT_SHARE
    tiers: dict[str, Tier] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    def resolve(self, plugin_type: str, plugin_id: str, rows: int, columns: int) -> tuple[Budget, dict[str, Origin]]:
        """The budget of a plugin on a table of that size, and where each cap was set."""
        caps: dict[str, int | None] = {}
        origins: dict[str, Origin] = {}
        for rule in self.rules:
            if rule.holds(plugin_type, plugin_id, rows, columns):
                caps |= rule.caps
                origins |= rule.origins
        return Budget(**caps), origins


def shipped_policies() -> Path:
    """The folder of the policies that come with the toolkit."""
    return Path(__file__).resolve().parents[2] / "policies"


def load_policy(choice: str = "") -> Policy:
    """The policy of a file, by its path or by the name of one that ships; the default one for an empty text.

    Raises
    ------
    BadInputError
        With file and line, when it is wrong.
    """
    if choice.strip().lower() == OFF:
        return Policy()
    return _load(_find(choice or "default"), ())


def _find(choice: str) -> Path:
    path = Path(choice)
    shipped = shipped_policies() / f"{choice}.yaml"
    if not path.is_file() and shipped.is_file() and path.name == choice:
        return shipped
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in shipped_policies().glob("*.yaml")))
        raise BadInputError(f"there is no policy {choice!r}", f"name a file, off, or one that ships: {known}")
    return path


def _load(path: Path, seen: tuple[Path, ...]) -> Policy:
    where = str(path)
    root = load_yaml(path)
    check_keys(root, _KEYS, where)
    base = Policy()
    if "extends" in root:
        other = _find_base(root, path, seen)
        base = _load(other, (*seen, path.resolve()))
    tiers = {**base.tiers, **{t.name: t for t in _tiers(root, where)}}
    return Policy(
        source=where,
        partition_chunks=_count(root, "partition_chunks", where) or base.partition_chunks,
        scan_memory=_size(root, "scan_memory", where) or base.scan_memory,
        full_load=_size(root, "full_load", where) if "full_load" in root else base.full_load,
        max_workers=_count(root, "max_workers", where) if "max_workers" in root else base.max_workers,
        memory_share=_share(root, where) or base.memory_share,
        tiers=tiers,
        rules=(*base.rules, *_rules(root, tiers, where)),
    )


def _find_base(root: YamlMap, path: Path, seen: tuple[Path, ...]) -> Path:
    name, line = root["extends"], root.lines["extends"]
    if not isinstance(name, str):
        raise fault(str(path), line, "extends takes the name of a policy that ships, or a path")
    beside = path.parent / name
    try:
        found = beside if beside.is_file() else _find(name)
    except BadInputError as error:
        raise fault(str(path), line, error.message, error.remedy) from None
    if found.resolve() in (*seen, path.resolve()):
        raise fault(str(path), line, f"{name} extends this policy in turn")
    return found


def _tiers(root: YamlMap, where: str) -> Iterator[Tier]:
    given = root.get("tiers") or YamlMap(1)
    if not isinstance(given, YamlMap):
        raise fault(where, root.lines["tiers"], "tiers takes a mapping of names")
    for name, body in given.items():
        if not isinstance(body, YamlMap):
            raise fault(where, given.lines[name], f"tier {name!r} takes a mapping, as in {{min_rows: 2000000}}")
        check_keys(body, _TIER_KEYS, where)
        bounds = {key: _count(body, key, where) for key in body}
        yield Tier(name, **{k: v for k, v in bounds.items() if v is not None})


def _rules(root: YamlMap, tiers: dict[str, Tier], where: str) -> Iterator[Rule]:
    given = root.get("rules") or YamlList(1)
    if not isinstance(given, YamlList):
        raise fault(where, root.lines["rules"], "rules takes a list")
    for number, body in enumerate(given, 1):
        if not isinstance(body, YamlMap):
            raise fault(
                where, given.lines[number - 1], "a rule is a mapping, as in {type: analysis, caps: {max_pairs: 100}}"
            )
        check_keys(body, _RULE_KEYS, where)
        yield _rule(body, f"rule {number}", tiers, where)


def _rule(body: YamlMap, number: str, tiers: dict[str, Tier], where: str) -> Rule:
    name = f"{number}: {body['name']}" if "name" in body else number
    tier = body.get("tier")
    if tier is not None and tier not in tiers:
        raise fault(where, body.lines["tier"], f"unknown tier {tier!r}", f"tiers: {', '.join(tiers) or 'none'}")
    types = _texts(body, "type", where)
    for plugin_type in types:
        if plugin_type not in PLUGIN_TYPES:
            known = ", ".join(PLUGIN_TYPES)
            raise fault(where, body.lines["type"], f"unknown type of plugin {plugin_type!r}", f"types: {known}")
    caps = body.get("caps")
    if not isinstance(caps, YamlMap) or not caps:
        raise fault(where, body.lines.get("caps", body.line), "a rule needs caps, as in caps: {max_pairs: 100}")
    check_keys(caps, CAPS, where)
    values = {cap: (_size if cap == "memory" else _count)(caps, cap, where) for cap in caps}
    origins = {cap: Origin(where, caps.lines[cap], name) for cap in caps}
    return Rule(name, tiers[tier] if tier else None, types, _texts(body, "id", where), values, origins)


def _texts(body: YamlMap, key: str, where: str) -> tuple[str, ...]:
    value = body.get(key, [])
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
        raise fault(where, body.lines[key], f"{key} takes a text or a list of texts")
    return tuple(items)


def _count(body: YamlMap, key: str, where: str) -> int | None:
    value: Any = body.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise fault(where, body.lines[key], f"{key} takes a whole number of at least 1, not {value!r}")
    return value


def _size(body: YamlMap, key: str, where: str) -> int | None:
    value: Any = body.get(key)
    if value is None:
        return None
    try:
        return parse_size(str(value), key)
    except UsageError as error:
        raise fault(where, body.lines[key], error.message) from None


def _share(root: YamlMap, where: str) -> int | None:
    value = _count(root, "memory_share", where)
    if value is not None and value > 100:
        raise fault(where, root.lines["memory_share"], f"memory_share is a percentage, at most 100, not {value}")
    return value


def without_full_load_limit(policy: Policy) -> Policy:
    """The same policy with any load allowed, for TOOLKIT_ALLOW_FULL_LOAD."""
    return replace(policy, full_load=None)
