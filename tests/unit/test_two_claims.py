"""Who has two submissions, or stands in two rows, keeps what is theirs: nothing of anybody else's changes by it."""

import shutil

import pytest

from autograder.batch.gradebook import Gradebook, Sheet
from autograder.batch.metadata import METADATA
from autograder.batch.roster import before_grading, is_folder, read_roster
from autograder.core.errors import GraderError
from support.grades import ASSIGNMENT

COURSES = ("447", "517")
HEADER = "Name,Email,SID,Role,Section,Path,Submission Time\n"
ADA, BO, SAM = ("Ada L", "ada@u.edu", "1"), ("Bo", "bo@u.edu", "2"), ("Sam Lee", "s1@u.edu", "3")
ROWS = ("Ada L,ada@u.edu,1,Student,447,,", "Bo,bo@u.edu,2,Student,517,,", "Sam Lee,s1@u.edu,3,Student,517,,")
TIME, LATER = "2024-02-09 20:14:05.000000000 -08:00", "2024-02-12 09:00 -08:00"


@pytest.fixture
def read(tmp_path):
    """Reads an export of groups of (name, email, sid) with a roster of these lines; ``gone``: folders that are missing."""

    def read(*lines, groups=((ADA,), (BO,), (SAM,)), gone=()):
        text = ["---"]
        for number, people in enumerate(groups):
            folder = tmp_path / "export" / f"submission_{number}"
            folder.mkdir(parents=True, exist_ok=True)
            if number in gone:
                shutil.rmtree(folder)
            text += [f"submission_{number}:", "  :submitters:"]
            for name, email, sid in people:
                text += [f"  - :name: {name}", f"    :email: {email}", f"    :sid: '{sid}'"]
            text += [f"  :created_at: {TIME}"]
        (tmp_path / "export" / METADATA).write_text("\n".join(text))
        (tmp_path / "roster.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
        return read_roster(tmp_path / "export", tmp_path / "roster.csv" if lines else None, COURSES)

    return read


def people(roster):
    return [(entry.id, p.email, p.course) for entry in roster.entries for p in entry.people]


@pytest.mark.parametrize("gone, kept", [(0, 3), (3, 0)])
@pytest.mark.parametrize("lines", [ROWS, ()])
def test_after_the_wrong_one_of_two_was_moved_away_the_other_one_is_all_there_is_of_that_person(read, lines, gone, kept):
    groups = ((ADA, SAM), (BO,), (SAM,), (ADA,))
    assert any(p.contested for entry in read(*lines, groups=groups).entries for p in entry.people)
    roster = read(*lines, groups=groups, gone=[gone])
    assert not roster.absent and [who[:2] for who in people(roster)].count((f"submission_{kept}", "ada@u.edu")) == 1
    said = before_grading(roster, COURSES, "517")
    assert f"submission_{gone} is in {METADATA} and not in the folder; submission_{kept} is Ada L's" in said[0]
    assert said[0].endswith("was the wrong one moved away? If not, export the submissions again")
    assert not any("no course" in line for line in said) or not lines


def test_whoever_of_a_missing_groups_folder_has_nothing_else_is_still_missing(read):
    roster = read(*ROWS, groups=((ADA, BO), (ADA,), (SAM,)), gone=[0])
    assert [(one.person.label, one.missing) for one in roster.absent] == [("Bo", "submission_0")]
    other = ("Ada L", "ada@u.edu", "9")
    assert len(read(groups=((ADA,), (other,), (SAM,)), gone=[0]).absent) == 1, "with another number it may be somebody else"


def times(roster):
    book = Gradebook(ASSIGNMENT, "517")
    for entry in roster.entries:
        book.add(Sheet(entry.id, entry.people, created=entry.created))
    return {row.person.email: row.created for row in book.rows}


@pytest.mark.parametrize(
    "lines, groups, late",
    [
        ((f"Ada L,ada@u.edu,1,,447,export/submission_1,{LATER}",), ((SAM,), (BO,)), ["ada@u.edu"]),
        ((f"Ada L,ada@u.edu,1,,447,export/submission_1,{LATER}", *ROWS[1:]), ((ADA,), (BO,)), ["ada@u.edu"]),
        ((f"Ada L,ada@u.edu,1,,447,export/submission_0,{LATER}",), ((ADA, BO), (SAM,)), ["ada@u.edu"]),
        ((f"Ada L,ada@u.edu,1,,447,export/submission_0,{LATER}",), ((ADA,), (BO,)), ["ada@u.edu"]),
    ],
    ids=["of another", "of another, who has one", "of a group", "of one"],
)
def test_a_time_in_the_roster_is_that_persons_alone(read, lines, groups, late):
    found = times(read(*lines, groups=groups))
    assert [email for email, time in found.items() if time == LATER] == late
    assert all(time in (TIME, LATER) for time in found.values()) and "bo@u.edu" in found


def test_two_who_share_what_came_by_mail_have_a_time_each(read, tmp_path):
    (tmp_path / "pair.py").write_text("")
    roster = read(f"Ada L,ada@u.edu,1,,447,pair.py,{TIME}", f"Bo,bo@u.edu,2,,447,pair.py,{LATER}", groups=((SAM,),))
    assert times(roster) == {"ada@u.edu": TIME, "bo@u.edu": LATER, "s1@u.edu": TIME}


@pytest.mark.parametrize("role", ["TA", "Instructor"])
@pytest.mark.parametrize("who", ["Nik Hopper,nh@u.edu,1", "Nik Hopper,ada@u.edu,77", "Ada Hopper,nh@u.edu,1"])
def test_a_row_of_staff_that_may_be_about_somebody_else_takes_no_student_out(read, role, who):
    lines = (f"{who},{role},447,,", *ROWS)
    for rows in (lines, lines[::-1]):
        roster = read(*rows)
        assert ("submission_0", "ada@u.edu", "447") in people(roster)
        said = " ".join(before_grading(roster, COURSES, "517"))
        assert f"is {role} there, and Ada L <ada@u.edu> of submission_0 has the same " in said
        assert said.count("is it one person? submission_0 is graded") == 1


@pytest.mark.parametrize("who", ["Nik Hopper,ada@u.edu,1", "Ada L,ada@u.edu,", "Ada L,ada,01", "Ada L,new@u.edu,1"])
def test_a_row_of_staff_that_is_theirs_takes_them_out_whatever_changed(read, who):
    roster = read(f"{who},TA,447,,", *ROWS[1:])
    assert "ada@u.edu" not in [email for _, email, _ in people(roster)]
    assert any("is TA there, so submission_0 is left out" in line for line in roster.asked)


def test_a_path_that_does_not_exist_is_told_with_its_line_and_person(read):
    roster = read("Ada L,ada@u.edu,1,,447,mail/adal,", *ROWS[1:])
    said = (
        "roster.csv, line 2: Ada L <ada@u.edu>: the path mail/adal does not exist (paths in a roster start at its own folder)"
    )
    assert said in roster.notes


@pytest.mark.parametrize("name", ["exprot", "classes/a2", "roster2.csv"])
def test_a_mistyped_folder_does_not_exist(tmp_path, name):
    with pytest.raises(GraderError, match=f"^there is no .*{name}: expected a folder of submissions or a roster CSV$"):
        is_folder(tmp_path / name)


@pytest.mark.parametrize("turn", [1, -1])
def test_who_shares_what_came_by_mail_and_has_no_time_in_the_roster_gets_no_others_time(read, tmp_path, turn):
    (tmp_path / "pair.py").write_text("")
    rows = (f"Ada L,ada@u.edu,1,,447,pair.py,{LATER}", "Bo,bo@u.edu,2,,447,pair.py,")
    assert times(read(*rows[::turn], groups=((SAM,),))) == {"ada@u.edu": LATER, "bo@u.edu": "", "s1@u.edu": TIME}


@pytest.mark.parametrize("time", [LATER, "yesterday", "2024-02-12 09:00"])
def test_a_time_that_counts_for_nothing_is_asked_about(read, time):
    roster = read(ROWS[0] + time, *ROWS[1:])
    [line] = before_grading(roster, COURSES, "517")
    assert line.startswith(f"roster.csv, line 2: the time of submission {time!r} has no path beside it, so it does not count")
    assert times(roster)["ada@u.edu"] == TIME and "is it meant?" in line
    assert not before_grading(read(ROWS[0] + "2024-02-09 20:14:05 -0800", *ROWS[1:]), COURSES, "517"), "Gradescope's own"
