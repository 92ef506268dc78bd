"""Rosters that write an address or a number otherwise than the export: netids, numbers without zeros, changed addresses."""

import pytest

from autograder.batch.metadata import METADATA
from autograder.batch.roster import before_grading, read_roster
from autograder.core.errors import GraderError

COURSES = ("447", "517")
ADA, BO, SAM, DI = (
    ("Ada L", "ada@u.edu", "0000037"),
    ("Bo", "bo@u.edu", "0000002"),
    ("Sam Lee", "s1@u.edu", "1840001"),
    ("Di", "di@u.edu", "0000411"),
)
WANTED = {"ada@u.edu": "447", "bo@u.edu": "517", "s1@u.edu": "447", "di@u.edu": "447"}


@pytest.fixture
def read(tmp_path):
    def read(text, people=(ADA, BO, SAM, DI)):
        lines = ["---"]
        for number, (name, email, sid) in enumerate(people):
            (tmp_path / "export" / f"submission_{number}").mkdir(parents=True, exist_ok=True)
            lines += [f"submission_{number}:", "  :submitters:", f"  - :name: {name}"]
            lines += [f"    :email: {email}"] * bool(email) + [f"    :sid: '{sid}'"] * bool(sid)
        (tmp_path / "export" / METADATA).write_text("\n".join(lines))
        (tmp_path / "roster.csv").write_text(text)
        return read_roster(tmp_path / "export", tmp_path / "roster.csv", COURSES)

    return read


def courses(roster):
    return {p.email or p.sid: p.course for entry in roster.entries for p in entry.people}


def said(roster):
    return before_grading(roster, COURSES, "517")


@pytest.mark.parametrize(
    "text",
    [
        (
            "Student,ID,SIS User ID,SIS Login ID,Section,A2 (1)\n    Points Possible,,,,,10\n"
            "Ada L,1,0000037,ada,CSE 447 A,1\nBo,2,0000002,bo,CSE 517 A,1\nSam,3,1840001,s1,447,\nDi,4,0000411,DI,CSE 447 A,\n"
        ),
        'Student,ID,SIS Login ID,Section\n"L, Ada",1,ada,447\nBo,2,bo,517\nSam,3,S1,447\nDi,4,di,447\n',
        "Name,SIS User ID,SIS Login ID,Section\nAda,,ada,447\nBo,0000002,bo,517\nSam,1840001,,447\nDi,0000411,di@u.edu,447\n",
    ],
    ids=["Canvas", "Canvas without numbers", "mixed"],
)
def test_netids_and_numbers_find_everyone_without_a_word(read, text):
    roster = read(text)
    assert courses(roster) == WANTED and not said(roster) and not roster.absent and not roster.notes


def test_two_people_of_one_netid_are_told_apart_by_the_number_or_asked_about(read):
    people = (("Ada L", "ada@u.edu", "1"), ("Ada K", "ada@uw.edu", "2"))
    head = "Name,SIS User ID,SIS Login ID,Section\n"
    roster = read(f"{head}A,1,ada,447\nA,2,ada,517\n", people)
    assert courses(roster) == {"ada@u.edu": "447", "ada@uw.edu": "517"} and not said(roster)
    roster = read(f"{head}A,,ada,447\n", people)
    assert set(courses(roster).values()) == {""}
    assert (
        said(roster)[0]
        == "roster.csv, line 2: A <ada> may be Ada L <ada@u.edu, 1> or Ada K <ada@uw.edu, 2> of the export: who is it?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "Name,Email,SID,Section\nAda L,ada@u.edu,37,447\nBo,bo@u.edu,2,517\nSam,s1@u.edu,1840001,447\nDi,di@u.edu,411,447\n",
        "Name,SID,Section\nAda L,37,447\nBo,2,517\nSam,1840001,447\nDi,411,447\n",
        "Name,SIS Login ID,SID,Section\nAda L,ada,37,447\nBo,,2,517\nSam,s1,1840001,447\nDi,di,411.0,447\n",
    ],
    ids=["beside addresses", "alone", "beside netids"],
)
def test_leading_zeros_that_a_spreadsheet_dropped_are_one_line(read, text):
    roster = read(text)
    assert courses(roster) == WANTED and not roster.notes
    assert said(roster) == [
        (
            "roster.csv: 3 SIDs differ from the export's in leading zeros only (37 for 0000037), which spreadsheet "
            "programs drop: taken for the same"
        )
    ]


def test_a_number_that_two_people_have_but_for_its_zeros_is_nobodys(read):
    people = (("Ada L", "", "037"), ("Bo", "", "0037"))
    roster = read("Name,SID,Section\nA,37,447\n", people)
    assert set(courses(roster).values()) == {""} and "who is it?" in said(roster)[0]
    roster = read("Name,SID,Section\nA,037,447\nB,0037,517\n", people)
    assert courses(roster) == {"037": "447", "0037": "517"} and not said(roster)


REST = "Bo,bo@u.edu,0000002,517\nSam Lee,s1@u.edu,1840001,447\nDi,di@u.edu,0000411,447\n"


@pytest.mark.parametrize(
    "row, what", [("Ada Love,new@u.edu,0000037", "another address, new@u.edu"), ("L,ada@u.edu,999", "another SID, 999")]
)
def test_one_changed_identifier_is_asked_about_and_the_other_decides(read, row, what):
    roster = read(f"Name,Email,SID,Section\n{row},447\n{REST}")
    assert courses(roster) == WANTED and not roster.notes and not roster.absent
    [line] = said(roster)
    assert line.startswith("roster.csv, line 2: Ada L <ada@u.edu, 0000037> of the export has the same") and what in line


@pytest.mark.parametrize(
    "row",
    [
        "Eve Stone,eve@u.edu,0000037,447",  # another name: her number may be mistyped
        "Ada L,ada@u.edu,0000002,447",  # somebody else's number
        "Ada L,bo@u.edu,0000037,447",
        "Ada L,eve@u.edu,0000037,447\nAda K,ada@u.edu,,447",  # the address is on another row
        "Ada L,ada@u.edu,555,447\nEve,eve@u.edu,555,517",
        "Ada L,bo,37,447",
        "Ada L,ada,2,447",
    ],
)
def test_where_something_speaks_for_somebody_else_nobody_is_taken_for_another_in_silence(read, row):
    roster = read(f"Name,Email,SID,Section\n{row}\n{REST}")
    known = courses(roster)
    assert known["ada@u.edu"] == "" or "Ada K" in row
    assert any("whose is" in line or "who is it" in line for line in [*said(roster), *roster.notes])
    assert not any("in a roster" in line for line in said(roster))


def test_staff_by_netid_are_left_out(read):
    roster = read("Name,SIS Login ID,Role,Section\nAda L,ada,TA,447\nBo,bo,Student,517\nSam,s1,,447\nDi,di,,447\n")
    assert "ada@u.edu" not in courses(roster) and "Ada L is TA there" in said(roster)[0]


@pytest.mark.parametrize(
    "text, unread",
    [
        (
            "Vorname,Nachname,Matrikelnummer,E-Mail,Rolle,Kurs\nAda,L,0000037,ada@u.edu,Student,CSE 447\n",
            "course, role, and nothing reads Vorname, Nachname, Matrikelnummer, Rolle, Kurs",
        ),
        ("Nombre,Matrícula,Grupo\nAda,0000037,447\n", None),
        ("Name,Matrícula,Section,Role\nAda L,0000037,447,\n", "email or sid, and nothing reads Matrícula"),
        ("Email,Groupe\nada@u.edu,447\n", "course, role, and nothing reads Groupe"),
    ],
)
def test_headers_that_nothing_reads_are_named_where_a_roster_lacks_what_it_needs(read, text, unread):
    if unread is None:
        with pytest.raises(GraderError, match=r"is not a roster: .*, and has Nombre, Matrícula, Grupo"):
            read(text)
    else:
        assert said(read(text))[0] == f"roster.csv has no column {unread}: is one of these meant, under another title?"


@pytest.mark.parametrize(
    "text",
    [
        "Email,SID,Section,Phone,Photo\nada@u.edu,0000037,447,1,2\n",
        "Name,SID,Section,2024,1: 2.1 (2.0 pts)\nAda,0000037,447,x,y\n",
        "Name,Email,Submission ID\nAda,ada@u.edu,\n",
    ],
)
def test_other_columns_beside_all_that_a_roster_needs_are_passed_over(read, text):
    assert not any("nothing reads" in line for line in said(read(text)))


@pytest.mark.parametrize(
    "text, data",
    [
        ("Ada,L,0000037,ada@u.edu,Student,CSE 447 A\nBo,M,0000002,bo@u.edu,Student,CSE 517\n", "ada@u.edu"),
        ("Tim,T,0000009,tim@u.edu,TA,CSE 447 A\nBo,M,0000002,bo@u.edu,Student,CSE 517\n", "tim@u.edu"),
        ("Ada,0000037,Student,447\nBo,0000002,Student,517\n", "0000037"),
        ("ada@u.edu;447\nbo@u.edu;517\n", "ada@u.edu"),
        ("0000037\n0000002\n", "0000037"),
    ],
)
def test_a_roster_without_a_header_row_is_refused_as_that(read, text, data):
    with pytest.raises(GraderError, match=f"roster.csv has no header row: its first line has {data}"):
        read(text)
