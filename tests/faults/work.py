"""Honest work that must go on under all layers: what libraries do when they read, compute and write."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.faults.native import ImpossibleHereError
from tests.faults.world import World


def files_in_the_run_folder(world: World) -> None:
    import tempfile

    (world.run / "a").write_text("x")
    (world.run / "a").replace(world.run / "b")
    (world.run / "folder").mkdir()
    (world.run / "b").rename(world.run / "folder" / "b")
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
    with tempfile.TemporaryDirectory() as folder:
        assert folder.startswith(str(world.run))
    (world.run / "folder" / "b").unlink()
    (world.run / "folder").rmdir()
    Path(os.devnull).write_text("x")
    assert (world.store / "chunk").read_bytes() == b"chunk of the store"
    assert Path.cwd() == world.run
    assert Path.home() == world.run


def copies(world: World) -> None:
    import shutil

    shutil.copyfile(world.store / "chunk", world.run / "copy")
    shutil.rmtree(world.run, ignore_errors=True)
    assert list(world.run.iterdir()) == []


def threads(_: World) -> None:
    import threading
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(int, "12345678")) == 36
    threading.stack_size(1 << 20)
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()


def event_loop(_: World) -> None:
    import asyncio

    async def work() -> int:
        return await asyncio.to_thread(lambda: 7)

    assert asyncio.run(work()) == 7


def processor_count(_: World) -> None:
    assert os.cpu_count() is not None
    assert len(os.sched_getaffinity(0)) >= 1


def signals_to_itself(_: World) -> None:
    import signal

    got: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.raise_signal(signal.SIGUSR1)
    assert len(got) == 2
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    assert signal.sigtimedwait([signal.SIGALRM], 5) is not None


def callbacks(_: World) -> None:
    import ctypes

    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    values = (ctypes.c_int * 3)(3, 1, 2)
    ctypes.CDLL(None).qsort(values, 3, 4, compare(lambda a, b: a[0] - b[0]))
    assert list(values) == [1, 2, 3]


def database(world: World) -> None:
    import sqlite3

    with sqlite3.connect(world.run / "mine.db") as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table t(a)")
        connection.execute("insert into t values (1)")
        connection.execute("create index i on t(a)")
    connection.execute("vacuum")
    connection.close()


def numpy_and_blas(world: World) -> None:
    import numpy as np

    rng = np.random.Generator(np.random.PCG64(1))
    values = rng.standard_normal((600, 600))
    assert np.allclose(values @ np.linalg.inv(values), np.eye(600), atol=1e-6)
    np.save(world.run / "values.npy", values)
    mapped = np.load(world.run / "values.npy", mmap_mode="r")
    assert mapped[5, 5] == values[5, 5]


def scipy_functions(_: World) -> None:
    stats = library("scipy.stats")
    assert stats.norm.cdf(0) == 0.5


def pandas_and_arrow(world: World) -> None:
    pd, pa = library("pandas"), library("pyarrow")
    import pyarrow.csv
    import pyarrow.dataset
    import pyarrow.parquet

    frame = pd.DataFrame({"a": range(100_000), "b": ["x", "y"] * 50_000})
    frame.to_parquet(world.run / "t.parquet", engine="pyarrow")
    frame.to_csv(world.run / "t.csv", index=False)
    assert pd.read_parquet(world.run / "t.parquet", engine="pyarrow")["a"].sum() == frame["a"].sum()
    assert pyarrow.csv.read_csv(world.run / "t.csv").num_rows == 100_000
    assert pyarrow.dataset.dataset(world.run / "t.parquet").count_rows() == 100_000
    assert pd.read_csv(world.run / "t.csv").shape == (100_000, 2)
    assert pa.array(frame["a"]).sum().as_py() == frame["a"].sum()
    stamps = pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin")
    assert str(stamps.tz) == "Europe/Berlin"


def zarr_arrays(world: World) -> None:
    zarr = library("zarr")
    import numpy as np

    array = zarr.create_array(world.run / "a.zarr", shape=(100_000,), chunks=(10_000,), dtype="i8")
    array[:] = np.arange(100_000)
    assert int(zarr.open_array(world.run / "a.zarr", mode="r")[:].sum()) == 4_999_950_000
    blosc = library("numcodecs").Blosc(cname="lz4", shuffle=1)
    assert blosc.decode(blosc.encode(bytes(100_000))) == bytes(100_000)


def hdf5_file(world: World) -> None:
    h5py = library("h5py")
    with h5py.File(world.run / "a.h5", "w") as file:
        file["a"] = [1, 2, 3]
    with h5py.File(world.run / "a.h5") as file:
        assert file["a"][:].sum() == 6


def compiled_by_numba(_: World) -> None:
    numba = library("numba")

    @numba.njit(parallel=True)  # type: ignore[untyped-decorator]
    def total(n: int) -> int:
        found = 0
        for i in numba.prange(n):
            found += i
        return found

    assert total(1000) == 499_500


def polars_frames(world: World) -> None:
    pl = library("polars")
    frame = pl.DataFrame({"a": range(100_000)})
    frame.write_parquet(world.run / "p.parquet")
    assert pl.scan_parquet(world.run / "p.parquet").select(pl.col("a").sum()).collect().item() == 4_999_950_000


def duckdb_query(world: World) -> None:
    duckdb = library("duckdb")
    connection = duckdb.connect(config={"threads": 2, "temp_directory": str(world.run)})
    assert connection.execute("select sum(i) from range(1000) t(i)").fetchall() == [(499_500,)]


def went_on_after_a_refusal(world: World) -> None:
    """Tries what is forbidden, keeps silent about it and returns a result."""
    with contextlib.suppress(OSError):
        (world.outside / "new").write_text("x")


def went_on_after_many_harmless_refusals(world: World) -> None:
    """Hopes that nobody reads so far."""
    for _ in range(1000):
        looked_for_a_configuration(world)
    went_on_after_a_refusal(world)


def looked_for_a_configuration(world: World) -> None:
    """As libraries do: what can't be read is taken as not there."""
    with contextlib.suppress(OSError):
        (world.outside / "secret").read_text()
    try:
        (world.outside / "library.conf").read_text()
    except FileNotFoundError:
        return
    raise AssertionError("the missing file was found")


def asked_about_the_machine(_: World) -> None:
    """As joblib and ctypes.util do."""
    import platform

    platform.processor()
    with contextlib.suppress(OSError):
        subprocess.run(["lscpu"], check=False)


def stopped_by_limits(world: World) -> dict[str, Any]:
    """What each limit makes of one who goes beyond it and handles the error."""
    found: dict[str, Any] = {}
    try:
        with (world.run / "large").open("wb") as file:
            file.writelines(bytes(1 << 20) for _ in range(64))
    except OSError as error:
        found["file"] = error.errno
    (world.run / "large").unlink()
    kept: list[int] = []
    try:
        while len(kept) < 1000:
            kept += [os.open("/dev/null", os.O_RDONLY)]
    except OSError as error:
        found["descriptors"] = error.errno
    for descriptor in kept:
        os.close(descriptor)
    try:
        bytearray(8 << 30)
    except MemoryError:
        found["memory"] = "MemoryError"
    return found


def library(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ImpossibleHereError(f"{name} is not installed") from error
