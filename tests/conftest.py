"""What all tests share: the folder of real data, and how property tests draw their examples."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() == "true"
REPOSITORY = Path(__file__).resolve().parents[1]

# A shell that starts the tests in the background has them ignore Ctrl-C, and so would every command that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline in either: times on shared machines swing too much to mean anything for one example.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if IN_CI else "local")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real data sets with known answers: skipped where it is absent, required in CI."""
    given = os.environ.get("TOOLKIT_REAL_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if folder.is_dir():
        return folder
    reason = f"no real data at {folder}: set TOOLKIT_REAL_DATA to the folder that holds it"
    if IN_CI:
        pytest.fail(f"{reason} (required when CI=true)")
    pytest.skip(reason)
