"""Both halves become one grade: nothing is lost, nothing is guessed, and every number names its source."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.written.finalise import finalise
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")
AUTOMATIC, BY_HAND = [q.id for q in ASSIGNMENT.questions], [i.id for i in ASSIGNMENT.written.items]
ADA = {"name": "Ada L.", "email": "ada@u.edu", "sid": "11", "course": "517"}


def points(course, *changes, **more):
    """One person's full marks in both files, with some cells changed."""
    automatic = {**ADA, "course": course, "Status": "graded", **{q.id: f"{q.points[course]:g}" for q in ASSIGNMENT.questions}}
    by_hand = {
        "email": ADA["email"],
        "sid": ADA["sid"],
        "collaborators": "yes",
        "late_days": "",
        **dict.fromkeys(BY_HAND, "full"),
    }
    for change in changes:
        for row in (automatic, by_hand):
            row.update({k: v for k, v in change.items() if k in row})
    return [automatic], [by_hand | more]


def write(path, rows):
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), newline="")
    return path


@pytest.fixture
def join(tmp_path):
    """``join(gradebook rows, manual rows, policy text)`` -> (rows of the result, summary)."""

    def run(automatic, by_hand, policy=""):
        rules = tmp_path / "policy.toml"
        rules.write_text(policy)
        summary = finalise(
            ASSIGNMENT,
            write(tmp_path / "gradebook.csv", automatic),
            write(tmp_path / "manual.csv", by_hand),
            rules if policy else None,
            tmp_path / "final.csv",
        )
        with open(tmp_path / "final.csv", newline="") as file:
            return list(csv.DictReader(file)), summary

    return run


@pytest.mark.parametrize("course, total, out_of, extra", [("517", "110", "110", ""), ("447", "105", "100", "5")])
def test_full_marks_in_both_halves_are_the_handouts_totals(join, course, total, out_of, extra):
    [row], summary = join(*points(course))
    assert (row["total"], row["out of"], row["extra credit"]) == (total, out_of, extra)
    assert row["status"] == "graded" and summary.ungraded == 0


def test_words_and_numbers_become_points_and_half_credit_on_447s_half_point_is_a_quarter(join):
    [row], _ = join(*points("447", {"1.4.1.rationale": "half", "1.4.3": "0.5", "2.2.results": "none"}))
    assert (row["1.4.1.rationale"], row["1.4.3"], row["2.2.results"]) == ("0.25", "0.5", "0")
    assert (row["part 1.4"], row["part 2.2"], row["total"]) == ("4.25", "13", "97.25")


def test_every_number_names_its_source(join):
    [row], _ = join(*points("517", {"collaborators": "no"}))
    assert (row["autograded from"], row["read from"]) == ("gradebook.csv row 2", "manual.csv row 2")
    assert row["collaborators"] == "'-2.2" or row["collaborators"] == "-2.2"
    assert row["total"] == "107.8" and "2 % of 110 (rubric.toml [writeup]; manual.csv row 2)" in row["rules"]


def test_late_days_cost_what_the_policy_says_and_nothing_without_a_policy(join):
    late = points("517", {"late_days": "2"})
    [row], _ = join(*late)
    assert row["total"] == "110" and "no rule in a policy file, nothing taken off" in row["rules"]
    [row], _ = join(*late, "[late]\npercent_per_day = 10\nfree_days = 1\n")
    assert row["total"] == "99" and "late: 2 days, 1 free: 1 x 10 % of 110 (policy.toml [late]" in row["rules"]
    [row], _ = join(*late, "[late]\nmost_days = 1\n")
    assert row["total"] == "0" and "nothing counts" in row["rules"]


def test_gradescopes_lateness_is_rounded_up_to_days(join):
    automatic, by_hand = points("517")
    automatic[0]["Lateness (H:M:S)"] = "24:00:01"
    [row], _ = join(automatic, by_hand, "[late]\npercent_per_day = 10\n")
    assert row["total"] == "88"


def test_someone_in_only_one_file_is_reported_and_never_gets_a_number(join):
    automatic, by_hand = points("517")
    rows, summary = join(
        [*automatic, {**automatic[0], "name": "Bo", "email": "bo@u.edu", "sid": "12"}],
        [*by_hand, {**by_hand[0], "email": "cy@u.edu", "sid": "13"}],
    )
    totals = {row["email"]: row["total"] for row in rows}
    assert totals == {
        "ada@u.edu": "110",
        "bo@u.edu": "not graded: only in gradebook.csv: no row in manual.csv",
        "cy@u.edu": "not graded: only in manual.csv: no row in gradebook.csv; "
        "no course: expected 447 or 517 in the column course",
    }
    assert summary.ungraded == 2


def test_an_empty_or_invalid_cell_is_not_a_zero(join):
    for change, says in (
        ({"1.2.1": ""}, "1.2.1 is empty"),
        ({"1.2.3": ""}, "1.2.3 is empty"),
        ({"1.2.3": "3"}, "has 3 of at most 2 points"),
        ({"1.2.1": "not graded: no file"}, "not graded: no file"),
        ({"1.2.3": "-1"}, "expected a number or full, half, none"),
        ({"1.2.3": "nan"}, "expected a number"),
        ({"1.2.1": "1e9"}, "expected a number"),
        ({"1.2.3": "0,5,1"}, "expected a number"),
        ({"collaborators": "perhaps"}, "expected yes or no"),
    ):
        [row], _ = join(*points("517", change))
        assert row["total"].startswith("not graded: ") and says in row["total"], (change, row["total"])


def test_the_gradebooks_own_reason_is_kept(join):
    [row], _ = join(*points("517", {"1.2.1": "", "Status": "not graded: nothing to grade"}))
    assert row["total"] == "not graded: gradebook.csv row 2 says nothing to grade"
    [row], _ = join(*points("517", dict.fromkeys(BY_HAND, "")))
    assert row["total"] == "not graded: manual.csv row 2 has no points in it" and row["autograded"] and not row["read"]
    [row], _ = join(*points("517", dict.fromkeys(BY_HAND[:5], "")))
    assert row["total"] == "not graded: 1.2.1.rationale, 1.2.2.rationale, 1.2.3 and 2 more are empty"


def test_people_are_matched_by_address_or_number_and_conflicts_are_reported_not_guessed(join):
    automatic, by_hand = points("517")
    [row], _ = join(automatic, [{**by_hand[0], "email": ""}])
    assert row["total"] == "110"
    [row], _ = join(automatic, [{**by_hand[0], "email": "ADA@u.edu ", "sid": ""}])
    assert row["total"] == "110"
    [row], _ = join(automatic, [{**by_hand[0], "sid": "99"}])
    assert "sid is 11 in gradebook.csv row 2 and 99 in manual.csv row 2" in row["total"]
    [row], _ = join(automatic, [by_hand[0], by_hand[0]])
    assert "2 rows for this person in manual.csv" in row["total"]


def test_gradescopes_own_headers_are_understood(join):
    automatic, by_hand = points("517")
    renamed = {
        f"{n}: {k} (2.0 pts)" if k in BY_HAND else {"sid": "SID", "email": "Email"}.get(k, k): v
        for n, (k, v) in enumerate(by_hand[0].items(), 1)
    }
    short = {{"3.Q1.1": "Q1.1", "1.2.3": "1.2.3 What is selecting good for?"}.get(k, k): v for k, v in by_hand[0].items()}
    for manual in (renamed, short):
        assert join(automatic, [manual])[0][0]["total"] == "110"


@pytest.mark.parametrize("name", ['=HYPERLINK("http://x")', "+1", "-1", "@SUM(A1)", "\t=1", "a\u202eb", "x\r\n=1"])
def test_no_cell_becomes_a_formula(join, name):
    automatic, by_hand = points("517")
    rows, _ = join([{**automatic[0], "name": name}], by_hand)
    for value in rows[0].values():
        assert not value.startswith(("=", "+", "@", "\t", "\r"))
        assert not value.startswith("-") or re.fullmatch(r"-[\d.]+", value)
        assert "\n" not in value and "\u202e" not in value


@pytest.mark.parametrize(
    "policy, says",
    [
        ("[late]\npercent_per_dya = 10", "unknown rule late.percent_per_dya"),
        ("[lat]", "unknown rule lat;"),
        ("late = 3", "expected [late] with percent_per_day or free_days"),
        ("[late]", "expected [late] with"),
        ("[late]\npercent_per_day = 'ten'", "should be a number"),
        ("[late]\npercent_per_day = -1", "a number from 0 to 100, not -1"),
        ("x", "cannot use"),
        ("[late]\npercent_per_day = 150", "a number from 0 to 100, not 150"),
        ("[collaborators]\npercent = 101", "from 0 to 100"),
        ("[late]\nfree_days = 1.5", "a whole number of days"),
        ("[course]\ndefault = '999'", "should be 447 or 517, not 999"),
    ],
)
def test_a_policy_with_a_typo_costs_nobody_points(join, policy, says):
    with pytest.raises(GraderError, match=re.escape(says)):
        join(*points("517"), policy)


def test_unusable_files_are_one_line_errors(tmp_path):
    good = write(tmp_path / "gradebook.csv", points("517")[0])
    for name, text, says in (
        ("empty.csv", "", "is empty"),
        ("who.csv", "a,b\n1,2\n", "no column email or sid"),
        ("items.csv", "email\nx\n", "no column is an item"),
        ("twice.csv", "email,Email,1.2.3\n", "two columns for email"),
        ("binary.csv", "\0\0,\1", ""),
    ):
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "autograder", "finalise", good, tmp_path / name, "--output", tmp_path / "f.csv"],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=dict(os.environ),
        )
        assert done.returncode == 2 and len(done.stderr.strip().split("\n")) == 1 and says in done.stderr, done.stderr


def test_the_sheet_that_make_rubric_writes_can_be_filled_and_joined(join, tmp_path):
    from autograder.written.render import sheet

    header = next(csv.reader([sheet(ASSIGNMENT)]))
    by_hand = {
        **dict.fromkeys(header, "full"),
        "email": "ada@u.edu",
        "sid": "",
        "name": "",
        "collaborators": "yes",
        "late_days": "",
    }
    [row], summary = join(points("517")[0], [by_hand])
    assert row["total"] == "110" and summary.lines == ["1 graded, 0 not graded"]


def test_the_same_input_gives_the_same_bytes_readable_only_by_the_owner(join, tmp_path):
    join(*points("517"))
    first = (tmp_path / "final.csv").read_bytes()
    join(*points("517"))
    assert (tmp_path / "final.csv").read_bytes() == first and (tmp_path / "final.csv").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_tabs_and_decimal_commas_make_no_difference(join, tmp_path, delimiter):
    automatic, by_hand = points("517", {"1.2.3": "0,5"})
    write(tmp_path / "gradebook.csv", automatic)
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([list(by_hand[0]), list(by_hand[0].values())])
    (tmp_path / "manual.csv").write_text(text.getvalue(), newline="")
    finalise(ASSIGNMENT, tmp_path / "gradebook.csv", tmp_path / "manual.csv", None, tmp_path / "final.csv")
    [row] = csv.DictReader(io.StringIO((tmp_path / "final.csv").read_text()))
    assert (row["1.2.3"], row["total"]) == ("0.5", "108.5")


@pytest.mark.parametrize(
    "titles",
    [
        ("Setup", "Results", "Interpretation"),
        ("2.2 Setup", "2.2: Results", "§2.2 Interpretation"),
        ("1: 2.2 Setup (6.0 pts)", "2.1: Results (7.0 pts)", "2.2: Interpretation (7.0 pts)"),
    ],
)
def test_gradescope_questions_may_be_named_after_the_templates_headings(join, titles):
    automatic, by_hand = points("517")
    named = dict(zip(("2.2.setup", "2.2.results", "2.2.interpretation"), titles))
    [row], summary = join(automatic, [{named.get(k, k): v for k, v in by_hand[0].items()}])
    assert row["total"] == "110" and summary.lines == ["1 graded, 0 not graded"]


def test_an_unknown_title_is_named_when_an_item_is_missing(join):
    automatic, by_hand = points("517")
    _, summary = join(automatic, [{"Report" if k == "2.2.setup" else k: v for k, v in by_hand[0].items()}])
    assert summary.lines[0] == "manual.csv has no column for 2.2.setup; no item is called Report"


def test_two_courses_for_one_person_are_reported_and_neither_is_chosen(join):
    automatic, by_hand = points("517")
    [row], summary = join(automatic, [{**by_hand[0], "course": "447"}])
    assert (
        row["total"] == "not graded: course is 517 in gradebook.csv row 2 and 447 in manual.csv row 2" and summary.ungraded == 1
    )
    [row], _ = join(automatic, [{**by_hand[0], "course": "CSE 517 B"}])
    assert row["total"] == "110"


def test_no_input_is_overwritten_and_none_is_read_twice(tmp_path):
    automatic, by_hand = points("517")
    book, sheet, rules = (
        write(tmp_path / "gradebook.csv", automatic),
        write(tmp_path / "manual.csv", by_hand),
        tmp_path / "policy.toml",
    )
    rules.write_text("[late]\npercent_per_day = 10\n")
    (tmp_path / "link.csv").symlink_to(sheet)
    before = {path: path.read_bytes() for path in (book, sheet, rules)}
    for output, says in (
        (book, "is the gradebook"),
        (sheet, "is the graders' sheet"),
        (rules, "is the policy"),
        (tmp_path / "link.csv", "is the graders' sheet"),
    ):
        with pytest.raises(GraderError, match=says):
            finalise(ASSIGNMENT, book, sheet, rules, output)
    with pytest.raises(GraderError, match="named twice, as gradebook and as graders' sheet"):
        finalise(ASSIGNMENT, book, book, None, tmp_path / "final.csv")
    assert {path: path.read_bytes() for path in before} == before and not (tmp_path / "final.csv").exists()


def test_an_output_that_cannot_be_written_is_a_one_line_error(tmp_path):
    automatic, by_hand = points("517")
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    (tmp_path / "folder").mkdir()
    for output in (tmp_path / "folder", book / "final.csv", Path("/proc/final.csv")):
        with pytest.raises(GraderError, match=r"^cannot write [^\n]*$") as refused:
            finalise(ASSIGNMENT, book, sheet, None, output)
        assert str(refused.value).count(str(output)) == 1
    with pytest.raises(GraderError, match=r"^cannot read .*absent\.csv: No such file or directory$"):
        finalise(ASSIGNMENT, book, tmp_path / "absent.csv", None, tmp_path / "final.csv")


def test_the_documented_policy_is_valid_and_costs_what_it_says(join):
    (example,) = re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "written.md").read_text(), re.DOTALL)
    [row], _ = join(*points("517", {"late_days": "3", "collaborators": "no"}), example)
    assert (row["late"], row["collaborators"], row["total"]) == ("-22", "-2.2", "85.8")
    automatic, by_hand = points("447")
    [row], _ = join([{**automatic[0], "course": ""}], [{**by_hand[0], "late_days": "5"}], example)
    assert (row["course"], row["total"]) == ("447", "0") and "5 days, more than 4: nothing counts" in row["rules"]


def test_a_rationale_without_attention_voids_its_question_and_says_so(join):
    [row], summary = join(*points("517", {"1.2.1.rationale": "void", "1.4.2.rationale": "Void"}))
    assert (row["1.2.1.rationale"], row["1.2.1"], row["1.4.2"], row["1.2.2"]) == ("0", "0", "0", "3")
    assert (row["total"], row["autograded"], row["part 1.2"], row["part 1.4"]) == ("102", "52", "6", "6")
    assert row["voided"] == "1.2.1 (3), 1.4.2 (3)"
    assert (
        "1.2.1: void, 3 autograded points do not count: No reason, or none that refers to attention's mechanism "
        "(1.2.1.rationale; manual.csv row 2)" in row["rules"]
    )
    assert "void: Ada L.: 1.2.1 (3), 1.4.2 (3)" in summary.lines


def test_void_takes_extra_credit_where_the_points_are_extra_credit(join):
    [row], _ = join(*points("447", {"1.4.1.rationale": "void"}))
    assert (row["1.4.1"], row["extra credit"], row["voided"], row["total"]) == ("0", "3", "1.4.1 (1.5)", "103")


def test_a_wrong_rationale_about_attention_leaves_the_autograded_points(join):
    [row], summary = join(*points("517", {"1.2.1.rationale": "none"}))
    assert (row["1.2.1.rationale"], row["1.2.1"], row["voided"]) == ("0", "3", "")
    assert not any(line.startswith("void") for line in summary.lines)


def test_void_of_a_question_that_earned_nothing_is_listed_and_costs_nothing_more(join):
    [row], _ = join(*points("517", {"1.2.1.rationale": "void", "1.2.1": "0"}))
    assert (row["1.2.1"], row["voided"], row["total"]) == ("0", "1.2.1 (0)", "106")


def test_void_does_not_turn_a_missing_score_into_a_number(join):
    [row], _ = join(*points("517", {"1.2.1.rationale": "void", "1.2.1": ""}))
    assert row["total"].startswith("not graded") and row["1.2.1"] == ""


@pytest.mark.parametrize("item", [i for i in BY_HAND if not i.endswith(".rationale")][:3])
def test_only_rationales_can_be_void(join, item):
    [row], _ = join(*points("517", {item: "void"}))
    assert row["total"] == f"not graded: {item} is 'void', expected a number or full, half, none"


def test_every_text_says_what_a_rationale_without_attention_costs():
    voiding = {item.id: item.voids for item in ASSIGNMENT.written.items if item.voids}
    assert voiding == {f"{id}.rationale": id for id in ("1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2")}
    rule = next(rule for rule in ASSIGNMENT.written.rules if "has to refer to how attention works" in rule)
    assert "mark it `void`" in rule and "takes the autograder's points" in rule
    handout = " ".join((ROOT / "solutions" / "README.student.md").read_text().split())
    assert "earns nothing at all: the autograder's points for it are taken away, even if the numbers are right" in handout
    assert "the question earns nothing, even if its check passes" in (ROOT / "solutions" / "A2S1.ipynb").read_text()
    assert "takes the autograder's points for that question too" in " ".join((ROOT / "docs" / "written.md").read_text().split())


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('voids = "1.2.1"', 'voids = "1.2.7"', r"manual 1.2.1.rationale: voids: no question '1.2.7'"),
        ('voids = "1.2.1"\n', "", "need each other"),
    ],
)
def test_a_rubric_that_voids_nothing_is_refused(tmp_path, old, new, says):
    folder = tmp_path / "assignment"
    shutil.copytree(ROOT / "assignment", folder, ignore=shutil.ignore_patterns("__pycache__"))
    rubric = (folder / "rubric.toml").read_text()
    assert old in rubric
    (folder / "rubric.toml").write_text(rubric.replace(old, new, 1))
    with pytest.raises(GraderError, match=says):
        load_assignment(folder)
