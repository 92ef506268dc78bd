"""The rubric: it sums to the handout's points or is refused, and every document is made from it."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.written import total
from autograder.written.render import (
    CHARACTERS,
    TEMPLATES,
    overview,
    render_handout,
    render_rubric,
    sheet,
    to_html,
    to_latex,
    write_templates,
)
from support.project import ROOT, TOY

FOLDER = ROOT / "assignment"
ASSIGNMENT = load_assignment(FOLDER)
QUESTIONS = [
    *"1.2.1 1.2.2 1.2.3 1.3.1 1.3.2 1.3.3 1.4.1 1.4.2 1.4.3".split(),
    *"Setup Results Interpretation Q1.1 Q1.2 Q2.1 Q2.2 Q2.3 Q3.1 Q3.2 Q3.3".split(),
    *(f"Q4.{n}" for n in range(1, 8)),
    "Q5.1",
]


@pytest.mark.parametrize(
    "course, whole, parts", [("447", (100, 5), [10, 10, 5, 20, 20, 40]), ("517", (110, 0), [10, 10, 10, 20, 20, 40])]
)
def test_the_items_sum_to_the_handouts_points_by_part_and_in_total(course, whole, parts):
    items = [*ASSIGNMENT.questions, *ASSIGNMENT.written.items]
    assert total(items, course) == whole
    assert [
        sum(i.points[course] for i in items if ASSIGNMENT.written.part_of(i.id) is part) for part in ASSIGNMENT.written.parts
    ] == parts


@pytest.mark.parametrize(
    "old, new, says",
    [
        ('id = "1.2.3"\nheading = "1.2.3 What is selecting good for?"', 'id = "1.2.9"\nheading = "x"', None),
        (
            "447 = [100, 5]",
            "447 = [101, 5]",
            "items of course 447 sum to 100 + 5 extra credit, [totals] says 101 + 5 extra credit",
        ),
        ('id = "2.2.setup"', 'id = "2.3.setup"', "2.3.setup belongs to no [[part]]"),
        ('id = "3.Q1.2"', 'id = "3.Q1.1"', "3.Q1.1 occurs twice"),
        ("points = 6\n", "points = 7\n", "items of part 2.2 sum to 21, [[part]] says 20"),
        ('heading = "Setup"', 'headline = "Setup"', "unknown key 'headline'; did you mean 'heading'?"),
        ("points = 6\n", "", "the key 'points' is missing"),
    ],
)
def test_a_rubric_that_does_not_add_up_is_refused_in_one_line(tmp_path, old, new, says):
    shutil.copytree(FOLDER, tmp_path / "assignment")
    path = tmp_path / "assignment" / "rubric.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    if says is None:
        load_assignment(tmp_path / "assignment")
        return
    with pytest.raises(GraderError) as refused:
        load_assignment(tmp_path / "assignment")
    assert says in str(refused.value) and "\n" not in str(refused.value)


def test_every_item_describes_the_question_and_full_half_and_no_credit():
    for item in ASSIGNMENT.written.items:
        if item.heading:
            assert item.asks and item.full and item.half and item.none, item.id


def test_graders_get_every_item_with_its_points_in_both_courses(tmp_path):
    for path in render_rubric(ASSIGNMENT, tmp_path)[0][:2]:
        text = path.read_text()
        assert all(label in text for label in QUESTIONS)
        assert "http" not in text.replace("http-equiv", ""), "the page must work without a network"
    assert '<td class="number">0.5</td><td class="number">1</td>' in (tmp_path / "rubric.html").read_text()
    assert sheet(ASSIGNMENT).startswith("email,sid,name,course,absent,collaborators,late_days,1.2.1.rationale,")


def test_a_sheet_that_somebody_has_started_is_never_overwritten(tmp_path):
    filled = sheet(ASSIGNMENT) + "ada@u.edu,11,Ada,517,yes\n"
    render_rubric(ASSIGNMENT, tmp_path)
    for first in (filled, filled.replace(",", ";"), "\ufeff" + filled.replace("\n", "\r\n")):
        (tmp_path / "manual.csv").write_text(first, newline="")
        written, kept = render_rubric(ASSIGNMENT, tmp_path)
        assert (tmp_path / "manual.csv").read_bytes() == first.encode()
        assert kept == [tmp_path / "manual.csv"] and written[-1].read_text() == sheet(ASSIGNMENT)
    (tmp_path / "manual-2.csv").write_text(filled)
    written, kept = render_rubric(ASSIGNMENT, tmp_path)
    assert [path.name for path in (*kept, written[-1])] == ["manual.csv", "manual-2.csv", "manual-3.csv"]
    for path in (*kept, written[-1]):
        path.write_text(sheet(ASSIGNMENT).replace("name", "full name"))
    assert render_rubric(ASSIGNMENT, tmp_path) == ([tmp_path / n for n in ("rubric.md", "rubric.html", "manual.csv")], [])
    (tmp_path / "manual.csv").write_text(filled)
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "rubric", "--output", tmp_path], capture_output=True, text=True, cwd=ROOT
    )
    said = f"kept {tmp_path / 'manual.csv'}: it is no unstarted sheet; the new one is {tmp_path / 'manual-2.csv'}\n"
    assert said in done.stdout, done.stderr


def test_the_sheet_lists_the_gradebooks_people_and_no_name_becomes_a_formula(tmp_path):
    book = tmp_path / "gradebook.csv"
    book.write_text("Name,Email,SID,Course,1.2.1\nAda L.,ada@u.edu,11,517,3\n=1+1,bo@u.edu,'-12,447,0\n")
    for _ in range(2):  # nobody has filled in the sheet that it wrote itself
        written, kept = render_rubric(ASSIGNMENT, tmp_path / "rubric", book)
        rows = list(csv.DictReader(io.StringIO(written[-1].read_text())))
        assert not kept and [(r["email"], r["sid"], r["name"], r["course"], r["1.2.3"], r["comment"]) for r in rows] == [
            ("ada@u.edu", "11", "Ada L.", "517", "", ""),
            ("bo@u.edu", "'-12", "'=1+1", "447", "", ""),
        ]
    assert written[-1].stat().st_mode & 0o077 == 0


def test_a_reader_without_the_handout_finds_the_numbers_of_section_1_and_how_to_fill_the_sheet(tmp_path):
    matrices = re.findall(r"begin\{bmatrix\}(.*?)\\end", (ROOT / "solutions" / "README.student.md").read_text())
    rows = [row.strip().replace(" & ", ", ").replace("-", "−") for matrix in matrices for row in matrix.split("\\\\")]
    assert len(rows) == 8
    for path in render_rubric(ASSIGNMENT, tmp_path, answers="../writeup/answers.pdf")[0][:2]:
        text = path.read_text()
        for wanted in (
            *rows,
            "without scaling",
            "0.05",
            "optimizer.zero_grad()",
            "0.75 of 1",
            "takes nothing off",
            "late_days",
            "../writeup/answers.pdf",
        ):
            assert wanted in text, wanted
    for target in (tmp_path / "rubric.md", tmp_path / "rubric.md" / "x"):
        with pytest.raises(GraderError, match=r"^cannot write into"):
            render_rubric(ASSIGNMENT, target)


@pytest.mark.parametrize("name, heading", [("writeup.tex", r"^\\sub(?:sub)?section\{(\S+)"), ("writeup.md", r"^###? (\S+)")])
def test_the_templates_hold_every_question_once_and_in_order_after_the_statement(tmp_path, name, heading):
    write_templates(ASSIGNMENT, tmp_path)
    text = (tmp_path / name).read_text()
    found = [label.rstrip("}") for label in re.findall(heading, text, re.MULTILINE)]
    assert found[0] == "Collaborators"
    assert [label for label in found[1:] if label not in ("1.2", "1.3", "1.4")] == QUESTIONS
    assert [int(n) for n in re.findall(r"at most (\d+) pages", text)] == [3, 5, 4]


def test_students_see_the_questions_and_never_the_grading_criteria(tmp_path):
    write_templates(ASSIGNMENT, tmp_path)
    handout = render_handout(ASSIGNMENT, ROOT / "solutions" / "README.student.md", ROOT / "assignment" / "course.toml")
    told = handout + "".join(p.read_text() for p in tmp_path.iterdir())
    for item in ASSIGNMENT.written.items:
        assert item.asks in handout
        assert not any(text in told for text in (item.full, item.half, item.none) if len(text) > 20)


def test_the_handout_takes_its_dates_from_course_toml_and_refuses_if_one_is_missing(tmp_path):
    source = shutil.copy(ROOT / "solutions" / "README.student.md", tmp_path)
    facts = (ROOT / "assignment" / "course.toml").read_text()
    (tmp_path / "course.toml").write_text(re.sub(r"^due = .*", 'due = "the Ides of March"', facts, flags=re.MULTILINE))
    assert "the Ides of March" in render_handout(ASSIGNMENT, Path(source), tmp_path / "course.toml")
    for text, says in ((re.sub(r"^due = .*\n", "", facts, flags=re.MULTILINE), "'due'"), ("=", "not valid TOML")):
        (tmp_path / "course.toml").write_text(text)
        with pytest.raises(GraderError, match=says):
            render_handout(ASSIGNMENT, Path(source), tmp_path / "course.toml")


def test_markup_and_special_characters_survive_in_html_and_latex():
    text = "`a_b` *so* $k_2$ 5 % & <b> {x} \\y"
    assert to_html(text) == "<code>a_b</code> <em>so</em> <i>k</i><sub>2</sub> 5 % &amp; &lt;b&gt; {x} \\y"
    assert to_latex(text) == r"\texttt{a\_b} \emph{so} $k_2$ 5 \% \& <b> \{x\} \textbackslash{}y"


def test_an_assignment_without_a_written_half_gets_no_templates(tmp_path):
    toy = load_assignment(TOY / "assignment")
    write_templates(toy, tmp_path / "writeup")
    assert not (tmp_path / "writeup").exists() and overview(toy)["totals"] == {"101": (5.0, 0.0)}


def test_model_answers_are_assembled_in_order_and_list_what_is_not_written_yet(tmp_path, monkeypatch):
    from autograder.authoring import model_answers

    monkeypatch.setattr(model_answers, "to_pdf", lambda path: None)
    path, _ = model_answers.assemble(ASSIGNMENT, ROOT / "solutions", tmp_path)
    text = path.read_text()
    assert "query121 = 100 * key[0]" in text
    assert text.index("### 1.2.1") < text.index("**Rationale.** All keys") < text.index("### 1.2.2")
    (tmp_path / "solutions" / "writeup").mkdir(parents=True)
    (tmp_path / "solutions" / "writeup" / "section3.md").write_text("# A title of its own\n\n### Q1.1\n\nPadding fills up.\n")
    path, missing = model_answers.assemble(ASSIGNMENT, tmp_path / "solutions", tmp_path)
    assert missing == [chapter.title for chapter in ASSIGNMENT.written.chapters[:2]]
    assert "Padding fills up." in path.read_text() and "A title of its own" not in path.read_text()


def test_every_character_is_listed_once_and_the_common_ones_are_included():
    text = (TEMPLATES / CHARACTERS).read_text()
    listed = re.findall(r"\\(?:@?is|raised|lowered)\{(.)\}", text)
    assert len(listed) == len(set(listed)) and set("≤θ−→α✓⁶⁻ⁿᵢⱼℝ∀∃∇∘⊙⊗∥≡∼≃ℓ↔⟶∫⌊⌋✗✔✅ϵ") <= set(listed)
