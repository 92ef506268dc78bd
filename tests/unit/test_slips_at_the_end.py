"""What staff may get wrong when a class is closed: the wrong output, half a sheet, cells that a spreadsheet changed."""

from __future__ import annotations

import csv
import io
import re
import zipfile

import pytest

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.verdict import NO_FILE
from autograder.written.finalise import Inputs, finalise
from autograder.written.render import render_rubric, sheet
from autograder.written.sheets import read_policy
from support.grades import ABSENT, ASSIGNMENT, BY_HAND, TERM, lines_with, people_of, points, write
from support.project import TOY

ROWLESS = "have no row in manual.csv at all"


@pytest.mark.parametrize("count, missing", [(63, 29), (63, 1), (3, 1), (63, 60)])
def test_a_sheet_that_lacks_people_who_submitted_something_is_asked_about(join, count, missing):
    automatic, by_hand = people_of(count)
    _, summary = join(automatic, by_hand[: count - missing], ABSENT)
    said = ROWLESS if missing > 1 else ROWLESS.replace("have", "has")
    [line] = lines_with(summary, said)
    assert line.startswith(f"{missing} of the {count} people who submitted something") and line.endswith("?")
    named = re.findall(r"<p(\d+)@u\.edu>", line)
    assert len(named) == min(5, missing) and all(int(n) >= count - missing for n in named)
    assert not lines_with(join(automatic, by_hand, ABSENT)[1], "no row in")
    assert not lines_with(join(automatic, by_hand[: count - missing])[1], ROWLESS)  # without a rule, they get no zero


@pytest.mark.parametrize("status", ["not graded: not submitted", f"not graded: {NO_FILE}", "Missing"])
def test_who_submitted_nothing_needs_no_row_in_the_sheet(join, status):
    automatic, by_hand = people_of(6)
    empty = dict.fromkeys([q.id for q in ASSIGNMENT.questions], "")
    automatic = [row | ({"Status": status, **empty} if n > 3 else {}) for n, row in enumerate(automatic)]
    assert not lines_with(join(automatic, by_hand[:4], ABSENT)[1], ROWLESS)


def test_rows_that_nobody_filled_in_are_asked_about_before_they_are_most(join):
    automatic, by_hand = people_of(20)
    half = [row | (dict.fromkeys(BY_HAND, "") if n > 12 else {}) for n, row in enumerate(by_hand)]
    assert lines_with(join(automatic, half, ABSENT)[1], "7 of 20 people get a zero for the written half: is this the right")


def test_everyone_with_a_zero_is_listed(join):
    automatic, by_hand = people_of(60)
    _, summary = join(automatic, by_hand[:25], ABSENT)
    assert len([line for line in summary.lines if line.startswith("zero: ")]) == 35


@pytest.mark.parametrize(
    "change, says",
    [
        (lambda header: [*header, "remarks"], "has columns that `finalise` does not write for this assignment: remarks"),
        (lambda header: ["checked by", *header], "does not write for this assignment: checked by"),
        (lambda header: [*header, "total"], "does not write for this assignment: total"),
        (lambda header: [re.sub(r"^\d\.", "9.", title) for title in header], "does not write for this assignment: 9.2.1"),
        (lambda header: [title for title in header if title != "1.2.1"], "lacks this assignment's columns: 1.2.1"),
    ],
)
def test_only_this_assignments_own_result_is_overwritten(join, tmp_path, change, says):
    join(*points("517"))
    output = tmp_path / "final.csv"
    [row] = csv.DictReader(io.StringIO(output.read_text()))
    header = change(list(row))
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, [row.get(title, "mine") for title in header]])
    output.write_text(text.getvalue(), newline="")
    before = output.read_bytes()
    with pytest.raises(GraderError, match=re.escape(says)) as refusal:
        join(*points("517"))
    assert "choose another --output" in str(refusal.value) and output.read_bytes() == before


def test_another_assignments_result_is_not_overwritten(join, tmp_path):
    join(*points("517"))
    before = (tmp_path / "final.csv").read_bytes()
    toy = [{"Name": "G", "Email": "g@u.edu", "SID": "1", "Course": "", "Status": "graded", "1.add": "2", "1.mean": "1"}]
    with pytest.raises(GraderError, match="exists and has columns that `finalise` does not write for this assignment"):
        join(toy, None, assignment=load_assignment(TOY / "assignment"))
    assert (tmp_path / "final.csv").read_bytes() == before


def test_a_result_whose_columns_were_moved_or_saved_by_a_spreadsheet_is_overwritten(join, tmp_path):
    join(*points("517"))
    rows = list(csv.reader(io.StringIO((tmp_path / "final.csv").read_text())))
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows([row[::-1] for row in rows])
    (tmp_path / "final.csv").write_text("\ufeff" + text.getvalue())
    assert join(*points("517"))[1].ungraded == 0


@pytest.mark.parametrize("name, refused", [("f.xlsx", True), ("f.ods", True), ("f.txt", True), ("f.CSV", False), ("f", True)])
def test_a_result_is_written_under_no_other_ending_than_csv(tmp_path, name, refused):
    automatic, by_hand = points("517")
    inputs = Inputs(write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand))
    if refused:
        with pytest.raises(GraderError, match=rf"{re.escape(name)}: `finalise` writes CSV: .* ends in \.csv"):
            finalise(ASSIGNMENT, inputs, tmp_path / name)
    else:
        finalise(ASSIGNMENT, inputs, tmp_path / name)
    assert (tmp_path / name).exists() != refused


def workbook():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("xl/workbook.xml", "<w/>")
    return data.getvalue()


@pytest.mark.parametrize(
    "content, kept",
    [
        (workbook(), True),
        (b"\xd0\xcf\x11\xe0" + bytes(600), True),
        (b"%PDF-1.7", True),
        (b"what I thought of it", True),
        (b"name,remarks\n", True),  # somebody's own table
        (sheet(ASSIGNMENT).encode() + b"ada@u.edu,1\n", True),
        (sheet(ASSIGNMENT).encode("utf-16"), False),
        (sheet(ASSIGNMENT).replace(",", ";").encode("utf-8-sig") + b";;;;\r\n\r\n", False),
        (b"", False),
        (b"\n", False),
    ],
)
def test_what_is_no_unstarted_sheet_is_kept(tmp_path, content, kept):
    render_rubric(ASSIGNMENT, tmp_path)
    (tmp_path / "manual.csv").write_bytes(content)
    written, said = render_rubric(ASSIGNMENT, tmp_path)
    assert written[-1].name == ("manual-2.csv" if kept else "manual.csv") and bool(said) == kept
    assert not kept or (tmp_path / "manual.csv").read_bytes() == content


@pytest.mark.parametrize("name", ["manual.csv", "rubric.md", "notes.txt"])
def test_a_folder_that_rubric_did_not_make_is_left_untouched(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(GraderError, match="was not made by `autograder rubric`, so it was left untouched"):
        render_rubric(ASSIGNMENT, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name] and (tmp_path / name).read_text() == "mine"


def with_sids(count, automatic, by_hand, email=True):
    """A class whose SIDs the two files write as these functions say, the sheet with its addresses or without."""
    halves = people_of(count)
    for rows, write_as in zip(halves, (automatic, by_hand)):
        for n, row in enumerate(rows):
            row["sid"] = write_as(n + 37)
    for row in halves[1] if not email else ():
        row["email"] = ""
    return halves


ZEROS = "in leading zeros only (0000037 and 37)"


@pytest.mark.parametrize("automatic, by_hand", [("{:07}", "{}"), ("{}", "{:07}")])
def test_sids_without_their_leading_zeros_are_one_persons_where_the_address_agrees(join, automatic, by_hand):
    rows, summary = join(*with_sids(3, automatic.format, by_hand.format))
    assert [(row["total"], row["sid"]) for row in rows] == [("110", f"00000{37 + n}") for n in range(3)]
    [line] = lines_with(summary, "leading zeros")
    assert line.startswith("3 SIDs differ between gradebook.csv and manual.csv in leading zeros only (")
    assert line.endswith("these people were matched by email")


def test_sids_without_their_leading_zeros_match_nobody_alone_and_one_line_says_why(join):
    halves = with_sids(30, "{:07}".format, lambda n: str(n) if n < 60 else f"{n:07}", email=False)
    rows, summary = join(*halves, ABSENT)
    assert sum(row["status"] == "graded" for row in rows) == 7
    [line] = lines_with(summary, "leading zeros")
    assert line.startswith("23 SIDs differ between gradebook.csv and manual.csv " + ZEROS) and line.endswith("?")
    assert "read that column as text" in line
    assert not lines_with(summary, "zero: ") and not lines_with(summary, "a zero for the written half")


def test_two_classes_of_which_only_zeros_differ_are_told_so(join):
    with pytest.raises(
        GraderError, match=r"nobody in gradebook\.csv is in manual\.csv.*in leading zeros only \(0000037 and 37\)"
    ):
        join(*with_sids(3, "{:07}".format, str, email=False))


def test_a_number_that_is_exactly_somebody_elses_is_never_passed_over(join):
    automatic, by_hand = with_sids(2, "{:07}".format, str)
    automatic[1]["sid"] = "37"  # and 0000037 is another person
    rows, _ = join(automatic, by_hand)
    assert all(row["status"] == "not graded" for row in rows)


@pytest.mark.parametrize("sids", [("37", "38"), ("037", "0370"), ("a037", "a37"), ("37", "-37")])
def test_other_numbers_are_other_people(join, sids):
    automatic, by_hand = points("517")
    automatic[0]["sid"], by_hand[0]["sid"] = sids
    assert "sid is " in join(automatic, by_hand)[0][0]["total"]


def test_extensions_and_late_days_by_a_number_without_its_zeros_say_so(join):
    halves = with_sids(3, "{:07}".format, "{:07}".format)
    _, summary = join(*halves, TERM, extensions="sid,days\n38,2\n", late_days=["sid,days\n39,1\n"])
    [line] = lines_with(summary, "no extension given")
    assert line.endswith("38 is in neither file; is it 0000038, whose leading zeros a spreadsheet program left out?")
    [line] = lines_with(summary, "by people in neither file")
    assert line.endswith("39 (is it 0000039, whose leading zeros a spreadsheet program left out?)")
    late = [row | {"late_days": "3"} for row in halves[1]]
    rows, summary = join(halves[0], late, TERM, extensions="email,sid,days\np1@u.edu,38,2\n")
    assert [row["late days used"] for row in rows] == ["3", "1", "3"] and not summary.ungraded


SWAPPED = "are the titles `absent` and `collaborators` swapped?"


@pytest.mark.parametrize(
    "absent, collaborators, asked",
    [
        (lambda n: "no" if n == 3 else "yes", lambda n: "yes" if n == 5 else "", True),
        (lambda n: "yes", lambda n: "", True),
        (lambda n: "no", lambda n: "", True),
        (lambda n: "Yes", lambda n: "yes", True),
        (lambda n: "", lambda n: "yes", False),
        (lambda n: "no", lambda n: "yes", False),
        (lambda n: "yes" if n == 1 else "", lambda n: "no" if n == 3 else "yes", False),
        (lambda n: "", lambda n: "", False),
        (lambda n: "yes" if n == 1 else "", lambda n: "", False),
    ],
)
def test_words_of_the_other_column_are_asked_about(join, absent, collaborators, asked):
    automatic, by_hand = people_of(8)
    by_hand = [row | {"absent": absent(n), "collaborators": collaborators(n)} for n, row in enumerate(by_hand)]
    lines = lines_with(join(automatic, by_hand)[1], SWAPPED)
    assert len(lines) == asked and all("8 rows of manual.csv" in line for line in lines)


def test_most_of_a_class_may_be_absent(join):
    automatic, by_hand = people_of(6)
    gone = dict.fromkeys([q.id for q in ASSIGNMENT.questions], "")
    automatic = [row | (gone if n else {}) for n, row in enumerate(automatic)]
    empty = dict.fromkeys(BY_HAND, "")
    by_hand = [row | ({**empty, "absent": "yes", "collaborators": ""} if n else {}) for n, row in enumerate(by_hand)]
    assert not lines_with(join(automatic, by_hand)[1], SWAPPED)


@pytest.mark.parametrize("name", ["Mittelwert", "Moyenne", "Durchschnitt:", "Klassenschnitt"])
def test_a_row_of_the_sheet_that_names_nobody_is_asked_about_as_such(join, name):
    automatic, by_hand = people_of(3)
    sheet = [row | {"name": f"P{n}"} for n, row in enumerate(by_hand)]
    _, summary = join(automatic, [*sheet, {**sheet[0], "email": "", "sid": "", "name": name}])
    said = (
        f"{name} (manual.csv row 5) has neither email nor sid, and nobody in gradebook.csv is called so: is it a person's row?"
    )
    assert said in summary.lines and not lines_with(summary, "--roster")
    [line] = lines_with(summary, f"not graded: {name}")
    assert "without an email and a sid, by which its row in gradebook.csv is looked for" in line


def test_a_row_whose_name_is_somebodys_is_asked_about_as_theirs(join):
    automatic, by_hand = people_of(3)
    sheet = [row | {"name": f"P{n}"} | ({"email": "", "sid": ""} if n == 1 else {}) for n, row in enumerate(by_hand)]
    _, summary = join(automatic, sheet)
    assert not lines_with(summary, "a person's row?") and not lines_with(summary, "--roster")
    assert [line for line in summary.lines if line.startswith("not graded: P1:") and "is this P1 <p1@u.edu>" in line]


def without_keys(rows):
    return [row | {"email": "", "sid": ""} for row in rows]


def test_a_roster_is_advised_only_where_batch_knew_nobody(join):
    automatic, by_hand = people_of(3)
    assert not lines_with(join([*automatic[:2], *without_keys(automatic[2:])], by_hand)[1], "--roster")
    assert lines_with(join(without_keys(automatic), without_keys(by_hand))[1], "is looked for: give `batch` a --roster")
    with pytest.raises(GraderError, match=r"^gradebook\.csv has nobody's email .*: give `batch` a --roster$"):
        join(without_keys(automatic), by_hand)
    with pytest.raises(GraderError, match=r"^manual\.csv has nobody's email .*: fill them in$"):
        join(automatic, [row | {"name": "P1"} for row in without_keys(by_hand)])


def test_a_gradebook_that_ends_in_the_middle_of_a_row_is_asked_about(tmp_path):
    automatic, by_hand = people_of(3)
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    for path in (book, sheet):
        whole = path.read_text()
        path.write_text(whole[: whole.rindex("P2" if path is book else "p2@") + 2])
        lines = finalise(ASSIGNMENT, Inputs(book, sheet), tmp_path / "final.csv").lines
        asked = f"{path.name}, line 4, has fewer cells than the header, and no end: is the file cut off?"
        assert asked in lines and not [line for line in lines if "--roster" in line]
        path.write_text(whole)


@pytest.mark.parametrize(
    "cell",
    ["2. May", "2.May", "2-May", "02.05.2024", "5/2/2024", "May 2", "2. Mai", "2024-05-02", "1. Jan", "May-02", "2 mars"],
)
def test_a_score_that_became_a_date_is_said_to_be_one(join, cell):
    [row], _ = join(*points("517", {"1.2.3": cell}))
    said = f"1.2.3 in manual.csv row 2 is '{cell}', a date: did a spreadsheet program make it of a number such as 2.5?"
    assert row["total"] == f"not graded: {said}"


@pytest.mark.parametrize("cell", ["2 marks", "maybe", "2 of 3", "5/2", "2. try", "decent", "1.2.3.4", "12-34-56"])
def test_what_is_no_date_is_not_called_one(join, cell):
    assert "a date" not in join(*points("517", {"1.2.3": cell}))[0][0]["total"]


def test_two_files_that_are_swapped_are_said_to_be(tmp_path):
    automatic, by_hand = people_of(3)
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    by_hand_too = write(tmp_path / "hand.csv", [row | {"1.2.1 by hand": "1", "1.2.2 by hand": ""} for row in by_hand])
    says = r"has the other half's items: name the gradebook first, then the graders' sheet \(are the two swapped\?\)$"
    for first, second in ((sheet, book), (by_hand_too, book), (book, write(tmp_path / "again.csv", automatic))):
        with pytest.raises(GraderError, match=says):
            finalise(ASSIGNMENT, Inputs(first, second), tmp_path / "final.csv")


@pytest.mark.parametrize("rule", ["percent_per_day = 12,5", "percent_per_day=12,5  # a day", "percent = 2,5"])
def test_a_decimal_comma_in_a_policy_is_said_to_be_one(tmp_path, rule):
    (tmp_path / "policy.toml").write_text(f"[late]\n{rule}\n")
    number = "2.5" if "= 2" in rule else "12.5"
    with pytest.raises(GraderError, match=rf"; write the number with a decimal point: {number}$"):
        read_policy(tmp_path / "policy.toml", ("447", "517"))


@pytest.mark.parametrize("end", [".0", ".00"])
def test_a_number_that_a_spreadsheet_made_a_fraction_is_the_number(join, end):
    automatic, by_hand = people_of(2)
    rows, summary = join(automatic, [row | {"email": "", "sid": row["sid"] + end} for row in by_hand])
    assert [row["sid"] for row in rows] == ["100", "101"] and not summary.ungraded


@pytest.mark.parametrize("lines", ["", "\n", ",,,\n\n"])
def test_a_sheet_with_a_header_alone_is_said_to_have_no_rows(tmp_path, lines):
    automatic, by_hand = people_of(2)
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    sheet.write_text(sheet.read_text().splitlines()[0] + "\n" + lines)
    with pytest.raises(GraderError, match=r"^manual\.csv has a header and no rows: is it the file that is meant\?$"):
        finalise(ASSIGNMENT, Inputs(book, sheet), tmp_path / "final.csv")


def test_a_word_that_is_neither_yes_nor_no_is_told_with_its_row(join):
    for kind in ("absent", "collaborators"):
        [row], _ = join(*points("517", {kind: "#n/a"}))
        assert row["total"] == f"not graded: {kind} is '#n/a' in manual.csv row 2, expected yes or no"
