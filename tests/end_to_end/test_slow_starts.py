"""A worker that starts slowly or not at all: more time where the machine is busy, another try, and never a zero."""

import functools
import json
import sys
from dataclasses import replace

import pytest

from autograder.batch import process_pool
from autograder.core.errors import NotStarted
from autograder.core.loading import load_assignment
from autograder.judging import run
from autograder.judging.section import SectionRun
from autograder.sandbox.judge_side import zygote_client
from autograder.sandbox.judge_side.worker import Worker
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.project import ROOT
from support.toy_class import RIGHT, WRONG


@pytest.fixture
def failing_python(tmp_path):
    """``failing_python(times)`` -> an interpreter whose first starts fail, and a function that counts its starts."""

    def make(times: int):
        starts, program = tmp_path / "starts", tmp_path / "python"
        program.write_text(
            f'#!/bin/sh\necho >> "{starts}"\n[ "$(wc -l < "{starts}")" -gt {times} ] || exit 1\nexec "{sys.executable}" "$@"\n'
        )
        program.chmod(0o755)
        return str(program), lambda: len(starts.read_text().splitlines())

    return make


def test_a_start_that_fails_is_tried_again(failing_python):
    python, starts = failing_python(1)
    with ZygoteClient(("json",), python=python) as zygote:
        zygote.wait()
        assert starts() == 2
        pid, sock = zygote.fork()
        sock.close()
        zygote.reap(pid)


def test_two_starts_that_fail_are_reported_as_not_started(failing_python):
    python, starts = failing_python(2)
    with ZygoteClient(("json",), python=python) as zygote, pytest.raises(NotStarted, match="did not start"):
        zygote.wait()
    assert starts() == 2


def test_a_branch_that_fails_to_start_is_tried_again(monkeypatch):
    off, calls = zygote_client.Branch._off, []

    def failing(self):
        calls.append(self.extra.preload)
        if len(calls) == 1:
            raise NotStarted("a slow start")
        return off(self)

    monkeypatch.setattr(zygote_client.Branch, "_off", failing)
    with ZygoteClient(("json",)) as zygote:
        branch = zygote.branch(("decimal",), True)
        branch.wait()
        assert calls == [("decimal",)] * 2
        pid, sock = branch.fork()
        sock.close()
        branch.reap(pid)


def test_a_clone_goes_without_a_branch_that_does_not_start():
    with ZygoteClient(("json",)) as zygote:
        zygote.branch(("a_module_that_is_not_there",), False)
        with zygote.clone() as clone:
            assert clone.branches == {} and zygote.branches == {}
            pid, sock = clone.fork()
            sock.close()
            clone.reap(pid)


def test_waiting_for_a_processor_does_not_count(monkeypatch):
    # A clock that stands still, as that of a process without a processor nearly does; a limit shorter than any start.
    monkeypatch.setattr(zygote_client, "charged_seconds", lambda pid: 0.0)
    monkeypatch.setattr(zygote_client, "READY_SECONDS", 1e-3)
    monkeypatch.setattr(zygote_client.protocol, "receive", functools.partial(_without_limit, zygote_client.protocol.receive))
    with ZygoteClient(("json",)) as zygote:
        assert zygote.wait() == zygote.off
        branch = zygote.branch(("decimal",), False)
        branch.wait()
        assert branch.pid not in (0, zygote.pid), "a branch is timed on its own clock"


def _without_limit(receive, sock, limit, seconds):
    return receive(sock, limit)


def test_time_that_is_charged_runs_out(monkeypatch):
    clock = iter(range(0, 10**6, 200))
    monkeypatch.setattr(zygote_client, "charged_seconds", lambda pid: next(clock))
    with ZygoteClient(("json",)) as zygote, pytest.raises(NotStarted):
        zygote.wait()


# ---- one submission ----


@pytest.fixture
def graded(tmp_path, references, s1):
    """``graded(submission, **replaced)`` -> results.json; the assignment's fields may be replaced."""

    def grade(text: str = s1, **replaced):
        (tmp_path / "submitted").mkdir()
        (tmp_path / "submitted" / "A2S1.py").write_text(text)
        assignment = replace(load_assignment(ROOT / "assignment"), **replaced)
        result = tmp_path / "results.json"
        try:
            run.run_grading(assignment, references, tmp_path / "submitted", "517", result)
        finally:
            grade.tree = json.loads(result.read_text())
        return grade.tree

    return grade


@pytest.mark.slow
def test_a_submission_whose_first_start_fails_is_graded(graded, failing_python, monkeypatch):
    python, starts = failing_python(1)
    monkeypatch.setattr(run, "ZygoteClient", functools.partial(ZygoteClient, python=python))
    assert graded()["score"] == 18 and starts() == 2


def test_a_submission_that_never_starts_is_not_graded_yet(graded):
    with pytest.raises(NotStarted):
        graded(preload=("a_module_that_is_not_there",))
    tree = graded.tree
    assert "not graded yet: the process that runs your code did not start, which is no fault of yours" in tree["output"]
    assert "ask the staff to have it graded again" in tree["output"] and not tree["extra_data"]["complete"]
    for test in tree["tests"]:
        assert test["extra_data"]["verdict"] == "not run" and "status" not in test
        assert test["output"].startswith("not graded yet: no worker process started")


def test_what_was_graded_before_a_worker_did_not_start_stands(graded, monkeypatch):
    judge = SectionRun.judge

    def failing(self, question, shared):
        if question.id == "1.4.1":
            raise NotStarted("a slow start")
        return judge(self, question, shared)

    monkeypatch.setattr(SectionRun, "judge", failing)
    tree = graded()
    outputs = {test["number"]: test["output"] for test in tree["tests"]}
    assert tree["score"] == 12 and outputs["1.3.2"].startswith("correct")
    assert outputs["1.4.1"].startswith("not graded yet") and outputs["2.1.attn_softmax"].startswith("not graded yet")
    assert "not graded yet" in tree["output"]


# ---- a class ----


@pytest.fixture
def starts(course, monkeypatch):
    """``starts(fail)``: a worker does not start if ``fail(name, tries)``; returns what was started and ended, in order."""
    log = course.root / "log"

    def install(fail):
        fork = Worker.__init__

        def failing(self, *arguments, **options):
            if failing.name and fail(failing.name, log.read_text().count(f"start {failing.name}\n")):
                raise NotStarted("the worker did not start;")
            fork(self, *arguments, **options)

        failing.name = ""
        graded = process_pool.verdicts_text

        def logged(grader, reader):
            name = reader.contents.files[0].content().decode().split("# ")[-1].strip()
            failing.name = name
            with log.open("a") as file:
                file.write(f"start {name}\n")
            try:
                return graded(grader, reader)
            finally:
                failing.name = ""
                with log.open("a") as file:
                    file.write(f"end {name}\n")

        monkeypatch.setattr(Worker, "__init__", failing)
        monkeypatch.setattr(process_pool, "verdicts_text", logged)
        return lambda: log.read_text().splitlines()

    return install


@pytest.mark.slow
def test_a_class_tries_failed_starts_again_after_the_others_and_alone(course, starts):
    for index in range(8):
        course.hand_in(f"s{index}", (WRONG if index == 1 else RIGHT) + f"\n# s{index}")
    lines = starts(lambda name, tries: name in ("s1", "s4") and tries == 1)
    summary = course.run(jobs=4)
    assert not summary.problems and summary.ran == 8
    assert [row["Total Score"] for row in course.rows()] == ["7", "3", *["7"] * 6]
    last = lines()[-4:]
    assert sorted(last) == ["end s1", "end s4", "start s1", "start s4"]
    assert [line.split()[1] for line in last[::2]] == [line.split()[1] for line in last[1::2]], "one after the other"


def test_what_never_starts_in_a_class_is_no_zero_and_graded_by_the_next_run(course, starts, monkeypatch):
    for name in ("a", "b"):
        course.hand_in(name, RIGHT + f"\n# {name}")
    starts(lambda name, tries: name == "b")
    summary = course.run()
    assert summary.problems == [("b", "not graded yet: the worker did not start; The next run tries again")]
    row = course.rows()[1]
    assert (row["Total Score"], row["1.add"], row["1.mean"]) == ("", "", "") and row["Status"].startswith("not graded yet")
    assert [row[-1] for row in (r.rstrip("\n").split(",") for r in (course.root / "out" / "canvas.csv").open())][-1] == ""
    tree = json.loads((course.root / "out" / "results" / "b.json").read_text())
    assert "not graded yet: the process that runs your code did not start" in tree["output"]
    assert all(test["extra_data"]["verdict"] == "not run" for test in tree["tests"])
    monkeypatch.undo()
    assert course.run().ran == 1 and [row["Total Score"] for row in course.rows()] == ["7", "7"]


@pytest.mark.slow
def test_a_class_whose_workers_never_start_is_not_graded_yet_from_end_to_end(course, starts):
    for name in "abcdef":
        course.hand_in(name, RIGHT + f"\n# {name}")
    lines = starts(lambda name, tries: True)
    summary = course.run()
    assert {why.split(":")[0] for _, why in summary.problems} == {"not graded yet"} and len(summary.problems) == 6
    assert {row["Total Score"] for row in course.rows()} == {""}
    assert sorted(lines()).count("start a") == 2, "each is tried twice, no more"
