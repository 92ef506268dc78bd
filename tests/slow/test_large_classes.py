"""A class of the real assignment, and a batch that is killed fifty times."""

from autograder.batch.grade_class import Batch, run_batch
from autograder.core.loading import load_assignment
from support.toy_class import kill_at_random


def test_fifty_kills_lose_nothing(course):
    kill_at_random(course, 50, seed=2)


def test_a_class_of_the_real_assignment_with_every_kind_of_problem(tmp_path, settings, references):
    from support.make_class import make_class

    make_class(80, tmp_path / "class")
    assignment = load_assignment(settings["folder"], statement_seconds=3.0, call_seconds=3.0)
    outputs = []
    for jobs in (1, 4):
        batch = Batch(assignment, references, tmp_path / "class", tmp_path / f"out{jobs}", "517", jobs=jobs)
        summary = run_batch(batch, lambda *_: None)
        outputs.append((tmp_path / f"out{jobs}" / "gradebook.csv").read_bytes())
    assert outputs[0] == outputs[1], "the number of jobs must not change a byte"
    assert summary.submissions == 79 and any("submitted twice" in note for note in summary.notes)
