"""Containment of code that is not trusted: the kernel enforces, an audit hook explains, a verdict says what happened.

`lockdown.lock_down` is called in a freshly forked process before code of a plugin is imported; `watch` and `verdict`
are for the process that supervises it. Nothing here is imported by name from a plugin.
"""
