"""What fault tests share."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of which a test sets the size by mounting it again."""
    place = tmp_path / "disk"
    place.mkdir()
    ran = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        pytest.skip(f"no file system can be mounted here: {ran.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)
