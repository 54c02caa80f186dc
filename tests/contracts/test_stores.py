"""What every store format has to keep; a format whose chunks can't be found on disk fails here."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.ingest.many_types import many_types
from tests.unit.ingest.table_truth import tree
from toolkit import convert_table
from toolkit.core.errors import DamagedStoreError, ToolkitError, UsageError
from toolkit.storage.backend import backends
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.layout import ArraySpec, arrays_of
from toolkit.storage.manifest import StoreManifest
from toolkit.storage.verify import Damage, verify

CHUNK_ROWS = 300
TABLE = many_types().append_column("empty text", pa.array(["", None, "x", "ü"] * 175))
NOISE = pa.table({
    "noise": np.random.default_rng(1).normal(size=1000),
    "codes": np.random.default_rng(2).integers(0, 2**62, 1000),
    "long": [f"{v:.17f}" for v in np.random.default_rng(3).normal(size=1000)],
})  # fmt: skip
FORMATS = sorted(backends.all())
each_format = pytest.mark.parametrize("name", FORMATS)
each_codec = pytest.mark.parametrize(("name", "codec"), [(n, c) for n in FORMATS for c in backends.get(n).codecs])

Place = tuple[Path, int, int]


def zarr_place(location: Path, array: ArraySpec, index: int, chunk_rows: int) -> Place:
    path = location / array.name / "c" / str(index)
    return path, 0, path.stat().st_size


def hdf5_place(location: Path, array: ArraySpec, index: int, chunk_rows: int) -> Place:
    import h5py

    with h5py.File(location, "r", locking=False) as file:
        dataset = file[array.name]
        start = index * chunk_rows
        if array.is_text:
            end = int(dataset.attrs["ends"][index - 1]) if index else 0
            start = end + -end % dataset.chunks[0]
        found = dataset.id.get_chunk_info_by_coord((start,))
        return location, found.byte_offset, found.size


PLACES: dict[str, Callable[[Path, ArraySpec, int, int], Place]] = {"zarr": zarr_place, "hdf5": hdf5_place}
"""Where on disk a chunk of an array is: file, first byte, length."""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Stores of the table by format and codec, each made once."""
    folder, made = tmp_path_factory.mktemp("stores"), {}

    def make(name: str, codec: str) -> Path:
        if name == "hdf5":
            pytest.importorskip("h5py")
        if (name, codec) not in made:
            dataset = convert_table(
                TABLE, appdata=folder / f"{name}-{codec}", format=name, codec=codec, chunk_rows=CHUNK_ROWS
            )
            dataset.close()
            made[name, codec] = dataset.location
        return made[name, codec]

    return make


def reopened(location: Path) -> Dataset:
    return open_location(location)


def damages(location: Path) -> list[Damage]:
    """What is found when everything is read again; the store is closed after it."""
    with reopened(location) as dataset:
        return list(verify(dataset))


def read_column(location: Path, column: str) -> list[Any]:
    with reopened(location) as dataset:
        return values(dataset.to_arrow([column]).read_all())[0]


def values(table: pa.Table) -> list[list[Any]]:
    return [["nan" if isinstance(v, float) and v != v else v for v in c.to_pylist()] for c in table.columns]  # noqa: PLR0124


def expected() -> list[list[Any]]:
    table = TABLE.set_column(
        TABLE.column_names.index("money"),
        "money",
        pa.array([None if v is None else str(v) for v in TABLE["money"].to_pylist()]),
    )
    return values(table)


@each_codec
def test_every_kind_of_column_comes_back(name: str, codec: str, stores: Callable[[str, str], Path]) -> None:
    dataset = reopened(stores(name, codec))
    assert dataset.schema.names == TABLE.column_names
    assert {s.kind for s in dataset.schema} >= {
        "bool", "int", "float", "timestamp", "date", "time", "duration", "decimal", "string", "binary", "null",
    }  # fmt: skip
    assert values(dataset.to_arrow().read_all()) == expected()
    assert damages(dataset.location) == []


@each_format
def test_the_content_does_not_depend_on_format_or_codec(name: str, stores: Callable[[str, str], Path]) -> None:
    usual = reopened(stores("zarr", "lz4")).manifest
    for codec in backends.get(name).codecs:
        found = reopened(stores(name, codec)).manifest
        assert (found.key, found.data_hash, found.schema_hash) == (usual.key, usual.data_hash, usual.schema_hash)
        assert (found.schema, found.digests) == (usual.schema, usual.digests)


@each_codec
def test_the_same_content_has_the_same_bytes(
    name: str, codec: str, stores: Callable[[str, str], Path], tmp_path: Path
) -> None:
    first = stores(name, codec)
    again = convert_table(TABLE, appdata=tmp_path, format=name, codec=codec, chunk_rows=CHUNK_ROWS).location
    assert again.name == first.name
    assert bytes_of(again) == bytes_of(first)


def bytes_of(location: Path) -> dict[str, bytes]:
    return tree(location) if location.is_dir() else {"": location.read_bytes()}


@each_format
def test_digests_are_those_of_the_decoded_chunks(name: str, stores: Callable[[str, str], Path]) -> None:
    dataset = reopened(stores(name, backends.get(name).codecs[0]))
    reader = backends.get(name).open(dataset.location)
    for spec in dataset.schema:
        for array in arrays_of(spec):
            digests = dataset.manifest.digests[array.name]
            assert len(digests) == (1 if array.part == "categories" else dataset.grid.n_chunks)
            if array.is_text:
                continue
            for index, digest in enumerate(digests):
                start, stop = dataset.grid.bounds(index)
                chunk = reader.read_chunk(array, index, stop - start, 0)
                assert not chunk.flags.writeable
                assert hashlib.sha256(hashlib.sha256(chunk.tobytes()).digest()).hexdigest() == digest
    reader.close()


@each_format
def test_the_root_metadata_is_read_back_as_it_was_written(name: str, stores: Callable[[str, str], Path]) -> None:
    manifest = reopened(stores(name, backends.get(name).codecs[0])).manifest
    assert StoreManifest.from_json(manifest.to_json(), "here") == manifest


@each_format
def test_only_its_own_stores_are_recognised(name: str, stores: Callable[[str, str], Path], tmp_path: Path) -> None:
    for other in FORMATS:
        location = stores(other, backends.get(other).codecs[0])
        assert backends.get(name).recognises(location) == (other == name)
    (tmp_path / "text").write_text("nothing")
    assert not backends.get(name).recognises(tmp_path / "text")
    assert not backends.get(name).recognises(tmp_path / "absent")
    assert not backends.get(name).recognises(tmp_path)


def test_an_unknown_format_or_compression_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown store format 'papyrus'"):
        convert_table(TABLE, appdata=tmp_path, format="papyrus")
    with pytest.raises(UsageError, match="no compression 'zip'"):
        convert_table(TABLE, appdata=tmp_path, codec="zip")
    assert not list(tmp_path.rglob("zarr.json"))


# --- damage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def noise(request: pytest.FixtureRequest, tmp_path: Path) -> Dataset:
    """A store of values that don't compress."""
    if request.param == "hdf5":
        pytest.importorskip("h5py")
    codec = backends.get(request.param).codecs[0]
    dataset = convert_table(NOISE, appdata=tmp_path, format=request.param, codec=codec, chunk_rows=250)
    dataset.close()
    return dataset


def place_of(name: str, dataset: Dataset, array: ArraySpec, index: int) -> Place:
    assert name in PLACES, f"where does the store format {name!r} keep a chunk? add it to PLACES"
    return PLACES[name](dataset.location, array, index, dataset.grid.chunk_rows)


def damage(place: Place, change: Callable[[bytes], bytes]) -> bytes:
    """Change the bytes of a chunk on disk; returns the whole file as it was."""
    path, start, length = place
    before = path.read_bytes()
    path.write_bytes(before[:start] + change(before[start : start + length]) + before[start + length :])
    return before


@pytest.mark.parametrize(("noise", "name"), [(n, n) for n in FORMATS], indirect=["noise"])
def test_a_flipped_bit_is_named_with_its_column_and_rows(noise: Dataset, name: str) -> None:
    random = np.random.default_rng(4)
    tried = 0
    for spec in noise.schema:
        for array, index in product(arrays_of(spec), range(noise.grid.n_chunks)):
            place = place_of(name, noise, array, index)
            for _ in range(7):
                at, bit = int(random.integers(place[2])), 1 << int(random.integers(8))
                before = damage(
                    place, lambda data, at=at, bit=bit: data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]
                )  # type: ignore[misc]
                found = damages(noise.location)
                place[0].write_bytes(before)
                rows = (index * 250, index * 250 + 249)
                assert [(d.column, d.chunk, d.first_row, d.last_row) for d in found] == [(spec.name, index, *rows)]
                tried += 1
    assert tried >= 100


@each_format
@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_root_metadata_that_is_damaged_is_an_error(
    name: str, kept: float, stores: Callable[[str, str], Path], tmp_path: Path
) -> None:
    original = stores(name, backends.get(name).codecs[0])
    location = tmp_path / original.name
    if original.is_dir():
        shutil.copytree(original, location)
    else:
        shutil.copy(original, location)
    root = location / "zarr.json" if location.is_dir() else location
    data = root.read_bytes()
    root.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ToolkitError) as caught:
        reopened(location)
    assert location.name in str(caught.value)


def test_a_store_can_not_lead_out_of_its_folder(stores: Callable[[str, str], Path], tmp_path: Path) -> None:
    """A chunk that is a link to a file elsewhere is not followed."""
    original = stores("zarr", "lz4")
    location = tmp_path / "copy" / original.name
    shutil.copytree(original, location)
    chunk = location / "float" / "c" / "0"
    outside = tmp_path / "outside"
    chunk.rename(outside)
    chunk.symlink_to(outside)
    with pytest.raises(DamagedStoreError, match="'float', chunk 0"):
        reopened(location).chunk(0)["float"]
