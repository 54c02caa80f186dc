"""analysis_topic_model_lda: what free text is about, and where which topic is more common.

What it finds. The topics of a column of free text, as a fact: "The 177,466 texts of `note` are about 3 topics: "great,
driver, polite, fast, thanks" (39.7 %), "code, gate, doorbell, ring, key" (35.0 %) and "box, torn, broken, lid, wet"
(25.3 %)." And by tests, for each of them, the category that it goes with, and whether it comes, goes or changes its
share along the rows: "Texts about "box, torn, broken, lid, wet" in `note` are 3.1 times as common where `outcome` is
"returned": 40,100 of 45,379 such texts, in 52,000 of 177,466 rows with a topic." Each names rows to read.

Method. Latent Dirichlet allocation (Blei, Ng and Jordan) on all texts: none is left out, and none is drawn by chance.
Words are letters in small letters, in texts between ``rare`` and a share of ``common``. Texts of the same words that
make up ``repeated`` of the column are messages of programs and are left to `analysis_log_templates`. The model is
fitted by batch variational Bayes: in each round every text is read, its topics go on from where the round before left
them, and the topics are set anew from all texts; so the evidence lower bound can never fall, and it ends when it gains
less than ``tolerance``. Topics begin at anchor words, found from exact counts of the words that occur together (Arora
and others), not at random. Without ``topics`` their number is the one of 2, 3, 5, 10 and 20 whose anchor topics are the
most coherent (normalised pointwise mutual information of the first words, after Röder, Both and Hinneburg) and apart
(less that with the nearest other topic). Texts are taken in pieces that depend on neither chunks nor workers, so the
result is the same to the last bit. Telling words are those of the largest relevance (Sievert and Shirley). A text
counts for the topic of which it has most; topics whose first words don't occur together (``coherence``) are in the data
and make no finding. Categories are tested by chi-square with Rao and Scott's correction, changes on 16 long stretches
of rows.

Cost. Three readings of the column, then up to ``rounds`` of the texts as numbers, from the plugin's folder: about 1
microsecond a word, topic and ten rounds. Where that would take more than half of ``cpu_limit_ms``, the column is left
out, as a model that has not converged says nothing. Memory is a piece of 65,536 word counts, the topics, counts of
1,000 by 1,000 words and two bytes a row.

Caps. ``max_groups`` (5,000 unless the policy says more for this plugin): words in the most texts. ``max_pairs`` (500 in
the same way): of topics and categories. ``max_cols``: the first columns of text. All texts are read all the same.

What it does not do. Columns that `analysis_pii` tags are left out, as words of texts are shown. It knows no word stems
and no languages; words of half the texts and more are left out, others such as "the" may be among a topic's words. A
topic is a set of words that occur together, and its name is a person's business.

References
----------
Blei, Ng and Jordan (2003), doi:10.1162/jmlr.2003.3.4-5.993. Arora and others (2018), doi:10.1145/3186262. Röder, Both
and Hinneburg (2015), doi:10.1145/2684822.2685324. Sievert and Shirley (2014), doi:10.3115/v1/W14-3110.
Rousseeuw (1987), doi:10.1016/0377-0427(87)90125-7. Rao and Scott (1984), doi:10.1214/aos/1176346391. Künsch (1989),
doi:10.1214/aos/1176347265. Benjamini and Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x
"""

from __future__ import annotations

import math
from typing import Any

from toolkit.plugin import Context, Finding, Result, Skip, discoveries, round_significant, select_pairs
from toolkit.plugin.inference import beyond
from toolkit.plugin.marked_rows import link_test
from toolkit.plugin.prose import may_hold_sentences
from toolkit.plugin.share_changes import change_of

from .anchors import Together, choose, coherence, start_of, telling, together
from .corpus import FEWEST_WORDS, Corpus, corpus_of
from .lda import Model, fit
from .shares import Topics, assign, count
from .texts import code_counts
from .wording import Topic, of_change, of_link, of_topics

FEWEST_TEXTS = 100
SHORTEST = 3.0
"""Words of a text on average, of those in the vocabulary."""

_LABELS = "its values are single words and short labels"
_LISTED = 5
_SHOWN = 12
_NS = 15.0
_LOG10_LEVEL = math.log10(0.05)


def run(ctx: Context) -> Result:
    """Fit a model to each column of free text.

    Returns
    -------
    Result
        ``data["columns"]``: by column ``texts``, ``tokens``, ``vocabulary`` (its size), ``messages`` (texts left out as
        such), ``bounds`` (of each round), ``converged``, ``scores`` (of numbers of topics) and ``topics``, each with
        ``words``, ``coherence``, ``rows``, ``share``, ``by_block`` and ``typical_rows``; ``data["left_out"]``: why
        others have none.

    Raises
    ------
    Skip
        When no column holds free text that may be shown.
    """
    found = ctx.result("analysis_pii").data
    hidden = {*found["personal_columns"], *found["not_looked_at"]}
    profile = ctx.result("profile_basic").data["columns"]
    left_out: dict[str, str] = {}
    data: dict[str, Any] = {}
    facts: list[Finding] = []
    tested: list[Finding] = []
    n_tests = 0
    for name in ctx.columns("text"):
        if name in hidden:
            left_out[name] = "it holds personal data"
            continue
        if not may_hold_sentences(ctx, name, profile):
            left_out[name] = _LABELS
            continue
        result = _of_column(ctx, name)
        if isinstance(result, str):
            left_out[name] = result
            continue
        data[name], own, more, tests = result
        facts += own
        tested += more
        n_tests += tests
    if not data:
        told = [f"`{name}`: {reason}" for name, reason in left_out.items() if reason != _LABELS]
        told += [f"{n} with single words and short labels"] if (n := len(left_out) - len(told)) else []
        why = "; ".join(told[-_LISTED:]) or "there is no text column"
        raise Skip(
            f"no column holds free text to model ({why})", f"it takes {FEWEST_TEXTS} texts of three words or more"
        )
    lasting = discoveries(tested, n_tests, ctx.params["rate"])
    return Result({"columns": data, "left_out": left_out}, [*facts, *lasting], n_tests)


def _of_column(ctx: Context, name: str) -> tuple[dict[str, Any], list[Finding], list[Finding], int] | str:
    """What is told of a column, or why nothing is."""
    codes = code_counts(ctx, name)
    corpus = corpus_of(ctx, name, codes)
    reason = unfit(corpus)
    if not reason:
        words = together(corpus)
        topics, scores = (ctx.params["topics"], {}) if ctx.params["topics"] else choose(words)
        reason = _unfit_number(ctx, corpus, topics)
    if reason:
        corpus.forget()
        return reason
    model = _fitted(ctx, corpus, words, topics)
    assigned = assign(ctx, corpus, model, codes is not None)
    categories = [c for (c,) in ctx.kernel_columns("block_codes") if c != name]
    categories = [c for c in categories if ctx.kernel("block_codes", c)["levels"]["levels"] >= 2]
    pairs, left = select_pairs([str(k) for k in range(topics)], ctx.budget.max_pairs, categories)
    if left is not None:
        ctx.omit(left)
    count(ctx, name, assigned, [(int(k), c) for k, c in pairs])
    described = _described(corpus, words, model, assigned)
    data = {
        "texts": corpus.texts,
        "tokens": corpus.tokens,
        "vocabulary": len(corpus.vocabulary),
        "messages": corpus.messages,
        "bounds": model.bounds,
        "converged": model.converged,
        "scores": {str(k): score for k, score in scores.items()},
        "topics": [t.to_json() for t in described],
    }
    corpus.forget()
    sound = [k for k, t in enumerate(described) if round_significant(t.coherence) >= ctx.params["coherence"] and t.rows]
    facts = [of_topics(ctx, name, _by_size([described[k] for k in sound]), corpus.texts)] if len(sound) > 1 else []
    tested, tests = _tests(ctx, name, described, sound, assigned)
    return data, facts, tested, tests


def unfit(corpus: Corpus) -> str:
    """Why texts can't be modelled; empty when they can.

    Examples
    --------
    >>> unfit(Corpus("note", ["wet", "torn"], None, texts=12, tokens=40))
    'it has 2 different words of prose that are neither rare nor everywhere'
    """
    if corpus.different is not None:
        return f"it has {corpus.different} different words in all"
    if len(corpus.vocabulary) < FEWEST_WORDS:
        return f"it has {len(corpus.vocabulary)} different words of prose that are neither rare nor everywhere"
    if corpus.texts < FEWEST_TEXTS:
        return f"it has {corpus.texts:,} texts of prose"
    if corpus.tokens < SHORTEST * corpus.texts:
        return f"its texts have {corpus.tokens / corpus.texts:.1f} such words on average"
    return ""


def _unfit_number(ctx: Context, corpus: Corpus, topics: int) -> str:
    """Why a number of topics is too large, for the words or the time; empty when it is not."""
    if not topics:
        return "its words don't form topics"
    if 3 * topics > len(corpus.vocabulary):
        return f"its {len(corpus.vocabulary):,} words are too few for {topics} topics"
    need = corpus.pairs * topics * ctx.params["rounds"] * 10 * _NS / 1e6
    limit = ctx.budget.cpu_limit_ms
    if limit is None or need <= limit / 2:
        return ""
    size = f"{topics} topics of {corpus.pairs:,} word counts"
    return f"{size} may take {need / 1e3:,.0f} s: raise cpu_limit_ms to {2 * need:.0f}, or lower rounds"


def _fitted(ctx: Context, corpus: Corpus, words: Together, topics: int) -> Model:
    """The model, the topic with the most words first."""
    params = ctx.params
    alpha = params["alpha"] or 1.0 / topics
    start = start_of(words, topics, params["eta"])
    return fit(corpus, start, alpha, params["eta"], params["rounds"], params["tolerance"], ctx.progress)


def _described(corpus: Corpus, words: Together, model: Model, assigned: Topics) -> list[Topic]:
    size = len(words.counts)
    first = telling(model.words[:, :size], words.common[:size], _SHOWN)
    rows = assigned.blocks.sum(axis=1).tolist()
    return [
        Topic(
            words=[corpus.vocabulary[i] for i in shown.tolist()],
            coherence=coherence(words, shown[:10]),
            rows=rows[k],
            share=rows[k] / max(sum(rows), 1),
            blocks=assigned.blocks[k],
            typical=assigned.typical[k],
        )
        for k, shown in enumerate(first)
    ]


def _by_size(topics: list[Topic]) -> list[Topic]:
    return sorted(topics, key=lambda t: (-t.rows, t.words))


def _tests(
    ctx: Context, name: str, topics: list[Topic], sound: list[int], assigned: Topics
) -> tuple[list[Finding], int]:
    """Findings by tests on coherent topics, and how many tests there were."""
    found: list[Finding] = []
    tests = 0
    for k in sound:
        change = change_of(assigned.blocks[k], assigned.texts)
        if change is not None:
            tests += 1
            if change.log10_p <= _LOG10_LEVEL and beyond(*change.interval, ctx.params["share_change"]):
                found.append(of_change(ctx, name, topics[k], change))
    for (k, category), (marked, others) in assigned.tables.items():
        if k not in sound:
            continue
        link = link_test(ctx, category, ctx.kernel("block_codes", category)["levels"], marked, others)
        if link is not None:
            tests += 1
            sure = round_significant(link.interval[0]) > ctx.params["lift"]
            if sure and round_significant(link.log10_p) <= _LOG10_LEVEL:
                found.append(of_link(ctx, name, topics[k], category, link))
    return found, tests
