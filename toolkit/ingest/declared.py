"""Declared types: what a person says of columns, in a YAML file."""

from __future__ import annotations

from pathlib import Path

from toolkit.core.errors import BadInputError
from toolkit.govern.safe_yaml import load_yaml


def read_types(path: Path) -> dict[str, str]:
    """Read a file that maps column names to kinds, such as ``zip: string``.

    Raises
    ------
    BadInputError
        When the file is no such mapping; names file and line.
    """
    declared = load_yaml(path)
    for name, kind in declared.items():
        if not isinstance(kind, str):
            raise BadInputError(
                f"{path}:{declared.lines[name]}: the type of {name!r} is not a word", "such as: zip: string"
            )
    return {str(name): str(kind) for name, kind in sorted(declared.items())}
