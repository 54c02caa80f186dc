"""Environment variables, read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    "TOOLKIT_BATCH_SIZE": "rows of a batch of ctx.dataset_iter_batches; this and the following: a number, or none",
    "TOOLKIT_MAX_COLS": "columns for each plugin",
    "TOOLKIT_MAX_PAIRS": "pairs of columns for each plugin",
    "TOOLKIT_MAX_GROUPS": "groups of rows for each plugin",
    "TOOLKIT_MAX_WINDOWS": "windows of time or rows for each plugin",
    "TOOLKIT_MAX_FINDINGS": "findings of each plugin that are kept",
    "TOOLKIT_TIME_LIMIT_MS": "wall time of each of a plugin's processes, milliseconds",
    "TOOLKIT_CPU_LIMIT_MS": "processor time of each of a plugin's processes, milliseconds",
    "TOOLKIT_MEMORY": "memory of each of a plugin's processes, such as 2GiB",
    "TOOLKIT_DISK": "bytes that each of a plugin's processes may write, such as 2GiB",
}

CAP_VARIABLES: dict[str, str] = {
    cap: f"TOOLKIT_{cap.upper()}"
    for cap in (
        "batch_size", "max_cols", "max_pairs", "max_groups", "max_windows", "max_findings", "time_limit_ms",
        "cpu_limit_ms", "memory", "disk",
    )
}  # fmt: skip
"""The variable of each cap. A policy that ships gives way to it, and it gives way to the user's own policy file."""
_SIZES = ("TOOLKIT_MEMORY", "TOOLKIT_DISK")


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
    caps: dict[str, int | None] = field(default_factory=dict)


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
        caps={cap: _cap(env[name].strip(), name) for cap, name in CAP_VARIABLES.items() if env.get(name, "").strip()},
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
        if value >= 1 << 62:
            raise ValueError("more than a count of bytes can be")
    except (KeyError, ValueError):
        raise UsageError(f"{what} takes a size such as 700MiB or 2GB, not {text!r}") from None
    if value < 1:
        raise UsageError(f"{what} takes a positive size, not {text!r}")
    return int(value)


def _cap(text: str, name: str) -> int | None:
    if text.lower() == "none":
        return None
    if name in _SIZES:
        return parse_size(text, name)
    if text.isascii() and text.isdecimal() and len(text) < 16 and int(text) >= 1:
        return int(text)
    raise UsageError(f"{name} takes a positive integer, or none for no cap, not {text!r}")


def _switch(env: Mapping[str, str], name: str, default: str) -> bool:
    value = env.get(name, default).strip().lower() or default
    if value not in ("on", "off", "1", "0", "true", "false"):
        raise UsageError(f"{name} takes on or off, not {value!r}")
    return value in ("on", "1", "true")
