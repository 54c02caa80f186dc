"""What a plugin's source must and must not hold, found without running it."""

from __future__ import annotations

import ast
import doctest
import sys
from collections.abc import Iterator

from toolkit.engine.manifest import Manifest
from toolkit.task.code import loaded_plugin

_STANDARD = frozenset({
    "__future__", "abc", "bisect", "calendar", "cmath", "collections", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "hashlib", "heapq", "html", "itertools", "json", "math", "numbers", "operator", "re",
    "statistics", "string", "struct", "textwrap", "typing", "unicodedata", "warnings", "zlib",
})  # fmt: skip
"""Modules of the standard library that compute and do nothing else."""
_OWN = ("toolkit.plugin",)
_LINES = 400


def source_problems(manifest: Manifest) -> Iterator[str]:
    """Imports, size, docstring, doctest, and parameters that the manifest does not declare."""
    for path in sorted(manifest.folder.rglob("*.py")):
        name = path.relative_to(manifest.folder).as_posix()
        text = path.read_text("utf-8")
        try:
            tree = ast.parse(text)
        except SyntaxError as error:
            yield f"{name}, line {error.lineno}: {error.msg}"
            continue
        if text.count("\n") > _LINES:
            yield f"{name} has more than {_LINES} lines; split it"
        if not ast.get_docstring(tree):
            yield f"{name} has no docstring that says what it does"
        for line, module in _imports(tree):
            if not _allowed(module):
                yield f"{name}, line {line}: imports {module}; a plugin imports toolkit.plugin and what computes"
        declared = set(manifest.param_defaults)
        for line, param in _params_used(tree):
            if param not in declared:
                yield f"{name}, line {line}: ctx.params[{param!r}] is not declared in plugin.yaml"


def doctest_problems(manifest: Manifest) -> Iterator[str]:
    """There must be an example, and every example must be right."""
    examples = 0
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    with loaded_plugin(manifest.id, manifest.folder, "") as module:
        for test in doctest.DocTestFinder().find(module):
            examples += len(test.examples)
            said: list[str] = []
            if runner.run(test, out=said.append).failed:
                text = " ".join(" ".join(said).split())
                yield f"the example of {test.name.partition('.')[2]} is wrong: {text[-200:]}"
    if not examples:
        yield "plugin.py has no example (a doctest) in any docstring"


def _imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def _allowed(module: str) -> bool:
    top = module.partition(".")[0]
    if top == "toolkit":
        return module in _OWN or module.startswith(tuple(f"{own}." for own in _OWN))
    if top in ("stores", "plugins"):
        return False
    return top in _STANDARD or top not in sys.stdlib_module_names


def _params_used(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "params"
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            yield node.lineno, node.slice.value
