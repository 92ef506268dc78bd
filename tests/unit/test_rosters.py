"""Rosters and sheets in the shapes that Gradescope, Canvas, registrars and spreadsheet programs write."""

import re

import pytest

from autograder.batch.metadata import METADATA
from autograder.batch.roster import read_roster, without_course
from autograder.cli.classes import ROSTER
from autograder.core.errors import GraderError
from autograder.core.tables import COLUMNS, ROSTER_COLUMNS, courses_in, squeezed
from autograder.core.text import cell, uncell
from autograder.written.sheets import read_rows

COURSES = ("447", "517")
# first name, last name, sid, email, role, section
PEOPLE = [
    ("Ada", "Lovelace, Countess", "0071", "ada@u.edu", "Student", "CSE 447 A"),
    ("Gerard", "'t Hooft", "2", "gerard@u.edu", "Student", "CSE 517 B"),
    ("Zoë", "Åström", "3", "zoe@u.edu", "StudentEnrollment", "CSE447"),
    ("Tim", "Tutor", "9", "tim@u.edu", "TA", "CSE 447 A, CSE 517 B"),
]
WANTED = {"ada@u.edu": "447", "gerard@u.edu": "517", "zoe@u.edu": "447"}


def table(header, row, delimiter=",", end="\n", quote=False, people=PEOPLE):
    """Lines of text: the header, and ``row`` of each person, a list of cells."""
    lines = [header, *(row(*person) for person in people)]

    def text(value):
        return f'"{value}"' if quote or delimiter in value or (value and "\n" in value) else value

    return "".join(delimiter.join(map(text, line)) + end for line in lines)


FULL = ["First Name", "Last Name", "SID", "Email", "Role", "Sections"]


def full(*person):
    return list(person)


def named(first, last, sid, email, role, section):
    return [f"{first} {last}", sid, email, role, section]


SHAPES = {
    "Gradescope, roster": table(FULL, full),
    "Gradescope, roster of today, with CRLF": table(["Name", "SID", "Email", "Role", "Section(s)"], named, end="\r\n"),
    "Gradescope, a column for each section": table(
        [*FULL[:5], "Section 1", "Section 2"], lambda *p: [*p[:5], *[*p[5].split(", "), ""][:2]]
    ),
    "Gradescope, grades": table(
        ["First Name", "Last Name", "SID", "Email", "Sections", "Total Score", "Max Points", "Status", "Role"],
        lambda f, last, s, e, r, c: [f, last, s, e, c, "1.0", "2.0", "Graded", r],
    ),
    "Canvas, gradebook": "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Role,A2 (12)\n    Points Possible,,,,,,38\n"
    + table(
        ["Student, Test", "1", "", "x", "CSE 447 A", "", ""],
        lambda f, n, s, e, r, c: [f"{n}, {f}", "1", s, e, c, r, ""],
        quote=True,
    ),
    "a registrar": table(
        ["Course", "Section", "Student Number", "Surname", "Given Name", "E-mail", "Role"],
        lambda f, last, s, e, r, c: [c[:7], c[7:], s, last, f, e, r],
        people=[p if p[0] != "Zoë" else (*p[:5], "CSE 447 C") for p in PEOPLE],
    ),
    "Excel, semicolons": table(FULL, full, ";", "\r\n").encode("cp1252"),
    "Excel, CSV UTF-8": table(FULL, full, end="\r\n").encode("utf-8-sig"),
    "Excel, Unicode text": table(FULL, full, "\t", "\r\n").encode("utf-16"),
    "Excel, big-endian": b"\xfe\xff" + table(FULL, full, "\t", "\r\n").encode("utf-16-be"),
    "UTF-16 without its mark": table(FULL, full, ";").encode("utf-16-le"),
    "Excel, sep=": "sep=;\r\n" + table(FULL, full, ";", "\r\n"),
    "Excel, empty columns and rows at the end": table([*FULL, "", ""], lambda *p: [*p, "", ""]) + ",,,,,,,\n" * 3,
    "Excel for Mac, CR": table(FULL, full, ";", "\r").encode("cp1252"),
    "Google Sheets, CSV": table(FULL, full, end="\r\n"),
    "Google Sheets, TSV": table(FULL, full, "\t"),
    "a sheet that keeps zeros": table(FULL, lambda *p: [*p[:2], f'=""{p[2]}""', *p[3:]], quote=True),
    "Numbers, with the table's title": "Roster\n" + table(FULL, full),
    "Numbers, semicolons and a title": '"Roster: Winter"\n\n' + table(FULL, full, ";"),
    "LibreOffice, all quoted": table(FULL, full, quote=True),
    "numbers as fractions": table(FULL, lambda *p: [*p[:2], p[2].replace("2", "2.0").replace("3", "3.0"), *p[3:]]),
    "our own, escaped": table(FULL, lambda *p: [cell(text) for text in p]),
}


@pytest.fixture
def export(tmp_path):
    """A Gradescope export of the three students and, as happens, of a tutor who tried it."""
    lines = ["---"]
    for number, (first, last, sid, email, *_) in enumerate(PEOPLE):
        (tmp_path / "export" / f"submission_{number}").mkdir(parents=True)
        lines += [
            f"submission_{number}:",
            "  :submitters:",
            f'  - :name: "{first} {last}"',
            f"    :sid: '{sid}'",
            f"    :email: {email}",
        ]
    (tmp_path / "export" / METADATA).write_text("\n".join(lines))
    return tmp_path / "export"


def written(folder, data):
    path = folder / "roster.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_people_and_courses_without_the_teaching_staff(export, tmp_path, shape):
    path = written(tmp_path, SHAPES[shape])
    roster = read_roster(export, path, COURSES)
    assert {p.email: p.course for entry in roster.entries for p in entry.people} == WANTED
    assert not roster.absent and len(roster.notes) == 1 and roster.notes[0].endswith("was left out (1 TA)"), roster.notes
    rows, _ = read_rows(path, [], {})
    assert {row.who["email"]: courses_in(row.who["course"], COURSES) for row in rows if row.who["email"] in WANTED} == {
        email: [course] for email, course in WANTED.items()
    }
    assert {row.who["email"]: row.who["sid"].removesuffix(".0") for row in rows}["ada@u.edu"] == "0071"
    assert "'t Hooft" in next(row.who["name"] for row in rows if row.who["email"] == "gerard@u.edu")


@pytest.mark.parametrize(
    "data, says",
    [
        (b"PK\x03\x04...xl/workbook.xml", "a workbook (.xlsx), not CSV: export it as CSV"),
        (b"PK\x03\x04...word/document.xml", "a Word document (.docx), not CSV: export it as CSV"),
        (b"PK\x03\x04...roster.csv", "a zip archive, not CSV: export it as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "a workbook or document of an old Office (.xls, .doc), not CSV"),
        (b"\x89PNG\r\n", "a picture, not CSV"),
        (b"| name | email |\n|---|---|\n| Ada | ada@u.edu |\n", "a table in Markdown, not CSV"),
        (b'name,email\n"Ada,ada@u.edu\nBo,bo@u.edu\n', 'in row 2, a quote (") that begins a cell is never closed'),
        (b'name,email\nAda,ada@u.edu\n"Bo,bo@u.edu\nCy', 'in row 3, a quote (") that begins a cell is never closed'),
        (b"\xef\xbb\xbf\r\n<html><table>", "a web page or XML, not CSV"),
        (b"%PDF-1.7", "a PDF, not CSV"),
        (table(FULL, lambda *p: [*p[:2], "1.9E+06", *p[3:]]), "line 2: the SID 1.9E+06 was rounded by a spreadsheet program"),
        (table(FULL, lambda *p: [*p[:2], "1,9E+06", *p[3:]], ";"), "was rounded"),
        ("Email,E-mail\na,b\n", "two columns for email"),
        ("who,where\na,b\n", "is not a roster: its first line should name columns"),
        ("\n\n", "is empty"),
        ("Name|SID|Email\nAda|1|ada@u.edu\n", "has | between its columns: save it with commas, semicolons or tabs"),
    ],
)
def test_what_is_no_roster_is_refused_in_a_sentence(export, tmp_path, data, says):
    with pytest.raises(GraderError) as refusal:
        read_roster(export, written(tmp_path, data), COURSES)
    assert says in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text, courses",
    [
        ("447", ["447"]),
        ("CSE447", ["447"]),
        ("CSE 447A", ["447"]),
        ("cse-447-a; CSE 447 AB", ["447"]),
        ("CSE 447 A, CSE 517 B", ["447", "517"]),
        ("4470", []),
        ("14471", []),
        ("A", []),
        ("", []),
    ],
)
def test_a_cell_names_a_course_wherever_its_number_stands_alone(text, courses):
    assert sorted(courses_in(text, COURSES)) == courses


def test_a_longer_name_of_a_course_is_not_the_shorter_one():
    assert courses_in("CSE 447H A", ("447", "447H")) == ["447H"] and courses_in("Honors", ("H", "447")) == []


def test_who_has_no_course_is_said_with_names_before_anything_is_graded(export, tmp_path):
    sections = {"0071": "CSE 447 A", "2": "CSE 447 and 517", "3": ""}
    text = table(FULL, lambda *p: [*p[:5], sections.get(p[2], "")])
    roster = read_roster(export, written(tmp_path, text), COURSES)
    line = without_course(roster, COURSES, "517")
    assert line.startswith(
        "2 of 3 people have no course from a roster: Gerard 't Hooft, Zoë Åström. They are graded as course 517"
    )
    assert any("line 3: the course 'CSE 447 and 517' names 447 and 517: which of them?" in note for note in roster.notes)
    assert without_course(read_roster(export, None, COURSES), COURSES, "517").startswith(
        "nobody has a course from a roster. They"
    )
    assert without_course(roster, ("517",), "517") == ""


@pytest.mark.parametrize("other", ["x@u.edu,CSE 447 A", "x@u.edu,CSE 517 B", "x@u.edu,"])
def test_a_roster_of_another_class_is_said_to_be_one(export, tmp_path, other):
    roster = read_roster(export, written(tmp_path, f"Email,Section\n{other}\n"), COURSES)
    assert without_course(roster, COURSES, "517").startswith(
        "nobody who submitted is found in roster.csv by address or SID: is it this class's?"
    )


@pytest.mark.parametrize("text", ["'t Hooft", "=1+1", "'=1", "''=1", "'", "-5", "", "O'Neil", "\t=1", "'@x", "''t"])
def test_an_escaped_cell_reads_as_what_it_was(text):
    assert uncell(cell(text)) == text


def test_a_path_that_is_mistyped_leaves_the_person_the_submission_of_the_export_and_their_course(export, tmp_path):
    roster = read_roster(export, written(tmp_path, "Email,Section,Path\nada@u.edu,CSE 447 A,mail/ada\n"), COURSES)
    assert [p.course for entry in roster.entries for p in entry.people if p.email == "ada@u.edu"] == ["447"]
    assert not roster.absent and any(
        "line 2: ada <ada@u.edu>: the path mail/ada does not exist" in note for note in roster.notes
    )


@pytest.mark.parametrize("header, time", [("Submission Time", "2024-02-09 23:59 UTC"), ("Path 2", "")])
def test_a_roster_may_say_when_what_came_by_mail_was_handed_in(export, tmp_path, header, time):
    (tmp_path / "mailed.py").write_text("query121 = 0\n")
    text = f"Email,Path,{header}\nada@u.edu,mailed.py,2024-02-09 23:59 UTC\n"
    roster = read_roster(export, written(tmp_path, text), COURSES)
    assert [entry.created for entry in roster.entries if entry.id == "mailed.py"] == [time]


def test_a_row_that_is_about_two_people_gives_neither_its_course(export, tmp_path):
    text = "Name,SID,Email,Section\nAda,2,ada@u.edu,CSE 447 A\nGerard,0071,gerard@u.edu,CSE 517 A\n"
    roster = read_roster(export, written(tmp_path, text), COURSES)
    assert {p.course for entry in roster.entries for p in entry.people if p.email in ("ada@u.edu", "gerard@u.edu")} == {""}
    assert any("line 2: Ada <ada@u.edu, 2> and " in note and note.endswith(": whose is it?") for note in roster.notes)


def test_folders_that_the_metadata_does_not_name_are_told(export, tmp_path):
    text = (export / METADATA).read_text()
    (export / METADATA).write_text("".join(text.partition("\nsubmission_2")[:1]) + "\n")
    line = f"{METADATA} has no address and no SID for submission_2"
    assert any(note.startswith(line) for note in read_roster(export, None, COURSES).asked), text


def test_a_folder_that_is_missing_is_told_once_with_the_rosters_course(export, tmp_path):
    with open(export / METADATA, "a") as file:
        file.write("\nsubmission_99:\n  :submitters:\n  - :name: Gül\n    :email: gul@u.edu\n    :sid: '77'\n")
    roster = read_roster(export, written(tmp_path, "Name,Email,Section\nGül,gul@u.edu,CSE 447 A\n"), COURSES)
    [one] = [one for one in roster.absent if one.person.email == "gul@u.edu"]
    assert one.person.course == "447" and "there is no such folder" in one.why


def test_the_help_names_every_column_that_a_roster_may_have():
    named = {squeezed(title) for title in re.split(r"[,.()]|\bor\b|\bcolumns\b", ROSTER)}
    assert all(named & set(COLUMNS[kind]) for kind in ROSTER_COLUMNS), named
