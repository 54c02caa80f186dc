"""Manifests: what a plugin says of itself in plugin.yaml, so that a run is planned without importing its code."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from toolkit.core.doi import is_doi
from toolkit.core.schema import EVENT_ROLES
from toolkit.engine.requires import Requirement, read_requires
from toolkit.govern.discovery import FAMILIES
from toolkit.govern.policy import PLUGIN_TYPES
from toolkit.govern.rules import Rule, read_caps, read_size, refuse_sampling
from toolkit.govern.safe_yaml import YamlList, YamlMap, check_keys, fault, load_yaml
from toolkit.plugin.selection import SELECTORS

PLUGIN_ID = re.compile(rf"({'|'.join(PLUGIN_TYPES)})_[a-z0-9]+(?:_[a-z0-9]+)*\Z")

Grouping = Literal["column", "pair", "table"]
ParamType = Literal["int", "float", "bool", "str"]

_KEYS = (
    "type", "version", "summary", "columns", "kernels", "depends_on", "params", "caps", "cost", "passes", "memory",
    "references", "requires", "table", "family",
)  # fmt: skip
_KERNEL_KEYS = ("kernel", "columns", "against", "group", "params", "capped")
_PARAM_KEYS = ("type", "default", "min", "max", "choices", "help", "role")
_COST_KEYS = ("rows", "columns", "pairs", "groups", "windows", "ns")
_GROUPINGS = ("column", "pair", "table")
_PARAM_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class KernelNeed:
    """A kernel that a plugin needs.

    Attributes
    ----------
    kernel : str
        Its name.
    columns : tuple of str
        Selectors of the columns; those of the plugin by default. Columns on which the kernel is not defined are left
        out.
    group : str
        ``column``: one request a column; ``pair``: one for each two columns; ``table``: one for all of them together.
    params : dict
        Parameters of the kernel.
    capped : bool
        Whether the budget's ``max_cols`` and ``max_pairs`` hold for it.
    line : int
        Where it stands in the manifest.
    against : tuple of str
        Selectors of the second column of each pair; the pairs are then those of one of ``columns`` and one of these.
    """

    kernel: str
    columns: tuple[str, ...]
    group: Grouping
    params: dict[str, Any]
    capped: bool
    line: int
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a plugin; one with a ``role`` is the name of a column, and a policy can say of which."""

    name: str
    type: ParamType
    default: Any
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    help: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One plugin.

    Attributes
    ----------
    id : str
        Name of its folder: its type, an underscore, its name.
    folder : Path
        Where it is.
    type, version, summary : str
        What it is.
    columns : tuple of str
        Selectors of the columns that it takes.
    kernels : tuple of KernelNeed
        Kernels that it needs.
    depends_on : tuple of str
        Ids of plugins whose results it needs, or ``type:profile`` and the like for all of a type.
    params : tuple of Param
        Its parameters.
    caps : Rule or None
        Caps that it sets for itself.
    cost : dict of str to float
        Exponents of rows, columns and so on in its work, and ``ns``: nanoseconds for one unit of it.
    passes : int
        How often it reads the table itself.
    memory : int or None
        Bytes that it needs at most beyond one chunk of its columns, where it says so.
    references : tuple of str
        DOIs of its methods.
    requires : tuple of Requirement
        What a table must have for the plugin to apply.
    table : str
        Id of the transform on whose table it runs; empty for the run's own table.
    family : str
        Family of its hypotheses, for q-values within it; empty where it states none.
    lines : dict of str to int
        Lines of the keys in plugin.yaml, for errors found later.
    """

    id: str
    folder: Path
    type: str
    version: str
    summary: str
    columns: tuple[str, ...] = ("any",)
    kernels: tuple[KernelNeed, ...] = ()
    depends_on: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    caps: Rule | None = None
    cost: dict[str, float] = field(default_factory=dict)
    passes: int = 1
    memory: int | None = None
    references: tuple[str, ...] = ()
    requires: tuple[Requirement, ...] = ()
    table: str = ""
    family: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the plugins without which it can't run: those that it depends on by name, and its table's."""
        named = [d for d in self.depends_on if not d.startswith("type:")]
        return tuple(dict.fromkeys([*named, self.table] if self.table else named))

    @property
    def path(self) -> Path:
        """Its plugin.yaml."""
        return self.folder / "plugin.yaml"

    @property
    def param_defaults(self) -> dict[str, Any]:
        """Values of the parameters where nobody sets others."""
        return {p.name: p.default for p in self.params}


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of a plugin's folder.

    Raises
    ------
    BadInputError
        With file and line, when it is wrong.
    """
    path = folder / "plugin.yaml"
    return _Reader(str(path), load_yaml(path)).manifest(folder)


class _Reader:
    """Reads one manifest; knows the file's name for errors."""

    def __init__(self, where: str, root: YamlMap) -> None:
        self._where = where
        self._root = root

    def manifest(self, folder: Path) -> Manifest:
        root = self._root
        refuse_sampling(root, self._where)
        check_keys(root, _KEYS, self._where)
        plugin_type = self._choice(root, "type", PLUGIN_TYPES)
        name = folder.resolve().name
        if not PLUGIN_ID.match(name) or not name.startswith(f"{plugin_type}_"):
            raise fault(
                self._where,
                root.lines["type"],
                f"the folder is named {name!r}, which is no id of a plugin of type {plugin_type}",
                f"name it {plugin_type}_ and lower-case letters, digits and single underscores",
            )
        columns = self._selectors(root, "columns") or ("any",)
        return Manifest(
            id=name,
            folder=folder,
            type=plugin_type,
            version=str(self._required(root, "version", (str, int, float))),
            summary=str(self._required(root, "summary", (str,))),
            columns=columns,
            kernels=tuple(self._kernel(k, columns) for k in self._maps(root, "kernels")),
            depends_on=self._dependencies(),
            params=tuple(self._params()),
            caps=self._caps(),
            cost=self._cost(),
            passes=self._whole(root, "passes", 1) or 1,
            memory=read_size(root, "memory", self._where),
            references=self._references(),
            requires=read_requires(root, self._where),
            table=self._table(plugin_type),
            family=self._choice(root, "family", FAMILIES) if "family" in root else "",
            lines=dict(root.lines),
        )

    def _kernel(self, body: YamlMap, plugin_columns: tuple[str, ...]) -> KernelNeed:
        check_keys(body, _KERNEL_KEYS, self._where)
        params = body.get("params") or {}
        if not isinstance(params, dict):
            raise fault(self._where, body.lines["params"], "params of a kernel takes a mapping")
        capped = body.get("capped", True)
        if not isinstance(capped, bool):
            raise fault(self._where, body.lines["capped"], f"capped takes true or false, not {capped!r}")
        group: Any = self._choice(body, "group", _GROUPINGS) if "group" in body else "column"
        if "against" in body and group != "pair":
            raise fault(self._where, body.lines["against"], f"against needs group: pair, not {group}")
        return KernelNeed(
            kernel=str(self._required(body, "kernel", (str,))),
            columns=self._selectors(body, "columns") or plugin_columns,
            group=group,
            params=_plain(params),
            capped=capped,
            line=body.line,
            against=self._selectors(body, "against"),
        )

    def _params(self) -> list[Param]:
        given = self._root.get("params") or YamlMap(1)
        if not isinstance(given, YamlMap):
            raise fault(self._where, self._root.lines["params"], "params takes a mapping of names")
        return [self._param(name, given) for name in given]

    def _param(self, name: str, given: YamlMap) -> Param:
        body, line = given[name], given.lines[name]
        if not _PARAM_NAME.match(name):
            raise fault(
                self._where, line, f"{name!r} can't be the name of a parameter", "use lower-case letters, digits and _"
            )
        if not isinstance(body, YamlMap):
            raise fault(self._where, line, f"parameter {name!r} takes a mapping, as in {{type: int, default: 10}}")
        check_keys(body, _PARAM_KEYS, self._where)
        kind: Any = self._choice(body, "type", tuple(_PARAM_TYPES))
        choices = body.get("choices", [])
        if not isinstance(choices, list):
            raise fault(self._where, body.lines["choices"], "choices takes a list")
        low, high = self._number(body, "min"), self._number(body, "max")
        role = self._choice(body, "role", EVENT_ROLES) if "role" in body else ""
        param = Param(name, kind, body.get("default"), low, high, tuple(choices), str(body.get("help", "")), role)
        if role and kind != "str":
            raise fault(self._where, body.lines["role"], f"parameter {name!r} names a column, and its type is str")
        if "default" not in body:
            raise fault(self._where, line, f"parameter {name!r} has no default")
        problem = problem_with(param, param.default)
        if problem:
            raise fault(self._where, body.lines["default"], f"the default of {name!r} {problem}")
        return param

    def _dependencies(self) -> tuple[str, ...]:
        found = self._texts(self._root, "depends_on")
        for number, text in enumerate(found):
            known = text.removeprefix("type:") in PLUGIN_TYPES if text.startswith("type:") else PLUGIN_ID.match(text)
            if not known:
                line = self._line(self._root, "depends_on", number)
                remedy = f"name a plugin, or type: and one of {', '.join(PLUGIN_TYPES)}"
                raise fault(self._where, line, f"{text!r} is no id of a plugin", remedy)
        return found

    def _cost(self) -> dict[str, float]:
        given = self._root.get("cost") or YamlMap(1)
        if not isinstance(given, YamlMap):
            raise fault(
                self._where, self._root.lines["cost"], "cost takes a mapping, as in {rows: 1, columns: 1, ns: 20}"
            )
        check_keys(given, _COST_KEYS, self._where)
        values = {key: self._number(given, key) for key in given}
        for key, value in values.items():
            if value is not None and not 0 <= value < float("inf"):
                raise fault(self._where, given.lines[key], f"{key} takes a number of at least 0, not {value!r}")
        return {key: value for key, value in values.items() if value is not None}

    def _references(self) -> tuple[str, ...]:
        found = self._texts(self._root, "references")
        for number, text in enumerate(found):
            if not is_doi(text):
                line = self._line(self._root, "references", number)
                raise fault(self._where, line, f"{text!r} is no DOI", "write it without https://, as in 10.1000/182")
        return found

    def _caps(self) -> Rule | None:
        given = self._root.get("caps")
        if given is None:
            return None
        if not isinstance(given, YamlMap):
            raise fault(self._where, self._root.lines["caps"], "caps takes a mapping, as in {max_windows: 4096}")
        values, origins = read_caps(given, self._where, "caps", "plugin")
        return Rule("caps", None, (), (), values, origins, "plugin")

    def _table(self, plugin_type: str) -> str:
        found = self._root.get("table", "")
        if found == "":
            return ""
        line = self._root.lines["table"]
        if not isinstance(found, str) or not PLUGIN_ID.match(found) or not found.startswith("transform_"):
            raise fault(self._where, line, f"table takes the id of a transform, not {found!r}")
        if plugin_type in ("profile", "planner"):
            raise fault(self._where, line, f"a {plugin_type} runs before any transform", "make it of type analysis")
        return found

    def _selectors(self, body: YamlMap, key: str) -> tuple[str, ...]:
        found = self._texts(body, key)
        for number, text in enumerate(found):
            if text not in SELECTORS:
                line = self._line(body, key, number)
                raise fault(self._where, line, f"there is no kind of column {text!r}", f"known: {', '.join(SELECTORS)}")
        return found

    def _maps(self, body: YamlMap, key: str) -> list[YamlMap]:
        value = body.get(key) or YamlList(1)
        if not isinstance(value, YamlList):
            raise fault(self._where, body.lines[key], f"{key} takes a list")
        for item, line in zip(value, value.lines, strict=True):
            if not isinstance(item, YamlMap):
                raise fault(
                    self._where, line, f"an entry of {key} is a mapping, as in {{kernel: moments, columns: numeric}}"
                )
        return list(value)

    def _texts(self, body: YamlMap, key: str) -> tuple[str, ...]:
        value = body.get(key)
        items = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
            raise fault(self._where, body.lines[key], f"{key} takes a text or a list of texts")
        return tuple(items)

    def _line(self, body: YamlMap, key: str, number: int) -> int:
        value = body[key]
        return value.lines[number] if isinstance(value, YamlList) else body.lines[key]

    def _required(self, body: YamlMap, key: str, types: tuple[type, ...]) -> Any:
        value = body.get(key)
        if isinstance(value, bool) or not isinstance(value, types) or value == "":
            problem = f"{key} is missing" if key not in body else f"{key} can't be {value!r}"
            raise fault(self._where, body.lines.get(key, body.line), problem)
        return value

    def _choice(self, body: YamlMap, key: str, known: tuple[str, ...]) -> str:
        value = body.get(key)
        if value not in known:
            problem = f"{key} is missing" if key not in body else f"{key} can't be {value!r}"
            raise fault(self._where, body.lines.get(key, body.line), problem, f"known: {', '.join(known)}")
        return str(value)

    def _whole(self, body: YamlMap, key: str, least: int) -> int | None:
        value = body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise fault(self._where, body.lines[key], f"{key} takes a whole number of at least {least}, not {value!r}")
        return value

    def _number(self, body: YamlMap, key: str) -> float | None:
        value: Any = body.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise fault(self._where, body.lines[key], f"{key} takes a number, not {value!r}")
        return value


def problem_with(param: Param, value: Any) -> str:
    """What is wrong with a value of a parameter; empty when nothing is.

    Examples
    --------
    >>> problem_with(Param("bins", "int", 10, minimum=1), 0)
    'is 0, below the minimum of 1'
    """
    wanted = _PARAM_TYPES[param.type]
    fits = isinstance(value, int | float) if wanted is float else isinstance(value, wanted)
    if not fits or (isinstance(value, bool) and wanted is not bool):
        return f"is {value!r}, which is no {param.type}"
    if param.minimum is not None and value < param.minimum:
        return f"is {value!r}, below the minimum of {param.minimum}"
    if param.maximum is not None and value > param.maximum:
        return f"is {value!r}, above the maximum of {param.maximum}"
    if param.choices and value not in param.choices:
        return f"is {value!r}, which is none of {', '.join(map(repr, param.choices))}"
    return ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value
