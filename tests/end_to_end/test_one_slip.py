"""What one slip may cost in section 3: a hang costs its own item and its own limit once; parts of an item keep their points."""

from __future__ import annotations

import shutil

import pytest

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.verdict import FAILED, NOT_RUN, PASSED, Verdict
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from support.project import ROOT
from support.world.kind import S3, changed

HANG = "while True: pass"
HANGS = {
    "3.dataset.len": ("        return len(self.data)\n", f"        {HANG}\n"),
    "3.dataset.getitem": ("        return self.data[index]\n", f"        {HANG}\n"),
    "3.compute_accuracy": ("    return (predictions == labels)", f"    {HANG}\n    return (predictions == labels)"),
    "3.train_one_epoch": ("        output.loss.backward()\n", f"        {HANG}\n"),
    "3.evaluate": ("    predictions, labels = [], []\n", f"    {HANG}\n    predictions, labels = [], []\n"),
}


@pytest.fixture
def timeouts(monkeypatch) -> list[str]:
    """The probes that ran out of time."""
    probe, seen = Worker.probe, []

    def counted(worker, name, tell=None):
        try:
            return probe(worker, name, tell)
        except WorkerError as error:
            seen.extend([name] * (error.kind == "timeout"))
            raise

    monkeypatch.setattr(Worker, "probe", counted)
    return seen


@pytest.mark.slow
@pytest.mark.parametrize("item", HANGS)
def test_a_hang_costs_its_own_item_and_its_limit_once(submit, timeouts, item):
    graded = submit({"A2S3.py": changed(S3, HANGS[item])}, seconds=5)
    assert {id for id in graded.lost if id.startswith("3.")} == {item}, graded.tree
    assert "did not finish in time" in graded.output(item)
    assert len(timeouts) == 1


def test_a_failed_answer_keeps_the_points_of_the_claims_that_hold():
    question = load_assignment(ROOT / "assignment").question("3.evaluate")
    held = ["evaluates_in_evaluation_mode", "builds_no_graph", "leaves_the_weights_alone"]
    assert Verdict(question, FAILED, held=held).score("517") == 2.5
    assert Verdict(question, PASSED, held=held).score("517") == 4
    assert Verdict(question, NOT_RUN, held=held).score("517") == 0
    assert Verdict(question, FAILED, held=["something else"]).score("517") == 0


@pytest.mark.parametrize(
    "old, new, message",
    [
        ("builds_no_graph = 1,", "builds_no_graph = 2,", "its claims sum to 5 in course 447, the question has 4 points"),
        (
            "builds_no_graph = 1,",
            "builds_no_grph = 1,",
            "claims: no test function 'builds_no_grph'; did you mean 'builds_no_graph'?",
        ),
        (
            "builds_no_graph = 1, leaves_the_weights_alone = 0.5,",
            "leaves_the_weights_alone = 1.5,",
            "points of builds_no_graph are missing",
        ),
        ("builds_no_graph = 1,", "builds_no_graph = -1,", "points should not be negative"),
        ("builds_no_graph = 1,", 'builds_no_graph = "1",', "claims.builds_no_graph should be a number"),
        ('used_by = "3.evaluate"\n', "", "used_by and uses belong together"),
        ('used_by = "3.evaluate"', 'used_by = "3.evalute"', "no question with a probe '3.evalute'; did you mean '3.evaluate'?"),
        ('uses = "evaluation.uses"', 'uses = "evaluation.use"', "did you mean 'uses'?"),
    ],
)
def test_claims_and_uses_are_checked_when_the_rubric_is_loaded(tmp_path, old, new, message):
    folder = tmp_path / "assignment"
    shutil.copytree(ROOT / "assignment", folder)
    (folder / "rubric.toml").write_text(changed((ROOT / "assignment" / "rubric.toml").read_text(), (old, new)))
    with pytest.raises(GraderError, match=r"^[^\n]*$") as refused:
        load_assignment(folder)
    assert message in str(refused.value)


@pytest.mark.slow
def test_the_starter_earns_nothing_and_a_result_in_part_is_shown(submit):
    starter = submit(ROOT / "student" / "A2S3.ipynb")
    assert not any(starter.scores.values())
    graded = submit({"A2S3.py": changed(S3, ("    model.eval()\n", ""))})
    assert graded.scores["3.evaluate"] == 3
    assert "3 of 4 points: what is marked ✓ keeps its own" in graded.output("3.evaluate")
    test = next(test for test in graded.tree["tests"] if test["number"] == "3.evaluate")
    assert (test["status"], test["max_score"]) == ("failed", 4)
