"""Questions to staff about what may be a mistake though every file could be read: they change no grade."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from autograder.core.assignment import Assignment, Question
from autograder.core.text import clean, first_of
from autograder.core.written import Manual
from autograder.written.grades import Final, named, shown
from autograder.written.lateness import Days, Lateness, days_of, gone_before, late_days, moment
from autograder.written.matching import Pair
from autograder.written.sheets import SHARES, Policy, Row, plain_number

FEW = 5  # people who are named in one line
ROUNDING = Fraction(1, 20)  # how far the total of rounded items may be from theirs
LONG_BEFORE = dt.timedelta(days=14)  # nobody submits so early: `due` is another year's or month's


def doubts(assignment: Assignment, pairs: list[Pair], finals: list[Final], lateness: Lateness) -> list[str]:
    """The questions, each one line."""
    policy, rows = lateness.policy, [pair.autograded for pair in pairs if pair.autograded]
    return [
        *first_of(list(_other_names(pairs))),
        *_other_points(assignment, rows, finals),
        *_other_totals(assignment, pairs, finals),
        *_long_before(rows, policy),
        *_mostly_zero(finals),
        *_nobodys(lateness.used),
        *_same_days(lateness, [pair.manual for pair in pairs if pair.manual]),
        *_overdrawn(finals, policy),
    ]


def _other_names(pairs: list[Pair]) -> Iterator[str]:
    """People whom the two files call otherwise: points that stand beside somebody else's address or number."""
    for pair in pairs:
        if pair.autograded and pair.manual:
            names = [row.who["name"] for row in (pair.autograded, pair.manual)]
            words = [_words(name) for name in names]
            if all(words) and not words[0] & words[1]:
                called = [clean(name, 60) for name in names]
                yield f"one person? {called[0]} in {pair.autograded.source}, {called[1]} in {pair.manual.source}"


def _words(name: str) -> set[str]:
    """The words of a name, without accents, case and initials."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return {word for word in re.findall(r"\w+", plain.casefold()) if len(word) > 1}


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
        f"rubric for {course}: {', '.join(first_of(people, FEW))}: is the course right? Were points changed since (then run "
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
                f"the total in {_file(rows[0])} is not the sum of the items, which is what counts: "
                f"{', '.join(first_of(other, FEW))}: was it edited, or were cells moved?"
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


def _long_before(rows: list[Row], policy: Policy) -> list[str]:
    times = [time for row in rows if (time := moment(row.who["submitted"]))]
    due = policy.table("late").get("due")
    if not due or not times or due - max(times) < LONG_BEFORE:
        return []
    return [f"the last submission came {(due - max(times)).days} days before `due`: is its date right ({policy.name})?"]


def _mostly_zero(finals: list[Final]) -> list[str]:
    """Whether a half that is empty for most people is the right file."""
    zeros = Counter(zero.partition(" half")[0] for final in finals for zero in final.zeros)
    return [
        f"{count} of {len(finals)} people get a zero for the {half} half: is this the right file, and filled in?"
        for half, count in zeros.items()
        if count > max(3, len(finals) / 2)
    ]


def _nobodys(used: Days) -> list[str]:
    """Who used late days before and is in neither file: has left, or is written otherwise."""
    rows = [row for row in used.nobodys() if days_of(row)]
    named = [clean(row.who["email"] or row.who["sid"], 60) for row in rows]
    return [f"late days used before, by people in neither file: {', '.join(first_of(named))}"] if rows else []


def _same_days(lateness: Lateness, sheet: list[Row]) -> Iterator[str]:
    """Files of late days used before that say of several people just what the extensions or this assignment's sheet say."""
    before: dict[str, list[tuple[Row, int]]] = {}
    for row in lateness.used.rows:
        before.setdefault(_file(row), []).append((row, days_of(row)))
    here = [(row, late_days(row)[0]) for row in sheet]
    given = [(row, days_of(row)) for row in lateness.extensions.rows]
    for file, rows in before.items():
        for others, what in ((given, "the extensions"), (here, "this assignment's late days")):
            if len(said := _said(rows)) > 1 and said == _said(others):
                yield f"{file} says of the same people what {_file(others[0][0])} says, {what}: is it the right file?"


def _said(rows: list[tuple[Row, int]]) -> set[tuple[str, int]]:
    """Who has how many days."""
    return {((row.who["email"] or row.who["sid"]).casefold(), days) for row, days in rows if days}


def _file(row: Row) -> str:
    return row.source.rpartition(" row ")[0]


def _overdrawn(finals: list[Final], policy: Policy) -> list[str]:
    """Who has used more late days before than there are: a file counts twice, or is of another term."""
    budget = policy.table("late").get("budget_days")
    before = [(final, *gone_before(final)) for final in finals]
    over = [f"{named(final)} ({gone}: {where})" for final, gone, where in before if budget is not None and gone > budget]
    people = ", ".join(first_of(over, FEW))
    return (
        [f"more late days used before than the term's {budget}: {people}: is each file another assignment's?"] if over else []
    )
