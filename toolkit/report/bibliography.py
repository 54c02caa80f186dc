"""References in BibTeX: every method that a report names, and the toolkit itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from toolkit.core.version import __version__
from toolkit.report.addresses import doi_address

TITLE = "fullscan-toolkit: full-scan statistics on large tables in bounded memory, with repeatable findings"
AUTHORS = "The fullscan-toolkit developers"
"""As in CITATION.cff, which is not part of an installed package."""

_DOI = re.compile(r"^  doi = \{(.*)\}$", re.MULTILINE)
_NO_KEY = re.compile(r"[^0-9a-z]+")
_BRACE = re.compile(r"[{}\\]")
_SPECIAL = re.compile(r"[{}\\%#&_$^~]")


def bibliography(references: Sequence[Mapping[str, Any]]) -> str:
    r"""A BibTeX file.

    Parameters
    ----------
    references : sequence of mapping
        Of a report: ``doi`` and ``used_by``. Of a DOI that ``methods.bib`` does not have, DOI and address are given.

    Examples
    --------
    >>> print(bibliography([{"doi": "10.1000/x", "used_by": ["analysis_mine"]}]).partition("@misc{doi")[2])
    _10_1000_x,
      doi = {10.1000/x},
      url = {https://doi.org/10.1000/x},
      note = {Used by analysis\_mine}
    }
    <BLANKLINE>
    """
    toolkit = f"@misc{{fullscan_toolkit,\n  author = {{{{{AUTHORS}}}}},\n  title = {{{{{TITLE}}}}},\n  version = "
    entries = [toolkit + f"{{{__version__}}},\n  note = {{Version {__version__}}}\n}}"]
    seen: Counter[str] = Counter()
    for reference in references:
        used = f"  note = {{Used by {_plain(', '.join(reference['used_by']))}}}\n}}"
        known = _known().get(reference["doi"].lower())
        if known is not None:
            entries.append(known.removesuffix("\n}") + f",\n{used}")
        else:
            doi = reference["doi"]
            key = f"doi_{_NO_KEY.sub('_', doi.lower()).strip('_')}"
            seen[key] += 1
            key += f"_{seen[key]}" if seen[key] > 1 else ""
            address = _BRACE.sub(_code, doi_address(doi))
            entries.append(f"@misc{{{key},\n  doi = {{{_BRACE.sub(_code, doi)}}},\n  url = {{{address}}},\n{used}")
    return "\n\n".join(entries) + "\n"


def _code(match: re.Match[str]) -> str:
    """What BibTeX would read as the end of a field, by its code as in an address."""
    return f"%{ord(match[0]):02X}"


@cache
def _known() -> dict[str, str]:
    """Entries of methods.bib by their DOI, in lower case as DOIs are compared."""
    text = resources.files("toolkit.report").joinpath("methods.bib").read_text("utf-8")
    return {doi[1].lower(): entry for entry in text.strip().split("\n\n") if (doi := _DOI.search(entry)) is not None}


def _plain(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0] if match[0] in "{}%#&_$" else " ", text)
