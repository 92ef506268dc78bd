"""Judge side: one worker, whose student functions are called with a timeout; none of its replies is trusted."""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import select
import signal
import time
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autograder.checks.values import exactly_plain, from_plain, unsendable
from autograder.core.assignment import Limits
from autograder.core.errors import NotStarted
from autograder.core.text import clean
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.bounds import Most, check_frame
from autograder.sandbox.judge_side.clock import charged_seconds
from autograder.sandbox.judge_side.replies import MAX_MESSAGE, Loaded, checked_error, is_number, is_reply, loaded_of, touch_of
from autograder.sandbox.judge_side.zygote_client import GRACE_SECONDS, ZygoteClient

PROMPT_SECONDS = 0.05  # most replies come within this time
FULL_PRIORITY_SECONDS = 1.0
PATIENCE = 6  # statements of a program that hang and may take their whole time
HURRIED_SECONDS = 1.0  # for each statement after those, so that they do not take the time of everything else
LOADING_SECONDS = 60.0  # for libraries that a worker loads when they are first used, once: see ``light_torch``
READY_SECONDS, READY_BYTES = 60.0, 1 << 12  # for a new worker to enter its cage, and for what it says of that
NICE_INCREMENT = 5
RAISED = "it raised"  # the beginning of what is said of a right helper that raised an exception
MAX_TOLD, MAX_TOUCHES = 2000, 20  # questions that one probe may ask; reports of one worker


class WorkerError(Exception):
    """Student code did not answer a request. ``kind``: exception | timeout | died | protocol.

    ``where``: (cell, line) of the student's own lines, innermost last; ``statement``: see ``Worker.load``;
    ``called``: what the function was called with, where that may be shown.
    """

    def __init__(self, kind: str, type_name: str = "", message: str = "", where: list[tuple[str, int]] | None = None):
        super().__init__(kind, type_name, message)
        self.kind, self.type_name, self.message, self.where = kind, type_name, message, where or []
        self.statement = -1
        self.called = ""


class Refused(Exception):
    """Why a call of a right helper is not answered; continues a sentence about it."""


class Worker:
    """One child with one program loaded. Use as a context manager.

    ``deadline`` (``time.monotonic``): no request waits beyond it, whatever the limits still allow. ``folder``: see
    ``ZygoteClient.fork``.
    """

    def __init__(self, zygote: ZygoteClient, limits: Limits, deadline: float = math.inf, folder: bool = False):
        self.zygote, self.limits, self.deadline = zygote, limits, deadline
        self.pid, self.sock = zygote.fork(folder)
        self.requests, self.request, self.alive, self.ready = 0, 0, True, False
        self.answers: dict[str, Callable[..., Any]] = {}
        self.refused: dict[str, str] = {}  # helper -> why one of its calls had no answer
        self.tell: Callable[..., Any] | None = None
        self.most, self.asked, self.told, self.rung = Most(), 0, 0, 0
        self.loads, self.used = 0, 0.0  # 1 while it loads libraries, 2 afterwards; seconds of its request before that
        self.touches: list[tuple[str, str, int]] = []  # (what, cell, line) of what student code asked Python for

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child; safe to call twice."""
        if self.pid:
            self.alive = False
            self.sock.close()
            self.zygote.reap(self.pid)
            self.pid = 0

    def load(self, program: dict[str, Any]) -> Loaded:
        """Run a program (see ``slicer.Program.wire``), with a timeout for each statement.

        Raises WorkerError whose ``statement`` is the index of the one that hung or ended the process.
        """
        count, seconds = len(program["statements"]), self.limits.statement_seconds
        done: list[int] = []
        limits = {"seconds": seconds, "hurried": min(seconds, HURRIED_SECONDS), "patience": PATIENCE}
        try:
            reply = self._request("load", seconds, done, program=program, **limits)
        except WorkerError as error:
            error.statement = min(len(done), count - 1)
            raise
        try:
            return loaded_of(reply, count)
        except Exception:  # whatever a forged reply makes of it
            raise self._violation() from None

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], tensor: bool = False) -> Any:
        """Call a student function; returns a tree with numpy leaves, raises WorkerError.

        ``tensor``: a result that is not a tensor is only described.
        """
        seconds = self.limits.call_seconds
        return self._request("call", seconds, [], name=name, args=args, kwargs=kwargs, tensor=tensor, seconds=seconds)

    def try_edits(self, codes: list[str], done: list[int], **fields: Any) -> list[tuple[int, int]]:
        """(number of an edit of a statement, number of a group of calls) wherever all are right, by the worker.

        ``done`` gets the numbers of those that have been tried. ``fields``: ``own``, the statement, its ``cell`` and ``line``;
        ``calls``, groups of (args, kwargs, wanted, tolerance) of the function ``name``, and ``tensor``, see ``call``. Raises
        WorkerError.
        """
        seconds = self.limits.statement_seconds
        found = self._request("try", seconds, done, codes=codes, seconds=seconds, **fields)
        pairs = {str([number, group]): (number, group) for number in range(len(codes)) for group in range(len(fields["calls"]))}
        if not isinstance(found, list) or not all(isinstance(pair, list) and str(pair) in pairs for pair in found):
            raise self._violation()
        return [pairs[str(pair)] for pair in found]

    def observe_edits(self, codes: list[str], probe: str) -> list[Any]:
        """What a probe observes with each of these edits of a statement, None where it fails; raises WorkerError."""
        seconds = self.limits.probe_seconds
        found = self._request("observe", seconds, [], codes=codes, probe=probe, seconds=seconds)
        if not isinstance(found, list) or len(found) != len(codes):
            raise self._violation()
        return found

    def probe(self, name: str, tell: Callable[..., Any] | None = None) -> Any:
        """Run one of the section's probes on the student's code; returns what it observes, raises WorkerError.

        ``tell`` answers what the probe asks meanwhile.
        """
        seconds, self.tell = self.limits.probe_seconds, tell
        return self._request("probe", seconds, [], name=name, seconds=seconds)

    def stub(
        self,
        answers: dict[str, Callable[..., Any]],
        source: str = "",
        beside: Collection[tuple[str, str]] = (),
        most: Most | None = None,
    ) -> None:
        """From now on, answer calls of these student helpers with our own functions, on arguments that ``most`` allows.

        ``beside``: (name, question id) of helpers that take what cannot cross over; those in ``source`` replace them there.
        """
        self._request("stub", self.limits.call_seconds, [], names=sorted(answers), source=source, beside=list(beside))
        self.answers, self.most = answers, most or Most()

    def _request(self, op: str, timeout: float, done: list[int], **fields: Any) -> Any:
        """Send one request and wait for its result; ``timeout`` seconds start again with each statement reported as done.

        ``done`` collects those statements' indexes. Raises WorkerError.
        """
        if not self.alive:
            raise WorkerError("died")
        if self.ready and self._unread():
            raise self._violation()
        self.requests += 1
        self.request = secrets.randbelow(1 << 48)  # which student code cannot guess, whatever else it writes to the pipe
        self.asked = self.told = 0
        statements = len(fields["program"]["statements"]) if op == "load" else len(fields.get("codes", ()))
        failure = None
        try:
            self.sock.settimeout(timeout + GRACE_SECONDS)
            protocol.send(self.sock, {"id": self.request, "op": op, **fields})
            self._check_ready()
            reply = self._final_reply(op, timeout, done, statements)
        except protocol.FrameError as problem:
            failure = self._failure(problem, timeout)
        if failure:  # raised here, it does not keep the other error, whose traceback holds the frame
            raise failure
        if self._unread() or self.loads == 1:
            raise self._violation()
        if "ok" in reply:
            return reply["ok"]
        if "error" not in reply:
            raise self._violation()
        error = checked_error(reply["error"])
        kind = "timeout" if error["type"] == "Deadline" else "exception"
        raise WorkerError(kind, error["type"], error["message"], error["where"])

    def _check_ready(self) -> None:
        """Raise NotStarted unless a new worker says that it is in its cage, FrameTimeout at the deadline."""
        if self.ready:
            return
        said: dict[str, Any] = {}
        with contextlib.suppress(protocol.FrameError):
            if self._sends_within(READY_SECONDS, self._clock()):
                said = protocol.receive(self.sock, READY_BYTES, GRACE_SECONDS)
        self.ready = "ready" in said
        if not self.ready and time.monotonic() >= self.deadline:
            raise protocol.FrameTimeout("no answer in time")
        if not self.ready:
            self.close()
            raise NotStarted(f"a worker could not be shut in: {said.get('failed', 'it ended, or said nothing')}.")

    def _failure(self, error: protocol.FrameError, timeout: float) -> WorkerError:
        """End the child and return the error for a reply that did not come or cannot be read; NotStarted: see above."""
        with contextlib.suppress(protocol.FrameTimeout):
            self._check_ready()
        self.close()
        if isinstance(error, protocol.FrameTimeout):
            return WorkerError("timeout", message=f"no answer within {timeout:g} s")
        return WorkerError("protocol" if isinstance(error, protocol.FrameRefused) else "died")

    def _final_reply(self, op: str, timeout: float, done: list[int], statements: int) -> dict[str, Any]:
        """The reply that ends a request, after its reports of finished statements and its calls of stubbed helpers."""
        since = None
        while True:
            since = self._await(since, self._allowed(op, timeout))
            left = min(timeout + GRACE_SECONDS, max(GRACE_SECONDS, self.deadline - time.monotonic()))
            reply: dict[str, Any] = protocol.receive(self.sock, self.limits.frame_bytes, left, check_frame)
            if not is_reply(reply, self.request):
                raise self._violation()
            if op in ("load", "try", "observe") and self._is_done(reply, len(done), statements):
                done.append(reply["done"])
                since = None
            elif len(self.touches) < MAX_TOUCHES and (touch := touch_of(reply)):
                self.touches.append(touch)
            elif (moved := self._loading(reply, since)) is not None:
                since = moved
            elif (answer := self._answered(op, reply)) is not None:
                since = since or self._clock()
                protocol.send(self.sock, answer)
            else:
                return reply

    def _allowed(self, op: str, timeout: float) -> float:
        """How long it may take until the worker sends something."""
        if self.loads == 1:
            return LOADING_SECONDS
        return min(timeout, HURRIED_SECONDS) if op == "load" and self.rung >= PATIENCE else timeout

    def _is_done(self, reply: dict[str, Any], number: int, statements: int) -> bool:
        """Whether it is the report of the statement of this number, the next one; none ends while libraries are loaded."""
        return "done" in reply and is_number(reply["done"], number) and number < statements and self.loads != 1

    def _loading(self, reply: dict[str, Any], since: float | None) -> float | None:
        """The new ``since`` if a worker begins to load libraries or has done so, once in its life; None for other replies."""
        begins = reply.get("loading")
        if begins is True and self.loads == 0:
            self.loads, self.used = 1, 0.0 if since is None else self._clock() - since
            return self._clock()
        if begins is False and self.loads == 1:
            self.loads = 2
            return self._clock() - self.used
        return None

    def _await(self, since: float | None, seconds: float) -> float | None:
        """Wait until the worker sends something; returns ``since``, the time on its clock at which it was asked (None: now).

        Most replies come at once; only for the others is the clock read, which takes system calls. A worker that takes long
        gets a lower priority; after ``seconds`` its alarm is set off. Raises FrameTimeout when it stays silent for another
        GRACE_SECONDS, or at the deadline.
        """
        if select.select([self.sock], [], [], max(0.0, min(PROMPT_SECONDS, self.deadline - time.monotonic())))[0]:
            return since
        since = self._clock() - PROMPT_SECONDS if since is None else since
        for limit, escalate in (
            (min(FULL_PRIORITY_SECONDS, seconds), self._lower_priority),
            (seconds, self._ring_alarm),
            (seconds + GRACE_SECONDS, None),
        ):
            if self._sends_within(limit, since):
                return since
            if escalate is None or time.monotonic() >= self.deadline:
                break
            escalate()
        raise protocol.FrameTimeout("no answer in time")

    def _sends_within(self, limit: float, since: float) -> bool:
        while (left := min(limit - (self._clock() - since), self.deadline - time.monotonic())) > 0:
            if select.select([self.sock], [], [], left)[0]:
                return True
        return False

    def _clock(self) -> float:
        return charged_seconds(self.pid)

    def _lower_priority(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, self.pid, min(19, os.getpriority(os.PRIO_PROCESS, self.pid) + NICE_INCREMENT))

    def _ring_alarm(self) -> None:
        self.rung += 1
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGALRM)

    def _answered(self, op: str, reply: dict[str, Any]) -> dict[str, Any] | None:
        """The answer to a call of a stubbed helper, or to what a probe asks; None if the reply is neither."""
        if "ask" in reply and op in ("call", "probe") and self.answers:
            return self._answer(reply["ask"])
        if "tell" in reply and op == "probe" and self.tell and self.told < MAX_TOLD:
            return self._told(reply["tell"])
        return None

    def _answer(self, ask: Any) -> dict[str, Any]:
        """Compute a prerequisite for the student's composite function, with our own code on plain arrays."""
        self.asked += 1
        name = ask.get("name") if isinstance(ask, dict) else None
        if not isinstance(name, str) or name not in self.answers:
            return {"refused": "no such helper"}
        try:
            return {"answer": self._helped(name, ask)}
        except Refused as refused:
            why = str(refused)
        except Exception as error:
            why = f"{RAISED} {type(error).__name__}"  # not its message, which may quote a hidden input to student code
        self.refused.setdefault(name, clean(why, MAX_MESSAGE))
        return {"refused": why}

    def _helped(self, name: str, ask: dict[str, Any]) -> Any:
        """What a right helper gives for a call; raises Refused where it is not asked, and whatever it raises itself."""
        if self.asked > self.limits.prerequisite_calls:
            raise Refused(f"it was called more than {self.limits.prerequisite_calls} times")
        args, kwargs = from_plain(ask["args"], False), from_plain(ask["kwargs"], False)
        for kind in filter(None, map(unsendable, (args, kwargs))):
            raise Refused(f"it was called with something of type {kind}, which cannot be sent")
        if not self.most.allows([*args, *kwargs.values()]):
            raise Refused("it was called with more than the cases suggest")
        with np.errstate(all="ignore"):
            answer = exactly_plain(self.answers[name](*args, **kwargs))
        if kind := unsendable(answer):
            raise Refused(f"it returned something of type {kind}, which cannot be sent")
        if not self.most.allows([from_plain(answer, False)]):
            raise Refused("it returned more than the cases suggest")
        return answer

    def _told(self, what: Any) -> dict[str, Any]:
        """The answer to what a probe asks."""
        self.told += 1
        try:
            return {"answer": self.tell(what) if self.tell and isinstance(what, str) else None}
        except ValueError as error:
            return {"refused": str(error)}

    def _unread(self) -> bool:
        """Whether the worker sent anything unasked."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def _violation(self) -> WorkerError:
        """End the child and return the error for a reply that breaks the protocol."""
        self.close()
        return WorkerError("protocol")
