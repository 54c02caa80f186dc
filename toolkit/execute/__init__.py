"""Executors: they carry bytes to a worker and bring bytes back, one outcome a task."""
