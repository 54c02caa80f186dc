"""analysis_label_variants: labels that are other spellings of one label.

What it finds. "31 labels of `city` differ by one letter from a far more frequent one, such as "Bruhweiler" (41 rows)
for "Bruchweiler" (5,990 rows); they are in 455 of 200,000 rows (0.2 %)." And labels that are the same but for capitals,
blanks, punctuation, or the order of "last, first".

Method. Each label is counted over every row; then the labels alone are compared, so that the rows cost nothing more.
Labels are the same but for their form when they agree in Unicode's compatibility form, in small letters, with
punctuation and blanks evened out, and one comma turned round; signs that carry a meaning, such as + and #, and the
figures in their order have to agree as they stand. Misspellings are one edit apart in Damerau's sense (a letter too
many, missing, exchanged, or two swapped): labels that share a text from which at most one letter was deleted are
compared, so that no label meets all others. Figures never differ, the first letter is the same, labels have five
letters or more, and the rarer label has at most 5 % of the rows of the other; or, however frequent it is, both labels
always stand beside one value of another column, such as a customer's number, that stands beside no other label: "329
labels of `name` differ by one letter from another of the same `customer_id`". The columns that have variants are read
once more, to say in which rows they are.

Cost. The counts, shared with all other plugins; a few microseconds a label and character; another read of the columns
that are found, and two of the whole numbers and categories where labels are close and frequent. A table of 20,000
labels takes about a second.

Caps. ``max_groups``: the most frequent labels are compared letter by letter, and those that are the same as one of them
but for their form are found whatever their number.

What it does not do. It proposes and changes nothing: "Ireland" and "Iceland" are one letter apart as well. Text that is
not kept as categories (most values differ) is not looked at, nor are synonyms, abbreviations, and errors of two
letters. Words with figures in them, such as "AB-17", are codes, and not compared letter by letter.

References
----------
Damerau (1964), doi:10.1145/363958.363994. Deletions as keys: Mor and Fraenkel (1982), doi:10.1145/358728.358752.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from toolkit.plugin import Context, Result, keep_groups
from toolkit.plugin.places import Places

from .companions import confirmed
from .fingerprints import Label, same_but_form
from .misspellings import is_word, misspelt
from .wording import Variants, finding_of


def run(ctx: Context) -> Result:
    """Compare the labels of each column of text.

    Returns
    -------
    Result
        ``data["columns"]`` has the number of labels, and how many of them are variants.
    """
    data: list[dict[str, Any]] = []
    found: list[Variants] = []
    for (name,) in ctx.kernel_columns("counts"):
        labels = _labels(ctx, name)
        form = same_but_form([label for label in labels if label.key])
        typos, candidates = misspelt(_compared(ctx, name, labels), ctx.params["share"])
        alike = confirmed(ctx, name, candidates)
        rows = sum(label.rows for label in labels)
        confirmations = {other: len(of) for other, of in alike.items()}
        data.append({"column": name, "labels": len(labels), "same_but_form": len(form), "misspelt": len(typos),
                     "misspelt_by_another_column": confirmations})  # fmt: skip
        found += [Variants(name, what, of, rows) for what, of in (("form", form), ("spelling", typos)) if of]
        found += [Variants(name, "companion", of, rows, other) for other, of in alike.items()]
    places = _places(ctx, found)
    findings = [finding_of(ctx, v, p, ctx.params["groups"]) for v, p in zip(found, places, strict=True)]
    return Result(data={"columns": data}, findings=findings)


def share_of(rows: int, present: int) -> float:
    """The share of some rows among those that have a label.

    Examples
    --------
    >>> share_of(1, 4), share_of(0, 0)
    (0.25, 0.0)
    """
    return rows / present if present else 0.0


def _labels(ctx: Context, name: str) -> list[Label]:
    counts, categories = ctx.kernel("counts", name)["counts"], ctx.categories(name)
    codes = np.flatnonzero(counts).tolist()
    return [Label.of(code, categories[code], int(counts[code])) for code in codes]


def _compared(ctx: Context, name: str, labels: list[Label]) -> list[Label]:
    """Labels that are compared letter by letter, within the budget."""
    words = [label for label in labels if is_word(label, ctx.params["shortest"])]
    groups = keep_groups(np.array([w.rows for w in words], np.int64), ctx.budget.max_groups, [w.text for w in words])
    if groups.omission is not None:
        rule = f"labels of {name} compared letter by letter: the most frequent, ties by code"
        ctx.omit({**groups.omission, "rule": rule})
    return [words[i] for i in sorted(groups.codes.tolist())]


def _places(ctx: Context, found: list[Variants]) -> list[Places]:
    """Read the columns concerned once more; one entry for each of what was found."""
    places = [Places() for _ in found]
    if not found:
        return places
    wanted = []
    for variants in found:
        marks = np.zeros(ctx.schema[variants.column].categories + 1, bool)  # the last is that of code -1
        marks[[label.code for label in variants.of]] = True
        wanted.append(marks)
    for chunk in ctx.chunks(sorted({v.column for v in found}, key=ctx.schema.names.index)):
        for variants, marks, place in zip(found, wanted, places, strict=True):
            rows = np.flatnonzero(marks[chunk.codes(variants.column)])
            if rows.size:
                place.add(chunk.index, rows + chunk.rows.start)
    return places
