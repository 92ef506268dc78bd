"""More than one machine: submissions handed to a Dask cluster; the store and everything that staff get stay here.

A Dask worker needs this package and torch, no shared folder: files and references travel in the task. Each worker process
keeps one warm zygote. A worker that dies loses nothing: Dask gives its task to another.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from autograder.batch.process_pool import TICK_SECONDS, Done, verdicts_text
from autograder.batch.roster import Entry
from autograder.batch.store import content_key, judging_key
from autograder.core.assignment import Assignment
from autograder.core.digests import folder_files
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.core.text import clean
from autograder.judging.grader import Grader
from autograder.judging.run import require_isolation
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers
from autograder.submission.unpack import Contents, File, read_files

AHEAD = 3  # tasks under way for each thread of the cluster: enough that none waits for us
_lock = threading.Lock()
_graders: dict[str, Grader] = {}


def on_cluster(
    address: str, assignment: Assignment, references: Path, judging: str, entries: list[Entry], known: Callable[[str], bool]
) -> Iterator[list[Done]]:
    """Grade entries on the cluster at ``address``; yields what is done, as ``process_pool`` does. Raises GraderError."""
    try:
        from distributed import Client
    except ImportError:
        raise GraderError("--scheduler needs dask.distributed: pip install 'autograder[cluster]'") from None
    try:
        client = Client(address, timeout="20s")
    except (OSError, ValueError) as error:
        raise GraderError(f"no Dask scheduler at {clean(address)}: {clean(str(error), 200)}") from None
    with client:
        shared = client.scatter(
            {
                "references": references.read_bytes(),
                "assignment": travelling(assignment),
                "judging": judging,
                "limits": vars(assignment.limits),
            },
            broadcast=True,
        )
        yield from _work(client, shared, assignment, deque(entries), known)


def travelling(assignment: Assignment) -> dict[str, bytes]:
    """Path in the assignment's folder -> bytes, of what decides verdicts."""
    parts = [assignment.folder / "rubric.toml", *assignment.parts()]
    return {name: path.read_bytes() for name, path in folder_files(assignment.folder, parts).items()}


def _work(
    client: Any, shared: Any, assignment: Assignment, waiting: deque[Entry], known: Callable[[str], bool]
) -> Iterator[list[Done]]:
    from distributed import wait

    running: list[tuple[Any, Entry, str]] = []
    while waiting or running:
        done = []
        room = AHEAD * max(1, sum(client.nthreads().values()))
        while waiting and len(running) < room:
            entry = waiting.popleft()
            try:
                contents = read_files(entry.path, assignment.limits.file_bytes)
            except GraderError as error:
                done.append(Done(entry, problem=f"not graded: {error}"))
                continue
            content = content_key(contents)
            if known(content):
                done.append(Done(entry, content))
                continue
            files = [(str(file.path), file.data, file.size) for file in contents.files]
            future = client.submit(grade_one, shared, files, contents.notes, contents.digest, key=f"grade-{content}", retries=2)
            running.append((future, entry, content))
        if running and not done:
            try:
                wait([future for future, _, _ in running], timeout=TICK_SECONDS, return_when="FIRST_COMPLETED")
            except asyncio.TimeoutError:  # a kind of its own on Python 3.10
                pass
        for item in [item for item in running if item[0].done()]:
            running.remove(item)
            done.append(_done(*item))
        yield done


def _done(future: Any, entry: Entry, content: str) -> Done:
    error = future.exception()
    if error is not None:
        return Done(entry, problem=f"not graded: {type(error).__name__} on the cluster: {clean(str(error), 200)}")
    return Done(entry, content, future.result())


def grade_one(shared: dict, files: list[tuple[str, bytes | None, int]], notes: list[str], digest: str) -> str:
    """On a Dask worker: what the store keeps of one submission. One at a time in each process."""
    with _lock:
        grader = _graders.get(shared["judging"])
        if grader is None or grader.zygote.process.poll() is not None:
            grader = _graders[shared["judging"]] = _grader(shared)
        contents = Contents([File(PurePosixPath(path), data, size) for path, data, size in files], notes, digest)
        return verdicts_text(grader, contents)


def _grader(shared: dict) -> Grader:
    """A warm grader in this worker process. Raises GraderError where it would judge differently from the one that asks."""
    hide_from_debuggers()
    with tempfile.TemporaryDirectory() as place:
        folder, path = Path(place) / "assignment", Path(place) / "references"
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
        raise GraderError("this worker has another version of the grader, its tests or its libraries; install the same there")
    return grader
