"""What a class has not understood, by concept, in order of the points that it cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from autograder.core.verdict import FAILED, Verdict

SHARED_LEAST = 5  # submissions behind anything that is shared beyond staff
EXAMPLES, MAX_DIFFERENT = 2, 200  # shown; kept of one concept
OTHER = "not recognised"


class Example(NamedTuple):
    """An answer as its student reads about it, without who it is: the item, the reason, and the smallest call that shows it."""

    item: str
    reason: str
    call: tuple[str, ...]
    quotes: bool  # whether the reason may quote the student's own words


@dataclass
class Concept:
    """One concept in one course. ``submissions``: how many lost points by it; ``items``: how many by item."""

    name: str
    says: str
    lost: float = 0.0
    items: Counter[str] = field(default_factory=Counter)
    submissions: set[str] = field(default_factory=set)
    seen: Counter[Example] = field(default_factory=Counter)

    def named_items(self, shared: bool = False) -> list[str]:
        """The items by id; to be ``shared``, those that enough submissions lost points in."""
        return [item for item, count in self.items.items() if not shared or count >= SHARED_LEAST]

    def examples(self, shared: bool = False) -> list[Example]:
        """The commonest ones with different reasons.

        To be ``shared``, without a student's own words, and without a text that too few submissions have in common.
        """
        seen = self._common() if shared else self.seen
        chosen: dict[str, Example] = {}
        for example, _ in sorted(seen.items(), key=lambda pair: (-pair[1], pair[0])):
            if len(chosen) < EXAMPLES:
                chosen.setdefault(example.reason, example)
        return list(chosen.values())

    def _common(self) -> Counter[Example]:
        """What may be shared: a reason that enough submissions have in common, with its call if the call is, too."""
        reasons = Counter[Example]()
        for example, count in self.seen.items():
            reasons[example._replace(call=())] += count
        calls = {example: count for example, count in self.seen.items() if count >= SHARED_LEAST}
        with_call = {example._replace(call=()) for example in calls}
        found = Counter({one: count for one, count in reasons.items() if one not in with_call and count >= SHARED_LEAST})
        return Counter({one: count for one, count in (found | Counter(calls)).items() if not one.quotes})


class Concepts:
    """Collects failed verdicts. ``teach``: concept -> its title and what to say about it.

    ``tags``: question id -> mistake -> concept.
    """

    def __init__(self, teach: dict[str, dict[str, str]], tags: dict[str, dict[str, str]]):
        self.teach, self.tags = teach, tags
        self.courses: dict[str, dict[str, Concept]] = {}

    def add(self, submission: str, course: str, verdict: Verdict) -> None:
        """Count a verdict, if it is a failed one that lost points."""
        lost = verdict.question.points[course] - verdict.score(course)
        if verdict.status != FAILED or lost <= 0:
            return
        name = self._name(verdict)
        known = self.teach.get(name, {})
        concept = self.courses.setdefault(course, {}).setdefault(name, Concept(known.get("title", name), known.get("says", "")))
        concept.lost += lost
        concept.items[verdict.question.id] += 1
        concept.submissions.add(submission)
        example = Example(verdict.question.id, verdict.reason, tuple(verdict.call), verdict.data.get("kind") == "exception")
        if len(concept.seen) < MAX_DIFFERENT or example in concept.seen:
            concept.seen[example] += 1

    def _name(self, verdict: Verdict) -> str:
        tagged = self.tags.get(verdict.question.id, {}).get(verdict.data.get("mistake", ""))
        known = verdict.data.get("diagnosis")
        told = known.get("concept") if isinstance(known, dict) else ""
        return tagged or (told if isinstance(told, str) and told else OTHER)

    def of(self, course: str, least: int = 1) -> list[Concept]:
        """The concepts of a course that cost at least so many submissions points, the dearest first, unrecognised ones last."""
        found = [concept for concept in self.courses.get(course, {}).values() if len(concept.submissions) >= least]
        return sorted(found, key=lambda c: (c.name == OTHER, -c.lost, c.name))
