from __future__ import annotations

import pytest

from toolkit.contain import landlock


@pytest.mark.parametrize(
    ("version", "rights", "network", "scopes"),
    [
        (1, 13, 0, 0),
        (2, 14, 0, 0),
        (3, 15, 0, 0),
        (4, 15, 3, 0),
        (5, 16, 3, 0),
        (6, 16, 3, 3),
        (7, 16, 3, 3),
        (99, 16, 3, 3),
    ],
)
def test_each_version_is_asked_for_what_it_knows(version: int, rights: int, network: int, scopes: int) -> None:
    assert landlock.handled(version) == ((1 << rights) - 1, network, scopes)


def test_rights_to_write_make_nothing_that_leads_elsewhere() -> None:
    make_char, make_sock, make_fifo, make_block, make_sym = (1 << n for n in (6, 9, 10, 11, 12))
    assert not landlock.WRITE & (make_char | make_sock | make_fifo | make_block | make_sym | landlock.EXECUTE)
    assert not landlock.READ & ~(landlock.READ_FILE | landlock.READ_DIR)
