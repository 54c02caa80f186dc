"""Writes a new plugin that works: a start for its author."""

from __future__ import annotations

from pathlib import Path

from toolkit.core.errors import UsageError
from toolkit.engine.manifest import PLUGIN_ID
from toolkit.govern.policy import PLUGIN_TYPES

_MANIFEST = """\
# What the plugin says of itself; `python -m toolkit.plugins check {folder}` proves it.
type: {type}
version: 1
summary: Counts values below zero in every numeric column
columns: numeric
params:
  share: {{type: float, default: 0.01, min: 0, max: 1, help: report a column when more of its values are negative}}
cost: {{rows: 1, columns: 1, ns: 2}}
"""

_CODE = '''\
"""{id}: counts values below zero."""

from __future__ import annotations

from toolkit.plugin import Context, Finding, Result


def run(ctx: Context) -> Result:
    """Count the negative values of each column, exactly, in one pass."""
    counts = {{name: [0, 0] for name in ctx.columns()}}
    for chunk in ctx.chunks():
        for name, count in counts.items():
            present = chunk.valid(name)
            count[0] += int(((chunk[name] < 0) & present).sum())
            count[1] += int(present.sum())
    found = [finding(name, *count) for name, count in counts.items() if count[0] > ctx.params["share"] * count[1]]
    return Result(data={{name: count[0] for name, count in counts.items()}}, findings=found)


def finding(name: str, negative: int, present: int) -> Finding:
    """Say it in one sentence, with what it rests on.

    >>> finding("price", 1, 4).sentence
    '1 of 4 values of price are below zero.'
    """
    sentence = f"{{negative:,}} of {{present:,}} values of {{name}} are below zero."
    advice = f"Check whether {{name}} may be negative; if not, leave those rows out."
    evidence = {{"negative": negative, "present": present}}
    return Finding("negative_values", [name], sentence, advice, effect=negative / present, evidence=evidence)
'''

_REPORT_CODE = '''\
"""{id}: the findings as a text file."""

from __future__ import annotations

from toolkit.plugin import Context, Result


def run(ctx: Context) -> Result:
    """Write one line for each finding.

    Examples
    --------
    >>> lines([{{"plugin": "analysis_x", "sentence": "Column a is constant."}}])
    ['analysis_x: Column a is constant.']
    """
    text = "\\n".join(lines(ctx.report["findings"]))
    return Result(files={{"{name}.txt": f"{{text}}\\n".encode()}})


def lines(findings: list[dict[str, str]]) -> list[str]:
    """One line of text for each finding."""
    return [f"{{f['plugin']}}: {{f['sentence']}}" for f in findings]
'''

_TRANSFORM_CODE = '''\
"""{id}: a table in which numbers below zero are missing."""

from __future__ import annotations

from toolkit.plugin import Context, DerivedColumn, Result, keep, make


def run(ctx: Context) -> Result:
    """Make the numeric columns anew, chunk by chunk, and keep the others."""
    names = ctx.columns()
    gone = dict.fromkeys(names, 0)
    with ctx.derive([declared(spec.name, spec.kind, names) for spec in ctx.schema]) as out:
        for chunk in ctx.chunks():
            made = {{}}
            for name in names:
                below = (chunk[name] < 0) & chunk.valid(name)
                gone[name] += int(below.sum())
                made[name] = (chunk[name], chunk.valid(name) & ~below)
            out.append(made)
    return Result(data={{"became_missing": gone}})


def declared(name: str, kind: str, made: list[str]) -> DerivedColumn:
    """How a column stands in the new table.

    >>> declared("price", "float", ["price"]).how, declared("note", "string", ["price"]).how
    ('below zero became missing', 'kept')
    """
    return make(name, kind, of=[name], how="below zero became missing") if name in made else keep(name)
'''

_TRANSFORM_MANIFEST = """\
# What the plugin says of itself; `python -m toolkit.plugins check {folder}` proves it.
type: {type}
version: 1
summary: A table in which numbers below zero are missing
columns: numeric
"""

_REPORT_MANIFEST = """\
# What the plugin says of itself; `python -m toolkit.plugins check {folder}` proves it.
type: {type}
version: 1
summary: Writes the findings as a text file
"""


def new_plugin(plugin: str, into: Path) -> Path:
    """Write a working plugin.

    Parameters
    ----------
    plugin : str
        Its id, such as ``analysis_outliers``.
    into : Path
        Folder in which its folder is made.

    Returns
    -------
    Path
        The plugin's folder.

    Raises
    ------
    UsageError
        When the id is none, or the folder is there already.
    """
    if not PLUGIN_ID.match(plugin):
        raise UsageError(
            f"{plugin!r} can't be the id of a plugin",
            f"it is a type ({', '.join(PLUGIN_TYPES)}) and words of a to z and 0 to 9, joined by underscores",
        )
    folder = into / plugin
    if folder.exists():
        raise UsageError(f"{folder} is there already", "choose another name, or remove it")
    plugin_type, _, name = plugin.partition("_")
    manifest, code = _MANIFEST, _CODE
    if plugin_type == "transform":
        manifest, code = _TRANSFORM_MANIFEST, _TRANSFORM_CODE
    elif plugin_type in ("report", "llm"):
        manifest, code = _REPORT_MANIFEST, _REPORT_CODE
    folder.mkdir(parents=True)
    (folder / "plugin.yaml").write_text(manifest.format(type=plugin_type, folder=folder), "utf-8")
    (folder / "plugin.py").write_text(code.format(id=plugin, name=name), "utf-8")
    return folder
