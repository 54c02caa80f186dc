"""Findings on topics, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import Context, Finding
from toolkit.plugin.marked_rows import Link
from toolkit.plugin.places import block_places
from toolkit.plugin.share_changes import Change
from toolkit.plugin.wording import listed, percent, quoted

_WORDS = 5
_TOPICS = 8


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is told.

    Attributes
    ----------
    words : list of str
        Its telling words, the first the most.
    coherence : float
        Their mean normalised pointwise mutual information.
    rows : int
        Texts that are of it most.
    share : float
        Of all texts that have a topic.
    blocks : ndarray of int64, shape (64,)
        The texts by block of rows.
    typical : list of int
        Rows to read.
    """

    words: list[str]
    coherence: float
    rows: int
    share: float
    blocks: npt.NDArray[np.int64]
    typical: list[int]

    @property
    def name(self) -> str:
        """The topic in a sentence."""
        return f'"{", ".join(self.words[:_WORDS])}"'

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "words": self.words,
            "coherence": self.coherence,
            "rows": self.rows,
            "share": self.share,
            "by_block": self.blocks.tolist(),
            "typical_rows": self.typical,
        }


def of_topics(ctx: Context, column: str, topics: Sequence[Topic], texts: int) -> Finding:
    """What the texts of a column are about, as a fact."""
    told = [f"{t.name} ({percent(t.share)})" for t in topics[:_TOPICS]]
    more = f" and {len(topics) - _TOPICS} more" if len(topics) > _TOPICS else ""
    sentence = f"The {texts:,} texts of {quoted(column)} are about {len(topics)} topics: {listed(told)}{more}."
    evidence = {
        "texts": texts,
        "topics": len(topics),
        "further": max(len(topics) - _TOPICS, 0),
        "listed": [{k: v for k, v in t.to_json().items() if k != "by_block"} for t in topics[:20]],
        **block_places(ctx.grid, np.flatnonzero(sum(t.blocks for t in topics)).tolist()),
    }
    advice = f"Read the rows that the evidence names for each topic of {quoted(column)}, and give each a name."
    return Finding(
        "text_topics", [column], sentence, advice, effect=topics[0].share, evidence=evidence,
        references=["10.1162/jmlr.2003.3.4-5.993", "10.1145/2684822.2685324"],
    )  # fmt: skip


def of_link(ctx: Context, column: str, topic: Topic, category: str, link: Link) -> Finding:
    """A category that a topic goes with."""
    sentence = (
        f"Texts about {topic.name} in {quoted(column)} are {link.lift:.3g} times as common where {quoted(category)}"
    )
    sentence += f" is {link.level}: {link.inside:,} of {link.marked:,} such texts, in {link.rows:,} of {link.of_rows:,}"
    sentence += " rows with a topic."
    evidence: dict[str, Any] = {
        "words": topic.words,
        **link.evidence(),
        "typical_rows": topic.typical,
        **block_places(ctx.grid, np.flatnonzero(topic.blocks).tolist()),
    }
    advice = f"Read {_rows(topic)} of {quoted(column)}, and ask what {quoted(category)} {link.level} has to do with it."
    return Finding(
        "topic_goes_with", [column, category], sentence, advice, effect=link.lift, interval=link.interval,
        measure="lift", log10_p=link.log10_p, evidence=evidence, references=["10.1214/aos/1176346391"],
    )  # fmt: skip


def of_change(ctx: Context, column: str, topic: Topic, change: Change) -> Finding:
    """A topic that comes, goes or changes its share."""
    before, after = percent(change.before), percent(change.after)
    said = {
        "appears": f"are {after} of the texts since they first appeared, and none before",
        "vanishes": f"were {before} of the texts until they vanished, and none since",
        "changes": f"go from {before} in the first half of the rows to {after} in the last",
    }[change.kind]
    blocks = np.flatnonzero(topic.blocks).tolist()
    evidence: dict[str, Any] = {
        "words": topic.words,
        "count": topic.rows,
        "before": change.before,
        "after": change.after,
        "stretches": change.stretches,
        "typical_rows": topic.typical,
        **block_places(ctx.grid, blocks),
    }
    return Finding(
        f"topic_{change.kind}", [column], f"Texts about {topic.name} in {quoted(column)} {said} ({topic.rows:,} rows).",
        f"Read {_rows(topic)} of {quoted(column)}, and ask what happened there.",
        effect=change.difference, interval=change.interval, measure="share_change", log10_p=change.log10_p,
        evidence=evidence,
    )  # fmt: skip


def _rows(topic: Topic) -> str:
    return f"rows {listed([f'{row:,}' for row in topic.typical])}"
