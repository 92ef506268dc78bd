"""``check("1.2.1")`` in a notebook: runs that question's tests on the notebook's own names and shows what they found."""

from __future__ import annotations

import inspect
import json
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from . import commands, local_tests, summary
from .called import called, codes_of, mentioned
from .card import Card, publish, show
from .case import Case, Check
from .compare import is_blank
from .data import read_text
from .deadline import TooLong, deadline
from .diagnose import mistakes_like, outputs_of, raising_like
from .explain import explain
from .hooks import rules_beside
from .local_tests import FILL_IN, run
from .own_calls import names_in
from .probe import LocalProbe, own_calls
from .quiet import quiet
from .redirect import redirected
from .untouched import untouched
from .values import from_json, on_arrays, to_plain

SECONDS = 30.0  # that the check of one question may take


@dataclass(repr=False)
class LocalCheck(Check):
    """``check`` in a notebook: ``check("1.2.1")`` runs that question's tests on the notebook's own names.

    Without an id, all questions of the notebook are checked, and a table shows what they would score.

    All fields are dicts by question id, except ``worlds``. ``bank``: the outputs of known mistakes on these inputs; ``says``:
    the explanation of each mistake; ``answers``: the name of the answer; ``helpers``: the questions that grade the helpers of
    a composite; ``see``: where the handout explains it; ``probes``: (section, probe, names that it observes, the probe that
    runs first or ''); ``claims``: test -> its own points; ``worlds``: section id -> the inputs of its probes; ``tensors``: the
    questions whose functions have to return a tensor; ``points``: question id -> course -> points; ``titles``; ``sections``:
    question id -> section id; ``order``: all ids as the rubric has them; ``parameters``: what the handout calls those of a
    function; ``show_right_results``: of small calls that fail. ``tried``: the case that a question's tests last took.
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
    points: dict[str, dict[str, float]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    sections: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    parameters: dict[str, list[str]] = field(default_factory=dict)
    show_right_results: bool = False
    tried: dict[str, Case] = field(default_factory=dict)

    def __call__(self, id: str | None = None, names: dict[str, Any] | None = None) -> None:
        if names is None:
            names = sys._getframe(1).f_globals
        if id is None:
            rows = [summary.Row(self.checked(one, names), self.points[one]) for one in self.here(names)]
            publish(summary.text(rows), summary.html(rows))
        elif id not in self.tree:
            print(f"There is no check called {id!r}. Try one of: {', '.join(sorted(self.tree))}")
        else:
            show(self.checked(id, names))

    def __repr__(self) -> str:
        examples = " ".join(f'check("{id}")' for id in self.order)
        return f"check() shows what you would score now. One item: {examples}"

    def page(self, name: str) -> None:
        """Show ``name.html``, which lies beside the notebook or in it, below the cell. Raises OSError without it."""
        publish(f"Open {name}.html in a browser.", read_text("..", f"{name}.html"))

    def here(self, names: dict[str, Any]) -> list[str]:
        """The questions of the sections that these names belong to; all, if there are none yet."""
        sections = {self.sections[id] for id in self.order if self.answers[id] in names}
        return [id for id in self.order if not sections or self.sections[id] in sections]

    def checked(self, id: str, names: dict[str, Any]) -> Card:
        """The card of a question. What its code prints meanwhile is not shown.

        What it writes goes to a temporary folder, and whatever else it changes is restored.
        """
        self.notes, self.doubts = [], []
        with quiet() as out, untouched(names, self.called(id, names)) as left, redirected(names):
            card = self.card_in_time(id, Names(names, self))
        card.notes += left
        if out.written and card.mark == "❌":
            card.notes.append("what your code prints during a check is not shown; call it in a cell of its own to see that")
        return card

    def card_in_time(self, id: str, environment: Names) -> Card:
        """The card, or one that says that the check was stopped."""
        try:
            with deadline(SECONDS):
                return self.card(id, environment)
        except TooLong:
            why = f"the check was stopped after {SECONDS:g} s: does a loop in your code never end?"
            return Card(id, self.titles.get(id, ""), "❌", id, [why])

    def judge(self, id: str, answer: Any, what: str = "the result") -> None:
        """See ``Check.judge``; then the cases in the group ``elsewhere`` are tried, which only lead to notes.

        A grader does without: the first call on another device takes torch half a second.
        """
        super().judge(id, answer, what)
        for case in self.cases(id, "elsewhere"):
            self.follows(case, answer)

    def cases(self, id: str, group: str = "") -> list[Case]:
        """The cases of a question; which one its tests take is noted in ``tried``."""
        cases = super().cases(id, group)
        return cases if group else Noting(cases, id, self.tried)

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

    def card(self, id: str, environment: Names) -> Card:
        """Run the question's tests; the card says what they found."""
        commands.SKIPPED.clear()
        lines, failing = self.trouble(id, environment), self.tried.get(id)
        broken = self.waits_for(id, environment) if lines else []
        like = self.like(id, environment) if lines and not broken else []
        mark, _, headline = self.headline(id, lines, broken, like, environment).partition(" ")
        card = Card(id, self.titles.get(id, ""), mark, headline, lines)
        if not lines:
            card.earned, card.notes = 1.0, list(self.notes)
            return card
        card.blank = all(line.endswith(FILL_IN) for line in lines)
        card.earned = self.share(id, environment) if mark == "❌" or card.blank else None
        if not broken:
            explain(self, card, environment, like, failing)
        skipped = [f"a check starts no programs: `{one}` was not run, and gave no output" for one in commands.SKIPPED[:1]]
        card.notes += [*self.notes, *skipped]
        return card

    def headline(self, id: str, lines: list[str], broken: list[str], like: list[str], environment: Names) -> str:
        """The first line of the result: ✅, ❌, or ⏳ where another question has to be fixed first; ``like``: see there."""
        if not lines:
            return f"✅ {id} looks right."
        if broken:
            names = ", ".join(broken)
            return f"⏳ {id} waits for {names}: fix that first. The grader judges it with correct versions of these."
        if charged := self.charged_elsewhere(id, like, environment):
            return f"⏳ {id}: the same mistake as in {charged}, where it is charged."
        kept, most = self.share(id, environment), sum(self.claims.get(id, {}).values())
        return f"❌ {id}: {kept * most:g} of {most:g} points" if kept else f"❌ {id}"

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

    def share(self, id: str, environment: Names) -> float:
        """How much of its points a wrong answer keeps."""
        claims = self.claims.get(id, {})
        environment.turn_to(id)
        held = sum(claims[test.__name__] for test in local_tests.load_tests(id) if claims and run(test, environment) is None)
        return held / sum(claims.values()) if held else 0.0

    def charged_elsewhere(self, id: str, like: list[str], environment: Names) -> str:
        """The question about the same function with more points, in which the same mistake is charged; '' for none."""
        if not like or not callable(environment.get(self.answers[id])):
            return ""
        slips = {q: set(like) if q == id else self.slips(q, environment) for q in self.sharing(id)}
        charged: list[str] = []
        for q in sorted(slips, key=lambda q: -sum(self.points[q].values())):
            there = next((other for other in charged if slips[other] & slips[q] and self.trouble(other, environment)), "")
            if q == id:
                return there
            charged += [] if there else [q]
        return ""

    def trouble(self, id: str, environment: Names) -> list[str]:
        """What is wrong with an answer: one line for each test that fails."""
        environment.turn_to(id)
        lines: list[str] = []
        failing: list[Case] = []  # of each test that fails, the case that it took last
        for test in local_tests.load_tests(id):
            self.tried.pop(id, None)
            if line := run(test, environment):
                lines.append(line)
                failing += [self.tried[id]] if id in self.tried else []
        self.tried |= {id: failing[0]} if failing else {}
        return lines[:1] if len(set(lines)) == 1 else lines

    def sharing(self, id: str) -> list[str]:
        """The questions that judge the same answer."""
        return [q for q, answer in self.answers.items() if answer == self.answers[id]]

    def like(self, id: str, environment: Names) -> list[str]:
        """All known mistakes that give the same outputs."""
        return mistakes_like(*self.outputs(id, environment))

    def slips(self, id: str, environment: Names) -> set[str]:
        """The known mistakes that may be behind a wrong answer: those like it, and those that raise in the same cases."""
        outputs, known = self.outputs(id, environment)
        return {*mistakes_like(outputs, known), *raising_like(outputs, known)}

    def outputs(self, id: str, environment: Names) -> tuple[list[Any], dict[str, list[Any]]]:
        """What the answer gives for each public case, and what each known mistake gives."""
        known = {name: groups["own"] for name, groups in self.bank.get(id, {}).items()}
        environment.turn_to(id)
        answer = environment.get("probe" if id in self.probes else self.answers[id])
        return outputs_of(answer, self.cases(id), self.signature(id)), known

    def signature(self, id: str) -> Callable[[Any, Case], Any]:
        """``rules.signature`` for this question, as a function of a value and a case."""
        return lambda value, case: self.rules.signature(id, value, case)


class Noting(list[Case]):
    """Cases of the question ``id``; the one that was taken last is kept in ``tried``."""

    def __init__(self, cases: list[Case], id: str, tried: dict[str, Case]):
        super().__init__(cases)
        self.id, self.tried = id, tried

    def __iter__(self) -> Iterator[Case]:
        for case in super().__iter__():
            self.tried[self.id] = case
            yield case


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


def load_check() -> LocalCheck:
    """Create ``check`` from the public cases next to this file."""
    rules = rules_beside(__package__)
    data = from_json(json.loads(read_text("cases.json")))
    known = {one.name for one in fields(LocalCheck)}
    return LocalCheck(data.pop("cases"), rules, **{name: value for name, value in data.items() if name in known})
