"""The tests' end of an arena."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


class Arena:
    """A running arena; see `tests.faults.arena`.

    Parameters
    ----------
    *options : str
        ``--nobody`` to have it and its children run as that user.
    """

    def __init__(self, *options: str) -> None:
        # Not pytest's temporary folder, which other users can't enter.
        self.base = Path(tempfile.mkdtemp(prefix="contained-"))
        self.base.chmod(0o755)
        command = [sys.executable, "-B", "-m", "tests.faults.arena", str(self.base), *options]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "2"}
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._hear()

    def ask(self, do: str, **request: Any) -> dict[str, Any]:
        """Have one child do something, and hear how it ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **request}) + "\n")
        self._process.stdin.flush()
        return self._hear()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        shutil.rmtree(self.base, ignore_errors=True)

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the arena has ended with {self._process.wait(30)}"
        answer: dict[str, Any] = json.loads(line)
        return answer


def got_there(answer: dict[str, Any]) -> bool:
    """Whether an attack did: by its own word, by becoming a program that ended well, or by what has changed."""
    return answer["end"] in ("done", "status 0") or bool(answer["changed"])
