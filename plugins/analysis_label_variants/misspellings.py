"""Labels that are one letter away from a far more frequent one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .companions import Candidate
from .fingerprints import Label

LONGEST = 100
"""Characters beyond which a label is a text, and is not compared letter by letter."""


def misspelt(labels: Sequence[Label], share: float) -> tuple[dict[Label, Label], list[Candidate]]:
    """Labels that seem to be misspelt, and such as may be.

    Parameters
    ----------
    labels : sequence of Label
        Those of a column that `is_word` lets pass.
    share : float
        Rows of a misspelling at most, for each row of the label that is meant.

    Returns
    -------
    found : dict
        For each misspelling the label that is meant: the most frequent of those one edit away.
    candidates : list of Candidate
        Labels one edit away from more frequent ones that are not frequent enough.
    """
    kinds: dict[str, list[Label]] = {}
    for label in labels:
        kinds.setdefault(label.key, []).append(label)
    rows = {key: sum(label.rows for label in kind) for key, kind in kinds.items()}
    meant: dict[str, str] = {}
    candidates = []
    # The most frequent first, so that what a label is taken for is known before its own misspellings are.
    order = sorted(kinds, key=lambda key: (-rows[key], kinds[key][0].code))
    seen: dict[str, list[str]] = {}
    for key in order:
        texts = [key, *_deletions(key)]
        close = {other for text in texts for other in seen.get(text, ())}
        fits = [o for o in close if key[0] == o[0] and _one_edit(key, o)]
        fits = [o for o in fits if kinds[key][0].figures == kinds[o][0].figures]
        fits.sort(key=lambda o: (-rows[o], kinds[o][0].code))
        if fits and rows[key] <= share * rows[fits[0]]:
            meant[key] = meant.get(fits[0], fits[0])
        elif fits:
            candidates.append(Candidate(kinds[key], [kinds[o] for o in fits]))
        for text in texts:
            seen.setdefault(text, []).append(key)
    found = {}
    for key, other in meant.items():
        target = max(kinds[other], key=lambda label: (label.rows, -label.code))
        found |= dict.fromkeys(kinds[key], target)
    return found, candidates


def is_word(label: Label, shortest: int) -> bool:
    """Whether a label is compared letter by letter: no short one, no text, and no code of letters and figures."""
    is_code = any(map(str.isdigit, label.text)) and not any(map(str.isspace, label.text.strip()))
    return shortest <= len(label.key) <= LONGEST and not is_code


def _deletions(text: str) -> Iterator[str]:
    last = ""
    for i, character in enumerate(text):
        if character != last:  # of a run of one letter, any gives the same
            yield text[:i] + text[i + 1 :]
        last = character


def _one_edit(a: str, b: str) -> bool:
    """Whether one letter was put in, left out or exchanged, or two neighbours swapped."""
    if len(a) > len(b):
        a, b = b, a
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(b) - len(a) == 1:
        return a[at:] == b[at + 1 :]
    if len(a) != len(b) or a == b:
        return False
    swapped = a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
    return swapped or a[at + 1 :] == b[at + 1 :]
