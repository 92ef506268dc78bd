"""What calls of a student's own functions and classes do to names: a registry that a decorator fills, options that are set.

Only what they do when the statement runs is of interest; what an answer does when it is graded is not, and neither is what it
keeps from one call to the next.
"""

from __future__ import annotations

from collections.abc import Collection

from autograder.slicing.effects import Effects

MAX_GLOBALS = 100


def resolve(effects: list[Effects], answers: Collection[str]) -> None:
    """Add to each statement what the functions and classes do that it calls.

    A call as a statement changes its arguments unless its function is known not to.
    """
    functions = {e.defines: e for e in effects if e.defines}
    known = functions | {e.defines_class: e for e in effects if e.defines_class}
    helpers = {name: e for name, e in known.items() if name not in answers}
    writes = _spread(known, {name: e.writes_globals for name, e in known.items()})
    alters = _spread(helpers, {name: e.alters_globals for name, e in helpers.items()})
    classes = _with_method(helpers)
    for one in effects:
        one.changes |= _changed_arguments(one, functions)
        one.binds |= _together(one.called, writes)
        one.changes |= _together(one.called | _together(one.methods, classes), alters)


def _changed_arguments(one: Effects, functions: dict[str, Effects]) -> set[str]:
    as_statements = [given for name, given in one.calls if name not in functions or _alters_anything(functions[name])]
    by_name = [given for name, given in one.applied if name in functions and functions[name].alters_arguments]
    return set().union(*as_statements, *by_name)


def _with_method(known: dict[str, Effects]) -> dict[str, set[str]]:
    """Method -> the classes that have it."""
    classes: dict[str, set[str]] = {}
    for name, method in ((name, method) for name, effects in known.items() for method in effects.has):
        classes.setdefault(method, set()).add(name)
    return classes


def _together(names: set[str], of: dict[str, set[str]]) -> set[str]:
    return set().union(*(of[name] for name in names & of.keys()))


def _alters_anything(function: Effects) -> bool:
    return bool(function.alters_arguments or function.alters_globals or function.writes_globals)


def _spread(known: dict[str, Effects], own: dict[str, set[str]]) -> dict[str, set[str]]:
    """Function or class -> the names that it, or whatever of them it uses, does something to; without those with none.

    ``own``: the names to which each does it itself; if these are over MAX_GLOBALS, only they count.
    """
    if len(set().union(*own.values())) > MAX_GLOBALS:
        return own
    users: dict[str, list[str]] = {}
    for name, effects in known.items():
        for used in effects.uses & known.keys():
            users.setdefault(used, []).append(name)
    found: dict[str, set[str]] = {}
    queue = [(name, done) for name, names in own.items() for done in names]
    while queue:
        name, done = queue.pop()
        if done not in found.setdefault(name, set()):
            found[name].add(done)
            queue += [(user, done) for user in users.get(name, ())]
    return found
