"""The verdict on findings: what was checked, what was said and what was found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from toolkit.core.code import code_digest
from toolkit.core.errors import DamagedStoreError
from toolkit.engine.confirm.claims import Claim, UncheckableError, UnknownPartError, claims_of, load_claims
from toolkit.engine.confirm.recompute import RELATIVE, agree, named_chunks, recompute
from toolkit.engine.confirm.records import Recorded, kept_findings
from toolkit.engine.confirm.replay import Replayed, replay
from toolkit.report.discovery import adjusted_q_values
from toolkit.report.findings import finding_id

_SMALLEST = 1e-300
"""Below it, doubles lose digits."""
CONFIRMED, REFUSED, UNCHECKABLE = "confirmed", "not confirmed", "not checkable"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked.

    Attributes
    ----------
    what : str
        ``id``, ``table``, ``rows``, ``kept result`` or ``replay``.
    holds : bool
        Whether it is so.
    name : str
        Of a number: where in the evidence it stands.
    said, found : Any
        What the finding says, and what was found.
    note : str
        What is to be known of it.
    """

    what: str
    holds: bool
    name: str = ""
    said: Any = None
    found: Any = None
    note: str = ""


@dataclass(slots=True)
class Verdict:
    """What is to be thought of one finding.

    Attributes
    ----------
    finding : dict
        As the report has it.
    checks : list of Check
        In the order in which they were made; none follows one of id or table that failed.
    chunks : dict of str to list of int
        Chunks that were read again for its numbers, by column.
    uncheckable : str
        Why nothing more could be checked.
    """

    finding: Mapping[str, Any]
    checks: list[Check] = field(default_factory=list)
    chunks: dict[str, list[int]] = field(default_factory=dict)
    uncheckable: str = ""

    @property
    def status(self) -> str:
        """``confirmed``, ``not confirmed`` or ``not checkable``."""
        if not all(check.holds for check in self.checks):
            return REFUSED
        return UNCHECKABLE if self.uncheckable else CONFIRMED

    def add(self, what: str, holds: bool, note: str = "", said: Any = None, found: Any = None, name: str = "") -> bool:
        """Note a check; whether it holds."""
        self.checks.append(Check(what, holds, name, said, found, note))
        return holds

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "finding": self.finding["id"],
            "plugin": self.finding["plugin"],
            "kind": self.finding["kind"],
            "sentence": self.finding["sentence"],
            "status": self.status,
            "why": self.uncheckable or None,
            "checks": [{name: getattr(c, name) for name in Check.__slots__} for c in self.checks],
            "chunks_read": self.chunks,
        }


def confirm(record: Recorded, findings: Sequence[Mapping[str, Any]], *, replayed: bool = False) -> list[Verdict]:
    """Check findings of a run.

    Parameters
    ----------
    record : Recorded
        The run.
    findings : sequence of mapping
        Of its report.
    replayed : bool
        Run every plugin again, also where its claims hold and its result is kept.

    Notes
    -----
    A finding whose plugin states claims is checked in the chunks that its evidence names, without the plugin's code;
    what no claim speaks of is held against the plugin's kept result. Where there are no claims, or no kept result, the
    plugin is run again over its columns, and has to say the same.
    """
    verdicts = [Verdict(finding) for finding in findings]
    q_values = _q_values(record.report)
    sound = [v for v in verdicts if _genuine(record, v, q_values) and _same_table(record, v)]
    results = kept_findings(record.place, record.folder, {v.finding["plugin"] for v in sound})
    open_ = []
    for verdict in sound:
        plugin = verdict.finding["plugin"]
        counted = not verdict.finding["table"] and _count_again(record, verdict, _stated(record, plugin))
        kept = plugin in results
        if kept:
            there = verdict.finding["id"] in results[plugin]
            verdict.add("kept result", there, "the plugin's result, as the run kept it, has the finding")
        if verdict.status == CONFIRMED and (replayed or not (counted and kept)):
            open_.append(verdict)
    if open_:
        again = replay(record, sorted({v.finding["plugin"] for v in open_}))
        for verdict in open_:
            _held_against_replay(verdict, again)
    return verdicts


def _genuine(record: Recorded, verdict: Verdict, q_values: Mapping[str, float]) -> bool:
    """Whether the id is that of the content, and the q-value follows from what the report says of all its tests."""
    finding = verdict.finding
    real = finding_id(finding["plugin"], finding)
    if not verdict.add("id", real == finding["id"], "the digest of what the finding says", finding["id"], real):
        return False
    if real in q_values:
        said, q = finding["q_value"], q_values[real]
        same = said is not None and (math.isclose(said, q, rel_tol=RELATIVE) or max(said, q) < _SMALLEST)
        verdict.add("q-value", same, "calculated from the p-values and the number of tests in the report", said, q)
    status = next((p["status"] for p in record.report["plugins"] if p["id"] == finding["plugin"]), "not in the report")
    return verdict.add("plugin", status == "ok", "the plugin's status in the report", "ok", status)


def _same_table(record: Recorded, verdict: Verdict) -> bool:
    """Whether the store is the one that the report speaks of; its root metadata vouches for its chunks' digests."""
    said = record.report["dataset"]
    manifest = record.dataset.manifest
    for name in ("key", "rows", "data_hash", "schema_hash"):
        found = getattr(manifest, name)
        if not verdict.add("table", said[name] == found, "the store as it is now", said[name], found, name):
            return False
    table = verdict.finding["table"]
    known = table is None or table in [made["key"] for made in record.report["derived"]]
    return verdict.add("table", known, "the derived table stands in the report", table, table if known else None)


def _stated(record: Recorded, plugin: str) -> dict[str, list[dict[str, Any]]]:
    """The claims of a plugin; none where it has changed since the run, as they may speak of what it says now."""
    manifest = record.manifests.get(plugin)
    before = next((p.get("code_digest") for p in record.plan.get("plugins", ()) if p["id"] == plugin), None)
    if manifest is None or code_digest(manifest.folder) != before:
        return {}
    return load_claims(manifest.folder)


def _count_again(record: Recorded, verdict: Verdict, stated: Mapping[str, list[dict[str, Any]]]) -> bool:
    """Check the claims; whether there was one."""
    dataset = record.dataset.unread()
    read: dict[str, set[int]] = {}
    dataset.on_read = lambda column, chunk: read.setdefault(column, set()).add(chunk)
    chunks = named_chunks(verdict.finding["evidence"], dataset)
    counted = False
    try:
        for claim in claims_of(verdict.finding, stated):
            counted = _count(verdict, claim, dataset, chunks) or counted
    except UnknownPartError as error:
        verdict.add("rows", False, str(error))
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        verdict.add("rows", False, "the evidence has not the form that the plugin gives it")
    except DamagedStoreError as error:
        verdict.add("rows", False, error.message)
    verdict.chunks = {column: sorted(found) for column, found in sorted(read.items())}
    return counted


def _count(verdict: Verdict, claim: Claim, dataset: Any, chunks: Sequence[int]) -> bool:
    try:
        found = recompute(claim, dataset, chunks)
    except UncheckableError:
        return False  # left to the plugin itself
    said = len(claim.says) if isinstance(claim.says, list) else claim.says
    verdict.add("rows", agree(claim.says, found), "calculated from the rows", said, found, claim.name)
    return True


def _held_against_replay(verdict: Verdict, again: Replayed) -> None:
    plugin = verdict.finding["plugin"]
    if plugin in again.problems:
        verdict.uncheckable = again.problems[plugin]
        return
    changed = again.changes.get(plugin)
    there = verdict.finding["id"] in again.findings[plugin]
    if not there and changed:
        verdict.uncheckable = f"the plugin is not what it was in the run: {changed} changed"
        return
    note = "the plugin, run again over every row of its columns, has the finding"
    verdict.add("replay", there, note + (f" ({changed} changed since)" if changed else ""))


def _q_values(report: Mapping[str, Any]) -> dict[str, float]:
    """The q-values that follow from a report's p-values and number of tests, by id."""
    tested = [f for f in report["findings"] if f["log10_p"] is not None]
    if any(f["also_found_by"] and "group" not in f for f in tested):
        return {}  # before schema 1.2, findings of several plugins were one, and ranks are lost
    account = report["discovery"]
    adjusted = adjusted_q_values([f["log10_p"] for f in tested], account["n_tests"], account["method"])
    return {f["id"]: q for f, q in zip(tested, adjusted, strict=True)}
