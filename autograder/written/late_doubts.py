"""Questions to staff about who is late, and about days that are forgiven; see ``doubts``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from autograder.core.moments import moment
from autograder.core.tables import squeezed
from autograder.core.text import clean, some_of
from autograder.written.days import Days, days_of, in_days, in_rows
from autograder.written.grades import FEW, Final, named
from autograder.written.lateness import TIMES, Lateness, gone_before, late_days, ways_late
from autograder.written.matching import Pair, rows_of_half, with_zeros
from autograder.written.sheets import Policy, Row

LONG_BEFORE = dt.timedelta(days=14)  # nobody submits so early: `due` is another year's or month's


def late_doubts(pairs: list[Pair], finals: list[Final], lateness: Lateness) -> list[str]:
    """The questions, each one line."""
    policy = lateness.policy
    automatic, by_hand = rows_of_half(pairs, 0), rows_of_half(pairs, 1)
    return [
        *_long_before(automatic, policy),
        *_two_ways(pairs, finals, policy),
        *_unreadable(automatic, policy),
        *_no_due([*automatic, *by_hand], policy),
        *_costs_nothing(pairs, policy),
        *_nobodys(lateness.used, finals),
        *_twice(finals, lateness.used),
        *_same_days(lateness, by_hand),
        *_overdrawn(finals, policy),
    ]


def _long_before(rows: list[Row], policy: Policy) -> list[str]:
    times = [time for row in rows if (time := moment(row.who["submitted"]))]
    due = policy.table("late").get("due")
    if not due or not times or due - max(times) < LONG_BEFORE:
        return []
    return [f"the last submission came {(due - max(times)).days} days before `due`: is its date right ({policy.name})?"]


def _two_ways(pairs: list[Pair], finals: list[Final], policy: Policy) -> list[str]:
    """Of whom the columns of their rows say otherwise how late they were."""
    late = policy.table("late")
    rows_of = {tuple(pair.sources): pair.rows for pair in pairs}
    said = [(final, _ways(rows_of[tuple(final.sources)], late)) for final in finals if late]
    differ = [
        f"{named(final)} ({', '.join(f'{in_days(days)} by {TIMES[kind]} in {file}' for kind, days, file in ways)})"
        for final, ways in said
        if len({days for _, days, _ in ways}) > 1
    ]
    if not differ:
        return []
    who = f"{_people(len(differ))}, and the most counts: {some_of(differ, FEW)}"
    right = f"is `due` in {policy.name} right? Has" if "due" in late else "has"
    return [f"how late somebody was is said in two ways for {who}: {right} an extension been given elsewhere?"]


def _ways(rows: list[Row], late: dict[str, Any]) -> list[tuple[str, int, str]]:
    """(column, days late, file) for each column that says it."""
    return [(kind, days, row.file) for row in rows for kind, (days, bad) in ways_late(row, late.get("due")).items() if not bad]


def _unreadable(rows: list[Row], policy: Policy) -> list[str]:
    """Times of submission that cannot be read and so do not count, beside something else that does."""
    due = policy.table("late").get("due")
    ways = [(row, ways_late(row, due)) for row in rows]
    bad = [row for row, said in ways if len(said) > 1 and "submitted" in said and said["submitted"][1]]
    if not bad:
        return []
    where = f"{in_rows(len(bad))} of {bad[0].file} (such as {clean(bad[0].who['submitted'], 40)!r})"
    return [f"the time of submission cannot be read in {where}: there, only what else the row says counts: is that right?"]


def _no_due(rows: list[Row], policy: Policy) -> list[str]:
    """Whether ``due`` was forgotten: without it, times of submission make nobody late."""
    late = policy.table("late")
    timed = [row for row in rows if row.who["submitted"]]
    count = sum(late_days(row)[0] > 0 for row in rows)
    if not late or "due" in late or not timed or (count and all(row.who["lateness"] for row in timed)):
        return []
    who = f"only {_people(count)} {'is' if count == 1 else 'are'} late, by other columns" if count else "nobody is late"
    times = f"the times of submission (in {in_rows(len(timed))}) make nobody late"
    return [f"{who}: {policy.name} has no `due`, without which {times}: was it forgotten?"]


def _costs_nothing(pairs: list[Pair], policy: Policy) -> list[str]:
    """Whether the price of being late was forgotten."""
    late = policy.table("late")
    if not late or "percent_per_day" in late or "most_days" in late:
        return []
    count = sum(any(late_days(row, late.get("due"))[0] for row in pair.rows) for pair in pairs)
    people = f"{_people(count)} {'is' if count == 1 else 'are'} late"
    nothing = f"and {policy.name} has neither percent_per_day nor most_days, so it costs nothing"
    return [f"{people}, {nothing}: is one missing?"] if count else []


def _twice(finals: list[Final], used: Days) -> list[str]:
    """Whose late days used before stand in two rows of one file, or in two rows about one assignment."""
    row_of = {row.source: row for row in used.rows}
    twice = []
    for final in finals:
        groups: dict[str, list[str]] = {}
        for days, source in final.used_before:
            if days:
                about = squeezed(row_of[source].who["assignment"]) or row_of[source].file
                groups.setdefault(about, []).append(f"{source}: {in_days(days)}")
        twice += [f"{named(final)} ({', '.join(rows)})" for rows in groups.values() if len(rows) > 1]
    people = some_of(twice, FEW)
    return [f"late days used before stand in two rows, which are added up: {people}: is one too many?"] if twice else []


def _nobodys(used: Days, finals: list[Final]) -> list[str]:
    """Who used late days before and is in neither file: has left, or is written otherwise."""
    known = [final.who["sid"] for final in finals]
    rows = [row for row in used.nobodys() if days_of(row)]
    zeros = [with_zeros(row.who["sid"], known) for row in rows]
    named = [
        clean(row.who["email"] or row.who["sid"], 60) + (f" ({meant})" if meant else "") for row, meant in zip(rows, zeros)
    ]
    return [f"late days used before, by people in neither file: {some_of(named, 20)}"] if rows else []


def _same_days(lateness: Lateness, sheet: list[Row]) -> Iterator[str]:
    """Files of late days used before that say of several people just what the extensions or this assignment's sheet say."""
    before: dict[str, list[tuple[Row, int]]] = {}
    for row in lateness.used.rows:
        before.setdefault(row.file, []).append((row, days_of(row)))
    here = [(row, late_days(row)[0]) for row in sheet]
    given = [(row, days_of(row)) for row in lateness.extensions.rows]
    for file, rows in before.items():
        for others, what in ((given, "the extensions"), (here, "this assignment's late days")):
            if len(said := _said(rows)) > 1 and said == _said(others):
                yield f"{file} says of the same people what {others[0][0].file} says, {what}: is it the right file?"


def _said(rows: list[tuple[Row, int]]) -> set[tuple[str, int]]:
    """Who has how many days."""
    return {((row.who["email"] or row.who["sid"]).casefold(), days) for row, days in rows if days}


def _overdrawn(finals: list[Final], policy: Policy) -> list[str]:
    """Who has used more late days before than there are: a file counts twice, or is of another term."""
    budget = policy.table("late").get("budget_days")
    before = [(final, *gone_before(final)) for final in finals]
    over = [f"{named(final)} ({gone}: {where})" for final, gone, where in before if budget is not None and gone > budget]
    people = some_of(over, FEW)
    return (
        [f"more late days used before than the term's {budget}: {people}: is each file another assignment's?"] if over else []
    )


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
