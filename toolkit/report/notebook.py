"""Reports and findings as a notebook shows them: as HTML, and as pandas frames."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import BadInputError, UsageError
from toolkit.report.figures import number, probability
from toolkit.report.html.evidence import facts, label
from toolkit.report.html.markup import EMPTY, Markup, element, join, prose

if TYPE_CHECKING:
    import pandas as pd

PARTS = ("findings", "columns", "plugins", "associations", "references")
_MOST_SHOWN = 20
_FIRST = ("id", "plugin", "kind", "columns", "sentence", "recommendation", "effect", "low", "high", "measure")


class ReportedFinding(dict[str, Any]):
    """A finding of report.json; a dict that a notebook shows as a card."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return element("div", _card(self), facts(self["evidence"]))

    def to_pandas(self) -> pd.Series[Any]:
        """Its fields by name; ``low`` and ``high`` are the ends of the interval, the evidence stays a dict."""
        import pandas as pd

        return pd.Series(_flat(self), dtype=object, name=self["id"])


class Report(dict[str, Any]):
    """A report as report.json has it; a dict that a notebook shows, and that gives frames.

    Examples
    --------
    ::

        report = toolkit.open_report("latest")
        report.to_pandas()  # findings
        report.to_pandas("columns")  # statistics of every column
    """

    __slots__ = ()

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read a report.json.

        Raises
        ------
        BadInputError
            When it can't be read, or is no report.
        """
        try:
            tree = json.loads(path.read_bytes())
        except OSError as error:
            raise BadInputError(f"{path} can't be read: {error.strerror}", "report_bundle writes it") from error
        except ValueError as error:
            raise BadInputError(f"{path} is no JSON: {error}") from error
        if not isinstance(tree, dict) or "schema_version" not in tree:
            raise BadInputError(f"{path} is no report")
        return cls(tree)

    @property
    def findings(self) -> list[ReportedFinding]:
        """The findings in the report's order."""
        return [ReportedFinding(finding) for finding in self["findings"]]

    def to_pandas(self, part: str = "findings") -> pd.DataFrame:
        """One part of the report as a frame.

        Parameters
        ----------
        part : str
            One of `PARTS`: ``findings`` (one a row, the interval as ``low`` and ``high``), ``columns`` (indexed by
            name), ``plugins``, ``associations`` or ``references``.

        Raises
        ------
        UsageError
            For another part.
        """
        import pandas as pd

        if part not in PARTS:
            raise UsageError(f"a report has no part {part!r} to make a frame of", f"parts: {', '.join(PARTS)}")
        if part == "findings":
            return pd.DataFrame([_flat(f) for f in self["findings"]], columns=_field_names(self["findings"]))
        frame = pd.DataFrame(self[part])
        return frame.set_index("name") if part == "columns" and len(frame) else frame

    def _repr_html_(self) -> str:
        dataset, plugins = self["dataset"], self["plugins"]
        done = sum(p["status"] == "ok" for p in plugins)
        said = f"{number(dataset['rows'])} rows, {number(len(self['columns']))} columns, "
        said += f"{number(done)} of {number(len(plugins))} plugins done, {number(len(self['findings']))} findings"
        shown = self["findings"][:_MOST_SHOWN]
        cards = element("ol", join(element("li", _card(finding)) for finding in shown))
        rest = len(self["findings"]) - len(shown)
        more = element("p", f"{number(rest)} more: report.to_pandas() has them all.") if rest else EMPTY
        return element("div", element("p", element("b", said)), cards, more)


def _card(finding: Mapping[str, Any]) -> Markup:
    names = finding["columns"]
    parts = [element("b", label(finding["kind"]), ": "), prose(finding["sentence"], names)]
    if finding["recommendation"]:
        parts += [element("br"), prose(finding["recommendation"], names)]
    figures = []
    if finding["effect"] is not None:
        figures.append(f"{label(finding.get('measure') or 'effect')} {number(finding['effect'])}")
    if finding["q_value"] is not None:
        figures.append(f"q {probability(finding['q_value'])}")
    figures.append(f"{finding['plugin']} {finding['id']}")
    return join([*parts, element("br"), element("small", " · ".join(figures))])


def _flat(finding: Mapping[str, Any]) -> dict[str, Any]:
    low, high = finding["interval"] or (None, None)
    rest = {name: value for name, value in finding.items() if name != "interval"}
    flat = {**rest, "low": low, "high": high}
    return {name: flat[name] for name in _field_names([finding])}


def _field_names(findings: Iterable[Mapping[str, Any]]) -> list[str]:
    """The fields of the first finding, those first that a person reads first."""
    fields = [name for name in next(iter(findings), {}) if name != "interval"]
    return [*_FIRST, *(name for name in fields if name not in _FIRST)]
