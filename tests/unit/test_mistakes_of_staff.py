"""Slips in staff's files are refused, asked about or named: none changes a number unsaid."""

from __future__ import annotations

import re

import pytest

from autograder.core.errors import GraderError
from autograder.core.strict import read_toml
from autograder.core.tables import read_table
from autograder.written.finalise import Inputs, finalise
from support.grades import ABSENT, ASSIGNMENT, BY_HAND, DUE, LATE, TERM, lines_with, people_of, points, write


def titled(row, weights, words=None):
    """A row of the sheet under Gradescope's titles. ``weights``: the points that these give, by item."""
    return {
        (f"{n}: {key} ({weights[key]} pts)" if key in weights else key): (words or {}).get(key, value)
        for n, (key, value) in enumerate(row.items(), 1)
    }


def weights_of(course, **other):
    return {item.id: f"{item.points[course]:.1f}" for item in ASSIGNMENT.written.items} | other


@pytest.mark.parametrize(
    "course, other, cell, graded",
    [
        ("517", {}, "1.0", True),
        ("517", {"1.2.1.rationale": "2.0"}, "1.0", False),
        ("517", {"1.2.1.rationale": "10.0"}, "1", False),
        ("517", {"1.2.1.rationale": "0.5"}, "0.5", False),
        ("517", {"1.2.1.rationale": "2.0"}, "full", True),  # a share, whatever the points are
        ("517", {"1.2.1.rationale": "2.0"}, "0.0", True),
        ("447", {"1.4.1.rationale": "1.0"}, "0.5", False),  # half of 517's point or all of 447's?
        ("447", {"1.4.1.rationale": "1.0"}, "1.0", False),
        ("447", {"1.4.1.rationale": "0.5"}, "0.5", True),
    ],
)
def test_a_number_out_of_other_points_than_the_rubrics_is_no_grade(join, course, other, cell, graded):
    item = next(iter(other), "1.2.1.rationale")
    automatic, by_hand = points(course)
    sheet = [titled(by_hand[0], weights_of(course, **other), {item: cell})]
    if graded:
        assert join(automatic, sheet)[0][0]["status"] == "graded"
        return
    differ = f"{item} ({float(other[item]):g}, not {weights_of(course)[item].removesuffix('.0')})"
    said = f"manual.csv row 2, course {course}: the header's points are not the rubric's: {differ}. Change them on Gradescope"
    with pytest.raises(GraderError, match="^" + re.escape(said)):
        join(automatic, sheet)


@pytest.mark.parametrize("cell, refused", [("0.5", True), ("half", False)])
def test_one_title_for_two_courses_is_refused_where_a_number_may_be_of_either(join, cell, refused):
    rows = [points(course, {"email": f"{course}@u.edu", "sid": course, "1.4.1.rationale": cell}) for course in ("447", "517")]
    automatic, by_hand = ([row for half in halves for row in half] for halves in zip(*rows))
    sheet = [titled(row, weights_of("517")) for row in by_hand]
    if refused:
        with pytest.raises(GraderError, match=r"course 447: .* 1\.4\.1\.rationale \(1, not 0\.5\)"):
            join(automatic, sheet)
    else:
        result, _ = join(automatic, sheet)
        assert [row["1.4.1.rationale"] for row in result] == ["0.25", "0.5"]


def test_a_total_that_is_not_the_sum_of_its_items_is_asked_about_in_both_halves(join):
    automatic, by_hand = people_of(3)
    automatic = [row | {"Total Score": "50" if n == 1 else "58"} for n, row in enumerate(automatic)]
    by_hand = [row | {"Total": "52.0" if n else "12"} for n, row in enumerate(by_hand)]
    _, summary = join(automatic, by_hand)
    asked = "is not the sum of the items, which is what counts"
    assert lines_with(summary, asked) == [
        f"the total in gradebook.csv {asked}: P1 <p1@u.edu> (50 and 58): was it edited, or were cells moved?",
        f"the total in manual.csv {asked}: P0 <p0@u.edu> (12 and 52): was it edited, or were cells moved?",
    ]


@pytest.mark.parametrize(
    "total, cells",
    [
        ("", {}),
        ("58.0", {}),
        ("58,0", {}),
        ("57.9999", {}),
        ("not graded", {}),
        ("9", {"1.2.1": ""}),
        ("56.5", {"1.2.1": "1.5"}),
    ],
)
def test_a_total_that_is_the_sum_or_no_number_is_no_question(join, total, cells):
    automatic, by_hand = points("517", cells, {"1.2.2.rationale": "void"})
    _, summary = join([automatic[0] | {"Total Score": total}], by_hand)
    assert not lines_with(summary, "is not the sum")


@pytest.mark.parametrize(
    "gone, other, means",
    [
        ("late_days", "Late", "nobody is late by it"),
        ("collaborators", "Kollaborateure", "a missing statement costs nothing"),
        ("absent", "abscent", "nobody is absent by it"),
    ],
)
def test_a_column_that_rubric_writes_is_missed_and_its_likely_successor_named(join, gone, other, means):
    automatic, by_hand = points("517", Course="517", Status="", Comment="")
    more = {"Submission ID": "1", "View Count": "2", "Submission Count": "1"}
    renamed = {other if key == gone else key: value for key, value in (by_hand[0] | more).items()}
    assert join(automatic, [renamed])[1].lines[0] == f"manual.csv has no column for {gone} ({means}); nothing reads {other}"
    without = {key: value for key, value in by_hand[0].items() if key != gone}
    assert join(automatic, [without])[1].lines[0] == f"manual.csv has no column for {gone} ({means})"
    assert not lines_with(join(automatic, by_hand)[1], "no column for")


def test_gradescopes_lateness_stands_in_for_late_days(join):
    automatic, by_hand = points("517")
    plain = {key: value for key, value in by_hand[0].items() if key not in ("late_days", "absent")}
    _, summary = join(automatic, [plain | {"Lateness (H:M:S)": "0:00:00"}])
    assert summary.lines[0] == "manual.csv has no column for absent (nobody is absent by it)"


def sheet_text(tmp_path, rows):
    return write(tmp_path / "text.csv", rows).read_text()


@pytest.mark.parametrize("left_out", [(), ("1.2.1.rationale", "3.Q5.1")])
def test_this_assignments_own_sheet_holds_no_late_days_of_another(join, tmp_path, left_out):
    automatic, by_hand = points("517", {"late_days": "2"})
    copy = {key: value for key, value in by_hand[0].items() if key not in left_out}
    with pytest.raises(GraderError, match=r"^a1\.csv has this assignment's items: its late days would be counted twice"):
        join(automatic, by_hand, TERM, late_days=[sheet_text(tmp_path, [copy])])
    other = {key.replace("1.2.", "0.2.").replace("3.Q", "Q"): value for key, value in by_hand[0].items()}
    assert join(automatic, by_hand, TERM, late_days=[sheet_text(tmp_path, [other])])[0][0]["total"] == "110"


def test_one_file_of_late_days_under_two_names_is_refused(join):
    used = "email,days\nada@u.edu,2\n"
    automatic, by_hand = points("517", {"late_days": "2"})
    for copy in (used, used.replace("\n", "\r\n")):
        with pytest.raises(GraderError, match=r"^a1\.csv and a2\.csv hold the same rows, which would be counted twice"):
            join(automatic, by_hand, TERM, late_days=[used, copy])
    [row], _ = join(automatic, by_hand, TERM, late_days=[used, "email,days\nada@u.edu,1\n"])
    assert row["late days used"] == "1"


@pytest.mark.parametrize(
    "used, extensions, asked",
    [
        ("email,days\np0@u.edu,1\np1@u.edu,2\n", "", "manual.csv says, this assignment's late days"),
        (
            "email,name,late_days\nP1@u.edu,P,2\np0@u.edu,P,1\np2@u.edu,P,0\n",
            "",
            "manual.csv says, this assignment's late days",
        ),
        ("email,days\np1@u.edu,4\np2@u.edu,1\n", "email,days\np2@u.edu,1\np1@u.edu,4\n", "extensions.csv says, the extensions"),
        ("email,days\np0@u.edu,1\np1@u.edu,1\n", "", ""),  # other days
        ("email,days\np0@u.edu,1\n", "", ""),  # of one person alone
        ("email,days\np2@u.edu,1\n", "email,days\np2@u.edu,1\n", ""),
    ],
)
def test_days_that_another_file_gives_to_the_same_people_are_asked_about(join, used, extensions, asked):
    automatic, by_hand = people_of(3)
    by_hand = [row | {"late_days": str(days)} for row, days in zip(by_hand, (1, 2, 0))]
    _, summary = join(automatic, by_hand, TERM, extensions=extensions, late_days=[used])
    said = [line for line in summary.lines if line.endswith("is it the right file?")]
    assert said == ([f"a1.csv says of the same people what {asked}: is it the right file?"] if asked else [])


@pytest.mark.parametrize("late, used, asked", [("2", 3, False), ("2", 9, True), ("", 9, True), ("", 4, False)])
def test_more_late_days_than_the_term_has_are_asked_about(join, late, used, asked):
    _, summary = join(*points("517", {"late_days": late}), TERM, late_days=[f"email,days\nada@u.edu,{used}\n"])
    said = f"more late days used before than the term's 4: Ada L. <ada@u.edu> ({used}: a1.csv row 2)"
    assert (f"{said}: is each file another assignment's?" in summary.lines) == asked


def test_whose_earlier_late_days_counted_is_listed(join):
    automatic, by_hand = people_of(3)
    by_hand = [row | {"late_days": "2" if n else ""} for n, row in enumerate(by_hand)]
    _, summary = join(automatic, by_hand, TERM, late_days=["email,days\np0@u.edu,3\np1@u.edu,3\n", "email,days\np2@u.edu,0\n"])
    assert lines_with(summary, "late days: ") == [
        "late days: P1 <p1@u.edu>: 3 days used before (a1.csv row 3), so 1 of 2 days covered"
    ]


@pytest.mark.parametrize("policy", ["", DUE, ABSENT + DUE])
def test_an_absent_person_whose_row_is_lost_is_not_on_time_in_silence(join, policy):
    automatic, by_hand = people_of(2)
    by_hand = [row | {"name": f"P{n}", "course": "517", "absent": "yes" if n else ""} for n, row in enumerate(by_hand)]
    _, summary = join([automatic[0] | {"Submission Time": "2024-02-09 20:00 UTC"}], by_hand, policy)
    said = "autograded half: absent (manual.csv row 3; only in manual.csv: no row in gradebook.csv)"
    assert f"zero: P1 <p1@u.edu>: {said}" in summary.lines
    untimed = "no time of submission, so they count as on time: P1 <p1@u.edu>"
    assert (untimed in summary.lines) == bool(policy)
    by_hand[1]["late_days"] = "0"
    assert untimed not in join([automatic[0] | {"Submission Time": "2024-02-09 20:00 UTC"}], by_hand, policy)[1].lines


@pytest.mark.parametrize("days, policy", [("40", LATE + "most_days = 4\n"), ("10", LATE), ("40", LATE)])
def test_who_loses_everything_by_being_late_is_named(join, days, policy):
    automatic, by_hand = people_of(3)
    by_hand = [row | {"late_days": days if n == 1 else "1"} for n, row in enumerate(by_hand)]
    _, summary = join(automatic, by_hand, policy)
    [line] = lines_with(summary, "nothing left")
    assert line.startswith(f"nothing left: P1 <p1@u.edu>: late: {days} days") and line.endswith("manual.csv row 3)")


@pytest.mark.parametrize(
    "cell, says",
    [
        ("-3", "is '-3', less than 0"),
        ("-0.5", "is '-0.5', less than 0"),
        ("1e0", "is '1e0', expected plain digits, without an exponent"),
        ("+1", "is '+1', expected plain digits, without a sign"),
        ("2.0000001", "has 2.0000001 of at most 2 points"),
        ("1234567", "has 1234567 of at most 2 points"),
        ("six", "is 'six', expected a number or full, half, none"),
        ("0,5,1", "is '0,5,1', expected a number or full, half, none"),
    ],
)
def test_what_is_said_of_a_cell_that_is_no_score_is_true(join, cell, says):
    [row], _ = join(*points("517", {"1.2.3": cell}))
    assert row["total"] == f"not graded: 1.2.3 in manual.csv row 2 {says}"


@pytest.mark.parametrize(
    "cell, total", [("0.3333333333", "108.333"), ("0,33333333333333", "108.333"), ("1.", "109"), (".5", "108.5"), ("١", "109")]
)
def test_any_number_of_decimals_is_a_score(join, cell, total):
    [row], _ = join(*points("517", {"1.2.3": cell}))
    assert row["total"] == total


@pytest.mark.parametrize(
    "cell, says",
    [
        ("-1", "is '-1' in manual.csv row 2, less than 0"),
        ("1e1", "is '1e1' in manual.csv row 2, expected plain digits, without an exponent"),
        ("100000", "is '100000' in manual.csv row 2, more than 999 days"),
        ("two", "is 'two' in manual.csv row 2, expected a number"),
    ],
)
def test_what_is_said_of_days_that_are_none_is_true(join, cell, says):
    [row], _ = join(*points("517", {"late_days": cell}), LATE)
    assert row["total"] == f"not graded: late_days {says}"
    for days in ("1,5", "1.5", "2"):
        assert join(*points("517", {"late_days": days}), LATE)[0][0]["total"] == "88"


def test_a_time_in_quotes_is_said_to_be_in_quotes(join):
    time = "2024-02-09T23:59:59-08:00"
    with pytest.raises(GraderError, match=re.escape(f'not "{time}", in quotes')):
        join(*points("517"), f'[late]\ndue = "{time}"\n')


@pytest.mark.parametrize("cells, refused", [(["x@u.edu", "7", "", "hello"], True), (["x@u.edu", "7", "", "", ""], False)])
def test_a_row_with_a_cell_beyond_the_header_is_refused_by_its_number(tmp_path, cells, refused):
    for title, row in (("email,sid,comment", "a@u.edu,1,"), ("email,sid,comment,,", "a@u.edu,1,,,")):
        (tmp_path / "t.csv").write_text("\n".join(["A title", title, row, ",".join(cells)]) + "\n")
        if not refused:
            assert len(list(read_table(tmp_path / "t.csv").people(("email",)))) == 2
            continue
        with pytest.raises(GraderError, match=r"^t\.csv, row 4: 'hello' stands to the right of the last title"):
            read_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    "again", ["email,sid,name,x", "E-Mail;SID;Name;x", "name,email,sid,x", "Student,Student ID,SIS Login ID,x"]
)
def test_a_second_header_is_no_person(tmp_path, again):
    (tmp_path / "t.csv").write_text(f"email,sid,name,x\na@u.edu,1,A,1\n\n{again.replace(';', ',')}\nb@u.edu,2,B,1\n")
    with pytest.raises(GraderError, match=r"^t\.csv, row 4 is another header: join the sheets under one$"):
        list(read_table(tmp_path / "t.csv").people(("email", "sid", "name")))


@pytest.mark.parametrize("row", [",,Average,,1.5", ",,Mean,,1.5", "Total,,,,1.5", ",,Class average:,,1.5", ",,Std. Dev.,,1"])
def test_a_row_of_averages_is_nobody(tmp_path, row):
    (tmp_path / "t.csv").write_text(f"email,sid,name,course,x\na@u.edu,1,Mean,447,1\n,,Max,447,2\n{row}\n")
    assert [who["name"] for _, who, _ in read_table(tmp_path / "t.csv").people(("email", "sid", "name"))] == ["Mean", "Max"]


def test_points_that_do_not_fit_the_course_are_asked_about_by_name(join):
    automatic, by_hand = people_of(3)
    wrong = [row | {"Max Points": "52" if n == 1 else "58"} for n, row in enumerate(automatic)]
    [line] = lines_with(join(wrong, by_hand)[1], "Max Points are 52 in the gradebook (1 row) and 58 in the rubric for 517")
    assert "P1 <p1@u.edu>" in line and "P0" not in line and "is the course right?" in line


def test_a_folder_with_nothing_readable_in_it_is_settled_by_absent(join):
    status = "not graded: nothing to grade; notes.txt is neither named .ipynb nor .py, and no answer was found in it"
    automatic, by_hand = points("517", {"Status": status}, dict.fromkeys([q.id for q in ASSIGNMENT.questions], ""))
    assert join(automatic, by_hand, ABSENT)[1].ungraded == 1
    [row], _ = join(automatic, [by_hand[0] | {"absent": "yes"}], ABSENT)
    assert (row["autograded"], row["read"]) == ("0", "52")


def test_finalise_reads_no_file_of_which_a_row_is_shifted(tmp_path):
    automatic, by_hand = points("517")
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    for path in (book, sheet):
        text = path.read_text()
        path.write_text(text.rstrip("\n") + ",x\n")
        with pytest.raises(GraderError, match=rf"^{path.name}, row 2: 'x' stands to the right"):
            finalise(ASSIGNMENT, Inputs(book, sheet), tmp_path / "final.csv")
        path.write_text(text)
    assert not (tmp_path / "final.csv").exists() and BY_HAND


@pytest.mark.parametrize("comment", ["none", "0.5", "Full", "half of it is missing", ""])
def test_a_score_in_the_place_of_the_comment_is_asked_about(join, comment):
    _, summary = join(*points("517", comment=comment))
    line = f"manual.csv row 2: the comment is {comment!r}: is the row shifted by a cell?"
    assert (line in summary.lines) == (comment in ("none", "0.5", "Full"))


@pytest.mark.parametrize(
    "data, says",
    [
        (b"[late]\ndue = 1\ndue = 2\n", "a name or a table is given twice"),
        (b"[late]\n[late]\n", "a name or a table is given twice (at line 2"),
        (b'[course]\nassignment = "A2\n', "Illegal character"),
        (b'[course]\nassignment = "A2', "a text has no closing quote"),
        ("[late]\n# für alle".encode("cp1252"), "it is not in UTF-8; save it as a text file in UTF-8"),
    ],
)
def test_a_policy_that_is_no_toml_is_said_in_plain_words(tmp_path, data, says):
    (tmp_path / "policy.toml").write_bytes(data)
    with pytest.raises(GraderError) as refused:
        read_toml(tmp_path / "policy.toml")
    assert says in str(refused.value) and not re.search("Cannot|codec|byte 0x", str(refused.value))
