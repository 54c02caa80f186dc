"""Input formats, one module each; a module with ``PROVIDES`` adds a reader."""
