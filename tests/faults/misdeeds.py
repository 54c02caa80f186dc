"""Plugins that misbehave, each with the verdict that it must end in."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import Any

MIB = 1 << 20
REDUCER = """
class Plugin(Reducer):
    def init(self):
        return {"n": 0}
    def update(self, state, chunk):
        chunk["x"]
        return {"n": state["n"] + len(chunk)}
    def merge(self, left, right):
        return {"n": left["n"] + right["n"]}
    def finish(self, state, ctx):
        return Result(state)
"""
SEND = """
import os, struct
from toolkit.core.encoding import encode
def send(body, kind=b"R"):
    os.write(3, struct.pack("<cQ", kind, len(body)) + body)
"""


@dataclass(frozen=True)
class Misdeed:
    """What a plugin does, and what must be said of it.

    Attributes
    ----------
    code : str
        plugin.py.
    cause : str
        Of the failure's record.
    reason : str
        Part of the reason.
    caps : dict
        Of its budget.
    signal, phase, limit, chunk : optional
        Of the record.
    type : str
        Of the plugin.
    """

    code: str
    cause: str
    reason: str
    caps: dict[str, int] = field(default_factory=dict)
    signal: str = ""
    phase: str = "run"
    limit: int | None = None
    chunk: int | None = None
    status: str = "failed"
    type: str = "analysis"


def _does(statements: str, cause: str, reason: str, head: str = "", **more: Any) -> Misdeed:
    body = textwrap.indent(textwrap.dedent(statements).strip(), "    ")
    imports = "import ctypes, mmap, os, signal, socket, sys, threading, time\nimport numpy as np\n"
    return Misdeed(f"{imports}{head}\ndef run(ctx):\n{body}\n    return Result()\n", cause, reason, **more)


def _limit(name: str, value: int, said: str, statements: str, **more: Any) -> Misdeed:
    caps = {"wall_ms": "time_limit_ms", "cpu_ms": "cpu_limit_ms", "quota": "disk"}
    status = "timed_out" if name.endswith("_ms") else "failed"
    return _does(statements, name, said, caps={caps.get(name, name): value}, limit=value, status=status, **more)


_MEMORY = "used more memory than its limit of 400 MiB"
_NO_RESULT = "it handed back bytes that are no result"

MISDEEDS: dict[str, Misdeed] = {
    # Ends of its own.
    "raises": _does("raise ValueError('no')", "error", "ValueError: no (plugin.py, line 6)"),
    "exits": _does("sys.exit(0)", "error", "SystemExit: 0"),
    "leaves": _does("os._exit(0)", "no_result", "its process ended without a result (exit code 0)"),
    "leaves_with_code": _does("os._exit(7)", "no_result", "without a result (exit code 7)"),
    "segfaults": _does("ctypes.string_at(0)", "crash", "its process crashed (SIGSEGV)", signal="SIGSEGV"),
    "aborts": _does("os.abort()", "crash", "its process aborted (SIGABRT)", signal="SIGABRT"),
    "kills_itself": _does(
        "os.kill(os.getpid(), signal.SIGKILL)", "killed", "its process was killed (SIGKILL)", signal="SIGKILL"
    ),
    "crashes_at_import": Misdeed(
        "import ctypes\nctypes.string_at(0)\n", "crash", "crashed (SIGSEGV)", signal="SIGSEGV", phase="import"
    ),
    "crashes_at_a_chunk": _does(
        "for chunk in ctx.chunks():\n    if chunk.index == 3: ctypes.string_at(0)",
        "crash", "crashed (SIGSEGV)", signal="SIGSEGV", chunk=3,
    ),
    "crashes_in_a_part": Misdeed(
        REDUCER.replace('chunk["x"]', 'import ctypes; chunk.index in (5, 9) and ctypes.string_at(0)'),
        "crash", "crashed (SIGSEGV)", signal="SIGSEGV", phase="pass 1, part 3", chunk=5,
    ),
    "raises_in_two_parts": Misdeed(
        REDUCER.replace('chunk["x"]', 'import time; chunk.index == 3 and time.sleep(0.3); assert chunk.index < 3, 7'),
        "error", "AssertionError: 7", phase="pass 1, part 2", chunk=3,
    ),
    "crashes_in_merge": Misdeed(
        REDUCER.replace("return Result(state)", "import os; os.abort()").replace("finish", "finish"),
        "crash", "aborted (SIGABRT)", signal="SIGABRT", phase="finish",
    ),
    # Time.
    "sleeps": _limit("wall_ms", 400, "reached time_limit_ms: 400", "time.sleep(60)"),
    "stops_itself": _limit("wall_ms", 400, "reached time_limit_ms: 400", "os.kill(os.getpid(), signal.SIGSTOP)"),
    "spins": _limit("cpu_ms", 600, "reached cpu_limit_ms: 600", "while True: pass", signal="SIGXCPU"),
    "ignores_signals": _limit(
        "wall_ms", 400, "reached time_limit_ms: 400",
        """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        while True: pass
        """,
    ),
    "floods_its_log": _limit("wall_ms", 400, "reached time_limit_ms", "while True: print('y' * 10_000)"),
    "floods_with_progress": _limit("wall_ms", 400, "reached time_limit_ms", "while True: ctx._on_progress(1, 2)"),
    # Memory, threads, disk.
    "eats_the_heap": _limit("memory", 400 * MIB, _MEMORY, "kept = [np.ones(1 << 20) for _ in range(1000)]"),
    "asks_for_too_much": _limit("memory", 400 * MIB, _MEMORY, "np.ones(1 << 40)"),
    "eats_shared_memory": _limit(
        "memory", 400 * MIB, _MEMORY,
        """
        with open("mapped", "w+b") as file:
            file.truncate(1 << 30)
            region = mmap.mmap(file.fileno(), 1 << 30)
        for start in range(0, 1 << 30, 4096): region[start] = 1
        time.sleep(10)
        """,
    ),
    "hides_memory": _does("mmap.mmap(-1, 1 << 20)", "error", "PermissionError: [Errno 1] Operation not permitted"),
    "starts_threads_without_end": _does(
        "while True: threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
        "threads", "ran more threads than its limit of 64", limit=64,
    ),
    "fills_the_disk": _limit(
        "quota", 8 * MIB, "wrote more to its folder than its limit of 8 MiB",
        "for i in range(9): (ctx.scratch / str(i)).write_bytes(bytes(1 << 20))",
    ),
    "fills_it_with_empty_files": _limit(
        "quota", 2 * MIB, "its limit of 2 MiB", "for i in range(600): (ctx.scratch / str(i)).touch()"
    ),
    "writes_one_large_file": _limit(
        "quota", 8 * MIB, "wrote more to its folder than its limit of 8 MiB",
        "(ctx.scratch / 'large').write_bytes(bytes(9 << 20))",
    ),
    # Results.
    "sends_garbage": _does("os.write(3, b'garbage' * 100); time.sleep(60)", "no_result", "it sent bytes that are no"),
    "announces_2_gb": _does(
        "os.write(3, struct.pack('<cQ', b'R', 2 << 30)); time.sleep(60)",
        "result", "its result has more than 268,435,456 bytes, the limit", SEND, limit=256 * MIB,
    ),
    "sends_2_gb": _does(
        "for _ in range(2048): os.write(3, bytes(1 << 20))", "no_result", "it sent bytes that are no result", SEND
    ),
    "returns_something_else": _does("return 5", "error", "it returned a int", phase="result"),
    "returns_an_object": _does("return Result({'x': object()})", "error", "can't be written as JSON", phase="result"),
    "returns_deep_json": _does(
        "deep = {}\nfor _ in range(100_000): deep = {'a': deep}\nreturn Result(deep)",
        "error", "Result.data can't be written as JSON: maximum recursion depth", phase="result",
    ),
    "forges_deep_json": _does("send(b'\\x91' * 100_000); os._exit(0)", "no_result", _NO_RESULT, SEND),
    "forges_a_path": _does(
        """
        result = Result(files={"../../../escaped": b"x"}).to_json()
        send(encode({"ok": True, "value": {"status": "ok", "result": encode(result)}})); os._exit(0)
        """,
        "no_result", _NO_RESULT, SEND, type="report",
    ),
    "forges_findings": _does(
        """
        result = {**Result().to_json(), "findings": [{"kind": 1, "columns": 2, "sentence": 3, "recommendation": 4}]}
        send(encode({"ok": True, "value": {"status": "ok", "result": encode(result)}})); os._exit(0)
        """,
        "no_result", _NO_RESULT, SEND,
    ),
    "forges_a_failure": _does(
        "send(encode({'ok': False, 'failure': {'type': 1, 'message': [2], 'trace': 3}})); os._exit(0)",
        "no_result", _NO_RESULT, SEND,
    ),
    "never_ends_its_passes": _does(
        "send(encode({'ok': True, 'value': {'former': b''}})); os._exit(0)", "no_result", _NO_RESULT, SEND
    ),
    "has_endless_passes": _does(
        "send(encode({'ok': True, 'value': {'split': float('inf')}})); os._exit(0)", "no_result", _NO_RESULT, SEND
    ),
    "claims_damage": _does(
        "raise DamagedStoreError('all is lost', column='x', chunk=3)",
        "error", "it said that column 'x', chunk 3 is damaged, and that is not so",
        "from toolkit.core.errors import DamagedStoreError",
    ),
    "claims_that_the_store_is_gone": _does(
        "send(encode({'ok': False, 'failure': {'type': 'x', 'message': 'x', 'damaged': True}})); os._exit(0)",
        "error", "it said that the store is damaged, and that is not so", SEND,
    ),
    # What is forbidden.
    "opens_a_socket": _does("socket.socket()", "violation", "may not reach the network (socket)"),
    "opens_a_socket_by_ctypes": _does(
        "ctypes.CDLL(None).socket(2, 1, 0)", "forbidden_call", "a system call that is forbidden (SIGSYS)",
        signal="SIGSYS",
    ),
    "forks": _does("os.fork()", "violation", "may not start a process (plugin.py, line 6)"),
    "writes_elsewhere": _does(
        "try: open('/tmp/contained-elsewhere', 'w')\nexcept OSError: pass",
        "violation", "it tried to write '/tmp/contained-elsewhere'", phase="result",
    ),
    "reads_elsewhere": _does("open('/etc/passwd')", "error", "may not read '/etc/passwd'"),
    "writes_its_own_code": _does("open(__file__, 'a')", "violation", "may not write"),
}  # fmt: skip
