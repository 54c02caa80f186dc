#!/usr/bin/env python3
"""Convert a table into a store; the same as python -m toolkit.convert."""

from __future__ import annotations

import sys

from toolkit.convert import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
