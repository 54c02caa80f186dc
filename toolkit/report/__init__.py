"""Reports: what a run found, as one plain tree with a JSON Schema, and the renderers that write it."""
