"""Done-marks: which parts of a source are staged already, so that an interrupted conversion goes on where it was.

A mark is a small file beside a staged part, written when the part is. It holds what the part says of its columns and
which bytes of the source it was made of.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import mmap
from functools import cache
from pathlib import Path
from typing import Any

import xxhash

from toolkit.core.canonical import canonical_json
from toolkit.core.code import code_digest
from toolkit.core.digest import KEY_LENGTH, digest_value
from toolkit.ingest.evidence import Evidence
from toolkit.ingest.sources import SourceFiles
from toolkit.ingest.staging import StagedPart
from toolkit.readers.base import Part, Rejected


def workspace_name(files: SourceFiles, settings: dict[str, Any], part_bytes: int) -> str:
    """Name of the work folder of a conversion: the same for the same source, unchanged, with the same settings.

    Another version of the code or of Arrow may type a part otherwise, and never goes on with the parts of this one.
    """
    places = [str(path.resolve()) for path in files.paths]
    code = [_converter_code(), importlib.metadata.version("pyarrow"), importlib.metadata.version("numpy")]
    identity = digest_value([code, places, [list(s) for s in files.state()], settings, part_bytes])
    return f"convert-{identity[:KEY_LENGTH]}"


def write_mark(staged: StagedPart, part: Part) -> None:
    """Say that a part is staged; the mark appears when it is complete."""
    value = {
        "mark": part.mark,
        "size": staged.path.stat().st_size,
        "digest": _checksum(staged.path),
        "rows": staged.rows,
        "offsets": list(staged.offsets),
        "evidence": [e.to_json() for e in staged.evidence],
        "rejected": [[r.line, r.reason, base64.b64encode(r.record).decode()] for r in staged.rejected],
    }
    path = _mark_path(staged.path)
    temporary = path.with_suffix(".new")
    temporary.write_text(canonical_json(value), "utf-8")
    temporary.replace(path)


def read_mark(path: Path, part: Part) -> StagedPart | None:
    """The staged part at a path, if it is whole and was made of the same bytes; None otherwise."""
    try:
        value = json.loads(_mark_path(path).read_text("utf-8"))
        if value["mark"] != part.mark or path.stat().st_size != value["size"] or _checksum(path) != value["digest"]:
            return None
        return StagedPart(
            path=path,
            rows=value["rows"],
            evidence=tuple(Evidence(**e) for e in value["evidence"]),
            offsets=tuple(value["offsets"]),
            rejected=tuple(Rejected(n, reason, base64.b64decode(r)) for n, reason, r in value["rejected"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


@cache
def _converter_code() -> str:
    root = Path(__file__).parent.parent
    return digest_value([code_digest(root / name) for name in ("core", "ingest", "readers", "storage")])


def _checksum(path: Path) -> str:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return xxhash.xxh3_64_hexdigest(content)


def _mark_path(path: Path) -> Path:
    return path.with_suffix(".done")
