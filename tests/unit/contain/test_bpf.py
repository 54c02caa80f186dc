from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.contain.bpf_machine import run
from toolkit.contain import bpf

WORDS = st.integers(0, 2**32 - 1)
ALLOW, DENY, GO_ON = 1, 2, 3


def on_number(code: list[bpf.Instruction]) -> bytes:
    return bpf.encode([(bpf.LOAD_WORD, 0, 0, bpf.NUMBER), *code, *bpf.give(GO_ON)])


@given(st.lists(st.integers(0, 2000), unique=True, max_size=600), st.integers(0, 2000))
def test_any_of_finds_each_number_and_no_other(numbers: list[int], number: int) -> None:
    assert run(on_number(bpf.any_of(numbers, ALLOW)), number, 0) == (ALLOW if number in numbers else GO_ON)


CHECKS = st.builds(
    bpf.Check,
    argument=st.integers(0, 5),
    values=st.lists(st.integers(0, 7), min_size=1, max_size=4).map(tuple),
    mask=st.sampled_from([0xFFFFFFFF, 1, 3, 6]),
    high=st.booleans(),
)


@given(
    st.lists(CHECKS, max_size=4),
    st.tuples(*[st.integers(0, 9) | st.integers(0, 2**64 - 1)] * 6),
    st.sampled_from([7, 8]),
)
def test_when_is_the_conjunction_of_its_checks(
    checks: list[bpf.Check], arguments: tuple[int, ...], number: int
) -> None:
    def holds(check: bpf.Check) -> bool:
        half = (arguments[check.argument] >> (32 if check.high else 0)) & 0xFFFFFFFF
        return half & check.mask in check.values

    program = on_number(bpf.when(7, checks, ALLOW, DENY))
    expected = GO_ON if number != 7 else ALLOW if all(map(holds, checks)) else DENY
    assert run(program, number, 0, arguments) == expected


@given(WORDS, WORDS)
def test_require_compares_a_word(value: int, given_value: int) -> None:
    program = bpf.encode([*bpf.require(bpf.ARCHITECTURE, value, DENY), *bpf.give(GO_ON)])
    assert run(program, 0, given_value) == (GO_ON if value == given_value else DENY)
    assert run(program, 0, value) == GO_ON


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_below_compares_unsigned(limit: int, number: int) -> None:
    assert run(on_number(bpf.below(limit, DENY)), number, 0) == (GO_ON if number < limit else DENY)


def test_what_the_kernel_would_refuse_is_refused_before() -> None:
    with pytest.raises(ValueError, match="a filter of 4097 instructions; the kernel takes 4096"):
        bpf.encode(bpf.give(0) * 4097)
    with pytest.raises(ValueError, match="jumps over more than 255"):
        bpf.encode([(bpf.JUMP_IF_EQUAL, 256, 0, 0)])
