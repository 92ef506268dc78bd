"""Judge side: start the zygote and ask it for workers and for branches of itself."""

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
REPLY_BYTES = 1 << 16


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
        self.control, self.python, self.preload = ours, python, ", ".join(preload) or "json"
        self.off: dict[str, str] | None = None
        self.branches: dict[tuple[tuple[str, ...], bool], Branch] = {}
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

    def __exit__(self, *_: object) -> None:
        self.close()
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self) -> None:
        """Close the control socket: the zygote and its branches then end their workers and exit."""
        for branch in self.branches.values():
            branch.close()
        self.control.close()

    def wait(self) -> dict[str, str]:
        """Wait until the imports are done; returns the layers of the cage that are off here, with the reason.

        Raises GraderError if the zygote did not start.
        """
        if self.off is None:
            try:
                off: dict[str, str] = protocol.receive(self.control, REPLY_BYTES, READY_SECONDS)["off"]
            except protocol.FrameError:
                raise GraderError(f"the worker did not start; can {self.python} import {self.preload}?") from None
            self.off = off
        return self.off

    def branch(self, preload: tuple[str, ...], scratch: bool) -> ZygoteClient:
        """A zygote forked from this one that imports further modules; with ``scratch`` its workers get a writable folder.

        Created once and cached; returns at once, like the constructor. Without either option this is the zygote itself.
        """
        if not preload and not scratch:
            return self
        if (preload, scratch) not in self.branches:
            self.branches[preload, scratch] = self._new_branch(preload, scratch)
        return self.branches[preload, scratch]

    def clone(self) -> Branch:
        """Another zygote, forked from this one and already warm, for another judge process, which ends it by closing it.

        The branches are cloned too.
        """
        self.wait()
        clone = self._new_branch((), False)
        clone.branches = {key: branch.clone() for key, branch in self.branches.items()}
        return clone

    def compact(self) -> None:
        """Spend a moment to make every later fork cheaper; worth it for many submissions."""
        self.wait()
        protocol.send(self.control, {"op": "compact"})
        protocol.receive(self.control, REPLY_BYTES, READY_SECONDS)

    def fork(self) -> tuple[int, socket.socket]:
        """Fork a child; returns its pid and our end of its pipe."""
        self.wait()
        ours = self._send_with_socket({"op": "fork"})
        return protocol.receive(self.control, REPLY_BYTES, READY_SECONDS)["pid"], ours

    def _new_branch(self, preload: tuple[str, ...], scratch: bool) -> Branch:
        control = self._send_with_socket({"op": "branch", "preload": preload, "scratch": scratch})
        return Branch(control, self.python, self.preload, preload)

    def _send_with_socket(self, request: dict[str, Any]) -> socket.socket:
        """Send a request together with one end of a new socket pair; returns the other end."""
        ours, theirs = socket.socketpair()
        message = pack(request)
        socket.send_fds(self.control, [message[:4]], [theirs.fileno()])
        self.control.sendall(message[4:])
        theirs.close()
        return ours

    def reap(self, pid: int) -> dict[str, Any]:
        """Kill a child and everything it started; returns its signal, exit code and CPU seconds."""
        protocol.send(self.control, {"op": "reap", "pid": pid})
        ended: dict[str, Any] = protocol.receive(self.control, REPLY_BYTES, READY_SECONDS)
        return ended


class Branch(ZygoteClient):
    """A zygote that another zygote forked; it ends when its control socket is closed."""

    def __init__(self, control: socket.socket, python: str, inherited: str, preload: tuple[str, ...]):
        self.control, self.python, self.preload = control, python, ", ".join((inherited, *preload))
        self.off = None
        self.branches = {}

    def __exit__(self, *_: object) -> None:
        self.close()
