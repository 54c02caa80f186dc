"""analysis_log_templates: the templates that messages are made from, and where they come and go.

What it finds. In text that programs wrote, the few templates behind many different messages, as a fact: "In `message` 3
templates cover 162,762 of 341,000 texts (47.7 %); the commonest is ``scan id=<num> dock=<num> result=ok took=<num> ms``
(130,100)." And of each template, by tests, whether it appears or vanishes along the rows, whether its share changes
from the first to the last half, and the category that its messages go with: "Texts like ``conveyor jam: parcel <num>
held at lane <num> for <num> s`` in `message` are 3.1 times as common where `site` is "DUS"."

Method. Numbers, addresses, paths and ids are masked in every message. Over four readings of all rows, words are counted
with their place and the length of their message (Vaarandi); a message's shape is its frequent words in their places;
shapes are counted, and those that are frequent are counted again exactly; where frequent words meet in too many ways to
be frequent together, those that are rare beside the others are left out of the shape first. Counters are hashed in the
first two readings, so that memory does not grow with the number of different messages, and what is counted in the third
is exact: each shape with at least ``support`` of the messages is found. Frequent shapes go down a tree as in Drain (by
number of words and first word, joined by the share of equal words), in the order of length and text in place of the
order of rows; where a place of a group has only a few different words (``constants``), each makes a template of its
own, as in "session opened" and "session closed". A fourth reading counts the messages that fit each template, also
those of rare shapes, with their first row, block of rows and categories. So neither the order of the rows, nor chunks,
nor workers change a template. Changes are tested on 16 long stretches of rows as one observation each, as neighbouring
rows depend on each other: an appearance by the exact probability that the stretches with the template are the last
ones, a change of share by Welch's t. Categories are tested by chi-square with Rao and Scott's correction. A column
counts as one of messages where templates cover ``coverage`` of its texts.

Cost. Four readings, about half a microsecond a row and reading for short messages, two where none are frequent; texts
that are kept as categories cost their dictionary and a few nanoseconds a row. Words are coded and counted by whole
arrays, and each different word is masked once. Memory is 2 MiB a column, the frequent shapes, and what a megabyte of
text takes while it is counted.

Caps. ``max_groups`` (200 unless the policy says more for this plugin): the most frequent templates. ``max_pairs`` (500
in the same way): of templates and categories, the first pairs in table order. ``max_cols``: the first columns of text.

What it does not do. Columns that `analysis_pii` tags are left out. Words behind the 64th are not looked at, nor
characters behind the 4,096th. Messages that fit no frequent shape are in no template. Values of parameters are not
kept. Templates of messages with differing numbers of words are not joined.

References
----------
He, Zhu, Zheng and Lyu (2017), doi:10.1109/ICWS.2017.13. Vaarandi (2003), doi:10.1109/IPOM.2003.1251233. Rao and Scott
(1984), doi:10.1214/aos/1176346391. Künsch (1989), doi:10.1214/aos/1176347265. Benjamini and Hochberg (1995),
doi:10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.plugin import (
    BLOCKS,
    Chunk,
    Context,
    Reducer,
    Result,
    Skip,
    State,
    block_of_rows,
    discoveries,
    omission,
    round_significant,
    select_pairs,
)
from toolkit.plugin.marked_rows import count_kinds
from toolkit.plugin.prose import may_hold_sentences

from .found import joined, no_shapes, of_rows
from .judge import changes, links
from .messages import MessageReader, Messages
from .shapes import count_shapes, count_words, kept_shapes, no_counts, pack, shapes_of, unpack
from .templates import Matcher, Template, is_telling, templates_of
from .wording import of_templates

FEWEST_MESSAGES = 100
FEWEST_WORDS = 2
"""Words of a message on average."""

MOST_LABELS, _ROWS_OF_A_LABEL = 64, 4

FEWEST_ROWS = 10
"""Rows of the rarest word or template that is shown, whatever the table."""

_WORDS, _SHAPES, _EXACT, _LEVELS = range(4)
_SUMS = (("messages", "words"), ("counts",), (), ("blocks",))


class Plugin(Reducer):
    """Counts words, then shapes by bucket, then frequent shapes exactly, then those by category.

    A state holds, by column: ``messages``, int64 of shape (64,), by block of rows; ``words``, counts of shape
    (buckets,). From the second pass on, ``counts`` of shapes of that shape; then ``hot``, buckets of the frequent, and
    ``found``, frequent shapes with counts by block; then ``blocks`` (templates, 64) and ``first`` (templates,),
    messages of each template and its first row, and ``tables``, by category int64 of shape (templates held against it
    + 1, 64, levels + 1): messages of no such template, and of each.

    Examples
    --------
    >>> least(1_000_000, 0.001), least(5, 0.001)
    (1000, 10)
    """

    state_class = "exact"
    passes = 4

    _found: dict[str, list[Template]] | None = None
    _held: dict[str, dict[str, list[int]]]
    _reader: MessageReader | None = None

    def columns(self) -> list[str]:
        """Text columns that may be shown; in the last pass categories too."""
        texts = self._texts()
        return texts if self.pass_number < _LEVELS else [*texts, *(c for c in self._categories() if c not in texts)]

    def _texts(self) -> list[str]:
        found = self.ctx.result("analysis_pii").data
        hidden = {*found["personal_columns"], *found["not_looked_at"]}
        profile = self.ctx.result("profile_basic").data["columns"]
        names = [name for name in self.ctx.columns("text") if name not in hidden]
        labels = {e["name"] for e in profile if is_of_labels(e.get("distinct"), e.get("count"))}
        return [name for name in names if name not in labels and may_hold_sentences(self.ctx, name, profile)]

    def _categories(self) -> list[str]:
        found = [c for (c,) in self.ctx.kernel_columns("block_codes")]
        return [c for c in found if self.ctx.kernel("block_codes", c)["levels"]["levels"] >= 2]

    def init(self) -> State:
        """No messages, and what the passes before found."""
        return {name: self._nothing(name) for name in self._texts()}

    def _nothing(self, name: str) -> State:
        if self.pass_number == _WORDS:
            return {"messages": np.zeros(BLOCKS, np.int64), "words": no_counts()}
        former = self.former[name]
        kept = {"messages": former["messages"], "words": former["words"]}
        if self.pass_number == _SHAPES:
            return kept | {"counts": no_counts()}
        if self.pass_number == _EXACT:
            hot = former["counts"] >= self._fewest(former)
            if former["counts"][hot].sum() < self.ctx.params["coverage"] * former["messages"].sum():
                hot[:] = False  # not enough messages can be of a template
            return kept | {"hot": pack(hot), "found": no_shapes()}
        templates, tables = len(self._templates()[name]), {}
        for category, held in self._by_category(name).items():
            width = self.ctx.kernel("block_codes", category)["levels"]["levels"] + 1
            tables[category] = np.zeros((len(held) + 1, BLOCKS, width), np.int64)
        blocks, first = np.zeros((templates, BLOCKS), np.int64), np.full(templates, self.ctx.rows, np.int64)
        return kept | {"found": former["found"], "blocks": blocks, "first": first, "tables": tables}

    def _fewest(self, own: State) -> int:
        return least(int(own["messages"].sum()), self.ctx.params["support"])

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        if self._reader is None:
            self._reader = MessageReader()
        for name, own in state.items():
            if not self._is_through(own):
                for messages in self._reader.of_chunk(chunk, name):
                    self._add(own, chunk, name, messages)
        return state

    def _add(self, own: State, chunk: Chunk, name: str, messages: Messages) -> None:
        """Add some messages of a chunk."""
        blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, self.ctx.rows)[messages.rows]
        if self.pass_number == _LEVELS:
            numbers = Matcher(self._templates()[name], messages.words).of(messages)[messages.of_row]
            self._add_templates(own, chunk, name, messages.rows, numbers)
            return
        weights = np.bincount(messages.of_row, minlength=len(messages))
        if self.pass_number == _WORDS:
            own["messages"] += np.bincount(blocks, minlength=BLOCKS)
            count_words(messages, weights, own["words"])
            return
        hot = unpack(own["hot"]) if self.pass_number == _EXACT else None
        for shapes in shapes_of(messages, own["words"], self._fewest(own), self.ctx.params["constants"]):
            if hot is None:
                count_shapes(shapes, weights, own["counts"])
                continue
            texts, of_member = kept_shapes(shapes, hot, messages.words)
            if texts:
                numbers = np.full(len(messages), -1)
                numbers[shapes.members] = of_member
                own["found"] = joined(own["found"], of_rows(texts, numbers[messages.of_row], blocks))

    def _is_through(self, own: State) -> bool:
        """Whether it is known that a column holds no messages: single words, no frequent shapes, or no templates."""
        if self.pass_number == _WORDS:
            return False
        messages = int(own["messages"].sum())
        if self.pass_number == _SHAPES:
            return int(own["words"].sum()) < FEWEST_WORDS * messages
        return not own["hot"].any() if self.pass_number == _EXACT else not len(own["first"])

    def _add_templates(
        self, own: State, chunk: Chunk, name: str, places: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]
    ) -> None:
        """Count the messages of each template, by block and by the levels of categories."""
        blocks = block_of_rows(chunk.rows.start, chunk.rows.stop, self.ctx.rows)[places]
        there = numbers >= 0
        size = own["blocks"].size
        own["blocks"] += np.bincount(numbers[there] * BLOCKS + blocks[there], minlength=size).reshape(-1, BLOCKS)
        np.minimum.at(own["first"], numbers[there], places[there] + chunk.rows.start)
        for category, held in self._by_category(name).items():
            levels = self.ctx.kernel("block_codes", category)["levels"]
            kind_of = np.zeros(len(own["first"]) + 1, np.int64)  # the last is of -1, no template
            kind_of[held] = np.arange(1, len(held) + 1)
            table = own["tables"][category]
            table += count_kinds(self.ctx, chunk, category, levels, places, kind_of[numbers], len(table))

    def merge(self, left: State, right: State) -> State:
        """Add what was counted; what the passes before found is the same in both."""
        out = {}
        for name, a in left.items():
            b, merged = right[name], dict(a)
            for key in _SUMS[self.pass_number]:
                merged[key] = a[key] + b[key]
            if self.pass_number == _EXACT:
                merged["found"] = joined(a["found"], b["found"])
            if self.pass_number == _LEVELS:
                merged["first"] = np.minimum(a["first"], b["first"])
                merged["tables"] = {key: table + b["tables"][key] for key, table in a["tables"].items()}
            out[name] = merged
        return out

    def _templates(self) -> dict[str, list[Template]]:
        """Templates by column, from the shapes that the third pass counted; the same in every process."""
        if self._found is None:
            self._found, self._held = {name: self._of_column(own) for name, own in self.former.items()}, {}
        return self._found

    def _of_column(self, own: Mapping[str, Any]) -> list[Template]:
        params, n, found = self.ctx.params, int(own["messages"].sum()), own["found"]
        rows = found["blocks"].sum(axis=1)
        kept = np.flatnonzero(rows >= self._fewest(own)).tolist()
        shapes = [found["texts"][i] for i in kept]
        made = templates_of(shapes, found["blocks"][kept], params["similarity"], params["constants"])
        telling = [t for t in made if is_telling(t)]
        if n < FEWEST_MESSAGES or round_significant(sum(t.rows for t in telling) / n) < params["coverage"]:
            return []
        most = self.ctx.budget.max_groups
        if most is not None and len(telling) > most:
            rule = "the most frequent templates"
            self.ctx.omit(omission("max_groups", most, len(telling), rule, [t.text for t in telling[most:]]))
        return telling[:most]

    def _by_category(self, name: str) -> dict[str, list[int]]:
        """Templates of a column that are held against each category."""
        if name not in self._held:
            categories = [c for c in self._categories() if c != name]
            templates = [str(i) for i in range(len(self._templates()[name]))]
            pairs, left = select_pairs(templates, self.ctx.budget.max_pairs, categories)
            if left is not None:
                self.ctx.omit(left)
            held: dict[str, list[int]] = {}
            for template, category in pairs:
                held.setdefault(category, []).append(int(template))
            self._held[name] = held
        return self._held[name]

    def finish(self, state: State, ctx: Context) -> Result:
        """Word what was found.

        Returns
        -------
        Result
            ``data["columns"]``: by column ``messages`` and ``templates``, the most frequent first, each with ``text``,
            ``rows``, ``first_row``, ``by_block`` and the number of ``shapes``.

        Raises
        ------
        Skip
            When no column holds text that may be shown.
        """
        if not state:
            raise Skip("no text column holds messages that may be shown", "keep messages in a text column of their own")
        # What was left out has to be told here, where the parts of a split run come together.
        self._found, self._held = {name: self._of_column(own) for name, own in state.items()}, {}
        facts, tested, n_tests, data = [], [], 0, {}
        for name, own in state.items():
            n, starts = int(own["messages"].sum()), own["first"].tolist()
            # A message of a rare shape is of the template that it fits.
            templates = [Template(t.words, t.shapes, b) for t, b in zip(self._found[name], own["blocks"], strict=True)]
            data[name] = {"messages": n, "templates": described(templates, starts)}
            if templates:
                facts.append(of_templates(ctx, name, templates, n))
                for part in (
                    changes(ctx, name, own["messages"], templates, starts),
                    links(ctx, name, own["tables"], self._by_category(name), templates),
                ):
                    tested += part[0]
                    n_tests += part[1]
        return Result({"columns": data}, [*facts, *discoveries(tested, n_tests, ctx.params["rate"])], n_tests)


def is_of_labels(distinct: int | None, count: int | None) -> bool:
    """Whether so few different texts are those of a category, which are no messages however many words they have.

    Examples
    --------
    >>> is_of_labels(11, 46_138), is_of_labels(60, 200), is_of_labels(9_000, 46_138)
    (True, False, False)
    """
    return bool(distinct and count) and distinct <= MOST_LABELS and _ROWS_OF_A_LABEL * distinct <= count


def least(messages: int, support: float) -> int:
    """The fewest messages of a frequent word or shape."""
    return max(FEWEST_ROWS, int(np.ceil(round_significant(support * messages))))


def described(templates: list[Template], starts: list[int]) -> list[dict[str, Any]]:
    """Templates as plain values."""
    found = [
        {"text": t.text, "rows": t.rows, "first_row": first, "by_block": t.blocks.tolist(), "shapes": len(t.shapes)}
        for t, first in zip(templates, starts, strict=True)
    ]
    return sorted(found, key=lambda entry: (-entry["rows"], entry["text"]))
