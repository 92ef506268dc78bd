"""Grade the hostile corpus and print what did not hold; run by test_hostile.py, also as another user.

    python run.py REFERENCES MODE [FIRST STEP]

MODE: "here" (this interpreter's worker) or a path to another interpreter for the workers, with its import paths in
HOSTILE_PATHS; HOSTILE_WITHOUT leaves layers of the cage out. Prints one JSON line a case.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import psutil  # noqa: E402
from corpus import CANARY, CASES  # noqa: E402

from autograder.core.errors import GraderError  # noqa: E402
from autograder.core.loading import load_assignment  # noqa: E402
from autograder.core.references import read_references  # noqa: E402
from autograder.judging.grade import grade  # noqa: E402
from autograder.judging.grader import Grader  # noqa: E402
from autograder.judging.results import ResultsFile  # noqa: E402
from autograder.sandbox.judge_side.worker import Worker, WorkerError  # noqa: E402
from autograder.sandbox.judge_side.zygote_client import ZygoteClient  # noqa: E402
from autograder.sandbox.process import hide_from_debuggers  # noqa: E402


def main(references: Path, mode: str, first: int, step: int) -> None:
    secret = {"in memory": CANARY + "-memory"}
    if CANARY not in os.environ.get("JUDGE_SECRET", ""):  # it has to be in /proc/…/environ from the start
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "JUDGE_SECRET": CANARY + "-environment"})
    hide_from_debuggers()
    assignment = load_assignment(ROOT / "assignment", statement_seconds=1.0, call_seconds=1.0, total_seconds=3600.0)
    python, paths = (sys.executable, ()) if mode == "here" else (mode, tuple(os.environ["HOSTILE_PATHS"].split(":")))
    without = tuple(filter(None, os.environ.get("HOSTILE_WITHOUT", "").split(",")))
    with ZygoteClient(assignment.preload, python, paths, without) as zygote, tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "canary").write_text(CANARY + "-file")
        os.chmod(Path(folder) / "canary", 0o600)
        grader = Grader(assignment, read_references(references), zygote)
        for case in CASES[first::step]:
            print(json.dumps(judge(case, grader, Path(folder))), flush=True)
        assert secret


@contextmanager
def spent(grader):
    """A list that gets the seconds that a case costs on any machine: of processors, by the judge, the workers and all that
    they start, and the limits that ran out.
    """
    zygote, request, seconds = psutil.Process(grader.zygote.process.pid), Worker._request, []

    def counted(worker, op, patience, *more, **fields):
        try:
            return request(worker, op, patience, *more, **fields)
        except WorkerError as error:
            if error.kind == "timeout":
                seconds.append(patience)
            raise

    def used() -> float:
        return time.process_time() + sum(zygote.cpu_times()[:4])

    Worker._request, before = counted, used()
    try:
        yield seconds
    finally:
        Worker._request = request
        seconds.append(used() - before)


def judge(case, grader, folder: Path) -> dict:
    """Grade one case; ``broken`` lists every claim that did not hold."""
    submission = Path(tempfile.mkdtemp(dir=folder))
    for name, content in case.files.items():
        target = submission / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    path, refused = submission.parent / "results.json", ""
    results = ResultsFile(path, grader.assignment, "517")
    with spent(grader) as seconds:
        try:
            grade(grader, submission, results.write)
        except GraderError as error:
            refused = str(error)
            results.refuse(refused)
    seconds = sum(seconds)
    text = path.read_text()
    tree = json.loads(text)
    scores = {t["number"]: t["score"] for t in tree["tests"]}
    everything = {q.id for q in grader.assignment.questions}
    broken = []
    if case.refused != bool(refused):
        broken.append(f"refused: {refused!r}")
    submitted = {q.id for q in grader.assignment.questions if q.section.id in ("A2S1", "A2S2")}
    expected = set() if case.refused else submitted - case.zero
    if {i for i, score in scores.items() if score} != expected:
        broken.append(
            f"lost wrongly {sorted(expected - {i for i, s in scores.items() if s})}, kept wrongly "
            f"{sorted({i for i, s in scores.items() if s} - expected)}"
        )
    if re.search(case.forbidden, text) or CANARY in text:
        broken.append("a secret got out")
    if any((ord(c) < 32 and c not in "\n ") or c in "\u202e\x1b" for t in tree["tests"] for c in t["output"] + t["name"]):
        broken.append("control characters in the results")
    if tree["score"] > 38 or set(scores) != everything:
        broken.append("results are not the grader's own")
    if seconds > case.seconds:
        broken.append(f"cost {seconds:.1f} s")
    running = psutil.Process(grader.zygote.process.pid).children(recursive=True)
    if running:
        broken.append(f"still running: {running}")
    return {"family": case.family, "name": case.name, "seconds": round(seconds, 2), "broken": broken}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], *(int(n) for n in sys.argv[3:5] or ("0", "1")))
