"""``check("1.2.1")`` in a notebook: runs that question's tests on the notebook's own names and prints what they say."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from . import picture
from .case import Check
from .compare import BLANK, MISSING, Failure
from .data import read_text
from .diagnose import mistake_of, outputs_of
from .probe import LocalProbe
from .values import from_json, on_arrays, to_plain


@dataclass
class LocalCheck(Check):
    """``check`` in a notebook: ``check("1.2.1")`` runs that question's tests on the notebook's own names.

    ``bank`` and ``says``: known mistakes' outputs on these inputs, and what their authors read; ``answers``: question ->
    name; ``helpers``: composite -> the questions that grade its helpers;
    ``see``: where the handout explains it; ``probes``: question -> (section, probe, names it observes); ``worlds``: section
    -> the inputs that its probes work on.
    """

    bank: dict = field(default_factory=dict)
    says: dict = field(default_factory=dict)
    answers: dict = field(default_factory=dict)
    helpers: dict = field(default_factory=dict)
    see: dict = field(default_factory=dict)
    probes: dict = field(default_factory=dict)
    worlds: dict = field(default_factory=dict)

    def __call__(self, id: str, names: dict | None = None) -> None:
        names = names if names is not None else inspect.currentframe().f_back.f_globals
        self.notes = []
        if id not in self.tree:
            print(f"There is no check called {id!r}. Try one of: {', '.join(sorted(self.tree))}")
            return
        environment = Names(names, self)
        lines = self.trouble(id, environment)
        broken = [self.answers[h] for h in self.helpers.get(id, ()) if lines and self.trouble(h, environment)]
        name = self.mistake(id, environment) if lines and not broken else ""
        group = self.sharing(id) if name and callable(environment.get(self.answers[id])) else [id]
        if not lines:
            print(f"✅ {id} looks right.")
        elif broken:
            print(f"⏳ {id} waits for {', '.join(broken)}: mend that first. The grader judges it with right versions of these.")
        elif group[0] != id and all(self.mistake(q, environment) == name for q in group):
            print(f"⏳ {id}: the same mistake as in {group[0]}, where it is charged.")
        else:
            print(f"❌ {id}")
        for line in lines:
            print(f"   {line}")
        if name:
            print(f"   likely: {self.says[id][name]} ({self.see.get(id, '')}).")
        if lines and not broken:
            self.draw(id, environment)
        for note in self.notes:
            print(f"   note: {note}")

    def trouble(self, id: str, environment: Names) -> list[str]:
        """What is wrong with an answer, one line for each test that does not pass."""
        environment.turn_to(id)
        lines = [line for line in (run(test, environment) for test in load_tests(id)) if line is not None]
        return lines[:1] if len(set(lines)) == 1 else lines

    def sharing(self, id: str) -> list[str]:
        """The questions that judge the same answer."""
        return [q for q, answer in self.answers.items() if answer == self.answers[id]]

    def mistake(self, id: str, environment: Names) -> str:
        """The one known mistake that gives the same outputs, '' for none."""
        known = {name: groups["own"] for name, groups in self.bank.get(id, {}).items()}
        environment.turn_to(id)
        answer = environment.get("probe" if id in self.probes else self.answers[id])
        return mistake_of(outputs_of(answer, self.cases(id), self.signature(id)), known)

    def signature(self, id: str) -> Callable:
        return lambda value, case: self.rules.signature(id, value, case)

    def draw(self, id: str, environment: Names) -> None:
        """A picture of the weights beside where they should go, for answers that are weights."""
        case = self.cases(id)[0]
        wanted = self.rules.wanted_weights(id, case)
        got = outputs_of(environment.get(self.answers[id]), [case], self.signature(id))[0] if wanted is not None else None
        if got is not None and got.shape == wanted.shape:
            picture.show(
                got.reshape(-1, *got.shape[-2:])[0] if got.ndim > 2 else got,
                wanted.reshape(-1, *wanted.shape[-2:])[0] if wanted.ndim > 2 else wanted,
            )


class Names(dict):
    """The notebook's globals as a test sees them: tensors as numpy arrays, functions that take numpy arrays."""

    def __init__(self, names: dict, check: LocalCheck):
        super().__init__(names)
        self.names, self.check, self.probed = names, check, {}
        self["check"] = check

    def turn_to(self, id: str) -> None:
        """Let ``probe`` be the one of this question, if it has one."""
        if id in self.check.probes and id not in self.probed:
            section, probe, wanted = self.check.probes[id]
            self.probed[id] = LocalProbe(probe, wanted, self.names, self.check.worlds[section], to_plain)
        self["probe"] = self.probed.get(id)

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if isinstance(value, (Check, LocalProbe)) or value is None:
            return value
        return on_arrays(value) if callable(value) else to_plain(value)


def load_tests(id: str) -> list[Callable]:
    """The test functions of ``tests/<id>.py`` (Otter's exception format), with or without Otter installed."""
    source = read_text("..", "tests", f"{id}.py")
    shim = types.ModuleType("otter.test_files")
    shim.test_case = lambda *_, **__: lambda function: setattr(function, "is_test", True) or function
    saved = {name: sys.modules.get(name) for name in ("otter", "otter.test_files")}
    sys.modules.update({"otter": types.ModuleType("otter"), "otter.test_files": shim})
    try:
        environment: dict = {}
        exec(compile(source, f"<check {id}>", "exec"), environment)
    finally:
        for name, module in saved.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
    return [value for value in environment.values() if getattr(value, "is_test", False)]


def run(test: Callable, environment: Names) -> str | None:
    """None when the test passes, else a line that says what is wrong."""
    try:
        test(**{name: environment.get(name) for name in inspect.signature(test).parameters})
    except Failure as failure:
        if failure.kind in (BLANK, MISSING):
            return f"{failure.text}: fill in its TODO, run that cell, then this one."
        return f"{failure.text}."
    except Exception as error:
        return f"your code raised {type(error).__name__}: {error}"
    return None


def load_check() -> LocalCheck:
    """``check``, from the public cases beside this file."""
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
        worlds=data["worlds"],
    )
