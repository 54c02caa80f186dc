"""Files of at most 400 lines, functions of at most 60: what is longer holds two things and is split."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("toolkit", "stores", "plugins", "scripts", "tests")


def sources(*suffixes: str) -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (REPOSITORY / folder).rglob("*") if path.suffix in suffixes)


def functions(text: str) -> Iterator[tuple[str, int, int]]:
    """Name, first line and number of lines of each function, its docstring included."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1


def test_finds_the_code() -> None:
    found = {path.relative_to(REPOSITORY).parts[0] for path in sources(".py", ".sh")}
    assert found >= {"toolkit", "stores", "scripts", "tests"}


def test_no_file_is_too_long() -> None:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(".py", ".sh")}
    long = [f"{path.relative_to(REPOSITORY)}: {lines} lines" for path, lines in counts.items() if lines > LONGEST_FILE]
    assert long == []


def test_no_function_is_too_long() -> None:
    long = [
        f"{path.relative_to(REPOSITORY)}:{line} {name}: {lines} lines"
        for path in sources(".py")
        for name, line, lines in functions(path.read_text(encoding="utf-8"))
        if lines > LONGEST_FUNCTION
    ]
    assert long == []


def test_counts_a_function_with_its_docstring() -> None:
    text = 'def outer():\n    """Do."""\n    async def inner():\n        return 1\n'
    assert sorted(functions(text)) == [("inner", 3, 2), ("outer", 1, 4)]
