"""One person's final grade and its row in the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from autograder.core.assignment import Assignment, Question
from autograder.core.tables import write_csv
from autograder.core.text import cell, clean
from autograder.core.written import Manual
from autograder.core.written import total as max_total

WHO = ("name", "email", "sid")
FEW = 5  # people who are named in one line


@dataclass
class Final:
    """One person's grade. ``problems``: what keeps it from being graded; ``rules``: the deductions, in words.

    ``sources``: the rows of the autograded and the manual scores; ``zeros``: which halves count as zero because nothing was
    submitted, and why; ``stays``: which halves keep their points though the sheet says that nothing was submitted;
    ``extended``: the extension that was given, in words; ``before``: what late days used before have changed, in words;
    ``used_before``: (how many of the term's late days those are, the row that says so) for each row; ``untimed``: whether
    nothing says when it was handed in, though there is a rule about that; ``late_days_used``: how many of the term's late days
    this one took (None without such a rule); ``deductions``: points taken off, by rule; ``voided``: the autograded points that
    do not count because an answer to a written item makes theirs ineligible, by item; ``by_hand``: the autograded items whose
    points the graders' sheet gives, in words.
    """

    who: dict[str, str]
    course: str = ""
    scores: dict[str, Fraction] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    voided: dict[str, Fraction] = field(default_factory=dict)
    sources: list[str] = field(default_factory=lambda: ["", ""])
    zeros: list[str] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)
    extended: str = ""
    before: str = ""
    used_before: list[tuple[int, str]] = field(default_factory=list)
    untimed: bool = False
    by_hand: list[str] = field(default_factory=list)
    late_days_used: int | None = None
    deductions: dict[str, Fraction] = field(default_factory=lambda: {"collaborators": Fraction(0), "late": Fraction(0)})


def named(final: Final) -> str:
    """The name with the e-mail address or the number, since two people may share a name."""
    key = final.who["email"] or final.who["sid"]
    return clean(f"{final.who['name']} <{key}>" if final.who["name"] and key else final.who["name"] or key, 120)


def final_sum(final: Final) -> Fraction:
    """The sum of all scores before deductions."""
    return sum(final.scores.values(), Fraction(0))


def nothing_left(final: Final) -> str:
    """The rule by which being late has cost everything there was; '' if it has not."""
    late = final.deductions["late"]
    if final.problems or not late or final_sum(final) > sum(final.deductions.values()):
        return ""
    return next((rule for rule in final.rules if rule.startswith("late: ")), "late")


def shown(value: Fraction) -> str:
    """A number with at most three decimals and no trailing zeros."""
    return f"{float(round(value, 3)):.3f}".rstrip("0").rstrip(".")


def write_table(assignment: Assignment, finals: list[Final], output: Path) -> None:
    """Replace ``output`` with one row per person, readable by its owner only. Raises NotWritten."""
    write_csv(output, [header_of(assignment), *(columns_of(assignment, final).values() for final in finals)])


def header_of(assignment: Assignment) -> list[str]:
    """The result's titles."""
    return list(columns_of(assignment, Final(dict.fromkeys(WHO, ""))))


def columns_of(assignment: Assignment, final: Final) -> dict[str, str]:
    """A person's cells by column."""
    written, course = assignment.written, final.course
    items: list[Question | Manual] = [*assignment.questions, *written.items]
    regular, bonus = max_total(items, course) if course else (0.0, 0.0)
    return {
        **{column: cell(clean(text, 400)) for column, text in final.who.items()},
        "course": course,
        "total": total_cell(final),
        "out of": f"{regular:g}" if course else "",
        "extra credit possible": f"{bonus:g}" if course else "",
        "status": "not graded" if final.problems else "graded",
        "autograded": sum_cell(final, assignment.questions),
        "read": sum_cell(final, written.items),
        "extra credit": sum_cell(final, [item for item in items if course in item.extra_credit]),
        "voided": voided_cell(final),
        **deduction_cells(final),
        **{f"part {part.id}": sum_cell(final, [i for i in items if written.part_of(i.id) is part]) for part in written.parts},
        **{item.id: sum_cell(final, [item]) for item in items},
        "autograded from": cell(clean(final.sources[0], 400)),
        "read from": cell(clean(final.sources[1], 400)),
        "rules": cell(clean("; ".join(final.rules), 2000)),
    }


def total_cell(final: Final) -> str:
    """The total after deductions, or why there is none."""
    if final.problems:
        return cell(clean("not graded: " + "; ".join(final.problems), 400))
    return shown(final_sum(final) - sum(final.deductions.values()))


def deduction_cells(final: Final) -> dict[str, str]:
    """The sum before deductions, then each deduction, and the term's late days; empty if the person is not graded."""
    days = "" if final.late_days_used is None else str(final.late_days_used)
    if final.problems:
        return {**dict.fromkeys(["sum", *final.deductions], ""), "late days used": days}
    return {
        "sum": shown(final_sum(final)),
        **{rule: shown(-n) if n else "" for rule, n in final.deductions.items()},
        "late days used": days,
    }


def sum_cell(final: Final, items: Sequence[Question | Manual]) -> str:
    """The sum of the items' scores; '' unless every item has a score."""
    if not items or not all(item.id in final.scores for item in items):
        return ""
    return shown(sum((final.scores[item.id] for item in items), Fraction(0)))


def voided_cell(final: Final) -> str:
    """The voided items and their points."""
    return ", ".join(f"{id} ({shown(points)})" for id, points in final.voided.items())
