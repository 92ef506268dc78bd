"""Grading a class from start to end: reuse stored verdicts, grade the rest, write the gradebook, the results and the page."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from autograder.batch.outputs import OWN_FILES, STORE
from autograder.batch.roster import Roster, read_roster
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError, NotWritten
from autograder.core.files import is_ordinary, own_folder
from autograder.core.processors import graders_at_once
from autograder.core.text import clean, reason
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers

if TYPE_CHECKING:
    from autograder.batch.process_pool import Done
    from autograder.batch.regrade_diff import Change
    from autograder.batch.store import Store

TOTAL_SECONDS = 3600.0  # limit for one submission; unlike on Gradescope, no container has a timeout of its own
ProgressCallback = Callable[[int, int, int], None]  # called with (done, total, graded in this run)


@dataclass
class Summary:
    """What a batch did. ``problems``: (submission, why it could not be graded); ``ran``: how many were graded in this run."""

    submissions: int = 0
    ran: int = 0
    seconds: float = 0.0
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass
class Batch:
    """The settings of a run. ``jobs``: submissions at once (0: default); ``scheduler``: address of a Dask cluster or ''."""

    assignment: Assignment
    references: Path
    source: Path
    output: Path
    course: str
    roster: Path | None = None
    jobs: int = 0
    scheduler: str = ""
    anonymous: bool = False


@dataclass(frozen=True)
class Outcome:
    """The store key of a submission's content, or the problem that kept it from being graded."""

    content: str
    problem: str


def run_batch(batch: Batch, progress: ProgressCallback, log: Callable[[str], None] = lambda line: None) -> Summary:
    """Grade everything that is not in the store yet, then write what staff get.

    ``progress`` is called several times a second. Raises GraderError if nothing could be graded or the output cannot be
    written.
    """
    hide_from_debuggers()
    roster = read_roster(batch.source, batch.roster, batch.assignment.courses)
    own_folder(batch.output, "batch", OWN_FILES, 0o700)
    with contextlib.nullcontext() if batch.scheduler else ZygoteClient(batch.assignment.preload) as zygote:
        # Imported here because it takes about as long as the worker needs to load torch.
        from autograder.batch.process_pool import in_process_pool
        from autograder.batch.store import Store, judging_key
        from autograder.core.references import read_references
        from autograder.judging.grader import Grader
        from autograder.judging.run import require_isolation

        with Store(batch.output / STORE) as store:
            # On a cluster this grader only checks the assignment; the workers have graders and zygotes of their own.
            grader = Grader(batch.assignment, read_references(batch.references), cast(ZygoteClient, zygote))
            if zygote is not None:
                require_isolation(grader, batch.references.parent, log)
                zygote.compact()
            judging = judging_key(batch.assignment, grader.references)
            summary = Summary(len(roster.entries), notes=roster.notes)
            started = time.monotonic()

            def known(content: str) -> bool:
                return usable(batch.assignment, store.find(content, judging))

            if batch.scheduler:
                from autograder.batch.cluster import on_cluster

                work = on_cluster(batch.scheduler, batch.assignment, batch.references, judging, roster.entries, known)
            else:
                work = in_process_pool(grader, roster.entries, batch.jobs or graders_at_once(), known)
            outcomes = _collect(work, store, judging, summary, progress)
            summary.seconds = time.monotonic() - started
            _write(batch, roster, store, judging, grader.references["says"], outcomes, summary)
            return summary


def usable(assignment: Assignment, text: str | None) -> bool:
    """Whether the store's text holds verdicts; a damaged one is graded again and replaced."""
    from autograder.batch.verdicts import read_verdicts

    try:
        return text is not None and bool(read_verdicts(assignment, text))
    except GraderError:
        return False


def _collect(
    work: Iterator[list[Done]], store: Store, judging: str, summary: Summary, progress: ProgressCallback
) -> dict[str, Outcome]:
    """Commit results as they arrive; returns each submission's outcome by id."""
    outcomes: dict[str, Outcome] = {}
    try:
        for done in work:
            _commit(done, store, judging, outcomes, summary)
            progress(len(outcomes), summary.submissions, summary.ran)
    except sqlite3.Error as error:
        raise GraderError(f"cannot use {store.path}: {error}; move it away, and the next run grades everything again") from None
    except KeyboardInterrupt:
        raise GraderError(
            f"stopped; {len(outcomes)} of {summary.submissions} are safe. Run the same command again to continue"
        ) from None
    return outcomes


def _commit(done: list[Done], store: Store, judging: str, outcomes: dict[str, Outcome], summary: Summary) -> None:
    fresh = [(result.content, judging, result.verdicts) for result in done if result.verdicts is not None]
    if fresh:
        try:
            store.keep(fresh)
        except sqlite3.Error as error:
            raise GraderError(
                f"results could not be saved: {error}; {len(outcomes)} of {summary.submissions} are safe. "
                "Free some disk space and run the same command again to continue"
            ) from None
    for result in done:
        outcomes[result.entry.id] = Outcome(result.content, result.problem)
    summary.ran += len(fresh)


def _write(
    batch: Batch,
    roster: Roster,
    store: Store,
    judging: str,
    says: dict[str, dict[str, str]],
    outcomes: dict[str, Outcome],
    summary: Summary,
) -> None:
    """Write results, gradebook, page and score changes; then make this run the one that the next is compared with."""
    from autograder.batch.class_page import Page
    from autograder.batch.gradebook import Gradebook, sheet_of, write_results
    from autograder.batch.regrade_diff import score_changes, write_changes
    from autograder.batch.similarity import read_alike
    from autograder.batch.store import Record

    assignment = batch.assignment
    records: dict[str, Record] = {}
    book, page = Gradebook(assignment, batch.course), Page(assignment, says, batch.anonymous)
    try:
        _sweep(batch.output, {f"{entry.id}.json" for entry in roster.entries})
        for entry in roster.entries:
            outcome = outcomes[entry.id]
            course = entry.people[0].course or batch.course
            sheet = sheet_of(assignment, entry.id, entry.people, store.find(outcome.content, judging), outcome.problem)
            summary.problems += [(entry.id, problem) for problem in sheet.problems()]
            write_results(batch.output / "results", assignment, sheet, course)
            book.add(sheet)
            page.add(sheet, course)
            records[entry.id] = Record(outcome.content, judging, course, sheet.scores(course))
        for person, why in roster.absent:
            book.add_absent(person, why)
        book.write(batch.output)
        page.write(batch.output, read_alike(batch.output))
        before = store.last()
        if before and before != records:
            summary.changes = score_changes(store, before, records)
            write_changes(batch.output / "moved.csv", summary.changes)
        if before != records:
            store.replace_last(records)
    except NotWritten as error:
        raise GraderError(f"graded and saved, but {error}. Mend that and run the same command again") from None
    except (OSError, sqlite3.Error) as error:
        raise GraderError(
            f"graded and saved, but {batch.output} cannot be written: {reason(error)}. "
            "Free some disk space and run the same command again"
        ) from None


def _sweep(output: Path, wanted: set[str]) -> None:
    """Remove results of submissions that are gone, what is no file among them, and what a killed run left behind.

    Raises NotWritten if the folder of results is a link: what is behind it is not ours.
    """
    results = output / "results"
    if results.is_symlink():
        raise NotWritten(f"{clean(str(results), 200)} is a link; remove it")
    results.mkdir(exist_ok=True)
    for path in [*results.glob("*.json"), *results.glob(".new-*"), *output.glob(".new-*")]:
        if path.name not in wanted or not is_ordinary(path):
            path.unlink()
