"""A pool of grading processes, forked from one that has everything loaded, each with a clone of the zygote.

As many submissions are graded at once as there are jobs. A slow submission keeps its process, and another process takes
that one's place, so a hang delays no other submission. Messages between parent and process:

    parent -> {"path"}        process -> {"content", "needs": [section, …]} | {"problem"}
                                         ("needs": the sections whose branch of the zygote it will probably open)
           -> {"go": bool}    process -> {"verdicts": text} | {"problem"}
                                         (only if "go", which is false if the store has the verdicts)
                                         | {"unstarted": why}, and the process ends: no worker started

Only the parent's zygote imports what a section needs. A process that was started before ends as soon as it needs it; its
submission goes to one that starts when the imports are done, and until then no other starts either.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.batch.people import Entry
from autograder.batch.verdicts import refusal, text_of
from autograder.core.errors import GraderError, NotStarted
from autograder.core.text import clean
from autograder.core.verdict import NOT_YET, Verdict
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.judging.receipt import content_key
from autograder.sandbox import protocol
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import die_with_parent
from autograder.submission.unpack import Contents

SLOW_SECONDS = 2.0  # a submission that takes longer no longer counts against the number of jobs
MAX_SLOW = 16  # slow submissions at once
TICK_SECONDS = 0.25
FRAME_BYTES = 64 << 20
TRIES = 2
TIMEOUT_FACTOR = 2  # times the time limit of a whole submission; past it, the grader itself is stuck


@dataclass
class Done:
    """The result of one submission.

    ``content``: its part of the store key; ``verdicts``: text for the store, or None if the store has it or there is a
    ``problem``, the reason why it was not graded.
    """

    entry: Entry
    content: str = ""
    verdicts: str | None = None
    problem: str = ""


@dataclass
class Job:
    """A submission being graded. ``since``: when it was assigned, in monotonic seconds."""

    entry: Entry
    since: float
    content: str = ""


@dataclass(eq=False)
class Process:
    """One process of the pool and its current job. ``has``: the sections, by id, whose branches it was started with."""

    pid: int
    sock: socket.socket
    has: frozenset[str] = frozenset()
    job: Job | None = None


def in_process_pool(grader: Grader, entries: list[Entry], jobs: int, known: Callable[[str], bool]) -> Iterator[list[Done]]:
    """Grade entries in parallel; yields results at least every ``TICK_SECONDS``, possibly an empty list.

    ``known`` tells whether the store has a submission's content.
    """
    pool = ProcessPool(grader, jobs)
    try:
        yield from pool.work(deque(entries), known)
    finally:
        pool.close()


class ProcessPool:
    """The processes of one batch."""

    def __init__(self, grader: Grader, jobs: int):
        self.grader, self.jobs = grader, jobs
        self.idle: list[Process] = []
        self.busy: list[Process] = []
        self.tries: dict[str, int] = {}
        self.alone: deque[Entry] = deque()  # no worker started for them; they are tried again at the end, one by one
        self.tried: set[str] = set()  # of those
        self.copies: list[Job] = []  # of what is being graded now: they wait for its verdicts
        self.opened: set[str] = set()  # the sections, by id, whose branches the parent's zygote has, or makes
        self.timeout = TIMEOUT_FACTOR * grader.assignment.limits.total_seconds
        self.selector = selectors.DefaultSelector()

    def work(self, waiting: deque[Entry], known: Callable[[str], bool]) -> Iterator[list[Done]]:
        """Grade all waiting entries; see :func:`in_process_pool`."""
        while waiting or self.busy or self.alone or self.copies:
            now, done = time.monotonic(), []
            waiting.extend(self._copies_of_what_is_done())
            if self.alone and not waiting and not self.busy:
                waiting.append(self.alone.popleft())
            while waiting and self._has_room(now):
                done += self._assign(Job(waiting.popleft(), now))
            for key, _ in self.selector.select(TICK_SECONDS):
                done += self._receive(key.data, known, waiting)
            done += self._end_stuck(now)
            yield done

    def close(self) -> None:
        """Kill all processes."""
        for process in [*self.idle, *self.busy]:
            self._end(process)
        self.selector.close()

    def _has_room(self, now: float) -> bool:
        if self.busy and not self.idle and not self.grader.zygote.is_warm():
            return False
        if len(self.busy) < self.jobs:
            return True
        quick = sum(now - job.since < SLOW_SECONDS for job in self._jobs())
        return quick < self.jobs and len(self.busy) < self.jobs + MAX_SLOW

    def _jobs(self) -> list[Job]:
        return [process.job for process in self.busy if process.job is not None]

    def _assign(self, job: Job) -> list[Done]:
        try:
            process = self.idle.pop() if self.idle else self._start()
        except NotStarted as error:
            return self._put_off(job.entry, str(error))
        process.job = job
        self.busy.append(process)
        # If the process is gone, its closed socket shows that in the next round.
        with contextlib.suppress(protocol.FrameError):
            protocol.send(process.sock, {"path": os.fspath(job.entry.path)})
        return []

    def _put_off(self, entry: Entry, why: str) -> list[Done]:
        """No worker started for this submission: it comes again after the others, alone; then it is not graded yet."""
        if entry.id in self.tried:
            return [Done(entry, problem=f"{NOT_YET}: {why} The next run tries again")]
        self.tried.add(entry.id)
        self.alone.append(entry)
        return []

    def _start(self) -> Process:
        zygote = self.grader.zygote.clone()
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                ours.close()
                for process in [*self.idle, *self.busy]:
                    process.sock.close()
                serve(theirs, self.grader, zygote)
                status = 0
            except Exception as error:  # a bug of ours: the parent only sees that this process has ended
                why = f"{type(error).__name__}: {clean(str(error), 200)}"
                print(f"autograder: a grading process failed, {why}", file=sys.stderr, flush=True)
            finally:
                os._exit(status)
        theirs.close()
        zygote.close()
        process = Process(pid, ours, frozenset(self.opened))
        self.selector.register(ours, selectors.EVENT_READ, process)
        return process

    def _receive(self, process: Process, known: Callable[[str], bool], waiting: deque[Entry]) -> list[Done]:
        """Handle one message of a process; returns its result if the submission is done."""
        job = process.job
        try:
            answer = protocol.receive(process.sock, FRAME_BYTES, 60)
            if job is None:
                raise protocol.FrameError("a message from an idle process")
            if "content" in answer:
                content = answer["content"]
                if content in self._in_work():
                    self._pass_over(process)
                    self.copies.append(replace(job, content=content))
                    return []
                go = not known(content)
                try:
                    lacks = go and self._lacks(process, answer["needs"])
                except NotStarted as error:  # by the parent's zygote; this process's own still works
                    self._pass_over(process)
                    return self._put_off(job.entry, str(error))
                if lacks:
                    self._end(process)
                    waiting.appendleft(job.entry)
                    return []
                job.content = content
                protocol.send(process.sock, {"go": go})
                if go:
                    return []
                answer = {}
        except protocol.FrameError:
            return self._handle_death(process, waiting)
        if "unstarted" in answer:
            self._end(process)
            return self._put_off(job.entry, answer["unstarted"])
        self._free(process)
        return [Done(job.entry, job.content, answer.get("verdicts"), answer.get("problem", ""))]

    def _lacks(self, process: Process, needs: list[str]) -> bool:
        """Whether a process was started before a section that its submission needs was first opened; opens it if need be.

        Raises NotStarted if that cannot be.
        """
        for section in self.grader.assignment.sections:
            if section.id in needs and section.id not in self.opened:
                self.grader.zygote_of(section)  # returns at once; processes started from now on have it
                self.opened.add(section.id)
        return not process.has.issuperset(needs)

    def _pass_over(self, process: Process) -> None:
        """Let a process wait for another submission than the one that it has read."""
        self._free(process)
        # If the process is gone, that shows when it is given another one.
        with contextlib.suppress(protocol.FrameError):
            protocol.send(process.sock, {"go": False})

    def _free(self, process: Process) -> None:
        self.busy.remove(process)
        process.job = None
        self.idle.append(process)

    def _copies_of_what_is_done(self) -> list[Entry]:
        """The copies that wait no longer."""
        working = self._in_work()
        ready = [job.entry for job in self.copies if job.content not in working]
        self.copies = [job for job in self.copies if job.content in working]
        return ready

    def _in_work(self) -> set[str]:
        """The contents of what is being graded."""
        return {job.content for job in self._jobs() if job.content}

    def _handle_death(self, process: Process, waiting: deque[Entry]) -> list[Done]:
        """A process ended by itself (out of memory, a bug of ours): retry its submission once."""
        job, status = process.job, self._end(process)
        if job is None:
            return []
        entry = job.entry
        self.tries[entry.id] = self.tries.get(entry.id, 0) + 1
        if self.tries[entry.id] < TRIES:
            waiting.append(entry)
            return []
        how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
        return [Done(entry, problem=f"not graded: the grading process ended ({how}), {TRIES} times")]

    def _end_stuck(self, now: float) -> list[Done]:
        """End the processes that have passed the timeout."""
        done = []
        for process in list(self.busy):
            job = process.job
            if job is not None and now - job.since > self.timeout:
                done.append(Done(job.entry, problem=f"not graded: no answer within {self.timeout:g} s"))
                self._end(process)
        return done

    def _end(self, process: Process) -> int:
        """Kill a process; its zygote and workers end with it. Returns its wait status."""
        self.selector.unregister(process.sock)
        process.sock.close()
        for group in (self.idle, self.busy):
            if process in group:
                group.remove(process)
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        return os.waitpid(process.pid, 0)[1]


def serve(sock: socket.socket, grader: Grader, zygote: ZygoteClient) -> None:
    """Run in a process of the pool: grade the paths that the parent sends until it closes the socket."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles it
    grader.zygote = zygote
    while True:
        try:
            path = Path(protocol.receive(sock, FRAME_BYTES)["path"])
            try:
                with Reader(grader.assignment, path, grader.assignment.limits.total_seconds, grader.tests.rules) as reader:
                    protocol.send(sock, {"content": content_key(reader.contents), "needs": needs(grader, reader)})
                    if not protocol.receive(sock, FRAME_BYTES)["go"]:
                        continue
                    answer = {"verdicts": verdicts_text(grader, reader)}
            except NotStarted as error:
                protocol.send(sock, {"unstarted": str(error)})
                return  # another process has a zygote that may do better
            except GraderError as error:
                answer = {"problem": f"not graded: {error}"}
            except Exception as error:
                if isinstance(error, protocol.FrameError):
                    raise
                answer = {"problem": f"not graded: internal error, {type(error).__name__}: {clean(str(error), 200)}"}
            protocol.send(sock, answer)
        except protocol.FrameError:
            return


def needs(grader: Grader, reader: Reader) -> list[str]:
    """The sections with a branch of the zygote of which some file has most of the names in its text, by id."""
    likely = reader.likely_sections()
    return [s.id for s in grader.assignment.sections if (s.preload or s.scratch) and s.id in likely]


def verdicts_text(grader: Grader, submitted: Contents | Reader) -> str:
    """Grade one submission; returns its verdicts as JSON for the store, always the same text for the same submission.

    Raises GraderError if the result should not be stored.
    """
    notes: list[str] = []

    def report(_: list[Verdict], latest_notes: list[str]) -> None:
        notes[:] = latest_notes

    try:
        verdicts = grade(grader, submitted, report)
    except NotStarted:
        raise
    except GraderError as error:
        return refusal(str(error))
    if any("time" in v.tags for v in verdicts):
        raise GraderError("the time limit was reached before every item had run; the next run tries again")
    return text_of(verdicts, notes)
