"""The row grid, environment variables, registries, and the one way out of a command."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.core.cli import command_parser, run_command
from toolkit.core.errors import BadInputError, BudgetError, MissingExtraError, ToolkitError, UsageError
from toolkit.core.grid import ChunkGrid, default_chunk_rows
from toolkit.core.registry import Registry
from toolkit.core.settings import VARIABLES, parse_size, parse_workers, read_settings


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 9))
def test_chunks_and_partitions_cover_every_row_once(rows: int, chunk_rows: int, each: int) -> None:
    grid = ChunkGrid(rows, chunk_rows)
    covered = [r for i in range(grid.n_chunks) for r in range(*grid.bounds(i))]
    assert covered == list(range(rows))
    assert all(grid.bounds(grid.chunk_of(r))[0] <= r < grid.bounds(grid.chunk_of(r))[1] for r in range(rows))
    assert [c for p in grid.partitions(each) for c in range(p.start, p.stop)] == list(range(grid.n_chunks))
    assert all(1 <= len(p) <= each for p in grid.partitions(each))


def test_a_grid_has_rows_and_ends() -> None:
    for rows, chunk_rows in ((0, 1), (1, 0), (-1, 5)):
        with pytest.raises(ValueError, match="at least 1"):
            ChunkGrid(rows, chunk_rows)
    grid = ChunkGrid(10, 4)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            grid.bounds(index)
    for row in (-1, 10):
        with pytest.raises(IndexError):
            grid.chunk_of(row)


@given(st.integers(1, 20_000))
def test_a_row_of_chunks_has_a_bound_however_wide_the_table(columns: int) -> None:
    rows = default_chunk_rows(columns)
    assert 1024 <= rows <= 262_144
    assert rows == 1024 or rows * columns <= 1 << 25


def test_settings_come_from_the_environment_and_nowhere_else() -> None:
    usual = read_settings({})
    assert (usual.appdata, usual.store_cache, usual.max_workers, usual.allow_full_load) == (
        Path("appdata"),
        True,
        None,
        False,
    )
    given_ = read_settings({
        "TOOLKIT_APPDATA": "/x", "TOOLKIT_STORE_CACHE": "off", "TOOLKIT_MAX_WORKERS": "3",
        "TOOLKIT_ALLOW_FULL_LOAD": "1", "TOOLKIT_PLUGIN_PATH": "/a:/b",
    })  # fmt: skip
    assert (given_.appdata, given_.store_cache, given_.max_workers) == (Path("/x"), False, 3)
    assert given_.allow_full_load
    assert given_.plugin_path == (Path("/a"), Path("/b"))
    assert all(name.startswith("TOOLKIT_") for name in VARIABLES)


@pytest.mark.parametrize(
    "environment", [{"TOOLKIT_STORE_CACHE": "maybe"}, {"TOOLKIT_MAX_WORKERS": "-1"}, {"TOOLKIT_MAX_WORKERS": "many"}]
)
def test_a_wrong_variable_is_named(environment: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=next(iter(environment))):
        read_settings(environment)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("700MiB", 700 << 20), ("2GB", 2 * 10**9), ("1.5k", 1536), ("3 TB", 3 * 10**12), ("64kib", 65536)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "0", "1XB", "1.2.3", "nan", "1e3"])
def test_wrong_sizes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--max-memory"):
        parse_size(text)


def test_workers() -> None:
    assert [parse_workers(t) for t in ("auto", "", "AUTO", "4", " 2 ")] == [None, None, None, 4, 2]
    for text in ("0", "-1", "1.5", "x", "²"):
        with pytest.raises(UsageError, match="--workers"):
            parse_workers(text)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("u"), 2), (BadInputError("b", "do this"), 2), (MissingExtraError("it", "x"), 2),
        (ToolkitError("t"), 3), (BudgetError("b"), 4), (KeyboardInterrupt(), 130), (MemoryError(), 3),
        (RuntimeError("r"), 3),
    ],
)  # fmt: skip
def test_every_error_has_one_message_and_its_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(args: argparse.Namespace) -> int:
        raise error

    assert run_command(command_parser("x", "X."), body, []) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert err
    assert run_command(command_parser("x", "X."), body, ["--traceback"]) == code
    assert "Traceback" in capsys.readouterr().err


def test_a_registry_finds_its_entries_and_names_the_others() -> None:
    readers: Registry[object] = Registry("input format", package="toolkit.readers")
    assert list(readers.all()) == sorted(readers.all())
    with pytest.raises(UsageError, match=r"unknown input format 'papyrus'\n.*delimited"):
        readers.get("papyrus")
    assert Registry("nothing").all() == {}
