"""Shared states from which most statistics follow, each computed once for all plugins that ask for it.

One module a kernel. A kernel folds chunks into a state (`update`), joins states (`merge`) and turns a state into a
result (`finish`); `toolkit.kernels.scan` runs many of them over one read of the chunks, `toolkit.kernels.waves`
repeats that until every request is answered.
"""
