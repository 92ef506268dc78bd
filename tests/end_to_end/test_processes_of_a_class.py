"""What ends one of the processes that grade a class, or the one that starts workers, costs what it has to and is said."""

import os
import re

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.batch import process_pool
from autograder.batch.process_pool import ProcessPool
from autograder.core.errors import NotStarted
from autograder.judging.grader import Grader
from support.toy_class import RIGHT, WRONG


@pytest.fixture
def importing(course):
    """Four submissions to a section that imports something, so that it has a zygote of its own."""
    rubric = course.folder / "rubric.toml"
    rubric.write_text(re.sub(r"(\[\[section\]\]\n)", r'\1preload = ["decimal"]\n', rubric.read_text(), count=1))
    fresh_references(course.folder, course.folder / "solutions", course.root / "build")
    for index in range(4):
        course.hand_in(f"s{index}", [RIGHT, WRONG][index % 2] + f"\n# {index}")
    return course


def test_a_zygote_that_cannot_open_a_section_once_puts_off_one_submission(importing, monkeypatch):
    opens, tries, ours = Grader.zygote_of, [], os.getpid()

    def failing(self, section):
        if os.getpid() == ours:
            tries.append(section.id)
            if len(tries) == 1:
                raise NotStarted("the process that starts workers is gone.")
        return opens(self, section)

    monkeypatch.setattr(Grader, "zygote_of", failing)
    assert not importing.run().problems and len(tries) == 2
    assert [row["Total Score"] for row in importing.rows()] == ["7", "3"] * 2


@pytest.mark.parametrize("dead", [True, False])
def test_a_zygote_that_can_open_no_section_leaves_the_submissions_to_the_next_run(importing, monkeypatch, dead):
    lacks = ProcessPool._lacks

    def failing(self, process, needs):
        if not dead:
            raise NotStarted("no memory is left.")
        self.grader.zygote.process.kill()
        self.grader.zygote.process.wait()
        return lacks(self, process, needs)

    monkeypatch.setattr(ProcessPool, "_lacks", failing)
    problems = importing.run().problems
    assert [id for id, _ in problems] == ["s0", "s1", "s2", "s3"]
    why = "the process that starts workers is gone." if dead else "no memory is left."
    assert {told for _, told in problems} == {f"not graded yet: {why} The next run tries again"}
    monkeypatch.undo()
    assert importing.run().ran == 4 and [row["Total Score"] for row in importing.rows()] == ["7", "3"] * 2


@pytest.mark.parametrize("bug", [RuntimeError("a bug of ours"), KeyError("path"), MemoryError(), OSError(24, "too many files")])
def test_a_bug_that_ends_a_grading_process_is_told_to_staff(course, monkeypatch, capfd, bug):
    course.hand_in("a", RIGHT)

    def serve(sock, grader, zygote):
        raise bug

    monkeypatch.setattr(process_pool, "serve", serve)
    summary = course.run()
    assert summary.problems == [("a", "not graded: the grading process ended (exit 1), 2 times")]
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("autograder: ")]
    assert len(told) == 2 and told[0].startswith(f"autograder: a grading process failed, {type(bug).__name__}"), told
    monkeypatch.undo()
    assert course.run().ran == 1
