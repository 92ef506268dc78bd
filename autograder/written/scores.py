"""Points from the cells of the two halves: a cell that cannot be read is a problem of its person and never a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from autograder.core.assignment import Question
from autograder.core.errors import GraderError
from autograder.core.text import clean, some_of
from autograder.core.written import VOID, Manual
from autograder.written.cells import NO_NUMBER, SHARES, plain_number
from autograder.written.grades import Final, shown
from autograder.written.headers import BY_HAND
from autograder.written.matching import Pair
from autograder.written.sheets import Row

MONTHS = (  # as spreadsheet programs shorten or write them, in some languages
    "jan feb mar apr may jun jul aug sep oct nov dec mrz mär mai okt dez fév fevr févr avr juin juil aoû août déc ene abr ago "
    "dic gen mag giu lug set ott january february march april june july august september october november december januar "
    "februar märz juni juli oktober dezember janvier février mars avril juillet septembre octobre novembre décembre janv sept"
)
MONTH = rf"(?:{'|'.join(MONTHS.split())})\.?"
DATE = re.compile(
    rf"\d{{1,2}}[. -]{{1,2}}{MONTH}(?:[. -]\d{{2,4}})?|{MONTH}[ -]\d{{1,4}}"
    r"|(?:[0-3]?\d)([./-])(?:[0-3]?\d)\1(?:19|20)\d\d|(?:19|20)\d\d([./-])[01]?\d\2[0-3]?\d",
    re.IGNORECASE,
)


def add_autograded(final: Final, pair: Pair, items: Sequence[Question], zero: str) -> None:
    """Read the autograded half: the gradebook's points, or where the graders' sheet has some for an item by hand, these."""
    hand, row = _by_hand(final, pair.manual, items), pair.autograded
    if pair.manual and hand and (row or zero):
        before = row.scores if row else dict.fromkeys((item.id for item in items), "")
        row = replace(row or replace(pair.manual, worth={}), scores={**before, **dict.fromkeys(hand, "0")})
        final.by_hand = list(_told(hand, before, pair.manual.source))
        final.rules += [f"by hand: {line}" for line in final.by_hand]
    add_half(final, row, items, {}, zero, pair.missing)
    final.scores |= {id: value for id, value in hand.items() if id in final.scores}


def _told(hand: dict[str, Fraction], before: dict[str, str], source: str) -> Iterator[str]:
    """The points by hand that are not the gradebook's."""
    for id, value in hand.items():
        if plain_number(before[id]) != (value, ""):
            yield f"{id}: {shown(value)} ({source}), not {clean(before[id], 40) or 'empty'}"


def _by_hand(final: Final, row: Row | None, items: Sequence[Question]) -> dict[str, Fraction]:
    """The autograded items' points in a row of the sheet; a cell that cannot be read is a problem."""
    points: dict[str, Fraction] = {}
    for item in items:
        if row and (text := row.by_hand.get(item.id, "")):
            points[item.id], problem = score_of(text, item.points[final.course], SHARES)
            final.problems += [f"{item.id}{BY_HAND} in {row.source} {problem}"] if problem else []
    return points


def add_half(
    final: Final,
    row: Row | None,
    items: Sequence[Question | Manual],
    words: dict[str, Fraction],
    zero: str,
    missing: tuple[str, ...],
) -> None:
    """Read the points of one half, if the assignment has it.

    ``words``: words that may stand for a share of the points; ``zero``: why what is empty is a zero, '' if it is none;
    ``missing``: what to say if there is no row.
    """
    if row:
        empty = add_scores(final, row, items, words, zero)
    elif zero:
        empty = [item.id for item in items]
    else:
        final.problems += [line for line in missing if line not in final.problems]
        return
    if zero and items:
        half = "written" if isinstance(items[0], Manual) else "autograded"
        final.scores |= dict.fromkeys(empty, Fraction(0))
        final.rules += [f"{half} half: zero for what is empty: {zero}"] if empty else []
        (final.zeros if empty else final.stays).append(f"{half} half: {zero}")


def add_scores(final: Final, row: Row, items: Sequence[Question | Manual], words: dict[str, Fraction], zero: str) -> list[str]:
    """Read the items' points from a row and return those that are empty, a problem unless they are a zero; see ``add_half``."""
    empty = []
    refuse_other_points(row, items, final.course)
    for item in items:
        known = {**words, VOID: Fraction(0)} if isinstance(item, Manual) and item.voids else words
        value, problem = score_of(row.scores[item.id], item.points[final.course], known)
        if not problem:
            final.scores[item.id] = value
        elif row.scores[item.id]:
            final.problems.append(f"{item.id} in {row.source} {problem}")
        else:
            empty.append(item.id)
    if empty and not zero:
        final.problems.append(why_empty(row, empty, len(items)))
    return empty


def refuse_other_points(row: Row, items: Sequence[Question | Manual], course: str) -> None:
    """Raise GraderError if the file's header gives items other points than the rubric, and this row has a number for one.

    The number cannot be read: it may be half of the header's points, or all of the rubric's. Words and 0 mean the same in both.
    """
    other = [item for item in items if row.worth.get(item.id, points := Fraction(str(item.points[course]))) != points]
    if any(plain_number(row.scores[item.id])[0] for item in other):
        told = some_of([f"{item.id} ({float(row.worth[item.id]):g}, not {item.points[course]:g})" for item in other])
        raise GraderError(
            f"{row.source}, course {course}: the header's points are not the rubric's: {told}. Change them on Gradescope, or "
            "convert the numbers and take the points out of these headers"
        )


def void(final: Final, row: Row, items: Sequence[Manual]) -> None:
    """Take the points of the autograded items that the grader's marks make ineligible, and say why."""
    for item in items:
        if item.voids in final.scores and row.scores[item.id].casefold() == VOID:
            points = final.voided[item.voids] = final.scores[item.voids]
            final.scores[item.voids] = Fraction(0)
            final.rules.append(
                f"{item.voids}: void, {shown(points)} autograded points do not count: "
                f"{item.void.rstrip('.')} ({item.id}; {row.source})"
            )


def why_empty(row: Row, empty: list[str], items: int) -> str:
    """One reason for all empty cells of a row: the row's status, if it gives one."""
    if row.who["status"].startswith("not graded"):
        return f"{row.source} says {re.sub(r'^not graded( yet)?:? *', '', row.who['status']) or 'so'}"
    if len(empty) == items:
        return f"{row.source} has no points in it"
    return f"{some_of(empty)} {'is' if len(empty) == 1 else 'are'} empty"


def score_of(text: str, max_points: float, words: dict[str, Fraction]) -> tuple[Fraction, str]:
    """(points, '') or (0, the problem with the cell)."""
    limit = Fraction(str(max_points))
    if text.casefold() in words:
        return words[text.casefold()] * limit, ""
    value, problem = plain_number(text)
    if problem:
        if problem == NO_NUMBER and DATE.fullmatch(text):
            problem = "a date: did a spreadsheet program make it of a number such as 2.5?"
        allowed = f" or {', '.join(words)}" if words and problem == NO_NUMBER else ""
        said = f"is {clean(text, 40)!r}, {problem}{allowed}"
        return Fraction(0), clean(text, 80) if text.startswith("not graded") else said
    return (value, "") if value <= limit else (Fraction(0), f"has {clean(text, 40)} of at most {max_points:g} points")
