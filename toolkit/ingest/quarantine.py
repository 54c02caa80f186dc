"""Bad records kept whole, with their places, beside the store that they are not part of."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolkit.core.canonical import canonical_json
from toolkit.readers.base import Rejected
from toolkit.storage.appdata import QUARANTINE_SUFFIX, AppData
from toolkit.storage.durable import naming_disk_errors, write_durably


def write_quarantine(appdata: AppData, store: str, identity: str, rejected: Sequence[Rejected]) -> Path | None:
    """Write the bad records of a source, one JSON object a line: ``line``, ``reason``, and ``record`` or ``base64``.

    Parameters
    ----------
    appdata : AppData
        Where the store is.
    store : str
        Name of the store.
    identity : str
        Identity of the source; sources of one content may have different bad records.
    rejected : sequence of Rejected
        In the order of the source.

    Returns
    -------
    Path or None
        The file; None when there is no bad record.
    """
    if not rejected:
        return None
    path = appdata.stores / f"{store}.{identity}{QUARANTINE_SUFFIX}"
    text = "".join(canonical_json(_plain(r)) + "\n" for r in rejected)
    with naming_disk_errors("writing the quarantine file", path):
        write_durably(path, text.encode())
    return path


def _plain(rejected: Rejected) -> dict[str, Any]:
    head = {"line": rejected.line, "reason": rejected.reason}
    try:
        return {**head, "record": rejected.record.decode("utf-8")}
    except UnicodeDecodeError:
        return {**head, "base64": base64.b64encode(rejected.record).decode()}
