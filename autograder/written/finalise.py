"""Joining the autograded and the written half into one grade per person, with every number traceable to its source.

Problems are named in the person's row and never become numbers: a missing score is "not graded: reason", not 0. The same
input always gives the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from autograder.core.assignment import Assignment, Question
from autograder.core.errors import GraderError
from autograder.core.text import clean, first_of
from autograder.core.written import VOID, Manual
from autograder.written.grades import WHO, Final, final_sum, shown, voided_cell, write_table
from autograder.written.sheets import Row, check_paths, labels_of, read_policy, read_rows

MAX_REPEATED = 50  # rows of one person; more are a mistake in the file
SHARES = {"full": Fraction(1), "half": Fraction(1, 2), "none": Fraction(0)}
YES, NO = ("yes", "y", "true", "x", "1", "✓"), ("no", "n", "false", "0", "missing")


class Pair(NamedTuple):
    """A person's rows in the two files (None: no row), and the problems with matching them."""

    autograded: Row | None
    manual: Row | None
    problems: list[str]


@dataclass
class Policy:
    """The term's rules from the policy file called ``name`` ('' and no rules without one)."""

    name: str
    rules: dict[str, Any]

    def table(self, name: str) -> dict[str, Any]:
        rules: dict[str, Any] = self.rules.get(name, {})
        return rules


@dataclass
class Summary:
    """What happened, for a terminal; ``ungraded``: how many people have no total."""

    lines: list[str]
    ungraded: int


def finalise(assignment: Assignment, gradebook: Path, manual: Path, policy: Path | None, output: Path) -> Summary:
    """Write ``output``. Raises GraderError if a file cannot be used at all."""
    check_paths({"gradebook": gradebook, "graders' sheet": manual, "policy": policy}, output)
    rules = Policy(policy.name if policy else "", read_policy(policy, assignment.courses))
    autograded, autograded_notes = read_rows(gradebook, [q.id for q in assignment.questions], {})
    by_hand, manual_notes = read_rows(manual, [i.id for i in assignment.written.items], labels_of(assignment.written))
    finals = [grade(assignment, pair, rules) for pair in pairs(autograded, by_hand, gradebook.name, manual.name)]
    finals.sort(key=lambda f: (f.who["name"].casefold(), f.who["email"], f.who["sid"], f.sources))
    write_table(assignment, finals, output)
    ungraded, voided = [f for f in finals if f.problems], [f for f in finals if f.voided]
    lines = [*autograded_notes, *manual_notes]
    lines += first_of([f"void: {named(f)}: {voided_cell(f)}" for f in voided])
    lines += first_of([f"not graded: {named(f)}: {clean('; '.join(f.problems), 160)}" for f in ungraded])
    return Summary([*lines, f"{len(finals) - len(ungraded)} graded, {len(ungraded)} not graded"], len(ungraded))


def named(final: Final) -> str:
    return clean(final.who["name"] or final.who["email"] or final.who["sid"], 60)


def pairs(autograded: list[Row], manual: list[Row], gradebook_name: str, manual_name: str) -> Iterator[Pair]:
    """Match the rows of the two files, each row once.

    Two rows belong to one person if their e-mail addresses or their student numbers agree.
    """
    autograded_index, manual_index = by_key(autograded), by_key(manual)
    used: set[str] = set()
    for row in autograded:
        matches = rows_of(row, manual_index)
        used |= {match.source for match in matches}
        problems = repeated(rows_of(row, autograded_index), gradebook_name) + repeated(matches, manual_name)
        if matches:
            yield Pair(row, matches[0], problems + contradictions(row, matches[0]))
        else:
            yield Pair(row, None, [*problems, f"only in {gradebook_name}: no row in {manual_name}"])
    for row in manual:
        if row.source not in used:
            problems = repeated(rows_of(row, manual_index), manual_name)
            yield Pair(None, row, [*problems, f"only in {manual_name}: no row in {gradebook_name}"])


def repeated(rows: list[Row], name: str) -> list[str]:
    return [f"{len(rows)} rows for this person in {name}"] if len(rows) > 1 else []


def contradictions(row: Row, match: Row) -> list[str]:
    """The identifiers in which two rows of one person differ."""
    return [
        f"{column} is {row.who[column]} in {row.source} and {match.who[column]} in {match.source}"
        for column in ("email", "sid")
        if row.who[column] and match.who[column] and row.who[column].casefold() != match.who[column].casefold()
    ]


def by_key(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by (column, value) of e-mail address and student number."""
    index: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for column in ("email", "sid"):
            if row.who[column]:
                rows_of_key = index.setdefault((column, row.who[column].casefold()), [])
                rows_of_key.append(row)
                if len(rows_of_key) > MAX_REPEATED:
                    raise GraderError(f"{row.source}: the {column} {clean(row.who[column])} is in over {MAX_REPEATED} rows")
    return index


def rows_of(row: Row, index: dict[tuple[str, str], list[Row]]) -> list[Row]:
    """All rows of the same person in an index from ``by_key``."""
    keys = [(column, row.who[column].casefold()) for column in ("email", "sid")]
    return list({other.source: other for key in keys for other in index.get(key, ())}.values())


def grade(assignment: Assignment, pair: Pair, policy: Policy) -> Final:
    """One person's scores and deductions."""
    given = [row for row in (pair.autograded, pair.manual) if row]
    who = {c: next((row.who[c] for row in given if row.who[c]), "") for c in WHO}
    sources = [row.source if row else "" for row in (pair.autograded, pair.manual)]
    course, problem = course_of(assignment, given, policy)
    final = Final(who, course, problems=[*pair.problems, *filter(None, [problem])], sources=sources)
    if problem:
        return final
    if pair.autograded:
        add_scores(final, pair.autograded, assignment.questions, {})
    if pair.manual:
        add_scores(final, pair.manual, assignment.written.items, SHARES)
        void(final, pair.manual, assignment.written.items)
    take_off(assignment, final, pair.autograded, pair.manual, policy)
    return final


def add_scores(final: Final, row: Row, items: Sequence[Question | Manual], words: dict[str, Fraction]) -> None:
    """Read the items' points from a row; ``words``: words that may stand for a share of the points."""
    empty = []
    for item in items:
        known = {**words, VOID: Fraction(0)} if isinstance(item, Manual) and item.voids else words
        value, problem = score_of(row.scores[item.id], item.points[final.course], known)
        if not problem:
            final.scores[item.id] = value
        elif row.scores[item.id]:
            final.problems.append(f"{item.id} {problem}")
        else:
            empty.append(item.id)
    if empty:
        final.problems.append(why_empty(row, empty, len(items)))


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
    more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
    return f"{', '.join(empty[:3])}{more} {'is' if len(empty) == 1 else 'are'} empty"


def course_of(assignment: Assignment, rows: list[Row], policy: Policy) -> tuple[str, str]:
    """(course, '') from the rows' course cells, which may hold a section's name; or ('', the problem)."""
    sources: dict[str, str] = {}
    for row in rows:
        named = [c for c in assignment.courses if re.search(rf"(?<!\d){re.escape(c)}(?!\d)", row.who["course"])]
        if len(named) == 1:
            sources.setdefault(named[0], row.source)
    if len(sources) > 1:
        return "", "course is " + " and ".join(f"{course} in {source}" for course, source in sources.items())
    only = assignment.courses[0] if len(assignment.courses) == 1 else ""
    course = next(iter(sources), str(policy.table("course").get("default", only)))
    return course, "" if course else f"no course: expected {' or '.join(assignment.courses)} in the column course"


def score_of(text: str, max_points: float, words: dict[str, Fraction]) -> tuple[Fraction, str]:
    """(points, '') or (0, the problem with the cell)."""
    limit = Fraction(str(max_points))
    if text.casefold() in words:
        return words[text.casefold()] * limit, ""
    if not re.fullmatch(r"\d{1,6}([.,]\d{0,6})?|[.,]\d{1,6}", text):
        allowed = f"a number{' or ' + ', '.join(words) if words else ''}"
        return Fraction(0), clean(text, 80) if text.startswith("not graded") else f"is {clean(text, 40)!r}, expected {allowed}"
    value = Fraction(text.replace(",", ".") + "0" * text.endswith((".", ",")))
    return (value, "") if value <= limit else (Fraction(0), f"has {text} of at most {max_points:g} points")


def take_off(assignment: Assignment, final: Final, autograded: Row | None, manual: Row | None, policy: Policy) -> None:
    """Apply the two deductions, both computed from the sum before any deduction."""
    if manual:
        deduct_collaborators(assignment, final, manual, policy)
    days, source = 0, ""
    for row in filter(None, (autograded, manual)):
        row_days, problem = late_days(row)
        if problem:
            final.problems.append(problem)
        elif row_days > days:
            days, source = row_days, row.source
    if days:
        deduct_late(final, days, source, policy)


def deduct_collaborators(assignment: Assignment, final: Final, manual: Row, policy: Policy) -> None:
    """Apply the deduction for a missing statement about collaborators."""
    answer = manual.who["collaborators"].casefold()
    if answer in NO:
        whole = final_sum(final)
        percent = policy.table("collaborators").get("percent", assignment.written.collaborators_percent)
        final.deductions["collaborators"] = whole * Fraction(str(percent)) / 100
        rule = f"{policy.name} [collaborators]" if "collaborators" in policy.rules else "rubric.toml [writeup]"
        final.rules.append(f"collaborators: {percent:g} % of {shown(whole)} ({rule}; {manual.source})")
    elif not answer:
        final.rules.append(f"collaborators: not filled in, nothing taken off ({manual.source})")
    elif answer not in YES:
        final.problems.append(f"collaborators is {clean(answer, 30)!r}, expected yes or no")


def deduct_late(final: Final, days: int, source: str, policy: Policy) -> None:
    """Apply the deduction for late days. ``source``: the row that gives them."""
    late = policy.table("late")
    if not late:
        final.rules.append(f"late: {in_days(days)}, no rule in a policy file, nothing taken off ({source})")
        return
    whole = final_sum(final)
    free, percent = late.get("free_days", 0), late.get("percent_per_day", 0)
    counted = max(0, days - free)
    if "most_days" in late and days > late["most_days"]:
        share, explanation = Fraction(1), f"{in_days(days)}, more than {late['most_days']}: nothing counts"
    else:
        share = min(Fraction(1), counted * Fraction(str(percent)) / 100)
        explanation = f"{in_days(days)}{f', {free} free' if free else ''}: {counted} x {percent:g} % of {shown(whole)}"
    final.deductions["late"] = min(whole - final.deductions["collaborators"], whole * share)
    final.rules.append(f"late: {explanation} ({policy.name} [late]; {source})")


def in_days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def late_days(row: Row) -> tuple[int, str]:
    """(days, rounded up, '') from a number of days or Gradescope's H:M:S; or (0, the problem)."""
    text = row.who["late_days"]
    if text:
        if re.fullmatch(r"\d{1,3}(\.\d+)?", text):
            return math.ceil(float(text)), ""
        return 0, f"late_days is {clean(text, 30)!r} in {row.source}, expected a number"
    clock = re.fullmatch(r"(\d{1,5}):(\d{1,2}):(\d{1,2})", row.who["lateness"])
    if clock:
        hours, minutes, seconds = map(int, clock.groups())
        return math.ceil((hours * 3600 + minutes * 60 + seconds) / 86400), ""
    if row.who["lateness"]:
        return 0, f"lateness is {clean(row.who['lateness'], 30)!r} in {row.source}, expected H:M:S"
    return 0, ""
