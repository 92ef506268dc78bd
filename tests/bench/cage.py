"""What each layer of the cage adds to a child: fork with torch, cage, load one statement, exit; the variants in turn."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from autograder.core.assignment import Limits
from autograder.sandbox.judge_side.worker import Worker
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from bench.report import Detail, Measured, Size

PROGRAM = {
    "statements": [{"code": "f = 1", "cell": 0, "line": 1}],
    "watch": [],
    "report": ["f"],
    "prelude": "",
    "future": [],
    "modules": {},
}
ALL = ("user", "landlock", "seccomp")
WITHOUT = {"": (), **{layer: (layer,) for layer in ALL}, "all three": ALL}


def interpreter() -> tuple[str, tuple[str, ...]]:
    """A Python that workers can use, and where it finds torch: the user layer needs root and a Python that others can read."""
    system = Path("/usr/bin/python3")
    if os.geteuid() == 0 and system.exists():
        asked = [str(system), "-c", "import sys; print(sys.version_info[:2])"]
        if subprocess.run(asked, capture_output=True, text=True).stdout.strip() == str(sys.version_info[:2]):
            return str(system), (sysconfig.get_paths()["purelib"],)
    return sys.executable, ()


def measure(size: Size) -> Measured:
    times = {name: [] for name in WITHOUT}
    with contextlib.ExitStack() as stack:
        zygotes = {
            name: stack.enter_context(ZygoteClient(("torch",), *interpreter(), without)) for name, without in WITHOUT.items()
        }
        for _ in range(8 if size.quick else 80):
            for name, zygote in zygotes.items():
                started = time.perf_counter()
                with Worker(zygote, Limits()) as worker:
                    worker.load(PROGRAM)
                times[name].append(1000 * (time.perf_counter() - started))
    full = statistics.median(times[""])
    rows = [["a caged child, all of it", f"{full:.1f} ms"]]
    for name in list(WITHOUT)[1:]:
        added = statistics.median(a - b for a, b in zip(times[""], times[name]))
        rows.append([f"the layer {name}" if name in ALL else name, f"{added:+.2f} ms"])
    return Measured(details=[Detail("A child of the zygote, and what each layer of the cage adds", ["", "time"], rows)])
