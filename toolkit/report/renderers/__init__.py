"""One module a format; each sets ``PROVIDES`` to its renderer, and the registry finds it."""
