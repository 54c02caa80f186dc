"""Core types that every other package may use: errors, schema, grid, chunk, digests, encoding."""
