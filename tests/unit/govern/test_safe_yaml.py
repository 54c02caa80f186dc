"""The YAML loader: values as written, every refusal with file and line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError
from toolkit.govern.safe_yaml import DEEPEST, LARGEST, YamlMap, check_keys, load_yaml, parse_yaml

TREES = st.dictionaries(
    st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
        max_leaves=10,
    ),
    max_size=4,
)


@given(TREES)
def test_reads_what_the_safe_loader_reads(tree: dict[str, Any]) -> None:
    text = yaml.safe_dump(tree)
    expected = yaml.safe_load(text)
    assert parse_yaml(text.encode(), "f") == expected


def test_knows_its_lines() -> None:
    root = parse_yaml(b"a: 1\n\nb:\n  c: [1,\n    2]\n  d: x\n", "f")
    assert root.lines == {"a": 1, "b": 3}
    assert root["b"].line == 4
    assert root["b"].lines == {"c": 4, "d": 6}
    assert root["b"]["c"].lines == [4, 5]


def test_dates_and_times_stay_texts() -> None:
    assert parse_yaml(b"a: 2024-01-31\nb: 12:30\nc: 12:30:45\n", "f") == {
        "a": "2024-01-31",
        "b": "12:30",
        "c": "12:30:45",
    }


REFUSED = {
    "an alias": (b"a: 1\nb: &x [1]\n", 2, "anchor &x"),
    "an alias used": (b"a: 1\nb: *x\n", 2, "alias *x"),
    "a tag": (b"a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "tag"),
    "a local tag": (b"a: !x 1\n", 1, "tag"),
    "a tag on a key": (b"a: 1\n!!str b: 2\n", 2, "tag"),
    "a duplicate key": (b"a: 1\nb: 2\na: 3\n", 3, "twice; first in line 1"),
    "a duplicate key inside": (b"a:\n  b: 1\n  b: 2\n", 3, "twice; first in line 2"),
    "a list as a key": (b"a: 1\n? [x]\n: 2\n", 2, "a key must be plain text"),
    "a second document": (b"a: 1\n---\nb: 2\n", 2, "second document"),
    "a list at the top": (b"- 1\n", 1, "must be a mapping"),
    "nothing": (b"# only a comment\n", 1, "empty"),
    "an open bracket": (b"a: 1\nb: [1, 2\n", 3, "flow sequence"),
    "a tab": (b"a: 1\nb:\n\t- 1\n", 3, "cannot start any token"),
    "bytes that are not UTF-8": (b"a: 1\nb: \xff\n", 2, "byte 8 is not UTF-8"),
    "a control character": (b"a: 1\nb: \x07\n", 2, "characters are not allowed"),
    "an endless number": (b"a: " + b"9" * 5000 + b"\n", 1, "is no int"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(name: str) -> None:
    data, line, words = REFUSED[name]
    with pytest.raises(BadInputError) as raised:
        parse_yaml(data, "file.yaml")
    assert raised.value.message.startswith(f"file.yaml, line {line}: ")
    assert words in raised.value.message
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("opening", [b"[", b"{a: ", b"- "])
def test_refuses_what_is_deep_in_short_time(opening: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(BadInputError, match=r"levels|flow|node"):
        parse_yaml(b"a:\n  " + opening * 100_000, "f")
    assert time.monotonic() - started < 10


def test_allows_the_deepest_that_it_says() -> None:
    levels = DEEPEST - 1
    parse_yaml(b"a: " + b"[" * levels + b"]" * levels, "f")
    with pytest.raises(BadInputError, match="levels"):
        parse_yaml(b"a: " + b"[" * (levels + 1) + b"]" * (levels + 1), "f")


def test_a_bomb_is_refused_before_it_expands() -> None:
    bomb = b"a: &a [1,1,1,1]\n" + b"".join(b"%c: &%c [*%c,*%c]\n" % (c + 1, c + 1, c, c) for c in range(97, 120))
    with pytest.raises(BadInputError, match="anchor"):
        parse_yaml(bomb, "f")


def test_refuses_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"a: " + b"x" * LARGEST)
    with pytest.raises(BadInputError, match=r"more than 1,048,576 bytes"):
        load_yaml(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"none\.yaml can't be read: No such file"):
        load_yaml(tmp_path / "none.yaml")


def test_an_unknown_key_is_refused_by_its_line() -> None:
    root = parse_yaml(b"a: 1\nc: 2\n", "f")
    with pytest.raises(BadInputError, match=r"f, line 2: unknown key 'c'"):
        check_keys(root, ["a", "b"], "f")
    assert isinstance(root, YamlMap)
