"""What the card of a wrong answer says beside what its tests found: why, the smallest call that fails, a picture."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from . import local_tests
from .case import Case, Check
from .compare import Failure
from .deadline import used_up
from .diagnose import outputs_of
from .local_tests import raised

if TYPE_CHECKING:
    from .card import Card
    from .cells import LocalCheck, Names
    from .picture import Picture


def explain(check: LocalCheck, card: Card, environment: Names, like: list[str], failing: Case | None) -> None:
    """Add to the card of a wrong answer what is known about it, its smallest failing call and a picture.

    ``like``: the known mistakes that it may be; ``failing``: the case that its first failing test took.
    """
    if len(like) == 1:
        see = check.see.get(card.id, "")
        card.likely.append(check.says[card.id][like[0]] + f" ({see})" * bool(see) + ".")
    elif card.mark == "❌" and not card.blank:
        card.why += why(check, card, environment)
    card.call = smallest(check, card.id, environment)
    card.picture = draw(check, card.id, environment, failing)


def why(check: LocalCheck, card: Card, environment: Names) -> list[str]:
    """What is known about a wrong answer that is no known mistake, as sentences."""
    id = card.id
    name, names = check.answers[id], environment.names
    if id in check.probes:
        return meaning(id, environment)
    if callable(names.get(name)):
        from .diagnosis.local import known

        cases = [*check.cases(id, "ladder"), *check.cases(id, "own")]
        found = known(name, names, cases, check.rules, id in check.tensors, id, "\n".join(card.lines))
        return [one.sentence() for one in found if one.says]
    told = check.rules.reason(id, environment.get(name), check.cases(id, "own")[0], environment)
    return [f"{told[1]}."] if told else []


def meaning(id: str, environment: Names) -> list[str]:
    """What the first exception means that a probed answer raises, if it raises one."""
    from .diagnosis.raised import of_exception

    environment.turn_to(id)
    errors = [raised(test, environment) for test in local_tests.load_tests(id)]
    meanings = [of_exception(environment.names, error) for error in errors if error and not isinstance(error, Failure)]
    return [one.sentence() for one in meanings[:1] if one and one.says]


def smallest(check: LocalCheck, id: str, environment: Names) -> list[str]:
    """The smallest public call on which an answer fails, as lines; [] for what is no function to call."""
    rungs = check.cases(id, "ladder")
    environment.turn_to(id)
    answer, tests = environment.get(check.answers[id]), local_tests.load_tests(id)
    if not rungs or not callable(answer):
        return []
    from .smallest import SECONDS, Ladder, by_size, kind_of, smallest_call

    cases, enough = by_size(rungs, check.cases(id)), used_up(SECONDS)

    def attempt(tree: dict[str, Any]) -> Exception | None:
        environment["check"] = Check(tree, check.rules)
        return next((error for error in (raised(test, environment) for test in tests) if error is not None), None)

    ladder = Ladder(
        name=check.answers[id],
        parameters=check.parameters.get(id, []),
        cases=cases,
        attempt=lambda case: attempt({**check.tree, id: {"own": [vars(case)]}}),
        answer=answer,
        broken=functools.partial(check.rules.broken_property, id),
        right=check.show_right_results,
    )
    failure = attempt(check.tree)
    lines = smallest_call(ladder, kind_of(failure), enough) if failure is not None else []
    environment["check"] = check
    return lines


def draw(check: LocalCheck, id: str, environment: Names, failing: Case | None) -> Picture | None:
    """For answers that are attention weights or masks, these beside the right ones, in the case that failed."""
    case = failing or check.cases(id)[0]
    wanted = check.rules.wanted_weights(id, case)
    weights = functools.partial(check.rules.weights_of, id)
    got = outputs_of(environment.get(check.answers[id]), [case], weights)[0] if wanted is not None else None
    if got is None:
        return None
    from .picture import pictured

    called = case.label or call_of(environment.names[check.answers[id]], case)
    return pictured(got, wanted, check.rules.pictured(id), called)


def call_of(function: Any, case: Case) -> str:
    """The whole numbers that a case passes, by name: ``n_tok=4``."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ""
    return ", ".join(f"{name}={value}" for name, value in zip(names, case.args) if isinstance(value, int))
