"""A class graded from start to end: what is known stays, the rest runs, staff get gradebook, results and page."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.outputs import OWN_FILES, STORE
from autograder.batch.roster import Roster, read_roster
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder
from autograder.core.processors import graders_at_once
from autograder.core.text import reason
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers

TOTAL_SECONDS = 3600.0  # for one submission: no container's limit stands behind this grader


@dataclass
class Summary:
    """What a batch did. ``problems``: (submission, why it could not be graded)."""

    submissions: int = 0
    ran: int = 0
    seconds: float = 0.0
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    moves: list[tuple[str, ...]] = field(default_factory=list)


@dataclass
class Batch:
    """What was asked for."""

    assignment: Assignment
    references: Path
    source: Path
    output: Path
    course: str
    roster: Path | None = None
    jobs: int = 0
    scheduler: str = ""
    anonymous: bool = False


def run_batch(
    batch: Batch, progress: Callable[[int, int, int], None], log: Callable[[str], None] = lambda line: None
) -> Summary:
    """Grade everything that is not in the store yet, then write what staff get.

    ``progress(done, total, ran)`` is called several times a second. Raises GraderError where nothing could be done at all.
    """
    hide_from_debuggers()
    roster = read_roster(batch.source, batch.roster, batch.assignment.courses)
    own_folder(batch.output, "batch", OWN_FILES, 0o700)
    with contextlib.nullcontext() if batch.scheduler else ZygoteClient(batch.assignment.preload) as zygote:
        # Imported only now: it takes about as long as the worker needs for torch.
        from autograder.batch.process_pool import in_process_pool
        from autograder.batch.store import Store, judging_key
        from autograder.core.references import read_references
        from autograder.judging.grader import Grader
        from autograder.judging.run import require_isolation

        with Store(batch.output / STORE) as store:
            grader = Grader(batch.assignment, read_references(batch.references), zygote)
            if zygote is not None:
                require_isolation(grader, batch.references.parent, log)
                zygote.compact()
            judging = judging_key(batch.assignment, grader.references)
            summary = Summary(len(roster.entries), notes=roster.notes)
            started = time.monotonic()

            def known(content: str) -> bool:
                return store.find(content, judging) is not None

            contents: dict[str, tuple[str, str]] = {}
            if batch.scheduler:
                from autograder.batch.cluster import on_cluster

                done = on_cluster(batch.scheduler, batch.assignment, batch.references, judging, roster.entries, known)
            else:
                done = in_process_pool(grader, roster.entries, batch.jobs or graders_at_once(), known)
            _collect(done, store, judging, contents, summary, progress)
            summary.seconds = time.monotonic() - started
            _write(batch, roster, store, judging, grader.references["says"], contents, summary)
            return summary


def _collect(work: Iterator, store, judging: str, contents: dict, summary: Summary, progress) -> None:
    """Commit what comes in before it counts."""
    try:
        _commit_each(work, store, judging, contents, summary, progress)
    except KeyboardInterrupt:
        raise GraderError(
            f"stopped; {len(contents)} of {summary.submissions} are safe. Run the same command again: it goes on from there"
        ) from None


def _commit_each(work: Iterator, store, judging: str, contents: dict, summary: Summary, progress) -> None:
    for done in work:
        fresh = [(d.content, judging, d.verdicts) for d in done if d.verdicts is not None]
        if fresh:
            try:
                store.keep(fresh)
            except sqlite3.Error as error:
                raise GraderError(
                    f"results could not be kept: {error}; {len(contents)} of {summary.submissions} are safe. "
                    "Make room and run the same command again: it goes on from there"
                ) from None
        for d in done:
            contents[d.entry.id] = (d.content, d.problem)
        summary.ran += len(fresh)
        progress(len(contents), summary.submissions, summary.ran)


def _write(batch: Batch, roster: Roster, store, judging: str, says: dict, contents: dict, summary: Summary) -> None:
    """Results, gradebook and what moved; then this run is the one that the next is compared with."""
    from autograder.batch.class_page import Page
    from autograder.batch.gradebook import Gradebook, sheet_of, write_results
    from autograder.batch.regrade_diff import moves, write_moves
    from autograder.batch.similarity import read_alike
    from autograder.batch.store import Record

    assignment, records = batch.assignment, {}
    book, page = Gradebook(assignment, batch.course), Page(assignment, says, batch.anonymous)
    try:
        (batch.output / "results").mkdir(exist_ok=True)
        _sweep(batch.output, {f"{entry.id}.json" for entry in roster.entries})
        for entry in roster.entries:
            content, problem = contents[entry.id]
            course = entry.people[0].course or batch.course
            sheet = sheet_of(assignment, entry.id, entry.people, store.find(content, judging), problem)
            if sheet.status().startswith("not graded"):
                summary.problems.append((entry.id, sheet.status()))
            write_results(batch.output / "results", assignment, sheet, course)
            book.add(sheet)
            page.add(sheet, course)
            records[entry.id] = Record(content, judging, course, sheet.scores(course))
        for person, why in roster.without:
            book.add_absent(person, why)
        book.write(batch.output)
        page.write(batch.output, read_alike(batch.output))
        before = store.last()
        if before and before != records:
            summary.moves = moves(store, before, records)
            write_moves(batch.output / "moved.csv", summary.moves)
        if before != records:
            store.replace_last(records)
    except (OSError, sqlite3.Error) as error:
        raise GraderError(
            f"graded and kept, but {batch.output} cannot be written: {reason(error)}. Make room and run the same command again"
        ) from None


def _sweep(output: Path, wanted: set[str]) -> None:
    """Remove results of submissions that are no longer there, and what a killed run left half written."""
    for path in [*(output / "results").glob("*.json"), *(output / "results").glob(".new-*"), *output.glob(".new-*")]:
        if path.name not in wanted:
            path.unlink()
