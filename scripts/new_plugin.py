#!/usr/bin/env python3
"""Write a new plugin; the same as python -m toolkit.plugins new."""

from __future__ import annotations

import sys

from toolkit.plugins import main

if __name__ == "__main__":
    sys.exit(main(["new", *sys.argv[1:]]))
