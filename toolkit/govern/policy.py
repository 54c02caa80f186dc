"""The policy: which caps hold for which plugin on which table. It bounds complexity, never rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from toolkit.contain.rules import Enforcement
from toolkit.core.errors import BadInputError
from toolkit.core.schema import EVENT_ROLES
from toolkit.core.settings import CAP_VARIABLES, Settings
from toolkit.govern.discovery import DEFAULT_CONTROL, METHODS, DiscoveryControl
from toolkit.govern.rules import Level, Origin, Rule, Tier, read_caps, read_count, read_size, refuse_sampling
from toolkit.govern.safe_yaml import YamlList, YamlMap, check_keys, fault, load_yaml
from toolkit.plugin.budget import MACHINE_CAPS, Budget

PLUGIN_TYPES = ("profile", "planner", "transform", "analysis", "report", "llm")
"""Types of plugins, in the order in which they run."""

DEFAULT_PARTITION_CHUNKS = 64
DEFAULT_SCAN_MEMORY = 320 << 20
OFF = "off"
DEFAULT = "default"
SETTINGS = (
    "partition_chunks", "scan_memory", "full_load", "max_workers", "memory_share", "max_memory", "enforcement",
    "discovery_rate", "discovery_method",
)  # fmt: skip
"""Keys of a policy that bound the run as a whole."""

_KEYS = ("summary", "extends", *SETTINGS, "roles", "tiers", "rules")
_TIER_KEYS = ("min_rows", "max_rows", "min_columns", "max_columns")
_RULE_KEYS = ("name", "tier", "type", "id", "caps")
_DEFAULT_SHARE = 80


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
    enforcement : str
        What to do where plugins can't be contained; see docs/security.md.
    memory_share : int
        Percent of the free memory that all processes together may use.
    max_memory : int or None
        Resident bytes that all processes together may use, however much is free; None for no such limit.
    discovery_rate, discovery_method : float, str
        How false discoveries are controlled over a run; see `DiscoveryControl`.
    roles : dict of str to str
        Columns of event logs, by their role (`EVENT_ROLES`).
    rules : tuple of Rule
        In order of their force, the strongest last.
    environment : Rule or None
        The caps of TOOLKIT_* variables.
    origins : dict of str to Origin
        Where each of the settings above is written; one that is not there has its built-in value.
    """

    source: str = OFF
    partition_chunks: int = DEFAULT_PARTITION_CHUNKS
    scan_memory: int = DEFAULT_SCAN_MEMORY
    full_load: int | None = None
    max_workers: int | None = None
    memory_share: int = _DEFAULT_SHARE
    max_memory: int | None = None
    enforcement: Enforcement = "best-effort"
    discovery_rate: float = DEFAULT_CONTROL.rate
    discovery_method: str = DEFAULT_CONTROL.method
    roles: dict[str, str] = field(default_factory=dict)
    tiers: dict[str, Tier] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    environment: Rule | None = None
    origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def discovery(self) -> DiscoveryControl:
        """How false discoveries are controlled over a run."""
        return DiscoveryControl(self.discovery_rate, self.discovery_method)

    def resolve(
        self, plugin_type: str, plugin_id: str, rows: int, columns: int, own: Rule | None = None
    ) -> tuple[Budget, dict[str, Origin]]:
        """The budget of a plugin on a table of that size, and where each cap was set.

        Parameters
        ----------
        plugin_type, plugin_id : str
            The plugin.
        rows, columns : int
            Size of the table.
        own : Rule, optional
            ``caps`` of the plugin's manifest.

        Notes
        -----
        From the weakest to the strongest: rules of a policy that ships, TOOLKIT_* variables, rules of the user's file,
        the plugin's own manifest, rules of the user's file that name the plugin by its very id. Of the caps that
        protect the machine a manifest, which may be a stranger's, takes only what is lower.
        """
        fitting = [rule for rule in self.rules if rule.holds(plugin_type, plugin_id, rows, columns)]
        caps: dict[str, int | None] = {}
        origins: dict[str, Origin] = {}

        def take(rule: Rule) -> None:
            caps.update(rule.caps)
            origins.update(rule.origins)

        for rule in fitting:
            if rule.level == "default":
                take(rule)
        if self.environment is not None:
            take(self.environment)
        for rule in fitting:
            if rule.level != "default" and not rule.names(plugin_id):
                take(rule)
        if own is not None:
            take(_bounded(own, caps))
        for rule in fitting:
            if rule.names(plugin_id):
                take(rule)
        return Budget(**caps), origins


def _bounded(own: Rule, caps: Mapping[str, int | None]) -> Rule:
    """A manifest's caps without those that would give it more of the machine than the policy does."""
    kept = {}
    for cap, value in own.caps.items():
        limit = caps.get(cap)
        if cap not in MACHINE_CAPS or (value is not None and (limit is None or value <= limit)):
            kept[cap] = value
    return replace(own, caps=kept, origins={cap: own.origins[cap] for cap in kept})


def shipped_policies() -> Path:
    """The folder of the policies that come with the toolkit."""
    return Path(__file__).resolve().parents[2] / "policies"


def policy_in_force(choice: str, environment: Settings) -> Policy:
    """The policy of a run: a file or the environment's choice, and the environment's caps and switches.

    Parameters
    ----------
    choice : str
        A file, the name of one that ships or ``off``; what TOOLKIT_POLICY says when empty.
    environment : Settings
        The TOOLKIT_* variables. With ``off`` no cap is injected, theirs included.

    Raises
    ------
    BadInputError
        With file and line, when it is wrong.
    """
    policy = load_policy(choice or environment.policy)
    if environment.caps and policy.source != OFF:
        origins = {cap: Origin("environment", 0, CAP_VARIABLES[cap], "environment") for cap in environment.caps}
        rule = Rule("environment", None, (), (), dict(environment.caps), origins, "environment")
        policy = replace(policy, environment=rule)
    if environment.allow_full_load:
        allowed = Origin("environment", 0, "TOOLKIT_ALLOW_FULL_LOAD", "environment")
        policy = replace(policy, full_load=None, origins={**policy.origins, "full_load": allowed})
    return policy


def load_policy(choice: str = "") -> Policy:
    """The policy of a file, by its path or by the name of one that ships; the default one for an empty text.

    Raises
    ------
    BadInputError
        With file and line, when it is wrong.
    """
    if choice.strip().lower() == OFF:
        return Policy()
    return _load(_find(choice or DEFAULT), ())


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
    refuse_sampling(root, where)
    check_keys(root, _KEYS, where)
    _text(root, "summary", where)
    base = _base(root, path, seen)
    level: Level = "default" if path.resolve().parent == shipped_policies() else "file"
    tiers = {**base.tiers, **{t.name: t for t in _tiers(root, where)}}
    return Policy(
        source=where,
        partition_chunks=read_count(root, "partition_chunks", where) or base.partition_chunks,
        scan_memory=read_size(root, "scan_memory", where) or base.scan_memory,
        full_load=read_size(root, "full_load", where) if "full_load" in root else base.full_load,
        max_workers=read_count(root, "max_workers", where) if "max_workers" in root else base.max_workers,
        memory_share=_share(root, where) or base.memory_share,
        max_memory=read_size(root, "max_memory", where) if "max_memory" in root else base.max_memory,
        enforcement=_choice(root, "enforcement", get_args(Enforcement), where) or base.enforcement,
        discovery_rate=_rate(root, where) or base.discovery_rate,
        discovery_method=_choice(root, "discovery_method", METHODS, where) or base.discovery_method,
        roles={**base.roles, **_roles(root, where)},
        tiers=tiers,
        rules=(*base.rules, *_rules(root, tiers, where, level)),
        origins={
            **base.origins,
            **{key: Origin(where, root.lines[key], key, level) for key in SETTINGS if key in root},
        },
    )


def _base(root: YamlMap, path: Path, seen: tuple[Path, ...]) -> Policy:
    """What holds where a policy says nothing: the one that it extends, the default one where it names none."""
    name, line = root.get("extends", DEFAULT), root.lines.get("extends", 1)
    if name is False or name == OFF:  # YAML 1.1 reads a bare off as false
        return Policy()
    if not isinstance(name, str):
        raise fault(str(path), line, "extends takes off, the name of a policy that ships, or a path")
    beside = path.parent / name
    try:
        found = beside if beside.is_file() else _find(name)
    except BadInputError as error:
        raise fault(str(path), line, error.message, error.remedy) from None
    if found.resolve() in (*seen, path.resolve()):
        raise fault(str(path), line, f"{name} extends this policy in turn")
    return _load(found, (*seen, path.resolve()))


def _roles(root: YamlMap, where: str) -> dict[str, str]:
    given = YamlMap(1) if root.get("roles") is None else root["roles"]
    if not isinstance(given, YamlMap):
        raise fault(where, root.lines["roles"], "roles takes a mapping, as in {case: order_no, activity: step}")
    check_keys(given, EVENT_ROLES, where)
    for role, column in given.items():
        if not isinstance(column, str) or not column:
            raise fault(where, given.lines[role], f"the role {role} takes the name of a column, not {column!r}")
    return dict(given)


def _tiers(root: YamlMap, where: str) -> Iterator[Tier]:
    given = YamlMap(1) if root.get("tiers") is None else root["tiers"]
    if not isinstance(given, YamlMap):
        raise fault(where, root.lines["tiers"], "tiers takes a mapping of names")
    for name, body in given.items():
        if not isinstance(body, YamlMap):
            raise fault(where, given.lines[name], f"tier {name!r} takes a mapping, as in {{min_rows: 2000000}}")
        check_keys(body, _TIER_KEYS, where)
        bounds = {key: read_count(body, key, where) for key in body}
        yield Tier(name, **{k: v for k, v in bounds.items() if v is not None})


def _rules(root: YamlMap, tiers: dict[str, Tier], where: str, level: Level) -> Iterator[Rule]:
    given = YamlList(1) if root.get("rules") is None else root["rules"]
    if not isinstance(given, YamlList):
        raise fault(where, root.lines["rules"], "rules takes a list")
    for number, body in enumerate(given, 1):
        if not isinstance(body, YamlMap):
            raise fault(
                where, given.lines[number - 1], "a rule is a mapping, as in {type: analysis, caps: {max_pairs: 100}}"
            )
        refuse_sampling(body, where)
        check_keys(body, _RULE_KEYS, where)
        yield _rule(body, f"rule {number}", tiers, where, level)


def _rule(body: YamlMap, number: str, tiers: dict[str, Tier], where: str, level: Level) -> Rule:
    given = _text(body, "name", where)
    name = f"{number}: {given}" if given else number
    tier = _text(body, "tier", where)
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
    values, origins = read_caps(caps, where, name, level)
    held = None if tier is None else tiers[tier]
    return Rule(name, held, types, _texts(body, "id", where), values, origins, level)


def _text(body: YamlMap, key: str, where: str) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise fault(where, body.lines[key], f"{key} takes a text, not {value!r}")
    return value


def _texts(body: YamlMap, key: str, where: str) -> tuple[str, ...]:
    value = body.get(key, [])
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
        raise fault(where, body.lines[key], f"{key} takes a text or a list of texts")
    return tuple(items)


def _share(root: YamlMap, where: str) -> int | None:
    value = read_count(root, "memory_share", where)
    if value is not None and value > 100:
        raise fault(where, root.lines["memory_share"], f"memory_share is a percentage, at most 100, not {value}")
    return value


def _choice(root: YamlMap, key: str, known: tuple[str, ...], where: str) -> Any:
    value = root.get(key)
    if value is not None and value not in known:
        raise fault(where, root.lines[key], f"{key} takes one of {', '.join(known)}, not {value!r}")
    return value


def _rate(root: YamlMap, where: str) -> float | None:
    value = root.get("discovery_rate")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        line = root.lines["discovery_rate"]
        raise fault(where, line, f"discovery_rate takes a number above 0 and at most 1, not {value!r}")
    return float(value)
