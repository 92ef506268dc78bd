"""A process of its own for work on untrusted bytes that runs none of them: a fork of the judge under limits.

It starts in milliseconds, because it is a copy of this process, and answers requests until it is closed. Its answers are plain
trees, capped and still untrusted. If it ends by itself, it is started again without the piece of the submission that it was
looking at (``core.watch``), so that a piece that takes all memory or time, or crashes Python's parser, costs itself only.
"""

from __future__ import annotations

import contextlib
import gc
import mmap
import os
import signal
import socket
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.watch import LARGE, MARK, OURS, watch
from autograder.sandbox import protocol
from autograder.sandbox.process import die_with_parent

if sys.platform != "win32":
    import resource

Answers = Callable[[dict[str, Any]], Any]

MEMORY = 224 << 20  # bytes beyond what the judge has mapped: all of a notebook of the largest size, read
SECONDS, ALL_SECONDS = 5, 9  # processor time of one process, and of all that are started for one submission
STARTS = 24
PIECES = 6  # of one file or section may end a process, before it is left out as a whole
ANSWER_BYTES = 96 << 20
TIME, CRASH = "takes too long to be read", "cannot be read: Python's parser crashes on it"
NO_SPACE = 3  # exit status
OUT_OF_TIME = {getattr(signal, name, None) for name in ("SIGXCPU", "SIGPROF")}


class Ended(GraderError):
    """The process cannot give this answer; the message says why."""


class Apart:
    """``make()`` runs in the new process and returns what answers requests there; ``patience``: seconds for one answer.

    Where there is no fork (Windows), everything runs in this process, without limits.
    """

    def __init__(self, make: Callable[[], Answers], patience: float):
        self.make, self.patience = make, patience
        self.pid = 0
        self.sock: socket.socket | None = None
        self.mark = mmap.mmap(-1, MARK.size)
        self.left_out: dict[int, str] = {}
        self.ended: Counter[int] = Counter()  # by whole: how many processes it has ended
        self.starts, self.used = 0, 0.0
        self.peak = 0  # bytes: the largest memory of a process that has ended, what it shares with the judge included
        self.here: Answers | None = None

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.pid:
            self._end(signal.SIGKILL)

    def ask(self, op: str, **fields: Any) -> Any:
        """The answer to a request. Raises GraderError where the work raised it, Ended if it cannot be done."""
        request, deadline = {"op": op, **fields}, time.monotonic() + self.patience
        if not hasattr(os, "fork"):
            self.here = self.here or self.make()
            return self.here(request)
        while True:
            answer = self._answer(request, deadline)
            if answer is not None:
                break
        if isinstance(answer, dict) and "ok" in answer:
            return answer["ok"]
        refused = answer.get("refused") if isinstance(answer, dict) else None
        raise GraderError(refused if isinstance(refused, str) else "the submission could not be read")

    def _answer(self, request: dict[str, Any], deadline: float) -> Any:
        """The process's answer; None if it ended and it is worth starting another one. Raises Ended."""
        if not self.pid:
            self._start()
        assert self.sock is not None
        try:
            protocol.send(self.sock, request)
            return protocol.receive(self.sock, ANSWER_BYTES, max(0.1, deadline - time.monotonic()))
        except protocol.FrameError as error:
            problem = error
        whole, piece = MARK.unpack_from(self.mark, 0)
        how = self._how(problem)
        self.ended[whole] += 1
        if not piece or piece in self.left_out or (whole and self.ended[whole] > PIECES):
            piece = whole
        if not piece or piece in self.left_out or self.starts >= STARTS or time.monotonic() > deadline:
            raise Ended(f"what was submitted {how}")
        self.left_out[piece] = how
        return None

    def _how(self, problem: protocol.FrameError) -> str:
        """How the process ended, or why it has to, as the end of a sentence about what it was reading."""
        if not self._is_over():
            self._end(signal.SIGKILL)
            return TIME if isinstance(problem, protocol.FrameTimeout) else OURS
        status = self._end(0)
        if os.WIFEXITED(status):
            return LARGE if os.WEXITSTATUS(status) == NO_SPACE else OURS
        if os.WTERMSIG(status) == signal.SIGKILL:  # by the kernel, which was out of memory
            return LARGE
        return TIME if os.WTERMSIG(status) in OUT_OF_TIME else CRASH

    def _is_over(self) -> bool:
        """Whether the process has ended or is about to: its end of the pipe is closed."""
        assert self.sock is not None
        self.sock.settimeout(0)
        try:
            return not self.sock.recv(1)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _start(self) -> None:
        seconds = min(SECONDS, int(ALL_SECONDS - self.used))
        if seconds < 1:
            raise Ended(f"what was submitted {TIME}")
        self.starts += 1
        MARK.pack_into(self.mark, 0, 0, 0)
        self.sock, theirs = socket.socketpair()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # other threads: the child uses none of their locks
            self.pid = os.fork()
        if self.pid == 0:
            self._child(theirs, seconds)
        theirs.close()

    def _end(self, number: int) -> int:
        """End the process and count what it used; returns its status."""
        if number:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
        _, status, usage = os.wait4(self.pid, 0)
        self.used += usage.ru_utime + usage.ru_stime
        self.peak = max(self.peak, usage.ru_maxrss << (0 if sys.platform == "darwin" else 10))
        self.pid = 0
        if self.sock is not None:
            self.sock.close()
        return status

    def _child(self, sock: socket.socket, seconds: int) -> None:
        """What the new process does; never returns."""
        try:
            gc.freeze()  # a collection would touch, and so copy, all that is shared with the judge
            die_with_parent()
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            with open(os.devnull, "r+b") as nothing:
                for number in range(3):
                    os.dup2(nothing.fileno(), number)
            own = os.dup2(sock.fileno(), 3)
            os.closerange(4, 65536)
            _limit(seconds)
            watch.mark, watch.left_out = self.mark, self.left_out
            _serve(socket.socket(fileno=own), self.make)
        except protocol.FrameError:
            os._exit(0)  # the judge has closed the pipe
        except MemoryError:
            os._exit(NO_SPACE)
        except BaseException:
            os._exit(1)
        os._exit(0)


def _limit(seconds: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        with open("/proc/self/statm", encoding="ascii") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    # SIGXCPU at the first limit of the processor's time; at the second it would be SIGKILL, as for want of memory.
    for name, value, hard in (("CPU", seconds, seconds + 1), ("CORE", 0, 0), ("FSIZE", 0, 0)):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, hard))


def _serve(sock: socket.socket, make: Callable[[], Answers]) -> None:
    answers: Answers | None = None
    while True:
        request = protocol.receive(sock, ANSWER_BYTES)
        try:
            if answers is None:
                answers = make()
            answer = {"ok": answers(request)}
        except GraderError as error:
            answer = {"refused": str(error)}
        watch.rest()
        protocol.send(sock, answer)
