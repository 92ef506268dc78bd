"""Verdicts -> Gradescope's results.json, by Otter's ``GradingResults``; written atomically."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.checks.writeup.review import Report
from autograder.core.assignment import Assignment
from autograder.core.files import write_whole
from autograder.core.text import clean, first_of
from autograder.core.verdict import NOT_RUN, NOT_YET, PASSED, Amend, Verdict, as_they_are, not_yet
from autograder.judging.output import ITEM_BYTES, MAX_LINES, fitting, item_output
from autograder.judging.question_tests import otter_test_files
from autograder.judging.receipt import Origin, content_key, origin_of, sign
from autograder.submission.unpack import Contents

WRITEUP, INFORMATION = "writeup", "for information"
POSTPONED = (
    f"{NOT_YET}: the process that runs your code did not start, which is no fault of yours. The zeros of the items that have "
    "not run are not a result: submit again, or ask the staff to have it graded again"
)
# Options for Otter's writer: every item visible (one hidden item would hide students' totals), no stdout.
OTTER_CONFIG = SimpleNamespace(
    show_hidden=True,
    show_all_public=True,
    force_public_test_summary=False,
    warn_missing_pdf=False,
    show_stdout=False,
    points_possible=None,
    score_threshold=None,
)

# What is written is bounded, whatever a submission did; for items see ``output``.
NOTES_BYTES, DATA_BYTES = 8_000, 2_000


class ResultsFile:
    """results.json for one submission and one course; ``write`` may be called any number of times.

    ``amend``: what the verdicts and notes become for the student, such as by earlier uploads; it changes no points.
    """

    def __init__(self, path: Path, assignment: Assignment, course: str, amend: Amend = as_they_are):
        self.path, self.assignment, self.course, self.amend = Path(path), assignment, course, amend
        self.started = time.monotonic()
        self.writeup: Report | None = None
        self.origin: Origin | None = None  # with the digest of the submission, once both are known
        self.submission = ""

    def made_by(self, references: dict[str, Any], contents: Contents) -> None:
        """Sign what is written from now on: it was graded with these references, and the submission is this one."""
        self.origin, self.submission = origin_of(self.assignment, references), content_key(contents)

    def write(self, verdicts: list[Verdict], notes: list[str]) -> dict[str, Any]:
        """Replace the file with these verdicts; returns what was written."""
        tree = gradescope_tree(self.assignment, self.course, *self.amend(verdicts, notes))
        if self.writeup is not None:
            tree["tests"].append(writeup_entry(self.writeup))
        if self.origin is not None:
            sign(tree, self.origin, self.submission)
        tree["execution_time"] = round(time.monotonic() - self.started, 3)
        write_whole(self.path, (json.dumps(tree, indent=1) + "\n").encode("ascii"))
        return tree

    def refuse(self, message: str) -> dict[str, Any]:
        """Write that nothing could be graded: the one-line reason on top, and every item "not run"."""
        verdicts = [Verdict(q, NOT_RUN, "not run: nothing could be graded") for q in self.assignment.questions]
        return self.write(verdicts, [message])

    def postpone(self, verdicts: list[Verdict], notes: list[str]) -> dict[str, Any]:
        """Write that what has not run is not graded yet, because no worker started."""
        return self.write([not_yet(v.question) if v.status == NOT_RUN else v for v in verdicts], [*notes, POSTPONED])


def gradescope_tree(assignment: Assignment, course: str, verdicts: list[Verdict], notes: list[str]) -> dict[str, Any]:
    """The dict that Gradescope reads; the same verdicts always give the same dict."""
    tree: dict[str, Any] = _otter_results(verdicts, course).to_gradescope_dict(OTTER_CONFIG)
    for test, verdict in zip(tree["tests"], verdicts):
        test.update(_entry(verdict, course))
    regular, bonus = assignment.max_points(course)
    not_run = sum(v.status == NOT_RUN for v in verdicts)
    extra_credit = f" and {bonus:g} extra credit" if bonus else ""
    summary = [f"{assignment.title}, course {course}: {regular:g} points{extra_credit} are graded here."]
    if not_run:
        summary.append(f"{not_run} of {len(verdicts)} items have not run.")
    tree.update(
        score=round(sum(v.score(course) for v in verdicts), 5),
        output=fitting([*summary, *(clean(n, 300) for n in first_of(notes, MAX_LINES))], NOTES_BYTES),
        output_format="text",
        test_output_format="text",
        test_name_format="text",
        visibility="visible",
        stdout_visibility="hidden",
        extra_data={"course": course, "complete": not not_run},
    )
    return tree


def student_copy(tree: dict[str, Any]) -> dict[str, Any]:
    """The same result for its student's eyes: without the numbers of the hidden sets. Its signature still holds."""
    tests = [{**test, "extra_data": {k: v for k, v in test["extra_data"].items() if k != "inputs"}} for test in tree["tests"]]
    return {**tree, "tests": tests}


def _entry(verdict: Verdict, course: str) -> dict[str, Any]:
    """What Gradescope and its instructors read of one item, beside its points."""
    question = verdict.question
    output, output_format, text = item_output(verdict, course)
    data = _small({key: value for key, value in verdict.data.items() if key != "table"})
    entry: dict[str, Any] = {
        "name": f"{question.id} {question.title}" if question.title not in question.id else question.id,
        "number": question.id,
        "visibility": "visible",
        "output": output,
        "output_format": output_format,
        "name_format": "text",
        "tags": [*(["extra credit"] if course in question.extra_credit else []), *verdict.tags],
        "extra_data": {
            "id": question.id,
            "verdict": verdict.status,
            "section": question.section.id,
            "seconds": round(verdict.seconds, 1),
            **data,
            **({"text": text} if text else {}),
        },
    }
    if verdict.status != NOT_RUN:
        entry["status"] = "passed" if verdict.status == PASSED else "failed"
    return entry


def writeup_entry(report: Report) -> dict[str, Any]:
    """The entry about the PDF: for information, without points."""
    return {
        "name": "Write-up (PDF), for information: no points are given or taken here",
        "number": WRITEUP,
        "score": 0.0,
        "max_score": 0.0,
        "visibility": "visible",
        "name_format": "text",
        "output_format": "text",
        "tags": [],
        "output": fitting([clean(line, 700) for line in first_of(report.lines(), MAX_LINES)], ITEM_BYTES),
        "extra_data": {"id": WRITEUP, "verdict": INFORMATION, "section": WRITEUP, "seconds": 0.0},
    }


def _otter_results(verdicts: list[Verdict], course: str) -> Any:
    """The verdicts as Otter's ``GradingResults``, one test file per question."""
    otter = otter_test_files()
    from otter.test_files.abstract_test import TestCase, TestCaseResult
    from otter.test_files.exception_test import ExceptionTestFile

    files = []
    for verdict in verdicts:
        case = TestCase(
            name=verdict.question.id,
            body="",
            hidden=False,
            points=verdict.question.points[course],
            success_message=None,
            failure_message=None,
        )
        file = ExceptionTestFile(verdict.question.id, "", [case], all_or_nothing=False)
        file.test_case_results = [TestCaseResult(test_case=case, message=verdict.reason, passed=verdict.status == PASSED)]
        file.update_score(verdict.score(course))
        files.append(file)
    return otter.GradingResults(files)


def _small(data: dict[str, Any]) -> dict[str, Any]:
    """Without what takes more than ``DATA_BYTES``; of long lists, the beginning."""
    short = {key: _beginning(value) if isinstance(value, list) else value for key, value in data.items()}
    return {key: value for key, value in short.items() if len(json.dumps(value)) <= DATA_BYTES}


def _beginning(values: list[Any]) -> list[Any]:
    kept, room = [], DATA_BYTES - 2
    for value in values:
        room -= len(json.dumps(value)) + 2
        if room < 0:
            break
        kept.append(value)
    return kept
