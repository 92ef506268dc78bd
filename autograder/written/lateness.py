"""What being late costs: days late, less a person's extension, less what is left of the term's late days, by the policy."""

from __future__ import annotations

import datetime as dt
import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from autograder.core.errors import GraderError
from autograder.core.tables import WHO as WHO_COLUMNS
from autograder.core.tables import Table, squeezed
from autograder.core.text import clean
from autograder.written.grades import Final, final_sum, shown
from autograder.written.matching import by_key, contradictions, rows_of
from autograder.written.sheets import Policy, Row, plain_number

CLOSE = 0.85  # addresses of one university are alike in half of their letters
# How a column of days is called in the other of the two kinds of files: not in one of extensions (True), of days used (False).
OTHERS_DAYS = {True: ("latedaysused", "latedays"), False: ("extensiondays",)}
MOST_DAYS = 999  # nobody is so late: the number is of something else
TIMES = ("late_days", "lateness", "submitted")  # what may say when something was handed in


@dataclass
class Days:
    """Days that belong to people, from files of staff: who, how many, where that stands.

    ``others``: how many rows were left out because they are about another assignment, by (file, its name).
    """

    rows: list[Row] = field(default_factory=list)
    others: Counter[tuple[str, str]] = field(default_factory=Counter)
    met: set[str] = field(default_factory=set)  # the sources of rows that were somebody's

    def __post_init__(self) -> None:
        self.index = by_key(self.rows)

    def of(self, final: Final) -> list[tuple[int, str]]:
        """(days, where that stands) for each row about a person; one that is about two people is a problem of both."""
        person = Row("the gradebook", final.who, {})
        rows = rows_of(person, self.index)
        final.problems += [problem for row in rows for problem in contradictions(row, person)]
        self.met |= {row.source for row in rows}
        return [(days_of(row), row.source) for row in rows]

    def nobodys(self) -> list[Row]:
        """The rows that ``of`` has given to nobody."""
        return [row for row in self.rows if row.source not in self.met]

    def unused(self, finals: Iterable[Final], names: tuple[str, ...]) -> Iterator[str]:
        """A line for each row whose person is in neither file, and for rows about assignments that are not ``names``."""
        known = [key for final in finals for key in (final.who["email"], final.who["sid"]) if key]
        for row in self.nobodys():
            who = row.who["email"] or row.who["sid"]
            close = difflib.get_close_matches(who, known, 1, CLOSE)
            meant = f"; did you mean {clean(close[0], 60)!r}?" if close else ""
            yield f"no extension given: {row.source}: {clean(who, 60)} is in neither file{meant}"
        for (file, about), count in self.others.items():
            rows = "1 row" if count == 1 else f"{count} rows"
            called = " or ".join(repr(clean(name, 60)) for name in names)
            yield f"left out: {file}: {rows} about {clean(about, 60)!r}; this assignment is called {called}"


def read_days(tables: Iterable[Table], names: tuple[str, ...], of_this: bool) -> Days:
    """The rows of tables with the columns email or sid, days and, where they are about several assignments, assignment.

    ``names``: what this assignment is called; ``of_this``: whether the rows about this one count, or those about the others.
    Raises GraderError, one line, if a file cannot be used.
    """
    others = Counter[tuple[str, str]]()
    return Days([row for table in tables for row in _rows(table, names, of_this, others)], others)


def _rows(table: Table, names: tuple[str, ...], of_this: bool, others: Counter[tuple[str, str]]) -> Iterator[Row]:
    _check_columns(table, of_this)
    for number, who, _ in table.people((*WHO_COLUMNS, "days", "assignment")):
        about, source = who["assignment"], f"{table.name} row {number}"
        if about:
            _check_about(who, source, names)
        if of_this and not who["days"]:
            raise GraderError(f"{source}: days is empty: how many are given? Take the row out if there are none")
        if who["days"] and (not about or (squeezed(about) in map(squeezed, names)) == of_this):
            _check_days(who, source)
            yield Row(source, who, {})
        elif who["days"]:
            others[table.name, about] += 1


def _check_columns(table: Table, of_this: bool) -> None:
    """Raise GraderError unless the table says whose days they are, and is not of the other kind."""
    if table.column("days") < 0 or table.column("email") < 0 > table.column("sid"):
        raise GraderError(
            f"{table.name}: expected the columns email or sid, and days; it has {clean(', '.join(table.header), 160)}"
        )
    titled, other = table.header[table.column("days")], "--late-days" if of_this else "--extensions"
    if squeezed(titled) in OTHERS_DAYS[of_this]:
        raise GraderError(f"{table.name} has {clean(titled, 30)!r}: does it belong after {other}? If not, call it 'days'")


def _check_about(who: dict[str, str], source: str, names: tuple[str, ...]) -> None:
    """Raise GraderError if a row cannot be about one of several assignments."""
    if len(names) < 2:
        raise GraderError(
            f'{source} names an assignment: say in the policy what this one is called there ([course] assignment = "…")'
        )
    if who["assignment"].isdigit() and not who["days"].isdigit():
        given = f"assignment is {clean(who['assignment'], 30)!r} and days {clean(who['days'], 30)!r}"
        raise GraderError(f"{source}: {given}: are the two swapped?")


def _check_days(who: dict[str, str], source: str) -> None:
    """Raise GraderError unless these are somebody's days."""
    if not re.fullmatch(r"\d{1,3}([.,]0+)?", who["days"]):
        raise GraderError(f"{source}: days is {clean(who['days'], 30)!r}, expected a whole number of days, 0 or more")
    if not who["email"] and not who["sid"]:
        raise GraderError(f"{source}: whose {who['days']} days are these? It has neither email nor sid")


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


def days_of(row: Row) -> int:
    """The days of a row, which spreadsheet programs may write as 2.0."""
    return int(re.split("[.,]", row.who["days"])[0])


@dataclass
class Lateness:
    """The term's rules for being late, and what individual people were given or have used up."""

    policy: Policy
    extensions: Days
    used: Days

    def deduct(self, final: Final, rows: list[Row]) -> None:
        """Take off what being late costs, with the reason; the days are the larger number of the two halves'."""
        due = self.policy.table("late").get("due")
        final.untimed = bool(due and final_sum(final)) and not any(row.who[kind] for row in rows for kind in TIMES)
        if final.untimed:
            final.rules.append(f"late: no time of submission, so it counts as on time ({rows[0].source})")
        days, source = _most_days(final, rows, due)
        granted, final.used_before = self.extensions.of(final), self.used.of(final)
        if len(granted) > 1:
            final.problems.append(f"several extensions: {', '.join(where for _, where in granted)}")
            return
        final.extended = "; ".join(f"{in_days(more)} ({where}); handed in {_late(days)}" for more, where in granted)
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


def in_days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def _late(days: int) -> str:
    return f"{in_days(days)} late" if days else "on time"


def late_days(row: Row, due: dt.datetime | None = None) -> tuple[int, str]:
    """(days, rounded up, '') from a number of days, Gradescope's H:M:S, or the time of submission; or (0, the problem).

    ``due``: when it had to be handed in, if the policy says so; without it, a time of submission says nothing.
    """
    text = row.who["late_days"]
    if text:
        days, problem = plain_number(text)
        if not problem and days <= MOST_DAYS:
            return math.ceil(days), ""
        return 0, f"late_days is {clean(text, 30)!r} in {row.source}, {problem or f'more than {MOST_DAYS} days'}"
    clock = re.fullmatch(r"(\d{1,5}):(\d{1,2}):(\d{1,2})", row.who["lateness"])
    if clock:
        hours, minutes, seconds = map(int, clock.groups())
        return math.ceil((hours * 3600 + minutes * 60 + seconds) / 86400), ""
    if row.who["lateness"]:
        return 0, f"lateness is {clean(row.who['lateness'], 30)!r} in {row.source}, expected H:M:S"
    return _days_after(row, due) if due and row.who["submitted"] else (0, "")


def _days_after(row: Row, due: dt.datetime) -> tuple[int, str]:
    """The same, from the row's time of submission, as the batch writes it."""
    time = moment(row.who["submitted"])
    if time is None:
        given = f"the time of submission is {clean(row.who['submitted'], 40)!r} in {row.source}"
        return 0, f"{given}, expected 2024-02-09 23:59 UTC, as `batch` wrote it"
    return max(0, math.ceil((time - due).total_seconds() / 86400)), ""


def moment(text: str) -> dt.datetime | None:
    """A moment as Gradescope's export writes it, ``2024-02-09 23:59:00.000000000 -08:00``; None for any other text.

    One without its time zone is none: it may be hours from what was meant.
    """
    plain = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d)?)(?:\.\d+)? ?(Z|UTC|[+-]\d\d:?\d\d)", text.strip())
    if not plain:
        return None
    day, clock, zone = plain.groups()
    zone = "+00:00" if zone in ("Z", "UTC") else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return dt.datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
