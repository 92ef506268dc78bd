"""What a batch did, as its last lines say it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from autograder.batch.metadata import METADATA
from autograder.batch.roster import Roster
from autograder.core.text import first_of, some_of

if TYPE_CHECKING:
    from autograder.batch.gradebook import Sheet
    from autograder.batch.regrade_diff import Change


@dataclass(frozen=True)
class Outcome:
    """The store key of a submission's content, or the problem that kept it from being graded."""

    content: str
    problem: str


@dataclass
class Summary:
    """What a batch did. ``problems``: (submission, what staff have to see to); ``ran``: how many were tried in this run.

    Each of the ``submissions`` is one of those graded ``now``, ``copies`` with the same content as one of these, those
    ``known`` before, and those that are ``lost``: not graded. ``fresh``: what was tried in this run, by content;
    ``absent``: who is in the roster and submitted nothing; ``missing``: like
    ``problems``, of each folder or file that an export or a roster names and that is not there; ``unknown``: who is in the
    roster, where the file is missing that would say what they submitted; ``doubtful``: (person of the roster, why it is not
    settled whether a submission is theirs).
    """

    submissions: int = 0
    ran: int = 0
    fresh: set[str] = field(default_factory=set)
    now: int = 0
    copies: int = 0
    known: int = 0
    lost: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)
    missing: list[tuple[str, str]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def see(self, sheet: Sheet, course: str) -> None:
        """Note what staff should know of a submission; ``course``: of those of its people who have none."""
        courses = sheet.courses(course)
        self.problems += [(sheet.id, problem) for problem in sheet.problems()]
        self.notes += [f"{sheet.id}: {line}" for line in sheet.without() if line.startswith("not read")]
        if sheet.total(courses[0]) is None:
            self.lost.add(sheet.id)
        if len(set(courses)) > 1:
            who = ", ".join(f"{person.label}: {own}" for person, own in zip(sheet.people, courses))
            self.notes.append(
                f"{sheet.id} is of people in different courses ({who}): gradebook.csv has the points of everyone's own, "
                f"results/{sheet.id}.json, moved.csv and `replay` those of {courses[0]}"
            )

    def count(self, outcomes: dict[str, Outcome], roster: Roster) -> None:
        """Count what was graded when, and note who submitted nothing."""
        graded = [outcome.content for id, outcome in outcomes.items() if id not in self.lost]
        in_this_run = [content for content in graded if content in self.fresh]
        self.now = len(set(in_this_run))
        self.copies, self.known = len(in_this_run) - self.now, len(graded) - len(in_this_run)
        self.absent = [one.person.label for one in roster.absent if one.nothing]
        self.doubtful = [(one.person.label, f"not graded: {one.why}") for one in roster.absent if one.doubtful]
        self.unknown = [one.person.label for one in roster.absent if one.missing == METADATA]
        self.missing = list(_missing(roster))
        self.notes += first_of(list(_same_files(outcomes, roster, self.lost)), 5)


def _missing(roster: Roster) -> Iterator[tuple[str, str]]:
    """What should be there and is not, with whose it is."""
    people: dict[str, list[str]] = {}
    for one in roster.absent:
        if one.missing not in ("", METADATA):
            people.setdefault(one.missing, []).append(one.person.label)
    for name, labels in people.items():
        yield name, f"not graded: it is not there, and should be of {', '.join(labels)}"


def _same_files(outcomes: dict[str, Outcome], roster: Roster, lost: set[str]) -> Iterator[str]:
    """A line about each group of submissions whose files are the same, with the names of their people."""
    groups: dict[str, list[str]] = {}
    for entry in roster.entries:
        if entry.id not in lost:
            whose = ", ".join(person.label for person in entry.people)
            groups.setdefault(outcomes[entry.id].content, []).append(f"{entry.id} ({whose})")
    for group in groups.values():
        if len(group) > 1:
            yield f"the same files in {len(group)} submissions: {some_of(group, 5)}"
