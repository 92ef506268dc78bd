"""Run a question's hidden tests on proxies of the student's functions. Never imports torch or student code.

Tests are files in Otter's exception format, run by Otter's own classes. Their exceptions are kept as data.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np

from autograder.checks.case import Check
from autograder.checks.compare import MISSING, SKIPPED, Failure
from autograder.checks.probe import with_account
from autograder.checks.smallest import shapes_text
from autograder.core.assignment import Assignment, Question
from autograder.core.deferred import represent, when_called
from autograder.core.trusted import blamed, load_rules
from autograder.sandbox.judge_side.worker import Worker, WorkerError


def otter_test_files() -> Any:
    """The module ``otter.test_files``, without the rest of Otter, whose top-level package imports everything.

    It imports readers of notebooks, too, which nothing here uses and which take as long as torch.
    """
    if "otter" not in sys.modules:
        spec = importlib.util.find_spec("otter")
        if spec is None or spec.submodule_search_locations is None:
            raise ModuleNotFoundError("No module named 'otter'", name="otter")
        package = types.ModuleType("otter")
        package.__path__ = list(spec.submodule_search_locations)
        package.__spec__ = spec
        sys.modules["otter"] = package
        represent("nbformat", {"NotebookNode": dict})  # a word in annotations
        represent("frontmatter")
        represent("IPython")
        represent("IPython.core")
        represent("IPython.core.getipython", {"get_ipython": when_called("IPython.core.getipython", "get_ipython")})
    import otter.test_files

    return otter.test_files


# What Python raises where data are not of the kind that code is written for. A test's own slips mostly raise others.
UNREADABLE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError, MemoryError, StopIteration)


GONE = ("timeout", "died")  # kinds of WorkerError after which there is no answer to look at


@dataclass
class CaseResult:
    """One test function: the sentence that students read about it, and what it raised (None: it passed)."""

    name: str
    sentence: str
    error: BaseException | None = None

    @property
    def skipped(self) -> bool:
        return isinstance(self.error, Failure) and self.error.kind == SKIPPED

    def line(self, seen: bool = True) -> str:
        """``seen``: whether anything is known about what it tests."""
        return f"{'✓' if self.error is None else '✗' if seen and not self.skipped else '–'} {self.sentence}"


@dataclass
class Outcome:
    """The results of one run of a question's test functions; notes, doubts and flags: see ``checks.case.Check``."""

    cases: list[CaseResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return bool(self.cases) and all(case.error is None for case in self.cases)

    @property
    def error(self) -> BaseException | None:
        """What the first failing test function raised; None if all passed."""
        failed = [case for case in self.cases if case.error is not None]
        return min(failed, key=lambda case: case.skipped).error if failed else None

    def lines(self) -> list[str]:
        """A line for each test function. Where several fail by one exception, hang or crash, none of them has seen a result."""
        errors = [case.error for case in self.cases]
        unseen = all(isinstance(error, WorkerError) and (error is errors[0] or error.kind in GONE) for error in errors)
        return [case.line(seen=len(errors) == 1 or not unseen) for case in self.cases]

    @property
    def held(self) -> list[str]:
        """The names of the test functions that passed."""
        return [case.name for case in self.cases if case.error is None]


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

    def run(self, question: Question, cases: dict[str, Any], environment: dict[str, Any], group: str = "own") -> Outcome:
        """Run one question's tests; ``cases``: question id -> group -> cases, ``environment``: name -> value or proxy.

        An answer that a test cannot read is the student's fault, as if the worker had broken the protocol.
        """
        seen: list[Any] = []
        outcome = self._run(question, cases, {name: _watched(answer, seen) for name, answer in environment.items()}, group)
        ordinary = not seen if question.probe else all(map(_is_ordinary, seen))
        if any(isinstance(case.error, UNREADABLE) for case in outcome.cases) and not ordinary:
            blank = {name: Nothing() if name == "probe" else None for name in environment}
            for case, without in zip(outcome.cases, self._run(question, cases, blank, group).cases):
                # The test works where there is no answer, so what it cannot cope with is this one.
                if isinstance(case.error, UNREADABLE) and isinstance(without.error, Failure):
                    print(
                        f"autograder: an answer to {question.id} cannot be read: {type(case.error).__name__}", file=sys.stderr
                    )
                    case.error = WorkerError("protocol")
        return outcome

    def _run(self, question: Question, cases: dict[str, Any], environment: dict[str, Any], group: str) -> Outcome:
        check = Check(cases, self.rules, group)
        test_file, results = self.files[question.id], []
        originals = [(case.body, case.body.test_func) for case in test_file.test_cases]
        try:
            for body, function in originals:
                results.append(CaseResult(function.__name__, " ".join((function.__doc__ or body.name).split())))
                body.test_func = _recording(function, results[-1])
            test_file.run({**environment, "check": check})
        finally:
            for body, function in originals:
                body.test_func = function
        return Outcome(results, check.notes, check.doubts, check.flags)


def _watched(answer: Any, seen: list[Any]) -> Any:
    """The answer itself; ``seen`` gets what a test learns from it: the value, or each result of the function."""
    if not callable(answer):
        seen.append(answer)
        return answer

    def watched(*args: Any, **kwargs: Any) -> Any:
        seen.append(answer(*args, **kwargs))
        return seen[-1]

    return watched


def _is_ordinary(value: Any) -> bool:
    """Whether a value is of the kind that tests are about: if one fails on that, the test is wrong, not the answer."""
    return value is None or type(value) in (bool, float) or (isinstance(value, np.ndarray) and value.dtype.kind in "biuf")


def _recording(function: Callable[..., Any], result: CaseResult) -> Callable[..., None]:
    """Wrap a test function so that ``result`` records what it raises."""

    @functools.wraps(function)
    def recorded(*args: Any, **kwargs: Any) -> None:
        try:
            function(*args, **kwargs)
        except Exception as error:
            result.error = error
            raise
        except SystemExit as error:  # a test that calls exit is itself broken
            result.error = error
            raise RuntimeError("the test called exit") from error

    return recorded


def proxy(worker: Worker, name: str, tensor: bool = False) -> Callable[..., Any]:
    """A stand-in for a student function: takes and returns arrays, raises WorkerError if the worker gives no result.

    ``tensor``: see ``core.assignment.Question``.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        return worker.call(name, list(args), kwargs, tensor)

    call.__name__ = name
    return call


def noting_shapes(answer: Callable[..., Any], parameters: list[str]) -> Callable[..., Any]:
    """The same function; what it raises has, as ``called``, the shapes of the arguments that it was called with."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return answer(*args, **kwargs)
        except WorkerError as error:
            error.called = shapes_text(parameters, args, kwargs)
            raise

    return call


class Probe:
    """``probe()`` in a test: what the question's probe observes in a worker; run once, then cached.

    ``seen``: what is known already; ``teller``: see ``checks.hooks``. Raises Failure if the answer is not defined,
    WorkerError if the probe fails on the student's code.
    """

    def __init__(self, worker: Worker, question: Question, bound: dict[str, str], seen: Any = None, teller: Any = None):
        self.worker, self.question, self.bound, self.teller = worker, question, bound, teller
        self.seen = seen

    def __call__(self) -> Any:
        if self.seen is None:
            try:
                if missing := [name for name in self.question.names if self.bound.get(name) != "function"]:
                    raise Failure(MISSING, f"{missing[0]} is not defined")
                answer = None if self.teller is None else self.teller.answer
                self.seen = with_account(self.worker.probe(self.question.probe, answer), self.teller)
            except (Failure, WorkerError) as error:
                self.seen = error
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


class Nothing:
    """``probe()`` in a test of whether the test itself works: there is nothing to observe."""

    def __call__(self) -> Any:
        raise Failure(MISSING, "there is no answer")


def is_students_fault(error: BaseException | None) -> TypeGuard[Failure | WorkerError]:
    """Whether a test failed because of the answer, and not because the test itself is broken."""
    return isinstance(error, (Failure, WorkerError))
