"""What earlier uploads of the same people add to a result: what is right now and was not, and what the course's rules say.

What Gradescope hands over of them is untrusted and may be missing; nothing of it changes a verdict or a point.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from autograder.checks.diagnosis.findings import ended
from autograder.core.moments import moment
from autograder.core.resubmission import NO_HINTS, STEPS, Resubmission
from autograder.core.verdict import FAILED, NOT_RUN, PASSED, Verdict

MAX_UPLOADS, MAX_ITEMS, NAMED = 10_000, 1_000, 6
PLACE, CAUSE = "place", "cause"
EARLIER, TIME, CREATED, RESULTS = "previous_submissions", "submission_time", "created_at", "results"


@dataclass(frozen=True)
class Uploads:
    """What is known of a person's uploads, of which this is number ``number``, from 1.

    ``minutes``: since the last one (None if unknown); ``last``: its points by item; ``points``: those of each earlier one
    whose result is known.
    """

    number: int = 1
    minutes: float | None = None
    last: dict[str, float] = field(default_factory=dict)
    points: list[dict[str, float]] = field(default_factory=list)


def uploads_of(metadata: dict[str, Any]) -> Uploads:
    """What Gradescope's metadata say of earlier uploads; as good as nothing where they have another form."""
    listed = metadata.get(EARLIER)
    earlier = [one for one in listed[:MAX_UPLOADS] if isinstance(one, dict)] if isinstance(listed, list) else []
    if not earlier:
        return Uploads()
    last = _last(earlier)
    points = [known for one in earlier if (known := _points(one.get(RESULTS)))]
    return Uploads(len(earlier) + 1, _minutes(last.get(TIME), metadata.get(CREATED)), _points(last.get(RESULTS)), points)


def _last(earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """The latest upload; where some have no time, the one that stands last."""
    times = [_time(one.get(TIME)) for one in earlier]
    dated = [(time, number) for number, time in enumerate(times) if time is not None]
    return earlier[max(dated)[1]] if len(dated) == len(earlier) else earlier[-1]


def _minutes(then: Any, now: Any) -> float | None:
    start, end = _time(then), _time(now)
    minutes = (end - start).total_seconds() / 60 if start and end else -1.0
    return minutes if minutes >= 0 else None


def _time(text: Any) -> dt.datetime | None:
    """A moment with its time zone, UTC if it names none; None if it is no such text."""
    return moment(text, dt.timezone.utc) if isinstance(text, str) and len(text) < 40 else None


def _points(results: Any) -> dict[str, float]:
    tests = results.get("tests") if isinstance(results, dict) else None
    points = {}
    for test in tests[:MAX_ITEMS] if isinstance(tests, list) else ():
        number: Any
        score: Any
        number, score = (test.get("number"), test.get("score")) if isinstance(test, dict) else (None, None)
        if isinstance(number, str) and type(score) in (int, float) and math.isfinite(score):
            points[number] = float(score)
    return points


@dataclass(frozen=True)
class Again:
    """Adds to a result what is to be said of earlier uploads in one course."""

    rules: Resubmission
    uploads: Uploads
    course: str

    def amend(self, verdicts: list[Verdict], notes: list[str]) -> tuple[list[Verdict], list[str]]:
        """Verdicts and notes as the student gets them; every status and every point stays."""
        broken = list(self._broken())
        if broken and self.rules.then == NO_HINTS:
            why = f"hints are held back: {broken[0]}"
            verdicts = [_without_hints(verdict, why) for verdict in verdicts]
            broken.append("Why an answer is wrong is held back for this upload. Your points are not affected")
        elif broken:
            broken.append("Your points are not affected")
        if self.rules.hints == STEPS and not (broken and self.rules.then == NO_HINTS):
            verdicts = [_in_steps(verdict, self._step(verdict)) for verdict in verdicts]
        return verdicts, [*notes, *broken, *self._moved(verdicts)]

    def _broken(self) -> Iterator[str]:
        """Which rules this upload breaks."""
        number, minutes = self.uploads.number, self.uploads.minutes
        if 0 < self.rules.attempts < number:
            yield f"this is upload {number}, and the course allows {self.rules.attempts}"
        if minutes is not None and minutes < self.rules.cooldown_minutes:
            ago = "less than a minute" if minutes < 1 else f"{minutes:.0f} minute{'s' * (round(minutes) != 1)}"
            yield f"your last upload was {ago} ago, and the course asks for {self.rules.cooldown_minutes} minutes in between"

    def _step(self, verdict: Verdict) -> int:
        """For which time an answer is wrong, from 1. What is not known of an earlier upload counts as wrong."""
        id, whole = verdict.question.id, verdict.question.points[self.course]
        return self.uploads.number - sum(points.get(id, 0.0) >= whole > 0 for points in self.uploads.points)

    def _moved(self, verdicts: list[Verdict]) -> Iterator[str]:
        """What is right now and was not in the last result, and the other way round."""
        was, right, lost = self.uploads.last, list[str](), list[str]()
        for verdict in verdicts:
            id, whole = verdict.question.id, verdict.question.points[self.course]
            if verdict.status != NOT_RUN and id in was and whole > 0:
                before, now = was[id] >= whole, verdict.status == PASSED
                (right if now else lost).extend([id] * (before != now))
        if right:
            yield f"since your last upload: {_named(right, 'is', 'are')} now right"
        if lost:
            not_now = "no longer is" if len(lost) == 1 else "no longer are"
            yield f"since your last upload: {_named(lost, 'was', 'were')} right before and {not_now}"


def _named(ids: list[str], one: str, several: str) -> str:
    shown = ids[:NAMED] + ([f"{len(ids) - NAMED} more"] if len(ids) > NAMED else [])
    names = ", ".join(shown[:-1]) + " and " + shown[-1] if len(shown) > 1 else shown[0]
    return f"{names} {one if len(ids) == 1 else several}"


def _without_hints(verdict: Verdict, why: str) -> Verdict:
    """The verdict with its status and its points, but without a word about why it failed."""
    if verdict.status != FAILED:
        return verdict
    data = {key: value for key, value in verdict.data.items() if key != "table"}
    return replace(verdict, reason=f"not right yet; {why}", lines=[], notes=[], call=[], data=data)


def _in_steps(verdict: Verdict, step: int) -> Verdict:
    """What is said of a wrong answer: first what is wrong, then also where (call and line), then why, if that is known."""
    if verdict.status != FAILED:
        return verdict
    at = verdict.data.get("diagnosis", {}).get("place")
    held = [PLACE] * bool(verdict.call or at) + [CAUSE] * bool(verdict.bare)
    if step > len(held):
        return verdict
    shown, held = held[: step - 1], held[step - 1 :]
    reason, place = verdict.bare or verdict.reason, PLACE in shown
    return replace(
        verdict,
        reason=f"{ended(reason)} Look at {at}" if place and at else reason,
        call=verdict.call if place else [],
        notes=[*verdict.notes, f"if this is still wrong at your next upload, you get a hint at the {held[0]}"],
    )
