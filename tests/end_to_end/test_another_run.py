"""A second run of `batch` on another folder: whose score changed, who is gone, and what staff wrote is kept."""

import shutil

import pytest

from autograder.batch.metadata import METADATA
from autograder.core.errors import GraderError
from support.toy import autograder
from support.toy_class import RIGHT, WRONG, command

PEOPLE = {"Ada": "ada@u.edu", "Bo": "bo@u.edu", "Cy": "cy@u.edu", "Di": "di@u.edu"}


def export(course, **groups):
    """Makes the class an export: ``s0=("Ada Bo", source)`` is submission_0 of Ada and Bo."""
    shutil.rmtree(course.root / "class", ignore_errors=True)
    text = ""
    for name, (whose, source) in groups.items():
        course.hand_in(f"submission_{name[1:]}", source)
        text += f"submission_{name[1:]}:\n  :submitters:\n"
        text += "".join(f"  - :name: {who}\n    :email: {PEOPLE[who]}\n" for who in whose.split())
        text += f"  :created_at: 2026-10-{int(name[1:]) + 1:02d} 12:00 Z\n"
    course.metadata(text)


def moved(course):
    path = course.root / "out" / "moved.csv"
    return [(r["Submission ID"], r["Name"], r["Old"], r["New"]) for r in course.rows("moved.csv")] if path.exists() else None


@pytest.mark.parametrize(
    "first, second, wanted",
    [
        ({"s0": ("Ada", RIGHT)}, {"s9": ("Ada", WRONG)}, [("submission_9", "Ada", "4", "0")]),
        ({"s0": ("Ada", RIGHT)}, {"s9": ("Ada", RIGHT + "# again")}, None),
        ({"s0": ("Ada Cy", RIGHT)}, {"s0": ("Cy", RIGHT), "s9": ("Ada", WRONG)}, [("submission_9", "Ada", "4", "0")]),
        ({"s0": ("Ada Cy", WRONG)}, {"s9": ("Cy Ada", RIGHT)}, [("submission_9", "Ada, Cy", "0", "4")]),
        ({"s0": ("Ada", RIGHT)}, {"s0": ("Ada", RIGHT), "s1": ("Cy", RIGHT)}, None),
    ],
    ids=["again", "again with the same score", "one of two", "both of two", "somebody new"],
)
def test_who_has_another_submission_is_told_the_two_scores_and_who_has_none_nothing(course, first, second, wanted):
    bo = {"s5": ("Bo", RIGHT)}
    export(course, **first, **bo)
    course.run()
    export(course, **second, **bo)
    course.run()
    assert moved(course) == wanted


def test_what_could_not_be_graded_and_then_came_by_mail_is_told_with_its_score(course):
    export(course, s0=("Ada", None), s1=("Bo", RIGHT))
    course.run()
    course.hand_in("ada", RIGHT, where="mail")
    (course.root / "roster.csv").write_text("Name,Email,Course,Path\nAda,ada@u.edu,102,mail/ada\nBo,bo@u.edu,102,\n")
    changes = course.run(roster=course.root / "roster.csv").changes
    assert ("1.add", "", "4") in [change[1:4] for change in changes]
    assert {("Ada", "", "4")} <= {row[1:] for row in moved(course)}


def test_people_who_are_gone_are_asked_about_before_anything_is_graded(course):
    export(course, s0=("Ada", RIGHT), s1=("Bo", RIGHT), s2=("Cy Di", RIGHT), s3=("Ada", RIGHT))
    course.run()
    export(course, s0=("Ada", RIGHT), s1=("Bo", RIGHT))
    said = []
    changes = course.run(say=said.append).changes
    [line] = [line for line in said if line.endswith("is this the whole class?")]
    assert line.startswith("1 of the last run's 3 submissions does not count any more, and nothing else of their people does (")
    assert {change.reason for change in changes} == {"no longer graded"}
    said.clear()
    course.run(say=said.append)
    assert not [line for line in said if "whole class" in line]


@pytest.mark.parametrize("cell, edited", [("3", True), ("", True), ("full", True), ("4.0", False), ("4,00", False)])
def test_an_edited_gradebook_is_kept_and_said_to_be(course, cell, edited):
    export(course, s0=("Ada", RIGHT), s1=("Bo", RIGHT))
    course.run()
    path = course.root / "out" / "gradebook.csv"
    rows = course.rows()
    rows[0]["1.add"] = cell
    text = ",".join(rows[0]) + "\n" + "".join(",".join(f'"{value}"' for value in row.values()) + "\n" for row in rows)
    path.write_text(text)
    notes = [note for note in course.run().notes if "by hand" in note]
    kept = list(path.parent.glob("gradebook-*.csv"))
    assert [p.read_text() for p in kept] == [text] * edited and len(notes) == edited
    if edited:
        assert notes[0].startswith(
            f"gradebook.csv had other points than the last finished run (Ada 1.add: {cell or 'nothing'}, not 4): it is kept as "
        )
    assert course.row(Name="Ada")["1.add"] == "4" and not [n for n in course.run().notes if "by hand" in n]


def test_the_same_files_are_named_in_every_run(course):
    export(course, s0=("Ada", RIGHT), s1=("Bo", RIGHT), s2=("Cy", WRONG))
    for _ in range(2):
        assert "the same files in 2 submissions: submission_0 (Ada), submission_1 (Bo)" in course.run().notes


def test_without_metadata_nobody_is_a_submission_that_is_missing(course):
    export(course, s0=("Ada", RIGHT), s1=("Bo", WRONG))
    (course.root / "class" / METADATA).unlink()
    people = "".join(f"P{n},p{n}@u.edu,102\n" for n in range(9))
    (course.root / "roster.csv").write_text(f"Name,Email,Course\n{people}")
    arguments = command(course, "--quiet", "--roster", str(course.root / "roster.csv"))[3:]
    done = autograder(*arguments, cwd=course.root)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and lines[-2].startswith("2 submissions: 2 graded now"), done.stdout + done.stderr
    said = (
        f"not graded: {METADATA} is missing, so nothing says what 9 of the roster submitted: P0, P1, P2, P3, P4, … and 4 more"
    )
    assert said in lines


@pytest.mark.parametrize("where", ["class", "other"])
def test_no_results_are_written_among_submissions_and_no_advice_is_given_to_do_so(course, where):
    export(course, s0=("Ada", RIGHT))
    (course.root / "other" / "submission_7").mkdir(parents=True)
    with pytest.raises(GraderError, match=rf"{where} is a folder of submissions \(sub.*name another --output$"):
        course.run(output=where)
    assert sorted(p.name for p in (course.root / "other").iterdir()) == ["submission_7"]
