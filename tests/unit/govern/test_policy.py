"""Policies: which rule sets which cap, and what is refused."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError
from toolkit.govern.policy import PLUGIN_TYPES, load_policy, shipped_policies
from toolkit.plugin.budget import CAPS, Budget


def policy_file(folder: Path, text: str, name: str = "p.yaml") -> str:
    path = folder / name
    path.write_text(textwrap.dedent(text), "utf-8")
    return str(path)


def test_a_later_rule_overrides_cap_by_cap(tmp_path: Path) -> None:
    path = policy_file(
        tmp_path,
        """\
        tiers:
          long: {min_rows: 1000}
        rules:
          - caps: {max_pairs: 10, max_cols: 5, memory: 1GiB}
          - name: long ones
            tier: long
            type: analysis
            caps:
              max_pairs: 3
          - id: ["analysis_*lda*", "x"]
            caps: {max_cols: null}
        """,
    )
    policy = load_policy(path)
    assert policy.resolve("profile", "profile_a", 2000, 4)[0] == Budget(max_pairs=10, max_cols=5, memory=2**30)
    budget, origins = policy.resolve("analysis", "analysis_my_lda_2", 1000, 4)
    assert budget == Budget(max_pairs=3, max_cols=None, memory=2**30)
    assert {cap: (o.line, o.rule) for cap, o in origins.items()} == {
        "max_pairs": (9, "rule 2: long ones"),
        "max_cols": (11, "rule 3"),
        "memory": (4, "rule 1"),
    }
    assert policy.resolve("analysis", "analysis_a", 999, 4)[0].max_pairs == 10


def test_a_tier_holds_at_both_ends(tmp_path: Path) -> None:
    path = policy_file(
        tmp_path,
        """\
        tiers: {middle: {min_rows: 10, max_rows: 20, min_columns: 2, max_columns: 3}}
        rules: [{tier: middle, caps: {max_cols: 1}}]
        """,
    )
    policy = load_policy(path)
    fits = {(r, c) for r in range(9, 22) for c in range(1, 5) if policy.resolve("report", "report_a", r, c)[0].max_cols}
    assert fits == {(r, c) for r in range(10, 21) for c in (2, 3)}


def test_extends_another(tmp_path: Path) -> None:
    policy_file(
        tmp_path, "full_load: 1MiB\nmax_workers: 3\nrules: [{caps: {max_cols: 7, max_pairs: 8}}]\n", "base.yaml"
    )
    path = policy_file(tmp_path, "extends: base.yaml\nfull_load: 2MiB\nrules: [{caps: {max_cols: 9}}]\n")
    policy = load_policy(path)
    budget, origins = policy.resolve("analysis", "analysis_a", 1, 1)
    assert (budget.max_cols, budget.max_pairs, policy.full_load, policy.max_workers) == (9, 8, 2 << 20, 3)
    assert Path(origins["max_cols"].source).name == "p.yaml"
    assert Path(origins["max_pairs"].source).name == "base.yaml"
    assert load_policy(policy_file(tmp_path, "extends: default\n", "q.yaml")).rules == load_policy("default").rules


REFUSED = {
    "an unknown key": ("ruels: []\n", 1, "unknown key 'ruels'"),
    "an unknown key of a rule": ("rules:\n  - caps: {max_cols: 1}\n    kind: x\n", 3, "unknown key 'kind'"),
    "an unknown cap": ("rules:\n  - caps:\n      max_cols: 1\n      max_rows: 1\n", 4, "unknown key 'max_rows'"),
    "an unknown type": (
        "rules:\n  - type: analyses\n    caps: {max_cols: 1}\n",
        2,
        "unknown type of plugin 'analyses'",
    ),
    "an unknown tier": ("rules:\n  - tier: long\n    caps: {max_cols: 1}\n", 2, "unknown tier 'long'"),
    "a rule without caps": ("rules:\n  - type: analysis\n", 2, "a rule needs caps"),
    "a cap of zero": ("rules:\n  - caps: {max_cols: 0}\n", 2, "at least 1, not 0"),
    "a cap that is a text": ("rules:\n  - caps: {max_cols: many}\n", 2, "not 'many'"),
    "a cap that is a truth": ("rules:\n  - caps: {max_cols: yes}\n", 2, "not True"),
    "a size that is none": ("full_load: huge\n", 1, "full_load takes a size"),
    "a share over 100": ("memory_share: 101\n", 1, "at most 100"),
    "an unknown bound of a tier": ("tiers:\n  long: {min_row: 1}\n", 2, "unknown key 'min_row'"),
    "rules that are no list": ("rules: {caps: {max_cols: 1}}\n", 1, "rules takes a list"),
    "a policy that is not there": ("extends: nowhere\n", 1, "there is no policy 'nowhere'"),
    "itself": ("extends: p.yaml\n", 1, "extends this policy in turn"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(tmp_path: Path, name: str) -> None:
    text, line, words = REFUSED[name]
    path = policy_file(tmp_path, text)
    with pytest.raises(BadInputError) as raised:
        load_policy(path)
    assert raised.value.message.startswith(f"{path}, line {line}: ")
    assert words in raised.value.message


def test_off_sets_no_cap() -> None:
    policy = load_policy("off")
    assert policy.resolve("analysis", "analysis_a", 10**9, 10**4) == (Budget(), {})
    assert policy.full_load is None


def test_an_unknown_policy_lists_those_that_ship() -> None:
    with pytest.raises(BadInputError) as raised:
        load_policy("no_such_policy")
    assert "default" in raised.value.remedy


@given(
    plugin_type=st.sampled_from(PLUGIN_TYPES),
    rows=st.integers(1, 10**10),
    columns=st.integers(1, 10**5),
    more=st.integers(0, 10**10),
)
def test_the_default_never_grants_more_for_a_larger_table(plugin_type: str, rows: int, columns: int, more: int) -> None:
    """Only limits on time grow with the table."""
    policy = load_policy()
    for name in ("a", "matrix_profile_x", "prefixspan", "lda_topics"):
        small, _ = policy.resolve(plugin_type, f"{plugin_type}_{name}", rows, columns)
        large, _ = policy.resolve(plugin_type, f"{plugin_type}_{name}", rows + more, columns + more // 10**6)
        for cap in CAPS:
            if cap not in ("time_limit_ms", "cpu_limit_ms", "batch_size"):
                assert (getattr(large, cap) or 10**18) <= (getattr(small, cap) or 10**18), cap


def test_the_default_bounds_heavy_plugins_on_two_million_rows() -> None:
    policy = load_policy()
    for name in (
        "analysis_matrix_profile_motifs",
        "analysis_sequential_patterns_prefixspan",
        "analysis_topic_model_lda",
    ):
        budget, _ = policy.resolve("analysis", name, 2_000_000, 24)
        assert all(value is not None for value in budget.to_json().values()), name


def test_every_policy_that_ships_can_be_read() -> None:
    for path in shipped_policies().glob("*.yaml"):
        assert load_policy(path.stem).rules
