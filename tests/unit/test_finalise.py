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
from autograder.core.verdict import NO_FILE
from autograder.written.finalise import Inputs, finalise
from support.grades import ABSENT, ASSIGNMENT, AUTOMATIC, BY_HAND, DUE, LATE, TERM, lines_with, people_of, points, write
from support.project import ROOT, TOY


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
        ({"1.2.3": "-1"}, "less than 0"),
        ({"1.2.3": "nan"}, "expected a number"),
        ({"1.2.1": "1e9"}, "expected plain digits"),
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
    assert row["total"] == "not graded: 1.2.1.rationale, 1.2.2.rationale, 1.2.3, … and 2 more are empty"


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
        "absent": "",
        "collaborators": "yes",
        "late_days": "",
        "comment": "",
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
    finalise(ASSIGNMENT, Inputs(tmp_path / "gradebook.csv", tmp_path / "manual.csv"), tmp_path / "final.csv")
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
    assert summary.lines[0] == "manual.csv has no column for 2.2.setup; nothing reads Report"


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
            finalise(ASSIGNMENT, Inputs(book, sheet, rules), output)
    with pytest.raises(GraderError, match="named twice, as gradebook and as graders' sheet"):
        finalise(ASSIGNMENT, Inputs(book, book), tmp_path / "final.csv")
    assert {path: path.read_bytes() for path in before} == before and not (tmp_path / "final.csv").exists()


def test_an_output_that_cannot_be_written_is_a_one_line_error(tmp_path):
    automatic, by_hand = points("517")
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    (tmp_path / "folder.csv").mkdir()
    for output in (tmp_path / "folder.csv", book / "final.csv", Path("/proc/final.csv")):
        with pytest.raises(GraderError, match=r"^cannot write [^\n]*$") as refused:
            finalise(ASSIGNMENT, Inputs(book, sheet), output)
        assert str(refused.value).count(str(output)) == 1
    with pytest.raises(GraderError, match=r"^cannot read .*absent\.csv: No such file or directory$"):
        finalise(ASSIGNMENT, Inputs(book, tmp_path / "absent.csv"), tmp_path / "final.csv")


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
    assert "void: Ada L. <ada@u.edu>: 1.2.1 (3), 1.4.2 (3)" in summary.lines


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
    assert row["total"] == f"not graded: {item} in manual.csv row 2 is 'void', expected a number or full, half, none"


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


NO_SHOW, EMPTY = "not graded: not submitted: the folder has no submission of theirs", f"not graded: {NO_FILE}"


@pytest.mark.parametrize("status", [NO_SHOW, EMPTY, "Missing", f"{EMPTY}; …"])
def test_who_submitted_nothing_gets_a_zero_only_where_staff_say_so(join, status):
    automatic, by_hand = points("517", dict.fromkeys(AUTOMATIC + BY_HAND, ""), {"Status": status})
    [row], summary = join(automatic, by_hand)
    assert row["total"].startswith("not graded: ") and summary.ungraded == 1
    for sheet, policy in ((by_hand, ABSENT), ([{**by_hand[0], "absent": "Yes"}], "")):
        [row], summary = join(automatic, sheet, policy)
        assert (row["total"], row["autograded"], row["read"], row["status"]) == ("0", "0", "0", "graded")
        assert summary.lines[0].startswith("zero: Ada L. <ada@u.edu>: autograded half: ") and "written half: " in row["rules"]


def test_a_zero_of_one_half_takes_nothing_from_the_other(join):
    automatic, by_hand = points("517", dict.fromkeys(AUTOMATIC, ""), {"Status": NO_SHOW})
    [row], _ = join(automatic, by_hand, ABSENT)
    assert (row["total"], row["autograded"], row["read"]) == ("52", "0", "52")
    [row], summary = join(points("517")[0], [{**by_hand[0], "absent": "yes"}])
    assert row["total"] == "110", "what is filled in stays, whatever the word says"
    assert not any(line.startswith("zero") for line in summary.lines) and "zero" not in row["rules"]
    assert any(line.startswith("points stay: Ada L. <ada@u.edu>: autograded half: absent") for line in summary.lines)


@pytest.mark.parametrize(
    "status",
    ["not graded: nothing to grade: A2S1.ipynb is damaged", "not graded yet", "graded", "not graded: 1.2.1 did not run"],
)
def test_what_was_submitted_but_not_graded_never_becomes_a_zero(join, status):
    [row], summary = join(*points("517", dict.fromkeys(AUTOMATIC, ""), {"Status": status}), ABSENT)
    assert row["total"].startswith("not graded: ") and summary.ungraded == 1 and not row["autograded"]


def test_a_no_show_needs_a_row_in_one_file_only(join):
    automatic, by_hand = points("517")
    gone = {
        **automatic[0],
        **dict.fromkeys(AUTOMATIC, ""),
        "name": "Ada L.",
        "email": "bo@u.edu",
        "sid": "12",
        "Status": NO_SHOW,
    }
    rows, summary = join([*automatic, gone], by_hand, ABSENT)
    assert {row["email"]: row["total"] for row in rows} == {"ada@u.edu": "110", "bo@u.edu": "0"}
    assert [line.split(":")[1] for line in summary.lines if line.startswith("zero")] == [" Ada L. <bo@u.edu>"]


@pytest.mark.parametrize("word", ["perhaps", "excused"])
def test_an_unknown_word_for_absent_is_no_zero(join, word):
    automatic, by_hand = points("517", dict.fromkeys(BY_HAND, ""))
    [row], _ = join(automatic, [{**by_hand[0], "absent": word}])
    assert f"absent is '{word}' in manual.csv row 2, expected yes or no" in row["total"]


@pytest.mark.parametrize(
    "days, policy, extensions, used, total, used_now, says",
    [
        (
            "3",
            LATE,
            "email,days\nADA@u.edu,2\n",
            (),
            "99",
            "",
            "3 days, 2 days of extension (extensions.csv row 2): 1 x 10 % of 110",
        ),
        ("3", LATE, "sid;days\n11;5\n", (), "110", "", "nothing taken off"),
        ("3", LATE, "email,days\nbo@u.edu,2\n", (), "77", "", "3 x 10 %"),
        (
            "3",
            TERM,
            "email,days,assignment\nada@u.edu,2,A1\nada@u.edu,1,a2\n",
            (),
            "110",
            "2",
            "2 covered by the term's 4 days",
        ),
        (
            "3",
            TERM,
            "",
            ("email,late days used\nada@u.edu,3\n",),
            "88",
            "1",
            "1 covered by the term's 4 days, 3 used before (a1.csv row 2)",
        ),
        ("3", TERM, "", ("sid,late days\n11,3\n", "sid,days\n11,4\n"), "77", "0", "7 used before (a1.csv row 2, a2.csv row 2)"),
        (
            "3",
            TERM,
            "",
            ("email,days,assignment\nada@u.edu,3,A1\nada@u.edu,2,A2\n",),
            "88",
            "1",
            "3 used before (a1.csv row 2)",
        ),
        ("5", f"{LATE}most_days = 4\nbudget_days = 9\n", "", (), "0", "", "5 days, more than 4: nothing counts"),
        (
            "5",
            f"{LATE}most_days = 4\nbudget_days = 9\n",
            "email,days\nada@u.edu,1\n",
            (),
            "110",
            "4",
            "4 covered by the term's 9 days",
        ),
    ],
)
def test_extensions_and_the_terms_late_days_count_with_their_reasons(
    join, days, policy, extensions, used, total, used_now, says
):
    [row], _ = join(*points("517", {"late_days": days}), policy, extensions=extensions, late_days=used)
    assert (row["total"], row["late days used"]) == (total, used_now) and says in row["rules"], row["rules"]


def test_a_final_sheet_is_the_next_assignments_list_of_late_days(join, tmp_path):
    join(*points("517", {"late_days": "3"}), TERM)
    own = (tmp_path / "final.csv").read_text()
    before = re.sub(r"\b[123]\.(?=[\dQ]|[a-z])", "9.", own)  # of an assignment with other questions
    [row], _ = join(*points("517", {"late_days": "3"}), TERM, late_days=[before])
    assert (row["late days used"], row["total"]) == ("1", "88")
    with pytest.raises(GraderError, match="is this assignment's own result: its late days would be counted twice"):
        join(*points("517", {"late_days": "3"}), TERM, late_days=[own])


@pytest.mark.parametrize(
    "extensions, used, policy, says",
    [
        ("email,days\nada@u.edu,two\n", (), LATE, "extensions.csv row 2: days is 'two', expected a whole number"),
        ("email,days\nada@u.edu,-1\n", (), LATE, "days is '-1'"),
        ("email,days\nada@u.edu,\n", (), LATE, "extensions.csv row 2: days is empty"),
        ("email,days,assignment\nada@u.edu,A2,3\n", (), TERM, "are the two swapped?"),
        ("email,until\nada@u.edu,2\n", (), LATE, "expected the columns email or sid, and days"),
        ("name,days\nAda,2\n", (), LATE, "expected the columns email or sid, and days"),
        ("name,email,days\nAda,,2\n", (), LATE, "whose 2 days are these"),
        ("email,days,assignment\nada@u.edu,2,A2\n", (), LATE, "say in the policy what this one is called there"),
        ("", ("email,days\nada@u.edu,2\n",), LATE, "[late] budget_days"),
        ("email,late days used\nada@u.edu,2\n", (), TERM, "does it belong after --late-days?"),
        ("SID;Late Days\n11;2\n", (), TERM, "does it belong after --late-days?"),
        ("", ("email,Extension Days\nada@u.edu,2\n",), TERM, "does it belong after --extensions?"),
    ],
)
def test_days_that_cannot_be_used_are_refused_in_one_line(join, extensions, used, policy, says):
    with pytest.raises(GraderError, match=re.escape(says)) as refusal:
        join(*points("517"), policy, extensions=extensions, late_days=used)
    assert "\n" not in str(refusal.value)


def test_an_extension_for_nobody_is_listed_and_two_for_one_person_are_not_added(join):
    _, summary = join(*points("517"), LATE, extensions="email,days\nad@u.edu,2\n")
    said = "no extension given: extensions.csv row 2: ad@u.edu is in neither file; did you mean 'ada@u.edu'?"
    assert summary.lines[-2] == said and summary.nobodys and not summary.ungraded
    _, summary = join(*points("517"), LATE, extensions="email,days\nnobody@u.edu,2\n")
    assert summary.lines[-2].endswith("nobody@u.edu is in neither file")
    [row], _ = join(*points("517"), LATE, extensions="email,sid,days\nada@u.edu,,2\n,11,3\n")
    assert row["total"] == "not graded: several extensions: extensions.csv row 2, extensions.csv row 3"


@pytest.mark.parametrize("about", ["a2 code", "A3", "Assignment 2"])
def test_extensions_for_what_is_called_otherwise_are_said_to_be_left_out(join, about):
    policy = '[course]\nassignment = "A2"\n' + LATE
    _, summary = join(*points("517"), policy, extensions=f"email,days,assignment\nada@u.edu,2,{about}\n")
    [line] = lines_with(summary, f"left out: extensions.csv: 1 row about '{about}'; this assignment is called 'A2: ")
    assert line.endswith("or 'A2'")


@pytest.mark.parametrize("late, said", [("3", "handed in 3 days late"), ("", "nothing says when it was handed in")])
def test_whoever_is_given_an_extension_is_listed(join, late, said):
    _, summary = join(*points("517", {"late_days": late}), LATE, extensions="email,days\nada@u.edu,2\n")
    assert f"extension: Ada L. <ada@u.edu>: 2 days (extensions.csv row 2); {said}" in summary.lines
    assert not summary.nobodys


@pytest.mark.parametrize(
    "time, total",
    [
        ("2024-02-10 07:59:00.000000000 Z", "110"),
        ("2024-02-10 07:59:01.000000000 Z", "99"),
        ("2024-02-09 23:59:00.000000000 -08:00", "110"),
        ("2024-02-11 08:00:00 -0800", "88"),
        ("2024-02-10 08:00", "not graded: the time of submission is '2024-02-10 08:00' in gradebook.csv row 2, expected …"),
        ("", "110"),
        (
            "yesterday",
            "not graded: the time of submission is 'yesterday' in gradebook.csv row 2, expected it with its time zone, as in …",
        ),
        ("2024-02-31 08:00", "not graded: the time of submission is '2024-02-31 08:00' in gradebook.csv row 2, expected …"),
    ],
)
def test_the_time_of_submission_says_how_late_it_is_if_the_policy_says_when_it_was_due(join, time, total):
    automatic, by_hand = points("517")
    automatic[0]["Submission Time"] = time
    [row], _ = join(automatic, by_hand, DUE)
    assert row["total"].startswith(total.rstrip("…"))
    [row], _ = join(automatic, by_hand)
    assert row["total"] == "110"


@pytest.mark.parametrize(
    "gradebook, manual, says",
    [
        ("by hand", "automatic", "gradebook.csv has the other half's items: name the gradebook first, then the graders' sheet"),
        ("result", "by hand", "gradebook.csv is a result of `finalise`"),
        ("automatic", "result", "manual.csv is a result of `finalise`"),
    ],
)
def test_swapped_files_and_results_are_no_halves(join, gradebook, manual, says):
    automatic, by_hand = points("517")
    result, _ = join(automatic, by_hand)
    files = {"automatic": automatic, "by hand": by_hand, "result": result}
    with pytest.raises(GraderError, match=re.escape(says)):
        join(files[gradebook], files[manual])


def test_two_files_of_different_classes_are_said_to_be(join):
    automatic, by_hand = points("517")
    with pytest.raises(GraderError, match=r"^nobody in gradebook\.csv is in manual\.csv"):
        join(automatic, [{**by_hand[0], "email": "x@u.edu", "sid": "12"}])
    assert not any("nobody in" in line for line in join(automatic, by_hand)[1].lines)


def test_it_is_said_how_many_lose_something_by_being_late_and_asked_whether_that_can_be_if_most_do(join):
    _, summary = join(*people_of(5), LATE)
    assert not any(line.startswith("late:") for line in summary.lines)
    automatic, by_hand = people_of(5)
    _, summary = join(automatic, [row | {"late_days": "3" if n == 0 else ""} for n, row in enumerate(by_hand)], LATE)
    [line] = [line for line in summary.lines if line.startswith("late:")]
    assert line.startswith("late: 1 person loses up to ") and "is `due`" not in line
    _, summary = join(*people_of(5, late_days="3"), LATE)
    assert any(line.startswith("late: 5 people lose") and "is `due` in the policy right?" in line for line in summary.lines)


def test_a_mistyped_address_is_shown_beside_the_other_person_of_that_name(join):
    automatic, by_hand = people_of(2)
    by_hand = [row | {"name": f"P{n}", "course": "517"} for n, row in enumerate(by_hand)]
    by_hand[1] |= {"email": "q1@u.edu", "sid": ""}
    _, summary = join(automatic, by_hand)
    lines = [line for line in summary.lines if line.startswith("not graded: P1 <q1@u.edu>")]
    assert lines, summary.lines
    assert lines[0].endswith("is this P1 <p1@u.edu>, of the same name?")


def test_a_number_that_a_spreadsheet_rounded_is_refused_in_a_sheet_too(join):
    automatic, by_hand = points("517")
    with pytest.raises(GraderError, match="was rounded by a spreadsheet program"):
        join(automatic, [row | {"sid": "1.9E+06"} for row in by_hand])


def test_a_number_in_quotes_is_shown_with_them(join):
    with pytest.raises(GraderError, match='should be a number from 0 to 100, not "10", in quotes'):
        join(*points("517"), '[late]\npercent_per_day = "10"\n')


def test_an_assignment_without_a_written_half_is_finalised_from_its_gradebook(join, tmp_path):
    toy = load_assignment(TOY / "assignment")
    automatic = [
        {"Name": "'t Hooft", "Email": "g@u.edu", "SID": "1", "Course": "", "Status": "graded", "1.add": "2", "1.mean": "1"}
    ]
    [row], summary = join(automatic, None, assignment=toy)
    assert (row["name"], row["total"], row["out of"], row["autograded"], row["read"]) == ("'t Hooft", "3", "5", "3", "")
    assert summary.lines == ["1 graded, 0 not graded"]
    automatic[0]["Lateness (H:M:S)"] = "30:00:00"
    [row], _ = join(automatic, [{"email": "g@u.edu", "collaborators": "yes", "late_days": "1"}], LATE, assignment=toy)
    assert row["total"] == "2.4"
    with pytest.raises(GraderError, match="this assignment has a written half: name the graders' sheet"):
        join(points("517")[0], None)


def test_who_has_no_time_of_submission_is_named_where_the_policy_asks_for_one(join):
    automatic, by_hand = people_of(3)
    timed = [row | {"Submission Time": "2024-02-09 20:00 UTC" if n else ""} for n, row in enumerate(automatic)]
    rows, summary = join(timed, by_hand, DUE)
    assert [line for line in summary.lines if "no time of submission" in line] == [
        "no time of submission, so they count as on time: P0 <p0@u.edu>"
    ]
    assert ["no time of submission" in row["rules"] for row in rows] == [True, False, False]
    assert not any("no time" in line for line in join(timed, by_hand)[1].lines)
    stated = [row | {"late_days": "0"} for row in by_hand]
    assert not any("no time" in line for line in join(timed, stated, DUE)[1].lines)


@pytest.mark.parametrize("name, asked", [("Ben Kaur", True), ("L., Ada", False), ("Áda Lovelace", False), ("", False)])
def test_points_beside_somebody_elses_address_are_asked_about(join, name, asked):
    automatic, by_hand = points("517")
    automatic[0]["name"] = "Ada Lovelace"
    _, summary = join(automatic, [by_hand[0] | {"name": name.replace("L.", "Lovelace")}])
    assert bool(lines_with(summary, "one person? Ada Lovelace in gradebook.csv row 2")) == asked


@pytest.mark.parametrize("given, asked", [("1", True), ("", False)])
def test_a_gradebook_from_before_points_were_changed_is_asked_about(join, given, asked):
    automatic, by_hand = people_of(2)
    _, summary = join([row | {"Max Points": given} for row in automatic], by_hand)
    assert bool(lines_with(summary, "Max Points are 1 in the gradebook (2 rows) and ")) == asked
    right = f"{ASSIGNMENT.max_points('517')[0]:g}"
    assert not lines_with(join([row | {"Max Points": right} for row in automatic], by_hand)[1], "Max Points")


@pytest.mark.parametrize("time, asked", [("2023-02-09 20:00 UTC", True), ("2024-02-09 20:00 UTC", False)])
def test_a_due_date_long_after_the_last_submission_is_asked_about(join, time, asked):
    automatic, by_hand = people_of(3)
    _, summary = join([row | {"Submission Time": time} for row in automatic], by_hand, DUE)
    assert bool(lines_with(summary, "days before `due`: is its date right (policy.toml)?")) == asked


def test_a_sheet_that_is_empty_for_most_is_asked_about(join):
    automatic, by_hand = people_of(6)
    empty = [row | dict.fromkeys(BY_HAND, "") if n else row for n, row in enumerate(by_hand)]
    _, summary = join(automatic, empty, ABSENT)
    assert lines_with(summary, "5 of 6 people get a zero for the written half: is this the right file, and filled in?")
    assert not lines_with(join(automatic, [*by_hand[:5], empty[5]], ABSENT)[1], "is this the right file")


def test_who_is_written_otherwise_in_the_other_file_gets_no_zero(join):
    automatic, by_hand = people_of(3)
    sheet = [row | {"name": f"P{n}", "course": "517"} for n, row in enumerate(by_hand)]
    sheet[2] |= {"email": "", "sid": "2"}
    rows, summary = join(automatic, sheet, ABSENT)
    assert not [line for line in summary.lines if line.startswith("zero: P2")]
    assert [row["total"].startswith("not graded: only in") for row in rows if row["name"] == "P2"] == [True, True]


@pytest.mark.parametrize("header", ["Collaborator", "collab", "Collaborators statement"])
def test_control_columns_are_found_under_other_names(join, header):
    automatic, by_hand = points("517")
    plain = {key: value for key, value in by_hand[0].items() if key not in ("collaborators", "late_days")}
    [row], _ = join(automatic, [plain | {header: "missing"}])
    assert row["collaborators"], row
    for days in ("Days", "late day", "Days Late"):
        [row], _ = join(automatic, [plain | {"collaborators": "yes", days: "1"}], LATE)
        assert row["late"] == "-11"


@pytest.mark.parametrize("rule", ["[late]\npercent_per_day = 0.1\n", "[collaborators]\npercent = 0.02\n"])
def test_a_share_in_place_of_a_percentage_is_refused(join, rule):
    with pytest.raises(GraderError, match="should be in percent, such as 10 for a tenth, not 0"):
        join(*points("517"), rule)


def test_nothing_but_a_result_is_overwritten(tmp_path):
    automatic, by_hand = points("517")
    book, sheet = write(tmp_path / "gradebook.csv", automatic), write(tmp_path / "manual.csv", by_hand)
    for name, text in {"roster.csv": "name,email\nAda,ada@u.edu\n", "notes.txt": "mine", "page.html": "<html>"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(GraderError, match="exists and is no result of `finalise`: choose another --output"):
            finalise(ASSIGNMENT, Inputs(book, sheet), tmp_path / name)
        assert (tmp_path / name).read_text() == text
    for _ in range(2):
        finalise(ASSIGNMENT, Inputs(book, sheet), tmp_path / "final.csv")


def test_late_days_of_somebody_in_neither_file_are_listed(join):
    used = "email,days,assignment\nlars@u.edu,2.0,A1\nada@u.edu,1,A1\ngone@u.edu,0,A1\n"
    _, summary = join(*points("517", {"late_days": "3"}), TERM, late_days=[used])
    assert lines_with(summary, "late days used before, by people in neither file: lars@u.edu")


def test_an_extension_that_is_about_two_people_is_nobodys(join):
    automatic, by_hand = people_of(2, late_days="1")
    rows, _ = join(automatic, by_hand, LATE, extensions="email,sid,days\np0@u.edu,101,1\n")
    assert all("extensions.csv row 2" in row["total"] and "not graded" in row["total"] for row in rows)


def test_nobody_is_taken_for_another_who_has_no_name_either(join):
    automatic, by_hand = people_of(3)
    sheet = [*by_hand[:2], by_hand[2] | {"email": "x@u.edu", "sid": "999"}]
    rows, _ = join([row | {"name": ""} for row in automatic], sheet, ABSENT)
    assert [(row["read"], row["status"]) for row in rows if row["email"] == "p2@u.edu"] == [("0", "graded")]
