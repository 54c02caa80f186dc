"""The schema of policies for editors, and the reader of policies: they accept and refuse the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError
from toolkit.govern import policy as reader
from toolkit.govern.policy import PLUGIN_TYPES, load_policy, shipped_policies
from toolkit.govern.rules import LARGEST_COUNT, SIZE_PATTERN
from toolkit.plugin.budget import CAPS

SCHEMA = json.loads((shipped_policies() / "policy.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_names_what_the_reader_knows() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    parts = SCHEMA["$defs"]
    assert tuple(SCHEMA["properties"]) == reader._KEYS
    assert tuple(parts["rule"]["properties"]) == reader._RULE_KEYS
    assert tuple(parts["caps"]["properties"]) == CAPS
    assert parts["plugin_type"]["enum"] == list(PLUGIN_TYPES)
    assert tuple(SCHEMA["properties"]["tiers"]["additionalProperties"]["properties"]) == reader._TIER_KEYS
    assert parts["size"]["anyOf"][1]["pattern"] == SIZE_PATTERN
    assert parts["count"]["maximum"] == LARGEST_COUNT


@pytest.mark.parametrize("path", sorted(shipped_policies().glob("*.yaml")), ids=lambda p: p.stem)
def test_every_policy_that_ships_fits_the_schema(path: Path) -> None:
    text = path.read_text("utf-8")
    assert list(VALIDATOR.iter_errors(yaml.safe_load(text))) == []
    assert text.startswith("# yaml-language-server: $schema=policy.schema.json\n")


COUNTS = (
    st.none() | st.booleans() | st.integers(-2, 5) | st.sampled_from([LARGEST_COUNT, LARGEST_COUNT + 1, 1.0, 0.5, 2.5])
)
SIZES = COUNTS | st.sampled_from(
    ["1", "1.5GiB", "512 MiB", "2gb", "1K", "1Ki", "0.5GB", "1 B", "9e9", "GB", "-1MB", "1" * 15, "1" * 16, "9999999TB",
     "999999.5TiB", "1.5", "1  MB", " 1MB", ""]
)  # fmt: skip
WORDS = st.sampled_from(["analysis", "report", "lda*", "", "sampled"])
TEXTS = WORDS | st.none() | st.integers(0, 1) | st.lists(WORDS | st.integers(0, 1), max_size=2)
CAP_VALUES = st.dictionaries(st.sampled_from([*CAPS, "max_rows"]), COUNTS, max_size=3) | st.fixed_dictionaries(
    {"memory": SIZES}
)
RULE_KEYS = {
    "name": st.none() | st.text("ab", max_size=3) | st.integers(),
    "tier": st.none() | st.just("long") | st.integers(),
    "type": TEXTS,
    "id": TEXTS,
    "caps": CAP_VALUES | st.sampled_from([None, [], 5]),
    "sampled": st.booleans(),
}
KEYS = {
    "summary": st.none() | st.text("ab", max_size=3) | st.integers(),
    "extends": st.sampled_from(["default", "off", False, True, None, 3]),
    "partition_chunks": COUNTS,
    "scan_memory": SIZES,
    "full_load": SIZES,
    "max_workers": COUNTS,
    "memory_share": COUNTS | st.integers(99, 102),
    "discovery_rate": COUNTS,
    "discovery_method": st.sampled_from([None, "benjamini-hochberg", "benjamini-yekutieli", "holm", 0]),
    "roles": st.sampled_from([None, [], {}, {"case": "a"}, {"case": ""}, {"case": 1}, {"kase": "a"}, {"end": "b"}]),
    "tiers": st.sampled_from([None, [], 0, "", {"long": None}, {"long": {"min_row": 1}}, {"long": {}}])
    | st.fixed_dictionaries({"long": st.fixed_dictionaries({}, optional=dict.fromkeys(reader._TIER_KEYS, COUNTS))}),
    "rules": st.sampled_from([None, {}, 0, "", [None]])
    | st.lists(
        # One key at a time, as a fault in one would hide what is made of another.
        st.one_of(st.fixed_dictionaries({"caps": st.just({"max_cols": 1}), key: v}) for key, v in RULE_KEYS.items()),
        max_size=1,
    ),
    "row_limit": st.just(1),
}
POLICIES = st.one_of(st.fixed_dictionaries({key: values}) for key, values in KEYS.items()) | st.fixed_dictionaries(
    {}, optional=KEYS
)


@given(POLICIES)
def test_schema_and_reader_agree(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]) -> None:
    """But for what no schema can say: that a tier is defined, what is extended exists, no key is there twice."""
    path = tmp_path_factory.getbasetemp() / "generated.yaml"
    named = "tiers" not in tree or not isinstance(tree["tiers"], dict)
    if named and "extends" in tree and tree["extends"] in ("off", False):
        tree = {**tree, "tiers": {"long": {}}}
    path.write_text(yaml.safe_dump(tree), "utf-8")
    assert VALIDATOR.is_valid(tree) == (refusal(path) == ""), refusal(path)


def refusal(path: Path) -> str:
    try:
        load_policy(str(path))
    except BadInputError as error:
        return error.message
    return ""
