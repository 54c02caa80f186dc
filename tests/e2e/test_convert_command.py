"""The command ``convert``: what it prints, and what it says of bad input."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import open_store
from toolkit.convert import main

TABLE = "".join(f"{i},name {i % 7},{i / 8}\n" for i in range(4000))


@dataclass
class Ran:
    """Exit code, output and appdata of a command."""

    code: int
    out: str
    err: str
    appdata: Path

    def left(self) -> list[str]:
        """Everything below appdata but the folders and the lock that any command makes."""
        folders = {"tmp", "tmp/.gate", "stores", "sources"}
        found = [str(p.relative_to(self.appdata)) for p in self.appdata.rglob("*")]
        return sorted(set(found) - folders)


Convert = Callable[..., Ran]


@pytest.fixture
def convert(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Convert:
    """Run the command in this process, as its own module does."""

    def run(source: object, *more: str, appdata: Path | None = None) -> Ran:
        place = appdata or tmp_path / "appdata"
        code = main([str(source), "--appdata", str(place), *more])
        out, err = capsys.readouterr()
        return Ran(code, out, err, place)

    return run


@pytest.fixture
def refused(convert: Convert, tmp_path: Path) -> Callable[[bytes | Path, Sequence[str]], str]:
    """Convert what is wrong, check that nothing is left, and return the message."""

    def run(data: bytes | Path, *more: str, name: str = "bad.csv") -> str:
        source = data if isinstance(data, Path) else tmp_path / name
        if isinstance(data, bytes):
            source.write_bytes(data)
        ran = convert(source, *more)
        assert ran.code == 2, (ran.code, ran.out, ran.err)
        assert ran.out == ""
        assert ran.err.startswith("error: ")
        assert "Traceback" not in ran.err
        assert ran.err.count("error:") == 1
        assert source.name.encode("unicode_escape").decode() in ran.err or source.name in ran.err
        assert not ran.appdata.exists() or ran.left() == []
        return ran.err

    return run  # type: ignore[return-value]


def test_prints_the_path_of_the_store_and_reuses_it(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("id,name,x\n" + TABLE)
    first, second = convert(source), convert(source)
    assert (first.code, second.code, first.out) == (0, 0, second.out)
    assert open_store(first.out.strip()).rows == 4000
    assert "converted: 4,000 rows, 3 columns" in first.err
    assert "reused" in second.err


def test_json_has_the_fields_of_the_contract(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("id,name,x\n" + TABLE)
    found = [json.loads(convert(source, "--json").out) for _ in range(2)]
    assert [f.pop("reused") for f in found] == [False, True]
    assert all(f.pop("seconds") >= 0 for f in found)
    assert found[0] == found[1]
    assert set(found[0]) == {
        "key", "path", "rows", "columns", "chunk_rows", "data_hash", "schema_hash", "source_sha256",
            "quarantined", "blank_lines",
    }  # fmt: skip
    assert (found[0]["rows"], found[0]["columns"]) == (4000, 3)


def test_runs_as_a_module_of_its_own(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("id,name,x\n" + TABLE)
    command = [sys.executable, "-m", "toolkit.convert", str(source), "--quiet"]
    environment = {**os.environ, "TOOLKIT_APPDATA": str(tmp_path / "ad"), "PYTHONWARNINGS": "error"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert Path(ran.stdout.strip()).parent == tmp_path / "ad/stores"


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\r\n\n", "nothing but line breaks"),
        (b"a,b\n", "column names and no rows"),
        (b"a,b", "column names and no rows"),
        (b"a,b\n\n\r\n", "column names and no rows"),
        (b",,\n1,2,3\n", "the header has no names"),
        (b"a,b\n1\n2,3\n", "line 2: 1 field where the header has 2: 1"),
        (b"a,b\n1,2\n3,4,5\n6,7\n", "line 3: 3 fields where the header has 2: 3,4,5"),
        (b"a,b\n1,2\n3,4\n5,6,7", "line 4: 3 fields where the header has 2"),
        (b'a,b\n1,"x\ny\r\nz"\n\n\n3,4,5\n', "line 7: 3 fields where the header has 2"),
        (b'a,b\r1,"x\ry"\r3\r', "line 4: 1 field where the header has 2"),
        (b'a,"b\nc"\n1,2\n3\n', "line 4: 1 field where the header has 2"),
        (b"\n\na,b\n1\n", "line 4: 1 field where the header has 2"),
        (b'5" pipe,b\n1,2\nx" y,3\n4\n', "line 4: 1 field where the header has 2"),
        (b"# a title\na,b\n1,2\n", "is the first line a title"),
        (b"a,b\n1,\xff\n", "line 2, byte 6: 0xff is not UTF-8"),
        (b"\xef\xbb\xbfa,b\n1,\xff\n", "line 2, byte 9: 0xff is not UTF-8"),
        (b'a,b\n1,"x\n\xe9"\n', "line 3, byte 9: 0xe9 is not UTF-8"),
        (b"a,\xe9\n1,2\n", "line 1, byte 2: 0xe9 is not UTF-8"),
        (b"a,b\n1,x\0y\n", "line 2, byte 7: a NUL byte"),
        (b"a\0,b\n1,2\n", "line 1, byte 1: a NUL byte"),
        (b'a,b\n1,"x\n3,4\n', "line 2: a quote is opened and not closed"),
        (b'a,b\n1,2\n3,"4\n', "line 3: a quote is opened and not closed"),
        (b'"a,b\n1,2\n', "line 1: a quote is opened and not closed"),
        (b'a,b\n1,"x"y\n3,4\n', "line 2: text behind a closing quote"),
        (b'a,b\n1,2\n"x" ,4\n', "line 3: text behind a closing quote"),
        (b'"a"b,c\n1,2\n', "line 1: text behind a closing quote"),
        (b'a,b\n1,""x""\n', "line 2: text behind a closing quote"),
    ],
)
def test_wrong_text_is_refused_with_its_line_or_byte(data: bytes, said: str, refused: Callable[..., str]) -> None:
    assert said in refused(data)


def test_what_is_no_file_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in refused(tmp_path / "folder.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "a pipe" in refused(tmp_path / "pipe.csv")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "loop.csv" in refused(tmp_path / "loop.csv")
    (tmp_path / "long.csv").write_text("a\n1\n")
    assert "known suffixes" in refused(b"a\n1\n", name="a.unknown")


@pytest.mark.parametrize("line", [2, 1500, 4001])
@pytest.mark.parametrize("fields", [1, 4])
def test_a_ragged_row_is_named_wherever_it_stands(line: int, fields: int, refused: Callable[..., str]) -> None:
    lines = ("id,name,x\n" + TABLE).splitlines()
    lines[line - 1] = ",".join("q" * fields)
    more = ("--max-memory", "1MB")
    said = refused("\n".join(lines).encode(), *more)
    assert f"line {line}: {fields} field" in said
    assert "where the header has 3" in said


COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": pa.Codec("zstd").compress}


@pytest.mark.parametrize("suffix", COMPRESS)
@pytest.mark.parametrize("cut", [0.02, 0.5, 0.97, -1])
def test_compressed_text_cut_short_is_refused(suffix: str, cut: float, refused: Callable[..., str]) -> None:
    whole = bytes(COMPRESS[suffix](("id,name,x\n" + TABLE).encode()))
    short = whole[:-1] if cut < 0 else whole[: int(len(whole) * cut)]
    assert "damaged or cut short near byte" in refused(short, name=f"bad.csv.{suffix}")


@pytest.mark.parametrize("suffix", COMPRESS)
def test_compressed_text_is_told_by_its_content(suffix: str, convert: Convert, tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.csv", tmp_path / "packed.csv"
    plain.write_text("id,name,x\n" + TABLE)
    packed.write_bytes(bytes(COMPRESS[suffix](plain.read_bytes())))
    assert convert(plain).out == convert(packed).out


def test_damaged_parquet_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    table = pa.table({"a": list(range(5000)), "b": [f"text {i}" for i in range(5000)]})
    pq.write_table(table, tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    assert "not a whole Parquet file" in refused(data[: len(data) // 2], name="half.parquet")
    assert "not a whole Parquet file" in refused(b"PAR1", name="mark.parquet")
    assert "not a whole Parquet file" in refused(b"a,b\n1,2\n", name="text.parquet")
    middle = bytearray(data)
    middle[4:4000] = bytes(3996)
    assert "can't be read behind row 0" in refused(bytes(middle), name="middle.parquet")
    pq.write_table(table.slice(0, 0), tmp_path / "none.parquet")
    assert "no rows" in refused(tmp_path / "none.parquet")
    nested = table.append_column("list", pa.array([[1]] * 5000))
    pq.write_table(nested, tmp_path / "nested.parquet")
    said = refused(tmp_path / "nested.parquet")
    assert "'list' has the type list<" in said
    assert "--columns" in said


def test_a_table_that_is_too_wide_is_refused_and_its_columns_can_be_named(
    refused: Callable[..., str], convert: Convert, tmp_path: Path
) -> None:
    names = [f"c{i}" for i in range(25_000)]
    data = (",".join(names) + "\n" + ",".join("7" for _ in names) + "\n").encode()
    assert "25,000 columns; at most 20,000" in refused(data)
    ran = convert(tmp_path / "bad.csv", "--columns", "c3,c24999")
    assert ran.code == 0
    assert open_store(ran.out.strip()).schema.names == ["c3", "c24999"]


def test_a_first_line_that_looks_like_a_row_is_noted(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("1,english\n2,german\n")
    ran = convert(source)
    assert ran.code == 0
    assert (
        "note: the first line was taken for names of columns, but looks like a row (if so: --no-header): 1, english"
        in ran.err
    )
    source.write_text("id,2010,2011\n2,3,4\n")
    assert "note:" not in convert(source).err


def test_uncommon_quotes_are_noted(convert: Convert, tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("id,name\n1,'a, b'\n2,'c'\n")
    ran = convert(source)
    assert """quote="'\"""" in ran.err
    assert open_store(ran.out.strip()).to_pandas()["name"].tolist() == ["a, b", "c"]


def test_the_command_loads_no_library_that_it_has_no_need_of(tmp_path: Path) -> None:
    # Arrow imports pandas by itself when it is handed a list of Python values, which takes a quarter of a second
    (tmp_path / "t.csv").write_text(TABLE)
    program = (
        "import sys; from toolkit.convert import main; main(sys.argv[1:]);"
        "print(sorted({'pandas', 'scipy', 'zarr', 'h5py', 'polars', 'numba', 'dask', 'asyncio'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "t.csv"), "--appdata", str(tmp_path / "a"), "--quiet"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
