"""Grade the hostile corpus and print what did not hold; run by test_hostile.py, also as another user.

    python run.py REFERENCES MODE [FIRST STEP]

MODE: "here" (workers run in this interpreter) or the path of another interpreter for the workers, with its import paths in
HOSTILE_PATHS; HOSTILE_WITHOUT names layers of the cage to leave out. Prints one JSON line per case.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import psutil

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.judging.results import ResultsFile
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.process import hide_from_debuggers
from hostile.case import CANARY, Hostile, written
from hostile.corpus import CASES

ROOT = Path(__file__).resolve().parents[2]


def main(references: Path, mode: str, first: int, step: int) -> None:
    secret = {"in memory": CANARY + "-memory"}
    if CANARY not in os.environ.get("JUDGE_SECRET", ""):  # it must be in /proc/…/environ from the start
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "JUDGE_SECRET": CANARY + "-environment"})
    hide_from_debuggers()
    assignment = load_assignment(ROOT / "assignment", statement_seconds=1.0, call_seconds=1.0, total_seconds=3600.0)
    python, paths = (sys.executable, ()) if mode == "here" else (mode, tuple(os.environ["HOSTILE_PATHS"].split(":")))
    without = tuple(filter(None, os.environ.get("HOSTILE_WITHOUT", "").split(",")))
    with ZygoteClient(assignment.preload, python, paths, without) as zygote, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "canary").write_text(CANARY + "-file")
        os.chmod(Path(folder) / "canary", 0o600)
        grader = Grader(assignment, read_references(references), zygote)
        grader.explains = mode == "here"  # once is enough: reasons are looked for in the same cage
        for case in CASES[first::step]:
            print(json.dumps(judge(case, grader, Path(folder))), flush=True)
        assert secret


def seconds_of(process: psutil.Process) -> float:
    """Processor time of a process and of its children that have ended; none of one that has ended itself."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0


@contextmanager
def spent(grader):
    """Yield a list that gets what a case costs on any machine, in seconds.

    That is the processor time of the judge, the workers and their children, and every limit that ran out.
    """
    zygote, request, seconds = psutil.Process(grader.zygote.process.pid), Worker._request, []
    others = branches(grader)

    def counted(worker, op, allowed, *more, **fields):
        try:
            return request(worker, op, allowed, *more, **fields)
        except WorkerError as error:
            if error.kind == "timeout":
                seconds.append(allowed)
            raise

    def used() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # the processes that read submissions
        ours = time.process_time() + ended.ru_utime + ended.ru_stime
        return ours + sum(map(seconds_of, [zygote, *others]))

    Worker._request, before = counted, used()
    try:
        yield seconds
    finally:
        Worker._request = request
        seconds.append(used() - before)


def judge(case: Hostile, grader: Grader, folder: Path) -> dict[str, Any]:
    """Grade one case; ``broken`` lists every claim that did not hold."""
    submission = Path(tempfile.mkdtemp(dir=folder))
    for name, content in case.files.items():
        target = submission / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(written(content))
    path, refused = submission.parent / "results.json", ""
    results = ResultsFile(path, grader.assignment, "517")
    with spent(grader) as costs:
        try:
            grade(grader, submission, results.write)
        except GraderError as error:
            refused = str(error)
            results.refuse(refused)
    seconds, text = sum(costs), path.read_text()
    tree = json.loads(text)
    broken = [
        *wrong_scores(case, grader, tree, refused),
        *not_ours(case, grader, tree),
        *unflagged(case, tree),
        *leaked(case, text),
    ]
    if seconds > case.seconds:
        broken.append(f"cost {seconds:.1f} s")
    if running := [one for one in below(grader) if one not in branches(grader)]:
        broken.append(f"still running: {running}")
    return {"family": case.family, "name": case.name, "seconds": round(seconds, 2), "broken": broken}


def below(grader: Grader) -> list[psutil.Process]:
    return psutil.Process(grader.zygote.process.pid).children(recursive=True)


def branches(grader: Grader) -> list[psutil.Process]:
    """The zygotes of sections with imports of their own: they stay, their workers do not."""
    return [psutil.Process(branch.pid) for branch in grader.zygote.branches.values() if branch.pid]


def submitted(case: Hostile, grader: Grader) -> set[str]:
    """The items that the case answers."""
    return {q.id for q in grader.assignment.questions if q.section.id in case.sections}


def wrong_scores(case: Hostile, grader: Grader, tree: dict[str, Any], refused: str) -> Iterator[str]:
    if case.refused != bool(refused):
        yield f"refused: {refused!r}"
    scores = {test["number"]: test["score"] for test in tree["tests"]}
    earned = {id for id, score in scores.items() if score}
    expected = set() if case.refused else submitted(case, grader) - case.zero
    if earned != expected:
        yield f"lost wrongly {sorted(expected - earned)}, kept wrongly {sorted(earned - expected)}"


def not_ours(case: Hostile, grader: Grader, tree: dict[str, Any]) -> Iterator[str]:
    answered = submitted(case, grader)
    possible = sum(test["max_score"] for test in tree["tests"] if test["number"] in answered)
    if tree["score"] > possible or {test["number"] for test in tree["tests"]} != {q.id for q in grader.assignment.questions}:
        yield "results are not the grader's own"


def unflagged(case: Hostile, tree: dict[str, Any]) -> Iterator[str]:
    flags = " ".join(flag for test in tree["tests"] for flag in test["extra_data"].get("flags", ()))
    if case.flagged not in flags:
        yield f"staff do not read {case.flagged!r} but {flags!r}"


def leaked(case: Hostile, results: str) -> Iterator[str]:
    if re.search(case.forbidden, results) or CANARY in results:
        yield "a secret got out"
    shown = "".join(test["output"] + test["name"] for test in json.loads(results)["tests"])
    if any((ord(c) < 32 and c not in "\n ") or c in "\u202e\x1b" for c in shown):
        yield "control characters in the results"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *(int(n) for n in sys.argv[3:5] or ("0", "1")))
