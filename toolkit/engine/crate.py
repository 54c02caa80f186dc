"""ro-crate-metadata.json: what was run on what, with which software and when, as a Process Run Crate.

It stands beside run.json and like it has times, which no report has: an RO-Crate needs a date.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import pretty_json
from toolkit.core.version import __version__
from toolkit.engine.run_folder import PLAN, RUN, RunFolder
from toolkit.report.addresses import doi_address

CRATE = "ro-crate-metadata.json"
LIBRARIES = ("numpy", "scipy", "numba", "pandas", "pyarrow", "zarr", "numcodecs")
"""Whose versions can change a last digit, or how a store is read."""

_CONTEXT = "https://w3id.org/ro/crate/1.1/context"
_CRATE_SPEC = "https://w3id.org/ro/crate/1.1"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_TOOLKIT = "urn:fullscan-toolkit"
_FORMATS = {
    ".json": "application/json",
    ".md": "text/markdown",
    ".html": "text/html",
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
}
Entity = dict[str, Any]


def libraries() -> dict[str, str]:
    """Versions of the libraries that results rest on, as far as they are installed."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_crate(
    folder: RunFolder, files: Mapping[str, Path], side: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]
) -> None:
    """Write the crate of a run that has ended; see `run_crate`."""
    of_run = {name: folder.path / name for name in (PLAN, RUN)}
    crate = run_crate({**files, **of_run}, folder.read(PLAN), side, outcomes)
    folder.write(CRATE, pretty_json(crate).encode("utf-8", "backslashreplace"))


def run_crate(
    files: Mapping[str, Path], plan: Mapping[str, Any], side: Mapping[str, Any], outcomes: Sequence[Mapping[str, Any]]
) -> Entity:
    """The crate's metadata.

    Parameters
    ----------
    files : mapping of str to Path
        Files of the run's folder by name.
    plan : mapping
        plan.json, which has the versions of the plugins.
    side : mapping
        run.json, which has ``run_id``, ``started``, ``ended``, ``status``, ``libraries`` and the host's ``python``.
    outcomes : sequence of mapping
        Of the plugins, as `toolkit.engine.plugin_run.PluginRun.outcome` gives them: ``derived`` and ``references``.
    """
    done = [o for o in outcomes if o["status"] == "ok"]
    table = _table(plan["store_key"], f"Table {plan['store_key']}: {plan['rows']:,} rows, {plan['columns']} columns")
    parts = [_file(name, path) for name, path in sorted(files.items())]
    status = "CompletedActionStatus" if side["status"] == "ok" else "FailedActionStatus"
    action = {
        "@id": f"#{side['run_id']}",
        "@type": "CreateAction",
        "name": f"Run of {len(done)} plugins over every row of table {plan['store_key']}",
        "description": "Full scan; nothing is sampled.",
        "startTime": _moment(side["started"]),
        "endTime": _moment(side["ended"]),
        "actionStatus": f"http://schema.org/{status}",
        "instrument": {"@id": _TOOLKIT},
        "object": _to(table),
        "result": [_to(part) for part in parts],
    }
    derivations, tables = _derivations(done, side)
    plugins = [_plugin(o) for o in done]
    versions = {**side["libraries"], "python": side["host"]["python"]}
    software = [_library(name, version) for name, version in sorted(versions.items())]
    toolkit = {
        "@id": _TOOLKIT,
        "@type": "SoftwareApplication",
        "name": "fullscan-toolkit",
        "version": __version__,
        "softwareRequirements": [_to(e) for e in [*software, *plugins]],
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"Report on table {plan['store_key']}",
        "description": f"Findings and statistics of every column, over all {plan['rows']:,} rows.",
        "datePublished": _moment(side["ended"]),
        "license": {"@id": "#licence"},
        "conformsTo": {"@id": _PROFILE},
        "hasPart": [_to(part) for part in parts],
        "mentions": [_to(action), *map(_to, derivations), *map(_to, [table, *tables])],
    }
    works = {doi: _work(doi) for o in done for doi in o.get("references") or ()}
    entities = [_head(), root, _profile(), _licence(), action, *derivations, table, *tables, toolkit, *plugins]
    return {"@context": _CONTEXT, "@graph": [*entities, *software, *parts, *(works[doi] for doi in sorted(works))]}


def _derivations(done: Iterable[Mapping[str, Any]], side: Mapping[str, Any]) -> tuple[list[Entity], list[Entity]]:
    """An action for each table that a transform made of another, and those tables."""
    actions, tables = [], []
    for outcome in done:
        made = outcome.get("derived") or {}
        if not made or made["key"] == made["parent"]:
            continue  # a table that a transform left as it is
        table = _table(made["key"], f"Table {made['key']}, derived by {outcome['id']}: {made['rows']:,} rows")
        table["isBasedOn"] = {"@id": _table_id(made["parent"])}
        tables.append(table)
        actions.append(
            {
                "@id": f"#{side['run_id']}-{outcome['id']}",
                "@type": "CreateAction",
                "name": f"{outcome['id']} derives table {made['key']} of table {made['parent']}",
                "description": f"Rows are {made['rows_are']}; report.json says of which columns each column is made.",
                "endTime": _moment(side["ended"]),
                "instrument": {"@id": _plugin_id(outcome)},
                "object": {"@id": _table_id(made["parent"])},
                "result": _to(table),
            }
        )
    return actions, list({t["@id"]: t for t in tables}.values())


def _moment(utc: str) -> str:
    """With the offset in digits, which is the one way of several that all validators know."""
    return f"{utc.removesuffix('Z')}+00:00"


def _head() -> Entity:
    return {
        "@id": CRATE,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": _CRATE_SPEC},
    }


def _profile() -> Entity:
    return {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _licence() -> Entity:
    return {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "As of the table",
        "description": "The report holds values of its table; whoever may share the table may share it.",
    }


def _table_id(key: str) -> str:
    return f"{_TOOLKIT}:store:{key}"


def _table(key: str, name: str) -> Entity:
    return {"@id": _table_id(key), "@type": "CreativeWork", "name": name, "identifier": key}


def _file(name: str, path: Path) -> Entity:
    content = path.read_bytes()
    return {
        "@id": name,
        "@type": "File",
        "name": name,
        "encodingFormat": _FORMATS.get(path.suffix, "application/octet-stream"),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _plugin(outcome: Mapping[str, Any]) -> Entity:
    works = [{"@id": doi_address(doi)} for doi in outcome.get("references") or ()]
    return {
        "@id": _plugin_id(outcome),
        "@type": "SoftwareApplication",
        "name": outcome["id"],
        "description": outcome.get("summary") or outcome["id"],
        "version": str(outcome["version"]),
        **({"citation": _several(works)} if works else {}),
    }


def _library(name: str, version: str) -> Entity:
    page = f"https://pypi.org/project/{name}/{version}/" if name != "python" else "https://www.python.org/"
    return {
        "@id": page,
        "@type": "SoftwareApplication",
        "name": name,
        "url": page,
        "version": version,
    }


def _work(doi: str) -> Entity:
    return {"@id": doi_address(doi), "@type": "ScholarlyArticle", "name": doi, "identifier": doi_address(doi)}


def _plugin_id(outcome: Mapping[str, Any]) -> str:
    return f"{_TOOLKIT}:plugin:{outcome['id']}:{outcome['version']}"


def _several(entities: Sequence[Entity]) -> Entity | list[Entity]:
    """A list; a single entity by itself, as RO-Crates have it."""
    return entities[0] if len(entities) == 1 else list(entities)


def _to(entity: Mapping[str, Any]) -> Entity:
    return {"@id": entity["@id"]}
