"""DOIs: what may be cited."""

from __future__ import annotations

import re

_DOI = re.compile(r"10\.[0-9]{4,9}/[!-~]+\Z")


def is_doi(text: object) -> bool:
    """Whether a value is a DOI as it is written without an address before it.

    Examples
    --------
    >>> is_doi("10.1111/j.2517-6161.1995.tb02031.x"), is_doi("https://doi.org/10.1000/182"), is_doi("Student (1908)")
    (True, False, False)
    """
    return isinstance(text, str) and _DOI.match(text) is not None
