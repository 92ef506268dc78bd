"""The autograded half and the read half joined to one grade a person, every number traceable to its source.

What cannot be settled is said in the person's row and never becomes a number: a missing score is "not graded: why",
not 0. The result is the same, byte for byte, for the same input.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.tables import write_csv
from autograder.core.text import cell, clean, reason
from autograder.core.written import total as total_of
from autograder.written.sheets import Row, check_paths, labels_of, read_policy, read_rows

SHARES = {"full": Fraction(1), "half": Fraction(1, 2), "none": Fraction(0)}
YES, NO = ("yes", "y", "true", "x", "1", "✓"), ("no", "n", "false", "0", "missing")


@dataclass
class Final:
    """One person's grade. ``why``: what keeps it from being one; ``rules``: which rule took what."""

    who: dict[str, str]
    course: str = ""
    scores: dict[str, Fraction] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=lambda: ["", ""])
    taken: dict[str, Fraction] = field(default_factory=lambda: {"collaborators": Fraction(0), "late": Fraction(0)})


@dataclass
class Summary:
    """What happened, for a terminal; ``ungraded``: how many people have no total."""

    lines: list[str]
    ungraded: int


def finalise(assignment: Assignment, gradebook: Path, manual: Path, policy: Path | None, output: Path) -> Summary:
    """Write ``output``; raises GraderError, one line, where a file cannot be used at all."""
    check_paths({"gradebook": gradebook, "readers' sheet": manual, "policy": policy}, output)
    rules = read_policy(policy, assignment.courses)
    automatic, auto_notes = read_rows(gradebook, [q.id for q in assignment.questions], {})
    by_hand, hand_notes = read_rows(manual, [i.id for i in assignment.written.items], labels_of(assignment.written))
    finals = [
        grade(assignment, pair, rules, policy.name if policy else "")
        for pair in pairs(automatic, by_hand, gradebook.name, manual.name)
    ]
    finals.sort(key=lambda f: (f.who["name"].casefold(), f.who["email"], f.who["sid"], f.sources))
    write_table(assignment, finals, output)
    ungraded = [f for f in finals if f.why]
    lines = [*auto_notes, *hand_notes]
    for final in ungraded[:20]:
        person = final.who["name"] or final.who["email"] or final.who["sid"]
        lines.append(f"not graded: {clean(person, 60)}: {clean('; '.join(final.why), 160)}")
    lines += [f"… and {len(ungraded) - 20} more"] * (len(ungraded) > 20)
    return Summary([*lines, f"{len(finals) - len(ungraded)} graded, {len(ungraded)} not graded"], len(ungraded))


def pairs(automatic: list[Row], by_hand: list[Row], first: str, second: str):
    """Yield (autograded row or None, read row or None, what is wrong with the pair), each row once.

    Two rows are the same person's when their e-mail addresses or their numbers agree, whatever the rest says.
    """
    here, there = by_key(automatic), by_key(by_hand)
    used: set[str] = set()
    for row in automatic:
        twins, matches = rows_of(row, here), rows_of(row, there)
        used |= {match.source for match in matches}
        why = [
            f"{len(found)} rows for this person in {name}"
            for found, name in ((twins, first), (matches, second))
            if len(found) > 1
        ]
        match = matches[0] if matches else None
        for column in ("email", "sid"):
            mine, theirs = row.who[column], match.who[column] if match else ""
            if mine and theirs and mine.casefold() != theirs.casefold():
                why.append(f"{column} is {mine} in {row.source} and {theirs} in {match.source}")
        yield row, match, why if match else [*why, f"only in {first}: no row in {second}"]
    for row in by_hand:
        if row.source not in used:
            twice = [f"{len(rows_of(row, there))} rows for this person in {second}"] * (len(rows_of(row, there)) > 1)
            yield None, row, [*twice, f"only in {second}: no row in {first}"]


def by_key(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """The rows under each e-mail address and each number that they give."""
    index: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for column in ("email", "sid"):
            if row.who[column]:
                index.setdefault((column, row.who[column].casefold()), []).append(row)
    return index


def rows_of(row: Row, index: dict[tuple[str, str], list[Row]]) -> list[Row]:
    """All rows of the same person, in their file's order."""
    keys = [(column, row.who[column].casefold()) for column in ("email", "sid")]
    return list({other.source: other for key in keys for other in index.get(key, ())}.values())


def grade(assignment: Assignment, pair: tuple, policy: dict, policy_name: str) -> Final:
    """One person's scores, what is taken off and by which rule."""
    automatic, by_hand, why = pair
    given = [row for row in (automatic, by_hand) if row]
    who = {c: next((row.who[c] for row in given if row.who[c]), "") for c in ("name", "email", "sid")}
    sources = [row.source if row else "" for row in (automatic, by_hand)]
    course, problem = course_of(assignment, given, policy)
    final = Final(who, course, why=[*why, *filter(None, [problem])], sources=sources)
    if problem:
        return final
    for row, items, words in ((automatic, assignment.questions, {}), (by_hand, assignment.written.items, SHARES)):
        empty = []
        for item in items if row else ():
            value, problem = score_of(row.scores[item.id], item.points[final.course], words)
            if not problem:
                final.scores[item.id] = value
            elif row.scores[item.id]:
                final.why.append(f"{item.id} {problem}")
            else:
                empty.append(item.id)
        if empty:
            final.why.append(why_empty(row, empty, len(items)))
    take_off(assignment, final, automatic, by_hand, policy, policy_name)
    return final


def why_empty(row: Row, empty: list[str], items: int) -> str:
    """One reason for all the empty cells of a row: the row's own, where it gives one."""
    if row.who["status"].startswith("not graded"):
        return f"{row.source} says {re.sub(r'^not graded:? *', '', row.who['status']) or 'so'}"
    if len(empty) == items:
        return f"{row.source} has no points in it"
    more = f" and {len(empty) - 3} more" if len(empty) > 3 else ""
    return f"{', '.join(empty[:3])}{more} {'is' if len(empty) == 1 else 'are'} empty"


def course_of(assignment: Assignment, rows: list[Row], policy: dict) -> tuple[str, str]:
    """(course, '') that the rows name, on its own or inside a section's name; or ('', why there is none)."""
    found: dict[str, str] = {}
    for row in rows:
        named = [c for c in assignment.courses if re.search(rf"(?<!\d){re.escape(c)}(?!\d)", row.who["course"])]
        if len(named) == 1:
            found.setdefault(named[0], row.source)
    if len(found) > 1:
        return "", "course is " + " and ".join(f"{course} in {source}" for course, source in found.items())
    only = assignment.courses[0] if len(assignment.courses) == 1 else ""
    course = next(iter(found), str(policy.get("course", {}).get("default", only)))
    return course, "" if course else f"no course: expected {' or '.join(assignment.courses)} in the column course"


def score_of(text: str, most: float, words: dict[str, Fraction]) -> tuple[Fraction, str]:
    """(points, '') or (0, what is wrong with the cell)."""
    limit = Fraction(str(most))
    if text.casefold() in words:
        return words[text.casefold()] * limit, ""
    if not re.fullmatch(r"\d{1,6}([.,]\d{0,6})?|[.,]\d{1,6}", text):
        allowed = f"a number{' or ' + ', '.join(words) if words else ''}"
        return Fraction(0), clean(text, 80) if text.startswith("not graded") else f"is {clean(text, 40)!r}, expected {allowed}"
    value = Fraction(text.replace(",", ".") + "0" * text.endswith((".", ",")))
    return (value, "") if value <= limit else (Fraction(0), f"has {text} of at most {most:g} points")


def take_off(
    assignment: Assignment, final: Final, automatic: Row | None, by_hand: Row | None, policy: dict, policy_name: str
) -> None:
    """The two deductions, both from the sum before any deduction, each with the rule that it follows."""
    whole = sum(final.scores.values(), Fraction(0))
    says = by_hand.who["collaborators"].casefold() if by_hand else ""
    percent = policy.get("collaborators", {}).get("percent", assignment.written.collaborators_percent)
    if says in NO:
        final.taken["collaborators"] = whole * Fraction(str(percent)) / 100
        where = f"{policy_name} [collaborators]" if "collaborators" in policy else "rubric.toml [writeup]"
        final.rules.append(f"collaborators: {percent:g} % of {shown(whole)} ({where}; {by_hand.source})")
    elif says and says not in YES:
        final.why.append(f"collaborators is {clean(says, 30)!r}, expected yes or no")
    elif not says and by_hand:
        final.rules.append(f"collaborators: not filled in, nothing taken off ({by_hand.source})")
    days, source = 0, ""
    for row in filter(None, (automatic, by_hand)):
        found, problem = late_days(row)
        if problem:
            final.why.append(problem)
        elif found > days:
            days, source = found, row.source
    late = policy.get("late")
    if not days:
        return
    if not late:
        final.rules.append(f"late: {in_days(days)}, no rule in a policy file, nothing taken off ({source})")
        return
    free, percent = late.get("free_days", 0), late.get("percent_per_day", 0)
    counted = max(0, days - free)
    if "most_days" in late and days > late["most_days"]:
        share, said = Fraction(1), f"{in_days(days)}, more than {late['most_days']}: nothing counts"
    else:
        share = min(Fraction(1), counted * Fraction(str(percent)) / 100)
        said = f"{in_days(days)}{f', {free} free' if free else ''}: {counted} x {percent:g} % of {shown(whole)}"
    final.taken["late"] = min(whole - final.taken["collaborators"], whole * share)
    final.rules.append(f"late: {said} ({policy_name} [late]; {source})")


def in_days(days: int) -> str:
    return f"{days} day{'s' * (days != 1)}"


def late_days(row: Row) -> tuple[int, str]:
    """(days begun, '') from a number of days or Gradescope's H:M:S; or (0, what is wrong)."""
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


def shown(value: Fraction) -> str:
    """At most three decimals, as short as they are exact."""
    return f"{float(round(value, 3)):.3f}".rstrip("0").rstrip(".")


def write_table(assignment: Assignment, finals: list[Final], output: Path) -> None:
    """Replace ``output`` by one row a person; readable by its owner only."""
    questions, items = assignment.questions, assignment.written.items
    parts = assignment.written.parts
    head = [
        "name",
        "email",
        "sid",
        "course",
        "total",
        "out of",
        "extra credit possible",
        "status",
        "autograded",
        "read",
        "extra credit",
        "sum",
        "collaborators",
        "late",
        *(f"part {p.id}" for p in parts),
        *(q.id for q in questions),
        *(i.id for i in items),
        "autograded from",
        "read from",
        "rules",
    ]
    try:
        write_csv(output, [head, *(line_of(assignment, final, head) for final in finals)])
    except OSError as error:
        raise GraderError(f"cannot write {clean(str(output), 200)}: {reason(error)}") from None


def line_of(assignment: Assignment, final: Final, head: list[str]) -> list[str]:
    """A person's row. Sums stand only where every item has a score; a single item's score stands wherever there is one."""
    course, scores, everything = final.course, final.scores, [*assignment.questions, *assignment.written.items]
    extra = {i.id for i in everything if course in i.extra_credit}

    def summed(ids: list[str]) -> str:
        return shown(sum(scores[id] for id in ids)) if ids and all(id in scores for id in ids) else ""

    whole = sum(scores.values(), Fraction(0))
    total = whole - sum(final.taken.values())
    regular, bonus = total_of(everything, course) if course else (0, 0)
    values = {
        **{c: cell(clean(text, 400)) for c, text in final.who.items()},
        "course": course,
        "total": cell(clean("not graded: " + "; ".join(final.why), 400)) if final.why else shown(total),
        "out of": f"{regular:g}" if course else "",
        "extra credit possible": f"{bonus:g}" if course else "",
        "status": "not graded" if final.why else "graded",
        "autograded": summed([q.id for q in assignment.questions]),
        "read": summed([i.id for i in assignment.written.items]),
        "extra credit": summed(sorted(extra)) if extra else "",
        "sum": "" if final.why else shown(whole),
        **{name: shown(-taken) if taken and not final.why else "" for name, taken in final.taken.items()},
        **{
            f"part {p.id}": summed([i.id for i in everything if assignment.written.part_of(i.id) is p])
            for p in assignment.written.parts
        },
        **{i.id: shown(scores[i.id]) if i.id in scores else "" for i in everything},
        "autograded from": cell(clean(final.sources[0], 400)),
        "read from": cell(clean(final.sources[1], 400)),
        "rules": cell(clean("; ".join(final.rules), 400)),
    }
    return [values[name] for name in head]
