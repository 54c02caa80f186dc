"""Finds plugins: those that ship, those in named folders, those of installed distributions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from toolkit.core.errors import BadInputError, UsageError
from toolkit.engine.manifest import Manifest, load_manifest

ENTRY_POINT_GROUP = "toolkit.plugins"
_MANIFEST = "plugin.yaml"


def shipped_plugins() -> Path:
    """The folder of the plugins that come with the toolkit."""
    return Path(__file__).resolve().parents[2] / "plugins"


def discover(folders: Sequence[Path] = ()) -> dict[str, Manifest]:
    """Every plugin by id, in the order of the ids.

    Parameters
    ----------
    folders : sequence of Path
        Besides what ships and what is installed: folders that hold plugin folders, or are one.

    Raises
    ------
    UsageError
        When a folder does not exist, or two plugins have one id.
    BadInputError
        When a manifest is wrong.
    """
    found: dict[str, Manifest] = {}
    seen: set[Path] = set()
    for folder in _plugin_folders(folders):
        real = folder.resolve()
        if real in seen:
            continue
        seen.add(real)
        manifest = load_manifest(folder)
        other = found.get(manifest.id)
        if other is not None:
            raise UsageError(
                f"two plugins have the id {manifest.id!r}: {other.folder} and {folder}", "rename one of the folders"
            )
        found[manifest.id] = manifest
    return dict(sorted(found.items()))


def _plugin_folders(folders: Iterable[Path]) -> Iterator[Path]:
    shipped = shipped_plugins()
    if shipped.is_dir():
        yield from below(shipped)
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(
                f"there is no folder {folder}", "--plugin-dir and TOOLKIT_PLUGIN_PATH take folders with plugins"
            )
        yield from [folder] if (folder / _MANIFEST).is_file() else below(folder)
    points = importlib.metadata.entry_points(group=ENTRY_POINT_GROUP)
    for point in sorted(points, key=lambda p: (p.name, p.value)):
        yield _installed(point)


def below(folder: Path) -> list[Path]:
    """The plugins' folders directly in a folder."""
    return sorted(p for p in folder.iterdir() if (p / _MANIFEST).is_file())


def _installed(point: importlib.metadata.EntryPoint) -> Path:
    """The folder of the package that an entry point names; its code is not imported."""
    try:
        spec = importlib.util.find_spec(point.value)
    except (ImportError, ValueError) as error:
        raise BadInputError(f"the plugin {point.name} of an installed distribution can't be found: {error}") from error
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    for place in places:
        if (Path(place) / _MANIFEST).is_file():
            return Path(place)
    raise BadInputError(
        f"the entry point {point.name} = {point.value} ({ENTRY_POINT_GROUP}) names no package with a {_MANIFEST}",
        "reinstall or remove the distribution that provides it",
    )
