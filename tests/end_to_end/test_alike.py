"""What is made of look-alikes: pairs who declared it are marked, and Dolos gets everyone's own code with names and times."""

import csv
import io
import zipfile

import pytest

from autograder.batch.dolos import write_dolos
from autograder.batch.roster import read_roster
from autograder.batch.similarity import few_tokens, look_alike, mark_declared
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from support.toy import autograder
from support.toy_class import RIGHT

EXPORT = """submission_1:
  :submitters:
  - :name: Ada
    :email: ada@u.edu
    :sid: '1'
  :created_at: 2026-10-01 12:00:00.000000000 Z
submission_2:
  :submitters:
  - :name: "=Bo"
    :email: bo@u.edu
    :sid: '2'
  - :name: Cy
    :email: cy@u.edu
    :sid: '3'
  :created_at: 2026-10-02 12:00:00 -0700
submission_3:
  :submitters:
  - :name: Di
    :email: di@u.edu
    :sid: '4'
  :created_at: soon
"""
STARTER = "HEADER = 'everyone was given this line of the starter'\n"


@pytest.fixture
def roster(course):
    for number in (1, 2):
        course.hand_in(f"submission_{number}", f"{STARTER}# a comment\n{RIGHT}\nown = {number}\n")
    course.hand_in("submission_3", STARTER)
    course.metadata(EXPORT)
    (course.root / "starter").mkdir()
    (course.root / "starter" / "T1.py").write_text(STARTER)
    return read_roster(course.root / "class", None, ("101", "102"))


def test_dolos_gets_everyones_own_code_with_names_and_times(course, roster):
    target = course.root / "class.zip"
    assert write_dolos(target, load_assignment(course.folder), roster, course.root / "starter") == 2
    with zipfile.ZipFile(target) as zipped:
        info = list(csv.DictReader(io.StringIO(zipped.read("info.csv").decode())))
        code = {name: zipped.read(name).decode() for name in zipped.namelist() if name != "info.csv"}
    assert [(row["filename"], row["full_name"], row["created_at"]) for row in info] == [
        ("submission_1.py", "Ada", "2026-10-01 12:00:00 +0000"),
        ("submission_2.py", "'=Bo, Cy", "2026-10-02 12:00:00 -0700"),
    ]
    assert set(code) == {row["filename"] for row in info}
    assert all("def add" in text and "HEADER" not in text and "comment" not in text for text in code.values())
    assert target.stat().st_mode & 0o077 == 0
    before = target.read_bytes()
    write_dolos(target, load_assignment(course.folder), roster, course.root / "starter")
    assert target.read_bytes() == before


@pytest.mark.parametrize(
    "text, declared",
    [
        ("email,with\nada@u.edu,cy@u.edu\n", True),
        ("sid;with\n2;x@u.edu 1\n", True),
        ('Email,Worked with\nX@u.edu,"ADA@u.edu, bo@u.edu"\n', True),
        ("email,with\nada@u.edu,di@u.edu\n", False),
        ("email,with\nbo@u.edu,cy@u.edu\n", False),
        ("email,with\n,\n", False),
    ],
)
def test_a_pair_is_marked_if_someone_of_each_side_declared_it(course, roster, text, declared):
    path = course.root / "declared.csv"
    path.write_text(text)
    pairs = [{"one": "submission_1", "other": "submission_2", "share": 1.0, "tokens": 99, "declared": False}]
    unknown = mark_declared(pairs, roster, path)
    assert pairs[0]["declared"] == declared
    assert unknown == ["declared.csv row 2: nobody called x@u.edu submitted"] * ("x@u.edu" in text.casefold())


def test_a_list_of_something_else_is_refused(course, roster):
    path = course.root / "declared.csv"
    path.write_text("email,name\na,b\n")
    with pytest.raises(GraderError, match="expected the columns email or sid, and with"):
        mark_declared([], roster, path)


def test_what_hardly_differs_from_many_is_said_not_to_be_compared(course):
    pytest.importorskip("copydetect")
    for number in range(5):
        course.hand_in(f"s{number}", RIGHT)
    assignment, said = load_assignment(course.folder), []
    roster = read_roster(course.root / "class", None, assignment.courses)
    assert look_alike(assignment, roster, course.root / "none", lambda *_: None, said.append) == []
    assert said == [few_tokens(5, 5)]


@pytest.mark.parametrize(
    "rows, notes",
    [
        ("ada@u.edu,101\nbo@u.edu,101\n", []),
        ("x@u.edu,101\n", ["note: nobody who submitted is found in who.csv by address or SID: is it this class's?"]),
        (
            "ada@u.edu,101\nbo@u.edu",
            ["note: who.csv, line 3, has fewer cells than the header, and no end: is the file cut off?"],
        ),
    ],
)
def test_a_roster_that_may_be_wrong_is_asked_about(course, roster, rows, notes):
    (course.root / "who.csv").write_text(f"email,course\n{rows}")
    where = [
        "--assignment",
        str(course.folder),
        "alike",
        "class",
        "--roster",
        "who.csv",
        "--starter",
        "starter",
        "--output",
        "out",
    ]
    done = autograder(*where, cwd=course.root)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("note: ") and "who.csv" in line]
    assert [line[: len(note)] for line, note in zip(told, notes)] == notes and len(told) == len(notes), told
