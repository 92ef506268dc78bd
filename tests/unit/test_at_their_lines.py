"""A statement runs at its own lines, and what stands above it costs nothing."""

import time

import pytest

from autograder.core.assignment import Limits
from autograder.sandbox.judge_side.worker import Worker, WorkerError

LIMITS = Limits(statement_seconds=60, call_seconds=60)


def loaded_at(worker, *placed, report=("f",)):
    statements = [{"code": code, "cell": cell, "line": line} for code, cell, line in placed]
    program = {"statements": statements, "watch": [], "report": list(report), "prelude": "", "future": [], "modules": {}}
    return worker.load(program)


@pytest.fixture
def worker(grader):
    with Worker(grader.zygote, LIMITS) as made:
        yield made


FAR = 4_000_000
FAILING = {
    "raises": ("1 / 0", 0),
    "raises further down": ("if True:\n    x = 1\n    1 / 0", 2),
    "cannot be parsed": ("x = (\n1 +)", 1),
    "cannot be compiled": ("def f():\n    pass\n    break", 2),
    "raises in another branch": ("try:\n    import nothing_of_that_name\nexcept ImportError:\n    raise", 1),
}


@pytest.mark.parametrize("line", [1, 7, FAR])
@pytest.mark.parametrize("how", FAILING)
def test_a_failure_is_told_at_its_line(worker, how, line):
    code, below = FAILING[how]
    (failure,) = loaded_at(worker, (code, 3, line)).failures
    assert failure["where"][0] == ["3", line + below]


def test_a_call_that_fails_and_the_source_of_functions_are_where_they_stand(worker):
    outer = "def f(x):\n    # of three lines\n\n    return inspect.getsource(h if x else k)"
    other, short = "@functools.cache\ndef h():\n    return 1 / 0", "def k(): return 2"
    placed = [("import inspect, functools", 0, 1), (short, 0, 40), (outer, 0, 5), (other, 1, FAR), ("def g():\n    h()", 0, 30)]
    assert loaded_at(worker, *placed, report=("f", "g")).failures == []
    assert worker.call("f", [1], {}) == other + "\n" and worker.call("f", [0], {}) == short + "\n"
    with pytest.raises(WorkerError) as error:
        worker.call("g", [], {})
    assert error.value.where == [["0", 31], ["1", FAR + 2]]


def test_what_a_branch_that_is_not_taken_defines_is_at_its_line(worker):
    taken = "if torch.cuda.is_available():\n    x = 1\nelse:\n    def f():\n        return 1 / 0"
    assert loaded_at(worker, ("import torch", 0, 1), (taken, 0, 20)).bound == {"f": "function"}
    with pytest.raises(WorkerError) as error:
        worker.call("f", [], {})
    assert error.value.where == [["0", 24]]


def test_many_statements_below_millions_of_lines_take_no_longer_than_at_the_top(worker):
    started = time.monotonic()
    loaded = loaded_at(worker, *((f"f = {n}", 0, FAR + n) for n in range(100)))
    assert loaded.failures == [] and time.monotonic() - started < 15, "it was about 0.4 s for each"
