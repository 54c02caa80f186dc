"""Planning and carrying out runs: which plugins, which kernels, in which order, with what kept of earlier runs."""
