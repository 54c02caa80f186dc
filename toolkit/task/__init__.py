"""The worker's side: bytes in, bytes out, wherever it runs."""

from __future__ import annotations

from toolkit.task.dispatch import execute, preload, preload_rest

__all__ = ["execute", "preload", "preload_rest"]
