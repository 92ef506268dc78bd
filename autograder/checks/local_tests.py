"""The tests of one question, run on a notebook's own names."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .compare import BLANK, MISSING, SKIPPED, Failure, nothing_returned
from .data import read_text
from .raised import told

if TYPE_CHECKING:
    from .cells import Names

FILL_IN = "fill in its TODO, run that cell, then this one."


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
        return f"{error.text}: {FILL_IN}"
    return f"{error.text}."


def raised(test: Callable[..., Any], environment: Names) -> Exception | None:
    """What a test raises; None if it passes."""
    try:
        test(**{name: environment.get(name) for name in inspect.signature(test).parameters})
    except Exception as error:
        return error
    return None
