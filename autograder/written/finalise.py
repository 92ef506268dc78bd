"""Joining the autograded and the written half into one grade per person, with every number traceable to its source.

Problems are named in the person's row and never become numbers: a missing score is "not graded: reason", not 0. The same
input always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.tables import Table, courses_in, read_table
from autograder.core.text import clean, first_of, some_of
from autograder.written.absence import NO, YES, zeros_of
from autograder.written.cells import SHARES
from autograder.written.days import read_days
from autograder.written.doubts import doubts
from autograder.written.grades import WHO, Final, final_sum, header_of, named, nothing_left, shown, voided_cell, write_table
from autograder.written.headers import labels_of
from autograder.written.lateness import Lateness
from autograder.written.matching import Pair, has_key, numbers_alone, pairs, rows_of_half, same_number, zeros_told
from autograder.written.outputs import check_paths
from autograder.written.scores import add_autograded, add_half, void
from autograder.written.sheets import (
    CONTROL,
    RESULT,
    Policy,
    Row,
    read_policy,
    read_rows,
    refuse_no_gradebook,
)


@dataclass
class Summary:
    """What happened, for a terminal; ``ungraded``: how many people have no total; ``nobodys``: an extension is for nobody."""

    lines: list[str]
    ungraded: int
    nobodys: bool = False


@dataclass(frozen=True)
class Inputs:
    """The files of staff. ``manual`` may be None for an assignment without a written half.

    ``extensions``: individual days for this assignment; ``late_days``: the term's late days that others have used up.
    """

    gradebook: Path
    manual: Path | None = None
    policy: Path | None = None
    extensions: Path | None = None
    late_days: tuple[Path, ...] = ()

    def roles(self) -> dict[str, Path | None]:
        """Role -> file."""
        days = {f"late days, file {number}": path for number, path in enumerate(self.late_days, 1)}
        own = {"gradebook": self.gradebook, "graders' sheet": self.manual, "policy": self.policy}
        return {**own, "extensions": self.extensions, **days}


def finalise(assignment: Assignment, inputs: Inputs, output: Path) -> Summary:
    """Write ``output``. Raises GraderError if a file cannot be used at all."""
    policy = inputs.policy
    if inputs.manual is None and assignment.written.items:
        raise GraderError(
            "this assignment has a written half: name the graders' sheet after the gradebook (`autograder rubric`)"
        )
    refuse_no_gradebook(inputs.gradebook)
    check_paths(inputs.roles(), output, header_of(assignment))
    rules = Policy(policy.name if policy else "", read_policy(policy, assignment.courses))
    lateness = lateness_of(assignment, inputs, rules)
    joined, notes = read_halves(assignment, inputs)
    refuse_strangers(inputs, joined)
    finals = [grade(assignment, pair, rules, lateness) for pair in told_apart(joined)]
    finals.sort(key=lambda f: (f.who["name"].casefold(), f.who["email"], f.who["sid"], f.sources))
    write_table(assignment, finals, output)
    ungraded = sum(bool(final.problems) for final in finals)
    days, names = (lateness.extensions, lateness.used), names_of(assignment, rules)
    unused = [*lateness.extensions.unused(finals), *(line for given in days for line in given.left_out(names, rules.name))]
    questions = doubts(assignment, joined, finals, lateness)
    lines = [*notes, *told(finals), *unused, *lateness_told(finals), *questions]
    nobodys = bool(lateness.extensions.nobodys())
    return Summary([*lines, f"{len(finals) - ungraded} graded, {ungraded} not graded"], ungraded, nobodys)


def lateness_told(finals: list[Final]) -> list[str]:
    """Whose time is unknown; how many people lose something by being late, and a question if that is most of them."""
    untimed = [named(final) for final in finals if final.untimed and not final.problems]
    unknown = [f"no time of submission, so they count as on time: {some_of(untimed, 20)}"] if untimed else []
    late = [final for final in finals if final.deductions["late"]]
    if not late:
        return unknown
    most = max(final.deductions["late"] for final in late)
    people = "1 person loses" if len(late) == 1 else f"{len(late)} people lose"
    doubt = ": is `due` in the policy right?" if len(late) > max(3, len(finals) / 2) else ""
    return [*unknown, f"late: {people} up to {shown(most)} points by it (column rules){doubt}"]


def refuse_strangers(inputs: Inputs, joined: list[Pair]) -> None:
    """Raise GraderError if the gradebook and the graders' sheet have nobody in common."""
    both = [bool(pair.autograded and pair.manual) for pair in joined]
    if inputs.manual is None or any(both) or not both:
        return
    files = [inputs.gradebook.name, inputs.manual.name]
    without = [name for half, name in enumerate(files) if not any(map(has_key, rows_of_half(joined, half)))]
    if len(without) == 2:
        return  # told of each
    if without:
        advice = "give `batch` a --roster" if without == files[:1] else "fill them in"
        raise GraderError(f"{without[0]} has nobody's email and nobody's sid, by which rows are matched: {advice}")
    nobody = f"nobody in {files[0]} is in {files[1]}: are both of this class and this term?"
    raise GraderError(" ".join([nobody, *zeros_told(joined, *files)]))


def told_apart(joined: list[Pair]) -> list[Pair]:
    """The pairs; who is in one file only, and perhaps in the other under another address, is a problem and no absence."""
    alone = {pair.manual.who["name"].casefold() for pair in joined if pair.manual and not pair.autograded} - {""}
    numbers = numbers_alone(joined)

    def is_there(row: Row) -> bool:
        return row.who["name"].casefold() in alone or row.who["sid"] in numbers

    return [
        pair._replace(problems=[*pair.problems, *pair.missing])
        if pair.autograded and not pair.manual and is_there(pair.autograded)
        else pair
        for pair in joined
    ]


def read_halves(assignment: Assignment, inputs: Inputs) -> tuple[list[Pair], list[str]]:
    """(everyone's rows, notes) of the gradebook and the graders' sheet."""
    written, manual = assignment.written, inputs.manual
    automatic, by_reader = [q.id for q in assignment.questions], [item.id for item in written.items]
    autograded, notes = read_rows(inputs.gradebook, automatic, {}, by_reader)
    if manual is None:
        return list(pairs(autograded, None, inputs.gradebook.name, "")), notes
    by_hand, manual_notes = read_rows(manual, by_reader, labels_of(written), automatic, CONTROL)
    joined = list(pairs(autograded, by_hand, inputs.gradebook.name, manual.name))
    return joined, [*notes, *manual_notes, *zeros_told(joined, inputs.gradebook.name, manual.name)]


def told(finals: list[Final]) -> list[str]:
    """A line for everyone whose grade has something about it, all of them; of those without a grade, the first ones."""
    kinds: dict[str, Callable[[Final], str]] = {
        "zero": lambda f: "" if f.problems else "; ".join(f.zeros),
        "points stay": lambda f: f"{'; '.join(f.stays)}, but nothing in it is empty" if f.stays else "",
        "by hand": lambda f: "" if f.problems else "; ".join(f.by_hand),
        "extension": lambda f: f.extended,
        "late days": lambda f: f.before,
        "nothing left": nothing_left,
        "void": voided_cell,
    }
    lines = []
    for kind, about in kinds.items():
        lines += [f"{kind}: {named(f)}: {text}" for f in finals if (text := about(f))]
    by_name: dict[str, list[Final]] = {}
    for f in finals:
        by_name.setdefault(f.who["name"].casefold(), []).append(f)
    ungraded = [
        f"not graded: {named(f)}: {clean('; '.join(f.problems), 160)}{namesake(f, by_name)}" for f in finals if f.problems
    ]
    return lines + first_of(list(dict.fromkeys(ungraded)))  # two rows of one person say the same


def namesake(final: Final, by_name: dict[str, list[Final]]) -> str:
    """Who else has the name of somebody who is in one file only: a mistyped address makes two people of one."""
    name = final.who["name"].casefold()
    other = next((other for other in by_name[name] if other is not final), None) if name else None
    return f"; is this {named(other)}, of the same name?" if other and not all(final.sources) else ""


def lateness_of(assignment: Assignment, inputs: Inputs, policy: Policy) -> Lateness:
    """The rules for being late, with everybody's extensions and late days used before."""
    names = names_of(assignment, policy)
    before = list(read_apart(inputs.late_days))
    refuse_twice(assignment, before)
    extensions = read_days([read_table(inputs.extensions)] if inputs.extensions else [], names, of_this=True)
    used = read_days(before, names, of_this=False)
    if inputs.late_days and "budget_days" not in policy.table("late"):
        raise GraderError("late days used before count only with a rule in the policy: [late] budget_days")
    return Lateness(policy, extensions, used)


def read_apart(paths: Sequence[Path]) -> Iterator[Table]:
    """The tables; files of one name, such as each assignment's final.csv, are told apart by their folders."""
    names = [path.name for path in paths]
    for path in paths:
        table = read_table(path)
        yield table if names.count(path.name) == 1 else replace(table, name=clean(str(path), 120))


def refuse_twice(assignment: Assignment, before: list[Table]) -> None:
    """Raise GraderError if late days used before would be counted twice: this assignment's own, or two copies of one file."""
    halves = [{item.id for item in half} for half in (assignment.questions, assignment.written.items)]
    for n, table in enumerate(before):
        if any(2 * len(ids & set(table.header)) > len(ids) for ids in halves):
            what = "is this assignment's own result" if set(RESULT) <= set(table.header) else "has this assignment's items"
            hint = "if another one's items are called the same, take them out"
            raise GraderError(f"{table.name} {what}: its late days would be counted twice; {hint}")
        for other in before[:n]:
            if (table.header, table.rows) == (other.header, other.rows):
                raise GraderError(f"{other.name} and {table.name} hold the same rows, which would be counted twice")


def names_of(assignment: Assignment, policy: Policy) -> tuple[str, ...]:
    """What this assignment is called in files about several: by its title, and as the policy says."""
    called = policy.table("course").get("assignment")
    return (assignment.title, *([called] if called else []))


def grade(assignment: Assignment, pair: Pair, policy: Policy, lateness: Lateness) -> Final:
    """One person's scores and deductions."""
    given = pair.rows
    who = {c: next((row.who[c] for row in given if row.who[c]), "") for c in WHO}
    if len(given) == 2 and same_number(*(row.who["sid"] for row in given)):
        who["sid"] = max((row.who["sid"] for row in given), key=len)
    course, problem = course_of(assignment, given, policy)
    final = Final(who, course, problems=list(pair.problems), sources=pair.sources)
    if problem:
        final.problems += [*pair.missing, problem]
        return final
    zeros = zeros_of(pair, policy)
    final.problems += zeros.problems
    add_autograded(final, pair, assignment.questions, zeros.autograded)
    add_half(final, pair.manual, assignment.written.items, SHARES, zeros.written, pair.missing)
    if pair.manual:
        void(final, pair.manual, assignment.written.items)
        deduct_collaborators(assignment, final, pair.manual, policy)
    lateness.deduct(final, given)
    return final


def course_of(assignment: Assignment, rows: list[Row], policy: Policy) -> tuple[str, str]:
    """(course, '') from the rows' course cells, which may hold a section's name; or ('', the problem)."""
    sources: dict[str, str] = {}
    for row in rows:
        named = courses_in(row.who["course"], assignment.courses)
        if len(named) == 1:
            sources.setdefault(named[0], row.source)
    if len(sources) > 1:
        return "", "course is " + " and ".join(f"{course} in {source}" for course, source in sources.items())
    only = assignment.courses[0] if len(assignment.courses) == 1 else ""
    course = next(iter(sources), str(policy.table("course").get("default", only)))
    return course, "" if course else f"no course: expected {' or '.join(assignment.courses)} in the column course"


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
        final.problems.append(f"collaborators is {clean(answer, 30)!r} in {manual.source}, expected yes or no")
