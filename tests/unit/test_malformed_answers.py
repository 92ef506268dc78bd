"""Whatever an answer is, it is judged as the student's: no tree makes a test fail that works on other answers."""

import copy

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.compare import KIND, Failure, as_array, is_blank, match, name_of
from autograder.core.verdict import PASSED
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from hostile.case import S1, S2, S3
from support import share

OBJECTS = ["ellipsis", "complex", "array of objects", "tensor without data", "H_0p306888", "a b", "", " "]
numbers = st.integers() | st.sampled_from([10**400, -(10**400), 2**63]) | st.floats() | st.booleans()
arrays = hnp.arrays(st.sampled_from(["f2", "f4", "f8", "i8", "u1", "?"]), hnp.array_shapes(min_dims=0, max_dims=5, max_side=6))
leaves = st.none() | numbers | st.text(max_size=8) | arrays | st.sampled_from([{"$object": text} for text in OBJECTS])
trees = st.recursive(
    leaves,
    lambda t: (
        st.lists(t, max_size=4)
        | st.dictionaries(st.sampled_from(["$object", "$map", "ways", "kind", "items"]) | st.text(max_size=3), t, max_size=4)
    ),
    max_leaves=12,
)
job = settings(max_examples=share.number(30), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def nested(depth: int) -> list:
    tree: list = []
    for _ in range(depth):
        tree = [tree]
    return tree


deep = st.integers(50, 2000).map(nested)


@pytest.fixture(scope="module")
def honest(grader, tmp_path_factory) -> dict:
    """Probe or function -> what right answers made of it."""
    from autograder.judging.grade import grade

    folder, seen = tmp_path_factory.mktemp("honest"), {}
    for name, text in {"A2S1.py": S1, "A2S2.py": S2, "A2S3.py": S3}.items():
        (folder / name).write_text(text)
    probe, call = Worker.probe, Worker.call

    def remembered(request):
        def request_of(worker, name, *args, **kwargs):
            result = request(worker, name, *args, **kwargs)
            seen.setdefault(name, []).append(result)
            return result

        return request_of

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Worker, "probe", remembered(probe))
        patch.setattr(Worker, "call", remembered(call))
        verdicts = grade(grader, folder, lambda verdicts, notes: None)
    assert all(verdict.status == PASSED for verdict in verdicts)
    return seen


def paths(tree, here=()):
    """The way to every node of a tree."""
    yield here
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in inner:
        yield from paths(value, (*here, key))


def corrupted(tree, changes):
    """A copy of the tree with some nodes replaced, or left out (``...``)."""
    tree = copy.deepcopy(tree)
    for where, given_value in changes:
        value = copy.deepcopy(given_value)
        every = list(paths(tree))
        path = every[int(where * (len(every) - 1))]
        if not path:
            return value
        node = tree
        for key in path[:-1]:
            node = node[key]
        if value is ...:
            del node[path[-1]]
        else:
            node[path[-1]] = value
    return tree


changes = st.lists(st.tuples(st.floats(0, 1), trees | st.just(...)), min_size=1, max_size=3)


def judged(grader, question, answers) -> None:
    """Run a question's tests on these answers: they pass, or fail in a way that is the student's."""
    turn = iter(range(10**6))

    def answer(*args, **kwargs):
        return answers[next(turn) % len(answers)]

    names = (*question.names, *question.context)
    environment = dict.fromkeys(names, answers[0] if question.value else answer) | ({"probe": answer} if question.probe else {})
    for cases in (grader.references["public"]["cases"], grader.inputs(0)["cases"]):
        for group in cases[question.id]:
            outcome = grader.tests.run(question, cases, environment, group)
            errors = [case.error for case in outcome.cases if case.error is not None]
            assert all(isinstance(error, (Failure, WorkerError)) for error in errors), errors
            assert all(line for case in outcome.cases if (line := case.line())) and all(map(str, outcome.notes))


def hold(many, grader, question) -> None:
    """Judge many lists of answers."""

    @job
    @given(many)
    def run(answers):
        judged(grader, question, answers)

    run()


@pytest.mark.hypothesis
def test_random_trees_are_the_students_in_every_question(grader):
    for question in grader.assignment.questions:
        hold(st.lists(trees | deep, min_size=1, max_size=3), grader, question)


@pytest.mark.hypothesis
def test_right_answers_with_something_replaced_are_the_students_in_every_question(grader, honest):
    for question in grader.assignment.questions:
        right = honest.get(question.probe) or honest.get(question.names[0]) or [np.zeros(3), np.zeros((4, 3))]
        answers = st.lists(
            st.builds(corrupted, st.integers(0, len(right) - 1).map(right.__getitem__), changes), min_size=1, max_size=2
        )
        hold(answers, grader, question)


def test_a_test_that_is_itself_broken_is_no_fault_of_the_answer(grader, monkeypatch):
    question = grader.assignment.question("1.2.1")

    monkeypatch.setattr(grader.tests.rules.queries, "judge_query", lambda *args: {}["broken"])
    outcome = grader.tests.run(question, grader.references["public"]["cases"], {"query121": np.zeros(3)})
    assert isinstance(outcome.error, KeyError)


def test_a_test_that_fails_on_an_ordinary_answer_is_itself_broken(grader, monkeypatch):
    question = grader.assignment.question("2.1.make_causal_mask")
    monkeypatch.setattr(grader.tests.rules.masks, "unlike_ones", lambda *args: {}["broken"])
    for answer, kind in ((np.tril(np.ones((4, 4), "f4")), KeyError), ([[1.0]], Failure)):
        cases = {question.id: {"own": [{"args": [4], "kwargs": {}, "expected": np.tril(np.ones((4, 4), "f4"))}]}}
        environment = {"make_causal_mask": lambda n, answer=answer: answer, "apply_causal_mask": None}
        assert isinstance(grader.tests.run(question, cases, environment).error, kind)


@given(trees | deep)
def test_comparing_any_tree_with_any_other_is_a_match_or_a_failure(tree):
    is_blank(tree)
    assert name_of(tree)
    for expected in (True, None, 1.5, "x", [1, 2], {"a": 1}, np.zeros((2, 3))):
        try:
            match(tree, expected, 1e-6, "it")
        except Failure:
            continue


@pytest.mark.parametrize("value", [10**400, [[1], [1, 2]], [10**400], np.zeros(2, "c8"), np.array([None]), nested(100), "text"])
def test_what_is_no_tensor_of_numbers_is_named(value):
    with pytest.raises(Failure) as failure:
        as_array(value, "it")
    assert failure.value.kind == KIND


def test_an_answer_whose_weights_are_no_numbers_is_infinitely_wrong(grader):
    error = grader.tests.rules.queries.attention_error
    key, value = np.array([[1.0, 1, 1], [-1, 1, 0], [0, 0, 1], [1, 0, -1]]), np.eye(4)
    assert error(np.array([1e308, 1e308, 1e308]), key, value, value[0]) == np.inf
    assert error(np.array([100.0, 100, 100]), key, value, value[0]) < 1e-6
