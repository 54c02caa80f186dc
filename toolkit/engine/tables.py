"""The tables of a run: its own, and those that its transforms derive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.engine.board import KernelBoard
from toolkit.engine.plugin_run import PluginRun
from toolkit.execute.base import Limits, Task
from toolkit.storage.appdata import AppData
from toolkit.storage.cut_dataset import CutDataset
from toolkit.storage.dataset import Dataset, open_location
from toolkit.task.payload import StoreRef, check_payload, publish_payload, store_ref

MakeBoard = Callable[[Dataset], KernelBoard]

OWN = ""
"""Name of the run's own table; a derived one has the id of its transform."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that plugins run on.

    Attributes
    ----------
    dataset : Dataset
        Open, with the chunks that plugins see.
    store : StoreRef
        Where workers that run plugins find it.
    stored : StoreRef
        The same with the store's own chunks, for kernels.
    board : KernelBoard
        The kernels on it.
    source : StoreRef or None
        The table that it was derived from, with the store's own chunks; None for the run's own.
    """

    dataset: Dataset
    store: StoreRef
    stored: StoreRef
    board: KernelBoard
    source: StoreRef | None = None


class Tables:
    """Opens tables, and has stores made of what transforms stage.

    Parameters
    ----------
    dataset : Dataset
        The run's own table.
    make_board : callable
        Makes the kernel board of a table.
    place : AppData
        Where stores go.
    """

    def __init__(self, dataset: Dataset, make_board: MakeBoard, place: AppData) -> None:
        self._make_board = make_board
        self._place = place
        self._tables: dict[str, Table] = {}
        self._add(OWN, dataset)

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    def publish_task(self, run: PluginRun, declaration: dict[str, Any], staged: Path) -> Task:
        """The task that makes a store of what a transform staged; it is the harness's own and has no limits."""
        planned, manifest = run.planned, run.planned.manifest
        lineage = {
            "plugin": run.id,
            "version": manifest.version,
            "code": planned.digest,
            "params": planned.params,
            "budget": planned.budget.to_json(),
        }
        parent, appdata = self._tables[manifest.table].store, str(self._place.root.absolute())
        payload = publish_payload(parent, str(staged), declaration, appdata, lineage)
        return Task(f"publish:{run.id}", payload, Limits(), None)

    def check_task(self, run: PluginRun, derived: dict[str, Any]) -> Task | None:
        """The task that proves a store of before intact; None where it is the parent itself."""
        parent = self._tables[run.planned.manifest.table]
        if derived["key"] == parent.dataset.key:
            return None
        where = store_ref(self._place.stores / derived["store"], derived["key"])
        return Task(f"check:{run.id}", check_payload(parent.store, where), Limits(), None)

    def drop(self, derived: dict[str, Any]) -> None:
        """Remove a store that is damaged, so that it can be made again."""
        location = self._place.stores / derived["store"]
        if location.exists():
            self._place.drop_store(location)

    def open(self, run: PluginRun) -> Table:
        """Open the table that a transform made."""
        derived = run.decoded().derived
        parent = self._tables[run.planned.manifest.table]
        same = derived["key"] == parent.dataset.key
        found = parent.dataset if same else open_location(self._place.stores / derived["store"])
        return self._add(run.id, found, derived["cuts"], parent.stored)

    def _add(self, name: str, dataset: Dataset, cuts: Sequence[int] = (), source: StoreRef | None = None) -> Table:
        stored, store = (store_ref(dataset.location, dataset.key, c) for c in ((), cuts))
        seen = CutDataset(dataset, cuts) if cuts else dataset
        made = Table(seen, store, stored, self._make_board(dataset), source)
        self._tables[name] = made
        return made
