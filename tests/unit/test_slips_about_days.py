"""Who is late, and which days are forgiven: where staff's files disagree or leave something out, it is asked or said."""

from __future__ import annotations

import pytest

from autograder.written.finalise import Inputs, finalise
from support.grades import ASSIGNMENT, DUE, LATE, TERM, lines_with, people_of, points, write

ON_TIME, LATE_BY_2 = "2024-02-09 20:00 UTC", "2024-02-11 20:00 UTC"
LATENESS = "Lateness (H:M:S)"
TWO_WAYS = "how late somebody was is said in two ways"


def class_of(count, automatic=(), by_hand=()):
    """``count`` people with full marks; cells of each half as functions of the person's number."""
    halves = people_of(count)
    for rows, cells in zip(halves, (dict(automatic), dict(by_hand))):
        for n, row in enumerate(rows):
            row.update({key: cell(n) for key, cell in cells.items()})
    return halves


@pytest.mark.parametrize(
    "automatic, by_hand, total, asked",
    [
        ({LATENESS: "00:00:00", "Submission Time": LATE_BY_2}, {}, "88", True),
        ({LATENESS: "47:00:00", "Submission Time": ON_TIME}, {}, "88", True),
        ({LATENESS: "36:00:00", "Submission Time": LATE_BY_2}, {}, "88", False),
        ({LATENESS: "", "Submission Time": LATE_BY_2}, {}, "88", False),
        ({"Submission Time": LATE_BY_2}, {"late_days": "0"}, "88", True),
        ({"Submission Time": LATE_BY_2}, {"late_days": "2"}, "88", False),
        ({"Submission Time": LATE_BY_2}, {"late_days": ""}, "88", False),
        ({"Submission Time": ON_TIME}, {"late_days": "1,5"}, "88", True),
        ({LATENESS: "24:00:01"}, {"late_days": "1"}, "88", True),
        ({}, {"late_days": "1", LATENESS: "30:00:00"}, "88", True),
    ],
)
def test_the_most_that_is_said_of_being_late_counts_and_a_contradiction_is_asked_about(join, automatic, by_hand, total, asked):
    cells = [{key: (lambda n, text=text: text) for key, text in half.items()} for half in (automatic, by_hand)]
    rows, summary = join(*class_of(3, *cells), DUE)
    assert {row["total"] for row in rows} == {total}
    lines = lines_with(summary, TWO_WAYS)
    assert len(lines) == asked and all("3 people" in line and line.endswith("?") for line in lines)


def test_who_is_late_in_two_ways_is_named_with_both(join):
    late = class_of(3, {LATENESS: lambda n: "0:00:00", "Submission Time": lambda n: LATE_BY_2 if n == 1 else ON_TIME})
    [line] = lines_with(join(*late, DUE)[1], TWO_WAYS)
    book = "in gradebook.csv"
    assert f" 1 person, and the most counts: P1 <p1@u.edu> (0 days by Lateness {book}, 2 days by the time of" in line
    assert f"the time of submission {book})" in line


def test_times_that_cannot_be_read_beside_gradescopes_lateness_are_asked_about(join):
    cells = {LATENESS: lambda n: "47:00:00" if n else "0:00:00", "Submission Time": lambda n: "2/11/2024 20:00"}
    rows, summary = join(*class_of(3, cells), DUE)
    assert [row["total"] for row in rows] == ["110", "88", "88"]
    [line] = lines_with(summary, "the time of submission cannot be read in 3 rows")
    assert "'2/11/2024 20:00'" in line and line.endswith("?")


@pytest.mark.parametrize("cell", ["abc", "2 days", "1:2"])
def test_a_lateness_that_cannot_be_read_is_a_problem_whatever_the_time_says(join, cell):
    [row], _ = join(*class_of(1, {LATENESS: lambda n: cell, "Submission Time": lambda n: ON_TIME}), DUE)
    assert row["total"] == f"not graded: lateness is '{cell}' in gradebook.csv row 2, expected H:M:S"


@pytest.mark.parametrize(
    "policy, automatic, by_hand, asked",
    [
        (LATE, {"Submission Time": ON_TIME}, {}, "nobody is late"),
        ("[late]\nmost_days = 4\n", {"Submission Time": ON_TIME}, {}, "nobody is late"),
        ("[late]\nbudget_days = 4\n", {"Submission Time": ON_TIME}, {}, "nobody is late"),
        (LATE, {"Submission Time": ON_TIME}, {"late_days": "1"}, "only 3 people are late"),
        (LATE, {"Submission Time": ON_TIME, LATENESS: "0:00:00"}, {}, "nobody is late"),
        (LATE, {"Submission Time": ON_TIME, LATENESS: "1:00:00"}, {}, ""),
        (LATE, {"Submission Time": ""}, {}, ""),
        (LATE, {}, {}, ""),
        (DUE, {"Submission Time": ON_TIME}, {}, ""),
        ("", {"Submission Time": ON_TIME}, {}, ""),
        ("[collaborators]\npercent = 1\n", {"Submission Time": ON_TIME}, {}, ""),
    ],
)
def test_rules_about_being_late_without_due_are_asked_about(join, policy, automatic, by_hand, asked):
    cells = [{key: (lambda n, text=text: text) for key, text in half.items()} for half in (automatic, by_hand)]
    lines = lines_with(join(*class_of(3, *cells), policy)[1], "no `due`")
    assert len(lines) == bool(asked), lines
    assert all(asked in line and "3 rows" in line and line.endswith("?") for line in lines)


@pytest.mark.parametrize("rules, asked", [("", True), ("percent_per_day = 10\n", False), ("most_days = 2\n", False)])
def test_being_late_that_costs_nothing_by_the_policy_is_asked_about(join, rules, asked):
    policy = DUE.replace("percent_per_day = 10\n", rules)
    _, summary = join(*class_of(3, {"Submission Time": lambda n: LATE_BY_2}), policy)
    said = "3 people are late, and policy.toml has neither percent_per_day nor most_days, so it costs nothing: is one missing?"
    assert (said in summary.lines) == asked


@pytest.mark.parametrize(
    "policy, automatic, by_hand, said",
    [
        (DUE, {"Submission Time": ON_TIME}, {}, "handed in on time"),
        (DUE, {"Submission Time": LATE_BY_2}, {}, "handed in 2 days late"),
        (DUE, {"Submission Time": ""}, {}, "nothing says when it was handed in"),
        (DUE, {"Submission Time": "yesterday"}, {}, "when it was handed in cannot be read"),
        (DUE, {"Submission Time": "yesterday"}, {"late_days": "3"}, "when it was handed in cannot be read"),
        (LATE, {"Submission Time": LATE_BY_2}, {}, "without `due` in the policy, nothing says whether it was late"),
        (LATE, {}, {}, "nothing says when it was handed in"),
        (LATE, {LATENESS: "0:00:00"}, {}, "handed in on time"),
        (LATE, {}, {"late_days": "0"}, "handed in on time"),
        (LATE, {}, {"late_days": "soon"}, "when it was handed in cannot be read"),
    ],
)
def test_what_is_said_of_when_an_extended_submission_came_is_true(join, policy, automatic, by_hand, said):
    cells = [{key: (lambda n, text=text: text) for key, text in half.items()} for half in (automatic, by_hand)]
    _, summary = join(*class_of(1, *cells), policy, extensions="email,days\np0@u.edu,2\n")
    assert f"extension: P0 <p0@u.edu>: 2 days (extensions.csv row 2); {said}" in summary.lines


ABOUT = "email,days,assignment\n"


@pytest.mark.parametrize(
    "used, left_out, asked",
    [
        (f"{ABOUT}p0@u.edu,2,A2\np1@u.edu,1,a2\n", ["2 rows", "about 'A2'"], "nothing in a1.csv counts"),
        (f"{ABOUT}p0@u.edu,2,A2\np1@u.edu,1,A1\n", ["1 row (2 days) about 'A2'"], ""),
        (f"{ABOUT}p0@u.edu,2,A1\np1@u.edu,1,A1\n", [], ""),
        ("email,days\np0@u.edu,\np1@u.edu,1\n", ["1 row without days (row 2)"], ""),
        ("email,days\np0@u.edu,\np1@u.edu,\n", [], "nothing in a1.csv counts"),
        ("email,days\n", [], "nothing in a1.csv counts: it has no row about a person: is it the right file?"),
        (f"{ABOUT}", [], "it has no row about a person"),
        ("email,days\np0@u.edu,0\n", [], ""),
    ],
)
def test_what_is_left_out_of_a_file_of_late_days_is_said(join, used, left_out, asked):
    _, summary = join(*people_of(3, late_days="3"), TERM, late_days=[used])
    said = lines_with(summary, "left out: a1.csv")
    assert len(said) == bool(left_out) and all(word in said[0] for word in left_out), summary.lines
    questions = lines_with(summary, "nothing in a1.csv counts")
    assert len(questions) == bool(asked) and all(asked in line and line.endswith("?") for line in questions), questions


@pytest.mark.parametrize("name", ["A1", "a1", "Homework 1"])
def test_the_name_of_another_assignment_in_the_policy_is_asked_about(join, name):
    used = f"{ABOUT}p0@u.edu,2,{name}\np1@u.edu,1,{name}\n"
    policy = TERM.replace('"A2"', f'"{name}"')
    [line] = lines_with(join(*people_of(3, late_days="3"), policy, late_days=[used])[1], "nothing in a1.csv counts")
    assert line.endswith(f"is `assignment` in policy.toml right, as {name!r}?")


def test_a_result_without_late_days_used_is_asked_about(join, tmp_path):
    join(*people_of(3))
    other = (tmp_path / "final.csv").read_text()
    for number in "123":
        other = other.replace(f",{number}.", f",9{number}.")
    [line] = lines_with(join(*people_of(3, late_days="3"), TERM, late_days=[other])[1], "nothing in a1.csv counts")
    assert line == "nothing in a1.csv counts: its 3 rows have no days: is it the right file?"


@pytest.mark.parametrize(
    "given, asked",
    [
        ("email,days\n", "it has no row about a person"),
        (f"{ABOUT}p0@u.edu,2,A3\n", "its 1 row is about 'A3'"),
        (f"{ABOUT}p0@u.edu,2,A2\n", ""),
        (f"{ABOUT}p0@u.edu,2,A3\np0@u.edu,2,A2\n", ""),
    ],
)
def test_a_file_of_extensions_of_which_nothing_counts_is_asked_about(join, given, asked):
    lines = lines_with(join(*people_of(3), TERM, extensions=given)[1], "nothing in extensions.csv counts")
    assert len(lines) == bool(asked) and all(asked in line and line.endswith("?") for line in lines), lines


@pytest.mark.parametrize(
    "used, asked",
    [
        (["email,days\np0@u.edu,2\np1@u.edu,1\np0@u.edu,2\n"], "P0 <p0@u.edu> (a1.csv row 2: 2 days, a1.csv row 4: 2 days)"),
        ([f"{ABOUT}p0@u.edu,2,A1\np0@u.edu,1,a1\n"], "P0 <p0@u.edu> (a1.csv row 2: 2 days, a1.csv row 3: 1 day)"),
        (["email,sid,days\np0@u.edu,,2\n,100,2\n"], "P0 <p0@u.edu> (a1.csv row 2: 2 days, a1.csv row 3: 2 days)"),
        ([f"{ABOUT}p0@u.edu,2,A1\n", f"{ABOUT}p1@u.edu,1,A1\np0@u.edu,2,A1\n"], "a1.csv row 2: 2 days, a2.csv row 3: 2 days"),
        ([f"{ABOUT}p0@u.edu,1,A0\np0@u.edu,1,A1\n"], ""),
        (["email,days\np0@u.edu,1\n", "email,days\np0@u.edu,1\np1@u.edu,1\n"], ""),
        (["email,days\np0@u.edu,1\np0@u.edu,0\n"], ""),
        (["email,days\np0@u.edu,1\nq@u.edu,1\nq@u.edu,1\n"], ""),
    ],
)
def test_late_days_of_one_person_that_stand_twice_are_asked_about(join, used, asked):
    lines = lines_with(join(*people_of(3, late_days="3"), TERM, late_days=used)[1], "late days used before stand in two rows")
    assert len(lines) == bool(asked) and all(asked in line and line.endswith("?") for line in lines), lines


def test_everyone_with_an_extension_or_late_days_is_listed(join):
    many = range(30)
    everyone = "email,days\n" + "".join(f"p{n}@u.edu,1\n" for n in many)
    _, summary = join(*people_of(30, late_days="3"), TERM, extensions=everyone, late_days=[everyone.replace(",1\n", ",2\n")])
    for kind in ("extension: ", "late days: "):
        assert len([line for line in summary.lines if line.startswith(kind)]) == 30
    assert not lines_with(join(*points("517"), TERM)[1], "more")


def test_two_results_of_one_name_are_both_counted(tmp_path):
    automatic, by_hand = points("517", {"late_days": "3"})
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    (tmp_path / "policy.toml").write_text(TERM)
    for n, folder in enumerate(("A0", "A1"), 1):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "final.csv").write_text(f"email,late days used\nada@u.edu,{n}\n")
    before = tuple(tmp_path / folder / "final.csv" for folder in ("A0", "A1"))
    summary = finalise(ASSIGNMENT, Inputs(book, sheet, tmp_path / "policy.toml", None, before), tmp_path / "f.csv")
    [line] = lines_with(summary, "late days: ")
    assert "3 days used before" in line and "A0/final.csv row 2" in line and "A1/final.csv row 2" in line
    assert not lines_with(summary, "in two rows")
