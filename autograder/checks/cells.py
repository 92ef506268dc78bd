"""``check("1.2.1")`` in a notebook: runs that question's tests on the notebook's own names and prints the results."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import io
import json
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import commands, picture
from .called import called, codes_of, mentioned
from .case import Case, Check
from .compare import BLANK, MISSING, SKIPPED, Failure, is_blank, nothing_returned
from .data import read_text
from .diagnose import mistakes_like, outputs_of
from .own_calls import names_in
from .probe import LocalProbe, own_calls
from .raised import told
from .redirect import redirected
from .smallest import SECONDS, Ladder, by_size, kind_of, smallest_call
from .untouched import untouched
from .values import from_json, on_arrays, to_plain


@dataclass
class LocalCheck(Check):
    """``check`` in a notebook: ``check("1.2.1")`` runs that question's tests on the notebook's own names.

    All fields are dicts by question id, except ``worlds``. ``bank``: the outputs of known mistakes on these inputs; ``says``:
    the explanation of each mistake; ``answers``: the name of the answer; ``helpers``: the questions that grade the helpers of
    a composite; ``see``: where the handout explains it; ``probes``: (section, probe, names that it observes, the probe that
    runs first or ''); ``claims``: test -> its own points; ``worlds``: section id -> the inputs of its probes; ``tensors``: the
    questions whose functions have to return a tensor; ``points``: question id -> the points of all courses together;
    ``parameters``: what the handout calls those of a function; ``show_right_results``: of small calls that fail.
    """

    bank: dict[str, Any] = field(default_factory=dict)
    says: dict[str, dict[str, str]] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, list[str]] = field(default_factory=dict)
    see: dict[str, str] = field(default_factory=dict)
    probes: dict[str, list[Any]] = field(default_factory=dict)
    claims: dict[str, dict[str, float]] = field(default_factory=dict)
    worlds: dict[str, Any] = field(default_factory=dict)
    tensors: list[str] = field(default_factory=list)
    points: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    show_right_results: bool = False

    def __call__(self, id: str, names: dict[str, Any] | None = None) -> None:
        if names is None:
            names = sys._getframe(1).f_globals
        self.notes, self.doubts = [], []
        if id not in self.tree:
            print(f"There is no check called {id!r}. Try one of: {', '.join(sorted(self.tree))}")
            return
        # Whatever the answers write meanwhile goes to a temporary folder, and whatever they change is restored.
        with untouched(names, self.called(id, names)) as left, redirected(names):
            self.report(id, names)
        print_indented([f"note: {one}" for one in left])

    def called(self, id: str, names: dict[str, Any]) -> list[Any]:
        """What the tests of this question call or read.

        A probe also calls the section's other parts, apart from those that build on this one, with arguments of the notebook's.
        """
        wanted = {self.answers[one] for one in (id, *self.helpers.get(id, ()))}
        if id not in self.probes:
            return [names.get(name) for name in wanted]
        above = {self.answers[one] for one, below in self.helpers.items() if id in below} - wanted
        own = {name for name, value in names.items() if isinstance(value, (types.FunctionType, type))} - above
        if self.helpers.get(id):
            calls = own_calls([self.answers[id]], names).values()
            own |= {name for pairs in calls for name in names_in(pairs)} | required(names.get(self.answers[id]))
        return [names.get(name) for name in wanted | own]

    def report(self, id: str, names: dict[str, Any]) -> None:
        """Run the question's tests and print what they found."""
        commands.SKIPPED.clear()
        environment = Names(names, self)
        lines = self.trouble(id, environment)
        broken = self.waits_for(id, environment) if lines else []
        like = self.like(id, environment) if lines and not broken else []
        print(self.headline(id, lines, broken, like, environment))
        print_indented(lines)
        if len(like) == 1:
            print_indented([f"likely: {self.says[id][like[0]]} ({self.see.get(id, '')})."])
        if lines and not broken:
            self.show_call(id, environment)
            self.draw(id, environment)
        print_indented([f"note: {note}" for note in self.notes])
        if commands.SKIPPED and lines:
            print_indented([f"note: a check starts no programs: `{commands.SKIPPED[0]}` was not run, and gave no output"])

    def headline(self, id: str, lines: list[str], broken: list[str], like: list[str], environment: Names) -> str:
        """The first line of the result: ✅, ❌, or ⏳ where another question has to be fixed first; ``like``: see there."""
        if not lines:
            return f"✅ {id} looks right."
        if broken:
            names = ", ".join(broken)
            return f"⏳ {id} waits for {names}: fix that first. The grader judges it with correct versions of these."
        if charged := self.charged_elsewhere(id, like, environment):
            return f"⏳ {id}: the same mistake as in {charged}, where it is charged."
        return f"❌ {id}{self.share(id, environment)}"

    def waits_for(self, id: str, environment: Names) -> list[str]:
        """The names of wrong answers that a failing one builds on: of functions, those that are called; none for a blank."""
        own, names = self.answers[id], environment.names
        if is_blank(names.get(own)):
            return []
        wrong = list(dict.fromkeys(self.answers[h] for h in self.helpers.get(id, ()) if self.trouble(h, environment)))
        return self.in_use(id, wrong, environment) if wrong and callable(names[own]) else wrong

    def in_use(self, id: str, wrong: list[str], environment: Names) -> list[str]:
        """Those of these functions that the answer to a question uses: a probe's as its code tells, any other's as it runs."""
        names = environment.names
        used = mentioned(self.answers[id], names) | {self.answers[id]}
        if id not in self.probes:
            with called({name: names.get(name) for name in wrong}) as ran:
                self.trouble(id, environment)
            used = {name for name in used if name in ran or not codes_of(names.get(name))}
        return [name for name in wrong if name in used]

    def share(self, id: str, environment: Names) -> str:
        """How many points a wrong answer keeps, in words; '' for none."""
        claims = self.claims.get(id, {})
        environment.turn_to(id)
        held = sum(claims[test.__name__] for test in load_tests(id) if claims and run(test, environment) is None)
        return f": {held:g} of {sum(claims.values()):g} points" if held else ""

    def charged_elsewhere(self, id: str, like: list[str], environment: Names) -> str:
        """The question about the same function with more points, in which the same mistake is charged; '' for none."""
        own = set(like) if callable(environment.get(self.answers[id])) else set()
        same = [q for q in self.sharing(id) if q == id or own.intersection(self.like(q, environment))] if own else []
        charged = max(same, key=lambda q: self.points[q], default=id)
        return "" if charged == id or not self.trouble(charged, environment) else charged

    def trouble(self, id: str, environment: Names) -> list[str]:
        """What is wrong with an answer: one line for each test that fails."""
        environment.turn_to(id)
        lines = [line for line in (run(test, environment) for test in load_tests(id)) if line]
        return lines[:1] if len(set(lines)) == 1 else lines

    def sharing(self, id: str) -> list[str]:
        """The questions that judge the same answer."""
        return [q for q, answer in self.answers.items() if answer == self.answers[id]]

    def like(self, id: str, environment: Names) -> list[str]:
        """All known mistakes that give the same outputs."""
        known = {name: groups["own"] for name, groups in self.bank.get(id, {}).items()}
        environment.turn_to(id)
        answer = environment.get("probe" if id in self.probes else self.answers[id])
        return mistakes_like(outputs_of(answer, self.cases(id), self.signature(id)), known)

    def signature(self, id: str) -> Callable[[Any, Case], Any]:
        """``rules.signature`` for this question, as a function of a value and a case."""
        return lambda value, case: self.rules.signature(id, value, case)

    def show_call(self, id: str, environment: Names) -> None:
        """Print the smallest call that fails, if there is one."""
        if call := self.smallest(id, environment):
            print_indented(["the smallest call that fails:", *(f"   {line}" for line in call)])

    def smallest(self, id: str, environment: Names) -> list[str]:
        """The smallest public call on which an answer fails, as lines; [] for what is no function to call."""
        cases = by_size(self.cases(id, "ladder"), self.cases(id))
        environment.turn_to(id)
        answer, tests, end = environment.get(self.answers[id]), load_tests(id), time.monotonic() + SECONDS
        if id in self.probes or not callable(answer):
            return []

        def attempt(tree: dict[str, Any]) -> Exception | None:
            environment["check"] = Check(tree, self.rules)
            return next((error for error in (raised(test, environment) for test in tests) if error is not None), None)

        ladder = Ladder(
            name=self.answers[id],
            parameters=self.parameters.get(id, []),
            cases=cases,
            attempt=lambda case: attempt({**self.tree, id: {"own": [vars(case)]}}),
            answer=answer,
            broken=functools.partial(self.rules.broken_property, id),
            right=self.show_right_results,
        )
        with contextlib.redirect_stdout(io.StringIO()):
            failure = attempt(self.tree)
            lines = smallest_call(ladder, kind_of(failure), lambda: time.monotonic() > end) if failure is not None else []
        environment["check"] = self
        return lines

    def draw(self, id: str, environment: Names) -> None:
        """For answers that are attention weights, show them next to the expected ones."""
        case = self.cases(id)[0]
        wanted = self.rules.wanted_weights(id, case)
        got = outputs_of(environment.get(self.answers[id]), [case], self.signature(id))[0] if wanted is not None else None
        if got is not None and got.shape == wanted.shape:
            picture.show(
                got.reshape(-1, *got.shape[-2:])[0] if got.ndim > 2 else got,
                wanted.reshape(-1, *wanted.shape[-2:])[0] if wanted.ndim > 2 else wanted,
            )


class Names(dict[str, Any]):
    """The notebook's globals as seen by tests: tensors are numpy arrays, and functions take and return numpy arrays."""

    def __init__(self, names: dict[str, Any], check: LocalCheck):
        super().__init__(names)
        self.names, self.check = names, check
        self.probed: dict[str, LocalProbe] = {}
        self.answer, self.tensor = "", False  # of the question turned to, and what it asks of its functions
        self["check"] = check

    def turn_to(self, id: str) -> None:
        """Set ``probe`` to the probe of this question, or None if it has none, ``answer`` and ``tensor``."""
        self.answer, self.tensor = self.check.answers[id], id in self.check.tensors
        if id in self.check.probes and id not in self.probed:
            section, probe, wanted, uses = self.check.probes[id]
            world = self.check.worlds[section]
            teller = self.check.rules.teller(probe, world)
            self.probed[id] = LocalProbe(probe, wanted, self.names, world, to_plain, teller, uses)
        self["probe"] = self.probed.get(id)

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if isinstance(value, (Check, LocalProbe)) or value is None:
            return value
        return on_arrays(value, self.tensor) if callable(value) else to_plain(value)


def required(function: Any) -> set[str]:
    """The parameters of a function that have no default."""
    try:
        return {one.name for one in inspect.signature(function).parameters.values() if one.default is one.empty}
    except (TypeError, ValueError):
        return set()


def print_indented(lines: list[str]) -> None:
    for line in lines:
        print(f"   {line}")


def load_tests(id: str) -> list[Callable[..., Any]]:
    """The test functions of ``tests/<id>.py`` (Otter's exception format), whether or not Otter is installed."""
    source = read_text("..", "tests", f"{id}.py")
    shim = types.ModuleType("otter.test_files")
    vars(shim)["test_case"] = lambda *_, **__: marked
    saved = {name: sys.modules.get(name) for name in ("otter", "otter.test_files")}
    sys.modules.update({"otter": types.ModuleType("otter"), "otter.test_files": shim})
    try:
        environment: dict[str, Any] = {}
        exec(compile(source, f"<check {id}>", "exec"), environment)
    finally:
        for name, module in saved.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return [value for value in environment.values() if getattr(value, "is_test", False)]


def marked(function: Any) -> Any:
    """Mark a function as a test and return it."""
    function.is_test = True
    return function


def run(test: Callable[..., Any], environment: Names) -> str | None:
    """Run a test; returns None if it passes, otherwise one line that says what is wrong, '' if another test's line does."""
    error = raised(test, environment)
    if not isinstance(error, Failure):
        return None if error is None else f"your code raised {told(error, environment.names)}"
    if error.kind == SKIPPED:
        return ""
    if error.kind == BLANK and callable(environment.names.get(environment.answer)):
        return f"{nothing_returned(environment.answer)}."
    if error.kind in (BLANK, MISSING):
        return f"{error.text}: fill in its TODO, run that cell, then this one."
    return f"{error.text}."


def raised(test: Callable[..., Any], environment: Names) -> Exception | None:
    """What a test raises; None if it passes."""
    try:
        test(**{name: environment.get(name) for name in inspect.signature(test).parameters})
    except Exception as error:
        return error
    return None


def load_check() -> LocalCheck:
    """Create ``check`` from the public cases next to this file."""
    rules = importlib.import_module(".rules", __package__)
    data = from_json(json.loads(read_text("cases.json")))
    return LocalCheck(
        data["cases"],
        rules,
        bank=data["bank"],
        says=data["says"],
        answers=data["answers"],
        helpers=data["helpers"],
        see=data["see"],
        probes=data["probes"],
        claims=data["claims"],
        worlds=data["worlds"],
        tensors=data["tensors"],
        points=data["points"],
        parameters=data["parameters"],
        show_right_results=data["show_right_results"],
    )
