"""Uploading again: what moved since the last result is told, the course's rules are kept, and no point is ever at stake."""

import datetime as dt
import json
import re

import pytest

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.resubmission import Resubmission, read_resubmission
from autograder.core.verdict import FAILED, MISSING, NOT_RUN, PASSED, Verdict
from autograder.gradescope.archive import members_of
from autograder.gradescope.container import METADATA, grade_container
from autograder.judging.uploads import Again, Uploads, uploads_of
from support.project import ROOT
from support.toy_class import WRONG

ASSIGNMENT = load_assignment(ROOT / "assignment")
FIRST, SECOND, THIRD = ASSIGNMENT.questions[:3]
RESULT = {"tests": [{"number": FIRST.id, "score": 0}, {"number": SECOND.id, "score": 3.0}, {"number": "gone", "score": 1}]}


def earlier(*minutes, results=RESULT):
    """Metadata of an upload at noon, after others so many minutes before."""
    noon = dt.datetime(2026, 10, 1, 12, tzinfo=dt.timezone.utc)
    times = [(noon - dt.timedelta(minutes=m)).isoformat() for m in minutes]
    return {
        "created_at": "2026-10-01T05:00:00.000000-07:00",
        "previous_submissions": [{"submission_time": time, "score": 1.0, "results": results} for time in times],
    }


def verdicts(*statuses):
    return [
        Verdict(
            q, status, "the rows do not sum to one", ["line"], ["note"], [], {"table": {}, "kind": "numbers"}, call=["f(1)"]
        )
        for q, status in zip(ASSIGNMENT.questions, statuses)
    ]


def test_what_moved_since_the_last_result_is_told():
    again = Again(Resubmission(), uploads_of(earlier(60)), "517")
    given = verdicts(PASSED, FAILED, PASSED)
    shown, notes = again.amend(given, ["before"])
    assert shown == given and notes == [
        "before",
        "since your last upload: 1.2.1 is now right",
        "since your last upload: 1.2.2 was right before and no longer is",
    ]
    _, notes = again.amend(verdicts(NOT_RUN, NOT_RUN, PASSED), [])
    assert notes == [], "what has not run is not lost"
    _, notes = again.amend(verdicts(FAILED, PASSED), [])
    assert notes == []
    _, notes = again.amend(verdicts(FAILED, MISSING), [])
    assert notes == ["since your last upload: 1.2.2 was right before and no longer is"]


@pytest.mark.parametrize(
    "rules, minutes, says",
    [
        (Resubmission(attempts=2), (30, 60), "this is upload 3, and the course allows 2"),
        (Resubmission(attempts=3), (30, 60), ""),
        (Resubmission(), (0, 1, 2, 3), ""),
        (
            Resubmission(cooldown_minutes=30),
            (60, 12),
            "your last upload was 12 minutes ago, and the course asks for 30 minutes",
        ),
        (Resubmission(cooldown_minutes=30), (0.2,), "your last upload was less than a minute ago"),
        (Resubmission(cooldown_minutes=30), (31,), ""),
        (Resubmission(cooldown_minutes=30), (-5,), ""),
        (Resubmission(cooldown_minutes=30), (), ""),
    ],
)
def test_the_courses_rules_are_told_and_never_cost_a_point(rules, minutes, says):
    uploads = uploads_of(earlier(*minutes, results={}))
    for then in ("note", "no hints"):
        given = verdicts(PASSED, FAILED, MISSING)
        shown, notes = Again(Resubmission(rules.attempts, rules.cooldown_minutes, then), uploads, "517").amend(given, [])
        assert says in " ".join(notes) and bool(notes) == bool(says)
        assert [(v.status, v.score("517")) for v in shown] == [(v.status, v.score("517")) for v in given]
        told = "the rows do not sum" in shown[1].reason and shown[1].lines and shown[1].call
        assert bool(told) == (then == "note" or not says)
        assert (shown[0], shown[2]) == (given[0], given[2])


def known(verdict):
    """A verdict of which place and cause are known."""
    verdict.bare, verdict.data["diagnosis"] = "the rows do not sum to one", {"line": 7, "place": "cell 3, line 7"}
    verdict.reason = f"{verdict.bare}. Look at cell 3, line 7, `dim=0`: over which dimension do they have to?"
    return verdict


@pytest.mark.parametrize(
    "results, line, call, why",
    [
        ([], False, False, False),
        ([0], True, True, False),
        ([0, 0], True, True, True),
        ([0, 3, 0], True, True, True),
        ([3], False, False, False),
        ([None, None], True, True, True),
        ([0, 0, 0, 0], True, True, True),
    ],
    ids=["the first", "wrong once before", "twice", "twice and once right", "right before", "unknown", "often"],
)
def test_hints_come_in_steps_only_if_the_course_says_so(results, line, call, why):
    listed = [
        {"results": {"tests": [{"number": FIRST.id, "score": score}]} if score is not None else None} for score in results
    ]
    uploads = uploads_of({"previous_submissions": listed})
    given = [known(verdict) for verdict in verdicts(FAILED)] + verdicts(PASSED)[:1]
    shown, _ = Again(Resubmission(hints="steps"), uploads, "517").amend(given, [])
    first, right = shown
    assert ("line 7" in first.reason, bool(first.call), "over which dimension" in first.reason) == (line, call, why)
    assert "the rows do not sum to one" in first.reason and first.lines == ["line"]
    assert ("you get a hint at the" in " ".join(first.notes)) == (not why)
    assert (first.status, first.score("517"), right) == (FAILED, given[0].score("517"), given[1])
    assert Again(Resubmission(), uploads, "517").amend(given, [])[0] == given


def test_no_step_is_promised_of_which_nothing_is_known():
    (given,) = verdicts(FAILED)
    given.call = []
    assert Again(Resubmission(hints="steps"), Uploads(), "517").amend([given], [])[0] == [given]
    given.bare = given.reason
    ((shown,), _) = Again(Resubmission(hints="steps"), Uploads(), "517").amend([given], [])
    assert shown.notes[-1].endswith("a hint at the cause")


MALFORMED = [
    None,
    3,
    {},
    [None, 3, "x", []],
    [{}],
    [{"submission_time": 3, "results": 3}],
    [{"submission_time": "yesterday", "results": {"tests": {}}}],
    [
        {
            "submission_time": "9" * 100,
            "results": {"tests": [None, 3, {}, {"number": 3, "score": 1}, {"number": "1.2.1", "score": "3"}]},
        }
    ],
    [{"results": {"tests": [{"number": "1.2.1", "score": float("nan")}, {"number": "1.2.1", "score": True}]}}],
    [{"submission_time": "0001-01-01T00:00:00+14:00"}],
]


@pytest.mark.parametrize("listed", MALFORMED, ids=range(len(MALFORMED)))
def test_metadata_of_any_form_cost_nothing(listed):
    uploads = uploads_of({"previous_submissions": listed, "created_at": "2026-10-01T00:00:00"})
    assert uploads.last == {} and uploads.points == [] and uploads.number <= 2
    given = verdicts(PASSED, FAILED)
    shown, notes = Again(Resubmission(5, 5), uploads, "517").amend(given, [])
    assert shown == given and notes == []
    assert uploads_of({}) == Uploads()


@pytest.mark.parametrize(
    "text, says",
    [
        ("attemps = 3", "unknown key 'attemps'; did you mean 'attempts'?"),
        ("attempts = -1", "attempts should be a whole number, 0 or more"),
        ("attempts = '3'", "attempts should be a whole number"),
        ("then = 'zero'", "then should be 'note' or 'no hints'"),
        ("hints = 'step'", "hints should be 'at once' or 'steps'; did you mean 'steps'?"),
        ("attempts = 3\nthen = 'no hints'\nhints = 'steps'", ""),
        ("", ""),
    ],
)
def test_a_policy_with_a_slip_is_refused_before_anything_is_packed(course, text, says):
    (course.folder / "course.toml").write_text(f"[resubmission]\n{text}\n")
    toy, references = load_assignment(course.folder), course.folder / "rubric.toml"
    if not says:
        read_resubmission(course.folder)
        assert "assignment/course.toml" in members_of(toy, references, "101")
        return
    for refused in (lambda: read_resubmission(course.folder), lambda: members_of(toy, references, "101")):
        with pytest.raises(GraderError, match=re.escape(says)):
            refused()


@pytest.mark.slow
def test_in_the_container_the_policy_of_the_archive_meets_gradescopes_metadata(course, tmp_path):
    from autograder.authoring.baking.freshness import fresh_references

    (course.folder / "course.toml").write_text('[resubmission]\nattempts = 1\nthen = "no hints"\nhints = "steps"\n')
    references = fresh_references(course.folder, course.folder / "solutions", course.root / "build")
    root = tmp_path / "container"
    for name, data in members_of(load_assignment(course.folder), references, "101").items():
        path = root / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (root / "submission").mkdir()
    (root / "submission" / "T1.py").write_text(WRONG)
    before = {"tests": [{"number": "1.add", "score": 2}, {"number": "1.mean", "score": 0}]}
    for metadata, held in ((earlier(9, results=before), True), ({}, False)):
        (root / METADATA).write_text(json.dumps(metadata))
        grade_container(root, lambda line: None)
        tree = json.loads((root / "results" / "results.json").read_text())
        add, mean = tree["tests"]
        assert (add["score"], mean["score"], tree["score"]) == (0, 3, 3)
        assert ("hints are held back" in add["output"]) == held
        assert ("you get a hint at the place" in add["output"]) != held
        assert ("1.mean is now right" in tree["output"]) == held
        assert ("1.add was right before and no longer is" in tree["output"]) == held
