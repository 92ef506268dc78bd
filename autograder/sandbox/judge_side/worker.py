"""Judge side: one worker, its student functions called with a deadline; nothing that it answers is believed."""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.sandbox import protocol
from autograder.sandbox.judge_side.zygote_client import GRACE_SECONDS, ZygoteClient

POLITE_SECONDS = 1.0
PROMPT_SECONDS = 0.05
NICER = 5
WAITING_COUNTS = 0.1


class WorkerError(Exception):
    """Student code did not answer a request. ``kind``: exception | timeout | died | protocol."""

    def __init__(self, kind: str, type_name: str = "", message: str = "", where: list | None = None):
        super().__init__(kind, type_name, message)
        self.kind, self.type_name, self.message, self.where = kind, type_name, message, where or []
        self.statement = -1


@dataclass
class Loaded:
    """What a slice left behind. ``snapshots``: (name, statement index, value) in order of execution."""

    bound: dict[str, str] = field(default_factory=dict)
    failures: list[dict] = field(default_factory=list)
    snapshots: list[tuple[str, int, Any]] = field(default_factory=list)


class Worker:
    """One child with one program loaded. Use as a context manager.

    ``deadline``: by time.monotonic(); nothing is waited for after it, whatever the limits still allow.
    """

    def __init__(self, zygote: ZygoteClient, limits: Any, deadline: float = math.inf):
        self.zygote, self.limits, self.deadline = zygote, limits, deadline
        self.pid, self.sock = zygote.fork()
        self.requests, self.alive = 0, True
        self.answers: dict[str, Callable] = {}
        self.asked = 0

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the child; safe to call twice."""
        if self.pid:
            self.alive = False
            self.sock.close()
            self.zygote.reap(self.pid)
            self.pid = 0

    def load(self, program: dict) -> Loaded:
        """Run a program (see ``slice.Program.wire``); every statement has a deadline of its own.

        Raises WorkerError whose ``statement`` is the index of the one that hung or ended the process.
        """
        count, seconds = len(program["statements"]), self.limits.statement_seconds
        done: list[int] = []
        try:
            reply = self._request("load", seconds, done, program=program, seconds=seconds)
        except WorkerError as error:
            error.statement = min(len(done), count - 1)
            raise
        try:
            failures = [checked_error(f) | {"index": int(f["index"])} for f in reply["failures"]]
            snapshots = [(str(s["name"]), int(s["index"]), s["value"]) for s in reply["snapshots"]]
            bound = {str(k): str(v) for k, v in reply["bound"].items()}
        except (KeyError, TypeError, AttributeError, ValueError):
            raise self._void() from None
        indexes = [f["index"] for f in failures] + [index for _, index, _ in snapshots]
        if not all(0 <= index < count for index in indexes):
            raise self._void()
        return Loaded(bound, failures, snapshots)

    def call(self, name: str, args: list, kwargs: dict) -> Any:
        """Call a student function; returns a tree with numpy leaves, raises WorkerError."""
        seconds = self.limits.call_seconds
        return self._request("call", seconds, [], name=name, args=args, kwargs=kwargs, seconds=seconds)

    def probe(self, name: str) -> Any:
        """What one of the section's probes observes beside the student's code; raises WorkerError."""
        seconds = self.limits.probe_seconds
        return self._request("probe", seconds, [], name=name, seconds=seconds)

    def stub(self, answers: dict[str, Callable]) -> None:
        """From now on, answer these helpers of the student with ours."""
        self._request("stub", self.limits.call_seconds, [], names=sorted(answers))
        self.answers = answers

    def _request(self, op: str, patience: float, done: list[int], **fields: Any) -> Any:
        """Send one request and wait for its answer; ``patience`` seconds start anew with each statement reported as done."""
        if not self.alive:
            raise WorkerError("died")
        if self._pending():
            raise self._void()
        self.requests += 1
        self.asked = 0
        most = len(fields["program"]["statements"]) if op == "load" else 0
        try:
            self.sock.settimeout(patience + GRACE_SECONDS)
            protocol.send(self.sock, {"id": self.requests, "op": op, **fields})
            since = None
            while True:
                since = self._await(since, patience)
                left = min(patience + GRACE_SECONDS, max(GRACE_SECONDS, self.deadline - time.monotonic()))
                reply = protocol.receive(self.sock, self.limits.frame_bytes, left)
                if not isinstance(reply, dict) or reply.get("id") != self.requests or len(reply) != 2:
                    raise self._void()
                if "done" in reply and op == "load" and reply["done"] == len(done) < most:
                    done.append(reply["done"])
                    since = None
                elif "ask" in reply and op in ("call", "probe") and self.answers:
                    since = since or self._clock()
                    protocol.send(self.sock, self._answer(reply["ask"]))
                else:
                    break
        except protocol.FrameTimeout:
            self.close()
            raise WorkerError("timeout", message=f"no answer within {patience:g} s") from None
        except protocol.FrameError:
            self.close()
            raise WorkerError("died") from None
        if self._pending():
            raise self._void()
        if "ok" in reply:
            return reply["ok"]
        if "error" not in reply:
            raise self._void()
        error = checked_error(reply["error"])
        kind = "timeout" if error["type"] == "Deadline" else "exception"
        raise WorkerError(kind, error["type"], error["message"], error["where"])

    def _await(self, since: float | None, seconds: float) -> float | None:
        """Wait until the worker says something; returns ``since``, from when its time counts (None: from now on).

        Most answers are prompt, and the clock, which asks the system, is for the others. One that takes long gives way to
        others. After ``seconds`` its alarm is rung; raises FrameTimeout when it stays silent GRACE_SECONDS longer, or
        at the deadline.
        """
        if select.select([self.sock], [], [], max(0.0, min(PROMPT_SECONDS, self.deadline - time.monotonic())))[0]:
            return since
        since = self._clock() - PROMPT_SECONDS if since is None else since
        for limit, act in ((min(POLITE_SECONDS, seconds), self._calm), (seconds, self._ring), (seconds + GRACE_SECONDS, None)):
            while (left := min(limit - (self._clock() - since), self.deadline - time.monotonic())) > 0:
                if select.select([self.sock], [], [], left)[0]:
                    return since
            if act is None or time.monotonic() >= self.deadline:
                raise protocol.FrameTimeout("no answer in time")
            act()

    def _clock(self) -> float:
        """Seconds that count for the child: those in which it was ready to run but had to wait for a processor, hardly.

        So a busy machine times nobody out, and nothing waits for ever. Where the system does not tell, all count in full.
        """
        try:
            with open(f"/proc/{self.pid}/schedstat", "rb") as file:
                waited = int(file.read().split()[1]) / 1e9
        except (OSError, ValueError, IndexError):
            waited = 0.0
        return time.monotonic() - (1 - WAITING_COUNTS) * waited

    def _calm(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, min(19, os.getpriority(os.PRIO_PROCESS, self.pid) + NICER))

    def _ring(self) -> None:
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGALRM)

    def _answer(self, ask: Any) -> dict:
        """Compute a prerequisite for the student's composite, with our own code on plain arrays."""
        self.asked += 1
        if self.asked > self.limits.prerequisite_calls:
            return {"refused": "too many calls"}
        try:
            return {"answer": self.answers[ask["name"]](*ask["args"], **ask["kwargs"])}
        except Exception as error:
            return {"refused": f"{ask.get('name') if isinstance(ask, dict) else ''}: {type(error).__name__}"}

    def _pending(self) -> bool:
        """Whether the worker sent anything that nobody asked for."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def _void(self) -> WorkerError:
        self.close()
        return WorkerError("protocol")


def checked_error(error: Any) -> dict:
    """The worker's error report with every field forced to its type."""
    try:
        where = [(str(cell)[:20], int(line)) for cell, line in error["where"]]
        name = str(error["type"])
        return {"type": name if name.isidentifier() else "Exception", "message": str(error["message"]), "where": where}
    except (KeyError, TypeError, ValueError):
        return {"type": "Exception", "message": "", "where": []}
