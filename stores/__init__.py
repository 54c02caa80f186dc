"""Storage backends, one file each, found through the entry-point group ``toolkit.stores``."""
