"""Templates from frequent shapes: Drain's tree, with weights and in one fixed order."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from .masking import ANY
from .messages import Messages

Counts = npt.NDArray[np.int64]


@dataclass(slots=True)
class Template:
    """A text with places for what varies.

    Attributes
    ----------
    words : tuple of str
        Its words; ``<*>`` where any can stand.
    shapes : list of str
        The shapes of messages that are of it.
    blocks : ndarray of int64, shape (64,)
        Messages by block of rows.
    """

    words: tuple[str, ...]
    shapes: list[str]
    blocks: Counts

    @property
    def text(self) -> str:
        """As it is shown."""
        return " ".join(self.words)

    @property
    def rows(self) -> int:
        """Messages."""
        return int(self.blocks.sum())


@dataclass(slots=True)
class _Group:
    words: list[str]
    members: list[int] = field(default_factory=list)


def templates_of(shapes: list[str], blocks: Counts, similarity: float, constants: int) -> list[Template]:
    """Templates of shapes, the most frequent first.

    Parameters
    ----------
    shapes : list of str
        Different shapes.
    blocks : ndarray of int64, shape (shapes, 64)
        Messages of each by block of rows.
    similarity : float
        Share of equal words from which a shape joins a group.
    constants : int
        Different words in one place of a group up to which each makes a template of its own.

    Notes
    -----
    Shapes go down Drain's tree (10.1109/ICWS.2017.13), by number of words and first word, in the order of number of
    words and text, and join the group with the largest share of equal words. As that order is not the one of the rows,
    neither rows nor workers change anything.
    """
    leaves: dict[tuple[int, str], list[_Group]] = {}
    split = [shape.split(" ") for shape in shapes]
    for i in sorted(range(len(shapes)), key=lambda i: (len(split[i]), shapes[i])):
        groups = leaves.setdefault((len(split[i]), split[i][0]), [])
        scores = [_similarity(group.words, split[i]) for group in groups]
        best = max(range(len(groups)), key=lambda k: (scores[k], -k), default=-1)
        if best < 0 or scores[best] < similarity:
            groups.append(_Group(split[i], [i]))
            continue
        group = groups[best]
        group.words = [a if a == b else ANY for a, b in zip(group.words, split[i], strict=True)]
        group.members.append(i)
    found: dict[tuple[str, ...], list[int]] = {}
    for groups in leaves.values():
        for group in groups:
            for words, members in _parted([split[i] for i in group.members], group.members, constants):
                found.setdefault(words, []).extend(members)
    out = [Template(words, [shapes[i] for i in sorted(m)], blocks[m].sum(axis=0)) for words, m in found.items()]
    return sorted(out, key=lambda t: (-t.rows, t.words))


class Matcher:
    """Finds the templates of messages.

    Parameters
    ----------
    templates : list of Template
        The templates; of several that fit, the one with the most words of its own is taken, then the first.
    words : list of str
        The words of the messages.
    """

    def __init__(self, templates: list[Template], words: list[str]) -> None:
        codes = {word: code for code, word in enumerate(words)}
        self._by_length: dict[int, list[tuple[int, list[tuple[int, int]]]]] = {}
        fixed = [[(i, word) for i, word in enumerate(t.words) if word != ANY] for t in templates]
        for number in sorted(range(len(templates)), key=lambda i: (-len(fixed[i]), i)):
            if all(word in codes for _, word in fixed[number]):
                held = [(i, codes[word]) for i, word in fixed[number]]
                self._by_length.setdefault(len(templates[number].words), []).append((number, held))

    def of(self, messages: Messages) -> npt.NDArray[np.int64]:
        """Number of the template of each message; -1 where none fits."""
        out = np.full(len(messages), -1, np.int64)
        for members, table in messages.by_length():
            left = np.arange(members.size)
            for number, fixed in self._by_length.get(table.shape[1], ()):
                fits = left
                for place, code in fixed:
                    fits = fits[table[fits, place] == code]
                out[members[fits]] = number
                left = left[out[members[left]] < 0] if fits.size else left
        return out


def is_telling(template: Template) -> bool:
    """Whether a template says anything: it has a word, two if it is long, besides its marks."""
    plain = [word for word in template.words if not word.startswith("<") and any(c.isalpha() for c in word)]
    return len(plain) >= (1 if len(template.words) < 4 else 2)


def _parted(members: list[list[str]], numbers: list[int], constants: int) -> list[tuple[tuple[str, ...], list[int]]]:
    """A group by the words of those places where there are only few different ones; the others are parameters."""
    places = list(zip(*members, strict=True))
    few = [len(set(words)) <= constants and ANY not in words for words in places]
    parts: dict[tuple[str, ...], list[int]] = {}
    for words, number in zip(members, numbers, strict=True):
        key = tuple(word if keep else ANY for word, keep in zip(words, few, strict=True))
        parts.setdefault(key, []).append(number)
    return list(parts.items())


def _similarity(group: list[str], words: list[str]) -> float:
    """Share of places with equal words; a place where any word can stand counts for none, as in Drain."""
    return sum(a == b and a != ANY for a, b in zip(group, words, strict=True)) / len(words)
