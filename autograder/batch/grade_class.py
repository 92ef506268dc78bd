"""Grading a class from start to end: reuse stored verdicts, grade the rest, write the gradebook, the results and the page."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from autograder.batch.former import GRADEBOOK, gone_since, read_former, refuse_other_class
from autograder.batch.outputs import MOVED, OWN_FILES, STORE
from autograder.batch.roster import Roster, before_grading, read_roster
from autograder.batch.summary import Outcome, Summary
from autograder.checks.naming import stem_of
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError, NotWritten
from autograder.core.files import is_ordinary, own_folder
from autograder.core.processors import graders_at_once
from autograder.core.text import clean, reason
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers

if TYPE_CHECKING:
    from autograder.batch.former import Former
    from autograder.batch.process_pool import Done
    from autograder.batch.regrade_diff import Change
    from autograder.batch.store import Record, Store

TOTAL_SECONDS = 3600.0  # limit for one submission; unlike on Gradescope, no container has a timeout of its own
OTHER_SEED = (
    "the hidden inputs are drawn from another seed (AUTOGRADER_SEED, or .seed) than in the last run here, so all is graded "
    "anew, on other inputs: stop and give the former seed if that is not what you want"
)
ProgressCallback = Callable[[int, int, int, int], None]  # called with (done, total, graded in this run, not graded)


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
    share: bool = False


def run_batch(
    batch: Batch,
    progress: ProgressCallback,
    log: Callable[[str], None] = lambda line: None,
    say: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Grade everything that is not in the store yet, then write what staff get.

    ``progress`` is called several times a second; ``say`` gets what staff should know before anything is graded, or
    as soon as it is seen. Raises GraderError if nothing could be graded or the output cannot be written.
    """
    hide_from_debuggers()
    roster = read_roster(batch.source, batch.roster, batch.assignment.courses)
    refuse_one_submission(batch, roster)
    refuse_other_class(former := read_former(batch.output), batch.output, batch.source, roster)
    for line in before_grading(roster, batch.assignment.courses, batch.course):
        say(line)
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
            for line in _unlike_last_time(store, grader.references, batch, roster, former):
                say(line)
            summary = Summary(len(roster.entries), notes=roster.notes)
            started = time.monotonic()

            def known(content: str) -> bool:
                return usable(batch.assignment, store.find(content, judging))

            if batch.scheduler:
                work = _on_cluster(batch, roster, judging, known, say)
            else:
                work = in_process_pool(grader, roster.entries, batch.jobs or graders_at_once(), known)
            outcomes = _collect(work, store, judging, summary, progress)
            summary.seconds = time.monotonic() - started
            _write(batch, roster, store, judging, grader.references, outcomes, summary, former)
            summary.count(outcomes, roster)
            return summary


def _unlike_last_time(store: Store, references: dict[str, Any], batch: Batch, roster: Roster, former: Former) -> Iterator[str]:
    """What staff should know before a run that has other inputs than the last one, fewer people, or other courses."""
    from autograder.batch.regrade_diff import other_courses

    if store.seed() not in ("", seed_of(references)):
        yield OTHER_SEED
    yield from gone_since(former, roster.entries)
    yield from other_courses(store.last(), {e.id: e.people[0].course or batch.course for e in roster.entries})


def _on_cluster(
    batch: Batch, roster: Roster, judging: str, known: Callable[[str], bool], say: Callable[[str], None]
) -> Iterator[list[Done]]:
    from autograder.batch.cluster import on_cluster

    return on_cluster(batch.scheduler, batch.assignment, batch.references, judging, roster.entries, known, say)


def refuse_one_submission(batch: Batch, roster: Roster) -> None:
    """Raise GraderError if what should be a class is one student's folder, with a file for each of several sections."""
    sections = {section.id.casefold() for section in batch.assignment.sections}
    files = [entry.path for entry in roster.entries if entry.path.parent == batch.source and entry.path.is_file()]
    if 1 < len(files) == len(roster.entries) and all(stem_of(path.name).casefold() in sections for path in files):
        raise GraderError(
            f"{clean(str(batch.source), 200)} looks like one submission ({files[0].name}, {files[1].name}): name the folder "
            "above it, or use `autograder grade`"
        )


def seed_of(references: dict[str, Any]) -> str:
    """Tells the seeds of hidden inputs apart without giving one away."""
    from autograder.judging.receipt import RECEIPT, key_id

    return key_id(bytes.fromhex(references[RECEIPT]))


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
    from autograder.batch.store import AWAY

    outcomes: dict[str, Outcome] = {}
    lost = 0
    try:
        for done in work:
            _commit(done, store, judging, outcomes, summary)
            lost += sum(bool(result.problem) for result in done)
            progress(len(outcomes), summary.submissions, summary.ran, lost)
    except sqlite3.OperationalError as error:
        raise GraderError(f"cannot use {store.path}: {error}; {AWAY}") from None
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
        except sqlite3.OperationalError as error:
            raise GraderError(
                f"results could not be saved: {error}; {len(outcomes)} of {summary.submissions} are safe. "
                "Free some disk space and run the same command again to continue"
            ) from None
    for result in done:
        outcomes[result.entry.id] = Outcome(result.content, result.problem)
    summary.ran += len(fresh)
    summary.fresh |= {content for content, _, _ in fresh}


def _write(
    batch: Batch,
    roster: Roster,
    store: Store,
    judging: str,
    references: dict[str, Any],
    outcomes: dict[str, Outcome],
    summary: Summary,
    former: Former,
) -> None:
    """Write results, gradebook, page and score changes; then make this run the one that the next is compared with."""
    from autograder.batch.class_page import Page
    from autograder.batch.gradebook import Gradebook, sheet_of, write_results
    from autograder.batch.hand_edits import gradebook_digest, keep_edited
    from autograder.batch.similarity import read_alike
    from autograder.batch.store import Record
    from autograder.judging.receipt import origin_of

    assignment, origin = batch.assignment, origin_of(batch.assignment, references)
    records: dict[str, Record] = {}
    book, page = Gradebook(assignment, batch.course), Page(assignment, references, batch.anonymous)
    try:
        _sweep(batch.output, {f"{entry.id}.json" for entry in roster.entries})
        for entry in roster.entries:
            outcome = outcomes[entry.id]
            course = entry.people[0].course or batch.course
            sheet = sheet_of(assignment, entry.id, entry.people, store.find(outcome.content, judging), outcome.problem)
            sheet.earlier, sheet.created = entry.earlier, entry.created
            summary.see(sheet, batch.course)
            write_results(batch.output / "results", assignment, sheet, course, origin, outcome.content)
            book.add(sheet)
            page.add(sheet, batch.course)
            records[entry.id] = Record(outcome.content, judging, course, sheet.scores(course))
        book.add_absent(roster.absent)
        page.absent = sum(one.nothing for one in roster.absent)
        summary.notes += keep_edited(batch.output, store.last(), store.gradebook())
        book.write(batch.output)
        store.wrote(gradebook_digest(batch.output / GRADEBOOK))
        page.write(batch.output, read_alike(batch.output))
        if batch.share:
            page.write_shared(batch.output)
        summary.changes = _moved(store, records, batch.output, seed_of(references), roster, former)
        summary.notes += [] if summary.changes else _nothing_moved(batch.output)
    except NotWritten as error:
        raise GraderError(f"graded and saved, but {error}. Mend that and run the same command again") from None
    except (OSError, sqlite3.OperationalError) as error:
        raise GraderError(
            f"graded and saved, but {batch.output} cannot be written: {reason(error)}. "
            "Free some disk space and run the same command again"
        ) from None


def _moved(store: Store, records: dict[str, Record], output: Path, seed: str, roster: Roster, former: Former) -> list[Change]:
    """Write the score changes since the last run, and keep this one in its place."""
    from autograder.batch.moved_people import moved_people
    from autograder.batch.regrade_diff import score_changes, write_changes

    changes: list[Change] = []
    before = store.last()
    if before and before != records:
        now = {entry.id: entry.people for entry in roster.entries}
        changes = [*score_changes(store, before, records), *moved_people(store, before, records, former, now)]
        if changes:
            write_changes(output / MOVED, changes, now)
    if before != records or store.seed() != seed:
        store.replace_last(records, seed)
    return changes


def _nothing_moved(output: Path) -> list[str]:
    """Rename what moved in an earlier run, which would stand as this one's, and say so."""
    from autograder.batch.regrade_diff import keep_earlier

    earlier = keep_earlier(output / MOVED, None)
    return [f"no score has moved in this run: the earlier {MOVED} is called {earlier} now"] if earlier else []


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
