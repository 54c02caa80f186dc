"""The worker's side: bytes in, bytes out, wherever it runs."""

from __future__ import annotations

from toolkit.task.dispatch import execute, failure_output, preload, preload_rest

__all__ = ["execute", "failure_output", "preload", "preload_rest"]
