"""A frame in memory as a source: pandas, polars, or anything else that hands out an Arrow stream."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.core.errors import BadInputError
from toolkit.readers.base import Part, SourceColumn
from toolkit.readers.plain_arrow import Labels, plain_columns, plain_table

if TYPE_CHECKING:
    import pyarrow as pa

WHAT = "the frame"
_SMALLEST_PART = 1024
_UNNAMED_INDEX = re.compile(r"__index_level_\d+__")


class FrameSource:
    """A frame as a source; see `toolkit.readers.base.Source`.

    Parameters
    ----------
    frame : object
        Has ``__arrow_c_stream__``. It may hand out its rows only once, as a reader of batches does.
    part_bytes : int
        Bytes to hand out at a time.

    Raises
    ------
    BadInputError
        When it hands out no Arrow stream, or one that Arrow can't take.
    """

    def __init__(self, frame: Any, part_bytes: int) -> None:
        if not hasattr(frame, "__arrow_c_stream__"):
            raise BadInputError(
                f"a {type(frame).__name__} can't be converted",
                "give a path, or a frame that hands out an Arrow stream",
            )
        self._frame = frame
        self._part_bytes = part_bytes
        self._first: pa.RecordBatchReader | None = self._stream()
        self._all = plain_columns(self._first.schema, Path(WHAT))
        # pandas hands out its index as a column; one without a name is no data
        self._taken = [i for i, c in enumerate(self._all) if not _UNNAMED_INDEX.fullmatch(c.name)]
        self.columns: Sequence[SourceColumn] = [self._all[i] for i in self._taken]
        self.options: dict[str, Any] = {}
        self.notes: list[str] = []
        self.labels = Labels()
        self._rows = 0

    def parts(self) -> Iterator[Part]:
        """Runs of rows."""
        import pyarrow as pa

        reader, self._first = self._first or self._stream(), None
        self._rows, index = 0, 0
        try:
            for batch in reader:
                self.labels.add(batch)
                step = max(_SMALLEST_PART, self._part_bytes * max(batch.num_rows, 1) // max(batch.nbytes, 1))
                for start in range(0, batch.num_rows, step):
                    piece = batch.slice(start, step)
                    yield Part(index, piece, self._rows + 1)
                    self._rows += piece.num_rows
                    index += 1
        except (pa.ArrowException, OSError) as error:
            raise BadInputError(f"{WHAT} can't be read behind row {self._rows}: {error}", "mend the frame") from error

    def parse(self, part: Part, columns: Sequence[int]) -> pa.Table:
        """Some columns of a run."""
        import pyarrow as pa

        return plain_table(pa.Table.from_batches([part.payload])).select([self._taken[i] for i in columns])

    def fingerprint(self) -> str:
        """Nothing: a frame has no bytes of its own."""
        return ""

    def progress(self) -> tuple[int, int]:
        """Rows read so far; how many there are is not known."""
        return self._rows, max(self._rows, 1)

    def close(self) -> None:
        """Let go of the stream."""
        self._first = None

    def _stream(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        try:
            return pa.RecordBatchReader.from_stream(self._frame)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise BadInputError(
                f"{WHAT} can't be handed over as Arrow: {error}",
                "give a frame, not a column of one, and every column of it one type and a name of its own",
            ) from error
