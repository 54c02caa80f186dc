"""What may be told of each finding: its kind, its columns and its size, in words that are not the data's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from toolkit.plugin.inference import MINIMUM_EFFECTS

from .columns import Columns
from .figures import of_evidence, rounded
from .words import is_known

_LISTED = 8
_SURE = ((-6.0, "q below 0.000001"), (-3.0, "q below 0.001"), (-2.0, "q below 0.01"))


def facts(finding: Mapping[str, Any], number: int, columns: Columns, fewest: int) -> dict[str, Any]:
    """What is told of a finding. Its sentence, its recommendation and all texts of its evidence are left out.

    Parameters
    ----------
    finding : mapping
        As in report.json.
    number : int
        Its number in the prompt.
    columns : Columns
        Names, and which columns are personal.
    fewest : int
        Rows from which a number of rows is shown.
    """
    names = [str(name) for name in finding["columns"]]
    out: dict[str, Any] = {
        "finding": number,
        "what": words_of(str(finding["kind"])),
        "by": words_of(str(finding["plugin"])),
        "columns": [columns.name(name) for name in names[:_LISTED]],
    }
    if len(names) > _LISTED:
        out["more_columns"] = len(names) - _LISTED
    if not columns.may_be_counted(names):
        return out | {"figures": "left out: personal data, or a derived table"}
    if (effect := rounded(finding["effect"])) is not None:
        out["effect"] = effect
        if finding["measure"] in MINIMUM_EFFECTS:
            out["effect_is"] = str(finding["measure"]).replace("_", " ")
    ends = [rounded(end) for end in finding["interval"] or ()]
    if len(ends) == 2 and None not in ends:
        out["interval_95"] = ends
    out["sure"] = sure(finding["q_value"])
    return out | of_evidence(finding["evidence"], fewest)


def words_of(name: str) -> str:
    """A name of code as words, where they are common ones.

    Examples
    --------
    >>> words_of("missing_run"), words_of("patient_jane_canary")
    ('missing run', 'other')
    """
    return name.replace("_", " ") if is_known(name) else "other"


def sure(q_value: float | None) -> str:
    """How sure a finding is.

    Examples
    --------
    >>> sure(None), sure(0.0), sure(0.03)
    ('a fact, no test', 'q below 0.000001', 'q below 0.05')
    """
    if q_value is None:
        return "a fact, no test"
    for log10_q, text in _SURE:
        if q_value < 10.0**log10_q:
            return text
    return "q below 0.05" if q_value < 0.05 else "q of 0.05 or more"
