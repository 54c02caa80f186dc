"""analysis_log_templates on logs of known templates, whatever the order of the rows, and on logs without effects."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.memory_store import memory_dataset, reader_of
from tests.null_tables import TABLES, allowed, ar1, random_intercepts, run_plugin
from tests.sample_store import sample_store
from toolkit.plugin import Budget, Result, Skip, block_of_rows
from toolkit.task.code import loaded_plugin

FOLDER = Path(__file__).resolve().parents[3] / "plugins" / "analysis_log_templates"
PROFILED = {
    "analysis_pii": Result({"personal_columns": [], "not_looked_at": []}),
    "profile_basic": Result({"columns": []}),
}
ROWS = 4_000

TEMPLATES = (
    "Receiving block blk_{n} src: /{ip}:{n} dest: /{ip}:{n}",
    "PacketResponder {n} for block blk_{n} terminating",
    "Verification succeeded for blk_{n}",
    "session opened for user {w} by uid={n}",
    "session closed for user {w}",
    "Failed password for {w} from {ip} port {n} ssh2",
    "Accepted password for {w} from {ip} port {n} ssh2",
    "GET {path} took {n} ms status={n}",
    "job {hex} moved from queue {q} to queue {q}",
    "disk usage at {n}.{n} percent on {path}",
)
SHOWN = (
    "Receiving block blk_<num> src: /<ip> dest: /<ip>",
    "PacketResponder <num> for block blk_<num> terminating",
    "Verification succeeded for blk_<num>",
    "session opened for user <*> by uid=<num>",
    "session closed for user <*>",
    "Failed password for <*> from <ip> port <num> ssh<num>",
    "Accepted password for <*> from <ip> port <num> ssh<num>",
    "GET <path> took <num> ms status=<num>",
    "job <hex> moved from queue <*> to queue <*>",
    "disk usage at <num> percent on <path>",
)


def message(rng: np.random.Generator, template: str) -> str:
    users = [f"{a}{b}" for a in ("al", "bo", "ci", "du", "ev") for b in ("ra", "mi", "to", "ka")]
    queues = ("red", "blue", "green", "black", "white", "grey", "pink")
    out = template
    while "{" in out:
        for mark, value in (
            ("{n}", str(rng.integers(1, 99999))),
            ("{ip}", ".".join(map(str, rng.integers(1, 255, 4).tolist()))),
            ("{w}", users[int(rng.integers(20))]),
            ("{q}", queues[int(rng.integers(7))]),
            ("{path}", f"/srv/d{rng.integers(99)}/f{rng.integers(99)}.txt"),
            ("{hex}", f"a{rng.integers(1 << 30):08x}"),
        ):
            out = out.replace(mark, value, 1)
    return out


def log(seed: int, rows: int = ROWS, kinds: Any = None) -> tuple[list[str], list[int]]:
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, len(TEMPLATES), rows).tolist() if kinds is None else kinds
    return [message(rng, TEMPLATES[k]) for k in kinds], kinds


def run(columns: Any, chunk_rows: int = 700, encoding: str = "long", **options: Any) -> Result:
    dataset = memory_dataset(columns, chunk_rows, encodings={"message": encoding})
    return run_plugin(FOLDER, dataset, upstream=PROFILED, **options)


def templates(result: Result) -> dict[str, int]:
    return {t["text"]: t["rows"] for t in result.data["columns"]["message"]["templates"]}


@pytest.mark.parametrize("encoding", ["long", "coded"])
def test_the_templates_of_a_log_are_found_with_every_row(encoding: str) -> None:
    messages, kinds = log(1)
    result = run({"message": messages}, encoding=encoding)
    assert templates(result) == {SHOWN[k]: n for k, n in Counter(kinds).items()}
    fact = result.findings[0]
    assert fact.kind == "message_templates"
    assert fact.sentence.startswith("In `message` 10 templates cover 4,000 of 4,000 texts (100 %); the commonest is")
    assert fact.effect == 1.0
    assert [f for f in result.findings if f.log10_p is not None] == []


def test_neither_rows_nor_chunks_change_anything() -> None:
    messages, _ = log(2)
    whole = run({"message": messages}, 262_144)
    parts = run({"message": messages}, 130)
    assert whole.data == parts.data
    assert [f.sentence for f in whole.findings] == [f.sentence for f in parts.findings]
    order = np.random.default_rng(5).permutation(ROWS).tolist()
    assert templates(run({"message": [messages[i] for i in order]})) == templates(whole)
    coded = run({"message": messages}, encoding="coded")
    assert coded.data == whole.data


def test_counts_are_those_of_a_plain_count() -> None:
    """Without hashing, with everything in memory, and each message held against each template."""
    messages, _ = log(3)
    with loaded_plugin("analysis_log_templates", FOLDER, "") as module:
        masked = sys.modules[f"{module.__package__}.masking"].masked
        lines = [" ".join(masked(message.split())) for message in messages]
    found = run({"message": messages}).data["columns"]["message"]["templates"]
    assert len(found) == 10
    for template in found:
        pattern = re.compile(re.escape(template["text"]).replace(re.escape("<*>"), r"\S+"))
        rows = [i for i, line in enumerate(lines) if pattern.fullmatch(line)]
        assert template["rows"] == len(rows)
        assert template["first_row"] == rows[0]
        assert template["by_block"] == np.bincount(block_of_rows(0, ROWS, ROWS)[rows], minlength=64).tolist()


def test_shapes_of_one_hash_stay_apart() -> None:
    with loaded_plugin("analysis_log_templates", FOLDER, "") as module:
        shapes = sys.modules[f"{module.__package__}.shapes"]
        table = np.array([[2, 3], [4, 3], [2, 3]], np.int32)
        every, same = np.ones((3, 2), bool), np.zeros(3, np.uint64)
        found = shapes.Shapes(np.arange(3), table, every, every, same, same)
        texts, numbers = shapes.kept_shapes(found, np.ones(shapes.BUCKETS, bool), ["<*>", "<...>", "a", "b", "c"])
    assert [texts[i] for i in numbers.tolist()] == ["a b", "c b", "a b"]


def test_free_text_beside_messages_is_left_alone() -> None:
    """The planted scanner messages of the sample table, and nothing of its notes."""
    dataset, truth = sample_store()
    hidden = {**PROFILED, "analysis_pii": Result({"personal_columns": ["contact"], "not_looked_at": []})}
    result = run_plugin(FOLDER, dataset, upstream=hidden)
    found = result.data["columns"]["delivery_note"]["templates"]
    assert [t["text"] for t in found] == [
        "scan id=<num> dock=<num> result=ok took=<num> ms",
        "label <num> reprinted at station <num>, queue length <num>",
        "conveyor jam: parcel <num> held at lane <num> for <num> s",
    ]
    planted = truth["note_topics"]
    assert sum(t["rows"] for t in found) == planted["scanner_messages"]
    assert len(found) == planted["templates"]
    (fact,) = [f for f in result.findings if f.kind == "message_templates" and f.columns == ["delivery_note"]]
    assert f"3 templates cover {planted['scanner_messages']:,} of" in fact.sentence
    assert any(f.kind == "template_goes_with" and f.columns[1] == "activity" for f in result.findings)


def test_many_different_messages_keep_the_state_small() -> None:
    rng = np.random.default_rng(1)
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(400)]
    noise = [" ".join(words[i] for i in rng.integers(0, 400, 6).tolist()) for _ in range(3_000)]
    result = run({"message": [*noise, *log(1, 1_000)[0]]})
    assert len(templates(result)) == 10
    assert sum(templates(result).values()) == 1_000


@pytest.mark.parametrize("kind", ["appears", "vanishes"])
def test_a_template_that_comes_or_goes(kind: str) -> None:
    rng = np.random.default_rng(4)
    kinds = rng.integers(0, 9, ROWS)
    part = np.arange(ROWS) >= 2_600 if kind == "appears" else np.arange(ROWS) < 1_400
    kinds[part & (rng.random(ROWS) < 0.2)] = 9
    messages, _ = log(4, kinds=kinds.tolist())
    result = run({"message": messages})
    (finding,) = [f for f in result.findings if f.log10_p is not None]
    assert finding.kind == f"template_{kind}"
    assert SHOWN[9] in finding.sentence
    rows = np.flatnonzero(kinds == 9)
    assert finding.evidence["first_row"] == rows[0]
    assert finding.evidence["count"] == rows.size
    if kind == "appears":
        assert f"appears in row {rows[0]:,}" in finding.sentence
        assert finding.evidence["rows"][0][0] <= rows[0]
    stretches = np.unique(rows * 16 // ROWS).size
    assert finding.log10_p == pytest.approx(math.log10(2 / math.comb(16, stretches)), rel=1e-12)


def test_a_template_that_becomes_commoner_and_its_category() -> None:
    rng = np.random.default_rng(6)
    kinds = rng.integers(0, 9, ROWS)
    late = np.arange(ROWS) >= ROWS // 2
    kinds[rng.random(ROWS) < np.where(late, 0.4, 0.1)] = 9
    hosts = np.where((kinds == 9) & (rng.random(ROWS) < 0.9), 0, rng.integers(0, 4, ROWS))
    messages, _ = log(6, kinds=kinds.tolist())
    result = run({"message": messages, "host": [f"n{h}" for h in hosts.tolist()]})
    changed = next(f for f in result.findings if f.kind == "template_changes" and SHOWN[9] in f.sentence)
    shares = [(kinds[half] == 9).mean() for half in (~late, late)]
    assert (changed.evidence["before"], changed.evidence["after"]) == pytest.approx(shares, rel=1e-12)
    by_stretch = (kinds == 9).reshape(16, -1).mean(axis=1)
    welch = stats.ttest_ind(by_stretch[8:], by_stretch[:8], equal_var=False)
    assert changed.log10_p == pytest.approx(math.log10(welch.pvalue), rel=1e-9)
    assert changed.interval == pytest.approx(tuple(welch.confidence_interval()), rel=1e-9)
    link = next(f for f in result.findings if f.kind == "template_goes_with")
    assert link.columns == ["message", "host"]
    assert link.evidence["inside"] == int(((kinds == 9) & (hosts == 0)).sum())
    assert '`host` is "n0"' in link.sentence


def test_caps_are_told_and_all_rows_read() -> None:
    messages, _ = log(1)
    columns = {"message": messages, "host": ["a", "b"] * (ROWS // 2)}
    dataset = memory_dataset(columns, 700, encodings={"message": "long"})
    result = run_plugin(FOLDER, dataset, budget=Budget(max_groups=1, max_pairs=1), upstream=PROFILED)
    assert len(templates(result)) == 1
    assert {index for name, index in reader_of(dataset).reads if name == "message"} == set(range(6))
    changed = [*messages[:-1], "a word that was never there before"]
    before, after = (run({"message": m}).data["columns"]["message"] for m in (messages, changed))
    assert before != after


def test_personal_text_is_left_out() -> None:
    hidden = {**PROFILED, "analysis_pii": Result({"personal_columns": ["message"], "not_looked_at": []})}
    dataset = memory_dataset({"message": log(1, 200)[0]}, encodings={"message": "long"})
    with pytest.raises(Skip, match="no text column"):
        run_plugin(FOLDER, dataset, upstream=hidden)


@pytest.mark.parametrize(
    "messages",
    [
        [None] * 199 + ["one message of some words"],
        [""] * 200,
        ["same words in each row"] * 200,
        [f"{'x' * (i % 7)} \n\t {i}" for i in range(200)],
        ["a\x00b \u2028 c d", "\ud7ff ok then"] * 100,
        ["word " * 300] * 200,
    ],
)
def test_degenerate_messages(messages: list[str | None]) -> None:
    result = run({"message": messages}, 7)
    assert [f for f in result.findings if f.log10_p is not None] == []
    for template in result.data["columns"]["message"]["templates"]:
        assert template["rows"] <= 200


def null_log(seed: int) -> dict[str, Any]:
    """Templates and a host that know nothing of each other, in rows that may depend on their neighbours."""
    rng = np.random.default_rng([7, seed])
    series = (rng.normal, lambda size: ar1(rng, size), lambda size: random_intercepts(rng, size))[seed % 3]
    kinds = np.digitize(series(size=ROWS), [-1.2, -0.6, 0.0, 0.6, 1.2])
    hosts = np.digitize(series(size=ROWS), [-0.5, 0.5])
    texts = ("start of run", "end of run", "disk is full", "user logged in", "queue was empty", "no route to host")
    return {"message": [texts[k] for k in kinds.tolist()], "host": [f"n{h}" for h in hosts.tolist()]}


def logs_with_findings(count: int) -> int:
    runs = (run(null_log(seed), 2_000, "coded") for seed in range(count))
    return sum(any(f.log10_p is not None for f in r.findings) for r in runs)


def test_null_logs() -> None:
    assert logs_with_findings(15) <= 3


@pytest.mark.slow
def test_null_logs_in_full() -> None:
    assert logs_with_findings(TABLES) <= allowed(TABLES)
