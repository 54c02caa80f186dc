"""From a source to a store: types decided over all rows, staged parts, canonical chunks."""
