"""What `batch` says and how it exits where a class is not as the export or the roster says; what staff can do about it."""

import re
import shutil
import sqlite3
import subprocess
from collections import Counter

import pytest

from autograder.batch.outputs import MOVED, STORE
from autograder.batch.regrade_diff import kinds_of
from autograder.core.errors import GraderError
from support.toy_class import RIGHT, WRONG, command

EXPORT = "".join(
    f"submission_{n}:\n  :submitters:\n  - :name: {name}\n    :email: {name.lower()}@u.edu\n  :created_at: 2026-10-01 12:00 Z\n"
    for n, name in enumerate(["Ada", "Bo", "Cy"])
)


def batch(course, *more):
    return subprocess.run([*command(course, "--quiet"), *more], cwd=course.root, capture_output=True, text=True)


def test_a_folder_that_is_missing_is_said_to_be_and_ends_in_1(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    course.metadata(EXPORT)
    rows = ["Name,Email,Course", "Ada,ada@u.edu,101", "Ada,ada@u.edu,102", "Di,di@u.edu,101"]
    (course.root / "roster.csv").write_text("\n".join(rows))
    done = batch(course, "--roster", "roster.csv")
    assert done.returncode == 1 and not done.stderr, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "note: roster.csv, lines 2 and 3: Ada is in 101 and 102: which of them?"
    assert "submission_2: not graded: it is not there, and should be of Cy" in lines and "nothing submitted: Di" in lines
    assert lines[-2].startswith("3 submissions: ") and lines[-2].endswith("0 known before, 1 not graded")
    course.hand_in("submission_2", RIGHT)
    assert batch(course, "--roster", "roster.csv").returncode == 0


def test_moved_scores_name_everyone_whose_they_are(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    shared = EXPORT.replace("  :created", "  - :name: '=Di'\n    :email: di@u.edu\n  :created", 1)
    course.metadata(shared.partition("submission_2")[0])
    course.run()
    for name in ("submission_0", "submission_1"):
        course.hand_in(name, WRONG)
    course.run()
    rows = [(row["Submission ID"], row["Name"], row["Email"], row["Item"]) for row in course.rows("moved.csv")]
    assert rows == [
        ("submission_0", "Ada, =Di", "ada@u.edu, di@u.edu", "1.add"),
        ("submission_1", "Bo", "bo@u.edu", "1.add"),
    ]


def _garbage(path):
    path.write_bytes(b"garbage" * 1000)


def _overwritten(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


def _odd_seed(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE seed SET key = x'07'")
    database.close()


def _odd_record(path):
    with sqlite3.connect(path) as database:
        database.execute("UPDATE last SET scores = 'x'")
    database.close()


@pytest.mark.parametrize("damage", [_garbage, _overwritten, _odd_seed, _odd_record])
def test_a_damaged_store_says_what_to_do(course, damage):
    course.hand_in("a", RIGHT)
    course.run()
    damage(course.root / "out" / STORE)
    with pytest.raises(GraderError, match=rf"{STORE}.*move it away, and the next run grades everything again"):
        course.run()


def roster_of(course, **courses):
    """Gives the people these courses, in a roster, and runs the class with it; returns (what was said before, summary)."""
    text = "".join(f"{name.lower()}@u.edu,{of}\n" for name, of in courses.items())
    (course.root / "roster.csv").write_text(f"Email,Course\n{text}")
    said = []
    return said, course.run(roster=course.root / "roster.csv", say=said.append)


def test_a_change_by_the_roster_is_asked_about_and_said_to_be_one_and_keeps_the_last_regrades_changes(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    course.metadata(EXPORT.partition("submission_2")[0])
    assert roster_of(course, Ada="101", Bo="102")[0] == []
    course.hand_in("submission_0", WRONG)
    assert roster_of(course, Ada="101", Bo="102")[0] == []
    regrade = (course.root / "out" / "moved.csv").read_bytes()
    said, summary = roster_of(course, Ada="101", Bo="101")
    [line] = said
    assert line.startswith(
        "1 submission is in another course than in the last run (submission_1 was in 102, is in 101): is that"
    )
    assert kinds_of(summary.changes) == ", 1 of them by another course (--roster, --course)"
    assert {change.reason for change in summary.changes} == {"course changed from 102 to 101"}
    wrong = (course.root / "out" / "moved.csv").read_bytes()
    roster_of(course, Ada="101", Bo="102")
    earlier = sorted(path for path in (course.root / "out").glob("moved-*.csv"))
    assert {path.read_bytes() for path in earlier} == {regrade, wrong} and len(earlier) == 2
    rubric = course.folder / "rubric.toml"
    rubric.write_text(rubric.read_text().replace("102 = 4 }", "102 = 5 }").replace("102 = [7, 0]", "102 = [8, 0]"))
    assert kinds_of(course.run(roster=course.root / "roster.csv").changes) == ", 1 of them by the rubric's points"


@pytest.mark.parametrize("gone", [False, True])
def test_who_submitted_again_is_not_said_to_have_submitted_nothing_any_more(course, gone):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    first = EXPORT.partition("submission_2")[0]
    course.metadata(first)
    course.run()
    course.hand_in("submission_9", WRONG)
    if gone:
        shutil.rmtree(course.root / "class" / "submission_0")
        course.metadata(first.replace("submission_0", "submission_9"))
    else:
        again = first.partition("submission_1")[0].replace("submission_0", "submission_9").replace("12:00", "13:00")
        course.metadata(first + again)
    changes = course.run().changes
    [change] = changes
    assert change[:4] == ("submission_9", "1.add", "4", "0"), "the item that is another score, with both"
    assert change.reason.startswith("another submission of theirs counts now, not submission_0; now: failed, ")
    assert {(row["Submission ID"], row["Name"], row["Email"]) for row in course.rows("moved.csv")} == {
        ("submission_9", "Ada", "ada@u.edu")
    }


def test_a_group_across_courses_counts_in_each_and_the_summary_says_what_its_results_file_says(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", WRONG)
    course.hand_in("submission_2", RIGHT)
    shared = EXPORT.replace(
        "  :created", "  - :name: Di\n    :email: di@u.edu\n  - :name: Ed\n    :email: ed@u.edu\n  :created", 1
    )
    course.metadata(shared)
    said, summary = roster_of(course, Ada="101", Bo="101", Cy="102", Di="102", Ed="102")
    assert not said
    [note] = [note for note in summary.notes if "different courses" in note]
    assert note.startswith("submission_0 is of people in different courses (Ada: 101, Di: 102, Ed: 102): gradebook.csv has")
    assert note.endswith("results/submission_0.json, moved.csv and `replay` those of 101")
    page = (course.root / "out" / "index.html").read_text()
    scores = Counter(row["Course"] for row in course.rows() if row["Total Score"])
    assert scores == {"101": 2, "102": 3}
    assert "Course 101: 2 scores out of 5" in page and "Course 102: 3 scores out of 7" in page
    assert "<td>101, 102</td>" in page and ">5, 7</td>" in page
    assert "of 2 submissions" in page, "what a concept cost is said of submissions"


def test_the_numbers_of_the_summary_add_up(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    course.hand_in("submission_2", WRONG)
    (course.root / "class" / "submission_3").symlink_to("nowhere")
    course.metadata(EXPORT.replace("bo@u.edu", "cy@u.edu").replace("12:00", "12:00", 1))
    course.metadata(
        EXPORT.replace("Bo", "Cy").replace("bo@u.edu", "cy@u.edu").replace(":created_at: 2026", ":created_at: soon")
    )
    done = batch(course)
    last = done.stdout.splitlines()[-2]
    numbers = list(map(int, re.findall(r"(\d+) (?:submissions|graded now|with the same|known|not graded)", last)))
    assert done.returncode == 1 and numbers[0] == sum(numbers[1:]) == 4, last
    assert numbers == [4, 2, 1, 0, 1] and last.endswith("1 not graded; of those graded, 2 not settled"), last
    again = batch(course).stdout.splitlines()[-2]
    assert again.startswith("4 submissions: 0 graded now, 3 known before, 1 not graded"), again


def test_whose_record_has_anothers_address_is_in_the_gradebook_or_named_and_ends_in_1_until_the_paths_are_given(course):
    for n, source in enumerate((RIGHT, WRONG, RIGHT)):
        course.hand_in(f"submission_{n}", source)
    course.metadata(EXPORT.replace("bo@u.edu", "ada@u.edu"))
    people = ["Ada,ada@u.edu,101", "Bo,bo@u.edu,102", "Cy,cy@u.edu,102"]
    (course.root / "roster.csv").write_text("\n".join(["Name,Email,Course", *people]))
    done = batch(course, "--roster", "roster.csv")
    assert done.returncode == 1 and "Bo <bo@u.edu>: not graded: it is not settled whose submission_1 is" in done.stdout, (
        done.stdout
    )
    assert "nothing submitted" not in done.stdout and "submitted twice" not in done.stdout
    paths = [f"{line},class/submission_{n}" for n, line in enumerate(people)]
    (course.root / "roster.csv").write_text("\n".join(["Name,Email,Course,Path", *paths]))
    done = batch(course, "--roster", "roster.csv")
    assert done.returncode == 0, done.stdout
    assert [(row["Email"], row["Course"], row["Submission ID"][-1]) for row in course.rows()] == [
        ("ada@u.edu", "101", "0"),
        ("bo@u.edu", "102", "1"),
        ("cy@u.edu", "102", "2"),
    ]


def test_what_moved_in_an_earlier_run_does_not_stand_as_this_runs(course):
    course.hand_in("submission_0", RIGHT)
    course.run()
    course.hand_in("submission_0", WRONG)
    course.run()
    moved = (course.root / "out" / MOVED).read_bytes()
    summary = course.run()
    [kept] = list((course.root / "out").glob("moved*.csv"))
    assert kept.name != MOVED and kept.read_bytes() == moved and any(kept.name in note for note in summary.notes)
    assert not course.run().notes, "said once"


def test_a_gradebook_with_an_edited_total_and_a_row_more_is_kept(course):
    course.hand_in("submission_0", RIGHT)
    assert not course.run().notes and not course.run().notes
    book = course.root / "out" / "gradebook.csv"
    edited = book.read_text().replace(",7,7,", ",5,7,") + "Late Kid,late@u.edu,9,101\n"
    assert edited != book.read_text() + "Late Kid,late@u.edu,9,101\n"
    book.write_text(edited)
    [note] = course.run().notes
    assert "was not as the last run wrote it" in note and [p.read_text() for p in book.parent.glob("gradebook-*")] == [edited]
    assert not course.run().notes


@pytest.mark.parametrize("output", ["class/out", "class/submission_0/out", "class/a/b/out", "link/out", "class/submission_0"])
def test_an_output_within_the_submissions_is_refused_before_anything_is_written(course, output):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("submission_1", RIGHT)
    (course.root / "link").symlink_to(course.root / "class")
    with pytest.raises(
        GraderError, match=r"lies in .*, of which the next run would take it for a part: name an --output outside$"
    ):
        course.run(output=output)
    assert sorted(path.name for path in (course.root / "class").rglob("*")) == [
        "T1.py",
        "T1.py",
        "submission_0",
        "submission_1",
    ]


def test_an_output_within_what_a_roster_names_by_path_is_refused(course):
    course.hand_in("submission_0", RIGHT)
    course.hand_in("x", RIGHT, "mail")
    (course.root / "roster.csv").write_text("Name,Email,Course,Path\nAda,a@u.edu,101,mail/x\n")
    with pytest.raises(GraderError, match=r"lies in .*x, of which"):
        course.run(output="mail/x/out", roster=course.root / "roster.csv")
