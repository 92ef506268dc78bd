"""People with points in both halves, and both joined into one grade."""

from __future__ import annotations

import csv
import io

import pytest

from autograder.core.loading import load_assignment
from autograder.written.finalise import Inputs, finalise
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")
AUTOMATIC, BY_HAND = [q.id for q in ASSIGNMENT.questions], [i.id for i in ASSIGNMENT.written.items]
ADA = {"name": "Ada L.", "email": "ada@u.edu", "sid": "11", "course": "517"}
ABSENT = '[absent]\nautograded = "zero"\nwritten = "zero"\n'
LATE = "[late]\npercent_per_day = 10\n"
TERM = f'{LATE}budget_days = 4\n[course]\nassignment = "A2"\n'
DUE = "[late]\npercent_per_day = 10\ndue = 2024-02-09T23:59:00-08:00\n"


def points(course, *changes, **more):
    """One person's full marks in both files, with some cells changed."""
    automatic = {**ADA, "course": course, "Status": "graded", **{q.id: f"{q.points[course]:g}" for q in ASSIGNMENT.questions}}
    by_hand = {
        "email": ADA["email"],
        "sid": ADA["sid"],
        "collaborators": "yes",
        "late_days": "",
        "absent": "",
        **dict.fromkeys(BY_HAND, "full"),
    }
    for change in changes:
        for row in (automatic, by_hand):
            row.update({k: v for k, v in change.items() if k in row})
    return [automatic], [by_hand | more]


def write(path, rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), newline="")
    return path


@pytest.fixture
def join(tmp_path):
    """``join(gradebook rows, manual rows, policy text, **files of days)`` -> (rows of the result, summary)."""

    def run(automatic, by_hand, policy="", assignment=ASSIGNMENT, extensions="", late_days=()):
        for name, text in {"policy.toml": policy, "extensions.csv": extensions}.items():
            (tmp_path / name).write_text(text)
        for number, text in enumerate(late_days, 1):
            (tmp_path / f"a{number}.csv").write_text(text)
        inputs = Inputs(
            write(tmp_path / "gradebook.csv", automatic),
            write(tmp_path / "manual.csv", by_hand) if by_hand else None,
            tmp_path / "policy.toml" if policy else None,
            tmp_path / "extensions.csv" if extensions else None,
            tuple(tmp_path / f"a{number}.csv" for number, _ in enumerate(late_days, 1)),
        )
        summary = finalise(assignment, inputs, tmp_path / "final.csv")
        with open(tmp_path / "final.csv", newline="") as file:
            return list(csv.DictReader(file)), summary

    return run


def people_of(count, **late):
    automatic, by_hand = points("517")
    own = [{"name": f"P{n}", "email": f"p{n}@u.edu", "sid": str(100 + n)} for n in range(count)]
    return [
        [{**half, **{key: one[key.lower()] for key in half if key.lower() in one}} for half in rows for one in own]
        for rows in (automatic, [row | late for row in by_hand])
    ]


def lines_with(summary, words):
    return [line for line in summary.lines if words in line]
