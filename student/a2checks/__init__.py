"""Check cells: ``check("1.2.1")`` tells what is right, what is wrong and by how much, before you submit.

Runs the same test definitions as the grader, on public inputs. Needs numpy (and torch, where your own code uses
it); no network and no hidden file. The grader uses other numbers and other shapes.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import types
from dataclasses import dataclass, field
from typing import Any, Callable

import numpy as np

from . import picture
from .compare import BLANK, MISSING, Failure, compare, is_blank
from .diagnose import mistake_of, outputs_of
from .probe import LocalProbe


@dataclass
class Case:
    """One call of a student's function and what should come back; ``facts`` judge what a probe observes."""

    args: list
    kwargs: dict
    expected: Any
    tolerance: float = 1e-4
    label: str = ""
    layout: str = ""
    facts: dict = field(default_factory=dict)

    def call(self, function: Callable) -> Any:
        """Call the student's function (a missing one raises Failure)."""
        if function is None:
            raise Failure(MISSING, "the function is not defined")
        args = [{"$chunk": a} if self.layout == "chunk" and isinstance(a, np.ndarray) else a for a in self.args]
        return function(*args, **self.kwargs)

    def judge(self, function: Callable, what: str = "the result") -> Any:
        """Call and compare; raises Failure."""
        result = self.call(function)
        if self.label and not is_blank(result):
            what = f"{what} ({self.label})"
        return compare(result, self.expected, self.tolerance, what)


@dataclass
class Check:
    """What a test function sees as ``check``: its cases, the assignment's own formulas, notes and failures."""

    tree: dict
    lib: types.ModuleType
    group: str = "own"
    notes: list[str] = field(default_factory=list)

    def cases(self, id: str, group: str = "") -> list[Case]:
        """The calls of question ``id`` in a group of inputs (default: this run's group)."""
        return [Case(**case) for case in self.tree[id].get(group or self.group, [])]

    def note(self, text: str) -> None:
        """Tell the student something that costs no points."""
        if text not in self.notes:
            self.notes.append(text)

    def fail(self, kind: str, text: str, **data: Any) -> None:
        """Refuse an answer."""
        raise Failure(kind, text, data)


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

    def trouble(self, id: str, environment: "Names") -> list[str]:
        """What is wrong with an answer, one line for each test that does not pass."""
        environment.turn_to(id)
        lines = [line for line in (run(test, environment) for test in load_tests(id)) if line is not None]
        return lines[:1] if len(set(lines)) == 1 else lines

    def sharing(self, id: str) -> list[str]:
        """The questions that judge the same answer."""
        return [q for q, answer in self.answers.items() if answer == self.answers[id]]

    def mistake(self, id: str, environment: "Names") -> str:
        """The one known mistake that gives the same outputs, '' for none."""
        known = {name: groups["own"] for name, groups in self.bank.get(id, {}).items()}
        environment.turn_to(id)
        answer = environment.get("probe" if id in self.probes else self.answers[id])
        return mistake_of(outputs_of(answer, self.cases(id), self.signature(id)), known)

    def signature(self, id: str) -> Callable:
        return lambda value, case: self.lib.signature(id, value, case)

    def draw(self, id: str, environment: "Names") -> None:
        """A picture of the weights beside where they should go, for answers that are weights."""
        case = self.cases(id)[0]
        wanted = self.lib.wanted_weights(id, case)
        got = outputs_of(environment.get(self.answers[id]), [case], self.signature(id))[0] if wanted is not None else None
        if got is not None and got.shape == wanted.shape:
            picture.show(got.reshape(-1, *got.shape[-2:])[0] if got.ndim > 2 else got,
                         wanted.reshape(-1, *wanted.shape[-2:])[0] if wanted.ndim > 2 else wanted)


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
            self.probed[id] = LocalProbe(probe, wanted, self.names, self.check.worlds[section], lowered)
        self["probe"] = self.probed.get(id)

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if isinstance(value, (Check, LocalProbe)) or value is None:
            return value
        return on_arrays(value) if callable(value) else lowered(value)


def on_arrays(function: Callable) -> Callable:
    """Wrap a function of tensors so that it takes and returns numpy arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return lowered(function(*map(lifted, args), **{key: lifted(value) for key, value in kwargs.items()}))

    return call


def lifted(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if isinstance(value, dict) and set(value) == {"$chunk"}:
        wide = np.concatenate([np.zeros_like(value["$chunk"]), value["$chunk"], np.zeros_like(value["$chunk"])], -1)
        width = value["$chunk"].shape[-1]
        return lifted(wide)[..., width : 2 * width]
    if isinstance(value, np.ndarray) and torch is not None:
        return torch.from_numpy(value.copy())
    return value


def lowered(value: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        value = value.detach().cpu().resolve_conj()
        value = value.to_dense() if value.layout != torch.strided else value
        return (value.float() if value.dtype == torch.bfloat16 else value).numpy()
    if isinstance(value, (list, tuple)):
        return [lowered(item) for item in value]
    if isinstance(value, np.generic):
        return np.asarray(value)
    if value is None or isinstance(value, (bool, int, float, str, np.ndarray)):
        return value
    return {"$object": "ellipsis" if value is Ellipsis else type(value).__name__}


def load_tests(id: str) -> list[Callable]:
    """The test functions of ``tests/<id>.py`` (Otter's exception format), with or without Otter installed."""
    source = _read("..", "tests", f"{id}.py")
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


def _read(*parts: str) -> str:
    """A text file that travels with this package, in a folder or inside a zip; raises OSError."""
    path = os.path.normpath(os.path.join(os.path.dirname(__file__), *parts))
    return __loader__.get_data(path).decode("utf-8")


def _load() -> LocalCheck:
    from . import lib

    data = from_plain(json.loads(_read("cases.json")))
    return LocalCheck(data["cases"], lib, bank=data["bank"], says=data["says"], answers=data["answers"],
                      helpers=data["helpers"], see=data["see"], probes=data["probes"], worlds=data["worlds"])


def to_plain(node: Any) -> Any:
    """Arrays as JSON: ``{"$array": [dtype, shape, numbers]}``, each number in its shortest exact form."""
    if isinstance(node, np.ndarray):
        return {"$array": [str(node.dtype), list(node.shape), [float(str(x)) for x in node.ravel()]]}
    if isinstance(node, dict):
        return {key: to_plain(value) for key, value in node.items()}
    return [to_plain(item) for item in node] if isinstance(node, (list, tuple)) else node


def from_plain(node: Any) -> Any:
    """Inverse of :func:`to_plain`."""
    if isinstance(node, list):
        return [from_plain(item) for item in node]
    if isinstance(node, dict) and set(node) == {"$array"}:
        dtype, shape, numbers = node["$array"]
        return np.array(numbers, dtype=dtype).reshape(shape)
    return {key: from_plain(value) for key, value in node.items()} if isinstance(node, dict) else node


def __getattr__(name: str) -> Any:
    """``check`` is made on first use, so that the judge can import this package without public cases."""
    if name == "check":
        globals()["check"] = _load()
        return globals()["check"]
    raise AttributeError(name)
