"""The toolkit's version, where everything below the package itself can see it."""

from __future__ import annotations

__version__ = "0.1.0"
