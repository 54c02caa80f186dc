"""What a run left behind: its report, its table, and the results that it kept."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from toolkit.core.encoding import EncodingError, decode
from toolkit.core.errors import BadInputError
from toolkit.core.settings import read_settings
from toolkit.engine.discovery import discover
from toolkit.engine.manifest import Manifest
from toolkit.engine.results import pack_results
from toolkit.engine.run_folder import PLAN, RunFolder
from toolkit.plugin.result import Result
from toolkit.report.findings import finding_id
from toolkit.report.validation import ReportError, check_report
from toolkit.storage.appdata import AppData
from toolkit.storage.dataset import Dataset, open_location


@dataclass(frozen=True)
class Recorded:
    """A run that has ended.

    Attributes
    ----------
    place : AppData
        Where it is.
    folder : RunFolder
        Its files.
    report : dict
        report.json as it stands there, which is not believed.
    plan : dict
        plan.json.
    """

    place: AppData
    folder: RunFolder
    report: dict[str, Any]
    plan: dict[str, Any]

    @cached_property
    def findings(self) -> dict[str, dict[str, Any]]:
        """Findings of the report by id."""
        return {finding["id"]: finding for finding in self.report["findings"]}

    @cached_property
    def dataset(self) -> Dataset:
        """The table, as it is now.

        Raises
        ------
        BadInputError
            When it is not there any more.
        """
        named = self.plan.get("asked", {}).get("store")
        key = str(self.report["dataset"]["key"])
        return open_location(self.place.find_store(named if named and Path(named).exists() else key))

    @cached_property
    def plugin_dirs(self) -> list[Path]:
        """Further folders with plugins, as far as they are there."""
        asked = [Path(p) for p in self.plan.get("asked", {}).get("plugin_dirs", ())]
        return [p for p in asked if p.is_dir()]

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """The plugins that are installed now."""
        return discover([*self.plugin_dirs, *read_settings().plugin_path])

    def find(self, wanted: str) -> dict[str, Any]:
        """A finding by its id, or the beginning of it.

        Raises
        ------
        BadInputError
            When there is none such, or more than one.
        """
        matches = [f for key, f in self.findings.items() if key.startswith(wanted)] if wanted else []
        if len(matches) != 1:
            problem = "has more than one finding that begins with" if matches else "has no finding"
            raise BadInputError(
                f"run {self.folder.run_id} {problem} {wanted!r}", "report.json lists the findings with their ids"
            )
        return matches[0]


def open_record(place: AppData, run_id: str) -> Recorded:
    """The record of a run; of the latest for ``latest``.

    Raises
    ------
    BadInputError
        When there is no such run, or no report.json in it that can be read as one.
    """
    folder = RunFolder.find(place.runs, "" if run_id == "latest" else run_id)
    path = folder.path / "report.json"
    try:
        report = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInputError(f"{path} can't be read: {error.strerror}", "report_bundle writes it") from error
    except ValueError as error:
        raise BadInputError(f"{path} is no JSON: {error}") from error
    try:
        check_report(report if isinstance(report, dict) else {})
    except ReportError as error:
        raise BadInputError(f"{path}: {error.message}", error.remedy) from error
    return Recorded(place, folder, report, folder.read(PLAN))


def kept_findings(place: AppData, folder: RunFolder, plugins: Collection[str]) -> dict[str, set[str]]:
    """Ids of all findings in the results that a run used, by plugin; none where no result is kept any more."""
    found: dict[str, set[str]] = {}
    for pack in sorted(folder.packs() or ()):
        # What follows the id is a digest, so that no plugin's keys can be taken for another's.
        for key, body in pack_results(place.results / pack, lambda key: key.rpartition("-")[0] in plugins).items():
            plugin = key.rpartition("-")[0]
            try:
                kept = decode(body)["result"]
                ended = Result() if kept is None else Result.from_json(decode(kept))
            except (EncodingError, KeyError, TypeError):
                continue  # of another version
            found.setdefault(plugin, set()).update(finding_id(plugin, f.to_json()) for f in ended.findings)
    return found
