"""What each layer of the cage adds to a child: fork with torch, cage, load one statement, exit; the variants in turn.

Beside it, the least that any child of a process with torch costs: to be forked and to end at once.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
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
BARE_FORK = """
import gc, os, sys, time
import torch

torch.set_num_threads(1)
gc.freeze()
print(flush=True)
for _ in sys.stdin:
    started = time.perf_counter()
    if not (child := os.fork()):
        os._exit(0)
    os.waitpid(child, 0)
    print(1000 * (time.perf_counter() - started), flush=True)
"""
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


@contextlib.contextmanager
def bare_forks() -> Iterator[Callable[[], float]]:
    """A function that forks a process with torch, waits for the child's end, and gives the milliseconds of both."""
    command = [sys.executable, "-c", BARE_FORK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()  # torch is imported

        def fork() -> float:
            process.stdin.write("\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield fork
        process.stdin.close()


def child_of(zygote: ZygoteClient) -> float:
    """Milliseconds of a child: forked, caged, one statement, ended."""
    started = time.perf_counter()
    with Worker(zygote, Limits()) as worker:
        worker.load(PROGRAM)
    return 1000 * (time.perf_counter() - started)


def measure(size: Size) -> Measured:
    times, bare, in_a_class = {name: [] for name in WITHOUT}, [], []
    with contextlib.ExitStack() as stack:
        fork = stack.enter_context(bare_forks())
        zygotes = {
            name: stack.enter_context(ZygoteClient(("torch",), *interpreter(), without)) for name, without in WITHOUT.items()
        }
        large = stack.enter_context(ZygoteClient(("torch",), *interpreter()))
        large.compact()  # as `batch` does
        for _ in range(8 if size.quick else 80):
            bare.append(fork())
            in_a_class.append(child_of(large))
            for name, zygote in zygotes.items():
                times[name].append(child_of(zygote))
    full = statistics.median(times[""])
    least, of_a_class = statistics.median(bare), statistics.median(in_a_class)
    rows = [
        ["a caged child, all of it", f"{full:.1f} ms"],
        ["the same in a class, where it pays to join the zygote's memory into huge pages", f"{of_a_class:.1f} ms"],
        ["a bare fork with torch, and its end", f"{least:.1f} ms"],
    ]
    for name in list(WITHOUT)[1:]:
        added = statistics.median(a - b for a, b in zip(times[""], times[name]))
        rows.append([f"the layer {name}" if name in ALL else name, f"{added:+.2f} ms"])
    figures = {"cage.child": full, "cage.class": of_a_class, "cage.fork": full / least}
    return Measured(figures, [Detail("A child of the zygote, and what each layer of the cage adds", ["", "time"], rows)])
