"""In a class, who someone is comes from what staff or Gradescope wrote beside the submissions, never from inside one."""

import os
import zipfile

import pytest

from autograder.batch.metadata import read_metadata
from autograder.batch.outputs import safe_id
from autograder.batch.roster import read_roster
from support.memory import at_most
from support.toy_class import RIGHT, WRONG

COURSES = ("101", "102")
CLAIM = (
    ":submitters:\n- :name: victim\n  :email: ''\n- :name: bo\n  :email: bo@x.edu\n  :sid: '2'\n:created_at: 9999-01-01 00:00\n"
)
ROSTER = "name,email,sid,course,path\nvictim,v@x.edu,1,101,victim\nbo,bo@x.edu,2,102,bo\n"
# Everything that a roster reader could know by name, at any depth of a submission.
INSIDE = {
    "a record": {"submission_metadata.yml": CLAIM},
    "a record deeper down": {"a/b/submission_metadata.yml": CLAIM},
    "the container's metadata": {
        "submission_metadata.json": '{"users": [{"name": "victim", "email": "bo@x.edu", "sid": "2"}]}'
    },
    "a roster": {"roster.csv": ROSTER, "roster/roster.csv": ROSTER},
    "a nested export": {
        "assignment_1_export/submission_metadata.yml": "victim:\n  " + CLAIM.replace("\n", "\n  "),
        "assignment_1_export/victim/T1.py": WRONG,
    },
    "folders named after others": {"victim/T1.py": WRONG, "bo/T1.py": WRONG, "class/victim/T1.py": WRONG},
    "a store and results": {"store.sqlite": "x", "results/victim.json": "{}", ".autograder-made": ""},
}


@pytest.mark.many(of=15)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("inside", INSIDE.values(), ids=INSIDE)
def test_nothing_inside_a_submission_says_who_anyone_is(course, inside, packed):
    for name in ("victim", "bo"):
        course.hand_in(name, RIGHT)
    if packed:
        with zipfile.ZipFile(course.root / "class" / "zz_attacker.zip", "w") as archive:
            for name, content in {"T1.py": WRONG, **inside}.items():
                archive.writestr(name, content)
    else:
        attacker = course.hand_in("zz_attacker", WRONG)
        for name, content in inside.items():
            (attacker / name).parent.mkdir(parents=True, exist_ok=True)
            (attacker / name).write_text(content)
    summary = course.run()
    rows = {row["Name"]: (row["Submission ID"], row["Total Score"]) for row in course.rows()}
    assert rows.pop("victim") == ("victim", "7") and rows.pop("bo") == ("bo", "7")
    assert list(rows) == ["zz_attacker"] and not summary.problems


def test_the_only_submission_of_a_class_is_no_export(course):
    attacker = course.hand_in("submission_1", WRONG)
    (attacker / "submission_metadata.yml").write_text("victim:\n  " + CLAIM.replace("\n", "\n  "))
    (attacker / "victim").mkdir()
    (attacker / "victim" / "T1.py").write_text(WRONG)
    summary = course.run()
    assert [(row["Name"], row["Submission ID"]) for row in course.rows()] == [("submission_1", "submission_1")]
    inside = "is inside a submission and was not read; if it is an export's, grade that folder itself"
    assert any(inside in note for note in summary.notes)


def test_an_export_in_a_folder_of_its_own_is_still_found(course):
    course.hand_in("submission_1", RIGHT, "class/assignment_123_export")
    (course.root / "class" / "assignment_123_export" / "submission_metadata.yml").write_text(
        "submission_1:\n  " + CLAIM.replace("\n", "\n  ")
    )
    course.run()
    assert [row["Name"] for row in course.rows()] == ["bo", "victim"]


def test_the_exports_word_stands_against_a_submissions_own(course):
    for name in ("submission_1", "submission_2"):
        course.hand_in(name, RIGHT)
    (course.root / "class" / "submission_2" / "submission_metadata.yml").write_text(CLAIM)
    course.metadata("submission_1:\n  :submitters:\n  - :name: Bo\n    :email: bo@x.edu\n  :created_at: 2026-01-01 00:00\n")
    course.run()
    assert {row["Email"]: row["Submission ID"] for row in course.rows()} == {"bo@x.edu": "submission_1", "": "submission_2"}


def export(*records: tuple[str, str, list[dict]]) -> str:
    lines = []
    for name, created, people in records:
        lines += [f"{name}:", "  :submitters:"]
        for person in people:
            lines += [f"  {'-' if n == 0 else ' '} :{key}: '{value}'" for n, (key, value) in enumerate(person.items())]
        lines += [f"  :created_at: {created}"] if created else []
    return "\n".join(lines) + "\n"


BO, ADA = {"name": "Bo", "email": "bo@x.edu", "sid": "2"}, {"name": "Ada", "email": "ada@x.edu", "sid": "1"}
EARLY, LATE = "2026-10-01 12:00:00.000000000 Z", "2026-10-02 12:00:00.000000000 Z"
CLAIMS = {
    "another group, later": export(("s1", EARLY, [BO]), ("s2", LATE, [ADA, BO])),
    "the same time": export(("s1", EARLY, [BO]), ("s2", EARLY, [BO])),
    "no time": export(("s1", "", [BO]), ("s2", "", [BO])),
    "a time that is none": export(("s1", EARLY, [BO]), ("s2", "zzzz", [BO])),
    "the number alone": export(("s1", EARLY, [BO]), ("s2", LATE, [{"name": "X", "email": "x@x.edu", "sid": "2"}])),
    "the address in capitals": export(("s1", EARLY, [BO]), ("s2", LATE, [{"name": "X", "email": "BO@X.EDU", "sid": "9"}])),
    "a name that is another's address": export(("s1", EARLY, [BO]), ("s2", LATE, [{"name": "bo@x.edu"}])),
}


@pytest.mark.many(of=6)
@pytest.mark.parametrize("text", CLAIMS.values(), ids=CLAIMS)
def test_two_claims_to_one_person_are_told_and_neither_is_chosen(course, text):
    course.hand_in("s1", RIGHT)
    course.hand_in("s2", WRONG)
    course.metadata(text)
    summary = course.run()
    assert {id for id, problem in summary.problems if problem.startswith("not settled: s")} == {
        "s1",
        "s2",
    }
    contested = [row for row in course.rows() if row["Status"].startswith("not settled")]
    assert {(row["Submission ID"], row["Total Score"]) for row in contested} == {("s1", "7"), ("s2", "3")}
    assert all(row["Toy: two functions (autograded)"] == "" for row in course.rows("canvas.csv")[1:] if row["Student"] != "Ada")
    assert all(row["Total Score"] == "3" and row["Status"] == "graded" for row in course.rows() if row["Name"] == "Ada")


def test_the_roster_settles_a_claim(course):
    course.hand_in("s1", RIGHT)
    course.hand_in("s2", WRONG)
    course.metadata(CLAIMS["another group, later"])
    (course.root / "roster.csv").write_text("name,email,path\nBo,bo@x.edu,class/s1\n")
    summary = course.run(roster=course.root / "roster.csv")
    assert {row["Name"]: (row["Submission ID"], row["Total Score"]) for row in course.rows()} == {
        "Bo": ("s1", "7"),
        "Ada": ("s2", "3"),
    }
    assert summary.problems == [] and summary.notes == ["roster.csv, line 2: s1 counts for Bo, s2 does not"]


def test_files_of_one_name_are_two_claims(course):
    course.hand_in("ada", RIGHT)
    (course.root / "class" / "ada.py").write_text(WRONG)
    assert {id for id, _ in course.run().problems} == {"ada", "ada.py"}


def test_no_name_of_a_folder_gives_another_ones_results_file():
    crafted = safe_id("x y!")
    assert not any(safe_id(name).startswith(("-", ".")) for name in ("-eve", "--output", "._-x", "é-f", " -rf"))
    assert safe_id(crafted) != crafted and safe_id("anna") == "anna" and safe_id("submission_123") == "submission_123"


def test_a_submission_that_takes_anothers_id_takes_no_result(course):
    course.hand_in("x y!", RIGHT)
    course.hand_in(safe_id("x y!"), WRONG)
    course.run()
    assert {row["Name"]: row["Total Score"] for row in course.rows()} == {"x y!": "7", safe_id("x y!"): "3"}


BOMB = (
    "a: &a ["
    + ",".join(["x"] * 9)
    + "]\n"
    + "".join(f"{two}: &{two} [{','.join(['*' + one] * 9)}]\n" for one, two in zip("abcdefgh", "bcdefghi"))
)
UNREADABLE = {
    "aliases": (BOMB, "line 2: aliases, anchors and tags are not read"),
    "an alias for a name": ("s1:\n  :submitters:\n  - :name: &n Bo\n    :email: b\n", "line 3: aliases"),
    "a tag": (
        "s1:\n  :submitters:\n  - :name: !!python/object/apply:os.system [x]\n  :created_at: !!python/name:os.x x\n",
        "aliases",
    ),
    "a tagged person": ("s1:\n  :submitters:\n  - !!python/object:x.Y {name: Bo}\n", "line 3: aliases"),
    "a merge": ("base: {x: 1}\ns1:\n  <<: *b\n", "line 3: aliases"),
    "a record twice": ("s1: {}\ns1: {}\n", "s1 occurs twice"),
    "a list for a key": ("? [1, 2]\n: 3\n", "a name was expected"),
    "no end": ("s1:\n  :submitters: [[[[", "line "),
    "not text": ("\x01", ""),
}


@pytest.mark.parametrize("text, says", UNREADABLE.values(), ids=UNREADABLE)
def test_metadata_is_read_without_aliases_anchors_and_tags(tmp_path, text, says):
    (tmp_path / "submission_metadata.yml").write_text(text)
    notes = []
    assert read_metadata(tmp_path / "submission_metadata.yml", notes) == {}
    assert len(notes) == 1 and says in notes[0] and "names are taken from the folders" in notes[0]


@pytest.mark.many(of=3)
@pytest.mark.parametrize("text", [BOMB, "s1: " + "[" * 20_000 + "]" * 20_000, "s1:\n  :submitters:\n" + "  - {}\n" * 20_000])
def test_metadata_costs_what_its_bytes_cost(tmp_path, text):
    (tmp_path / "submission_metadata.yml").write_text(text)
    read_metadata(tmp_path / "submission_metadata.yml", [])
    with at_most((1 << 20) + 8 * len(text)):
        read_metadata(tmp_path / "submission_metadata.yml", [])


@pytest.mark.parametrize("kind", ["fifo", "folder", "loop", "device", "sparse"])
def test_metadata_that_is_no_ordinary_file_costs_the_names_only(tmp_path, kind):
    (tmp_path / "ada").mkdir()
    path = tmp_path / "submission_metadata.yml"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "sparse":
        path.touch()
        os.truncate(path, 8 << 30)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else path)
    roster = read_roster(tmp_path, None, COURSES)
    assert [entry.people[0].name for entry in roster.entries] == ["ada"] and "could not be read" in roster.notes[0]
