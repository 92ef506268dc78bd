"""Judge side: start the zygote and ask it for workers and for branches of itself."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import tempfile
from typing import Any, NamedTuple

from autograder.core.errors import NotStarted
from autograder.core.paths import IMPORT_ROOT, PACKAGE
from autograder.core.trees import pack
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.clock import charged_seconds

GRACE_SECONDS = 2.0
READY_SECONDS = 180.0  # on the process's own clock, see charged_seconds
REPLY_BYTES = 1 << 16


class Extra(NamedTuple):
    """What a branch has beyond its origin: further modules, a folder for its workers to write in, the code of ``sources``."""

    preload: tuple[str, ...]
    scratch: bool
    sources: tuple[str, ...] = ()


class ZygoteClient:
    """A warm process to fork workers from. Use as a context manager.

    The constructor returns at once; the first ``fork`` waits until the imports are done. For tests only:
    ``python`` and ``paths``, another interpreter for workers and where it finds torch; ``without``, layers of the cage to leave
    out.
    """

    def __init__(
        self, preload: tuple[str, ...], python: str = sys.executable, paths: tuple[str, ...] = (), without: tuple[str, ...] = ()
    ):
        self.python, self.preload = python, ", ".join(preload) or "json"
        self.options = json.dumps({"preload": preload, "paths": paths, "without": without})
        self.off: dict[str, str] | None = None
        self.branches: dict[Extra, Branch] = {}
        self._start()

    def _start(self) -> None:
        self.control, theirs = socket.socketpair()
        script = PACKAGE / "sandbox" / "worker_side" / "zygote.py"
        self.process = subprocess.Popen(
            [self.python, "-I", str(script), str(theirs.fileno()), str(IMPORT_ROOT), self.options],
            env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "TMPDIR": tempfile.gettempdir()},
            cwd="/",
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self.process.pid
        theirs.close()

    def _start_again(self) -> None:
        """Once more, after the first start failed and its process is gone."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self._start()

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

        A start that fails is tried again once. Raises NotStarted.
        """
        if self.off is None:
            try:
                return self._off()
            except NotStarted:
                self._start_again()
        return self._off()

    def is_warm(self) -> bool:
        """Whether its imports and those of its branches are done, or have failed; does not wait for them."""
        try:
            while self.off is None and select.select([self.control], [], [], 0)[0]:
                self._take()
        except NotStarted:
            return True  # the next ``wait`` raises the error, or starts another process
        return self.off is not None and all(branch.is_warm() for branch in self.branches.values())

    def _off(self) -> dict[str, str]:
        while self.off is None:
            self._take()
        return self.off

    def _take(self) -> None:
        """Receive one of the frames with which the process reports that it starts: a branch's pid, the layers that are off."""
        frame = self._receive()
        self.pid, self.off = frame.get("pid", self.pid), frame.get("off")

    def _receive(self) -> dict[str, Any]:
        """The process's next frame; on a busy machine it has more time. Raises NotStarted."""
        since = charged_seconds(self.pid)
        try:
            while (left := READY_SECONDS - (charged_seconds(self.pid) - since)) > 0:
                if select.select([self.control], [], [], left)[0]:
                    frame: dict[str, Any] = protocol.receive(self.control, REPLY_BYTES, READY_SECONDS)
                    return frame
        except protocol.FrameError:
            pass
        raise NotStarted(f"the worker did not start; can {self.python} import {self.preload}?")

    def branch(self, preload: tuple[str, ...], scratch: bool, sources: tuple[str, ...] = ()) -> ZygoteClient:
        """A zygote forked from this one that imports further modules; with ``scratch`` its workers get a writable folder.

        ``sources``: of modules that its workers will import from memory, compiled once for all of them. Created once and
        cached; returns at once, like the constructor. Without modules and folder this is the zygote itself.
        """
        if not preload and not scratch:
            return self
        extra = Extra(preload, scratch, sources)
        if extra not in self.branches:
            self.branches[extra] = self._new_branch(extra)
        return self.branches[extra]

    def clone(self) -> Branch:
        """Another zygote, forked from this one and already warm, for another judge process, which ends it by closing it.

        The branches are cloned too.
        """
        self.wait()
        clone = self._new_branch(Extra((), False))
        for key, branch in list(self.branches.items()):
            try:
                clone.branches[key] = branch.clone()
            except NotStarted:  # the clone makes its own when it needs it
                self.branches.pop(key).close()
        clone.origin = None  # another process has it
        return clone

    def compact(self) -> None:
        """Spend a moment to make every later fork cheaper; worth it for many submissions."""
        self.wait()
        self._send({"op": "compact"})
        self._receive()

    def fork(self, folder: bool = False) -> tuple[int, socket.socket]:
        """Fork a child; returns its pid and our end of its pipe. With ``folder`` it gets a writable one in any case.

        Raises NotStarted.
        """
        self.wait()
        ours = self._send_with_socket({"op": "fork", "folder": folder})
        answer = self._receive()
        if "failed" in answer:
            ours.close()
            raise NotStarted(f"no worker can be started here: {answer['failed']}.")
        return answer["pid"], ours

    def _new_branch(self, extra: Extra) -> Branch:
        control = self._send_with_socket({"op": "branch", **extra._asdict()})
        return Branch(control, self, extra)

    def _send_with_socket(self, request: dict[str, Any]) -> socket.socket:
        """Send a request together with one end of a new socket pair; returns the other end."""
        ours, theirs = socket.socketpair()
        message = pack(request)
        try:
            socket.send_fds(self.control, [message[:4]], [theirs.fileno()])
            self.control.sendall(message[4:])
        except OSError:
            ours.close()
            raise NotStarted("the process that starts workers is gone.") from None
        finally:
            theirs.close()
        return ours

    def _send(self, request: dict[str, Any]) -> None:
        try:
            protocol.send(self.control, request)
        except protocol.FrameError:
            raise NotStarted("the process that starts workers is gone.") from None

    def reap(self, pid: int) -> None:
        """Kill a child and everything it started; waits until they are gone."""
        self._send({"op": "reap", "pid": pid})
        self._receive()


class Branch(ZygoteClient):
    """A zygote forked from another, its ``origin`` (None: another judge's); it ends when its control socket is closed."""

    def __init__(self, control: socket.socket, origin: ZygoteClient, extra: Extra):
        self.control, self.python = control, origin.python
        self.origin: ZygoteClient | None = origin
        self.extra, self.preload = extra, ", ".join((origin.preload, *extra.preload))
        self.off = None
        self.pid = 0
        self.branches = {}

    def _start_again(self) -> None:
        self.control.close()
        if self.origin is None:
            raise NotStarted(f"the worker did not start; can {self.python} import {self.preload}?")
        self.pid, self.control = 0, self.origin._new_branch(self.extra).control

    def __exit__(self, *_: object) -> None:
        self.close()
