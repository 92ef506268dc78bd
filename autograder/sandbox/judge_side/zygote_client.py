"""Judge side: start the zygote, ask it for workers and for branches of itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.paths import IMPORT_ROOT, PACKAGE
from autograder.core.trees import pack
from autograder.sandbox import protocol

GRACE_SECONDS = 2.0
READY_SECONDS = 180.0


class ZygoteClient:
    """A warm process to fork workers from. Use as a context manager.

    The constructor returns at once; the first ``fork`` waits until the imports are done. ``python`` and ``paths``:
    another interpreter for workers, and where it finds torch; ``without``: layers of the cage to leave out (tests).
    """

    def __init__(
        self, preload: tuple[str, ...], python: str = sys.executable, paths: tuple[str, ...] = (), without: tuple[str, ...] = ()
    ):
        ours, theirs = socket.socketpair()
        options = {"preload": preload, "paths": paths, "without": without}
        script = PACKAGE / "sandbox" / "worker_side" / "zygote.py"
        self.control, self.off, self.python, self.preload = ours, None, python, ", ".join(preload) or "json"
        self.branches: dict[tuple, Branch] = {}
        self.process = subprocess.Popen(
            [python, "-I", str(script), str(theirs.fileno()), str(IMPORT_ROOT), json.dumps(options)],
            env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
            cwd="/",
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        theirs.close()

    def __enter__(self) -> ZygoteClient:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Hang up; it ends its workers and itself, and so do its branches."""
        for branch in self.branches.values():
            branch.close()
        self.control.close()

    def wait(self) -> dict[str, str]:
        """Wait until the imports are done; returns the layers that are off here, with the reason.

        Raises GraderError when the zygote did not start.
        """
        if self.off is None:
            try:
                self.off = protocol.receive(self.control, 1 << 16, READY_SECONDS)["off"]
            except protocol.FrameError:
                raise GraderError(f"the worker did not start; can {self.python} import {self.preload}?") from None
        return self.off

    def branch(self, preload: tuple[str, ...], scratch: bool) -> ZygoteClient:
        """A zygote forked from this one that holds further modules, its workers with a folder to write in if ``scratch``.

        Made once and kept warm; returns at once, like the constructor. Without either it is this one.
        """
        if not preload and not scratch:
            return self
        if (preload, scratch) not in self.branches:
            self.branches[preload, scratch] = self._branched(preload, scratch)
        return self.branches[preload, scratch]

    def clone(self) -> ZygoteClient:
        """Another zygote, forked from this one and warm at once, for another judge's process: it ends when that closes it.

        So are its branches.
        """
        self.wait()
        made = self._branched((), False)
        made.branches = {key: branch.clone() for key, branch in self.branches.items()}
        return made

    def compact(self) -> None:
        """Spend a moment on making every later fork cheaper; for many submissions."""
        self.wait()
        protocol.send(self.control, {"op": "compact"})
        protocol.receive(self.control, 1 << 16, READY_SECONDS)

    def fork(self) -> tuple[int, socket.socket]:
        """A new child: its pid and our end of its pipe."""
        self.wait()
        ours = self._handed({"op": "fork"})
        return protocol.receive(self.control, 1 << 16, READY_SECONDS)["pid"], ours

    def _branched(self, preload: tuple[str, ...], scratch: bool) -> Branch:
        control = self._handed({"op": "branch", "preload": preload, "scratch": scratch})
        return Branch(control, self.python, self.preload, preload)

    def _handed(self, request: dict) -> socket.socket:
        """Send a request with one end of a new socket pair; returns the other end."""
        ours, theirs = socket.socketpair()
        message = pack(request)
        socket.send_fds(self.control, [message[:4]], [theirs.fileno()])
        self.control.sendall(message[4:])
        theirs.close()
        return ours

    def reap(self, pid: int) -> dict:
        """Kill a child with all it started; returns signal, exit code and CPU seconds."""
        protocol.send(self.control, {"op": "reap", "pid": pid})
        return protocol.receive(self.control, 1 << 16, READY_SECONDS)


class Branch(ZygoteClient):
    """A zygote that another one was asked for, by its control socket; it ends when that is closed."""

    def __init__(self, control: socket.socket, python: str, held: str, preload: tuple[str, ...]):
        self.control, self.off, self.python, self.preload = control, None, python, ", ".join((held, *preload))
        self.branches = {}

    def __exit__(self, *_: Any) -> None:
        self.close()
