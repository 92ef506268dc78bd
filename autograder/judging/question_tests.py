"""Run a question's hidden tests over proxies of the student's functions. Never imports torch or student code.

Tests are files in Otter's exception format; Otter's own classes run them. What they raise is kept as data.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from autograder.checks.case import Check
from autograder.checks.compare import MISSING, Failure
from autograder.core.assignment import Assignment, Question
from autograder.core.trusted import blamed, load_rules
from autograder.sandbox.judge_side.worker import Worker, WorkerError


def otter_test_files() -> types.ModuleType:
    """``otter.test_files`` without importing the rest of Otter (its top package imports everything)."""
    if "otter" not in sys.modules:
        spec = importlib.util.find_spec("otter")
        package = types.ModuleType("otter")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["otter"] = package
    import otter.test_files

    return otter.test_files


@dataclass
class CaseResult:
    """One test function: the sentence its student reads, and what it raised (None when it passed)."""

    sentence: str
    error: BaseException | None = None


@dataclass
class Outcome:
    """All test functions of one question, run once."""

    cases: list[CaseResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return bool(self.cases) and all(case.error is None for case in self.cases)

    @property
    def error(self) -> BaseException | None:
        """The first thing that went wrong."""
        return next((case.error for case in self.cases if case.error is not None), None)


class TestFiles:
    """The hidden tests of an assignment, parsed once by Otter."""

    def __init__(self, assignment: Assignment):
        otter_test_files()
        from otter.test_files.exception_test import ExceptionTestFile

        with blamed(assignment.folder):
            self.files = {
                q.id: ExceptionTestFile.from_string(assignment.test_source(q), str(assignment.test_file(q)))
                for q in assignment.questions
            }
        self.rules = load_rules(assignment)

    def run(self, question: Question, tree: dict, environment: dict[str, Any], group: str = "own") -> Outcome:
        """Run one question's tests; ``environment`` maps names to values or proxies."""
        check = Check(tree, self.rules, group)
        test_file, results = self.files[question.id], []
        originals = [(case.body, case.body.test_func) for case in test_file.test_cases]
        try:
            for body, function in originals:
                results.append(CaseResult(" ".join((function.__doc__ or body.name).split())))
                body.test_func = _recording(function, results[-1])
            test_file.run({**environment, "check": check})
        finally:
            for body, function in originals:
                body.test_func = function
        return Outcome(results, check.notes)


def _recording(function: Callable, result: CaseResult) -> Callable:
    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            result.error = error
            raise
        except SystemExit as error:  # a test that ends Python is itself broken
            result.error = error
            raise RuntimeError("the test called exit") from error

    return recorded


def proxy(worker: Worker, name: str) -> Callable:
    """A stand-in for a student function: arrays in, arrays out, WorkerError when it does not answer."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return worker.call(name, list(args), kwargs)

    call.__name__ = name
    return call


class Probe:
    """``probe()`` in a test: what the question's probe observes in a worker, asked for once.

    Raises Failure where the answer is not defined, WorkerError where the student's code does not bear the probe.
    """

    def __init__(self, worker: Worker, question: Question, bound: dict[str, str]):
        self.worker, self.question, self.bound = worker, question, bound
        self.seen: Any = None

    def __call__(self) -> Any:
        if self.seen is None:
            try:
                if missing := [name for name in self.question.names if self.bound.get(name) != "function"]:
                    raise Failure(MISSING, f"{missing[0]} is not defined")
                self.seen = self.worker.probe(self.question.probe)
            except (Failure, WorkerError) as error:
                self.seen = error
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


def is_students_fault(error: BaseException | None) -> bool:
    """Whether a test failed because of the answer, not because the test itself is broken."""
    return isinstance(error, (Failure, WorkerError))
