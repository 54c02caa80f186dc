"""Policies: which rule sets which cap, and what is refused."""

from __future__ import annotations

import functools
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.errors import BadInputError, UsageError
from toolkit.core.settings import CAP_VARIABLES, VARIABLES, read_settings
from toolkit.govern.policy import PLUGIN_TYPES, load_policy, policy_in_force, shipped_policies
from toolkit.govern.rules import Origin, Rule
from toolkit.plugin.budget import CAPS, MACHINE_CAPS, Budget


def policy_file(folder: Path, text: str, name: str = "p.yaml") -> str:
    path = folder / name
    path.write_text(textwrap.dedent(text), "utf-8")
    return str(path)


def test_a_later_rule_overrides_cap_by_cap(tmp_path: Path) -> None:
    path = policy_file(
        tmp_path,
        """\
        extends: off
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
        "max_pairs": (10, "rule 2: long ones"),
        "max_cols": (12, "rule 3"),
        "memory": (5, "rule 1"),
    }
    assert policy.resolve("analysis", "analysis_a", 999, 4)[0].max_pairs == 10


def test_a_tier_holds_at_both_ends(tmp_path: Path) -> None:
    path = policy_file(
        tmp_path,
        """\
        extends: off
        tiers: {middle: {min_rows: 10, max_rows: 20, min_columns: 2, max_columns: 3}}
        rules: [{tier: middle, caps: {max_cols: 1}}]
        """,
    )
    policy = load_policy(path)
    fits = {(r, c) for r in range(9, 22) for c in range(1, 5) if policy.resolve("report", "report_a", r, c)[0].max_cols}
    assert fits == {(r, c) for r in range(10, 21) for c in (2, 3)}


def test_extends_another(tmp_path: Path) -> None:
    policy_file(
        tmp_path,
        "extends: off\nfull_load: 1MiB\nmax_workers: 3\nrules: [{caps: {max_cols: 7, max_pairs: 8}}]\n",
        "base.yaml",
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
    "an unknown tier": ("rules:\n  - tier: vast\n    caps: {max_cols: 1}\n", 2, "unknown tier 'vast'"),
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


def test_off_injects_no_cap_not_even_the_environments() -> None:
    policy = policy_in_force("off", read_settings({"TOOLKIT_MAX_PAIRS": "3"}))
    assert policy.resolve("analysis", "analysis_a", 10**9, 10**4) == (Budget(), {})
    assert policy.full_load is None


def test_an_unknown_policy_lists_those_that_ship() -> None:
    with pytest.raises(BadInputError) as raised:
        load_policy("no_such_policy")
    assert "default" in raised.value.remedy


def test_every_cap_has_a_variable() -> None:
    assert tuple(CAP_VARIABLES) == CAPS
    assert set(CAP_VARIABLES.values()) <= set(VARIABLES)
    given = read_settings({"TOOLKIT_MEMORY": "2GiB", "TOOLKIT_MAX_COLS": " None ", "TOOLKIT_MAX_PAIRS": ""})
    assert given.caps == {"memory": 2 << 30, "max_cols": None}
    for text in ("0", "-1", "1.5", "many", "9" * 16, "\u0663"):
        with pytest.raises(UsageError, match="TOOLKIT_MAX_COLS takes a positive integer, or none"):
            read_settings({"TOOLKIT_MAX_COLS": text})


def own_caps(**caps: int | None) -> Rule:
    origins = {cap: Origin("plugin.yaml", 7, "caps", "plugin") for cap in caps}
    return Rule("caps", None, (), (), dict(caps), origins, "plugin")


def test_who_wins_over_whom(tmp_path: Path) -> None:
    """The plugin by its very id, its manifest, the user's file, the environment, what ships."""
    path = policy_file(
        tmp_path,
        """\
        rules:
          - id: analysis_a
            caps: {max_cols: 1}
          - caps: {max_cols: 2, max_pairs: 2, max_groups: 2}
          - id: "analysis_*"
            caps: {max_groups: 3}
        """,
    )
    names = ("max_cols", "max_pairs", "max_groups", "max_windows", "max_findings")
    policy = policy_in_force(path, read_settings({f"TOOLKIT_{n.upper()}": "5" for n in names[:4]}))
    budget, origins = policy.resolve("analysis", "analysis_a", 10, 3, own_caps(max_cols=4, max_pairs=4))
    assert [getattr(budget, n) for n in names] == [1, 4, 3, 5, 200]
    assert [origins[n].level for n in names] == ["file", "plugin", "file", "environment", "default"]
    assert [origins[n].line for n in names[:4]] == [3, 7, 6, 0]
    other, _ = policy.resolve("analysis", "analysis_b", 10, 3, own_caps(max_cols=4))
    assert (other.max_cols, other.max_pairs) == (4, 2)


def test_a_manifest_can_not_have_more_of_the_machine_than_the_policy_gives() -> None:
    policy = load_policy()
    before, origins = policy.resolve("analysis", "analysis_a", 10, 3)
    assert before.memory is not None
    greedy = own_caps(memory=before.memory * 2, time_limit_ms=None, cpu_limit_ms=10**12, max_pairs=10**9)
    budget, after = policy.resolve("analysis", "analysis_a", 10, 3, greedy)
    assert (budget.memory, budget.time_limit_ms, budget.cpu_limit_ms) == (
        before.memory, before.time_limit_ms, before.cpu_limit_ms,
    )  # fmt: skip
    assert {cap: after[cap] for cap in MACHINE_CAPS} == {cap: origins[cap] for cap in MACHINE_CAPS}
    assert budget.max_pairs == 10**9
    modest, _ = policy.resolve("analysis", "analysis_a", 10, 3, own_caps(memory=1 << 20))
    assert modest.memory == 1 << 20


def test_a_file_stands_on_the_default_policy_unless_it_says_off(tmp_path: Path) -> None:
    default = load_policy().resolve("analysis", "analysis_a", 2_000_000, 24)[0]
    found = load_policy(policy_file(tmp_path, "rules: [{caps: {max_pairs: 3}}]\n"))
    assert found.resolve("analysis", "analysis_a", 2_000_000, 24)[0] == replace(default, max_pairs=3)
    for text in ("off", "'off'", "false"):
        bare = load_policy(policy_file(tmp_path, f"extends: {text}\nrules: [{{caps: {{max_pairs: 3}}}}]\n"))
        assert bare.resolve("analysis", "analysis_a", 2_000_000, 24)[0] == Budget(max_pairs=3)


@pytest.mark.parametrize("key", ["sample", "sampled", "Sampling", "sample_rows", "max_rows", "row_limit"])
@pytest.mark.parametrize("text", ["{key}: 1\n", "rules:\n- {key}: true\n", "rules:\n- caps: {{{key}: 5}}\n"])
def test_nothing_can_turn_sampling_on(tmp_path: Path, key: str, text: str) -> None:
    path = policy_file(tmp_path, text.format(key=key))
    with pytest.raises(BadInputError, match=rf"line \d: unknown key '{key}': every plugin reads every row") as raised:
        load_policy(path)
    assert "max_pairs" in raised.value.remedy


@given(
    plugin_type=st.sampled_from(PLUGIN_TYPES),
    rows=st.integers(1, 10**10),
    columns=st.integers(1, 10**5),
    more=st.integers(0, 10**10),
)
def test_the_default_never_grants_more_for_a_larger_table(plugin_type: str, rows: int, columns: int, more: int) -> None:
    """Only limits on time grow with the table."""
    policy = load_policy_once()
    for name in ("a", "matrix_profile_x", "prefixspan", "lda_topics"):
        small, _ = policy.resolve(plugin_type, f"{plugin_type}_{name}", rows, columns)
        large, _ = policy.resolve(plugin_type, f"{plugin_type}_{name}", rows + more, columns + more // 10**6)
        for cap in CAPS:
            if cap not in ("time_limit_ms", "cpu_limit_ms", "batch_size"):
                assert (getattr(large, cap) or 10**18) <= (getattr(small, cap) or 10**18), cap


HEAVY = (
    "analysis_matrix_profile_motifs", "analysis_sequential_patterns_prefixspan", "analysis_topic_model_lda",
)  # fmt: skip
SHIPPED = sorted(path.stem for path in shipped_policies().glob("*.yaml"))


def test_what_ships() -> None:
    assert SHIPPED == ["cluster", "default", "laptop"]


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("rows", [2_000_000, 10**9])
def test_every_shipped_policy_bounds_heavy_plugins_on_long_tables(name: str, rows: int) -> None:
    policy = load_policy(name)
    plain, _ = policy.resolve("analysis", "analysis_other", rows, 24)
    for plugin in HEAVY:
        budget, origins = policy.resolve("analysis", plugin, rows, 24)
        assert all(value is not None for value in budget.to_json().values()), plugin
        assert {origins[cap].level for cap in CAPS} == {"default"}
        tighter = [cap for cap in CAPS if getattr(budget, cap) < getattr(plain, cap)]
        assert any(cap.startswith("max_") for cap in tighter), plugin
        assert all(getattr(budget, cap) <= getattr(plain, cap) for cap in CAPS), plugin


@given(plugin_type=st.sampled_from(PLUGIN_TYPES), rows=st.integers(1, 10**10), columns=st.integers(1, 10**5))
def test_a_laptop_gets_no_more_and_a_cluster_no_less(plugin_type: str, rows: int, columns: int) -> None:
    for plugin in ("analysis_other", *HEAVY):
        small, usual, large = (
            load_policy_once(name).resolve(plugin_type, plugin, rows, columns)[0]
            for name in ("laptop", "default", "cluster")
        )
        for cap in CAPS:
            sizes = [getattr(b, cap) or 10**18 for b in (small, usual, large)]
            assert sizes == sorted(sizes), cap


load_policy_once = functools.cache(load_policy)
