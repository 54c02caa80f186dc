#!/usr/bin/env python3
"""Say how far a run is; the same as python -m toolkit.status."""

from __future__ import annotations

import sys

from toolkit.status import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
