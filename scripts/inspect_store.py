#!/usr/bin/env python3
"""Say what a store holds; the same as python -m toolkit.inspect."""

from __future__ import annotations

import sys

from toolkit.inspect import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
