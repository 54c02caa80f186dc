"""A registry of named things that are found, not imported: readers, store backends, executors."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import pkgutil
from typing import Any, Generic, TypeVar

from toolkit.core.errors import UsageError

T = TypeVar("T")


@functools.cache
def installed_points(group: str) -> tuple[importlib.metadata.EntryPoint, ...]:
    """Entry points of a group, in a fixed order; looked for once, as that reads the metadata of all distributions."""
    return tuple(sorted(importlib.metadata.entry_points(group=group), key=lambda p: (p.name, p.value)))


class Registry(Generic[T]):
    """Named entries; each comes from one module or one entry point and is loaded on first use.

    Parameters
    ----------
    what : str
        What an entry is called in an error, such as ``"store format"``.
    package : str, optional
        A package each of whose modules adds one entry, its attribute ``PROVIDES`` (modules without one are skipped).
    group : str, optional
        An entry-point group through which installed distributions add entries.

    Notes
    -----
    An entry is any object with an attribute ``name``. Adding one takes a new file and no edit elsewhere.
    """

    def __init__(self, what: str, *, package: str = "", group: str = "") -> None:
        self.what = what
        self._package = package
        self._group = group
        self._entries: dict[str, T] | None = None

    def all(self) -> dict[str, T]:
        """Every entry by name, in the order of the names.

        Raises
        ------
        UsageError
            When two entries have one name.
        """
        if self._entries is None:
            found: dict[str, T] = {}
            origins: dict[str, str] = {}
            for origin, entry in self._discover():
                name = entry.name
                if name in found:
                    raise UsageError(f"two entries provide the {self.what} {name!r}: {origins[name]} and {origin}")
                found[name], origins[name] = entry, origin
            self._entries = dict(sorted(found.items()))
        return self._entries

    def get(self, name: str) -> T:
        """The entry of that name.

        Raises
        ------
        UsageError
            When there is none; the message lists those there are.
        """
        entries = self.all()
        if name not in entries:
            raise UsageError(f"unknown {self.what} {name!r}", f"known: {', '.join(entries) or 'none'}")
        return entries[name]

    def _discover(self) -> list[tuple[str, Any]]:
        found: list[tuple[str, Any]] = []
        if self._package:
            package = importlib.import_module(self._package)
            for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
                provided = getattr(importlib.import_module(f"{self._package}.{module}"), "PROVIDES", None)
                if provided is not None:
                    found.append((f"{self._package}.{module}", provided))
        if self._group:
            found.extend((point.value, point.load()) for point in installed_points(self._group))
        return found
