"""HDF5 files, as h5py, vaex, anndata, PyTables and pandas lay them out."""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.source_reading import damaged, notes_of, open_source, read_or_refuse, read_rows, read_table
from toolkit.core.errors import BadInputError, MissingExtraError

h5py = pytest.importorskip("h5py")

Fill = Callable[[Any], Any]


def file(folder: Path, fill: Fill, name: str = "t.h5") -> Path:
    path = folder / name
    with h5py.File(path, "w") as content:
        fill(content)
    return path


def texts(*values: str) -> dict[str, Any]:
    return {"data": list(values), "dtype": h5py.string_dtype()}


def test_datasets_of_one_length_are_columns(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content["big"] = np.array([1, -2], ">i4")
        content["half"] = np.array([1.5, np.nan], "f2")
        content["large"] = np.array([2**64 - 1, 0], "u8")
        content["flag"] = np.array([True, False])
        content["fixed"] = np.array([b"ab", b"c\0d"])
        content.create_dataset("text", **texts("é", ""))
        content.create_dataset("choice", data=[1, 0], dtype=h5py.enum_dtype({"red": 0, "green": 1}))

    table = read_table(file(tmp_path, fill))
    assert str(table.column("half").to_pylist()) == "[1.5, nan]"
    assert table.drop(["half"]).to_pydict() == {
        "big": [1, -2],
        "choice": ["green", "red"],
        "fixed": ["ab", "c\0d"],
        "flag": [True, False],
        "large": [2**64 - 1, 0],
        "text": ["é", ""],
    }


def test_parts_do_not_change_the_table(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content.create_dataset("a", data=np.arange(5000), chunks=(700,), compression="gzip")
        content.create_dataset("s", **texts(*(f"é{i}" for i in range(5000))))

    path = file(tmp_path, fill)
    parts = [p.payload for p in open_source(path, part_bytes=1 << 16).parts()]
    assert len(parts) > 3
    assert all((stop - start) % 700 == 0 for start, stop in parts[:-1])
    assert read_table(path, part_bytes=1 << 16).equals(read_table(path))


def test_compound_datasets_are_tables(tmp_path: Path) -> None:
    records = np.array([(1, b"x", (2.5, 3)), (2, b"y", (3.5, 4))],
                       [("a", "i4"), ("s", "S3"), ("n", [("p", "f8"), ("q", "i1")])])  # fmt: skip
    path = file(tmp_path, lambda content: content.create_dataset("g/t", data=records, chunks=(1,)))
    assert read_rows(path, part_bytes=1) == [
        {"a": 1, "s": "x", "n.p": 2.5, "n.q": 3},
        {"a": 2, "s": "y", "n.p": 3.5, "n.q": 4},
    ]


def test_which_table_must_be_said_where_there_are_several(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content["g/a"] = [1]
        content["h/b"] = [2, 3]
        content["number"] = 5

    path = file(tmp_path, fill)
    with pytest.raises(BadInputError, match="2 tables") as caught:
        open_source(path)
    assert "'g', 'h'" in caught.value.remedy
    assert read_rows(path, table="/h") == [{"b": 2}, {"b": 3}]
    with pytest.raises(BadInputError, match="no table 'x'"):
        open_source(path, table="x")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.ones((2, 3)), r"'odd' \(shape \(2, 3\)\).*one dimension"),
        (np.array([1j, 2j]), r"'odd' \(complex128\)"),
        (np.array([1, 2], np.longdouble), r"'odd' \(float128\)"),
    ],
)
def test_values_without_an_equal_are_refused_by_name_where_they_are_chosen(
    tmp_path: Path, values: Any, problem: str
) -> None:
    def fill(content: Any) -> None:
        content["fine"] = [1, 2]
        content["odd"] = values

    source = open_source(file(tmp_path, fill))
    [part] = source.parts()
    assert source.parse(part, [0]).column(0).to_pylist() == [1, 2]
    with pytest.raises(BadInputError, match=problem):
        source.parse(part, [0, 1])


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content["a"], content["b"] = [1, 2], [1, 2, 3]

    with pytest.raises(BadInputError, match="'a' has 2 rows, 'b' 3"):
        open_source(file(tmp_path, fill))


def test_text_of_another_encoding_names_the_row(tmp_path: Path) -> None:
    path = file(tmp_path, lambda content: content.create_dataset("a", data=np.array([b"a", b"\xff"])))
    with pytest.raises(BadInputError, match="column 'a': row 2"):
        read_rows(path)
    assert read_rows(path, encoding="latin-1") == [{"a": "a"}, {"a": "ÿ"}]


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that no other may lead to."""
    (tmp_path / "secret.bin").write_bytes(b"secret!!")
    return file(tmp_path, lambda content: content.create_dataset("secret", data=[42]), "secret.h5")


def external_link(content: Any) -> None:
    content["b"] = h5py.ExternalLink("secret.h5", "/secret")


def soft_link_through_another_file(content: Any) -> None:
    content["x"] = h5py.ExternalLink("secret.h5", "/")
    content["b"] = h5py.SoftLink("/x/secret")


def virtual(content: Any) -> None:
    layout = h5py.VirtualLayout((1,), "i8")
    layout[:] = h5py.VirtualSource("secret.h5", "secret", shape=(1,))
    content.create_virtual_dataset("b", layout)


def outside_storage(content: Any) -> None:
    content.create_dataset(
        "b", shape=(1,), dtype="i8", external=[(str(Path(content.filename).parent / "secret.bin"), 0, 8)]
    )


@pytest.mark.usefixtures("secret")
@pytest.mark.parametrize("fill", [external_link, soft_link_through_another_file, virtual, outside_storage])
def test_nothing_of_other_files_is_read(tmp_path: Path, fill: Fill) -> None:
    def with_column(content: Any) -> None:
        content["a"] = [1]
        fill(content)

    with pytest.raises(BadInputError, match="file"):
        read_rows(file(tmp_path, with_column))


def test_links_within_the_file_are_followed_and_circles_are_not(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content["g/a"] = [1]
        content["g/same"] = h5py.SoftLink("/g/a")
        content["g/nowhere"] = h5py.SoftLink("/gone")
        content["g/circle"] = h5py.SoftLink("/g/circle")
        content["g/up"] = content["/"]

    assert read_rows(file(tmp_path, fill)) == [{"a": 1, "same": 1}]


def test_sizes_that_can_not_be_true_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="says it has 1,000,000,000,000 values, and stores 0 bytes"):
        open_source(file(tmp_path, lambda c: c.create_dataset("a", shape=(10**12,), dtype="f8", chunks=(1 << 20,))))

    def one_chunk(content: Any) -> None:
        content.create_dataset("a", shape=(10**8,), dtype="f8", chunks=(10**8,), compression="gzip")[0] = 1

    if sys.maxsize > 2**32:
        with pytest.raises(BadInputError, match="chunks of 800,000,000 bytes"):
            open_source(file(tmp_path, one_chunk))


def test_chunks_that_were_never_written_are_told(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        content.create_dataset("a", shape=(1000,), dtype="f8", chunks=(100,))[5] = 1

    assert "9 of 10 chunks were never written" in notes_of(file(tmp_path, fill))[0]


def vaex(content: Any) -> None:
    columns = content.create_group("table/columns")
    content["table"].attrs["type"] = "table"
    columns.attrs["column_order"] = "s,x"
    columns["x/data"] = [1, 2, 3]
    columns["x/mask"] = [False, True, False]
    columns["d/data"] = np.array([0, 1, 2], "i8")
    columns["d/data"].attrs["dtype"] = "datetime64[s]"
    columns["p/data"] = [0.5, 1.5, 2.5]
    columns["p/null_bitmap"] = np.array([0b110], "u1")
    string(columns.create_group("s"), b"abc", [0, 1, 1, 3])
    columns["s/null_bitmap"] = np.array([0b101], "u1")
    columns.create_group("k").attrs["type"] = "dictionary_encoded"
    columns["k/indices/data"] = np.array([1, 0, 1], "i1")
    string(columns.create_group("k/dictionary"), b"yesno", [0, 3, 5])


def string(group: Any, data: bytes, offsets: list[int]) -> None:
    group["data"] = np.frombuffer(data, "S1")
    group["data"].attrs["dtype"] = "str"
    group["indices"] = np.array(offsets, "i4")


def test_tables_of_vaex(tmp_path: Path) -> None:
    path = file(tmp_path, vaex)
    table = read_table(path)
    assert table.column_names == ["s", "x", "d", "k", "p"]
    assert table.column("d").cast("int64").to_pylist() == [0, 1, 2]
    assert table.drop(["d"]).to_pydict() == {
        "s": ["a", None, "bc"],
        "x": [1, None, 3],
        "k": ["no", "yes", "no"],
        "p": [None, 1.5, 2.5],
    }
    assert read_table(path, part_bytes=1).equals(table)


def test_offsets_that_leave_their_text_are_refused(tmp_path: Path) -> None:
    def fill(content: Any) -> None:
        vaex(content)
        content["table/columns/s/indices"][1] = 100

    with pytest.raises(BadInputError, match=r"column 's'.*not in order"):
        read_rows(file(tmp_path, fill))


def anndata(content: Any) -> None:
    content.attrs["encoding-type"] = "anndata"
    for name, count in (("obs", 3), ("var", 2)):
        frame = content.create_group(name)
        frame.attrs["encoding-type"], frame.attrs["_index"] = "dataframe", "id"
        frame.attrs["column-order"] = ["kind", "n"] if name == "obs" else np.array([], float)
        frame.create_dataset("id", **texts(*(f"{name}{i}" for i in range(count))))
    kind = content.create_group("obs/kind")
    kind.attrs["encoding-type"] = "categorical"
    kind["codes"] = np.array([1, -1, 0], "i1")
    kind.create_dataset("categories", **texts("A", "B"))
    number = content.create_group("obs/n")
    number.attrs["encoding-type"] = "nullable-integer"
    number["values"], number["mask"] = [1, 2, 3], [False, True, False]
    content["X"] = np.ones((3, 2))


def test_frames_of_anndata(tmp_path: Path) -> None:
    path = file(tmp_path, anndata, "t.h5ad")
    assert read_rows(path) == [
        {"id": "obs0", "kind": "B", "n": 1},
        {"id": "obs1", "kind": None, "n": None},
        {"id": "obs2", "kind": "A", "n": 3},
    ]
    assert "'var' is another" in notes_of(path)[0]
    assert read_rows(path, table="var") == [{"id": "var0"}, {"id": "var1"}]


def pickled(value: Any) -> Any:
    """An attribute as PyTables keeps what HDF5 has no type for."""
    return np.bytes_(pickle.dumps(value, 0))


def pandas_table(content: Any) -> None:
    frame = content.create_group("df")
    frame.attrs.update(
        {
            "pandas_type": np.bytes_("frame_table"),
            "encoding": np.bytes_("UTF-8"),
            "nan_rep": np.bytes_("nan"),
            "non_index_axes": pickled([(1, ["n", "s", "m", "when", "kind", "flag"])]),
            "info": pickled(
                {1: {"names": [None]}, "index": {"index_name": "day"}, "values_block_2": {"tz": "Europe/Berlin"}}
            ),
        }
    )
    blocks = [("i8", (2,)), ("S4", (1,)), ("i8", (1,)), ("i1", (1,)), ("u1", (1,))]
    fields = [(f"values_block_{i}", kind, shape) for i, (kind, shape) in enumerate(blocks)]
    rows = np.zeros(2, [("index", "i8"), *fields])
    rows["index"] = [0, 86_400 * 10**9]
    rows["values_block_0"] = [[1, 10], [2, 20]]
    rows["values_block_1"] = [["é".encode()], [b"nan"]]
    rows["values_block_2"] = [[10**9], [np.iinfo("i8").min]]
    rows["values_block_3"] = [[1], [-1]]
    rows["values_block_4"] = [[1], [0]]
    table = frame.create_dataset("table", data=rows)
    table.attrs["index_kind"] = np.bytes_("datetime64[ns]")
    names = (["n", "m"], ["s"], ["when"], ["kind"], ["flag"])
    kinds = ("int64", "bytes32", "datetime64[ns]", "int8", "bool")
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        table.attrs[f"values_block_{number}_kind"] = pickled(name)
        table.attrs[f"values_block_{number}_dtype"] = np.bytes_(kind)
        table.attrs[f"values_block_{number}_meta"] = np.bytes_("category") if name == ["kind"] else pickled(None)
    labels = content.create_group("df/meta/values_block_3/meta")
    labels.attrs["pandas_type"] = np.bytes_("series_table")
    given = np.array([(0, b"x"), (1, b"y")], [("index", "i8"), ("values", "S1")])
    labels.create_dataset("table", data=given).attrs["values_kind"] = pickled(["values"])


def test_pandas_frames_in_table_format(tmp_path: Path) -> None:
    table = read_table(file(tmp_path, pandas_table))
    assert table.column_names == ["day", "n", "s", "m", "when", "kind", "flag"]
    assert table.column("day").cast("int64").to_pylist() == [0, 86_400 * 10**9]
    assert str(table.column("when").type) == "timestamp[ns, tz=UTC]"
    assert table.column("when").cast("int64").to_pylist() == [10**9, None]
    assert table.drop(["day", "when"]).to_pylist() == [
        {"n": 1, "s": "é", "m": 10, "kind": "y", "flag": True},
        {"n": 2, "s": None, "m": 20, "kind": None, "flag": False},
    ]


def pandas_fixed(content: Any, objects: Any, index: Any = (0, 1)) -> None:
    frame = content.create_group("df")
    frame.attrs.update({"pandas_type": np.bytes_("frame"), "encoding": np.bytes_("UTF-8"), "nblocks": 2})
    frame["axis0"] = np.array([b"a", b"s", b"t"])
    frame["axis1"] = np.array(index)
    frame["axis1"].attrs["kind"] = np.bytes_("integer")
    frame["block0_items"], frame["block0_values"] = np.array([b"a"]), np.array([[1.5], [np.nan]])
    frame["block1_items"] = np.array([b"s", b"t"])
    block = frame.create_dataset("block1_values", (1,), dtype=h5py.vlen_dtype("u1"))
    block[0] = np.frombuffer(pickle.dumps(np.array(objects, object, order="F")), "u1")
    block.attrs["PSEUDOATOM"] = np.bytes_("object")


def test_pandas_frames_in_fixed_format(tmp_path: Path) -> None:
    path = file(tmp_path, lambda content: pandas_fixed(content, [["x", None], ["é", 2.5]]))
    rows = read_rows(path)
    assert [r.pop("a") == 1.5 for r in rows] == [True, False]
    assert rows == [{"s": "x", "t": None}, {"s": "é", "t": 2.5}]
    other = file(tmp_path, lambda content: pandas_fixed(content, [["x", None], ["é", 2.5]], (5, 6)))
    assert [r["index"] for r in read_rows(other)] == [5, 6]


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch '{self.path}'",)


def test_pickles_are_never_run(tmp_path: Path) -> None:
    witness = tmp_path / "was here"
    path = file(tmp_path, lambda content: pandas_fixed(content, [["x", "y"], ["é", Attack(witness)]]))
    with pytest.raises(BadInputError, match=r"column 't' \(object\): its values are pickled objects"):
        read_rows(path)

    def attack_by_name(content: Any) -> None:
        pandas_table(content)
        content["df/table"].attrs["values_block_1_kind"] = pickled([Attack(witness)])
        content["df"].attrs["info"] = pickled(Attack(witness))

    read_rows(file(tmp_path, attack_by_name))
    assert not witness.exists()


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + b"junk" * 100, b"hello"])
def test_what_is_no_hdf5_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.h5"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match="not a whole HDF5 file"):
        open_source(path)


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file(tmp_path, lambda content: content.create_dataset("a", data=[1]))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError) as caught:
        open_source(path)
    assert "[hdf5]" in caught.value.remedy


def test_the_fingerprint_is_that_of_the_file(tmp_path: Path) -> None:
    path = file(tmp_path, lambda content: content.create_dataset("a", data=[1]))
    assert open_source(path).fingerprint() == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("fill", [vaex, anndata, pandas_table])
def test_damaged_files_are_read_or_refused(tmp_path: Path, fill: Fill) -> None:
    content = file(tmp_path, fill).read_bytes()
    assert sum(read_or_refuse(tmp_path / "d.h5", damaged(content, 60, seed=5))) == 60
