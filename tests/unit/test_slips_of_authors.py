"""What authors get wrong in notebooks, helpers and imports is one line with its place, before Otter or a student meets it."""

import operator
import types

import nbformat
import pytest

from autograder.authoring.baking.drawn import as_sent
from autograder.authoring.baking.packages import refuse_unlisted
from autograder.authoring.baking.pairs import refuse_unpaired
from autograder.authoring.unproved import weak_inputs
from autograder.checks.case import Case
from autograder.checks.diagnose import mistakes_like, outputs_of, sampled
from autograder.checks.smallest import told
from autograder.checks.values import to_plain
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import packed
from autograder.core.trusted import helpers_beside, load_part
from autograder.submission.sections import take_in
from autograder.written.matching import alone

QUESTION = ('raw # BEGIN QUESTION\nname: "1.1"', "md ### 1.1", "code x = 1", "raw # END QUESTION")


def notebook(folder, *cells):
    kinds = {"raw": nbformat.v4.new_raw_cell, "md": nbformat.v4.new_markdown_cell, "code": nbformat.v4.new_code_cell}
    made = [kinds[cell.partition(" ")[0]](cell.partition(" ")[2]) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), folder / "hw.ipynb")


def test_a_sound_master_is_not_complained_about(tmp_path):
    solved = ("raw # BEGIN SOLUTION", "code # BEGIN SOLUTION NO PROMPT\n1\n# END SOLUTION", "raw # END SOLUTION")
    notebook(tmp_path, *QUESTION[:2], *solved, "raw # BEGIN TESTS", "code assert 1", "raw # END TESTS", QUESTION[3])
    refuse_unpaired(tmp_path)


@pytest.mark.parametrize(
    "cells, says",
    [
        (["raw # BEGIN QUESTION\nname: 1.2"], 'cell 1: the name of a question needs quotes: write `name: "1.2"`'),
        (["raw # BEGIN QUESTION\nname: yes"], "cell 1: the name of a question needs quotes"),
        (["raw # BEGIN QUESTION\npoints: 2"], "cell 1: `# BEGIN QUESTION` has no name"),
        (["raw # BEGIN QUESTION\nname: [1"], "cell 1: what follows `# BEGIN QUESTION` is not valid YAML"),
        ([*QUESTION[:3], *QUESTION], "cell 4: `# BEGIN QUESTION` stands inside of what `# BEGIN QUESTION` in cell 1 began"),
        (QUESTION[:3], "cell 1: `# BEGIN QUESTION` has no `# END QUESTION`"),
        (QUESTION[1:], "cell 3: `# END QUESTION` has no `# BEGIN QUESTION`"),
        ([*QUESTION, *QUESTION], "cell 5: the question 1.1 has begun before, in cell 1"),
        ([QUESTION[0], "raw # BEGIN SOLUTION", QUESTION[3]], "cell 3: `# END QUESTION` comes before the `# END SOLUTION`"),
        (["code def f():\n    # BEGIN SOLUTION\n    pass"], "cell 1, line 2: `# BEGIN SOLUTION` has no `# END SOLUTION`"),
        (["md hi", "code pass\n# END SOLUTION"], "cell 2, line 2: `# END SOLUTION` has no `# BEGIN SOLUTION`"),
        (["code # BEGIN SOLUTION\n# BEGIN SOLUTION\n# END SOLUTION"], "cell 1, line 1: `# BEGIN SOLUTION` has no"),
        (["code # BEGIN QUESTION\nname = 1"], "cell 1: `# BEGIN QUESTION` is in a code cell: make it a raw cell"),
        (["md # END QUESTION"], "cell 1: `# END QUESTION` is in a Markdown cell: make it a raw cell"),
    ],
)
def test_a_marker_that_otter_cannot_use_is_named_with_its_cell(tmp_path, cells, says):
    notebook(tmp_path, *cells)
    with pytest.raises(GraderError) as told_of:
        refuse_unpaired(tmp_path)
    assert f"solutions/hw.ipynb, {says}" in str(told_of.value) and "\n" not in str(told_of.value)


@pytest.mark.parametrize(
    "source, says",
    [
        ("raise SystemError", "line 1: it should only define helpers"),
        ("answers = {}", "defines no helper"),
        ("def add(a, b):\n    return a + b", "line 1: add should be a function `NAME(theirs, names, lost)`"),
        ("def add(theirs, names, lost):\n    def add(a, b):\n        return a", "line 1: add should be a function"),
        ("def add(:", "SyntaxError"),
    ],
)
def test_helpers_beside_students_code_have_the_form_that_the_guide_gives(toy, source, says):
    (toy / "assignment" / "helpers_beside.py").write_text(source)
    with pytest.raises(GraderError, match="helpers_beside") as told_of:
        helpers_beside(load_assignment(toy / "assignment"))
    assert says in str(told_of.value)


@pytest.mark.parametrize(
    "source, listed, unlisted",
    [
        ("import pandas as pd", "numpy", "pandas"),
        ("def f():\n    from sklearn.svm import SVC", "numpy", "scikit-learn"),
        ("import numpy", "", "numpy"),
        ("import sklearn, numpy, scipy.stats", "scikit-learn", ""),
        ("try:\n    import pandas\nexcept ImportError:\n    pass", "", ""),
        ("import math, nowhere_to_be_found", "", ""),
        ("from yaml import safe_load", "pyyaml", ""),
    ],
)
def test_a_package_that_the_requirements_lack_is_named(toy, source, listed, unlisted):
    (toy / "assignment" / "requirements.in").write_text(f"{listed}\n")
    solution = toy / "solutions" / "T1.py"
    solution.write_text(f"{source}\n{solution.read_text()}")
    assignment = load_assignment(toy / "assignment")
    submission = take_in(assignment, toy / "solutions")
    if not unlisted:
        refuse_unlisted(assignment, toy / "solutions", submission)
        return
    with pytest.raises(GraderError, match=f"solutions/T1.py imports .* add {unlisted} there"):
        refuse_unlisted(assignment, toy / "solutions", submission)


def baked(*calls):
    return {"cases": {"1.add": {"own": [{"args": list(args), "kwargs": {}, "expected": n} for n, args in enumerate(calls)]}}}


@pytest.mark.parametrize("calls, constant", [([("ab", "cd")], True), ([(["a"], 2)], True), ([(3, 4)], False), ([()], False)])
def test_a_question_whose_hidden_inputs_never_change_is_named(toy, calls, constant):
    questions = [types.SimpleNamespace(id=id, value=False, probe="") for id in ("1.add", "1.mean")]
    sets = []
    for number in range(3):
        one = baked(*calls)
        one["cases"]["1.mean"] = {"own": [{"args": [f"word {number}"], "kwargs": {}, "expected": number}]}
        sets.append(one)
    public = baked(("public", "one"))
    public["cases"]["1.mean"] = {"own": [{"args": ["other"], "kwargs": {}, "expected": 9}]}
    found = weak_inputs(types.SimpleNamespace(questions=questions), {"sets": [packed(s) for s in sets], "public": public})
    assert any("1.add: its cases are the same in all hidden sets" in line for line in found) == constant, found
    assert not any("1.mean" in line for line in found)


@pytest.mark.parametrize(
    "right, wrong, other",
    [
        ("str", "word[::-1]", "word + '!'"),
        ("list", "[word, 'x']", "[word]"),
        ("dict", "{word: 1, 'x': [2.5]}", "{word: 1, 'x': [2.0]}"),
        ("mixed", "[1, word]", "[2, word]"),
    ],
)
def test_a_known_mistake_is_recognised_in_text_and_in_what_holds_some(right, wrong, other):
    cases = [Case([word], {}, None) for word in ("ab", "cde")]

    def outputs(code):
        return outputs_of(lambda word: to_plain(eval(code, {"word": word})), cases, lambda *_: None)

    known = {"this": [sampled(one) for one in outputs(wrong)], "that": outputs(other), "numbers": outputs("len(word)")}
    assert mistakes_like(outputs(wrong), known) == ["this"] and mistakes_like(outputs(other), known) == ["that"]
    assert mistakes_like(outputs("None"), known) == [] and mistakes_like(outputs("print"), known) == []


@pytest.mark.parametrize(
    "value, text",
    [
        ("a'b", '"a\'b"'),
        (["a", 1], "['a', 1]"),
        ({"b": [1]}, "{'b': [1]}"),
        (2.5, "2.5"),
        (print, "of type builtin_function_or_method"),
    ],
)
def test_a_result_is_written_as_python_writes_it(value, text):
    assert told(to_plain(value)) == text


@pytest.mark.parametrize(
    "email, sid, says", [("", "", "without an email and a sid"), ("a@b.c", "", "only in"), ("", "7", "only in")]
)
def test_a_row_that_nothing_can_match_is_not_called_a_stranger(email, sid, says):
    row = types.SimpleNamespace(who={"email": email, "sid": sid})
    assert says in alone(row, "gradebook.csv", "manual.csv")


def test_labels_that_tell_what_was_drawn_are_named():
    def baked(label):
        case = {"args": [1.0], "kwargs": {}, "expected": label, "label": str(label)}
        return {"cases": {"2": {"own": [case, {**case, "args": [label], "label": "small"}]}}}

    question = types.SimpleNamespace(id="2", value=False, probe="")
    sets = {"sets": [packed(baked(n)) for n in (1.5, 2.5)], "public": baked(0.5)}
    [line] = [one for one in weak_inputs(types.SimpleNamespace(questions=[question]), sets) if "labels" in one]
    assert line == "inputs: 2: its labels differ between hidden sets ('2.5'): students read them"


@pytest.mark.parametrize(
    "given, sent",
    [
        ([(0, 1), [(2, (3,))]], [[0, 1], [[2, [3]]]]),
        (({"a": (1,)},), [{"a": [1]}]),
        ([{(0, 1): 2}], [{(0, 1): 2}]),
        (["text", 1.5, None], ["text", 1.5, None]),
    ],
)
def test_solutions_get_arguments_as_students_do(given, sent):
    assert as_sent(given) == sent and type(as_sent(given)) is list


@pytest.mark.parametrize("package", [True, False])
def test_pythons_messages_call_an_assignments_part_by_its_own_name(tmp_path, package):
    path = tmp_path / ("rules/__init__.py" if package else "rules.py")
    path.parent.mkdir(exist_ok=True)
    path.write_text("def lazily():\n    from . import more\n    return more\n" if package else "one = 1\n")
    (path.parent / "more.py").write_text("two = 2\n")
    part = load_part(tmp_path, "rules")
    with pytest.raises(AttributeError, match=rf"^module 'rules{'_.*' if package else ''}' has no attribute 'judge_rank'"):
        operator.attrgetter("judge_rank")(part)
    assert not package or part.lazily().two == 2


def test_sets_with_another_number_of_cases_have_no_telling_labels():
    def baked(count):
        cases = [{"args": [float(n + count)], "kwargs": {}, "expected": n, "label": "a call"} for n in range(count)]
        return {"cases": {"2": {"own": cases}}}

    question = types.SimpleNamespace(id="2", value=False, probe="")
    sets = {"sets": [packed(baked(n)) for n in (2, 3)], "public": baked(4)}
    assert not [line for line in weak_inputs(types.SimpleNamespace(questions=[question]), sets) if "labels" in line]
