"""Environment variables, read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolkit.core.errors import UsageError

VARIABLES: dict[str, str] = {
    "TOOLKIT_APPDATA": "folder for stores, results and runs (default: appdata in the current folder)",
    "TOOLKIT_POLICY": "policy file, or off for no injected caps (default: the one that ships)",
    "TOOLKIT_MAX_WORKERS": "auto, or the largest number of worker processes",
    "TOOLKIT_STORE_CACHE": "on, or off to convert again instead of reusing a store",
    "TOOLKIT_RESULT_CACHE": "on, or off to compute again instead of reusing results",
    "TOOLKIT_ALLOW_FULL_LOAD": "1 to let plugins load whole tables above the policy's threshold (default: 0)",
    "TOOLKIT_PLUGIN_PATH": "folders with plugins, separated as in PATH",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment asks for; a command's own options win over it."""

    appdata: Path
    policy: str
    max_workers: int | None
    store_cache: bool
    result_cache: bool
    allow_full_load: bool
    plugin_path: tuple[Path, ...]


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings.

    Raises
    ------
    UsageError
        When a variable has a value that it does not take.
    """
    env = os.environ if environ is None else environ
    path = env.get("TOOLKIT_PLUGIN_PATH", "")
    return Settings(
        appdata=Path(env.get("TOOLKIT_APPDATA") or "appdata"),
        policy=env.get("TOOLKIT_POLICY", ""),
        max_workers=parse_workers(env.get("TOOLKIT_MAX_WORKERS", "auto"), "TOOLKIT_MAX_WORKERS"),
        store_cache=_switch(env, "TOOLKIT_STORE_CACHE", "on"),
        result_cache=_switch(env, "TOOLKIT_RESULT_CACHE", "on"),
        allow_full_load=_switch(env, "TOOLKIT_ALLOW_FULL_LOAD", "0"),
        plugin_path=tuple(Path(p) for p in path.split(os.pathsep) if p),
    )


def parse_workers(text: str, what: str = "--workers") -> int | None:
    """A number of workers, or None for ``auto``.

    Raises
    ------
    UsageError
        When it is neither ``auto`` nor a positive integer.
    """
    if text.strip().lower() in ("auto", ""):
        return None
    if text.strip().isdecimal() and int(text) >= 1:
        return int(text)
    raise UsageError(f"{what} takes auto or a positive integer, not {text!r}")


def parse_size(text: str, what: str = "--max-memory") -> int:
    """A number of bytes, such as ``700MiB``, ``2GB`` or ``1048576``.

    Examples
    --------
    >>> parse_size("700MiB"), parse_size("2GB")
    (734003200, 2000000000)
    """
    units = {"": 1, "B": 1}
    for power, letter in enumerate("KMGT", start=1):
        units |= {f"{letter}B": 1000**power, f"{letter}IB": 1024**power, letter: 1024**power}
    digits = text.strip()
    unit = digits.lstrip("0123456789.").strip().upper()
    try:
        value = float(digits[: len(digits) - len(digits.lstrip("0123456789."))]) * units[unit]
    except (KeyError, ValueError):
        raise UsageError(f"{what} takes a size such as 700MiB or 2GB, not {text!r}") from None
    if value < 1:
        raise UsageError(f"{what} takes a positive size, not {text!r}")
    return int(value)


def _switch(env: Mapping[str, str], name: str, default: str) -> bool:
    value = env.get(name, default).strip().lower() or default
    if value not in ("on", "off", "1", "0", "true", "false"):
        raise UsageError(f"{name} takes on or off, not {value!r}")
    return value in ("on", "1", "true")
