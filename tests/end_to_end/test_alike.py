"""What is made of look-alikes: pairs who declared it are marked, and Dolos gets everyone's own code with names and times."""

import csv
import io
import zipfile

import pytest

from autograder.batch.declared import mark_declared
from autograder.batch.dolos import write_dolos
from autograder.batch.roster import read_roster
from autograder.batch.similarity import few_tokens, look_alike
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
    nobody = "declared.csv row 2: nobody who submitted is called x@u.edu; an address or SID is expected"
    assert unknown == [nobody] * ("x@u.edu" in text.casefold())


@pytest.mark.parametrize(
    "text, declared, said",
    [
        ("email,with\nada lovelace,Cy Young\n", True, []),
        ('email,with\nada@u.edu,"Young, Cy"\n', True, []),
        ('email,with\nADA,"Di Prima; Young, Cy"\n', True, []),
        ("sid,with\n1,cy@u.edu Bo\n", True, []),
        ("sid,with\n1,3\n", True, []),
        ("email,with\nada@u.edu,Sam Lee\n", False, ["2 people who submitted are called lee sam"]),
        ("email,with\nada@u.edu,grace hamilton\n", False, ["nobody who submitted is called grace hamilton"]),
        ('email,with\nada@u.edu,"grace hamilton, cy"\n', True, ["nobody who submitted is called grace hamilton"]),
    ],
)
def test_a_name_or_a_netid_will_do_where_one_person_has_it(course, text, declared, said):
    people = [
        ("Ada Lovelace", "ada", 1),
        ("Bo", "bo", 2),
        ("Cy Young", "cy", "003"),
        ("Sam Lee", "s1", 4),
        ("Sam Lee", "s2", 5),
    ]
    lines = []
    for number, group in enumerate([people[:1], people[1:3], [("Di Prima", "di", 9)], people[3:4], people[4:]]):
        course.hand_in(f"submission_{number}", RIGHT)
        lines += [f"submission_{number}:", "  :submitters:"]
        lines += [f"  - :name: {name}\n    :email: {netid}@u.edu\n    :sid: '{sid}'" for name, netid, sid in group]
    course.metadata("\n".join(lines))
    (course.root / "declared.csv").write_text(text)
    pairs = [{"one": "submission_0", "other": "submission_1", "share": 1.0, "tokens": 99, "declared": False}]
    unknown = mark_declared(pairs, read_roster(course.root / "class", None, ("101", "102")), course.root / "declared.csv")
    assert unknown == [f"declared.csv row 2: {line}; an address or SID is expected" for line in said]
    assert pairs[0]["declared"] == declared


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


LONGER = RIGHT + "".join(f"\n\ndef own_{n}(values):\n    return [value + {n} for value in values if value]\n" for n in range(6))


def identical(course, sources: list[str]) -> list[tuple[str, str, float]]:
    pytest.importorskip("copydetect")
    for number, source in enumerate(sources):
        course.hand_in(f"s{number}", source)
    assignment = load_assignment(course.folder)
    roster = read_roster(course.root / "class", None, assignment.courses)
    pairs = look_alike(assignment, roster, course.root / "none", lambda *_: None)
    return [(pair["one"], pair["other"], pair["share"]) for pair in pairs]


def test_two_that_have_everything_letter_for_letter_are_a_pair_although_many_others_write_nearly_the_same(course):
    others = [LONGER.replace("values", f"given_{n}") for n in range(8)]
    assert identical(course, [*others, LONGER, LONGER]) == [("s8", "s9", 1.0)]


def test_what_many_have_letter_for_letter_or_is_short_makes_no_pair(course):
    assert identical(course, [LONGER] * 8) == []
    assert identical(course, ["def add(a, b):\n    return a + b\n"] * 2 + [LONGER] * 6) == []


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
