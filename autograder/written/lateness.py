"""What being late costs: days late, less a person's extension, less what is left of the term's late days, by the policy."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from autograder.core.moments import moment
from autograder.core.text import clean
from autograder.written.cells import plain_number
from autograder.written.days import Days, in_days
from autograder.written.grades import Final, final_sum, shown
from autograder.written.sheets import Policy, Row

MOST_DAYS = 999  # nobody is so late: the number is of something else
# The columns that may say when something was handed in, in words for staff.
TIMES = {"late_days": "late_days", "lateness": "Lateness", "submitted": "the time of submission"}


def _most_days(final: Final, rows: list[Row], due: dt.datetime | None) -> tuple[int, str]:
    """(days late, the row that says so), the most of these rows; what cannot be read is a problem of ``final``."""
    most = (0, "")
    for row in rows:
        days, problem = late_days(row, due)
        if problem:
            final.problems.append(problem)
        elif days > most[0]:
            most = days, row.source
    return most


@dataclass
class Lateness:
    """The term's rules for being late, and what individual people were given or have used up."""

    policy: Policy
    extensions: Days
    used: Days

    def deduct(self, final: Final, rows: list[Row]) -> None:
        """Take off what being late costs, with the reason; the days are the most that the rows say."""
        due = self.policy.table("late").get("due")
        final.untimed = bool(due and final_sum(final)) and not any(row.who[kind] for row in rows for kind in TIMES)
        if final.untimed:
            final.rules.append(f"late: no time of submission, so it counts as on time ({rows[0].source})")
        days, source = _most_days(final, rows, due)
        granted, final.used_before = self.extensions.of(final), self.used.of(final)
        if len(granted) > 1:
            final.problems.append(f"several extensions: {', '.join(where for _, where in granted)}")
            return
        final.extended = "; ".join(f"{in_days(more)} ({where}); {_handed_in(days, rows, due)}" for more, where in granted)
        if days:
            self._deduct(final, days, source, granted)

    def _deduct(self, final: Final, days: int, source: str, granted: list[tuple[int, str]]) -> None:
        said = [in_days(days)]
        for extension, where in granted:
            said.append(f"{in_days(extension)} of extension ({where})")
            days = max(0, days - extension)
        late = self.policy.table("late")
        if not late:
            final.rules.append(f"late: {'; '.join(said)}, no rule in a policy file, nothing taken off ({source})")
            return
        free, percent = late.get("free_days", 0), late.get("percent_per_day", 0)
        whole = final_sum(final)
        if "most_days" in late and days > late["most_days"]:
            share = Fraction(1)
            said.append(f"more than {late['most_days']}: nothing counts")
        else:
            said += [f"{free} free"] * bool(free)
            counted = max(0, days - free)
            counted -= self._from_budget(final, counted, said)
            share = min(Fraction(1), counted * Fraction(str(percent)) / 100)
            said[-1] += f": {counted} x {percent:g} % of {shown(whole)}" if counted else ": nothing taken off"
        final.deductions["late"] = min(whole - final.deductions["collaborators"], whole * share)
        final.rules.append(f"late: {', '.join(said)} ({self.policy.name} [late]; {source})")

    def _from_budget(self, final: Final, days: int, said: list[str]) -> int:
        """How many days the term's late days cover; notes in ``final`` how many that uses up."""
        budget = self.policy.table("late").get("budget_days")
        if budget is None:
            return 0
        gone, where = gone_before(final)
        covered: int = min(days, max(0, budget - gone))
        final.late_days_used = covered
        before = f", {gone} used before ({where})" if gone else ""
        if gone and days:
            final.before = f"{in_days(gone)} used before ({where}), so {covered} of {in_days(days)} covered"
        said.append(f"{covered} covered by the term's {in_days(budget)}{before}")
        return covered


def gone_before(final: Final) -> tuple[int, str]:
    """(how many of the term's late days somebody has used before, where that stands)."""
    return sum(days for days, _ in final.used_before), ", ".join(where for days, where in final.used_before if days)


def _handed_in(days: int, rows: list[Row], due: dt.datetime | None) -> str:
    """When something was handed in, as far as the rows say."""
    if any(late_days(row, due)[1] for row in rows):
        return "when it was handed in cannot be read"
    if days:
        return f"handed in {in_days(days)} late"
    if any(ways_late(row, due) for row in rows):
        return "handed in on time"
    if any(row.who["submitted"] for row in rows):
        return "without `due` in the policy, nothing says whether it was late"
    return "nothing says when it was handed in"


def late_days(row: Row, due: dt.datetime | None = None) -> tuple[int, str]:
    """(days, rounded up, ''), the most that the row says; or (0, the problem).

    ``due``: when it had to be handed in, if the policy says so; without it, a time of submission says nothing. One that
    cannot be read is no problem where the row says it otherwise (see the questions to staff).
    """
    ways = ways_late(row, due)
    if len(ways) > 1 and "submitted" in ways and ways["submitted"][1]:
        del ways["submitted"]
    problem = next((problem for _, problem in ways.values() if problem), "")
    return (0, problem) if problem else (max((days for days, _ in ways.values()), default=0), "")


def ways_late(row: Row, due: dt.datetime | None) -> dict[str, tuple[int, str]]:
    """What each column of ``TIMES`` that is filled in says of being late: (days, '') or (0, the problem)."""
    ways: dict[str, Callable[[Row], tuple[int, str]]] = {"late_days": _by_number, "lateness": _by_clock}
    if due:
        ways["submitted"] = lambda row: _days_after(row, due)
    return {kind: read(row) for kind, read in ways.items() if row.who[kind]}


def _by_number(row: Row) -> tuple[int, str]:
    text = row.who["late_days"]
    days, problem = plain_number(text)
    if not problem and days <= MOST_DAYS:
        return math.ceil(days), ""
    return 0, f"late_days is {clean(text, 30)!r} in {row.source}, {problem or f'more than {MOST_DAYS} days'}"


def _by_clock(row: Row) -> tuple[int, str]:
    """As Gradescope writes it, in H:M:S."""
    clock = re.fullmatch(r"(\d{1,5}):(\d{1,2}):(\d{1,2})", row.who["lateness"])
    if not clock:
        return 0, f"lateness is {clean(row.who['lateness'], 30)!r} in {row.source}, expected H:M:S"
    hours, minutes, seconds = map(int, clock.groups())
    return math.ceil((hours * 3600 + minutes * 60 + seconds) / 86400), ""


def _days_after(row: Row, due: dt.datetime) -> tuple[int, str]:
    """From the time of submission, as the batch writes it."""
    time = moment(row.who["submitted"])
    if time is None:
        given = f"the time of submission is {clean(row.who['submitted'], 40)!r} in {row.source}"
        return 0, f"{given}, expected it with its time zone, as in 2024-02-09 23:59:00 -08:00"
    return max(0, math.ceil((time - due).total_seconds() / 86400)), ""
