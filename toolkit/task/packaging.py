"""Checks what a plugin returned and brings it into its one canonical form."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from toolkit.core.canonical import canonical_json, round_significant
from toolkit.core.doi import is_doi
from toolkit.core.encoding import EncodingError, decode
from toolkit.core.errors import ToolkitError
from toolkit.plugin.context import Context
from toolkit.plugin.ranking import RULE, keep_findings
from toolkit.plugin.result import Finding, Result
from toolkit.plugin.selection import omission

_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\Z")


_MOST_TESTS = 1 << 62
NO_RESULT = "it handed back bytes that are no result"


class ResultError(ToolkitError):
    """A plugin returned something that is no result."""


def checked_result(returned: Any, plugin_type: str, ctx: Context) -> Result:
    """A plugin's result as plain values, with floats of findings rounded and the budget's cap on findings applied.

    Parameters
    ----------
    returned : Any
        What the plugin returned.
    plugin_type : str
        Only ``report`` and ``llm`` plugins may return files.
    ctx : Context
        The context that it ran with; its omissions are added.

    Raises
    ------
    ResultError
        When it is no `Result`, or a part of it is not as it must be.
    """
    if not isinstance(returned, Result):
        raise ResultError(f"it returned a {type(returned).__name__}", "a plugin returns a toolkit.plugin.Result")
    known = {*ctx.schema.names, *(ctx.source.schema.names if ctx.source is not None else ())}
    findings = [_finding(f, known) for f in returned.findings]
    if findings and ctx.row_limit is not None:
        raise ResultError(
            f"it has findings, but read only the first {ctx.row_limit:,} rows",
            "leave row_limit out, or return no findings",
        )
    omitted = [_plain(o, "Result.omitted") for o in [*returned.omitted, *ctx.omissions]]
    tested = sum(f.log10_p is not None for f in findings)
    cap = ctx.budget.max_findings
    if cap is not None and len(findings) > cap:
        omitted.append(_plain(omission("max_findings", cap, len(findings), RULE, []), "Result.omitted"))
        findings = keep_findings(findings, cap, ctx.schema)
    return Result(
        data=_plain(returned.data, "Result.data"),
        findings=findings,
        n_tests=max(int(returned.n_tests), tested),
        omitted=omitted,
        files=_files(returned.files, plugin_type),
    )


def read_result(data: bytes, plugin_type: str) -> Result:
    """A result that came from another process, which may have sent anything.

    Parameters
    ----------
    data : bytes
        Encoded.
    plugin_type : str
        Type of the plugin.

    Raises
    ------
    ResultError
        When it is none.
    """
    try:
        result = Result.from_json(decode(data))
        canonical_json([result.data, result.coverage, result.omitted, [f.to_json() for f in result.findings]])
        parts: tuple[Any, ...] = (result.data, result.coverage, result.files, result.n_tests, result.omitted)
        data_tree, covered, files, tests, omitted = parts
        typed = [
            all(isinstance(tree, dict) for tree in (data_tree, covered, files, result.derived, *omitted)),
            type(tests) is int and 0 <= tests < _MOST_TESTS,
            all(_is_finding(f) for f in result.findings),
        ]
        # Names above all: the engine writes the files.
        _files(files, plugin_type)
    except (EncodingError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ResultError(NO_RESULT) from error
    if not all(typed):
        raise ResultError(NO_RESULT)
    return result


def _is_finding(found: Finding) -> bool:
    """Whether the fields have the types that a report rests on."""
    parts: tuple[Any, ...] = (found.columns, found.references, found.evidence)
    values: tuple[Any, ...] = (found.effect, found.log10_p, *(found.interval or ()))
    texts: tuple[Any, ...] = (found.kind, found.sentence, found.recommendation, found.measure, *found.columns)
    return (
        all(isinstance(text, str) for text in texts)
        and all(v is None or (isinstance(v, int | float) and not isinstance(v, bool)) for v in values)
        and [type(part) for part in parts] == [list, list, dict]
        and (found.log10_p is None or found.log10_p <= 0)
        and all(map(is_doi, found.references))
    )


def _finding(found: Any, known: set[str]) -> Finding:
    if not isinstance(found, Finding):
        raise ResultError(f"Result.findings holds a {type(found).__name__}", "it takes toolkit.plugin.Finding")
    for name in ("kind", "sentence", "recommendation"):
        if not isinstance(getattr(found, name), str) or not getattr(found, name).strip():
            raise ResultError(f"a finding of kind {found.kind!r} has no {name}", "say it in one plain sentence")
    for column in found.columns:
        if column not in known:
            raise ResultError(f"a finding of kind {found.kind!r} names the column {column!r}, which does not exist")
    for reference in found.references:
        if not is_doi(reference):
            raise ResultError(
                f"a finding of kind {found.kind!r} refers to {reference!r}, which is no DOI",
                "write it without https://, as in 10.1000/182",
            )
    plain = _rounded(_plain(found.to_json(), f"a finding of kind {found.kind!r}"))
    if plain["log10_p"] is not None and plain["log10_p"] > 0:
        raise ResultError(f"a finding of kind {found.kind!r} has log10_p {plain['log10_p']}; p is at most 1")
    return Finding.from_json(plain)


def _plain(value: Any, what: str) -> Any:
    """A copy made of what JSON holds, with sorted keys; numbers keep all their digits."""
    try:
        return json.loads(canonical_json(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"{what} can't be written as JSON: {error}", "use numbers, texts, lists and dicts") from error


def _rounded(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _rounded(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_rounded(value) for value in tree]
    return round_significant(tree) if isinstance(tree, float) and math.isfinite(tree) else tree


def _files(files: dict[str, bytes], plugin_type: str) -> dict[str, bytes]:
    if files and plugin_type not in ("report", "llm"):
        raise ResultError(
            f"it returned files, which a plugin of type {plugin_type} can't", "put its figures in Result.data"
        )
    for name, content in files.items():
        if not _FILE_NAME.match(name) or name in RESERVED_FILES:
            raise ResultError(f"{name!r} can't be the name of a file in the run's folder", "use letters, digits, . _ -")
        if not isinstance(content, bytes):
            raise ResultError(f"the content of {name} is a {type(content).__name__}", "Result.files takes bytes")
    return dict(sorted(files.items()))


RESERVED_FILES = frozenset({"plan.json", "run.json", "state.json"})
"""Files that the engine itself writes to a run's folder."""
