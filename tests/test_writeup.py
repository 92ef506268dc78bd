"""A PDF is looked over before a person reads it: clear lines, no points, and no bytes that could stop it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from pdfs import ANSWER, PICTURE, STATEMENT, complete, pdf

from autograder import model
from autograder.kit import pdf_text, reading
from autograder.kit.writeup import check_pdf, examine
from autograder.model import Verdict
from autograder.results import ResultsFile
from autograder.written.writeup import find_pdf, for_information, outline

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT = model.load(ROOT / "autograder" / "assignment")
OUTLINE = outline(ASSIGNMENT)
SCHEMA = json.loads((Path(__file__).parent / "gradescope.schema.json").read_text())
WHOLE = complete(OUTLINE)


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A busy machine is no hanging reader; the test of one sets its own deadline."""
    monkeypatch.setattr(reading, "DEADLINE", 300.0)


def seen(lines, course=""):
    """The verdict on lines of text, a page at each form feed, without a PDF around them."""
    pages = "\n".join(lines).replace("\n\f\n", "\f").split("\f")
    return examine(len(pages), [page.replace(PICTURE, pdf_text.PICTURE) for page in pages], [0] * len(pages), OUTLINE, course)


def without(*gone):
    return [line for line in WHOLE if line not in gone]


def test_a_complete_write_up_has_nothing_missing_and_nothing_to_note():
    report = check_pdf(pdf(WHOLE), OUTLINE)
    assert (report.missing, report.notes) == ([], [])
    assert any("all 28 headings have an answer" in line for line in report.good)


def test_a_missing_statement_about_collaborators_is_said_before_it_costs_anything():
    report = seen(without(*STATEMENT))
    assert len(report.missing) == 1 and "2 % of the score" in report.missing[0]


@pytest.mark.parametrize("words", [
    ["Collaborators: none. I used no AI tools."], ["I worked on this assignment independently."], ["Collaborators", "Ada Lovelace (1.2), see below"],
    ["Acknowledgements. Discussed with B."], ["Done by myself, with GitHub Copilot for plots."]])
def test_a_statement_about_collaborators_may_be_put_in_many_ways(words):
    assert not seen([*WHOLE[:2], *words, *WHOLE[4:]]).missing


def test_a_statement_at_the_end_is_found_with_a_note():
    report = seen([*without(*STATEMENT), "Collaborators: none."])
    assert not report.missing and "not at the beginning" in report.notes[0]


@pytest.mark.parametrize("name", ["1.2.1", "1.3.3", "Q2.3", "Q5.1"])
def test_a_question_without_a_heading_is_named(name):
    heading = next(line for line in WHOLE if line.startswith(name + " "))
    report = seen(without(heading))
    assert any(f"no heading was found for {name}:" in line for line in report.missing)


@pytest.mark.parametrize("name", ["1.2.1", "1.2.3", "Q4.3", "Q5.1"])
def test_a_heading_with_nothing_but_the_question_under_it_is_named(name):
    item = next(i for c in OUTLINE["chapters"] for i in c["items"] if i["heading"].startswith(name + " "))
    at = WHOLE.index(item["heading"])
    report = seen([*WHOLE[: at + 1], item["asks"], "[Write here: your answer.]", *WHOLE[at + 2 :]])
    assert any(f"no answer was found under {name}" in line for line in report.missing), report.lines()


@pytest.mark.parametrize("answer", ["0.871", "93.4 %", "Yes: see Figure 2.", "zeros"])
def test_a_short_answer_is_an_answer(answer):
    at = WHOLE.index(next(line for line in WHOLE if line.startswith("Q5.1")))
    assert not seen([*WHOLE[: at + 1], answer]).missing


def relabelled(style):
    return [style(line) if line[:1] in "123Q" and line.split()[0].count(".") >= 1 and line not in (ANSWER,) else line for line in WHOLE]


@pytest.mark.parametrize("style", [
    lambda line: line.split()[0] + ".", lambda line: f"Question {line}", lambda line: f"({line.split()[0]}) ", lambda line: f"Answer to {line.split()[0]}:",
    lambda line: f"§{line}", lambda line: line.replace("Q", "Q "), lambda line: line.replace("Q", "Question ")])
def test_questions_may_be_numbered_in_many_ways(style):
    assert not seen(relabelled(style)).missing


def test_the_handouts_own_numbering_by_lists_is_understood():
    lines = [*WHOLE[:5], "1 Understanding Attentions", "1.2 Selection", *(x for n in "123" for x in (f"{n}. Some title", ANSWER)),
             "1.3 Averaging", *(x for n in "123" for x in (f"{n}. Some title", ANSWER)), *WHOLE[WHOLE.index("1.4.1 A new key: average three values") :]]
    assert not seen(lines).missing


def test_a_line_that_only_looks_like_a_heading_costs_no_other_answer():
    at = WHOLE.index("1.2.3 What is selecting good for?")
    lines = [*WHOLE[: at + 1], "As in", "1.3.3 one can see that", "1.2.1 and others do the same", *WHOLE[at + 1 :]]
    assert not seen(lines).missing


def test_a_table_of_contents_answers_nothing():
    contents = [f"{line} . . . . . . . . . {n}" for n, line in enumerate(WHOLE) if line[:1] in "123Q"]
    assert not seen([*WHOLE[:4], *contents, *WHOLE[4:]]).missing


def test_an_experiment_without_figure_or_table_is_told_so_and_a_picture_or_a_caption_will_do():
    bare = [line for line in WHOLE if not line.startswith("Figure 1")]
    assert ["§2.2" in line or "§3" in line for line in seen(bare).missing] == [True, True]
    drawn = [x for line in bare for x in ((line, PICTURE) if line.startswith(("Results", "Q4.1")) else (line,))]
    assert not check_pdf(pdf(drawn), OUTLINE).missing


def test_pages_over_the_suggestion_are_a_note_and_never_a_fault():
    at = WHOLE.index("1.3.1 Average all values")
    report = seen([*WHOLE[:at], *["\f", "and so on"] * 4, *WHOLE[at:]])
    assert not report.missing and "§1 takes 5 pages; 3 are suggested" in report.notes[0]


def test_extra_credit_left_out_is_a_note_where_it_is_extra_and_missing_where_it_is_not():
    rest = [line for line in WHOLE if not line.startswith("1.4.")]
    assert (bool(seen(rest, "447").missing), bool(seen(rest, "517").missing), bool(seen(rest).missing)) == (False, True, False)


@pytest.mark.parametrize("data, says", [
    (b"", "empty"), (b"   \n", "empty"), (b"hello", "does not open"), (b"%PDF-1.7\n" + b"\0" * 5000, "does not open"),
    (pdf(WHOLE)[:900], "does not open"), (pdf(WHOLE, password="secret"), "encrypted"), (pdf(["\f"]), "no text")])
def test_a_pdf_that_cannot_be_read_gets_one_clear_line(data, says):
    report = check_pdf(data, OUTLINE)
    assert len(report.lines()) == 1 and says in report.missing[0]


def test_photographed_handwriting_is_refused_as_such():
    report = check_pdf(pdf([PICTURE, "\f", PICTURE]), OUTLINE)
    assert len(report.missing) == 1 and "handwriting is not accepted" in report.missing[0]


def test_five_hundred_pages_are_read_in_part_and_doubted():
    report = check_pdf(pdf([*WHOLE, *["\f", "one more page of words"] * 500]), OUTLINE)
    assert not report.missing and "has 504 pages" in report.notes[0] and "right file? The first 60" in report.notes[0]


def bomb(reader_pages: str) -> bytes:
    """A PDF by hand, from the text of its objects."""
    return b"%PDF-1.4\n" + reader_pages.encode() + b"\ntrailer<</Root 1 0 R>>\n%%EOF"


@pytest.mark.parametrize("objects", [
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1000000000/Kids[2 0 R]>>endobj",
    "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]/Parent 3 0 R>>endobj 3 0 obj<</Type/Pages/Parent 2 0 R/Kids[2 0 R]/Count 1>>endobj",
    "1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj", "1 0 obj" + "[" * 100000 + "endobj"])
def test_a_pdf_that_turns_in_circles_ends_with_a_line(objects):
    assert check_pdf(bomb(objects), OUTLINE).missing


@pytest.mark.parametrize("program, says", [
    ("while True: pass", "too long"),
    ("x = []\nwhile True: x.append(bytearray(1 << 26))", "does not open"),
    ("import os; os.write(1, b'{' * (1 << 26))", "does not open"),
    ("print('{\"pages\": {}, \"text\": 3}')", "does not open"),
    ("print('[' * 100000)", "does not open")])
def test_a_reader_that_hangs_eats_memory_or_lies_costs_one_line(monkeypatch, tmp_path, program, says):
    path = tmp_path / "reader.py"
    path.write_text(f"import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))\n{program}\n")
    monkeypatch.setattr(reading, "READER", path)
    if says == "too long":
        monkeypatch.setattr(reading, "DEADLINE", 2.0)
    report = check_pdf(b"%PDF", OUTLINE)
    assert len(report.missing) == 1 and says in report.missing[0]


SMALL = pdf(WHOLE[:12])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(strategies.one_of(
    strategies.binary(max_size=400),
    strategies.lists(strategies.tuples(strategies.integers(0, len(SMALL) - 1), strategies.integers(0, 255)), min_size=1, max_size=40).map(
        lambda changes: bytes(dict(changes).get(i, b) for i, b in enumerate(SMALL))),
    strategies.integers(0, len(SMALL)).map(lambda n: SMALL[:n])))
def test_no_bytes_make_the_reader_raise(data):
    found = pdf_text.describe(data, limited=False)
    assert set(found) in ({"problem"}, {"pages", "text", "lines"})
    json.dumps(found)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(strategies.lists(strategies.text(max_size=200), max_size=8), strategies.randoms())
def test_no_text_makes_the_verdict_raise(pages, random):
    shuffled = [*WHOLE]
    random.shuffle(shuffled)
    text = [reading.visible(page) for page in [*pages, "\n".join(shuffled)]]
    assert examine(len(text), text, [0] * len(text), OUTLINE).lines()


def results(tmp_path, files):
    for name, data in files.items():
        (tmp_path / "submission" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "submission" / name).write_bytes(data)
    made = ResultsFile(tmp_path / "results.json", ASSIGNMENT, "517")
    made.writeup = for_information(ASSIGNMENT, tmp_path / "submission", "517")
    return made.write([Verdict(q) for q in ASSIGNMENT.questions], [])


def test_on_gradescope_a_pdf_is_an_entry_without_points(tmp_path):
    tree = results(tmp_path, {"A2S1.py": b"x = 1", "my writeup.PDF": pdf(without(*STATEMENT))})
    jsonschema.validate(tree, SCHEMA)
    entry = tree["tests"][-1]
    assert (entry["score"], entry["max_score"]) == (0, 0) and "status" not in entry
    assert "my writeup.PDF was looked at" in entry["output"] and "2 %" in entry["output"]


def test_without_a_pdf_there_is_no_entry(tmp_path):
    tree = results(tmp_path, {"A2S1.py": b"x = 1"})
    assert [t["number"] for t in tree["tests"]] == [q.id for q in ASSIGNMENT.questions]


def test_a_link_to_a_file_outside_is_not_followed(tmp_path):
    (tmp_path / "secret.pdf").write_bytes(pdf(WHOLE))
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    assert find_pdf(tmp_path / "submission") is None


def test_of_several_pdfs_the_one_nearest_the_top_is_taken_then_the_largest(tmp_path):
    for name, size in (("a/deep.pdf", 900), ("small.pdf", 10), ("large.pdf", 20)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    assert find_pdf(tmp_path)[::2] == ("large.pdf", 2)


def test_the_command_says_what_is_missing_and_exits_with_1(tmp_path):
    for name, data, status in (("good.pdf", pdf(WHOLE), 0), ("bad.pdf", b"junk", 1), ("absent.pdf", None, 2)):
        if data:
            (tmp_path / name).write_bytes(data)
        done = subprocess.run([sys.executable, "-m", "autograder", "pdf", tmp_path / name], capture_output=True, text=True, cwd=ROOT, env=dict(os.environ))
        assert done.returncode == status and "Traceback" not in done.stderr + done.stdout, done.stderr


def test_the_graders_own_reader_works_behind_the_cage_and_reaches_nothing(tmp_path):
    from autograder.written.writeup import CAGED_READER

    data = pdf(["Collaborators: nobody."])
    assert reading.read_pdf(data, CAGED_READER) == reading.read_pdf(data)
    if sys.platform != "linux":
        pytest.skip("the cage's layers are Linux's")
    (tmp_path / "secret").write_text("x")
    program = f"""
import json, os, socket
from autograder.sandbox import reader
answer, reached = reader.shut_in(), []
for name, attempt in {{"secret": lambda: open({str(tmp_path / 'secret')!r}), "file": lambda: open({str(tmp_path / 'new')!r}, "w"),
                      "socket": socket.socket, "fork": os.fork}}.items():
    try:
        attempt()
        reached.append(name)
    except OSError:
        pass
os.write(answer, json.dumps(reached).encode())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "[]", done.stdout + done.stderr
