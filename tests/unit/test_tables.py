"""The CSV reader: it reads what spreadsheets, registrars and Gradescope save, and refuses a misspelt header."""

import re

import pytest

from autograder.batch.roster import read_roster
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.tables import read_table
from autograder.written.sheets import read_rows

HEADER, ADA, BO = (
    ["Name", "E-Mail", "SID", "Course", "Path"],
    ["Ädä, the First", "ada@x.edu", "007", "101", "ada"],
    ["Bo", "bo@x.edu", "8", "101 B", "bo"],
)


def line(cells, delimiter):
    return delimiter.join(f'"{cell}"' if delimiter in cell or "," in cell else cell for cell in cells)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_roster_is_read_whatever_program_saved_it(tmp_path, delimiter, end, encoding):
    for name in ("ada", "bo"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "T1.py").write_text("x = 1\n")
    path = tmp_path / "roster.csv"
    path.write_bytes((end.join(line(row, delimiter) for row in (HEADER, ADA, BO)) + end).encode(encoding))
    roster = read_roster(path, None, ("101", "102"))
    assert [(p.name, p.email, p.sid, p.course) for e in roster.entries for p in e.people] == [
        ("Ädä, the First", "ada@x.edu", "007", "101"),
        ("Bo", "bo@x.edu", "8", "101"),
    ]
    assert not roster.notes and not roster.absent


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["Ada Lovelace", "Zoë", "张伟", "Анна Каренина", "佐藤 花子"])
def test_a_table_in_utf_16_without_its_mark_is_read_whatever_the_names_are_written_in(tmp_path, name, coding):
    rows = "".join(f"{name};a{number}@x.edu;{number}\r\n" for number in range(100))
    (tmp_path / "t.csv").write_bytes(f"Name;Email;SID\r\n{rows}".encode(coding))
    table = read_table(tmp_path / "t.csv")
    assert table.header == ["Name", "Email", "SID"] and {row[0] for _, row in table.rows} == {name}


@pytest.mark.parametrize("place", [0, 12, 150, 5000])
def test_a_stray_nul_is_said_to_be_one_and_makes_no_utf_16_of_the_rest(tmp_path, place):
    text = "Name,Email\n" + "Ada,ada@x.edu\n" * 600
    (tmp_path / "t.csv").write_bytes((text[:place] + "\0" + text[place:]).encode())
    with pytest.raises(GraderError, match=r"^t\.csv has NUL bytes, which no CSV has: export it as CSV"):
        read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "header, where",
    [
        ("First Name,Last Name,SID,Email,Role,Sections", {"first": 0, "last": 1, "sid": 2, "email": 3, "course": 5}),
        ("Student;ID;SIS User ID;SIS Login ID;Section", {"name": 0, "sid": 2, "email": 3, "course": 4}),
        ("student_name\temail_address\tstudent id", {"name": 0, "email": 1, "sid": 2}),
        ("Submission ID,Name,Email,Lateness (H:M:S)", {"name": 1, "email": 2, "lateness": 3, "path": -1}),
    ],
)
def test_columns_are_found_by_their_usual_names(tmp_path, header, where):
    (tmp_path / "t.csv").write_text(header + "\n")
    table = read_table(tmp_path / "t.csv")
    assert {kind: table.column(kind) for kind in where} == where


@pytest.mark.parametrize("above", ["A2 of CSE 447", ",,Part 1,,Part 2", "Who;;Part 1;", "\n,,Part 1,", "Autumn\n,,Part 1,"])
def test_titles_and_groups_of_columns_above_the_header_are_passed_over(tmp_path, above):
    delimiter = ";" if ";" in above else ","
    rows = (["Name", "Email", "1.2.1", "1.2.2"], ["Ada", "ada@x.edu", "3", "2"])
    (tmp_path / "t.csv").write_text("\n".join([above, *(line(row, delimiter) for row in rows)]) + "\n")
    table = read_table(tmp_path / "t.csv")
    assert [table.header, *(cells for _, cells in table.rows)] == list(rows)


def test_a_cell_may_hold_line_breaks_and_rows_are_numbered_as_in_spreadsheets(tmp_path):
    (tmp_path / "t.csv").write_text('name,sid\n"Ada\nLovelace",1\nBo,2\n')
    assert read_table(tmp_path / "t.csv").rows == [(2, ["Ada\nLovelace", "1"]), (3, ["Bo", "2"])]


@pytest.mark.parametrize("data, says", [(b"", "is empty"), (None, "cannot read"), (b"Email,email\n", "two columns for email")])
def test_a_file_that_is_no_table_is_a_one_line_error(tmp_path, data, says):
    path = tmp_path / "t.csv"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(GraderError, match=says) as refusal:
        read_table(path).column("email")
    assert "\n" not in str(refusal.value)


@pytest.fixture(scope="module")
def ids(pytestconfig):
    return [item.id for item in load_assignment(pytestconfig.rootpath / "assignment").written.items]


@pytest.mark.parametrize(
    "wrong, meant",
    [("1.2.1.rationle", "1.2.1.rationale"), ("3.Q5,1", "3.Q5.1"), ("3.q51", "3.Q5.1"), ("2.2.setups", "2.2.setup")],
)
def test_a_misspelt_item_is_refused_with_the_nearest_one(tmp_path, ids, wrong, meant):
    assert meant in ids
    header = ["email", *(f'"{wrong}"' if id == meant else id for id in ids), "comment"]
    (tmp_path / "manual.csv").write_text(",".join(header) + "\n")
    with pytest.raises(GraderError, match=re.escape(f"no item {wrong!r}; did you mean {meant!r}?")):
        read_rows(tmp_path / "manual.csv", ids, {})


def test_unknown_columns_are_ignored(tmp_path, ids):
    (tmp_path / "manual.csv").write_text(
        "Email,Max Points,View Count,Submission Time," + ",".join(ids) + "\na@x,1,2,3" + ",full" * len(ids) + "\n"
    )
    rows, notes = read_rows(tmp_path / "manual.csv", ids, {})
    assert not notes and rows[0].scores[ids[0]] == "full"


@pytest.mark.parametrize(
    "text, cut",
    [
        ("Name,Email,SID\nAda,a@x,1\nBo,b@", True),
        ("Name,Email,SID\r\nAda,a@x,1\r\nBo", True),
        ("Name;Email;SID\nAda;a@x;1\nBo;b@x;2", False),  # Google Sheets ends no file
        ("Name,Email,SID\nAda,a@x,1\nBo,b@x\n", False),
        ("Name,Email,SID", False),
    ],
)
def test_a_file_that_ends_in_the_middle_of_a_row_is_told_from_one_without_a_last_line_end(tmp_path, text, cut):
    (tmp_path / "t.csv").write_text(text, newline="")
    assert bool(read_table(tmp_path / "t.csv").cut_off) == cut
