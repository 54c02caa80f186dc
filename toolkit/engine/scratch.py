"""Folders in which plugins may write: one a task, gone when the task's outcome has been taken in."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path

from toolkit.contain.clearing import clear
from toolkit.engine.run_folder import SCRATCH
from toolkit.storage.appdata import AppData
from toolkit.storage.durable import naming_disk_errors


class Scratch:
    """The scratch folders of a run.

    Parameters
    ----------
    place : AppData
        It is kept from collecting them while they are in use.
    folder : Path
        The run's. What an interrupted run left in it is removed.
    """

    def __init__(self, place: AppData, folder: Path) -> None:
        self._top = folder.absolute() / SCRATCH
        self._held = ExitStack()
        self._held.enter_context(place.holding(self._top))
        clear(self._top)
        self._shared = self._top / "scans"

    def path(self, task_id: str) -> Path:
        """Where a task's folder is, once it is made."""
        return self._top / task_id.replace(":", "-")

    def shared(self) -> Path:
        """The folder of tasks that only write files without a name; made when it is first asked for."""
        if not self._shared.is_dir():
            with naming_disk_errors("making a folder for temporary files", self._shared):
                self._shared.mkdir(parents=True, mode=0o700)
        return self._shared

    def make(self, task_id: str) -> None:
        """Make the folder of a task."""
        path = self.path(task_id)
        with naming_disk_errors("making a plugin's folder", path):
            path.mkdir(parents=True, mode=0o700)

    def remove(self, task_id: str) -> None:
        """Remove the folder of a task that has ended, whatever is in it."""
        self._remove(self.path(task_id))

    def discard(self, plugin: str) -> None:
        """Remove what is left of a plugin's folders; its tasks must have ended."""
        for name in os.listdir(self._top):  # noqa: PTH208  in the path of every plugin
            if name == f"plugin-{plugin}" or name.startswith(f"plugin-{plugin}-"):
                self._remove(self._top / name)

    def close(self) -> None:
        """Remove all of them; their tasks must have ended."""
        if self._top.is_dir():
            clear(self._top)
        self._held.close()

    def _remove(self, path: Path) -> None:
        if path.is_dir():
            clear(path)
            path.rmdir()
