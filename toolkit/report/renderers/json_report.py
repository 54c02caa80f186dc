"""report.json: the truth, from which every other format is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from toolkit.core.canonical import pretty_json


class JsonRenderer:
    """Indented JSON with sorted keys; doubles are written so that they read back as the same double."""

    name: ClassVar[str] = "json"
    filename: ClassVar[str] = "report.json"

    def render(self, report: Mapping[str, Any]) -> bytes:
        """See `toolkit.report.renderer.Renderer`."""
        # A lone surrogate, which UTF-8 does not have, becomes the JSON escape \udxxx.
        return pretty_json(dict(report)).encode("utf-8", "backslashreplace")


PROVIDES = JsonRenderer()
