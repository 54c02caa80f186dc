"""``python -m toolkit COMMAND``, the same as ``python -m toolkit.COMMAND``."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import sys
from collections.abc import Sequence
from pathlib import Path

import toolkit
from toolkit.core.cli import DONE, WRONG_USAGE, complain, emit, leave

_NO_COMMANDS = ("__main__", "api")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Every module directly below the package that is no package itself is a command; adding one takes a new file.
    """
    args = list(sys.argv[1:] if argv is None else argv)
    modules = _commands()
    if not args or args[0] in ("-h", "--help", "help"):
        emit(_overview(modules))
        return DONE if args else WRONG_USAGE
    if args[0] not in modules:
        complain(f"error: there is no command {args[0]!r}\n  commands: {', '.join(modules)}")
        return WRONG_USAGE
    code: int = importlib.import_module(f"toolkit.{args[0]}").main(args[1:])
    return code


def _commands() -> list[str]:
    found = (m.name for m in pkgutil.iter_modules(toolkit.__path__) if not m.ispkg)
    return sorted(name for name in found if name not in _NO_COMMANDS)


def _overview(modules: list[str]) -> str:
    lines = ["usage: python -m toolkit COMMAND [options]", ""]
    for name in modules:
        source = Path(toolkit.__path__[0]) / f"{name}.py"
        text = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
        # A module's first line says what the command does, after its name.
        summary = text.splitlines()[0].rpartition("``: ")[2] if text else ""
        lines.append(f"  {name:<10}{summary[:1].upper()}{summary[1:]}")
    return "\n".join([*lines, "", "python -m toolkit COMMAND --help says what each takes"])


if __name__ == "__main__":
    leave(main())
