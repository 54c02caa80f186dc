"""references.bib: read by a BibTeX parser; every method is in it, whatever its DOI, and the toolkit itself."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from pybtex.database import BibliographyData, parse_string

from toolkit.core.doi import is_doi
from toolkit.report import bibliography as module
from toolkit.report.bibliography import bibliography

REPOSITORY = Path(__file__).resolve().parents[3]


def read(*references: dict[str, Any]) -> BibliographyData:
    return parse_string(bibliography(references), "bibtex")


def used(doi: str, *plugins: str) -> dict[str, Any]:
    return {"doi": doi, "used_by": list(plugins or ["analysis_a"])}


def test_a_known_method_has_authors_title_and_year() -> None:
    entry = read(used("10.1214/AOS/1176347265", "analysis_b_c")).entries["kunsch1989"]
    assert [str(p) for p in entry.persons["author"]] == ['K{\\"u}nsch, Hans R.']
    assert (entry.fields["year"], entry.fields["doi"]) == ("1989", "10.1214/aos/1176347265")
    assert entry.fields["note"] == "Used by analysis\\_b\\_c"


def test_an_unknown_one_has_its_doi_and_address() -> None:
    entry = read(used("10.1000/a(1)_b")).entries["doi_10_1000_a_1_b"]
    assert entry.fields["doi"] == "10.1000/a(1)_b"
    assert entry.fields["url"] == "https://doi.org/10.1000/a(1)_b"


def test_the_toolkit_is_cited_as_it_asks_for() -> None:
    asked = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text("utf-8"))
    entry = read().entries["fullscan_toolkit"]
    assert entry.fields["title"] == f"{{{asked['title']}}}"
    assert entry.fields["version"] == asked["version"]
    assert asked["authors"][0]["name"] == module.AUTHORS


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=30))
def test_no_doi_breaks_the_file(suffix: str) -> None:
    assert is_doi(f"10.1000/{suffix}")
    found = read(used(f"10.1000/{suffix}"), used("10.2307/1412159"))
    assert "spearman1904" in found.entries
    assert len(found.entries) == 3


def test_every_entry_that_ships_is_whole() -> None:
    text = resources.files("toolkit.report").joinpath("methods.bib").read_text("utf-8")
    entries = parse_string(text, "bibtex").entries
    assert len(entries) == text.count("\n@") + 1
    dois = [entry.fields["doi"] for entry in entries.values()]
    assert len({doi.lower() for doi in dois}) == len(dois)
    for key, entry in entries.items():
        assert is_doi(entry.fields["doi"])
        assert entry.persons["author"]
        assert key.endswith(entry.fields["year"])
        assert entry.fields["title"]
        assert entry.type != "article" or entry.fields["journal"]
