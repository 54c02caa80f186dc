"""analysis_topic_model_lda on news stories of 1996 and 1997, of which everybody knows what they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.memory_store import memory_dataset
from tests.null_tables import run_plugin
from toolkit.plugin import Result

FOLDER = Path(__file__).resolve().parents[2] / "plugins" / "analysis_topic_model_lda"
PROFILED = {
    "analysis_pii": Result({"personal_columns": [], "not_looked_at": []}),
    "profile_basic": Result({"columns": []}),
}
THEMES = (
    {"mother", "teresa", "charity", "calcutta"},
    {"charles", "prince", "diana", "royal"},
    {"pope", "vatican", "pontiff"},
    {"harriman", "churchill", "ambassador"},
)


@pytest.fixture(scope="module")
def stories(real_data: Path) -> list[str]:
    """Texts with the words of each story as often as they were counted; their order is not known."""
    tokens = (real_data / "topics" / "reuters.tokens").read_text().split("\n")
    lines = (real_data / "topics" / "reuters.ldac").read_text().splitlines()
    pairs = [[pair.split(":") for pair in line.split()[1:]] for line in lines]
    return [" ".join(tokens[int(i)] for i, n in row for _ in range(int(n))) for row in pairs]


def test_topics_are_those_of_the_news(stories: list[str]) -> None:
    assert sum(len(story.split()) for story in stories) == 84_010
    dataset = memory_dataset({"story": stories}, 100, encodings={"story": "long"})
    column = run_plugin(FOLDER, dataset, upstream=PROFILED).data["columns"]["story"]
    assert column["converged"]
    words = [set(topic["words"]) for topic in column["topics"]]
    for theme in THEMES:
        assert any(theme <= found for found in words), theme
    steps = [b - a for a, b in zip(column["bounds"], column["bounds"][1:], strict=False)]
    assert min(steps) > 0
