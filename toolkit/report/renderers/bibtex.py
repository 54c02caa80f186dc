"""references.bib: whom to cite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from toolkit.report.bibliography import bibliography


class BibtexRenderer:
    """One entry for each method that was used, and one for the toolkit."""

    name: ClassVar[str] = "bibtex"
    filename: ClassVar[str] = "references.bib"

    def render(self, report: Mapping[str, Any]) -> bytes:
        """See `toolkit.report.renderer.Renderer`."""
        return bibliography(report["references"]).encode("utf-8", "backslashreplace")


PROVIDES = BibtexRenderer()
