"""Judge's side: what the cage promises, probed from inside a real worker, and what each layer costs.

A layer that was asked for is not yet one that holds. Each probe is a small piece of hostile code that tries the
real thing; what it reports is the finding, whatever the layers say about themselves.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.worker_side.cage import LAYERS

# name -> (why it matters, code that raises OSError while the cage holds; "{…}" is filled in by the judge)
PROBES = {
    "read a hidden file": ("references", "open({canary!r}).read()"),
    "list the hidden folder": ("references", "os.listdir({folder!r})"),
    "read the grader's memory": ("references", "open('/proc/{judge}/mem', 'rb')"),
    "read the grader's environment": ("references", "open('/proc/{judge}/environ').read()"),
    "trace the grader": ("references", "checked(ctypes.CDLL(None, use_errno=True).ptrace(16, {judge}, 0, 0))"),
    "open a socket": ("network", "socket.create_connection(('127.0.0.1', {port}), 1)"),
    "write a file": ("files", "open({written!r}, 'w')"),
    "fork": ("processes", "os._exit(0) if os.fork() == 0 else None"),
    "start a program": ("processes", "os.posix_spawn('/bin/true', ['true'], {{}})"),
    "signal the grader": ("processes", "os.kill({judge}, 0)"),
    "make a file in memory": ("processes", "os.memfd_create('x')"),
}
# The same for workers that have a folder to write in; the first two are what they are for.
SCRATCH_PROBES = {
    "write in its own folder": "open('probe', 'w').write('x')",
    "remove what it wrote": "os.remove('probe')",
    "write outside its folder": "open({written!r}, 'w')",
    "make a folder outside": "os.mkdir({written!r})",
    "move a file out": "(open('probe', 'w').close(), os.rename('probe', {written!r}))",
    "link to a hidden file": "os.symlink({canary!r}, 'link')",
    "change a file's mode": "os.chmod('.', 0o777)",
}
WANTED = ("write in its own folder", "remove what it wrote")
PROGRAM = """
import ctypes, os, socket

def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

def probe(code):
    try:
        eval(code)
    except OSError as error:
        return os.strerror(error.errno) if error.errno else type(error).__name__
    return ''
"""


@dataclass
class Finding:
    """One probe: what was tried, what it would give away, and what came back ('' means it succeeded)."""

    name: str
    protects: str
    refusal: str

    @property
    def held(self) -> bool:
        return bool(self.refusal)


@dataclass
class Diagnosis:
    """``layers``: name -> "on" or why not; ``findings``: the probes, in order."""

    layers: dict[str, str]
    findings: list[Finding]
    scratch: list[Finding] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether hidden references are out of reach of student code, and it writes nowhere but in its own folder."""
        return all(finding.held != (finding.name in WANTED) for finding in self.scratch) and all(
            finding.held for finding in self.findings if finding.protects == "references"
        )

    def lines(self) -> list[str]:
        """One line for each probe and layer, for logs."""
        layers = [f"layer {name}: {state}" for name, state in self.layers.items()]
        probes = [f"probe {f.name}: {'held, ' + f.refusal if f.held else 'NOT HELD'}" for f in self.findings]
        return (
            layers
            + probes
            + [f"scratch probe {f.name}: {'refused, ' + f.refusal if f.held else 'allowed'}" for f in self.scratch]
        )


def examine(zygote: ZygoteClient, limits: Any, beside: Path, scratch: bool = False) -> Diagnosis:
    """Probe a fresh worker, and with ``scratch`` one that has a folder to write in too.

    ``beside``: the folder of the references; a canary is put there (or, where that cannot be written, among temporary files)
    and taken away. A probe that ends the worker, or that it does not answer, counts as not held.
    """
    off = zygote.wait()
    branch = zygote.branch((), True) if scratch else None
    layers = {name: off.get(name, "on") for name in LAYERS}
    place = beside if os.access(beside, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place, prefix=".canary-") as folder, contextlib.ExitStack() as stack:
        canary = Path(folder) / "canary"
        canary.write_text("canary")
        os.chmod(canary, 0o600)
        places = {
            "canary": str(canary),
            "folder": folder,
            "written": f"{folder}/new",
            "judge": os.getpid(),
            "port": _listening_port(stack),
        }
        findings = _tried(zygote, limits, PROBES, places)
        within = {name: ("files", code) for name, code in SCRATCH_PROBES.items()}
        return Diagnosis(layers, findings, _tried(branch, limits, within, places) if branch else [])


def _tried(zygote: ZygoteClient, limits: Any, probes: dict, places: dict) -> list[Finding]:
    """Each probe in one fresh worker."""
    with Worker(zygote, limits) as worker:
        worker.load(
            {
                "statements": [{"code": PROGRAM, "cell": 0, "line": 1}],
                "watch": [],
                "report": ["probe"],
                "prelude": "",
                "future": [],
                "modules": {},
            }
        )
        return [Finding(name, protects, _ask(worker, code.format(**places))) for name, (protects, code) in probes.items()]


def _listening_port(stack: contextlib.ExitStack) -> int:
    """A port of ours that a connection would succeed on; where there is no loopback, one that it would not."""
    try:
        return stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
    except OSError:
        return 9


def _ask(worker: Worker, code: str) -> str:
    try:
        answer = worker.call("probe", [code], {})
    except WorkerError:
        return ""
    return answer[:60] if isinstance(answer, str) else ""
