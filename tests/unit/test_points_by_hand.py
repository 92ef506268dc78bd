"""Points by hand for an autograded item stand in the graders' sheet and are told; a wrong column or file is named."""

from __future__ import annotations

import re

import pytest

from autograder.core.errors import GraderError
from autograder.written.canvas import planned
from autograder.written.finalise import Inputs, finalise
from autograder.written.render import render_rubric
from autograder.written.sheets import read_policy
from autograder.written.totals import Grade
from support.grades import ABSENT, ASSIGNMENT, AUTOMATIC, DUE, lines_with, people_of, points, write


def hand(item):
    return f"{item} by hand"


@pytest.mark.parametrize(
    "item, before, cell, score",
    [
        ("1.2.1", "0", "1", "1"),
        ("2.1.attn_scaled", "1", "1,5", "1.5"),
        ("1.2.2", "", "2", "2"),
        ("1.3.1", "1", "full", None),
        ("1.2.1", "2", "0", "0"),
        ("1.2.1", "not a number", "1", "1"),
    ],
)
def test_points_by_hand_count_and_are_told_with_the_gradebooks(join, item, before, cell, score):
    automatic, sheet = points("517", {item: before})
    score = score or f"{next(q for q in ASSIGNMENT.questions if q.id == item).points['517']:g}"
    [row], summary = join(automatic, [sheet[0] | {hand(item): cell}])
    assert (row["status"], row[item]) == ("graded", score)
    said = f"{item}: {score} (manual.csv row 2), not {before or 'empty'}"
    assert lines_with(summary, "by hand") == [f"by hand: Ada L. <ada@u.edu>: {said}"] and said in row["rules"]


@pytest.mark.parametrize("cell, before", [("", "1"), ("1", "1"), ("1.0", "1")])
def test_a_blank_cell_leaves_the_gradebooks_points_and_the_same_ones_are_nothing_to_tell(join, cell, before):
    automatic, sheet = points("517", {"1.2.1": before})
    [row], summary = join(automatic, [sheet[0] | {hand("1.2.1"): cell}])
    assert row["1.2.1"] == "1" and not lines_with(summary, "by hand")


def test_points_by_hand_of_somebody_absent_stay(join):
    automatic, by_hand = people_of(2)
    absent = {hand("1.2.1"): "1", "course": "517", "absent": "yes", "name": "P1"}
    result, _ = join(
        automatic[:1],
        [{**by_hand[0], **dict.fromkeys([hand("1.2.1"), "name"], ""), "course": "517"}, by_hand[1] | absent],
        ABSENT,
    )
    assert {row["name"]: row["autograded"] for row in result} == {"P0": "58", "P1": "1"}


@pytest.mark.parametrize("cell, says", [("9", "has 9 of at most"), ("ok", "is 'ok', expected a number"), ("-1", "less than 0")])
def test_impossible_points_by_hand_are_no_grade(join, cell, says):
    automatic, sheet = points("517")
    [row], _ = join(automatic, [sheet[0] | {hand("1.2.1"): cell}])
    assert row["total"].startswith("not graded: 1.2.1 by hand in manual.csv row 2 ") and says in row["total"]


@pytest.mark.parametrize("title, near", [("1.2.9 by hand", "1.2."), ("2.1.atn_scaled by hand", "2.1.attn_scaled by hand")])
def test_a_column_by_hand_of_no_item_is_refused(join, title, near):
    automatic, sheet = points("517")
    said = f"manual.csv: no autograded item for the column '{title}'; did you mean '{near}"
    with pytest.raises(GraderError, match="^" + re.escape(said)):
        join(automatic, [sheet[0] | {title: "1"}])


@pytest.mark.parametrize("items", [["2.1.attn_scaled"], ["2.1.attn_scaled", "2.1.mask"], AUTOMATIC[-2:]])
def test_an_autograded_column_in_the_sheet_is_not_read_and_said_not_to_be(join, items):
    items = [item for item in items if item in AUTOMATIC]
    automatic, sheet = points("517")
    [row], summary = join(automatic, [{**sheet[0], **dict.fromkeys(items, "0")}])
    [line] = lines_with(summary, "not read")
    assert line.startswith(f"manual.csv: not read: {', '.join(items)}: ") and line.endswith(f"such as '{items[0]} by hand'")
    assert row["autograded"] == "58"


def test_two_columns_of_one_item_are_named(join):
    automatic, sheet = points("517")
    said = "manual.csv: two columns for 1.2.1.rationale: '1.2.1.rationale' and '1.2.1'; autograded points by hand belong in"
    with pytest.raises(GraderError, match="^" + re.escape(f"{said} a column '1.2.1 by hand'") + "$"):
        join(automatic, [sheet[0] | {"1.2.1": "1"}])


def test_who_is_on_two_rows_is_told_once_with_what_the_gradebook_says(join):
    automatic, sheet = points("517")
    why = "not settled: submission_1, submission_9 are each said to be Ada L.'s; move the wrong one away"
    _, summary = join([row | {"Status": why} for row in automatic * 2], sheet)
    [line] = lines_with(summary, "2 rows for this person")
    assert "2 rows for this person in gradebook.csv; it says: not settled: submission_1, submission_9 are each said" in line


def test_nothing_is_said_twice_of_who_is_in_one_file_only(join):
    automatic, by_hand = people_of(3)
    sheet = [by_hand[0], by_hand[1] | {"email": "", "sid": "0101"}, by_hand[2]]
    for policy in ("", ABSENT):
        rows, _ = join(automatic, sheet, policy)
        assert all(row["total"].count("only in gradebook.csv") <= 1 for row in rows)
        assert any("only in gradebook.csv" in row["total"] for row in rows)


def test_rubric_refuses_the_sheet_and_what_is_not_there_and_leaves_no_folder(tmp_path):
    write(tmp_path / "manual.csv", points("517")[1])
    says = {"manual.csv": "has the other half's items: name the gradebook", "gone.csv": r"there is no gradebook .*run that"}
    for name, said in says.items():
        with pytest.raises(GraderError, match=said):
            render_rubric(ASSIGNMENT, tmp_path / "rubric", tmp_path / name)
    assert not (tmp_path / "rubric").exists()
    with pytest.raises(GraderError, match=r"there is no gradebook .*gone\.csv: `batch` writes it, so run that first"):
        finalise(ASSIGNMENT, Inputs(tmp_path / "gone.csv", tmp_path / "manual.csv"), tmp_path / "final.csv")


@pytest.mark.parametrize("due", ["10/08/2026", "2026-10-08 23:59 PDT", "Oct 8", "8.10.2026", "2026-10-08T23:59:59 -07:00"])
def test_a_time_that_is_no_toml_is_told_how_it_is_written(tmp_path, due):
    (tmp_path / "policy.toml").write_text(f"[late]\npercent_per_day = 10\ndue = {due}\n")
    with pytest.raises(GraderError, match=r"write the time like 2024-02-09T23:59:59-08:00, without quotes$"):
        read_policy(tmp_path / "policy.toml", ("447", "517"))
    (tmp_path / "policy.toml").write_text(f"{DUE}free_days = two days\n")
    with pytest.raises(GraderError) as refused:
        read_policy(tmp_path / "policy.toml", ("447", "517"))
    assert "write the time" not in str(refused.value)


STUDENTS = [(1, "Ada", frozenset(["ada"])), (2, "Bo", frozenset(["bo"])), (3, "Cy", frozenset(["cy"]))]
GRADES = [
    Grade("Ada", frozenset(["ada"]), "90", 100.0, course="447"),
    Grade("Bo", frozenset(["bo"]), "95", 110.0, course="517"),
    Grade("Di", frozenset(["di"]), "", 110.0, "not graded", "517"),
]


@pytest.mark.parametrize(
    "only, sent, out_of, others", [("447", ["Ada"], 100, 2), ("517", ["Bo"], 110, 1), ("", ["Ada", "Bo"], 110, 0)]
)
def test_one_course_of_a_joint_course_on_canvas_can_be_sent_alone(only, sent, out_of, others):
    plan = planned(GRADES, STUDENTS, {}, only)
    assert [change.label for change in plan.changes] == sent and (plan.out_of, plan.others) == (out_of, others)
    assert plan.rowless == ["Cy"] and bool(plan.problems) == (only != "447")


def test_a_course_without_rows_is_no_empty_push():
    with pytest.raises(GraderError, match=r"^no row is of the course 44: .* in the column course \(447, 517\)$"):
        planned(GRADES, STUDENTS, {}, "44")


@pytest.mark.parametrize(
    "title",
    "1.2.2 by hnad;2.1.attn_softmax by han;2.1.attn_softmax hand;by hand 1.2.2;1.2.2.by hand;3.main_by_hnd;3.MAIN by Hand.;"
    "hand: 3.main".split(";"),
)
@pytest.mark.parametrize("cell", ["0", ""])
def test_a_near_miss_of_by_hand_is_refused_with_what_is_meant(join, title, cell):
    automatic, sheet = points("517")
    id = next(id for id in ("1.2.2", "2.1.attn_softmax", "3.main") if id in title.lower())
    if title == "3.MAIN by Hand.":
        assert join(automatic, [sheet[0] | {title.rstrip("."): "0"}])[0][0]["3.main"] == "0"
    said = f"manual.csv: no autograded item for the column '{title}'; did you mean '{id} by hand'?"
    for rationales in (sheet[0], {key: value for key, value in sheet[0].items() if key != "1.2.2.rationale"}):
        with pytest.raises(GraderError, match="^" + re.escape(said) + "$"):
            join(automatic, [rationales | {title: cell}])


@pytest.mark.parametrize("title", ["3.main regrade", "regraded 3.main", "3.main_v2", "2.1.attn_softmax (new)", "New: 3.main"])
@pytest.mark.parametrize("cell", ["3", "0,5", "full"])
def test_points_that_nothing_reads_beside_an_items_id_are_asked_about(join, title, cell):
    automatic, sheet = points("517")
    id = "3.main" if "3.main" in title else "2.1.attn_softmax"
    said = f"manual.csv: nothing reads the column '{title}', which has points in it (row 2: {cell}): do they count? If so, they"
    assert f"{said} belong in a column '{id} by hand'" in join(automatic, [sheet[0] | {title: cell}])[1].lines
    if title.startswith(id) and " " in title:
        with pytest.raises(
            GraderError, match=rf"^gradebook\.csv: two columns for {id}: .*'{id} by hand' of the graders' sheet$"
        ):
            join([automatic[0] | {title: cell}], sheet)
        return
    lines = join([automatic[0] | {title: cell}], sheet)[1].lines
    assert f"{said.replace('manual', 'gradebook')} belong in a column '{id} by hand' of the graders' sheet" in lines


@pytest.mark.parametrize(
    "title, cell", [("comment 3.main", "see me"), ("3.main regrade", ""), ("1.2.10 notes", "3"), ("Room", "3")]
)
def test_other_columns_are_the_graders_own(join, title, cell):
    automatic, sheet = points("517")
    assert not lines_with(join(automatic, [sheet[0] | {title: cell}])[1], "nothing reads")


@pytest.mark.parametrize("title", ["1.2.2", "1.2.2 regrade", "1.2.2 (2.0 pts)"])
def test_two_columns_of_one_rationale_are_refused_with_the_column_for_points_by_hand(join, title):
    automatic, sheet = points("517")
    with pytest.raises(GraderError, match=r"two columns for 1\.2\.2\.rationale: .*belong in a column '1\.2\.2 by hand'$"):
        join(automatic, [sheet[0] | {title: "1"}])


def test_points_by_hand_in_the_gradebook_belong_in_the_sheet(join):
    automatic, sheet = points("517")
    with pytest.raises(GraderError, match=r"^gradebook\.csv: points by hand belong in the graders' sheet: move the column '3"):
        join([automatic[0] | {"3.main by hand": "1"}], sheet)


@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("policy", ["", ABSENT])
def test_who_is_on_two_rows_is_one_person_of_the_result(join, half, policy):
    halves = people_of(3)
    halves[half] = [*halves[half], dict(halves[half][1])]
    rows, summary = join(*halves, policy)
    assert [row["name"] for row in rows] == ["P0", "P1", "P2"] and summary.lines[-1] == "2 graded, 1 not graded"
    assert rows[1]["total"].startswith("not graded: 2 rows for this person in ")


def test_who_is_on_two_rows_of_the_sheet_alone_is_one_person_and_two_who_share_a_number_are_two(join):
    automatic, by_hand = people_of(3)
    rows, summary = join(automatic[:2], [*by_hand, by_hand[2]])
    assert len(rows) == 3 and summary.ungraded == 1
    rows, summary = join([automatic[0], automatic[1] | {"sid": "100"}, automatic[2]], by_hand)
    assert len(rows) == 3 and summary.ungraded == 2


def test_the_sheet_has_one_row_for_who_is_not_settled(tmp_path):
    automatic, _ = people_of(3)
    book = write(tmp_path / "gradebook.csv", [*automatic, automatic[1], automatic[2] | {"sid": "7"}])
    render_rubric(ASSIGNMENT, tmp_path / "rubric", book)
    names = [line.split(",")[2] for line in (tmp_path / "rubric" / "manual.csv").read_text().splitlines()[1:]]
    assert names == ["P0", "P1", "P2", "P2"]
