"""Bits flipped, chunks missing and cut short in every array of a store, in every format: all named, none used.

``TOOLKIT_FLIPS`` sets how many bits of each array are flipped (3 by default, 100 for a campaign).
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.contracts.test_stores import PLACES, TABLE, Place, damages
from toolkit import convert_table
from toolkit.core.errors import DamagedStoreError, ToolkitError
from toolkit.run import main as run_command
from toolkit.storage.backend import backends
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.layout import ArraySpec, arrays_of
from toolkit.storage.verify import verify

CHUNK_ROWS = 300
FLIPS = int(os.environ.get("TOOLKIT_FLIPS", "3"))
CASES = [(name, codec) for name in sorted(backends.all()) for codec in (backends.get(name).codecs[0], "none")]

each_case = pytest.mark.parametrize("store", CASES, indirect=True, ids=[f"{n}-{c}" for n, c in CASES])


class Target(NamedTuple):
    """A chunk of an array on disk."""

    column: str
    array: ArraySpec
    chunk: int
    rows: tuple[int, int]
    place: Place

    @property
    def named(self) -> tuple[str, int | None, int | None, int | None]:
        """Column, chunk and rows as a report of damage has to name them."""
        if self.array.part == "categories":
            return self.column, None, None, None
        return self.column, self.chunk, *self.rows


class Store(NamedTuple):
    """A store of every kind of column that may be damaged."""

    format: str
    location: Path
    targets: list[Target]

    def arrays(self) -> Iterator[list[Target]]:
        """The chunks of each array."""
        for name in dict.fromkeys(t.array.name for t in self.targets):
            yield [t for t in self.targets if t.array.name == name]


@pytest.fixture(scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    name, codec = request.param
    if name == "hdf5":
        pytest.importorskip("h5py")
    appdata = tmp_path_factory.mktemp("damage")
    with convert_table(TABLE, appdata=appdata, format=name, codec=codec, chunk_rows=CHUNK_ROWS) as dataset:
        targets = []
        for spec in dataset.schema:
            for array in arrays_of(spec):
                for chunk in range(1 if array.part == "categories" else dataset.grid.n_chunks):
                    start, stop = dataset.grid.bounds(chunk)
                    place = PLACES[name](dataset.location, array, chunk, CHUNK_ROWS)
                    targets.append(Target(spec.name, array, chunk, (start, stop - 1), place))
        return Store(name, dataset.location, targets)


class Flipped:
    """A bit of a file that is the other way round inside a ``with``."""

    def __init__(self, path: Path, at: int, bit: int) -> None:
        self._path, self._at, self._mask = path, at, 1 << bit

    def __enter__(self) -> None:
        self._turn()

    def __exit__(self, *error: object) -> None:
        self._turn()

    def _turn(self) -> None:
        with self._path.open("r+b") as file:
            file.seek(self._at)
            (octet,) = file.read(1)
            file.seek(self._at)
            file.write(bytes([octet ^ self._mask]))


def flip(target: Target, random_: random.Random) -> Flipped:
    path, start, length = target.place
    return Flipped(path, start + random_.randrange(length), random_.randrange(8))


def named(dataset: Dataset, column: str) -> list[tuple[str, int | None, int | None, int | None]]:
    return [(d.column, d.chunk, d.first_row, d.last_row) for d in verify(dataset, [column])]


def read_as_a_run_does(dataset: Dataset, target: Target) -> None:
    if target.array.part == "categories":
        dataset.categories(target.column)
    else:
        dataset.chunk(target.chunk).data(target.column)


@each_case
def test_every_flipped_bit_of_every_array_is_named(store: Store) -> None:
    random_, tried = random.Random(1), 0
    for targets in store.arrays():
        for _ in range(FLIPS):
            target = random_.choice(targets)
            with flip(target, random_), open_location(store.location) as dataset:
                assert named(dataset, target.column) == [target.named]
                with pytest.raises(DamagedStoreError, match="damaged") as caught:
                    read_as_a_run_does(dataset, target)
                assert repr(target.column) in caught.value.message
                if target.array.part != "categories":
                    assert f"chunk {target.chunk} (rows {target.rows[0]} to {target.rows[1]})" in caught.value.message
            tried += 1
    assert tried >= 100
    assert damages(store.location) == []


def run(store: Store, capsys: pytest.CaptureFixture[str], executor: str = "serial") -> tuple[int, str]:
    appdata = store.location.parent.parent
    options = ["--executor", executor, "--no-cache", "--quiet", "--workers", "1"]
    code = run_command([str(store.location), "--appdata", str(appdata), *options])
    return code, capsys.readouterr().err


def check_run_names(store: Store, target: Target, capsys: pytest.CaptureFixture[str], executor: str = "serial") -> None:
    code, err = run(store, capsys, executor)
    assert code == 3, err
    where = f"column {target.column!r}, chunk {target.chunk} (rows {target.rows[0]} to {target.rows[1]})"
    if target.array.part == "categories":
        where = f"the categories of column {target.column!r}"
    assert err.startswith(f"error: {where}"), err
    assert "profile" not in err  # no plugin is blamed


@pytest.mark.parametrize("store", [("zarr", "lz4"), ("hdf5", "lzf")], indirect=True, ids=["zarr", "hdf5"])
def test_run_names_a_flipped_bit(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    random_ = random.Random(2)
    for part in ("values", "valid", "lengths", "categories"):
        target = random_.choice([t for t in store.targets if t.array.part == part])
        with flip(target, random_):
            check_run_names(store, target, capsys)
    with flip(target, random_):
        check_run_names(store, target, capsys, "process")


@pytest.mark.slow
@pytest.mark.parametrize("store", [("zarr", "lz4"), ("hdf5", "lzf")], indirect=True, ids=["zarr", "hdf5"])
def test_run_names_a_flipped_bit_of_every_array(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    random_ = random.Random(3)
    for targets in store.arrays():
        for _ in range(max(1, FLIPS // 50)):
            target = random_.choice(targets)
            with flip(target, random_):
                check_run_names(store, target, capsys)


# --- metadata --------------------------------------------------------------------------------------------------------


@each_case
def test_a_flipped_bit_of_the_root_metadata_is_named(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    random_ = random.Random(4)
    path, start, length = root_place(store)
    for _ in range(max(100, FLIPS)):
        with Flipped(path, start + random_.randrange(length), random_.randrange(8)):
            with pytest.raises(DamagedStoreError, match="root metadata") as caught:
                open_location(store.location)
            assert str(store.location) in caught.value.message
            assert caught.value.exit_code == 3
    with Flipped(path, start + length // 2, 0):
        code, err = run(store, capsys)
    assert (code, str(store.location) in err) == (3, True)


def root_place(store: Store) -> Place:
    if store.location.is_dir():
        path = store.location / "zarr.json"
        return path, 0, path.stat().st_size
    import h5py

    with h5py.File(store.location, "r", locking=False) as file:
        dataset = file["toolkit"]
        return store.location, dataset.id.get_offset(), dataset.size


@pytest.mark.parametrize("store", [("zarr", "lz4")], indirect=True, ids=["zarr"])
def test_a_flipped_bit_of_an_array_s_metadata_is_named(store: Store) -> None:
    random_ = random.Random(5)
    for targets in store.arrays():
        path = store.location / targets[0].array.name / "zarr.json"
        for _ in range(max(3, FLIPS)):
            at, bit = random_.randrange(path.stat().st_size), random_.randrange(8)
            with Flipped(path, at, bit), open_location(store.location) as dataset:
                assert named(dataset, targets[0].column) == [t.named for t in targets]
                with pytest.raises(DamagedStoreError, match=r"zarr\.json"):
                    read_as_a_run_does(dataset, random_.choice(targets))


@pytest.mark.parametrize("store", [("hdf5", "lzf")], indirect=True, ids=["hdf5"])
def test_no_flipped_bit_of_an_hdf5_file_is_believed(store: Store) -> None:
    """Anywhere in the file: it is named, or it lies where nothing is kept, and every digest still holds."""
    random_, length = random.Random(6), store.location.stat().st_size
    for _ in range(max(20, FLIPS)):
        with Flipped(store.location, random_.randrange(length), random_.randrange(8)):
            try:
                damages(store.location)
            except ToolkitError as error:
                assert str(store.location) in error.message  # noqa: PT017
    assert damages(store.location) == []


# --- missing and cut short -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [("zarr", "lz4"), ("zarr", "none")], indirect=True, ids=["lz4", "none"])
@pytest.mark.parametrize("change", ["missing", "empty", "cut", "long", "other"])
def test_a_chunk_file_that_is_missing_or_of_another_length_is_named(store: Store, change: str) -> None:
    random_ = random.Random(7)
    for targets in store.arrays():
        target = random_.choice(targets)
        path = target.place[0]
        before = path.read_bytes()
        path.unlink()
        if change != "missing":
            cut = random_.randrange(1, len(before))
            other = next(t.place[0] for t in store.targets if t.place[0] != path and t.place[0].exists())
            changed = {"empty": b"", "cut": before[:cut], "long": before + b"\0", "other": other.read_bytes()}
            path.write_bytes(changed[change])
        try:
            if path.exists() and path.read_bytes() == before:
                continue  # another array's chunk with the same bytes
            with open_location(store.location) as dataset:
                assert named(dataset, target.column) == [target.named]
                with pytest.raises(DamagedStoreError, match="damaged"):
                    read_as_a_run_does(dataset, target)
        finally:
            path.write_bytes(before)
    assert damages(store.location) == []


@pytest.mark.parametrize("store", [("hdf5", "lzf"), ("hdf5", "none")], indirect=True, ids=["lzf", "none"])
def test_an_hdf5_chunk_that_is_missing_or_cut_short_is_named(store: Store, tmp_path: Path) -> None:
    """Without its chunk a dataset reads as zeros there: HDF5 calls that right."""
    random_ = random.Random(8)
    for targets in store.arrays():
        target = random_.choice(targets)
        path, start, length = target.place
        if not any(path.read_bytes()[start : start + length]):
            continue  # zeros are what stands there when HDF5 has set space aside for a chunk that was never written
        for keep in (0.0, 0.5):
            copy = tmp_path / "copy.h5"
            shutil.copy(store.location, copy)
            cut_hdf5_chunk(copy, target, keep)
            with open_location(copy) as dataset:
                assert named(dataset, target.column) == [target.named]
                with pytest.raises(DamagedStoreError, match="damaged"):
                    read_as_a_run_does(dataset, target)


def cut_hdf5_chunk(location: Path, target: Target, keep: float) -> None:
    """Write an array anew as it is, but for one chunk: of that a part only, or nothing."""
    import h5py

    with h5py.File(location, "r+", locking=False) as file:
        old = file[target.array.name]
        first, block = target.chunk * CHUNK_ROWS, old.chunks[0]
        if target.array.is_text:
            end = int(old.attrs["ends"][target.chunk - 1]) if target.chunk else 0
            first = end + -end % block
        offsets = [old.id.get_chunk_info(k).chunk_offset for k in range(old.id.get_num_chunks())]
        pieces = {offset: old.id.read_direct_chunk(offset) for offset in offsets}
        made = (old.id.get_type(), old.id.get_space(), old.id.get_create_plist())
        attributes = dict(old.attrs)
        del file[target.array.name]
        new = h5py.Dataset(h5py.h5d.create(file.id, target.array.name.encode(), *made))
        new.attrs.update(attributes)
        for offset, (mask, data) in pieces.items():
            left = data[: int(len(data) * keep)] if offset == (first,) else data
            if left:
                new.id.write_direct_chunk(offset, left, mask)


@pytest.mark.parametrize("store", [("hdf5", "lzf")], indirect=True, ids=["hdf5"])
def test_an_hdf5_file_that_is_cut_short_is_named(store: Store, tmp_path: Path) -> None:
    data, copy, random_ = store.location.read_bytes(), tmp_path / "copy.h5", random.Random(9)
    for _ in range(20):
        copy.write_bytes(data[: random_.randrange(len(data))])
        with pytest.raises(DamagedStoreError, match=r"copy\.h5"):
            open_location(copy)
