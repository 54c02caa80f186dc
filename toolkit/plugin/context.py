"""What a plugin can ask for while it runs."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.core.canonical import canonical_json
from toolkit.core.chunk import Chunk, ColumnData
from toolkit.core.derived import Declaration, DerivedColumn, Rows
from toolkit.core.errors import DamagedStoreError, UsageError
from toolkit.core.grid import ChunkGrid, Partition
from toolkit.core.registry import Registry
from toolkit.core.schema import Schema
from toolkit.plugin.budget import Budget
from toolkit.plugin.derived import DerivedTable
from toolkit.plugin.inputs import Inputs, KernelKey, kernel_key
from toolkit.plugin.result import Result
from toolkit.plugin.selection import SELECTORS, Omission, select_columns
from toolkit.storage.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]

UNITS = {"max_cols": "columns", "max_pairs": "pairs", "max_groups": "groups", "max_windows": "windows"}
"""What the caps on work count."""


class Context:
    """The table and everything else that a plugin may use; made by the engine.

    Attributes
    ----------
    rows : int
        Number of rows.
    schema : Schema
        The columns.
    grid : ChunkGrid
        Where rows fall into chunks.
    store_key : str
        Content key of the table.
    budget : Budget
        Caps of this plugin.
    params : dict
        Values of the parameters declared in plugin.yaml.
    scratch : Path or None
        The one folder that the plugin's process may write in, removed when it has ended; None where there is no run.
    source : Source or None
        The table from which this one was derived; None for the run's own.
    """

    def __init__(
        self,
        dataset: Dataset,
        inputs: Inputs,
        on_progress: Progress | None = None,
        on_chunk: Callable[[int], None] = lambda index: None,
    ) -> None:
        self._dataset = dataset
        self._inputs = inputs
        self._on_progress = on_progress
        self._on_chunk = on_chunk
        self._decoded: dict[KernelKey, dict[str, Any]] = {}
        self.rows: int = dataset.rows
        self.schema: Schema = dataset.schema
        self.grid: ChunkGrid = dataset.grid
        self.store_key: str = dataset.key
        self.budget: Budget = inputs.budget
        self.params: dict[str, Any] = dict(inputs.params)
        self.scratch = inputs.scratch
        self.source = inputs.source
        self.reads: dict[str, set[int]] = {}
        """Chunks that were read, by column; the engine writes the coverage from it."""
        self.omissions: list[Omission] = []
        """What caps left out so far."""
        self.covered: dict[str, tuple[int, int]] = {}
        """Units of work that the plugin told by `cover`: requested and evaluated."""
        self.full_loads = 0
        """How often the table was loaded whole."""
        self.damage: DamagedStoreError | None = None
        """The first damage that was met, kept even where a plugin swallows the error."""
        self.row_limit: int | None = None
        """Set when a read was limited to the first rows; such a result may hold no findings."""
        self.derived: DerivedTable | None = None
        """The table that a transform derives."""

    def columns(self, *kinds: str, capped: bool = True) -> list[str]:
        """Names of the columns that this plugin takes, in table order.

        Parameters
        ----------
        *kinds : str
            ``any``, ``numeric``, ``time`` (all kinds of time), ``instant`` (timestamps and dates), ``text``,
            ``categorical`` or the name of a kind such as ``int``; those of the manifest by default.
        capped : bool
            Whether the budget's ``max_cols`` holds. What it leaves out is recorded in the report.

        Raises
        ------
        UsageError
            For a kind that there is not.
        """
        wanted = kinds or self._inputs.selectors
        for kind in wanted:
            if kind not in SELECTORS:
                raise UsageError(f"there is no kind of column {kind!r}", f"known: {', '.join(SELECTORS)}")
        names, left_out = select_columns(self.schema, wanted, self.budget.max_cols if capped else None)
        if left_out is not None:
            self.omit(left_out)
        return names

    def omit(self, entry: Omission) -> None:
        """Record what a cap left out; see `toolkit.plugin.omission`."""
        if entry not in self.omissions:
            self.omissions.append(entry)

    def cover(self, unit: str, requested: int, evaluated: int) -> None:
        """Say how many pairs, groups or windows there were and how many were evaluated, for the report's coverage.

        Parameters
        ----------
        unit : str
            ``columns``, ``pairs``, ``groups`` or ``windows``. Columns, pairs of kernels, and what is in the omission
            ledger are counted without this.
        requested, evaluated : int
            How many there were, and how many of them the result speaks of. A split Reducer calls this in ``finish``.

        Raises
        ------
        UsageError
            For another unit, and when more were evaluated than requested.
        """
        if unit not in UNITS.values():
            raise UsageError(f"there is no unit {unit!r}", f"units: {', '.join(UNITS.values())}")
        if not 0 <= evaluated <= requested:
            raise UsageError(f"{evaluated} of {requested} {unit} can't have been evaluated")
        self.covered[unit] = (int(requested), int(evaluated))

    def chunks(self, columns: Sequence[str] | None = None, partition: Partition | None = None) -> Iterator[Chunk]:
        """Stream the table in row order, one chunk at a time.

        Parameters
        ----------
        columns : sequence of str, optional
            Columns that the chunks offer; those of the manifest by default. A column is read when a chunk is asked
            for it.
        partition : Partition, optional
            A run of chunks; all by default.

        Yields
        ------
        Chunk
        """
        names = self.columns() if columns is None else [c.name for c in self.schema.select(columns)]
        span = partition or Partition(0, self.grid.n_chunks)
        for index in range(span.start, span.stop):
            yield self._chunk(index, names)
            self.progress(index + 1 - span.start, len(span))

    def categories(self, name: str) -> npt.NDArray[np.object_]:
        """Sorted distinct values of a coded text column, and None last, where code -1 finds it; reads no rows."""
        try:
            return self._dataset.categories(name)
        except DamagedStoreError as error:
            self.damage = self.damage or error
            raise

    def kernel(self, name: str, *columns: str, **params: Any) -> dict[str, Any]:
        """The finished state of a kernel that the manifest asks for.

        Parameters
        ----------
        name : str
            The kernel.
        *columns : str
            Its column, or columns.
        **params
            Its parameters as in the manifest; may be left out where the manifest asks for the kernel once.

        Raises
        ------
        UsageError
            When the manifest does not ask for it.
        """
        key = kernel_key(name, columns, params)
        if key not in self._inputs.kernels:
            matches = [k for k in self._inputs.kernels if k[:2] == key[:2]]
            if params or len(matches) != 1:
                known = sorted({k[0] for k in self._inputs.kernels if k[1] == tuple(columns)})
                problem = (
                    "with several parameters"
                    if matches
                    else f"; of these columns there are: {', '.join(known) or 'none'}"
                )
                raise UsageError(
                    f"kernel {name!r} of {', '.join(map(repr, columns))} was not asked for in plugin.yaml {problem}",
                    "add it to kernels: in plugin.yaml, or name its parameters",
                )
            key = matches[0]
        if key not in self._decoded:
            found = self._inputs.kernels[key]
            self._decoded[key] = found() if callable(found) else found
        return self._decoded[key]

    def has_kernel(self, name: str, *columns: str) -> bool:
        """Whether the kernel is defined on these columns and was computed."""
        return any(k[0] == name and k[1] == columns for k in self._inputs.kernels)

    def kernel_columns(self, name: str) -> list[tuple[str, ...]]:
        """The columns, pairs or groups of columns that a kernel was computed on, in table order."""
        order = {column: i for i, column in enumerate(self.schema.names)}
        found = {k[1] for k in self._inputs.kernels if k[0] == name}
        return sorted(found, key=lambda names: [order[n] for n in names])

    @property
    def results(self) -> dict[str, Result]:
        """Results of the plugins that this one depends on and that ended well, by id."""
        return dict(self._inputs.upstream)

    def result(self, plugin: str) -> Result:
        """The result of a plugin that this one depends on.

        Raises
        ------
        UsageError
            When it is not named in ``depends_on``.
        """
        found = self._inputs.upstream.get(plugin)
        if found is None:
            known = ", ".join(self._inputs.upstream) or "none"
            raise UsageError(
                f"there is no result of {plugin!r}", f"name it in depends_on of plugin.yaml; there are: {known}"
            )
        return found

    @property
    def report(self) -> dict[str, Any]:
        """The report as a tree, as it stands in report.json.

        Raises
        ------
        UsageError
            For plugins that are neither of type ``report`` nor ``llm``.
        """
        if self._inputs.report is None:
            raise UsageError("only plugins of type report and llm can see the report", "use depends_on and ctx.result")
        return self._inputs.report

    @property
    def plan(self) -> dict[str, Any]:
        """What the run is going to do, as it stands in plan.json under ``plugins`` and beside it.

        Raises
        ------
        UsageError
            For plugins that are not of type ``planner``.
        """
        if self._inputs.plan is None:
            raise UsageError("only plugins of type planner can see the plan", "use depends_on and ctx.result")
        return self._inputs.plan

    def derive(self, columns: Sequence[DerivedColumn], rows: Rows = "same", chunk_rows: int = 0) -> DerivedTable:
        """Begin the table that a transform derives; it is stored when the plugin has ended well.

        Parameters
        ----------
        columns : sequence of DerivedColumn
            From `toolkit.plugin.keep` and `toolkit.plugin.make`, in the order of the new table.
        rows : str
            ``same``: row i is made of row i. ``reordered``: each row is made of one row, and a column ``source_row``
            says of which. ``new``: rows stand for something else.
        chunk_rows : int
            Rows of a chunk; 0 for the default. Where rows are the same, chunks are those of the parent.

        Returns
        -------
        DerivedTable
            To be used as in ``with ctx.derive(columns) as out: out.append({"price": values})``.

        Raises
        ------
        UsageError
            For plugins that are not of type ``transform``, and for a second table.
        BadInputError
            When the columns can't be a table.
        """
        if self._inputs.scratch is None:
            raise UsageError("only plugins of type transform derive tables", "return figures in Result.data")
        if self.derived is not None:
            raise UsageError("a plugin derives one table", "make a second transform for a second table")
        declaration = Declaration(tuple(columns), rows, chunk_rows)
        declaration.check(self.schema)
        self.derived = DerivedTable(declaration, self._inputs.scratch, self.rows)
        return self.derived

    def render(self, report: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, bytes]:
        """Write a report in the formats for which there is a renderer.

        Parameters
        ----------
        report : mapping
            The tree, such as `report`.
        names : sequence of str, optional
            Renderers; all by default.

        Returns
        -------
        dict of str to bytes
            Content by file name.
        """
        found: Registry[Any] = Registry("report renderer", package="toolkit.report.renderers")
        chosen = list(found.all().values()) if names is None else [found.get(n) for n in names]
        return {renderer.filename: renderer.render(report) for renderer in chosen}

    def rng(self) -> np.random.Generator:
        """A random generator whose stream depends on the table, the plugin and the run's seed, and on nothing else."""
        text = canonical_json([self.store_key, self._inputs.plugin, self._inputs.seed])
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")
        return np.random.Generator(np.random.PCG64(seed))

    def dataset_iter_batches(
        self, columns: Sequence[str] | None = None, batch_size: int | None = None, row_limit: int | None = None
    ) -> Iterator[pd.DataFrame]:
        """Stream the table in row order as pandas frames; an older name of `chunks`.

        Parameters
        ----------
        columns : sequence of str, optional
            Those of the manifest by default.
        batch_size : int, optional
            Rows of each frame but the last; the budget's by default and at most, else those of a chunk.
        row_limit : int, optional
            Stop after so many rows. The result then counts as partial, and findings in it are refused.

        Yields
        ------
        DataFrame
            With the global row numbers as its index.

        Raises
        ------
        UsageError, BadInputError
            At the call: for a number that is not positive; for a column that there is not.
        """
        from toolkit.plugin.frames import batches, checked_rows

        most = self.budget.batch_size
        size = checked_rows(batch_size, "batch_size") or most or self.grid.chunk_rows
        size = min(size, most or size)  # a batch of all rows would be a full load by another name
        limit = checked_rows(row_limit, "row_limit") or self.rows
        names = self.columns() if columns is None else [c.name for c in self.schema.select(columns)]
        if limit < self.rows:
            self.row_limit = min(limit, self.row_limit or limit)
        return batches(self, names, size, min(limit, self.rows))

    def dataset_loader(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Load whole columns as one pandas frame; an older call, refused for large tables.

        Raises
        ------
        BudgetError
            When the load would be larger than the policy allows; nothing is read then.
        """
        from toolkit.plugin.frames import load_whole

        names = self.columns() if columns is None else [c.name for c in self.schema.select(columns)]
        frame = load_whole(self, names, self._inputs.load_rows or self.rows, self._inputs.full_load)
        self.full_loads += 1
        return frame

    def log(self, text: str) -> None:
        """Write a line to the log; its end is kept beside the run when the plugin fails."""
        print(text, file=sys.stderr, flush=True)

    def progress(self, done: int, total: int) -> None:
        """Say how far the plugin is, in any unit."""
        if self._on_progress is not None:
            self._on_progress(done, total)

    def _chunk(self, index: int, names: Sequence[str]) -> Chunk:
        self._on_chunk(index)
        start, stop = self.grid.bounds(index)
        return Chunk(index, slice(start, stop), self.schema, names, lambda n: self._load(n, index), self.categories)

    def _load(self, name: str, index: int) -> ColumnData:
        try:
            data = self._dataset.chunk(index, [name]).data(name)
        except DamagedStoreError as error:
            self.damage = self.damage or error
            raise
        self.reads.setdefault(name, set()).add(index)
        return data
