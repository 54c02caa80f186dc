"""Proves what a plugin has to hold: its manifest, its source, its laws, its behaviour on awkward tables."""

from __future__ import annotations

from toolkit.engine.check.suite import CHECKS, Problem, check_plugin

__all__ = ["CHECKS", "Problem", "check_plugin"]
