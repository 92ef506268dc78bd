"""Grading on several machines: submissions go to a Dask cluster; the store and everything staff get stay here.

A Dask worker needs this package and torch but no shared folder: files and references travel with the task. Each worker
process keeps one warm zygote. If a worker dies, Dask reruns its task on another.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.batch.people import Entry
from autograder.batch.process_pool import TICK_SECONDS, Done, verdicts_text
from autograder.batch.store import content_key, judging_key
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
from autograder.judging.run import require_isolation
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers
from autograder.submission.unpack import Contents, File

TASKS_PER_THREAD = 3  # tasks submitted ahead, so that no thread of the cluster waits for us
_lock = threading.Lock()
_graders: dict[str, Grader] = {}  # in a Dask worker: by judging key


@dataclass(eq=False)
class Task:
    """A submission on the cluster. ``future``: a Dask future; ``content``: the submission's part of the store key."""

    future: Any
    entry: Entry
    content: str


def on_cluster(
    address: str, assignment: Assignment, references: Path, judging: str, entries: list[Entry], known: Callable[[str], bool]
) -> Iterator[list[Done]]:
    """Grade entries on the cluster at ``address``; yields results like ``in_process_pool``.

    ``known`` tells whether the store has a submission's content. Raises GraderError if there is no scheduler.
    """
    try:
        from distributed import Client
    except ImportError:
        raise GraderError("--scheduler needs dask.distributed: pip install 'autograder[cluster]'") from None
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise GraderError(f"no Dask scheduler at {clean(address)}: {clean(str(error), 200)}") from None
    setup = {
        "references": references.read_bytes(),
        "assignment": assignment_files(assignment),
        "judging": judging,
        "limits": vars(assignment.limits),
    }
    with client:
        shared = client.scatter(setup, broadcast=True)
        yield from _work(client, shared, assignment, judging, deque(entries), known)


def assignment_files(assignment: Assignment) -> dict[str, bytes]:
    """The files that grading needs: path in the assignment's folder -> bytes."""
    parts = [assignment.folder / "rubric.toml", *assignment.parts()]
    return {name: path.read_bytes() for name, path in folder_files(assignment.folder, parts).items()}


def _work(
    client: Any,
    shared: Any,
    assignment: Assignment,
    judging: str,
    waiting: deque[Entry],
    known: Callable[[str], bool],
) -> Iterator[list[Done]]:
    running: list[Task] = []
    while waiting or running:
        done: list[Done] = []
        room = TASKS_PER_THREAD * max(1, sum(client.nthreads().values()))
        while waiting and len(running) < room:
            submitted = _submit(client, shared, assignment, waiting.popleft(), known)
            if isinstance(submitted, Task):
                running.append(submitted)
            else:
                done.append(submitted)
        if running and not done:
            _wait_for_any(running)
        for task in [task for task in running if task.future.done()]:
            running.remove(task)
            done.append(_result(task, assignment, judging))
        yield done


def _submit(client: Any, shared: Any, assignment: Assignment, entry: Entry, known: Callable[[str], bool]) -> Task | Done:
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
    future = client.submit(grade_one, shared, files, contents.notes, contents.digest, key=f"grade-{content}", retries=2)
    return Task(future, entry, content)


def _bytes(file: File) -> bytes | None:
    """What a worker needs of a file: the bytes of code; nothing of others and of what is not read."""
    return file.content() if file.kind in (CODE, TEXT) and file.data is not None else file.data


def _wait_for_any(tasks: list[Task]) -> None:
    """Wait until a task is done, at most ``TICK_SECONDS``."""
    from distributed import wait

    with contextlib.suppress(asyncio.TimeoutError):  # not the built-in TimeoutError on Python 3.10
        wait([task.future for task in tasks], timeout=TICK_SECONDS, return_when="FIRST_COMPLETED")


def _result(task: Task, assignment: Assignment, judging: str) -> Done:
    """What became of a task. A worker is believed only if it names this submission and this grader, in the store's form."""
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
    try:
        if not isinstance(result, tuple) or len(result) != 3 or result[:2] != (task.content, judging):
            raise GraderError("not the result of this submission")
        read_verdicts(assignment, result[2])
    except GraderError as problem:
        return Done(task.entry, problem=f"not graded: a worker of the cluster sent something else: {clean(str(problem), 200)}")
    return Done(task.entry, task.content, result[2])


def grade_one(shared: dict[str, Any], files: list[tuple[Any, ...]], notes: list[str], digest: str) -> tuple[str, str, str]:
    """Runs on a Dask worker, one at a time per process: (content key, judging key, the store's text) of a submission."""
    with _lock:
        grader = _graders.get(shared["judging"])
        if grader is None or grader.zygote.process.poll() is not None:
            grader = _graders[shared["judging"]] = _grader(shared)
        contents = Contents([File(PurePosixPath(path), *rest) for path, *rest in files], notes, digest)
        return content_key(contents), shared["judging"], verdicts_text(grader, contents)


def _grader(shared: dict[str, Any]) -> Grader:
    """A warm grader in this worker process. Raises GraderError if it would judge differently from the machine that asks."""
    hide_from_debuggers()
    with tempfile.TemporaryDirectory() as temporary:
        folder, path = Path(temporary) / "assignment", Path(temporary) / "references"
        for name, data in shared["assignment"].items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        assignment = load_assignment(folder, **shared["limits"])
        path.touch(mode=0o600)
        path.write_bytes(shared["references"])
        grader = Grader(assignment, read_references(path), ZygoteClient(assignment.preload))
        judging = judging_key(assignment, grader.references)
    require_isolation(grader, Path(tempfile.gettempdir()), lambda line: None)
    grader.zygote.compact()
    if judging != shared["judging"]:
        raise GraderError(
            "this worker has a different version of the grader, its tests or its libraries; install the same version there"
        )
    return grader
