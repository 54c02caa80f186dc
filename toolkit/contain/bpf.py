"""A small assembler for the programs (classic BPF) with which the kernel filters system calls."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

# linux/bpf_common.h: class, size, mode and operation, or-ed as linux/filter.h's macros do.
LOAD_WORD = 0x20
"""BPF_LD | BPF_W | BPF_ABS."""
AND = 0x54
"""BPF_ALU | BPF_AND | BPF_K."""
JUMP_IF_EQUAL = 0x15
"""BPF_JMP | BPF_JEQ | BPF_K."""
JUMP_IF_GREATER_OR_EQUAL = 0x35
"""BPF_JMP | BPF_JGE | BPF_K."""
RETURN = 0x06
"""BPF_RET | BPF_K."""

# struct seccomp_data of linux/seccomp.h: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6].
NUMBER = 0
ARCHITECTURE = 4
_ARGUMENTS = 16

LONGEST = 4096
"""Instructions that a program may have: BPF_MAXINSNS of linux/bpf_common.h."""
_FARTHEST = 255
_WHOLE = 0xFFFFFFFF

Instruction = tuple[int, int, int, int]
"""Operation, instructions to skip if true, and if false, operand: struct sock_filter of linux/filter.h."""


@dataclass(frozen=True, slots=True)
class Check:
    """A test of 32 bits of an argument: whether, masked, they are one of some values.

    Attributes
    ----------
    argument : int
        0 to 5.
    values : tuple of int
        What is looked for.
    mask : int
        Bits that count.
    high : bool
        Whether the upper half of the argument is meant. The kernel ignores it for what is an ``int`` there.
    """

    argument: int
    values: tuple[int, ...]
    mask: int = _WHOLE
    high: bool = False

    def length(self) -> int:
        """Instructions that it takes."""
        return 1 + (self.mask != _WHOLE) + len(self.values)

    def assemble(self, remaining: int) -> list[Instruction]:
        """Instructions that go on behind themselves if true, else skip further ones.

        Parameters
        ----------
        remaining : int
            Instructions between these and those to go to if false.
        """
        code: list[Instruction] = [(LOAD_WORD, 0, 0, _ARGUMENTS + 8 * self.argument + 4 * self.high)]
        if self.mask != _WHOLE:
            code.append((AND, 0, 0, self.mask))
        for left in range(len(self.values) - 1, -1, -1):
            value = self.values[-1 - left] & _WHOLE
            code.append((JUMP_IF_EQUAL, left, 0 if left else remaining, value))
        return code


def give(action: int) -> list[Instruction]:
    """End with an action."""
    return [(RETURN, 0, 0, action)]


def require(word: int, value: int, otherwise: int) -> list[Instruction]:
    """Go on if a word of the call's data is a value, else end with an action."""
    return [(LOAD_WORD, 0, 0, word), (JUMP_IF_EQUAL, 1, 0, value), (RETURN, 0, 0, otherwise)]


def below(limit: int, otherwise: int) -> list[Instruction]:
    """Go on if the word loaded last is less than a limit, else end with an action."""
    return [(JUMP_IF_GREATER_OR_EQUAL, 0, 1, limit), (RETURN, 0, 0, otherwise)]


def any_of(numbers: Sequence[int], action: int) -> list[Instruction]:
    """End with an action if the word loaded last is one of some numbers, else go on."""
    code: list[Instruction] = []
    for start in range(0, len(numbers), _FARTHEST):
        group = numbers[start : start + _FARTHEST]
        for left, number in zip(range(len(group) - 1, -1, -1), group, strict=True):
            code.append((JUMP_IF_EQUAL, left, 0 if left else 1, number))
        code.append((RETURN, 0, 0, action))
    return code


def when(number: int, tests: Sequence[Check], then: int, otherwise: int) -> list[Instruction]:
    """If the word loaded last is a number: end with one action if all tests are true, else with another; else go on."""
    body: list[Instruction] = []
    lengths = [test.length() for test in tests]
    for place, test in enumerate(tests):
        # Behind the tests stand two instructions: the end if all are true, then the one if not.
        body += test.assemble(sum(lengths[place + 1 :]) + 1)
    body += give(then) + give(otherwise)
    return [(JUMP_IF_EQUAL, 0, len(body), number), *body]


def encode(code: Sequence[Instruction]) -> bytes:
    """A program as the kernel takes it.

    Raises
    ------
    ValueError
        When it is longer than the kernel takes, or jumps too far.
    """
    if len(code) > LONGEST:
        raise ValueError(f"a filter of {len(code)} instructions; the kernel takes {LONGEST}")
    if any(max(yes, no) > _FARTHEST for _, yes, no, _ in code):
        raise ValueError(f"a filter that jumps over more than {_FARTHEST} instructions")
    return struct.pack("=" + "HBBI" * len(code), *(field for instruction in code for field in instruction))
