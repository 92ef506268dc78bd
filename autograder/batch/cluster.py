"""Grading on several machines: submissions go to a Dask cluster; the store and everything staff get stay here.

A Dask worker needs this package and torch but no shared folder: files and references travel with the task. Each worker
process keeps one warm zygote. If a worker dies, Dask reruns its task on another; one that is not this grader, or whose answer
is no result of the task, gets no more, and others grade what it had.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.batch.people import Entry
from autograder.batch.process_pool import TICK_SECONDS, Done, verdicts_text
from autograder.batch.store import judging_key
from autograder.batch.verdicts import read_verdicts
from autograder.checks.formats import CODE, TEXT
from autograder.core.assignment import Assignment
from autograder.core.digests import folder_files
from autograder.core.errors import GraderError, NotStarted
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.core.text import clean
from autograder.core.verdict import NOT_YET
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.judging.receipt import content_key
from autograder.judging.run import require_isolation
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers
from autograder.submission.unpack import Contents, File

OTHER_VERSION = "it has a different version of the grader, its tests or its libraries: install the same version there"
TASKS_PER_THREAD = 3  # tasks submitted ahead, so that no thread of the cluster waits for us
_lock = threading.Lock()
_graders: dict[str, Grader] = {}  # in a Dask worker: by judging key


@dataclass(eq=False)
class Task:
    """A submission on the cluster.

    ``future``: a Dask future; ``content``: the submission's part of the store key; ``arguments``: of ``grade_one``.
    """

    future: Any
    entry: Entry
    content: str
    arguments: tuple[Any, ...]


class Unlike(Exception):
    """The message says how a worker is not what this machine grades with."""


class Workers:
    """The cluster's workers, except those that are not believed; ``log`` gets a line about each of them."""

    def __init__(self, client: Any, log: Callable[[str], None]):
        self.client, self.log = client, log
        self.left_out: set[str] = set()

    def threads(self) -> dict[str, int]:
        """Address -> number of threads."""
        return {name: count for name, count in self.client.nthreads().items() if name not in self.left_out}

    def start(self, content: str, arguments: tuple[Any, ...]) -> Any:
        """A future of ``grade_one``, on any of them."""
        only = {"workers": list(self.threads())} if self.left_out else {}
        key = f"grade-{content}-{len(self.left_out)}"
        return self.client.submit(grade_one, *arguments, key=key, retries=2, **only)

    def leave_out(self, task: Task, why: str) -> None:
        """Give no more to whoever did this task."""
        for name in {name for names in self.client.who_has([task.future]).values() for name in names} - self.left_out:
            self.left_out.add(name)
            self.log(f"the worker {clean(name, 100)} is left out: {why}")


def on_cluster(
    address: str,
    assignment: Assignment,
    references: Path,
    judging: str,
    entries: list[Entry],
    known: Callable[[str], bool],
    log: Callable[[str], None],
) -> Iterator[list[Done]]:
    """Grade entries on the cluster at ``address``; yields results like ``in_process_pool``.

    ``known`` tells whether the store has a submission's content; ``log`` is told which workers are left out. Raises
    GraderError if there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError:
        raise GraderError("--scheduler needs dask.distributed: pip install 'autograder[cluster]'") from None
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise GraderError(f"no Dask scheduler at {clean(address)}: {clean(str(error), 200)}") from None
    with client:
        shared = client.scatter(setup_of(assignment, references, judging), broadcast=True)
        yield from _work(Workers(client, log), shared, assignment, judging, deque(entries), known)


def setup_of(assignment: Assignment, references: Path, judging: str) -> dict[str, Any]:
    """What a worker makes its grader of."""
    return {
        "references": references.read_bytes(),
        "assignment": assignment_files(assignment),
        "judging": judging,
        "limits": vars(assignment.limits),
    }


def assignment_files(assignment: Assignment) -> dict[str, bytes]:
    """The files that grading needs: path in the assignment's folder -> bytes."""
    parts = [assignment.folder / "rubric.toml", *assignment.parts()]
    return {name: path.read_bytes() for name, path in folder_files(assignment.folder, parts).items()}


def _work(
    workers: Workers,
    shared: Any,
    assignment: Assignment,
    judging: str,
    waiting: deque[Entry],
    known: Callable[[str], bool],
) -> Iterator[list[Done]]:
    running: list[Task] = []
    while waiting or running:
        done: list[Done] = []
        room = TASKS_PER_THREAD * max(1, sum(workers.threads().values()))
        while waiting and len(running) < room:
            submitted = _submit(workers, shared, assignment, waiting.popleft(), known)
            if isinstance(submitted, Task):
                running.append(submitted)
            else:
                done.append(submitted)
        if running and not done:
            _wait_for_any(running)
        for task in [task for task in running if task.future.done()]:
            running.remove(task)
            became = _or_again(workers, task, assignment, judging)
            if isinstance(became, Task):
                running.append(became)
            else:
                done.append(became)
        yield done


def _submit(workers: Workers, shared: Any, assignment: Assignment, entry: Entry, known: Callable[[str], bool]) -> Task | Done:
    """Start a submission's task; returns Done if it is in the store already or cannot be read."""
    try:
        with Reader(assignment, entry.path) as reader:
            contents = reader.contents
            content = content_key(contents)
            if known(content):
                return Done(entry, content)
            files = [(str(file.path), _bytes(file), file.size, None, file.unread, file.archive) for file in contents.files]
    except GraderError as error:
        return Done(entry, problem=f"not graded: {error}")
    arguments = (shared, files, contents.notes, contents.digest)
    return Task(workers.start(content, arguments), entry, content, arguments)


def _bytes(file: File) -> bytes | None:
    """What a worker needs of a file: the bytes of code; nothing of others and of what is not read."""
    return file.content() if file.kind in (CODE, TEXT) and file.data is not None else file.data


def _wait_for_any(tasks: list[Task]) -> None:
    """Wait until a task is done, at most ``TICK_SECONDS``."""
    from distributed import wait

    # Not the built-in TimeoutError on Python 3.10; what was cancelled is done, and told by _result.
    with contextlib.suppress(asyncio.TimeoutError, concurrent.futures.CancelledError):
        wait([task.future for task in tasks], timeout=TICK_SECONDS, return_when="FIRST_COMPLETED")


def _or_again(workers: Workers, task: Task, assignment: Assignment, judging: str) -> Done | Task:
    """What became of a task; one to be done again by others if whoever did it is not this grader."""
    try:
        return _result(task, assignment, judging)
    except Unlike as why:
        workers.leave_out(task, str(why))
        if not workers.threads():
            return Done(task.entry, problem=f"not graded: {why}")
        return replace(task, future=workers.start(task.content, task.arguments))


def _result(task: Task, assignment: Assignment, judging: str) -> Done:
    """What became of a task.

    A worker is believed only if it names this submission and this grader, in the store's form. Raises Unlike for another one.
    """
    try:
        error = task.future.exception()
        result = task.future.result() if error is None else None
    except Exception as lost:  # cancelled, or an answer that cannot be read
        error = lost
    if isinstance(error, NotStarted):
        return Done(task.entry, problem=f"{NOT_YET}: {clean(str(error), 200)} The next run tries again")
    if error is not None:
        reason = f"{clean(type(error).__name__)} on the cluster: {clean(str(error), 200)}"
        return Done(task.entry, problem=f"not graded: {reason}")
    if result == OTHER_VERSION:
        raise Unlike(OTHER_VERSION)
    try:
        if not isinstance(result, tuple) or len(result) != 3 or result[:2] != (task.content, judging):
            raise GraderError("not the result of this submission")
        read_verdicts(assignment, result[2])
    except GraderError as problem:
        raise Unlike(f"a worker of the cluster sent something else: {clean(str(problem), 200)}") from None
    return Done(task.entry, task.content, result[2])


def grade_one(
    shared: dict[str, Any], files: list[tuple[Any, ...]], notes: list[str], digest: str
) -> tuple[str, str, str] | str:
    """Runs on a Dask worker, one at a time per process: (content key, judging key, the store's text) of a submission.

    OTHER_VERSION if this worker would judge differently from the machine that asks.
    """
    with _lock:
        grader = _graders.get(shared["judging"])
        if grader is None or grader.zygote.process.poll() is not None:
            if (made := _grader(shared)) is None:
                return OTHER_VERSION
            grader = _graders[shared["judging"]] = made
        contents = Contents([File(PurePosixPath(path), *rest) for path, *rest in files], notes, digest)
        return content_key(contents), shared["judging"], verdicts_text(grader, contents)


def _grader(shared: dict[str, Any]) -> Grader | None:
    """A warm grader in this worker process; None if it would judge differently from the machine that asks.

    Its assignment's folder is there as long as it is.
    """
    hide_from_debuggers()
    with contextlib.ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="assignment-")))
        for name, data in shared["assignment"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        assignment = load_assignment(folder, **shared["limits"])
        zygote = ZygoteClient(assignment.preload)
        held.callback(zygote.close)
        grader = Grader(assignment, _references(shared["references"]), zygote)
        if judging_key(assignment, grader.references) != shared["judging"]:
            return None
        require_isolation(grader, Path(tempfile.gettempdir()), lambda line: None)
        zygote.compact()
        # Whoever reads a submission loads the rules then, and rules may import more of the assignment whenever they run.
        weakref.finalize(grader, held.pop_all().close)
        return grader


def _references(data: bytes) -> dict[str, Any]:
    """The baked file with these bytes, which stays on no disk of a worker's."""
    with tempfile.TemporaryDirectory() as private:
        path = Path(private) / "references"
        path.touch(mode=0o600)
        path.write_bytes(data)
        return read_references(path)
