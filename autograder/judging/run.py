"""One grading from start to end: the worker warmed up, the cage probed, results.json kept truthful throughout."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.verdict import NOT_RUN, Verdict
from autograder.sandbox.judge_side.worker import WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers


def run_grading(
    assignment: Assignment,
    references: Path,
    path: Path,
    course: str,
    output: Path,
    log: Callable[[str], None] = lambda line: None,
) -> dict:
    """Grade one submission and keep results.json truthful from the first moment on.

    ``log`` receives lines for instructors. Raises GraderError after writing it, when nothing could be graded.
    """
    hide_from_debuggers()
    # The worker imports torch while the judge reads the submission; nothing it needs is secret.
    with ZygoteClient(assignment.preload) as zygote:
        # Imported only now: it takes about as long as the worker needs for torch.
        from autograder.core.references import read_references
        from autograder.judging.grade import grade
        from autograder.judging.grader import Grader
        from autograder.judging.results import ResultsFile
        from autograder.judging.writeup import for_information
        from autograder.submission.unpack import Contents, read_files

        results = ResultsFile(output, assignment, course)
        last = [Verdict(q) for q in assignment.questions], []
        contents = Contents([], [], "")
        results.write(*last)

        def report(verdicts: list[Verdict], notes: list[str]) -> None:
            nonlocal last
            last = list(verdicts), notes
            results.write(*last)

        try:
            grader = Grader(assignment, read_references(references), zygote)
            require_isolation(grader, references.parent, log)
            contents = read_files(path, assignment.limits.file_bytes)
            grade(grader, contents, report)
        except GraderError as error:
            results.refuse(str(error))
            raise
        except Exception as error:
            # What was found before the grader failed still stands; the rest is "not run", not failed.
            tree = results.write(last[0], [*last[1], "the grader itself failed on the way; please tell the staff"])
            log(f"internal error, {type(error).__name__}: {error}")
            if all(verdict.status == NOT_RUN for verdict in last[0]):
                raise GraderError(f"internal error, {type(error).__name__}: {error}") from error
            return tree
    try:
        results.writeup = for_information(assignment, contents, course)
    except Exception as error:
        log(f"the PDF was not checked, {type(error).__name__}: {error}")
    # Once more with every worker gone: nothing that a submission left behind comes after this.
    return results.write(*last)


def require_isolation(grader: Any, beside: Path, log: Callable[[str], None]) -> None:
    """Probe the cage before hidden references come near student code.

    Where they would be within reach, grade on the public inputs only if AUTOGRADER_ISOLATION says "process";
    otherwise raise GraderError.
    """
    from autograder.sandbox.judge_side.doctor import examine

    try:
        diagnosis = examine(grader.zygote, grader.assignment.limits, beside)
    except WorkerError as error:
        raise GraderError(f"no worker can run behind the cage here: it {error.kind} at once; please tell the staff") from None
    for line in diagnosis.lines():
        log(line)
    if not diagnosis.safe:
        if os.environ.get("AUTOGRADER_ISOLATION") != "process":
            raise GraderError(
                "isolation: process only, so hidden references were not loaded; "
                "see `autograder doctor`. "
                "AUTOGRADER_ISOLATION=process grades on the public inputs instead"
            )
        log("isolation: process only; graded on the public inputs")
        grader.use_public_inputs()
