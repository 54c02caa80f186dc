"""What a plugin returns."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Finding:
    """One thing that a person should know, with what it rests on.

    Attributes
    ----------
    kind : str
        What sort of finding, such as ``"constant_column"``.
    columns : list of str
        The columns that it is about.
    sentence : str
        One plain sentence with numbers; every number in it also stands in ``evidence``.
    recommendation : str
        What to do: names a column and an action.
    effect : float or None
        Size of the effect, in the unit that the kind states.
    interval : tuple of float or None
        95 % interval of the effect.
    log10_p : float or None
        Decimal logarithm of the p-value where there was a test, else None.
    evidence : dict
        Row ranges, chunks, values; what `verify` re-reads.
    references : list of str
        DOIs of the methods.
    measure : str
        What ``effect`` is, such as ``"correlation"``. Of those in `toolkit.plugin.inference.MINIMUM_EFFECTS` a report
        keeps a tested finding only when its interval lies beyond the minimum.
    """

    kind: str
    columns: list[str]
    sentence: str
    recommendation: str
    effect: float | None = None
    interval: tuple[float, float] | None = None
    log10_p: float | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    references: list[str] = field(default_factory=list)
    measure: str = ""

    def to_json(self) -> dict[str, Any]:
        """The fields as a plain tree."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Finding:
        """Read what `to_json` wrote."""
        interval = value.get("interval")
        return cls(**{**value, "interval": None if interval is None else (interval[0], interval[1])})


@dataclass(slots=True)
class Result:
    """What a plugin found out.

    Attributes
    ----------
    data : dict
        A tree of numbers, texts, lists and dicts, such as JSON holds; numbers in full precision.
    findings : list of Finding
        The most important first.
    n_tests : int
        All hypotheses that were tested, reported or not; false discovery is controlled with it over the whole run.
    coverage : dict
        Rows, chunks and columns that were read; filled in by the engine.
    omitted : list of dict
        What a cap left out: ``cap``, ``value``, ``requested``, ``evaluated``, ``rule``. Omissions that `Context`
        makes are added by the engine.
    files : dict of str to bytes
        For plugins of type ``report``: files for the run's folder, by plain name.
    derived : dict
        The table that a transform made: its content key, rows and columns with their lineage; filled in by the engine.
    """

    data: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    n_tests: int = 0
    coverage: dict[str, Any] = field(default_factory=dict)
    omitted: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    derived: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The fields as a plain tree (``files`` holds bytes)."""
        return {
            "data": self.data,
            "findings": [f.to_json() for f in self.findings],
            "n_tests": self.n_tests,
            "coverage": self.coverage,
            "omitted": self.omitted,
            "files": self.files,
            "derived": self.derived,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Result:
        """Read what `to_json` wrote."""
        return cls(**{**value, "findings": [Finding.from_json(f) for f in value["findings"]]})


class Skip(Exception):  # noqa: N818  it is no error: the plugin has nothing to do here
    """Raised by a plugin that does not apply to this table; its status becomes ``skipped``.

    Parameters
    ----------
    reason : str
        Why it does not apply.
    recommendation : str, optional
        What would make it apply.

    Examples
    --------
    >>> raise Skip("there is no time column", "declare one with --types")
    Traceback (most recent call last):
    toolkit.plugin.result.Skip: there is no time column
    """

    def __init__(self, reason: str, recommendation: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.recommendation = recommendation
