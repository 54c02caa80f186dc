"""File systems of a size that tests set."""

from __future__ import annotations

import subprocess
from pathlib import Path


def resize(disk: Path, options: str) -> None:
    """Mount one again, as with ``size=400k``."""
    subprocess.run(["mount", "-o", f"remount,{options}", disk], check=True)
