"""What goes to a worker and what comes back, as plain trees for `toolkit.core.encoding`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from toolkit.core.encoding import EncodingError, decode, encode
from toolkit.kernels.scan import Scan
from toolkit.task.failure import Failure

Mode = Literal["begin", "part", "join"]


@dataclass(frozen=True, slots=True)
class StoreRef:
    """Where a store is, which content is expected there, and at which rows chunks begin, if not at its own."""

    location: str
    key: str
    cuts: tuple[int, ...] = ()


@dataclass(slots=True)
class PluginCall:
    """One task of a plugin.

    Attributes
    ----------
    id, type : str
        The plugin.
    folder, digest : str
        Its code.
    selectors : list of str
        ``columns`` of its manifest.
    params : dict
        Parameters.
    budget : dict
        Caps; see `toolkit.plugin.Budget`.
    full_load : int or None
        Bytes that may be loaded at once.
    load_rows : int or None
        Rows by which a load is judged; the table's by default.
    seed : int
        Seed of the run.
    kernels : list of [str, list of str, dict, bytes]
        Kernel, columns, parameters as the manifest gives them, encoded result.
    upstream : dict of str to bytes
        Encoded results by plugin.
    report : dict or None
        The report so far.
    partition_chunks : int
        Chunks of a partition; a plugin that can be split is when the table has more.
    mode : str
        ``begin``: run the plugin, or say that it can be split; ``part``: reduce one partition; ``join``: merge the
        parts.
    pass_number : int
        The pass that is reduced or joined.
    partition : list of int
        First chunk and the one after the last, of a ``part``.
    former : bytes or None
        Encoded state of the pass before.
    parts : list of bytes
        Values that the parts handed back, encoded, for ``join``.
    omitted : list of dict
        What caps left out when the run was planned.
    plan : dict or None
        What the run is going to do, for a planner.
    scratch : str
        Folder of this task's own to write in, where a transform stages its table; not part of what its result depends
        on.
    """

    id: str
    type: str
    folder: str
    digest: str
    selectors: list[str] = field(default_factory=lambda: ["any"])
    params: dict[str, Any] = field(default_factory=dict)
    budget: dict[str, int | None] = field(default_factory=dict)
    full_load: int | None = None
    load_rows: int | None = None
    seed: int = 0
    kernels: list[tuple[str, list[str], dict[str, Any], bytes]] = field(default_factory=list)
    upstream: dict[str, bytes] = field(default_factory=dict)
    report: dict[str, Any] | None = None
    partition_chunks: int = 1
    mode: Mode = "begin"
    pass_number: int = 0
    partition: list[int] = field(default_factory=list)
    former: bytes | None = None
    parts: list[bytes] = field(default_factory=list)
    omitted: list[dict[str, Any]] = field(default_factory=list)
    plan: dict[str, Any] | None = None
    scratch: str = ""


def scan_payload(store: StoreRef, scans: Sequence[Scan], scratch: str = "") -> bytes:
    """Payload of a task that runs kernel scans, with a folder for what does not fit in memory."""
    listed = [s.to_json() for s in scans]
    return encode({"task": "scan", "store": asdict(store), "scans": listed, "scratch": scratch})


def plugin_payload(store: StoreRef, call: PluginCall, source: StoreRef | None = None) -> bytes:
    """Payload of a task that runs a plugin, with the table from which the plugin's own was derived."""
    shallow = {f.name: getattr(call, f.name) for f in fields(call)}
    parent = None if source is None else asdict(source)
    return encode({"task": "plugin", "store": asdict(store), "call": shallow, "source": parent})


def publish_payload(
    parent: StoreRef, staged: str, declaration: dict[str, Any], appdata: str, lineage: dict[str, Any]
) -> bytes:
    """Payload of a task that makes a store of what a transform staged."""
    job = {"staged": staged, "declaration": declaration, "appdata": appdata, "lineage": lineage}
    return encode({"task": "publish", "store": asdict(parent), "job": job})


def check_payload(parent: StoreRef, derived: StoreRef) -> bytes:
    """Payload of a task that reads a derived store whole, to see whether it is intact."""
    job = {"location": derived.location, "key": derived.key}
    return encode({"task": "check", "store": asdict(parent), "job": job})


def read_scans(payload: dict[str, Any]) -> list[Scan]:
    """The scans of a decoded payload."""
    return [Scan.from_json(s) for s in payload["scans"]]


def read_call(payload: dict[str, Any]) -> PluginCall:
    """The plugin call of a decoded payload."""
    return PluginCall(**payload["call"])


def read_output(output: bytes) -> tuple[Any, Failure | None]:
    """What a task handed back: a value, or a failure.

    Raises
    ------
    EncodingError
        When the bytes are no output.
    """
    tree = decode(output)
    if not isinstance(tree, dict) or not isinstance(tree.get("ok"), bool):
        raise EncodingError("a task handed back bytes that are no output")
    if tree["ok"]:
        return tree["value"], None
    return None, Failure.from_json(tree["failure"])


def store_ref(location: Path, key: str, cuts: Sequence[int] = ()) -> StoreRef:
    """A reference to a store that holds wherever the worker's current folder is."""
    return StoreRef(str(location.absolute()), key, tuple(cuts))
