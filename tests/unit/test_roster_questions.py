"""What may be a mistake in a roster or an export is asked before anything is graded; no submission is lost in silence."""

import pytest

from autograder.batch.metadata import METADATA
from autograder.batch.roster import before_grading, read_roster
from autograder.core.errors import GraderError

COURSES = ("447", "517")
HEADER = "Name,Email,SID,Role,Section,Path,Submission Time\n"
ADA, BO, SAM = ("Ada L", "ada@u.edu", "1"), ("Bo", "bo@u.edu", "2"), ("Sam Lee", "s1@u.edu", "3")
TIME = "2024-02-09 20:14:05.000000000 -08:00"


@pytest.fixture
def read(tmp_path):
    """Reads a class of (name, email, sid) with a roster of these lines; ``gone``: numbers of folders that are missing."""

    def read(*lines, people=(ADA, BO, SAM), gone=(), time=TIME):
        text = ["---"]
        for number, (name, email, sid) in enumerate(people):
            if number not in gone:
                (tmp_path / "export" / f"submission_{number}").mkdir(parents=True, exist_ok=True)
            text += [f"submission_{number}:", "  :submitters:", f"  - :name: {name}", f"    :email: {email}"]
            text += [f"    :sid: '{sid}'", f"  :created_at: {time}"]
        (tmp_path / "export" / METADATA).write_text("\n".join(text))
        (tmp_path / "roster.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
        return read_roster(tmp_path / "export", tmp_path / "roster.csv", COURSES)

    return read


def course_of(roster, email):
    return [p.course for entry in roster.entries for p in entry.people if p.email == email]


REST = ("Bo,bo@u.edu,2,Student,517,,", "Sam Lee,s1@u.edu,3,Student,517,,")


@pytest.mark.parametrize(
    "lines",
    [
        ("Ada L,ada@u.edu,1,Student,447,,", "Ada L,ada@u.edu,1,Student,517,,"),
        ("Ada L,ada@u.edu,1,Student,517,,", "Ada L,ADA@u.edu,,Student,CSE 447 A,,"),
        ("Ada L,ada@u.edu,,Student,447,,", "L. Ada,,1,Student,CSE 517 B,,"),  # only the export says that they are one
        ("Ada L,ada@u.edu,1,Student,447,export/submission_0,", "Ada L,,1,,517,,"),
    ],
    ids=["both", "address", "address and number", "path"],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_one_person_on_two_rows_with_two_courses_is_asked_about_and_has_none(read, lines, turn):
    roster = read(*lines[::turn], *REST)
    assert course_of(roster, "ada@u.edu") == [""] or course_of(roster, "") == [""]
    said = before_grading(roster, COURSES, "517")
    assert len(said) == 2 and "roster.csv, lines 2 and 3: " in said[0] and " is in 447 and 517: which of them?" in said[0]
    assert "have no course from a roster" in said[1]


@pytest.mark.parametrize(
    "second", ["Ada L,ada@u.edu,1,Student,447,,", "Ada L,ada@u.edu,1,Student,CSE 447 AB,,", "Ada L,ada@u.edu,,,,,"]
)
def test_two_rows_that_agree_are_nothing_to_ask(read, second):
    for lines in (("Ada L,ada@u.edu,1,Student,447,,", second), (second, "Ada L,ada@u.edu,1,Student,447,,")):
        roster = read(*lines, *REST)
        assert course_of(roster, "ada@u.edu") == ["447"] and not before_grading(roster, COURSES, "517")


@pytest.mark.parametrize("role", ["TA", "Instructor", "Dropped", "Observer"])
def test_whose_submission_is_left_out_for_their_role_is_named_with_it(read, role):
    roster = read(f"Ada L,ada@u.edu,1,{role},447,,", f"Tim,tim@u.edu,9,{role},447,,", *REST)
    [line] = before_grading(roster, COURSES, "517")
    assert line.startswith(f"roster.csv, line 2: Ada L is {role} there, so submission_0 is left out")
    assert [entry.id for entry in roster.entries] == ["submission_1", "submission_2"]
    [line, _] = before_grading(read(f"Tim,tim@u.edu,9,{role},447,mail/tim.py,", *REST, people=(BO, ADA, SAM)), COURSES, "517")
    assert line.startswith(f"roster.csv, line 2: Tim is {role} there, so mail/tim.py is left out")


@pytest.mark.parametrize("role", ["Studnet", "Studen", "Sudent", "STUDANT"])
def test_a_role_one_letter_from_student_is_a_students_and_asked_about(read, role):
    roster = read(f"Ada L,ada@u.edu,1,{role},447,,", *REST)
    assert before_grading(roster, COURSES, "517") == [f"roster.csv, line 2: is the role {role!r} Student? It is taken for it"]
    assert course_of(roster, "ada@u.edu") == ["447"]


@pytest.mark.parametrize(
    "student, teacher",
    [("ada@u.edu,1", "ada@u.edu,1"), ("ada@u.edu,", "ada@u.edu,1"), ("ada@u.edu,", ",1")],
)
@pytest.mark.parametrize("turn", [1, -1])
def test_a_student_who_is_also_staff_is_graded_and_asked_about(read, student, teacher, turn):
    rows = (f"Ada L,{student},Student,447,,", f'Ada L,{teacher},TA,"447, 517",,')
    roster = read(*rows[::turn], *REST)
    assert course_of(roster, "ada@u.edu") == ["447"]
    [line] = before_grading(roster, COURSES, "517")
    assert line.startswith("roster.csv, lines 2 and 3: Ada L is ") and "Student" in line and "TA" in line


def test_a_folder_that_is_missing_is_not_nothing_submitted(read):
    lines = ("Ada L,ada@u.edu,1,Student,447,,", "Cy,cy@u.edu,5,Student,447,mail/cy,", "Di,di@u.edu,6,,447,,", *REST)
    roster = read(*lines, gone=[0])
    assert [(one.person.label, one.missing) for one in roster.absent] == [
        ("Ada L", "submission_0"),
        ("Cy", "mail/cy"),
        ("Di", ""),
    ]
    assert "not submitted" not in roster.absent[0].why + roster.absent[1].why, "finalise would take it for a zero"
    assert not read("Ada L,ada@u.edu,1,Student,447,export/submission_1,", *REST, gone=[0]).absent, "what came by mail counts"
    assert not read("Ada L,ada@u.edu,1,TA,447,,", *REST, gone=[0]).absent


@pytest.mark.parametrize("time", ["2024-02-09 20:14:05", "2/9/2024 20:14", "2024-02-09 20:14 PST", "yesterday"])
def test_a_time_that_nobody_can_place_is_told_where_it_is_read(read, time):
    [line] = before_grading(read(f"Ada L,ada@u.edu,1,,447,export/submission_0,{time}", *REST), COURSES, "517")
    assert line.startswith(f"roster.csv, line 2: the time of submission {time!r}") and "time zone" in line
    lines = before_grading(read("Ada L,ada@u.edu,1,,447,,", *REST, time=time), COURSES, "517")
    assert len(lines) == 3 and lines[0].startswith(f"submission_0: the time of submission {time!r}")


def test_who_hands_in_after_a_change_of_the_clock_is_later_by_the_moment_and_not_by_the_digits(read, tmp_path):
    roster = read("Ada L,ada@u.edu,1,,447,,", people=(ADA, ADA))
    text = (tmp_path / "export" / METADATA).read_text()
    (tmp_path / "export" / METADATA).write_text(text.replace(TIME, "2024-02-10 04:00:00 Z", 1))
    roster = read_roster(tmp_path / "export", None, COURSES)
    assert [entry.id for entry in roster.entries] == ["submission_1"], roster.notes


def test_a_path_to_what_the_export_says_is_somebody_elses_is_asked_about(read):
    roster = read("Ada L,ada@u.edu,1,,447,export/submission_1,", *REST)
    said = before_grading(roster, COURSES, "517")
    assert said == [f"roster.csv, line 2: submission_1 is Bo's by {METADATA}: is it Ada L's, too?"]
    both = ("Ada L,ada@u.edu,1,,447,export/submission_0,", "Di,di@u.edu,8,,517,export/submission_0,")
    for rows in (both, both[::-1]):
        assert not before_grading(read(*rows, *REST), COURSES, "517"), "the roster says that they share it"


def test_two_people_of_one_name_are_told_apart_by_their_addresses(read):
    people = (ADA, SAM, ("Sam Lee", "s2@u.edu", "4"), ("Sam Lee", "s2@u.edu", "4"))
    roster = read("Ada L,ada@u.edu,1,,447,,", people=people)
    assert any(note.startswith("not settled") or "Sam Lee <s2@u.edu>" in note for note in roster.notes + _contested(roster))
    assert not any("Ada L <" in note for note in roster.notes)


def _contested(roster):
    return [person.contested for entry in roster.entries for person in entry.people]


def test_who_submitted_under_another_address_than_the_rosters_is_asked_about(read):
    roster = read('"L, Ada",new@u.edu,77,Student,447,,', *REST)
    said = before_grading(roster, COURSES, "517")
    assert said[0] == "one person? Ada L <ada@u.edu> of submission_0 is not in roster.csv, where L, Ada <new@u.edu> has nothing"


def test_a_roster_alone_without_paths_says_so(tmp_path):
    (tmp_path / "roster.csv").write_text("Name,Email,Section\nAda,ada@u.edu,447\n")
    with pytest.raises(GraderError, match=r"roster.csv has no column path.*--roster roster.csv"):
        read_roster(tmp_path / "roster.csv", None, COURSES)


def test_a_roster_that_ends_in_the_middle_of_a_line_is_asked_about(read, tmp_path):
    read("Ada L,ada@u.edu,1,Student,447,,", *REST)
    text = (tmp_path / "roster.csv").read_text()
    (tmp_path / "roster.csv").write_text(text[: text.rindex("Student")])
    roster = read_roster(tmp_path / "export", tmp_path / "roster.csv", COURSES)
    assert "roster.csv, line 4, has fewer cells than the header, and no end: is the file cut off?" in roster.asked
