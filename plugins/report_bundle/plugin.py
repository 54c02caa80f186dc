"""report_bundle: the report of the run in every format for which there is a renderer."""

from __future__ import annotations

from toolkit.plugin import Context, Result


def run(ctx: Context) -> Result:
    """Render the report, which the engine made from the results of all plugins that ran before.

    Returns
    -------
    Result
        ``files`` has the contents by file name, ``data["files"]`` their names.

    Examples
    --------
    >>> class Rendered:
    ...     report = {"findings": []}
    ...
    ...     def render(self, report):
    ...         return {"report.md": b"# Report", "report.json": b"{}"}
    >>> run(Rendered()).data
    {'files': ['report.json', 'report.md']}
    """
    files = ctx.render(ctx.report)
    return Result(data={"files": sorted(files)}, files=files)
