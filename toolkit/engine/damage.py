"""Whether a store is damaged, as a task says: a plugin's word is not enough to end a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from toolkit.core.errors import DamagedStoreError
from toolkit.storage.dataset import open_location
from toolkit.task.failure import Failure
from toolkit.task.payload import StoreRef


def confirm_damage(store: StoreRef, failure: Failure) -> None:
    """Read what is said to be damaged.

    Parameters
    ----------
    store : StoreRef
        The table.
    failure : Failure
        What the task said: a column and a chunk of it, or the store as a whole.

    Raises
    ------
    DamagedStoreError
        When it is. Else the task said what is not so.
    """
    # Opened anew: a dataset that was read already does not check its digests a second time.
    with open_location(Path(store.location)) as dataset:
        if dataset.key != store.key:
            raise DamagedStoreError(failure.message, failure.remedy)
        if failure.column not in dataset.schema:
            return
        if failure.chunk is None:
            if dataset.schema[failure.column].categories:
                dataset.categories(failure.column)
        elif 0 <= failure.chunk < dataset.grid.n_chunks:
            dataset.chunk(failure.chunk, [failure.column]).data(failure.column)


def false_claim(failure: Failure) -> Failure:
    """The failure of a plugin that said what is not so."""
    what = f"column {failure.column!r}" if failure.column else "the store"
    if failure.chunk is not None:
        what += f", chunk {failure.chunk}"
    return replace(
        failure,
        type="FalseClaim",
        message=f"it said that {what} is damaged, and that is not so",
        remedy="a plugin does not raise DamagedStoreError itself",
        damaged=False,
    )


def unless_damaged(store: StoreRef, failure: Failure) -> Failure:
    """The failure of a plugin, where it does not say truly that its table is damaged.

    Raises
    ------
    DamagedStoreError
        When it does.
    """
    if not failure.damaged:
        return failure
    confirm_damage(store, failure)
    return false_claim(failure)
