"""A question whose answer has to equal the solution's is a few lines of the rubric; so is one that a probe watches."""

from pathlib import Path

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient

STAGE = """
from . import calls


class Stage:
    def __init__(self, world):
        self.world = world

    def close(self):
        pass

    def observe(self, name, namespace, plain):
        module, _, function = name.partition(".")
        return getattr({"calls": calls}[module], function)(self.world, namespace, plain)
"""
CALLS = '''
def order(world, namespace, plain):
    """What add and mean give for the world's numbers, and whether mean calls add."""
    called, add = [], namespace["add"]
    namespace["add"] = lambda a, b: called.append(a) or add(a, b)
    return {"sum": plain(add(*world["pair"])), "mean": plain(namespace["mean"](world["list"])), "calls": bool(called)}
'''
QUESTION = """
[[question]]
id = "1.order"
title = "order"
section = "T1"
names = ["mean"]
context = ["add"]
probe = "calls.order"
points = 1
sentence = "mean is built on add."
result = "what mean does"

"""


@pytest.fixture
def verdicts(toy, tmp_path):
    """A function from a submission's source to {question: (status, reason)}, for a toy with plain tests and a probe."""
    folder = toy / "assignment"
    (folder / "questions" / "1.add.py").unlink()
    rubric = (folder / "rubric.toml").read_text()
    rubric = rubric.replace('names = ["add"]', 'names = ["add"]\nsentence = "It is the sum."\nresult = "add(a, b)"', 1)
    rubric = rubric.replace('title = "Counting"', 'title = "Counting"\nprobes = "probes"').replace(
        "101 = [5, 0]", "101 = [6, 0]"
    )
    (folder / "rubric.toml").write_text(rubric + QUESTION)
    (folder / "probes").mkdir()
    (folder / "probes" / "__init__.py").write_text(STAGE)
    (folder / "probes" / "calls.py").write_text(CALLS)
    inputs = (
        (folder / "inputs.py").read_text().replace("def draw(seed, public, names)", "def draw(seed, public, names, stages)")
    )
    worlds = "\n\ndef worlds(seed, public):\n    return {'T1': {'pair': [3, 4], 'list': [1, 2, 6]}}\n"
    (folder / "inputs.py").write_text(inputs + worlds)
    references = fresh_references(folder, toy / "solutions", tmp_path / "build")
    assignment = load_assignment(folder)
    with ZygoteClient(assignment.preload) as zygote:
        grader = Grader(assignment, read_references(references), zygote)

        def judged(source: str) -> dict[str, tuple[str, str]]:
            Path(tmp_path, "T1.py").write_text(source)
            return {v.question.id: (v.status, v.reason) for v in grade(grader, tmp_path / "T1.py", lambda *_: None)}

        yield judged


@pytest.mark.slow
def test_a_right_answer_passes_and_a_wrong_one_is_told_by_how_much_it_is_off(verdicts, toy):
    solution = (toy / "solutions" / "T1.py").read_text()
    assert {status for status, _ in verdicts(solution).values()} == {"passed"}
    status, reason = verdicts(solution.replace("return a + b", "return a + b + 0.5"))["1.add"]
    assert status == "failed" and reason.startswith("add(a, b): off by 0.5")
    assert verdicts(solution.replace("return a + b", "return None"))["1.add"][0] == "failed"


def test_what_a_probe_sees_has_to_be_what_it_sees_of_the_solution(verdicts, toy):
    solution = (toy / "solutions" / "T1.py").read_text()
    alone = solution[: solution.index("def mean")] + "def mean(xs):\n    return sum(xs) / len(xs)\n"
    found = verdicts(alone)
    assert found["1.mean"][0] == "passed" and found["1.order"] == ("failed", "what mean does: calls is not right")
