"""Which stores were derived from which others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol


class Places(Protocol):
    """What of an appdata folder is needed here."""

    @property
    def lineage(self) -> Path:
        """Records of derived stores."""

    @property
    def sources(self) -> Path:
        """Records of converted stores."""

    @property
    def stores(self) -> Path:
        """Published stores."""


def lineage_of(places: Places, store: Path) -> list[dict[str, Any]]:
    """How a store was derived: one record for each transform that led to its content, in the order of their names."""
    return [r for p in sorted(places.lineage.glob(f"{_key(store)}-*.json")) if (r := _read(p))]


def is_derived(places: Places, store: Path) -> bool:
    """Whether a store is there because a transform made it, and was not converted from a source."""
    if not any(r.get("made") for r in lineage_of(places, store)):
        return False
    return not any(_read(p).get("store") == store.name for p in places.sources.glob("*.json"))


def drop_lineage(places: Places) -> list[Path]:
    """Remove the records of stores that are gone."""
    kept = {_key(p) for p in places.stores.glob("*")}
    gone = [p for p in sorted(places.lineage.glob("*.json")) if p.name.partition("-")[0] not in kept]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def _key(store: Path) -> str:
    return store.name.partition(".")[0]


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
