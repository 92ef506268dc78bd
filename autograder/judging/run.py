"""One grading from start to finish: warm up the worker, probe the cage, keep results.json truthful throughout."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError, NotStarted, NotWritten
from autograder.core.verdict import NOT_RUN, Amend, Verdict, as_they_are
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers

if TYPE_CHECKING:
    from autograder.judging.grader import Grader
    from autograder.judging.reading import Plan, Reader
    from autograder.judging.results import ResultsFile

UNSAFE = (
    "nothing was graded, through no fault of the submission: student code cannot be kept apart on this machine. "
    "Please tell the staff, who read more in `autograder doctor`"
)


def run_grading(
    assignment: Assignment,
    references: Path | Callable[[], Path],
    path: Path,
    course: str,
    output: Path,
    log: Callable[[str], None] = lambda line: None,
    amend: Amend = as_they_are,
) -> dict[str, Any]:
    """Grade one submission and keep results.json truthful from the first moment on; returns its content.

    ``references``: the baked file, or what bakes it first where that is necessary, while the worker imports its libraries.
    ``log`` receives lines for instructors; ``amend``: see ``ResultsFile``. Raises GraderError, after writing it, if nothing
    could be graded; NotWritten as soon as it cannot be written.
    """
    hide_from_debuggers()
    # The worker, which needs no secrets, imports torch while the judge imports what takes as long, and reads the submission.
    with ZygoteClient(assignment.preload) as zygote:
        from autograder.core.references import read_references
        from autograder.judging.grade import begin, grade
        from autograder.judging.grader import Grader
        from autograder.judging.reading import Reader
        from autograder.judging.results import ResultsFile

        results = ResultsFile(output, assignment, course, amend)
        latest: tuple[list[Verdict], list[str]] = [Verdict(q) for q in assignment.questions], []
        results.write(*latest)

        def report(verdicts: list[Verdict], notes: list[str]) -> None:
            nonlocal latest
            latest = list(verdicts), notes
            results.write(*latest)

        reader = Reader(assignment, path, assignment.limits.total_seconds)
        try:
            baked = references() if callable(references) else references
            grader = Grader(assignment, read_references(baked), zygote)
            begin(grader, reader)
            require_isolation(grader, baked.parent, log, _may_write(grader, reader))
            results.made_by(grader.references, reader.contents)
            grade(grader, reader, report)
        except NotWritten:
            reader.close()
            raise
        except Exception as error:
            reader.close()
            return _end_early(results, *latest, error, log)
    with reader:
        _check_writeup(results, reader, log)
    return results.write(*latest)  # again, now that every worker has ended: nothing that a submission left can follow


def _may_write(grader: Grader, reader: Reader) -> bool:
    """Whether a worker may get a folder to write in: those of such a section, and any whose code has words about files."""
    sections, _ = reader.sections
    plans = {section: sections[section.id].plan for section in grader.assignment.sections}
    return any(plan and (section.scratch or _names_files(grader, plan)) for section, plan in plans.items())


def _names_files(grader: Grader, plan: Plan) -> bool:
    sources = (*(cell.source for cell in plan.document.cells), *plan.modules.values())
    return bool(plan.files) or any(map(grader.may_write, sources))


def _end_early(
    results: ResultsFile, verdicts: list[Verdict], notes: list[str], error: Exception, log: Callable[[str], None]
) -> dict[str, Any]:
    """Write what stands after an error: verdicts reached before it; the other items are "not run", not failed.

    Raises GraderError if none was reached.
    """
    nothing_ran = all(verdict.status == NOT_RUN for verdict in verdicts)
    if isinstance(error, NotStarted):
        log(f"not graded yet: {error}")
        tree = results.postpone(verdicts, notes)
    elif isinstance(error, GraderError) and nothing_ran:
        results.refuse(str(error))
        raise error
    else:
        tree = results.write(verdicts, [*notes, "the grader itself failed before it finished; please tell the staff"])
        log(f"internal error, {type(error).__name__}: {error}")
        if nothing_ran:
            raise GraderError(f"internal error, {type(error).__name__}: {error}") from error
    if nothing_ran:
        raise error
    return tree


def _check_writeup(results: ResultsFile, reader: Reader, log: Callable[[str], None]) -> None:
    """Add the check of the submission's PDF; if that fails, the grading stands without it."""
    from autograder.judging.writeup import for_information

    try:
        results.writeup = for_information(results.assignment, reader.contents, results.course)
    except Exception as error:
        log(f"the PDF was not checked, {type(error).__name__}: {error}")


def require_isolation(grader: Grader, beside: Path, log: Callable[[str], None], scratch: bool = True) -> None:
    """Probe the cage before hidden references come near student code; with ``scratch``, also that of workers that may write.

    If student code could reach them, grade on the public inputs only, and only if AUTOGRADER_ISOLATION is "process";
    otherwise raise GraderError.
    """
    from autograder.sandbox.judge_side.doctor import examine
    from autograder.sandbox.judge_side.worker import WorkerError

    try:
        diagnosis = examine(grader.zygote, grader.assignment.limits, beside, scratch)
    except WorkerError as error:
        log(f"no worker can be started and watched here ({error.kind}); see `autograder doctor`")
        raise GraderError(UNSAFE) from None
    for line in diagnosis.lines():
        log(line)
    if not diagnosis.safe:
        if os.environ.get("AUTOGRADER_ISOLATION") != "process":
            log(
                "isolation: process only, so hidden references were not loaded; see `autograder doctor`. "
                "AUTOGRADER_ISOLATION=process grades on the public inputs instead"
            )
            raise GraderError(UNSAFE)
        log("isolation: process only; graded on the public inputs")
        grader.use_public_inputs()
