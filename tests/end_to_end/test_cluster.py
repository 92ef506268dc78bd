"""A class on a Dask cluster: a real scheduler and workers, of which some die or are not this grader."""

import gc
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from types import SimpleNamespace

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.batch import cluster as cluster_module
from autograder.batch.outputs import STORE
from autograder.batch.people import Entry
from autograder.batch.store import judging_key
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from support.project import ROOT
from support.toy_class import RIGHT, WRONG

Client = pytest.importorskip("distributed").Client


def start(*arguments, cwd, engine=ROOT):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli." + arguments[0], *arguments[1:]],
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PYTHONPATH": str(engine), "PATH": "/usr/bin:/bin"},
    )


def engine(folder, name, module, before, after):
    """A copy of the engine in which something is different."""
    copy = folder / name
    shutil.copytree(ROOT / "autograder", copy / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    path = copy / "autograder" / module
    source = path.read_text()
    assert before in source
    path.write_text(source.replace(before, after, 1))
    return copy


@pytest.fixture
def engines(tmp_path, request):
    """Of five workers: three have this engine, one has another version, one answers for another grader; or one of these."""
    other = engine(tmp_path, "other", "judging/grade.py", '"""', '"""Another version. ')
    liar = engine(tmp_path, "liar", "batch/cluster.py", 'return content_key(contents), shared["judging"]', 'return "x", "y"')
    broken = engine(tmp_path, "broken", "batch/cluster.py", "import", "import no_such_module, ")
    every = [ROOT, ROOT, ROOT, other, liar, broken]
    chosen = every[getattr(request, "param", slice(5))]
    return chosen if isinstance(chosen, list) else [chosen]


@pytest.fixture
def cluster(tmp_path, engines):
    """(address, worker processes)."""
    file = tmp_path / "scheduler.json"
    options = ["--no-dashboard", "--scheduler-file", str(file)]
    started = [start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", *options, cwd=tmp_path)]
    try:
        while not (text := file.read_text() if file.exists() else ""):
            assert started[0].poll() is None, "the scheduler ended"
            time.sleep(0.1)
        for number, source in enumerate(engines):
            folder = ["--local-directory", str(tmp_path / f"worker{number}")]
            worker = start("dask_worker", "--nthreads", "1", "--no-nanny", *options, *folder, cwd=tmp_path, engine=source)
            started += [worker]
        address = json.loads(text)["address"]
        with Client(address, timeout=3600) as client:
            client.wait_for_workers(len(engines), timeout=3600)
        yield address, started[1:]
    finally:
        for process in reversed(started):
            process.kill()
            process.wait()


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_whatever_becomes_of_its_workers(course, cluster):
    """One is killed, one has another version, one answers for another grader."""
    address, workers = cluster
    for index in range(60):
        course.hand_in(f"s{index}", [RIGHT, WRONG, "import time\ntime.sleep(0.05)\n" + RIGHT][index % 3] + f"\n# {index}")
    course.hand_in("empty", None)
    course.run()
    here = course.bytes()
    shutil.rmtree(course.root / "out")
    happened = []

    def progress(done, total, ran, lost):
        if ran >= 5 and not happened:
            happened.append(ran)
            workers[0].kill()

    told = []
    summary = course.run(scheduler=address, progress=progress, say=told.append)
    assert happened and happened[0] < 55 and workers[0].wait() and workers[2].poll() is None
    assert course.bytes() == here and summary.ran == 61
    told = [line for line in told if "is left out" in line]
    assert len(told) == 2 and "has a different version" in "".join(told) and "sent something else" in "".join(told), told
    assert course.run(scheduler=address).ran == 0


@pytest.mark.slow
@pytest.mark.parametrize("engines", [slice(2)], ids=["two"], indirect=True)
@pytest.mark.parametrize("moment", [0, 5], ids=["before it starts", "while it runs"])
def test_a_worker_that_does_not_answer_for_a_while_changes_no_score(course, cluster, moment):
    address, workers = cluster
    for index in range(30):
        course.hand_in(f"s{index}", [RIGHT, WRONG][index % 2] + f"\n# {index}")
    gradebook = course.root / "out" / "gradebook.csv"
    course.run()
    here = gradebook.read_bytes()
    shutil.rmtree(course.root / "out")
    back = threading.Timer(20.0, workers[0].send_signal, [signal.SIGCONT])

    def stop():
        workers[0].send_signal(signal.SIGSTOP)
        back.start()

    def progress(done, total, ran, lost):
        if ran >= moment and back.ident is None:
            stop()

    if not moment:
        stop()
    summary = course.run(scheduler=address, progress=progress)
    assert gradebook.read_bytes() == here and summary.ran == 30


@pytest.mark.slow
@pytest.mark.parametrize(
    "engines", [3, 4, 5], ids=["another version", "an answer for another grader", "an engine that fails"], indirect=True
)
def test_where_no_worker_is_this_grader_each_submission_says_so(course, cluster):
    course.hand_in("a", RIGHT)
    course.hand_in("b", WRONG)
    assert course.run(scheduler=cluster[0]).ran == 0
    problems = [row["Status"] for row in course.rows()]
    assert len(problems) == 2 and all(
        any(why in p for why in ("different version", "something else", "on the cluster")) for p in problems
    ), problems


LARGER = """
CONCEPTS = {"larger": "is it the larger one that is asked for?"}
EDITS = (("larger", "max(_a, _b)", "_a + _b"),)
"""
LATER = """
def judge(check, add):
    from .said import SAID

    for case in check.cases("1.add"):
        if case.call(add) != case.expected:
            check.fail("numbers", SAID)
"""
JUDGED = """
from otter.test_files import test_case

OK_FORMAT = False

name = "1.add"


@test_case()
def adds_two_numbers(add, check):
    '''add(a, b) is the sum of two numbers.'''
    check.rules.judge(check, add)
"""
OWN_RULES = {
    "an edit": ({"rules.py": LARGER}, "return max(a, b)", "is it the larger one"),
    "an edit in a package": (
        {"rules/__init__.py": "from .concepts import CONCEPTS, EDITS", "rules/concepts.py": LARGER},
        "return max(a, b)",
        "is it the larger one",
    ),
    "what is imported later": (
        {"rules/__init__.py": LATER, "rules/said.py": 'SAID = "it is no sum of these two"', "questions/1.add.py": JUDGED},
        "return a * b + 7",
        "it is no sum of these two",
    ),
}


@pytest.mark.parametrize("rules, answer, says", OWN_RULES.values(), ids=OWN_RULES)
def test_a_worker_of_a_cluster_finds_the_reasons_that_the_assignments_own_rules_give(
    course, tmp_path, monkeypatch, rules, answer, says
):
    for name, text in rules.items():
        (course.folder / name).parent.mkdir(exist_ok=True)
        (course.folder / name).write_text(text)
    path = course.hand_in("a", RIGHT.replace("return a + b", answer))
    course.run(jobs=1)
    with sqlite3.connect(course.root / "out" / STORE) as database:
        [(here,)] = database.execute("SELECT verdicts FROM found")
    assert says in here
    assignment = load_assignment(course.folder, call_seconds=3.0, statement_seconds=3.0)
    references = fresh_references(course.folder, course.folder / "solutions", course.root / "build")
    shared = cluster_module.setup_of(assignment, references, judging_key(assignment, read_references(references)))
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    monkeypatch.setattr(cluster_module, "hide_from_debuggers", lambda: None)
    monkeypatch.setattr(cluster_module, "_graders", {})
    workers = SimpleNamespace(start=lambda content, arguments: cluster_module.grade_one(*arguments))
    for _ in range(2):
        task = cluster_module._submit(workers, shared, assignment, Entry("a", path, []), lambda content: False)
        assert task.future[2] == here
    kept = [file for file in (tmp_path / "temp").rglob("*") if file.is_file()]
    assert kept and not any(file.read_bytes() == shared["references"] for file in kept)
    cluster_module._graders.clear()
    gc.collect()
    assert not list((tmp_path / "temp").iterdir())


def test_a_missing_scheduler_is_a_one_line_error(course):
    course.hand_in("a", RIGHT)
    with pytest.raises(GraderError, match="no Dask scheduler at"):
        course.run(scheduler="not an address")
