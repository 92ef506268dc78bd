"""Processes that grade: forked from one that has everything loaded, each with a clone of the zygote.

As many submissions are graded at once as there are jobs. One that takes long keeps its member and another member takes
its place, so that a hang delays no other. Frames between parent and member:

    parent -> {"path"}        member -> {"content"} | {"problem"}
           -> {"go": bool}    member -> {"verdicts": text, "warm": [[modules, scratch], …]} | {"problem"}
                                      (not asked for where the store knows it; warm: the branches that this member opened)
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.batch.roster import Entry
from autograder.batch.store import content_key
from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.core.verdict import Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox import protocol
from autograder.sandbox.process import die_with_parent
from autograder.submission.unpack import Contents, read_files

SLOW_SECONDS = 2.0  # after this long a submission no longer counts against the number of jobs
SLOW_MEMBERS = 16
TICK_SECONDS = 0.25
FRAME_BYTES = 64 << 20
TRIES = 2
PATIENCE = 2  # times the limit for a whole submission: past it, the grader itself is stuck


@dataclass
class Done:
    """What came of a submission. ``verdicts``: text for the store, None where it has them; ``problem``: why there are none."""

    entry: Entry
    content: str = ""
    verdicts: str | None = None
    problem: str = ""


@dataclass
class Member:
    """One process and what it works on."""

    pid: int
    sock: socket.socket
    entry: Entry | None = None
    content: str = ""
    since: float = 0.0


def in_process_pool(grader: Grader, entries: list[Entry], jobs: int, known: Callable[[str], bool]) -> Iterator[list[Done]]:
    """Grade entries side by side; yields what is done, at least every ``TICK_SECONDS`` (then possibly nothing)."""
    members = ProcessPool(grader, jobs)
    try:
        yield from members.work(deque(entries), known)
    finally:
        members.close()


class ProcessPool:
    """All members of one batch."""

    def __init__(self, grader: Grader, jobs: int):
        self.grader, self.jobs = grader, jobs
        self.idle: list[Member] = []
        self.busy: list[Member] = []
        self.tries: dict[str, int] = {}
        self.patience = PATIENCE * grader.assignment.limits.total_seconds
        self.selector = selectors.DefaultSelector()

    def work(self, waiting: deque[Entry], known: Callable[[str], bool]) -> Iterator[list[Done]]:
        while waiting or self.busy:
            now = time.monotonic()
            while waiting and self._room(now):
                self._assign(waiting.popleft(), now)
            done = []
            for key, _ in self.selector.select(TICK_SECONDS):
                done += self._hear(key.data, known, waiting)
            for member in [member for member in self.busy if now - member.since > self.patience]:
                done.append(Done(member.entry, problem=f"not graded: no answer within {self.patience:g} s"))
                self._end(member)
            yield done

    def close(self) -> None:
        for member in [*self.idle, *self.busy]:
            self._end(member)
        self.selector.close()

    def _room(self, now: float) -> bool:
        quick = sum(now - member.since < SLOW_SECONDS for member in self.busy)
        return quick < self.jobs and len(self.busy) < self.jobs + SLOW_MEMBERS

    def _assign(self, entry: Entry, now: float) -> None:
        member = self.idle.pop() if self.idle else self._open()
        member.entry, member.since = entry, now
        self.busy.append(member)
        try:
            protocol.send(member.sock, {"path": os.fspath(entry.path)})
        except protocol.FrameError:
            pass  # the member is gone: its closed pipe says so in the next round

    def _open(self) -> Member:
        zygote = self.grader.zygote.clone()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                for member in [*self.idle, *self.busy]:
                    member.sock.close()
                serve(theirs, self.grader, zygote)
            finally:
                os._exit(0)
        theirs.close()
        zygote.close()
        member = Member(pid, ours)
        self.selector.register(ours, selectors.EVENT_READ, member)
        return member

    def _hear(self, member: Member, known: Callable[[str], bool], waiting: deque[Entry]) -> list[Done]:
        """One frame of a member; the submission is done, or goes on."""
        try:
            answer = protocol.receive(member.sock, FRAME_BYTES, 60)
            if "content" in answer:
                member.content = answer["content"]
                go = not known(member.content)
                protocol.send(member.sock, {"go": go})
                if go:
                    return []
                answer = {}
        except protocol.FrameError:
            return self._lost(member, waiting)
        for preload, scratch in answer.get("warm", ()):
            self.grader.zygote.branch(tuple(preload), scratch)  # members opened from now on have it at once
        done = Done(member.entry, member.content, answer.get("verdicts"), answer.get("problem", ""))
        self.busy.remove(member)
        member.entry, member.content = None, ""
        self.idle.append(member)
        return [done]

    def _lost(self, member: Member, waiting: deque[Entry]) -> list[Done]:
        """A member ended by itself (out of memory, a bug of ours): its submission is tried once more."""
        entry, status = member.entry, self._end(member)
        if entry is None:
            return []
        self.tries[entry.id] = self.tries.get(entry.id, 0) + 1
        if self.tries[entry.id] < TRIES:
            waiting.append(entry)
            return []
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        return [Done(entry, problem=f"not graded: the grader's own process ended ({how}), {TRIES} times")]

    def _end(self, member: Member) -> int:
        """Kill a member; its zygote and workers end with it. Returns its wait status."""
        self.selector.unregister(member.sock)
        member.sock.close()
        for group in (self.idle, self.busy):
            if member in group:
                group.remove(member)
        try:
            os.kill(member.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return os.waitpid(member.pid, 0)[1]


def serve(sock: socket.socket, grader: Grader, zygote: Any) -> None:
    """A member's life: grade what the parent names until it closes the socket."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to answer
    grader.zygote = zygote
    while True:
        try:
            path = Path(protocol.receive(sock, FRAME_BYTES)["path"])
            try:
                contents = read_files(path, grader.assignment.limits.file_bytes)
                protocol.send(sock, {"content": content_key(contents)})
                if not protocol.receive(sock, FRAME_BYTES)["go"]:
                    continue
                answer = {"verdicts": verdicts_text(grader, contents), "warm": list(zygote.branches)}
            except GraderError as error:
                answer = {"problem": f"not graded: {error}"}
            except Exception as error:
                if isinstance(error, protocol.FrameError):
                    raise
                answer = {"problem": f"not graded: internal error, {type(error).__name__}: {clean(str(error), 200)}"}
            protocol.send(sock, answer)
        except protocol.FrameError:
            return


def verdicts_text(grader: Grader, contents: Contents) -> str:
    """Grade one submission; what the store keeps of it. The same submission always gives the same text.

    Raises GraderError for what should not be kept.
    """
    notes: list[str] = []

    def report(_: list[Verdict], told: list[str]) -> None:
        notes[:] = told

    try:
        verdicts = grade(grader, contents, report)
    except GraderError as error:
        return json.dumps({"refused": str(error)})
    if any("time" in v.tags for v in verdicts):
        raise GraderError("time was up before every item had run; the next run tries again")
    found = [
        {
            "id": v.question.id,
            "status": v.status,
            "reason": v.reason,
            "lines": v.lines,
            "notes": v.notes,
            "tags": v.tags,
            "data": v.data,
        }
        for v in verdicts
    ]
    return json.dumps({"items": found, "notes": notes}, separators=(",", ":"))
