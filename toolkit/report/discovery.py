"""False discovery control over a run: which tested findings stay, and what is said of the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.core.canonical import round_significant
from toolkit.govern.discovery import FAMILIES, METHODS, DiscoveryControl
from toolkit.plugin.inference.effects import MINIMUM_EFFECTS, RATIOS, beyond
from toolkit.plugin.inference.multiplicity import q_values

NO_INTERVAL = "no effect with an interval"
SMALL = "the interval does not lie beyond the minimum effect"
CHANCE = "q-value above the false discovery rate"

Finding = dict[str, Any]
Outcome = Mapping[str, Any]


def controlled(
    findings: Sequence[Finding], outcomes: Sequence[Outcome], control: DiscoveryControl
) -> tuple[list[Finding], dict[str, Any]]:
    """The findings that stay, facts first and then tests by q-value, and the account of the control.

    Parameters
    ----------
    findings : sequence of dict
        As the report has them, each once; those with ``log10_p`` get ``q_value`` and ``family_q_value``.
    outcomes : sequence of mapping
        Of the plugins that they come from: ``id``, ``n_tests``, ``params`` and ``family``.
    control : DiscoveryControl
        Rate and method.

    Returns
    -------
    findings : list of dict
        Those that are facts or outlive the control.
    account : dict
        Hypotheses, findings that were handed over, kept and dropped, in all and by family.

    Notes
    -----
    A test whose effect is not sure to exceed the least that matters counts as a hypothesis with a p-value of 1. So does
    every hypothesis of which a plugin made no finding. That only enlarges p-values, so the rate holds for the findings
    that are left, which it would not if the size of the effect were looked at after the control.
    """
    by_plugin = {o["id"]: o for o in outcomes}
    tested = [f for f in findings if f["log10_p"] is not None]
    handed = Counter(f["plugin"] for f in tested)
    # A plugin that counts fewer tests than it reports would make every q-value of the run too small.
    n_tests = {name: max(int(o.get("n_tests") or 0), handed[name]) for name, o in by_plugin.items()}
    reasons = [weakness(f, by_plugin[f["plugin"]].get("params") or {}) for f in tested]
    strong = [f for f, reason in zip(tested, reasons, strict=True) if not reason]
    dropped = Counter((f["plugin"], reason) for f, reason in zip(tested, reasons, strict=True) if reason)
    _adjust(strong, "q_value", sum(n_tests.values()), control.method)
    kept = []
    for finding in strong:
        if finding["q_value"] <= control.rate:
            kept.append(finding)
        else:
            dropped[finding["plugin"], CHANCE] += 1
    facts = [f for f in findings if f["log10_p"] is None]
    account = {
        "method": control.method,
        "rate": control.rate,
        "n_tests": sum(n_tests.values()),
        "tested": len(tested),
        "kept": len(kept),
        "dropped": [{"plugin": p, "reason": reason, "count": n} for (p, reason), n in sorted(dropped.items())],
        "families": _families(by_plugin, n_tests, strong, kept, control.method),
    }
    return facts + kept, account


def adjusted_q_values(log10_p: Sequence[float], n_tests: int, method: str) -> list[float]:
    """q-values as a report has them, rounded to 10 significant digits.

    Parameters
    ----------
    log10_p : sequence of float
        Decimal logarithms of the p-values of findings.
    n_tests : int
        All hypotheses.
    method : str
        One of `toolkit.govern.discovery.METHODS`.
    """
    # Benjamini and Yekutieli (2001), doi:10.1214/aos/1013699998: the sum of 1/i makes up for any dependence.
    factor = math.fsum(1.0 / i for i in range(1, n_tests + 1)) if method == METHODS[1] else 1.0
    return [round_significant(min(1.0, q * factor)) for q in q_values(log10_p, n_tests)]


def weakness(finding: Mapping[str, Any], params: Mapping[str, Any]) -> str:
    """Why a tested finding is none whatever its p-value; empty when its effect is sure to matter.

    Parameters
    ----------
    finding : mapping
        With ``effect``, ``interval`` and ``measure``. An end of the interval that is None is unbounded.
    params : mapping
        Parameters of the plugin: one that is named as the measure is the least effect, in place of the default.

    Examples
    --------
    >>> weakness({"effect": 0.3, "interval": [0.2, 0.4], "measure": "correlation"}, {})
    ''
    >>> weakness({"effect": 0.3, "interval": [0.05, 0.5], "measure": "correlation"}, {})
    'the interval does not lie beyond the minimum effect'
    """
    ends = finding["interval"]
    if finding["effect"] is None or ends is None or ends == [None, None]:
        return NO_INTERVAL
    measure = finding.get("measure")
    least = params.get(measure, MINIMUM_EFFECTS.get(measure)) if measure in MINIMUM_EFFECTS else None
    if least is None:
        return ""
    low, high = (-math.inf if ends[0] is None else ends[0]), (math.inf if ends[1] is None else ends[1])
    sure = low > least or high < 1.0 / least if measure in RATIOS else beyond(low, high, least)
    return "" if sure else SMALL


def name_finders(findings: Sequence[Finding]) -> None:
    """Where several plugins found the same kind on the same columns, let the first finding name the others' plugins."""
    first: dict[tuple[Any, ...], Finding] = {}
    for finding in findings:
        key = (finding["table"], finding["kind"], *sorted(finding["columns"]))
        before = first.setdefault(key, finding)
        if before["plugin"] != finding["plugin"] and finding["plugin"] not in before["also_found_by"]:
            before["also_found_by"].append(finding["plugin"])


def _adjust(findings: Sequence[Finding], field: str, n_tests: int, method: str) -> None:
    """Set the q-values of findings within a family of hypotheses."""
    adjusted = adjusted_q_values([f["log10_p"] for f in findings], n_tests, method)
    for finding, q in zip(findings, adjusted, strict=True):
        finding[field] = q


def _families(
    outcomes: Mapping[str, Outcome],
    n_tests: Mapping[str, int],
    strong: Sequence[Finding],
    kept: Sequence[Finding],
    method: str,
) -> list[dict[str, Any]]:
    """Each family that plugins state, with its hypotheses; its findings get their q-values within it."""
    out = []
    for family in FAMILIES:
        members = {name for name, o in outcomes.items() if o.get("family") == family}
        total = sum(n_tests[name] for name in members)
        if total:
            _adjust([f for f in strong if f["plugin"] in members], "family_q_value", total, method)
            out.append({"family": family, "n_tests": total, "kept": sum(f["plugin"] in members for f in kept)})
    return out
