"""How a plugin's code is loaded."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from toolkit.core.code import code_digest
from toolkit.core.errors import BadInputError


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
