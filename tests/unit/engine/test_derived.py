"""Tables that transforms derive: what they hold, who runs on them, what is kept, what happens when something breaks."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import toolkit.stores
from tests.derived_plugins import BACKWARDS, DOUBLE, ROWS, Place, ended, of, table
from toolkit.api import convert_table
from toolkit.engine import discovery
from toolkit.engine.run_report import RunReport
from toolkit.report.validation import check_report
from toolkit.storage.dataset import Dataset, open_location
from toolkit.storage.verify import verify

NOTHING = "def run(ctx):\n    return Result()\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setattr(discovery, "shipped_plugins", lambda: made.plugins)
    monkeypatch.delenv("TOOLKIT_RESULT_CACHE", raising=False)
    return made


def derived(place: Place, report: RunReport, plugin: str) -> Dataset:
    key = next(d["key"] for d in report.report["derived"] if d["plugin"] == plugin)
    return open_location(place.data.store_path(key))


def column(dataset: Dataset, name: str) -> np.ndarray:
    return np.concatenate([c[name] for c in dataset.chunks([name])])


def test_the_same_report_for_any_executor_number_of_workers_and_cache(place: Place) -> None:
    place.add("transform_double", DOUBLE)
    place.add("transform_back", BACKWARDS)
    place.add_summing(table="transform_double")
    place.add_summing("analysis_back", table="transform_back")
    runs = [
        place.run(),
        place.run(),
        place.run(cache=False),
        place.run(cache=False, executor="process", workers=3),
    ]
    assert len({r.files["report.json"].read_bytes() for r in runs}) == 1
    assert all(p.status == "ok" for r in runs for p in r.plugins)
    assert all(p.cached for p in runs[1].plugins)
    check_report(runs[0].report)
    assert not [p for r in runs for p in r.folder.iterdir() if p.name == "scratch"]
    assert not [p for p in place.data.tmp.iterdir() if p.is_dir()]


def test_a_derived_table_is_what_a_frame_of_its_rows_is(place: Place) -> None:
    place.add("transform_double", DOUBLE)
    made = derived(place, place.run(), "transform_double")
    source = table()
    twice = pa.array(source["x"].to_numpy(zero_copy_only=False) * 2, mask=np.arange(ROWS) % 7 == 3)
    frame = pa.table({"n": source["n"], "twice": twice, "w": source["w"]})
    other = convert_table(frame, appdata=place.appdata / "other", chunk_rows=30)
    assert made.key == other.key
    assert list(verify(made)) == []
    files = {p.relative_to(made.location): p.read_bytes() for p in made.location.rglob("*") if p.is_file()}
    assert files == {p.relative_to(other.location): p.read_bytes() for p in other.location.rglob("*") if p.is_file()}


def test_plugins_on_a_derived_table_see_it_as_their_own(place: Place) -> None:
    place.add("transform_back", BACKWARDS)
    place.add_summing(table="transform_back")
    place.add("report_json", "def run(ctx):\n    return Result(files=ctx.render(ctx.report))\n")
    place.add(
        "analysis_reads",
        "def run(ctx):\n    assert ctx.result('analysis_sums').data['first'][0] == ctx.rows - 1\n"
        "    assert ctx.result('analysis_sums').data['mean']['n'] == (ctx.rows - 1) / 2\n    return Result()\n",
        depends_on=["analysis_sums"],
    )
    report = place.run()
    assert of(report, "analysis_reads").status == "ok", of(report, "analysis_reads").reason
    made = derived(place, report, "transform_back")
    assert column(made, "n").tolist() == list(range(ROWS - 1, -1, -1))
    assert (column(place.dataset, "n")[column(made, "source_row")] == column(made, "n")).all()
    plugin = next(p for p in report.report["plugins"] if p["id"] == "analysis_sums")
    assert plugin["table"] == made.key
    assert plugin["coverage"]["of_rows"] == ROWS
    assert {f["table"] for f in report.findings} == {made.key}


CUT = """
import numpy as np
def run(ctx):
    n = np.concatenate([c["n"] for c in ctx.chunks(["n"])])
    case = (n * 7) % 11
    row = np.lexsort((n, case))
    columns = [make("case", "int"), make("n", "int", of=["n"]), make("w", "string"), make("source_row", "int")]
    w = np.concatenate([c["w"] for c in ctx.chunks(["w"])])
    with ctx.derive(columns, rows="reordered", chunk_rows=16) as out:
        for k in range(11):
            at = row[case[row] == k]
            out.append({"case": case[at], "n": n[at], "w": list(w[at]), "source_row": at})
            out.cut()
    return Result()
"""
CASES = """
class Plugin(Reducer):
    state_class = "exact"
    def init(self):
        return {"cases": [], "rows": 0}
    def update(self, state, chunk):
        assert len(set(chunk["case"].tolist())) == 1, "a chunk holds one case"
        assert len(chunk["w"]) == len(chunk["n"]) == len(chunk)
        words = [w for w in chunk["w"][chunk.valid("w")]]
        return {"cases": state["cases"] + [[int(chunk["case"][0]), int(chunk["n"].sum()), "".join(words)]],
                "rows": state["rows"] + len(chunk)}
    def merge(self, left, right):
        return {"cases": left["cases"] + right["cases"], "rows": left["rows"] + right["rows"]}
    def finish(self, state, ctx):
        assert ctx.kernel("moments", "n")["mean"] == (ctx.rows - 1) / 2
        assert ctx.rows == state["rows"]
        return Result(findings=[Finding("case", ["n"], f"{c}, {n}, {w}.", "Look at n.") for c, n, w in state["cases"]])
"""


def test_chunks_may_be_cut_between_cases(place: Place) -> None:
    place.add("transform_cases", CUT)
    place.add("analysis_cases", CASES, table="transform_cases", kernels=[{"kernel": "moments", "columns": "numeric"}])
    policy = place.appdata / "split.yaml"
    policy.write_text("summary: Of a test\npartition_chunks: 2\n")
    runs = [place.run(), place.run(), place.run(cache=False, executor="process", workers=2, policy=str(policy))]
    parts = [{"findings": r.findings, "coverage": [p["coverage"] for p in r.report["plugins"]]} for r in runs]
    assert parts[0] == parts[1] == parts[2]
    report = runs[0]
    assert of(report, "analysis_cases").status == "ok", of(report, "analysis_cases").log
    source = table().to_pydict()
    expected = set()
    for k in range(11):
        rows = [i for i in range(ROWS) if i * 7 % 11 == k]
        expected.add(f"{k}, {sum(rows)}, {''.join(source['w'][i] or '' for i in rows)}.")
    assert {f["sentence"] for f in report.findings} == expected
    coverage = next(p["coverage"] for p in report.report["plugins"] if p["id"] == "analysis_cases")
    assert (coverage["rows"], coverage["complete"]) == (ROWS, True)


FORGING = """
def run(ctx):
    with ctx.derive([make("n", "int", of=["n"])]) as out:
        for chunk in ctx.chunks(["n"]):
            out.append({"n": chunk["n"]})
    for part in out._scratch.iterdir():
        part.write_bytes(part.read_bytes()[:-9])
    return Result({"n": 1}, findings=[Finding("k", ["n"], "It has 1.", "Look at n.")])
"""


def test_a_transform_that_forges_its_table_fails_alone(place: Place) -> None:
    place.add("transform_forged", FORGING)
    place.add_summing(table="transform_forged")
    place.add_summing("analysis_own")
    report = place.run()
    forged = of(report, "transform_forged")
    assert (forged.status, forged.findings) == ("failed", 0)
    assert forged.reason.startswith("BadInputError: part-000000.tks of a derived table can't be read")
    assert of(report, "analysis_sums").status == "skipped"
    assert of(report, "analysis_own").status == "ok"
    assert place.data.list_stores() == [place.dataset.location]


@pytest.mark.parametrize(("options", "suffix"), [({"format": "hdf5"}, ".h5"), ({"codec": "zstd"}, ".zstd")])
def test_a_derived_store_has_the_format_of_its_parent(place: Place, options: dict[str, str], suffix: str) -> None:
    if "format" in options:
        pytest.importorskip("h5py")
    place.add("transform_double", DOUBLE)
    expected = derived(place, place.run(), "transform_double")
    place.dataset = convert_table(table(), appdata=place.appdata, chunk_rows=30, **options)
    key = place.run(cache=False).report["derived"][0]["key"]
    assert key == expected.key
    made = next(p for p in place.data.list_stores() if p.name.startswith(key) and p.name.endswith(suffix))
    with open_location(made) as dataset:
        assert list(verify(dataset)) == []


def test_a_table_of_a_table(place: Place) -> None:
    place.add("transform_back", BACKWARDS)
    place.add("transform_again", BACKWARDS, table="transform_back")
    report = place.run()
    assert column(derived(place, report, "transform_again"), "n").tolist() == list(range(ROWS))
    by_plugin = {d["plugin"]: d for d in report.report["derived"]}
    assert by_plugin["transform_again"]["parent"] == by_plugin["transform_back"]["key"]


UNCHANGED = {
    "kept": """
def run(ctx):
    with ctx.derive([keep(n) for n in ctx.schema.names]):
        pass
    return Result()
""",
    "made anew": """
def run(ctx):
    with ctx.derive([make("n", "int"), make("x", "float"), keep("w")]) as out:
        for chunk in ctx.chunks(["n", "x"]):
            out.append({"n": chunk["n"].astype("int64"), "x": chunk.data("x")})
    return Result()
""",
}


@pytest.mark.parametrize("how", UNCHANGED)
def test_what_changes_nothing_is_the_parent(place: Place, how: str) -> None:
    place.add("transform_none", UNCHANGED[how])
    place.add_summing(table="transform_none")
    for _ in range(2):
        report = place.run()
        assert set(ended(report).values()) == {"ok"}
        assert report.report["derived"][0]["key"] == place.dataset.key
    assert len(place.data.list_stores()) == 1
    assert not place.data.lineage.exists()


FAILING = {
    "def run(ctx):\n    raise ValueError('no luck')\n": "failed: ValueError: no luck",
    "def run(ctx):\n    raise Skip('there is no case', 'name one')\n": "was skipped: there is no case; name one",
    "def run(ctx):\n    ctx.derive([keep('n')])\n    return Result()\n": "failed: ResultError: its derived table",
    "def run(ctx):\n    with ctx.derive([keep('gone')]):\n        pass\n": "failed: BadInputError: column 'gone'",
}


@pytest.mark.parametrize("code", FAILING)
def test_what_needs_a_failed_transform_is_skipped_with_the_reason(place: Place, code: str) -> None:
    place.add("transform_bad", code)
    place.add_summing(table="transform_bad")
    place.add("analysis_next", NOTHING, depends_on=["analysis_sums"])
    place.add("analysis_any", NOTHING, depends_on=["type:transform"])
    report = place.run()
    assert of(report, "analysis_sums").status == "skipped"
    expected = f"it needs transform_bad, which {FAILING[code]}"
    assert of(report, "analysis_sums").reason.startswith(expected)
    assert of(report, "analysis_next").reason.startswith(f"it needs analysis_sums, which was skipped: {expected}")
    assert of(report, "analysis_any").status == "ok"
    assert place.data.list_stores() == [place.dataset.location]


def test_a_transform_may_make_no_table(place: Place) -> None:
    place.add("transform_none", NOTHING)
    place.add_summing(table="transform_none")
    report = place.run()
    assert of(report, "transform_none").status == "ok"
    assert of(report, "analysis_sums").reason == "it runs on the table of transform_none, which made none"


def test_only_transforms_derive(place: Place) -> None:
    place.add("analysis_derives", "def run(ctx):\n    ctx.derive([keep('n')])\n    return Result()\n")
    assert "only plugins of type transform" in of(place.run(), "analysis_derives").reason


@pytest.mark.parametrize("harm", ["flip", "remove"])
def test_a_store_that_is_harmed_is_made_again(place: Place, harm: str) -> None:
    place.add("transform_double", DOUBLE)
    place.add_summing(table="transform_double")
    first = place.run()
    made = derived(place, first, "transform_double")
    if harm == "remove":
        place.data.drop_store(made.location)
    else:
        chunk = next(p for p in sorted((made.location / "twice").rglob("*")) if p.is_file() and p.name != "zarr.json")
        content = bytearray(chunk.read_bytes())
        content[len(content) // 2] ^= 0xFF
        chunk.write_bytes(content)
    second = place.run()
    assert not of(second, "transform_double").cached
    assert of(second, "analysis_sums").cached
    assert list(verify(open_location(made.location))) == []
    assert first.files["report.json"].read_bytes() == second.files["report.json"].read_bytes()


def test_a_harmed_store_makes_way_also_without_cache(place: Place) -> None:
    place.add("transform_double", DOUBLE)
    made = derived(place, place.run(), "transform_double")
    (made.location / "zarr.json").write_text("{}")
    place.run(cache=False)
    assert list(verify(open_location(made.location))) == []


def test_a_derived_store_is_not_the_newest_table(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.add("transform_double", DOUBLE)
    made = derived(place, place.run(), "transform_double")
    assert place.data.find_store() == place.dataset.location
    assert place.data.find_store(made.key) == made.location
    assert toolkit.stores.main(["list", "--json", "--appdata", str(place.appdata)]) == 0
    listed = {s["key"]: s["derived_from"] for s in json.loads(capsys.readouterr().out)["stores"]}
    parent = {"parent": place.dataset.key, "plugin": "transform_double", "version": "1"}
    assert listed == {place.dataset.key: [], made.key: [parent]}
    record = json.loads(next(place.data.lineage.iterdir()).read_text())
    assert [c["how"] for c in record["columns"]] == ["kept", "times two", "kept"]
    place.data.drop_store(made.location)
    assert toolkit.stores.main(["gc", "--appdata", str(place.appdata), "--quiet"]) == 0
    assert list(place.data.lineage.iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from toolkit.engine import discovery, tables
from toolkit.engine.runner import run_plugins

def before(self, run, declaration, staged):
    assert list(staged.iterdir()), "nothing is staged"
    os.kill(os.getpid(), signal.SIGKILL)

def after(self, run):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[5] == "before":
    tables.Tables.publish_task = before
else:
    tables.Tables.open = after
discovery.shipped_plugins = lambda: Path(sys.argv[3])
run_plugins(sys.argv[1], appdata=sys.argv[2], executor=sys.argv[4], workers=2, policy="off")
"""


@pytest.mark.parametrize(("executor", "moment"), [("serial", "before"), ("process", "before"), ("process", "after")])
def test_a_run_killed_around_publishing_is_gone_on_with(place: Place, executor: str, moment: str) -> None:
    place.add("transform_double", DOUBLE)
    place.add_summing(table="transform_double")
    arguments = [str(place.dataset.location), str(place.appdata), str(place.plugins), executor, moment]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    (killed,) = place.data.runs.iterdir()
    assert (killed / "scratch" / "plugin-transform_double").is_dir()
    assert len(place.data.list_stores()) == {"before": 1, "after": 2}[moment]
    resumed = place.run(resume=killed.name)
    assert resumed.status == "ok"
    assert not (killed / "scratch").exists()
    fresh = place.run(cache=False)
    assert resumed.files["report.json"].read_bytes() == fresh.files["report.json"].read_bytes()


def test_what_a_killed_run_staged_is_collected(place: Place) -> None:
    place.add("transform_double", DOUBLE)
    arguments = [str(place.dataset.location), str(place.appdata), str(place.plugins), "serial", "before"]
    subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True, check=False)
    (killed,) = place.data.runs.iterdir()
    (place.data.runs / "live").mkdir()
    with place.data.holding(place.data.runs / "live" / "scratch"):
        assert place.data.collect_stale() == [killed / "scratch"]
