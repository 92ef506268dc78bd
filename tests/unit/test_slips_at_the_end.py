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
from support.grades import ABSENT, ASSIGNMENT, BY_HAND, lines_with, people_of, points, write
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


@pytest.mark.parametrize("name, refused", [("f.xlsx", True), ("f.ods", True), ("f.txt", True), ("f.CSV", False), ("f", False)])
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
