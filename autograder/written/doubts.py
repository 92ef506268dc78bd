"""Questions to staff about what may be a mistake though every file could be read: they change no grade."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from autograder.core.assignment import Assignment, Question
from autograder.core.text import clean, first_of, name_words, some_of
from autograder.core.written import Manual
from autograder.written.absence import YES, submitted_something
from autograder.written.cells import SHARES, plain_number
from autograder.written.grades import FEW, Final, named, shown
from autograder.written.late_doubts import late_doubts
from autograder.written.lateness import Lateness
from autograder.written.matching import Pair, has_key, rows_of_half
from autograder.written.sheets import Row

MANY = 1 / 4  # with so many zeros for a half, it may be another file
ROUNDING = Fraction(1, 20)  # how far the total of rounded items may be from theirs


def doubts(assignment: Assignment, pairs: list[Pair], finals: list[Final], lateness: Lateness) -> list[str]:
    """The questions, each one line."""
    rows = rows_of_half(pairs, 0)
    return [
        *first_of(list(_other_names(pairs))),
        *_other_points(assignment, rows, finals),
        *_other_totals(assignment, pairs, finals),
        *_no_persons(pairs),
        *_swapped(rows_of_half(pairs, 1)),
        *_mostly_zero(finals),
        *_rowless(pairs, finals),
        *late_doubts(pairs, finals, lateness),
    ]


def _other_names(pairs: list[Pair]) -> Iterator[str]:
    """People whom the two files call otherwise: points that stand beside somebody else's address or number."""
    for pair in pairs:
        if pair.autograded and pair.manual:
            names = [row.who["name"] for row in (pair.autograded, pair.manual)]
            words = [name_words(name) for name in names]
            if all(words) and not words[0] & words[1]:
                called = [clean(name, 60) for name in names]
                yield f"one person? {called[0]} in {pair.autograded.source}, {called[1]} in {pair.manual.source}"


def _no_persons(pairs: list[Pair]) -> list[str]:
    """Rows of either file that may sum others up, in any language: nothing says whose they are, and nobody is called so."""
    halves = rows_of_half(pairs, 0), rows_of_half(pairs, 1)
    return first_of([*_strange(*halves), *_strange(*halves[::-1])])


def _strange(rows: list[Row], others: list[Row]) -> Iterator[str]:
    names = {row.who["name"].casefold() for row in others}
    for row in rows if others and any(map(has_key, rows)) else ():
        if not has_key(row) and row.who["name"].casefold() not in names:
            who = f"{clean(row.who['name'], 60)} ({row.source})"
            yield f"{who} has neither email nor sid, and nobody in {others[0].file} is called so: is it a person's row?"


def _swapped(sheet: list[Row]) -> list[str]:
    """Whether one of two columns with yes and no has the other's words: most people state something, and few are absent."""
    rows = [row for row in sheet if any(row.scores.values())]
    filled, stated = (sum(bool(row.who[kind]) for row in rows) for kind in ("absent", "collaborators"))
    absent = sum(row.who["absent"].casefold() in YES for row in rows)
    if len(rows) < 2 or not (2 * absent > len(rows) or 2 * filled > len(rows) > 2 * stated):
        return []
    said = f"absent is filled in for {filled} (yes for {absent}) and collaborators for {stated} of the {len(rows)} rows of"
    return [f"{said} {rows[0].file} with points: are the titles `absent` and `collaborators` swapped?"]


def _other_points(assignment: Assignment, rows: list[Row], finals: list[Final]) -> list[str]:
    """Whether the gradebook was written for other points than the rubric has now."""
    row_of = {row.source: row for row in rows}
    concerned: dict[tuple[str, str, str], list[str]] = {}
    for final in finals:
        given = row_of[final.sources[0]].who["max"] if final.sources[0] in row_of else ""
        rubric = f"{assignment.max_points(final.course)[0]:g}" if final.course else ""
        if given and rubric and given != rubric:
            concerned.setdefault((given, rubric, final.course), []).append(named(final))
    return [
        f"Max Points are {clean(given, 20)} in the gradebook ({len(people)} row{'s' * (len(people) > 1)}) and {rubric} in the "
        f"rubric for {course}: {some_of(people, FEW)}: is the course right? Were points changed since (then run "
        "`batch` again)?"
        for (given, rubric, course), people in concerned.items()
    ]


def _other_totals(assignment: Assignment, pairs: list[Pair], finals: list[Final]) -> Iterator[str]:
    """Whose total in a file is not the sum of that file's items: edited by itself, or some cells are another row's."""
    halves: tuple[Sequence[Question | Manual], ...] = (assignment.questions, assignment.written.items)
    for half, items in enumerate(halves):
        people = {final.sources[half]: final for final in finals if not final.problems}
        rows = [row for pair in pairs if (row := (pair.autograded, pair.manual)[half]) and row.source in people]
        told = [_other_total(row, items, people[row.source]) for row in rows]
        if other := [line for line in told if line]:
            yield (
                f"the total in {rows[0].file} is not the sum of the items, which is what counts: "
                f"{some_of(other, FEW)}: was it edited, or were cells moved?"
            )


def _other_total(row: Row, items: Sequence[Question | Manual], final: Final) -> str:
    """Whose total it is, with it and the items' sum; '' if they agree, or if no number is given."""
    total, problem = plain_number(row.who["total"])
    whole = Fraction(0)
    for item in items:
        text = row.scores[item.id]
        share = SHARES.get(text.casefold())
        whole += plain_number(text)[0] if share is None else share * Fraction(str(item.points[final.course]))
    return "" if problem or abs(whole - total) <= ROUNDING else f"{named(final)} ({shown(total)} and {shown(whole)})"


def _mostly_zero(finals: list[Final]) -> list[str]:
    """Whether a half that is empty for many people is the right file."""
    zeros = Counter(half for final in finals for half in _zero_halves(final))
    return [
        f"{count} of {len(finals)} people get a zero for the {half} half: is this the right file, and filled in?"
        for half, count in zeros.items()
        if count > max(3, len(finals) * MANY)
    ]


def _rowless(pairs: list[Pair], finals: list[Final]) -> list[str]:
    """Whether the sheet ends too early: who submitted something and gets a zero because it has no row of theirs."""
    active = [pair for pair in pairs if pair.autograded and submitted_something(pair.autograded)]
    without = {tuple(pair.sources) for pair in active if not pair.manual}
    rowless = [named(final) for final in finals if tuple(final.sources) in without and "written" in _zero_halves(final)]
    if not rowless:
        return []
    have, get = ("has", "gets") if len(rowless) == 1 else ("have", "get")
    count = f"{len(rowless)} of the {len(active)} people who submitted something"
    zero = f"{have} no row in {_sheet(pairs)} at all and {get} a zero for the written half"
    return [f"{count} {zero}: {some_of(rowless, FEW)}: is the sheet complete?"]


def _sheet(pairs: list[Pair]) -> str:
    """The name of the graders' sheet."""
    return next((pair.manual.file for pair in pairs if pair.manual), "the sheet")


def _zero_halves(final: Final) -> list[str]:
    """Which halves of somebody who is graded count as zero, ``autograded`` or ``written``."""
    return [] if final.problems else [zero.partition(" half")[0] for zero in final.zeros]
