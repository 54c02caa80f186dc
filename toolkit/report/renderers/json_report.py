"""report.json: the truth, from which every other format is made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(", ", ": "), sort_keys=True).encode
_NESTED = (dict, list)


class JsonRenderer:
    """Indented JSON with sorted keys; doubles are written so that they read back as the same double."""

    name: ClassVar[str] = "json"
    filename: ClassVar[str] = "report.json"

    def render(self, report: Mapping[str, Any]) -> bytes:
        """See `toolkit.report.renderer.Renderer`."""
        # A lone surrogate, which UTF-8 does not have, becomes the JSON escape \udxxx.
        return ("".join(_pieces(dict(report), "\n")) + "\n").encode("utf-8", "backslashreplace")


def _pieces(value: Any, line: str) -> Iterator[str]:
    """A tree as JSON, a line for each item; a list of plain values stands on one line.

    >>> "".join(_pieces({"b": [1, 2.5], "a": [{}, [None]]}, "|"))
    '{| "a": [|  {},|  [null]| ],| "b": [1, 2.5]|}'
    """
    deeper = line + " "
    if isinstance(value, dict) and value:
        for place, name in enumerate(sorted(value)):
            yield f"{',' if place else '{'}{deeper}{_ENCODE(name)}: "
            yield from _pieces(value[name], deeper)
        yield line + "}"
    elif isinstance(value, list) and any(isinstance(item, _NESTED) for item in value):
        for place, item in enumerate(value):
            yield f"{',' if place else '['}{deeper}"
            yield from _pieces(item, deeper)
        yield line + "]"
    else:
        yield _ENCODE(value)


PROVIDES = JsonRenderer()
