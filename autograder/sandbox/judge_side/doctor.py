"""Judge side: probe from inside a real worker whether the cage holds.

A layer that was switched on need not hold. Each probe is a small piece of hostile code that attempts the real thing;
its result is the finding, whatever the layers report about themselves.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.core.assignment import Limits
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.names import LAYERS

# name -> (what it protects, code that raises OSError while the cage holds; the judge fills in "{…}")
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
    "have the kernel signal the grader": ("processes", "fcntl.fcntl(0, fcntl.F_SETOWN, {judge})"),
    "have it signal by ioctl": ("processes", "fcntl.ioctl(0, 0x5452, b'\\1\\0\\0\\0')"),
    "make a file in memory": ("processes", "os.memfd_create('x')"),
}
# For workers with a folder to write in; the first two (WANTED) have to succeed.
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
import ctypes, fcntl, os, socket

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
    """One probe: what it attempted, what its success would expose, and the error that stopped it ('': it succeeded)."""

    name: str
    protects: str
    refusal: str

    @property
    def held(self) -> bool:
        return bool(self.refusal)


@dataclass
class Diagnosis:
    """``layers``: name -> "on" or why not; ``findings`` and ``scratch``: the probes, in order."""

    layers: dict[str, str]
    findings: list[Finding]
    scratch: list[Finding] = field(default_factory=list)

    @property
    def safe(self) -> bool:
        """Whether student code cannot reach hidden references and cannot write outside its own folder."""
        return all(finding.held != (finding.name in WANTED) for finding in self.scratch) and all(
            finding.held for finding in self.findings if finding.protects == "references"
        )

    def lines(self) -> list[str]:
        """One line for each layer and probe, for logs."""
        layers = [f"layer {name}: {state}" for name, state in self.layers.items()]
        probes = [f"probe {f.name}: {'held, ' + f.refusal if f.held else 'NOT HELD'}" for f in self.findings]
        return (
            layers
            + probes
            + [f"scratch probe {f.name}: {'refused, ' + f.refusal if f.held else 'allowed'}" for f in self.scratch]
        )


def examine(zygote: ZygoteClient, limits: Limits, beside: Path, scratch: bool = False) -> Diagnosis:
    """Probe a fresh worker and, with ``scratch``, one that has a folder to write in.

    ``beside``: the folder of the references. A canary file is put there for the duration (or into the temporary folder, if
    that one is not writable). A probe that ends the worker or gets no answer counts as not held.
    """
    off = zygote.wait()
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
        findings = _findings(zygote, limits, PROBES, places)
        within = {name: ("files", code) for name, code in SCRATCH_PROBES.items()}
        return Diagnosis(layers, findings, _findings(zygote, limits, within, places, True) if scratch else [])


def _findings(
    zygote: ZygoteClient, limits: Limits, probes: dict[str, tuple[str, str]], places: dict[str, Any], folder: bool = False
) -> list[Finding]:
    """Run all probes in one fresh worker, see ``ZygoteClient.fork`` for ``folder``."""
    with Worker(zygote, limits, folder=folder) as worker:
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
    """A port that accepts connections; without a loopback interface, one that does not."""
    try:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    except OSError:
        return 9
    port: int = server.getsockname()[1]
    return port


def _ask(worker: Worker, code: str) -> str:
    try:
        answer = worker.call("probe", [code], {})
    except WorkerError:
        return ""
    return answer[:60] if isinstance(answer, str) else ""
