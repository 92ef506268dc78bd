"""Grade one submission, from its files to its verdicts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from autograder.core.errors import NotStarted
from autograder.core.verdict import FAILED, Verdict
from autograder.judging.grader import Grader
from autograder.judging.reading import Reader
from autograder.judging.section import SectionRun
from autograder.submission.unpack import Contents


def grade(
    grader: Grader, submitted: Path | Contents | Reader, report: Callable[[list[Verdict], list[str]], None]
) -> list[Verdict]:
    """Grade one submission; ``report`` is called with all verdicts and notes at the start and after each item.

    Raises GraderError if there is nothing to grade.
    """
    assignment = grader.assignment
    if not isinstance(submitted, Reader):
        with Reader(assignment, submitted, assignment.limits.total_seconds, grader.tests.rules) as reader:
            return grade(grader, reader, report)
    deadline = time.monotonic() + assignment.limits.total_seconds
    verdicts = {q.id: Verdict(q) for q in assignment.questions}
    report(list(verdicts.values()), [])
    sections, told = submitted.sections
    notes = told + [n for s in assignment.sections for n in sections[s.id].notes]
    begin(grader, submitted)
    runs = []
    for section in assignment.sections:
        run = SectionRun(grader, section, sections[section.id], deadline)
        for verdict in run.verdicts():
            if run.number is not None:
                verdict.data["inputs"] = run.number
            verdicts[verdict.question.id] = verdict
            report(list(verdicts.values()), notes)
        runs.append(run)
    if grader.explains and explain(runs, verdicts):
        report(list(verdicts.values()), notes)
    return list(verdicts.values())


def begin(grader: Grader, reader: Reader) -> None:
    """Read the submission, and have the libraries of its sections imported; waits for no worker.

    Raises GraderError if there is nothing to grade.
    """
    sections, _ = reader.sections
    for section in grader.assignment.sections:
        if sections[section.id].plan:
            with contextlib.suppress(NotStarted):  # it is started again when it is needed
                grader.zygote_of(section)


def explain(runs: list[SectionRun], verdicts: dict[str, Verdict]) -> bool:
    """Add to failed verdicts what is known about why, and the smallest failing call; no score changes. Whether any failed."""
    if all(verdict.status != FAILED for verdict in verdicts.values()):
        return False
    from autograder.judging.diagnosis import Diagnosis  # here, since a right submission needs none of it
    from autograder.judging.public_call import add_calls

    for run in runs:
        verdicts |= {verdict.question.id: verdict for verdict in Diagnosis(run).verdicts()}
        add_calls(run, verdicts.values())
    return True
