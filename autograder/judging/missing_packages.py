"""Which package an answer lacks: one that a student imports and that is not installed where this is graded."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

from autograder.core.text import clean
from autograder.slicing.known import Known

if TYPE_CHECKING:
    from autograder.core.assignment import Section
    from autograder.judging.reading import Plan
    from autograder.judging.sessions import Session

NAME_ERROR = re.compile(r"^name '(\w+)' is not defined")
LEFT_OUT = " was not handed in"
MODULE_ERROR = re.compile(r"^No module named '(\w+)'")


def why(type_name: str, message: str, parsed: Plan, session: Session, available: list[str]) -> str:
    """The sentence about the package behind an exception of this type and (public) message; '' if there is none.

    A package may be missing where it is imported, or because a name comes from an import that failed, or from a statement
    that failed for want of such a name.
    """
    names: set[str] = set()
    place = ""
    while True:
        if type_name == "ModuleNotFoundError" and (match := MODULE_ERROR.match(message)):
            return _sentence(match[1], place, parsed.section, available) * _is_written(match[1], session)
        match = NAME_ERROR.match(message) if type_name == "NameError" else None
        if not match or match[1] in names:
            return ""
        names.add(match[1])
        binding = {i: s for i, s in enumerate(session.program.statements) if match[1] in _bound(s)}
        failure = next((f for f in session.loaded.failures if f["index"] in binding), None)
        if not failure:
            return _attempts(list(binding.values()), match[1], parsed, session, available)
        type_name, message, place = failure["type"], failure["message"], _place(binding[failure["index"]], parsed)


def _attempts(binding: list[Known], name: str, parsed: Plan, session: Session, available: list[str]) -> str:
    """The sentence about the first of these statements that attempts to import the name from what is not there."""
    for statement in binding:
        if package := _attempted(statement, name, session.program.modules):
            return _sentence(package, _place(statement, parsed), parsed.section, available)
    return ""


def _attempted(statement: Known, name: str, modules: dict[str, str]) -> str:
    """The package that this name comes from in an attempt (``try``) to import it, if it is not there; '' otherwise."""
    for imported, package in statement.imports if statement.tries else ():
        if imported == name:
            top = package.split(".")[0]
            if top and top not in modules and not _is_there(top):
                return top
    return ""


def _is_written(package: str, session: Session) -> bool:
    """Whether the student's own lines name it: a name made at run time could be a hidden input."""
    word = re.compile(rf"\b{package}\b")
    sources = [*(s.code for s in session.program.statements), *session.program.modules.values()]
    return any(word.search(source) for source in sources)


def _is_there(package: str) -> bool:
    """Whether this interpreter, which is the workers', could import it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return True


def _bound(statement: Known) -> set[str]:
    return {*statement.stores, *dict(statement.imports)}


def _place(statement: Known, parsed: Plan) -> str:
    return f" ({parsed.document.place(statement.cell, statement.line)} imports it)"


def left_out(sentence: str) -> bool:
    """Whether a sentence is about a module of the assignment, which explains by itself why anything fails."""
    return LEFT_OUT in sentence


def _sentence(package: str, place: str, section: Section, available: list[str]) -> str:
    if module := section.imported.get(package):
        return f"`{module}`{LEFT_OUT}{place}: submit it with your notebook"
    listed = f"; available are: {', '.join(available)}, and your own modules if you submit them" if available else ""
    return f"`{clean(package, 60)}` is not installed where this is graded{place}{listed}"
