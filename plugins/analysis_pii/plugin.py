"""analysis_pii: which columns hold personal data, said without showing any of it.

What it finds. E-mail addresses (also within free text), payment cards, bank accounts, tax, health and national numbers,
IP addresses and telephone numbers; and, as a weak hint, columns whose names speak of persons: "`memo` holds payment
card numbers: 1,284 of 1,310 values of that form have the right check digit (10 % would by chance)."

Method. Every value is held against anchored patterns; distinct values of coded text once, with their counts. Where a
form has check digits (Luhn, ISO 7064, ISO 13616), a column is tagged when more values have right ones than chance
allows: the exact binomial tail, on the number of distinct values at most, is below 1e-6, and at least three times as
many are right as by chance (half of them, where that is more). A random number of sixteen digits is thus no card. A
form without check digits must be that of half of the values. It is a rule on facts, no test of a hypothesis of the run.

``data["tags"]``, for other plugins by ``ctx.result("analysis_pii")``: a list of ``{"column", "entity", "strength",
"where", "matching", "of", "share"}``. ``entity`` is one of ``email``, ``card``, ``iban``, ``tax_id_de``,
``national_id_es``, ``national_id_fr``, ``health_id_uk``, ``ssn_us``, ``national_id_uk``, ``ip``, ``phone``,
``person_name``, ``birth_date``, ``address``, ``passport``; ``strength`` is ``certain`` (check digits, e-mail
addresses), ``likely`` (a form) or ``possible`` (the column's name alone); ``where`` is ``value``, ``text`` (within
longer text) or ``name``. ``data["personal_columns"]`` lists every tagged column; who shows values to anybody leaves
those out. No value, part of a value or hash of one is ever part of a result.

Cost. About 60 ns a row of long text; coded text costs its dictionary. Whole numbers are read where they reach 10^14.

Caps. ``max_cols`` takes the first columns in table order; a column that it leaves out has no tag and is listed in
``data["not_looked_at"]``, which is to be treated as personal.

What it does not do. Names and addresses are not recognised by what they say, numbers within free text neither. Floats
and decimals are not looked at. It does not measure how easily rows are linked to persons by other columns.

References
----------
10.1142/S0218488502001648, 10.1093/biomet/26.4.404
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from toolkit.plugin import Chunk, ChunkGrid, Context, Finding, Reducer, Result, State
from toolkit.plugin.places import block_places
from toolkit.plugin.wording import percent, quoted

from .counting import FORMED, LOOKED, RIGHT, Counts, count_block, count_texts, no_values
from .identifiers import FORMS, cards_among, name_hints

_CARD = next(i for i, form in enumerate(FORMS) if form.entity == "card")
_SMALLEST_CARD = 10**14
_OVER_CHANCE = 3.0
_HALF = 0.5


class Plugin(Reducer):
    """Counts forms among long texts and large whole numbers.

    The state holds for each such column int64 of shape (forms, 4); see `counting`.

    Examples
    --------
    >>> chance_of(5, 5, 0.1) == math.log10(0.1**5), chance_of(100_000, 1_000_000, 0.1) > -1
    (True, True)
    """

    state_class = "exact"

    def columns(self) -> list[str]:
        """Long text, and integers that may be as large as card numbers."""
        return [name for name in self.ctx.columns() if _is_scanned(self.ctx, name)]

    def init(self) -> State:
        """No values."""
        return {"counts": [no_values() for _ in self.columns()]}

    def update(self, state: State, chunk: Chunk) -> State:
        """Add a chunk."""
        return self.merge(state, {"counts": [_of_chunk(chunk, name) for name in chunk.columns]})

    def merge(self, left: State, right: State) -> State:
        """Add the counts."""
        return {"counts": [a + b for a, b in zip(left["counts"], right["counts"], strict=True)]}

    def finish(self, state: State, ctx: Context) -> Result:
        """Decide on the tags."""
        scanned = dict(zip(self.columns(), state["counts"], strict=True))
        distinct = _distinct(ctx)
        kept, tags, findings = ctx.columns(), [], []
        for spec in ctx.schema:
            counts = scanned.get(spec.name)
            if (
                spec.name in kept
                and counts is None
                and spec.encoding == "coded"
                and ctx.has_kernel("counts", spec.name)
            ):
                counts = _of_categories(ctx, spec.name)
            found = tags_of(spec.name, counts, distinct.get(spec.name), ctx.params) if counts is not None else []
            known = {tag["entity"] for tag in found}
            hints = [] if spec.kind == "bool" else name_hints(spec.name)
            found += [
                {"column": spec.name, "entity": entity, "strength": "possible", "where": "name", "matching": None,
                 "of": None, "share": None} for entity, _ in hints if entity not in known
            ]  # fmt: skip
            tags += found
            findings += [finding_of(tag, ctx.grid) for tag in found]
        strength = {"certain": 0, "likely": 1, "possible": 2}
        order = sorted(range(len(tags)), key=lambda i: (strength[tags[i]["strength"]], i))
        looked = {*kept, *(s.name for s in ctx.schema if s.kind not in ("string", "int"))}
        data = {
            "tags": tags,
            "personal_columns": list(dict.fromkeys(tag["column"] for tag in tags)),
            "not_looked_at": [s.name for s in ctx.schema if s.name not in looked],
        }
        return Result(data, [findings[i] for i in order])


def tags_of(name: str, counts: Counts, distinct: int | None, params: dict[str, Any]) -> list[dict[str, Any]]:
    """Tags of one column from its counts.

    Parameters
    ----------
    name : str
        The column.
    counts : ndarray of int64, shape (forms, 4)
        See `counting`.
    distinct : int or None
        Different values of the column, where known: repeated values prove no more than one.
    params : dict
        ``share`` and ``log10_chance``.
    """
    found = []
    for i, form in enumerate(FORMS):
        formed, right, inside, looked = (int(v) for v in counts[i])
        if form.entity == "email":
            where, matching, of = ("value", right, looked) if right >= inside else ("text", right + inside, looked)
            strength = "certain" if matching else ""
        elif form.check is not None:
            where, matching, of = "value", right, formed
            strength = "certain" if _beats_chance(right, formed, form.chance, distinct, params) else ""
        else:
            where, matching, of = "value", formed, looked
            strength = "likely" if looked and formed >= params["share"] * looked else ""
            if form.entity == "phone" and 0 < 20 * formed >= looked and not strength:
                strength = "likely"  # telephone numbers share a column with other ways to reach a person
        if strength:
            found.append({"column": name, "entity": form.entity, "strength": strength, "where": where,
                          "matching": matching, "of": of, "share": matching / of})  # fmt: skip
    return found


def chance_of(right: int, formed: int, chance: float) -> float:
    """Decimal logarithm of the probability that so many check digits, or more, are right by chance.

    The binomial tail as an incomplete beta function, 10.1093/biomet/26.4.404.
    """
    from scipy import special

    if not right:
        return 0.0
    p = float(special.bdtrc(right - 1, formed, chance))
    # Where the tail underflows, its largest term is bound enough.
    return math.log10(p) if p > 0 else -300.0


def finding_of(tag: dict[str, Any], grid: ChunkGrid) -> Finding:
    """Say what a column holds, without a value of it."""
    name, form = quoted(tag["column"]), next((f for f in FORMS if f.entity == tag["entity"]), None)
    evidence = {key: tag[key] for key in ("entity", "strength", "where", "matching", "of", "share")}
    if tag["where"] == "name":
        words = dict(name_hints(tag["column"]))[tag["entity"]]
        sentence = f"The name of column {name} speaks of {words}."
    else:
        assert form is not None
        count = f"{tag['matching']:,} of {tag['of']:,}"
        if form.check is not None:
            evidence["by_chance"] = form.chance
            sentence = (
                f"{name} holds {form.words}: {count} values of that form have the right check digits "
                f"({percent(form.chance)} would by chance)."
            )
        else:
            where = "values contain them" if tag["where"] == "text" else "values are such"
            sentence = f"{name} holds {form.words}: {count} {where} ({percent(tag['share'])})."
    return Finding(
        "personal_data",
        [tag["column"]],
        sentence,
        f"Mask or leave out {name} before the table or its report is shared, and ask who may see it.",
        effect=tag["share"],
        evidence={**evidence, **block_places(grid, range(64))},
    )


def _beats_chance(right: int, formed: int, chance: float, distinct: int | None, params: dict[str, Any]) -> bool:
    if not right or right < min(max(_OVER_CHANCE * chance, _HALF * (1 - chance)), 1.0) * formed:
        return False
    n = formed if distinct is None else min(formed, distinct)
    return chance_of(right * n // formed, n, chance) <= params["log10_chance"]


def _is_scanned(ctx: Context, name: str) -> bool:
    spec = ctx.schema[name]
    if spec.kind == "string":
        return spec.encoding == "long"
    if np.dtype(spec.dtype).itemsize < 8:
        return False
    entry = next((e for e in _profile(ctx) if e["name"] == name), None)
    return entry is None or (entry.get("max") is not None and entry["max"] >= _SMALLEST_CARD)


def _profile(ctx: Context) -> list[dict[str, Any]]:
    return ctx.results["profile_basic"].data["columns"] if "profile_basic" in ctx.results else []


def _distinct(ctx: Context) -> dict[str, int]:
    return {e["name"]: e["distinct"] for e in _profile(ctx) if e.get("distinct") is not None}


def _of_chunk(chunk: Chunk, name: str) -> Counts:
    if chunk.spec(name).kind == "string":
        return count_block(chunk.strings(name), chunk.valid(name))
    out, values = no_values(), chunk.raw(name)[chunk.valid(name)]
    if values.dtype.kind == "u":
        values = values[values < 1 << 62]
    out[_CARD, [FORMED, RIGHT]] = cards_among(values.astype(np.int64))
    out[:, LOOKED] = values.size
    return out


def _of_categories(ctx: Context, name: str) -> Counts:
    counts = ctx.kernel("counts", name)["counts"]
    filled = np.flatnonzero(counts)
    categories = ctx.categories(name)
    return count_texts([categories[i] for i in filled], counts[filled].tolist())
