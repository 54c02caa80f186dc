"""ro-crate-metadata.json: read by the rocrate package, whole as a Process Run Crate, and true of the run."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import warnings
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rocrate.rocrate import ROCrate

import toolkit.run
from tests.plugin_on_disk import plugin_on_disk
from tests.store_on_disk import store_on_disk
from toolkit.core.version import __version__

DOUBLED = """
def run(ctx):
    columns = [make('twice', 'float', of=['x'], how='x times two')]
    with ctx.derive(columns) as out:
        for chunk in ctx.chunks(['x']):
            out.append({'twice': chunk['x'] * 2})
    return Result()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a profile, a transform and a plugin that fails."""
    home = tmp_path_factory.mktemp("crate")
    store_on_disk(home / "appdata", {"x": np.arange(50.0)}, chunk_rows=20)
    plugin_on_disk(home / "mine", "transform_double", DOUBLED, columns="numeric")
    plugin_on_disk(home / "mine", "analysis_broken", "def run(ctx):\n    raise ValueError('no')\n")
    command = ["--appdata", str(home / "appdata"), "--plugin-dir", str(home / "mine"), "--executor", "serial"]
    wanted = "profile_basic,transform_double,analysis_broken"
    assert toolkit.run.main([*command, "--plugins", wanted, "--quiet"]) == 1
    (found,) = (home / "appdata" / "runs").iterdir()
    return found


@pytest.fixture(scope="module")
def graph(folder: Path) -> dict[str, dict[str, Any]]:
    tree = json.loads((folder / "ro-crate-metadata.json").read_text())
    assert tree["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in tree["@graph"]}
    assert len(entities) == len(tree["@graph"]), "no id is given twice"
    return entities


def test_it_is_read_as_a_crate(folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        crate = ROCrate(folder)
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    assert {"report.json", "report.html", "references.bib"} <= {part.id for part in crate.root_dataset["hasPart"]}
    (action,) = [e for e in crate.get_by_type("CreateAction") if e["instrument"].id == "urn:fullscan-toolkit"]
    assert action["instrument"]["version"] == __version__


def test_every_file_is_described_as_it_is(folder: Path, graph: dict[str, dict[str, Any]]) -> None:
    files = {e["@id"]: e for e in graph.values() if e["@type"] == "File"}
    assert set(files) == {"report.json", "report.md", "report.html", "references.bib", "plan.json", "run.json"}
    for name, entity in files.items():
        content = (folder / name).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["contentSize"] == str(len(content))


def test_every_reference_leads_somewhere(graph: dict[str, dict[str, Any]]) -> None:
    outside = ("https://w3id.org/ro/crate/1.1",)

    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert value["@id"] in graph or value["@id"] in outside
        elif isinstance(value, list):
            assert len(value) > 1, "a single value stands by itself"
            for item in value:
                check(item)

    for entity in graph.values():
        for name, value in entity.items():
            if name != "@type":
                check(value)


def test_the_run_has_failed_and_says_when(graph: dict[str, dict[str, Any]]) -> None:
    (action,) = [e for e in graph.values() if e["@type"] == "CreateAction" and "startTime" in e]
    assert action["actionStatus"] == "http://schema.org/FailedActionStatus"
    began, ended = (dt.datetime.fromisoformat(action[name]) for name in ("startTime", "endTime"))
    assert began <= ended
    assert graph["./"]["datePublished"] == action["endTime"]


def test_a_derived_table_has_its_lineage(folder: Path, graph: dict[str, dict[str, Any]]) -> None:
    (made,) = json.loads((folder / "report.json").read_text())["derived"]
    names = {name: f"urn:fullscan-toolkit:store:{made[name]}" for name in ("key", "parent")}
    (action,) = [e for e in graph.values() if "transform_double" in str(e.get("instrument"))]
    assert action["object"] == {"@id": names["parent"]}
    assert action["result"] == {"@id": names["key"]}
    assert graph[names["key"]]["isBasedOn"] == {"@id": names["parent"]}


def test_methods_are_cited_and_libraries_named(graph: dict[str, dict[str, Any]]) -> None:
    (profile,) = [e for e in graph.values() if e.get("name") == "profile_basic"]
    assert all(graph[work["@id"]]["@type"] == "ScholarlyArticle" for work in profile["citation"])
    software = {e["name"]: e["version"] for e in graph.values() if e["@type"] == "SoftwareApplication"}
    assert software["numpy"] == np.__version__
    assert software["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}")


def test_nothing_depends_on_time_but_the_side_files(folder: Path) -> None:
    assert b"ended" not in (folder / "references.bib").read_bytes()
    assert "started" not in json.loads((folder / "report.json").read_text())


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("rocrate_validator") is None, reason="roc-validator is not installed")
def test_the_public_validator_finds_nothing(folder: Path, tmp_path: Path) -> None:
    """Offline: the context that it would fetch comes from the rocrate package."""
    from requests.adapters import BaseAdapter, HTTPAdapter
    from requests_cache import CachedSession
    from urllib3 import HTTPResponse

    terms = json.loads(resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text())["@context"]

    class Canned(BaseAdapter):
        def send(self, request: Any, **options: Any) -> Any:
            body = io.BytesIO(json.dumps({"@context": terms}).encode())
            head = {"Content-Type": "application/ld+json"}
            answer = HTTPResponse(body, head, 200, preload_content=False, request_url=request.url, request_method="GET")
            return HTTPAdapter().build_response(request, answer)

    session = CachedSession(str(tmp_path / "cache"), backend="sqlite", expire_after=-1)
    session.mount("https://", Canned())
    assert session.get("https://w3id.org/ro/crate/1.1/context").status_code == 200
    session.close()
    options = ["--offline", "--cache-path", str(tmp_path / "cache"), "-l", "required", "-f", "json"]
    command = ["rocrate-validator", "-y", "validate", str(folder), "-p", "process-run-crate", *options]
    found = subprocess.run([*command, "-o", str(tmp_path / "out.json")], capture_output=True, text=True, check=False)
    assert json.loads((tmp_path / "out.json").read_text())["passed"], found.stdout
