"""Addresses that a report links to."""

from __future__ import annotations

from urllib.parse import quote


def doi_address(doi: str) -> str:
    """Address of a DOI; it holds neither blanks, brackets, quotation marks nor anything beyond ASCII.

    Examples
    --------
    >>> doi_address("10.1002/x<1>")
    'https://doi.org/10.1002/x%3C1%3E'
    """
    plain = (c if c.isascii() and c.isprintable() and c not in ' <>"\\`%' else quote(c, safe="") for c in doi)
    return "https://doi.org/" + "".join(plain)
