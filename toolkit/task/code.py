"""A plugin's code: its digest and how it is loaded."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from toolkit.core.errors import BadInputError

_LARGEST_FOLDER = 64 << 20
_SKIPPED = frozenset({"__pycache__"})


def code_digest(folder: Path) -> str:
    """Digest over names and contents of all files of a plugin's folder, without caches and hidden files.

    Raises
    ------
    BadInputError
        When the folder can't be read, or is too large to be code.
    """
    state = hashlib.sha256()
    total = 0
    try:
        for path in sorted(_files(folder), key=lambda p: p.relative_to(folder).as_posix()):
            data = path.read_bytes()
            total += len(data)
            if total > _LARGEST_FOLDER:
                raise BadInputError(
                    f"{folder} has more than {_LARGEST_FOLDER >> 20} MiB", "keep data out of a plugin's folder"
                )
            name = path.relative_to(folder).as_posix().encode()
            state.update(len(name).to_bytes(4, "little") + name + len(data).to_bytes(8, "little") + data)
    except OSError as error:
        raise BadInputError(f"{error.filename or folder} can't be read: {error.strerror}") from error
    return state.hexdigest()


@contextmanager
def loaded_plugin(plugin: str, folder: Path, digest: str) -> Iterator[ModuleType]:
    """Import a plugin's module for as long as it is used.

    Parameters
    ----------
    plugin : str
        Its id.
    folder : Path
        Where it is.
    digest : str
        What `code_digest` gave when the run was planned; empty to load whatever is there.

    Raises
    ------
    BadInputError
        When the code has changed since, or there is no plugin.py.
    """
    if digest and code_digest(folder) != digest:
        raise BadInputError(f"the code of {plugin} has changed since the run was planned", "run it again")
    source = folder / "plugin.py"
    if not source.is_file():
        raise BadInputError(f"{source} is missing", "a plugin is a folder with plugin.yaml and plugin.py")
    name = f"toolkit_plugin_{plugin}"
    # As a package, so that a plugin may have further modules beside plugin.py and import them relatively.
    spec = importlib.util.spec_from_file_location(name, source, submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    writing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.dont_write_bytecode = writing
        for known in [m for m in sys.modules if m == name or m.startswith(f"{name}.")]:
            del sys.modules[known]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not any(p in _SKIPPED or p.startswith(".") for p in parts):
            yield path
