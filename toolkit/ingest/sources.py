"""Which source led to which store, so that a second convert of it has nothing to parse.

Imports nothing heavy: a reuse must cost next to nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from toolkit.core.digest import KEY_LENGTH, digest_file, digest_value

RECORD_VERSION = 1


def identity_of(path: Path, source_sha256: str, settings: dict[str, Any]) -> str:
    """Identity of a source and of all that the store's content depends on: its bytes, its suffix, the settings."""
    return digest_value([RECORD_VERSION, source_sha256, path.suffixes[-2:], settings])[:KEY_LENGTH]


def record_name(size: int, identity: str) -> str:
    """Name of a source's record: the size stands first, by which most other sources are told apart without reading."""
    return f"{size}-{identity}"


def find_record(sources: Path, path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a source that was converted before with the same settings.

    Parameters
    ----------
    sources : Path
        Folder of the records.
    path : Path
        The source; it is digested only when a record of its size exists.
    settings : dict
        What the content depends on besides the source.
    """
    try:
        size = path.stat().st_size
        if not any(sources.glob(f"{size}-*.json")):
            return None
        identity = identity_of(path, digest_file(path), settings)
        record = json.loads((sources / f"{record_name(size, identity)}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and "store" in record else None
