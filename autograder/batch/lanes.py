"""Processes that grade: forked from one that has everything loaded, each with a clone of the zygote.

As many submissions are graded at once as there are jobs. One that takes long keeps its lane and another lane takes
its place, so that a hang delays no other. Frames between parent and lane:

    parent -> {"path"}        lane -> {"content"} | {"problem"}
           -> {"go": bool}    lane -> {"verdicts": text, "warm": [[modules, scratch], …]} | {"problem"}
                                      (not asked for where the store knows it; warm: the branches that this lane opened)
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
from autograder.grade import Grader, grade
from autograder.intake import Contents, read_files
from autograder.model import GraderError, Verdict
from autograder.sandbox import cage, frames
from autograder.text import clean

SLOW_SECONDS = 2.0  # after this long a submission no longer counts against the number of jobs
SLOW_LANES = 16
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
class Lane:
    """One process and what it works on."""

    pid: int
    sock: socket.socket
    entry: Entry | None = None
    content: str = ""
    since: float = 0.0


def in_lanes(grader: Grader, entries: list[Entry], jobs: int, known: Callable[[str], bool]) -> Iterator[list[Done]]:
    """Grade entries side by side; yields what is done, at least every ``TICK_SECONDS`` (then possibly nothing)."""
    lanes = Lanes(grader, jobs)
    try:
        yield from lanes.work(deque(entries), known)
    finally:
        lanes.close()


class Lanes:
    """All lanes of one batch."""

    def __init__(self, grader: Grader, jobs: int):
        self.grader, self.jobs = grader, jobs
        self.idle: list[Lane] = []
        self.busy: list[Lane] = []
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
            for lane in [lane for lane in self.busy if now - lane.since > self.patience]:
                done.append(Done(lane.entry, problem=f"not graded: no answer within {self.patience:g} s"))
                self._end(lane)
            yield done

    def close(self) -> None:
        for lane in [*self.idle, *self.busy]:
            self._end(lane)
        self.selector.close()

    def _room(self, now: float) -> bool:
        quick = sum(now - lane.since < SLOW_SECONDS for lane in self.busy)
        return quick < self.jobs and len(self.busy) < self.jobs + SLOW_LANES

    def _assign(self, entry: Entry, now: float) -> None:
        lane = self.idle.pop() if self.idle else self._open()
        lane.entry, lane.since = entry, now
        self.busy.append(lane)
        try:
            frames.send(lane.sock, {"path": os.fspath(entry.path)})
        except frames.FrameError:
            pass  # the lane is gone: its closed pipe says so in the next round

    def _open(self) -> Lane:
        zygote = self.grader.zygote.clone()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                ours.close()
                for lane in [*self.idle, *self.busy]:
                    lane.sock.close()
                serve(theirs, self.grader, zygote)
            finally:
                os._exit(0)
        theirs.close()
        zygote.close()
        lane = Lane(pid, ours)
        self.selector.register(ours, selectors.EVENT_READ, lane)
        return lane

    def _hear(self, lane: Lane, known: Callable[[str], bool], waiting: deque[Entry]) -> list[Done]:
        """One frame of a lane; the submission is done, or goes on."""
        try:
            answer = frames.receive(lane.sock, FRAME_BYTES, 60)
            if "content" in answer:
                lane.content = answer["content"]
                go = not known(lane.content)
                frames.send(lane.sock, {"go": go})
                if go:
                    return []
                answer = {}
        except frames.FrameError:
            return self._lost(lane, waiting)
        for preload, scratch in answer.get("warm", ()):
            self.grader.zygote.branch(tuple(preload), scratch)  # lanes opened from now on have it at once
        done = Done(lane.entry, lane.content, answer.get("verdicts"), answer.get("problem", ""))
        self.busy.remove(lane)
        lane.entry, lane.content = None, ""
        self.idle.append(lane)
        return [done]

    def _lost(self, lane: Lane, waiting: deque[Entry]) -> list[Done]:
        """A lane ended by itself (out of memory, a bug of ours): its submission is tried once more."""
        entry, status = lane.entry, self._end(lane)
        if entry is None:
            return []
        self.tries[entry.id] = self.tries.get(entry.id, 0) + 1
        if self.tries[entry.id] < TRIES:
            waiting.append(entry)
            return []
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        return [Done(entry, problem=f"not graded: the grader's own process ended ({how}), {TRIES} times")]

    def _end(self, lane: Lane) -> int:
        """Kill a lane; its zygote and workers end with it. Returns its wait status."""
        self.selector.unregister(lane.sock)
        lane.sock.close()
        for group in (self.idle, self.busy):
            if lane in group:
                group.remove(lane)
        try:
            os.kill(lane.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return os.waitpid(lane.pid, 0)[1]


def serve(sock: socket.socket, grader: Grader, zygote: Any) -> None:
    """A lane's life: grade what the parent names until it closes the socket."""
    cage.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's to answer
    grader.zygote = zygote
    while True:
        try:
            path = Path(frames.receive(sock, FRAME_BYTES)["path"])
            try:
                contents = read_files(path, grader.assignment.limits.file_bytes)
                frames.send(sock, {"content": content_key(contents)})
                if not frames.receive(sock, FRAME_BYTES)["go"]:
                    continue
                answer = {"verdicts": verdicts_text(grader, contents), "warm": list(zygote.branches)}
            except GraderError as error:
                answer = {"problem": f"not graded: {error}"}
            except Exception as error:
                if isinstance(error, frames.FrameError):
                    raise
                answer = {"problem": f"not graded: internal error, {type(error).__name__}: {clean(str(error), 200)}"}
            frames.send(sock, answer)
        except frames.FrameError:
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
    found = [{"id": v.question.id, "status": v.status, "reason": v.reason, "lines": v.lines, "notes": v.notes,
              "tags": v.tags, "data": v.data} for v in verdicts]
    return json.dumps({"items": found, "notes": notes}, separators=(",", ":"))
