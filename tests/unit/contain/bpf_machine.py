"""The machine that classic BPF is written for, as the kernel has it: it runs a filter on one system call."""

from __future__ import annotations

import struct


def run(program: bytes, number: int, architecture: int, arguments: tuple[int, ...] = ()) -> int:
    """The action that a filter ends with.

    Parameters
    ----------
    program : bytes
        As the kernel takes it.
    number, architecture : int
        Of the call.
    arguments : tuple of int
        Of the call, 64 bits each; 0 where there are fewer than six.
    """
    padded = [a & (2**64 - 1) for a in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("=iIQ6Q", number, architecture, 0x1000, *padded)
    code = list(struct.iter_unpack("=HBBI", program))
    accumulator, place = 0, 0
    while True:
        operation, yes, no, operand = code[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            accumulator &= operand
        elif operation == 0x15:
            place += yes if accumulator == operand else no
        elif operation == 0x35:
            place += yes if accumulator >= operand else no
        elif operation == 0x06:
            return int(operand)
        else:
            raise AssertionError(f"instruction {operation:#x} is none of a filter's")
