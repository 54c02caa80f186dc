"""Stores: what they hold, how they are opened, read and published."""
