"""analysis_topic_model_lda: planted topics, the bound, a plain implementation beside it, and texts without effects."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import gammaln, psi

from tests.memory_store import memory_dataset, reader_of
from tests.null_tables import TABLES, allowed, ar1, random_intercepts, run_plugin
from tests.sample_store import sample_store
from toolkit.plugin import Budget, Context, Inputs, Result, Skip
from toolkit.task.code import loaded_plugin

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_topic_model_lda"
PROFILED = {
    "analysis_pii": Result({"personal_columns": [], "not_looked_at": []}),
    "profile_basic": Result({"columns": []}),
}
DEFAULTS = {"repeated": 1.0, "common": 0.5, "rare": 5}

Floats = npt.NDArray[np.float64]


@pytest.fixture
def lda() -> Iterator[dict[str, ModuleType]]:
    """Modules of the plugin by name."""
    with loaded_plugin("analysis_topic_model_lda", FOLDER, "") as module:
        names = ("anchors", "corpus", "lda", "texts")
        yield {name: sys.modules[f"{module.__package__}.{name}"] for name in names}


def word(number: int) -> str:
    return "".join(chr(97 + int(c)) for c in f"{number:03d}") + "x"


def planted(
    seed: int, texts: int = 1_500, topics: int = 4, words: int = 120, length: int = 25, alpha: float = 0.1
) -> tuple[list[str], Floats, npt.NDArray[np.int64]]:
    """Texts drawn from the model itself, its topics, and the topic that each text has most of."""
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.full(words, 0.05), topics)
    shares = rng.dirichlet(np.full(topics, alpha), texts)
    drawn = [rng.choice(words, length, p=row @ truth) for row in shares]
    return [" ".join(word(w) for w in ids.tolist()) for ids in drawn], truth, shares.argmax(axis=1)


def run(columns: Any, chunk_rows: int = 400, encoding: str = "long", **options: Any) -> Result:
    dataset = memory_dataset(columns, chunk_rows, encodings={"note": encoding})
    return run_plugin(FOLDER, dataset, upstream=PROFILED, **options)


def context(texts: list[str]) -> Context:
    dataset = memory_dataset({"note": texts}, 300, encodings={"note": "long"})
    return Context(dataset, Inputs("analysis_topic_model_lda", params=dict(DEFAULTS)))


def matched(found: Floats, truth: Floats) -> list[float]:
    """Cosine of each true topic with the found one that is nearest."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (found, truth))
    return [float(x) for x in (b @ a.T).max(axis=1)]


def fitted(lda: dict[str, ModuleType], texts: list[str], topics: int, **options: Any) -> tuple[Any, Any, Any]:
    corpus = lda["corpus"].corpus_of(context(texts), "note", None)
    together = lda["anchors"].together(corpus)
    start = lda["anchors"].start_of(together, topics, 0.01)
    settings: Any = {"alpha": 0.1, "eta": 0.01, "rounds": 60, "tolerance": 1e-5, **options}
    return lda["lda"].fit(corpus, start, **settings), corpus, together


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_topics_are_recovered(lda: dict[str, ModuleType], seed: int) -> None:
    texts, truth, most = planted(seed)
    model, corpus, _ = fitted(lda, texts, 4)
    meant = np.zeros((4, len(corpus.vocabulary)))
    place = {w: i for i, w in enumerate(corpus.vocabulary)}
    for number in range(truth.shape[1]):
        if word(number) in place:
            meant[:, place[word(number)]] = truth[:, number]
    assert min(matched(model.words, meant)) >= 0.95
    assert model.converged
    shares = np.concatenate([lda["lda"].proportions(corpus, piece, model) for piece in corpus])
    partner = np.argmax(model.words @ meant.T, axis=1)
    assert (partner[shares.argmax(axis=1)] == most).mean() > 0.9


@pytest.mark.parametrize("topics", [2, 3, 5])
def test_the_number_of_topics_is_found(lda: dict[str, ModuleType], topics: int) -> None:
    rng = np.random.default_rng(topics)
    texts = themes(3, 1_500, rng.integers(0, topics, 1_500), topics)
    corpus = lda["corpus"].corpus_of(context(texts), "note", None)
    assert lda["anchors"].choose(lda["anchors"].together(corpus))[0] == topics


@pytest.mark.parametrize(("seed", "topics"), [(4, 2), (5, 4), (6, 11)])
def test_the_bound_never_falls(lda: dict[str, ModuleType], seed: int, topics: int) -> None:
    texts, _, _ = planted(seed, 400, 4, 80, 12)
    model, _, _ = fitted(lda, texts, topics, tolerance=-1.0, rounds=40)
    steps = np.diff(model.bounds)
    assert len(model.bounds) == 40
    assert (steps >= -1e-10 * np.abs(model.bounds[:-1])).all()
    assert model.bounds[-1] > model.bounds[0]


def plain_lda(counts: Floats, start: Floats, alpha: float, eta: float, rounds: int) -> tuple[Floats, list[float]]:
    """Blei's algorithm text by text and word by word, as it stands in the paper."""
    topics, gammas, bounds = start.copy(), [None] * len(counts), []
    for _ in range(rounds):
        logs = psi(topics) - psi(topics.sum(axis=1, keepdims=True))
        bound = float(
            ((eta - topics) * logs + gammaln(topics)).sum()
            - gammaln(topics.sum(axis=1)).sum()
            + len(topics) * (gammaln(topics.shape[1] * eta) - topics.shape[1] * gammaln(eta))
        )
        new = np.full_like(topics, eta)
        for d, row in enumerate(counts):
            words = np.flatnonzero(row)
            gamma: Any = gammas[d]
            gamma = np.full(len(topics), alpha + row.sum() / len(topics)) if gamma is None else gamma
            for _ in range(20):
                phi = np.exp(psi(gamma) - psi(gamma.sum()))[:, None] * np.exp(logs[:, words])
                phi /= phi.sum(axis=0)
                gamma = alpha + phi @ row[words]
            own = psi(gamma) - psi(gamma.sum())
            phi = np.exp(own)[:, None] * np.exp(logs[:, words])
            bound += float((row[words] * np.log(phi.sum(axis=0))).sum())
            bound += float(((alpha - gamma) * own + gammaln(gamma)).sum() - gammaln(gamma.sum()))
            bound += float(gammaln(len(topics) * alpha) - len(topics) * gammaln(alpha))
            new[:, words] += phi / phi.sum(axis=0) * row[words]
            gammas[d] = gamma
        bounds.append(bound)
        topics = new
    return topics, bounds


def test_it_is_the_algorithm_of_the_paper(lda: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds, which hold all that is computed, to ten digits; each with as many steps a text."""
    monkeypatch.setattr(lda["lda"], "_INNER_CHANGE", 0.0)
    texts = themes(7, 220, np.arange(220) % 3)
    model, corpus, together = fitted(lda, texts, 3, tolerance=-1.0, rounds=5)
    counts = np.zeros((220, len(corpus.vocabulary)))
    for i, text in enumerate(texts):
        for w in text.split():
            if w in corpus.vocabulary:
                counts[i, corpus.vocabulary.index(w)] += 1
    counts = counts[counts.sum(axis=1) > 0]
    start = lda["anchors"].start_of(together, 3, 0.01)
    topics, bounds = plain_lda(counts, start, 0.1, 0.01, 5)
    assert model.bounds == pytest.approx(bounds, rel=1e-10)
    assert model.topics == pytest.approx(topics, rel=1e-8)


def test_words_are_counted_as_they_stand(lda: dict[str, ModuleType]) -> None:
    texts, _, _ = planted(8, 300)
    corpus = lda["corpus"].corpus_of(context(texts), "note", None)
    together = lda["anchors"].together(corpus)
    sets = [set(text.split()) for text in texts]
    frequencies = {w: sum(w in s for s in sets) for w in set().union(*sets)}
    kept = [w for w, n in frequencies.items() if 5 <= n <= 150]
    assert corpus.vocabulary == sorted(kept, key=lambda w: (-frequencies[w], w))
    for i, j in ((0, 0), (0, 1), (3, 9)):
        a, b = corpus.vocabulary[i], corpus.vocabulary[j]
        assert together.counts[i, j] == sum(a in s and b in s for s in sets)
    assert together.tokens[0] == sum(text.split().count(corpus.vocabulary[0]) for text in texts)


def test_the_planted_notes_of_the_sample_table() -> None:
    dataset, truth = sample_store(40_000)
    hidden = {
        **PROFILED,
        "analysis_pii": Result({"personal_columns": ["contact", "customer_name"], "not_looked_at": []}),
    }
    result = run_plugin(FOLDER, dataset, upstream=hidden)
    found, planted_in = result.data["columns"]["delivery_note"], truth["note_topics"]
    assert found["texts"] == sum(planted_in["topics"].values())
    assert found["messages"] == planted_in["scanner_messages"]
    words = {"access": "gate", "damage": "torn", "praise": "driver"}
    rows = {name: next(t["rows"] for t in found["topics"] if word in t["words"]) for name, word in words.items()}
    for name, count in planted_in["topics"].items():
        assert rows[name] == pytest.approx(count, rel=0.02)
    fact, *tested = result.findings
    assert fact.sentence.startswith(f"The {found['texts']:,} texts of `delivery_note` are about 3 topics: ")
    assert any(f.columns == ["delivery_note", "outcome"] and '"returned"' in f.sentence for f in tested)


def themes(seed: int, rows: int, topic: npt.NDArray[np.int64], count: int = 3) -> list[str]:
    """Short notes of several vocabularies that share some words."""
    rng = np.random.default_rng(seed)
    lists = [[word(90 * k + i) for i in range(20)] + [word(900 + i) for i in range(5)] for k in range(count)]
    return [" ".join(rng.choice(lists[k], 7).tolist()) for k in topic[:rows].tolist()]


def test_where_and_when_a_topic_is_common() -> None:
    rng = np.random.default_rng(1)
    rows = 4_000
    topic = rng.integers(0, 3, rows)
    late = np.arange(rows) >= rows // 2
    topic[late & (rng.random(rows) < 0.4)] = 0
    model = np.where((topic == 1) & (rng.random(rows) < 0.8), 0, rng.integers(0, 4, rows))
    result = run({"note": themes(2, rows, topic), "model": [f"m{m}" for m in model.tolist()]}, params={"topics": 3})
    changed = next(f for f in result.findings if f.kind == "topic_changes" and f.effect is not None and f.effect > 0)
    assert all(w in {word(i) for i in range(20)} | {word(900 + i) for i in range(5)} for w in changed.evidence["words"])
    assert changed.evidence["after"] - changed.evidence["before"] == pytest.approx(0.27, abs=0.05)
    link = next(f for f in result.findings if f.kind == "topic_goes_with")
    assert link.columns == ["note", "model"]
    assert '`model` is "m0"' in link.sentence
    assert all(topic[row] == 1 for row in link.evidence["typical_rows"])
    assert f"{link.evidence['typical_rows'][0]:,}" in link.recommendation


def test_neither_chunks_nor_the_way_of_storing_change_a_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, _, _ = planted(9, 700)
    texts = [*texts, *texts[:50], *texts[:20]]
    one, other = run({"note": texts}, 262_144), run({"note": texts}, 90)
    assert one.data == other.data
    assert [f.sentence for f in one.findings] == [f.sentence for f in other.findings]
    real = Context.__init__

    def with_folder(self: Context, *args: Any) -> None:
        real(self, *args)
        self.scratch = tmp_path

    monkeypatch.setattr(Context, "__init__", with_folder)
    assert run({"note": texts}, 300).data == one.data
    assert not list(tmp_path.iterdir())


def test_coded_text_is_the_same_corpus() -> None:
    texts, _, _ = planted(10, 300)
    texts = texts * 3
    params = {"topics": 4}
    long, coded = run({"note": texts}, params=params), run({"note": texts}, encoding="coded", params=params)
    a, b = long.data["columns"]["note"], coded.data["columns"]["note"]
    assert (a["texts"], a["tokens"], a["vocabulary"]) == (b["texts"], b["tokens"], b["vocabulary"])
    assert [set(t["words"][:5]) for t in a["topics"]] == [set(t["words"][:5]) for t in b["topics"]]
    assert [t["by_block"] for t in a["topics"]] == [t["by_block"] for t in b["topics"]]
    assert a["bounds"][-1] == pytest.approx(b["bounds"][-1], rel=1e-4)


def test_caps_are_told_and_all_rows_read() -> None:
    texts, _, _ = planted(11, 500)
    dataset = memory_dataset({"note": texts, "flag": np.arange(500) % 2 == 0}, 90, encodings={"note": "long"})
    result = run_plugin(FOLDER, dataset, budget=Budget(max_groups=40, max_pairs=1), upstream=PROFILED)
    assert result.data["columns"]["note"]["vocabulary"] == 40
    assert {index for name, index in reader_of(dataset).reads if name == "note"} == set(range(6))
    with pytest.raises(Skip, match="raise cpu_limit_ms to"):
        run_plugin(FOLDER, dataset, budget=Budget(cpu_limit_ms=10), upstream=PROFILED)
    changed = [*texts[:-1], texts[0]]
    assert run({"note": changed}).data != run({"note": texts}).data


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ([None] * 300, "text column|it has 0 different words"),
        (["one text for all"] * 300, "it has 4 different words in all"),
        ([""] * 300, "it has 0 different words"),
        ([f"{i} {i + 1}" for i in range(300)], "it has 0 different words"),
        ([f"word{chr(97 + i % 26)} is" for i in range(300)], "it has 27 different words in all"),
        ([f"{'abc'[i // 26 % 3]}word{chr(97 + i % 26)} is" for i in range(300)], "0 different words of prose"),
        ([*(planted(1, 99)[0]), *[None] * 201], "different words|texts of prose"),
    ],
)
def test_what_is_no_prose_is_skipped_with_advice(texts: list[str | None], words: str) -> None:
    columns: Any = {"note": texts, "n": np.arange(300)}
    with pytest.raises(Skip, match=words) as skipped:
        run(columns, 70)
    assert "100 texts" in skipped.value.recommendation


def test_personal_text_is_left_out() -> None:
    hidden = {**PROFILED, "analysis_pii": Result({"personal_columns": ["note"], "not_looked_at": []})}
    dataset = memory_dataset({"note": planted(1, 250)[0]}, encodings={"note": "long"})
    with pytest.raises(Skip, match="personal data"):
        run_plugin(FOLDER, dataset, upstream=hidden)


def null_notes(seed: int) -> dict[str, Any]:
    """Topics and a category that know nothing of each other, in rows that may depend on their neighbours."""
    rng = np.random.default_rng([11, seed])
    rows = 1_600
    series = (rng.normal, lambda size: ar1(rng, size), lambda size: random_intercepts(rng, size, 100))[seed % 3]
    topic = np.digitize(series(size=rows), [-0.4, 0.5])
    model = np.digitize(series(size=rows), [-0.5, 0.5])
    return {"note": themes(seed, rows, topic), "model": [f"m{m}" for m in model.tolist()]}


def notes_with_findings(count: int) -> int:
    params = {"topics": 3, "rounds": 8}
    runs = (run(null_notes(seed), 1_600, params=params) for seed in range(count))
    return sum(any(f.log10_p is not None for f in result.findings) for result in runs)


def test_null_notes() -> None:
    assert notes_with_findings(6) <= 2


@pytest.mark.slow
def test_null_notes_in_full() -> None:
    assert notes_with_findings(TABLES) <= allowed(TABLES)
