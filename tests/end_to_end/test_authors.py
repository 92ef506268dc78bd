"""What authors of an assignment leave out is told where it matters; what cannot work is refused before students see it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.audit import Audit, Outcome, _unlike
from autograder.authoring.bundle import BUNDLE_LINE, setup_cell
from autograder.authoring.masters import export_scripts, read_master
from autograder.authoring.new import TEMPLATE, new_assignment
from autograder.cli.terminal import print_audit
from autograder.core.loading import load_assignment
from autograder.gradescope.smoke import smoke
from support.project import EXAMPLE, ROOT
from support.toy import autograder

RUBRIC_OF_13 = (TEMPLATE / "assignment" / "rubric.toml").read_text().partition("# A composite")[2]
ZERO = "def add(a, b):\n    return 0 * a\n\n\ndef mean(xs):\n    return sum(xs) / len(xs)\n"


@pytest.fixture
def made(tmp_path) -> Path:
    """A new assignment, with its notebook ``warmup`` and the module ``tools.py`` beside it."""
    new_assignment(tmp_path / "warmup")
    return tmp_path / "warmup"


def edit(path: Path, *changes: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


def verdicts(done) -> dict[str, str]:
    return {line.split()[0]: line for line in done.stdout.splitlines() if line[:2] == "1."}


@pytest.mark.slow
def test_what_an_audit_does_not_prove_is_a_warning_that_strict_refuses(toy):
    packed = autograder("pack", cwd=toy)
    assert packed.returncode == 0 and (toy / "build" / "autograder-101.zip").exists()
    for missing in ("0 mistakes in the bank: the audit proves nothing yet", "0 alternatives", "no assignment/smoke/"):
        assert missing in packed.stderr
    (toy / "build" / "autograder-101.zip").unlink()
    strict = autograder("pack", "--strict", cwd=toy)
    assert strict.returncode == 2 and "not built: 0 mistakes" in strict.stderr and strict.stderr.count("\n") == 1
    assert not (toy / "build" / "autograder-101.zip").exists()
    (toy / "assignment" / "bank").mkdir()
    entry = '[[mistake]]\nitem = "1.add"\nid = "minus"\ncode = "def add(a, b): return a - b"\nsays = "it subtracts"\n'
    (toy / "assignment" / "bank" / "m.toml").write_text(entry)
    audited = autograder("audit", cwd=toy)
    assert audited.returncode == 0 and "no mistake in the bank for 1.mean" in audited.stdout, audited.stdout
    assert autograder("audit", "--strict", cwd=toy).returncode == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "solution, inputs, says",
    [
        (ZERO, (), "1.add: all calls expect the same result, so an answer that ignores its arguments passes"),
        (
            "",
            ("random.Random(1 if public else seed)", "random.Random(1)"),
            "1.add: hidden set 0 is the public set, which students have",
        ),
        (
            "",
            ("random.Random(1 if public else seed)", "random.Random(1 if public else seed % 1)"),
            "all hidden sets are equal: draw() should use its seed",
        ),
    ],
)
def test_inputs_that_tell_nothing_stop_the_archive(toy, solution, inputs, says):
    if solution:
        (toy / "solutions" / "T1.py").write_text(solution)
    if inputs:
        edit(toy / "assignment" / "inputs.py", inputs)
    done = autograder("pack", cwd=toy)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert not (toy / "build" / "autograder-101.zip").exists()


@pytest.mark.slow
def test_a_wrong_solution_is_one_problem_whatever_the_bank_holds(toy):
    edit(toy / "solutions" / "T1.py", ("total / len(xs)", "(total + 1e-3) / len(xs)"))
    tests = toy / "assignment" / "questions" / "1.mean.py"
    edit(tests, ("case.call(mean) != case.expected", "case.call(mean) != sum(case.args[0]) / len(case.args[0])"))
    done = autograder("audit", cwd=toy)
    problems = [line for line in done.stdout.splitlines() if "lost" in line]
    assert done.returncode == 1 and len(problems) == 1, done.stdout
    assert problems[0].startswith("solutions: lost ['1.mean'] on the hidden set 0")


@pytest.mark.many(of=4)
@pytest.mark.parametrize(
    "returned, kind",
    [
        ("{a + b}", "set"),
        ("object()", "object"),
        ("(x for x in [a, b])", "generator"),
        ("[a, {'b': {a}}]", "set"),
        ("a + b + 1j", "complex"),
    ],
)
def test_a_result_that_cannot_travel_is_told_to_its_author(toy, returned, kind):
    edit(toy / "solutions" / "T1.py", ("return a + b", f"return {returned}"), ("total = add(total, x)", "total += x"))
    done = autograder("bake", cwd=toy)
    assert done.returncode == 2 and f"the solutions' add returns something of type {kind}; only None" in done.stderr, (
        done.stderr
    )


def test_an_assignment_without_a_smoke_test_has_its_image_tested_by_the_cages_probes(toy):
    assert autograder("bake", cwd=toy).returncode == 0
    told = smoke(load_assignment(toy / "assignment"), toy / "build" / "reference.safetensors", "101", lambda _: None)
    assert told == "smoke test: the cage holds; nothing was graded, since the assignment has no smoke/"


@pytest.mark.slow
@pytest.mark.parametrize("assignment", ["template", "example"])
def test_the_smoke_tests_that_come_with_the_engine_hold(made, tmp_path, assignment):
    folder = made if assignment == "template" else shutil.copytree(EXAMPLE, tmp_path / "example")
    assert autograder("bake", cwd=folder).returncode == 0
    loaded = load_assignment(folder / "assignment")
    told = smoke(loaded, folder / "build" / "reference.safetensors", loaded.courses[-1], lambda _: None)
    assert told.startswith("smoke test: ") and "items as expected" in told


@pytest.mark.slow
def test_a_module_that_everyone_was_given_is_there_whether_or_not_it_is_handed_in(made, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(made / "solutions" / "warmup.ipynb", alone)
    assert "total 10 of 10" in autograder("grade", alone, cwd=made).stdout
    edited = "def show(points, centres):\n    pass\n\n\nimport numpy as np\n\nPOINTS = np.zeros((6, 2))\n"
    (alone / "tools.py").write_text(edited)  # what a student hands in is what the notebook finds
    graded = verdicts(autograder("grade", alone, cwd=made))
    assert "failed" in graded["1.1"] and "passed" in graded["1.2"] and "passed" in graded["1.3"]


@pytest.mark.slow
def test_a_module_with_a_task_in_it_has_to_be_handed_in_and_is_named_where_it_is_not(made, tmp_path):
    solution = "    return ((points[:, None] - centres[None]) ** 2).sum(axis=-1)\n"
    tools = made / "solutions" / "tools.py"
    tools.write_text(
        f"{tools.read_text()}\n\ndef squares(points, centres):\n    # BEGIN SOLUTION\n{solution}    # END SOLUTION\n"
    )
    edit(
        made / "solutions" / "warmup.ipynb",
        ("from tools import POINTS, show", "from tools import POINTS, show, squares"),
        (solution.strip(), "return squares(points, centres)"),
    )
    for name, with_module in (("alone", False), ("whole", True)):
        (tmp_path / name).mkdir()
        shutil.copy(made / "solutions" / "warmup.ipynb", tmp_path / name)
        if with_module:
            shutil.copy(tools, tmp_path / name)
    graded = verdicts(autograder("grade", tmp_path / "alone", cwd=made, COLUMNS="400"))
    assert (
        "`tools.py` was not handed in (cell" in graded["1.2"] and "imports it): submit it with your notebook" in graded["1.2"]
    )
    assert "total 10 of 10" in autograder("grade", tmp_path / "whole", cwd=made).stdout
    assert {
        path.name for path in export_scripts(load_assignment(made / "assignment"), made / "solutions", tmp_path / "out")
    } == {"warmup.py"}
    assert (tmp_path / "out" / "tools.py").read_text() == tools.read_text()
    released = autograder("release", cwd=made)
    assert released.returncode == 0 and "every check answers, and is right with the solutions" in released.stdout, (
        released.stderr
    )


def more(made: Path) -> Path:
    """A second module of the assignment, a folder."""
    folder = made / "solutions" / "more"
    folder.mkdir()
    (folder / "__init__.py").write_text("x = 1\n")
    edit(made / "assignment" / "rubric.toml", ('"tools.py"', '"tools.py", "more"'))
    return folder


@pytest.mark.slow
def test_the_data_of_a_module_stay_as_they_are(made):
    texts = {"a.json": "{}", "b.json": '[{"a": 1}]', "c.json": '{"a": 1}', "words": "no JSON {", "d.md": "# D", "e.html": "<p>"}
    for name, text in texts.items():
        (more(made) if name == "a.json" else made / "solutions" / "more").joinpath(name).write_text(text)
    assert autograder("student", cwd=made).returncode == 0
    assert {name: (made / "student" / "more" / name).read_text() for name in texts} == texts


@pytest.mark.slow
def test_data_that_no_notebook_can_carry_are_refused_in_one_line(made):
    (more(made) / "weights.npz").write_bytes(b"PK\3\4\xff\xfe\x00")
    done = autograder("student", cwd=made)
    assert done.returncode == 2 and "weights.npz: a notebook carries only text in UTF-8" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("autograder: ") and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_module_is_no_notebook_even_if_it_is_named_like_one(made, tmp_path):
    edit(made / "assignment" / "rubric.toml", ("file_pattern = 'warmup'", "file_pattern = '.'"))
    (tmp_path / "in").mkdir()
    for name in ("warmup.ipynb", "tools.py"):
        shutil.copy(made / "solutions" / name, tmp_path / "in")
    (tmp_path / "in" / "tools.py").write_text(
        "centres = distances = nearest = 0\n" + (made / "solutions" / "tools.py").read_text()
    )
    done = autograder("grade", tmp_path / "in", cwd=made)
    assert "total 10 of 10" in done.stdout and "graded from warmup.ipynb" in done.stdout, done.stdout


@pytest.mark.parametrize("module", ["nothing.py", "nothing"])
def test_a_module_that_is_not_there_is_one_line(made, module):
    edit(made / "assignment" / "rubric.toml", ('"tools.py"', f'"{module}"'))
    done = autograder("bake", cwd=made)
    assert done.returncode == 2 and f"modules: there is no {'file' if '.' in module else 'folder'} {module}" in done.stderr


@pytest.mark.many(of=3)
@pytest.mark.parametrize("kind", ["named nowhere", "imported by a module", "a folder"])
def test_a_module_that_students_would_not_get_is_named_before_anything_is_released(made, kind):
    solutions, rubric, missing = made / "solutions", made / "assignment" / "rubric.toml", "tools.py"
    if kind == "named nowhere":
        edit(rubric, ('modules = ["tools.py"]', ""))
    elif kind == "imported by a module":
        missing = "shapes.py"
        (solutions / "shapes.py").write_text("SIDE = 2\n")
        edit(solutions / "tools.py", ("import numpy as np", "import numpy as np\nfrom shapes import SIDE"))
    else:
        missing = "shapes"
        (solutions / "shapes").mkdir()
        (solutions / "shapes" / "__init__.py").write_text("SIDE = 2\n")
        edit(solutions / "warmup.ipynb", ("print(POINTS)", "import shapes"))
    done = autograder("grade", solutions, cwd=made)
    section = "add it to `modules` of section warmup in rubric.toml"
    assert done.stderr == f"autograder: {missing} is imported by the solutions and not given to students: {section}\n"


@pytest.mark.many(of=3)
@pytest.mark.parametrize(
    "file, change, says",
    [
        (
            "solutions/warmup.ipynb",
            ("### 1.3 nearest", "### 1.2 nearest"),
            "question 1.3 stands under a heading with the number 1.2",
        ),
        (
            "solutions/warmup.ipynb",
            ("### 1.1 Two centres by hand", "### Two centres by hand"),
            "question 1.1 has no heading with its number, by which a value is found: begin its text with `### 1.1 Two",
        ),
        (
            "solutions/warmup.ipynb",
            ('name: \\"1.2\\"', 'name: \\"1.20\\"'),
            "has no `# BEGIN QUESTION` with the name 1.2, a question of rubric.toml; not in rubric.toml is 1.20",
        ),
        ("solutions/warmup.ipynb", ('name: \\"1.2\\"', "points: 3"), "`# BEGIN QUESTION` has no name: write"),
        (
            "solutions/warmup.ipynb",
            ("print(POINTS)", "print(POINTS"),
            "solutions/warmup.ipynb: Python refuses cell 2, line",
        ),
        (
            "assignment/rubric.toml",
            (RUBRIC_OF_13, ""),
            "solutions/warmup.ipynb: question 1.3 is not in rubric.toml",
        ),
    ],
)
def test_a_master_that_does_not_agree_with_the_rubric_is_named_where_it_is_first_used(made, file, change, says):
    shutil.rmtree(made / "assignment" / "bank")
    edit(made / file, change)
    edit(made / "assignment" / "rubric.toml", ('"101" = [10, 0]', '"101" = [7, 0]' if change[1] == "" else '"101" = [10, 0]'))
    done = autograder("bake", cwd=made)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "expected, says",
    [
        ('{"1.1": "failed", "1.2": "failed"}', "1.2 of the smoke test came out 'passed', not 'failed'"),
        ('{"1.4": "failed"}', "smoke/expected.json: no item '1.4'"),
        ("{", "smoke/expected.json cannot be read"),
    ],
)
def test_a_smoke_test_that_would_stop_the_image_stops_the_archive(made, expected, says):
    (made / "assignment" / "smoke" / "expected.json").write_text(expected)
    done = autograder("pack", cwd=made)
    [told] = [line for line in done.stderr.splitlines() if not line.startswith("baked ")]
    assert done.returncode == 2 and told.startswith("autograder: ") and says in told
    assert not (made / "build" / "autograder-101.zip").exists()


def test_mistakes_without_a_sentence_of_their_own_and_easy_sets_are_listed_in_order(capsys):
    mistakes = [Outcome("mistake", "1.2", f"m{n}", "", named=n > 20) for n in range(30)]
    print_audit(Audit(outcomes=mistakes))
    few = capsys.readouterr().out
    print_audit(Audit(outcomes=mistakes), verbose=True)
    everything = capsys.readouterr().out
    assert "recognised by name: 9 of 30 mistakes" in few and "1.2 m11 and 9 more (--verbose names them)" in few
    assert "1.2 m19, 1.2 m20" in everything and "m21" not in everything and "more" not in everything
    judged = {7: (True, 0.0), 0: (True, 0.0), 3: (False, 1.0)}
    assert _unlike("mistake", judged) == ["passes on the hidden sets [0, 7]"]
    assert "either the solution is wrong" in _unlike("mistake", {0: (True, 0.0), 1: (True, 0.0)})[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "damage, says",
    [
        (
            lambda tree: edit(tree / "solutions" / "warmup.ipynb", ("print(POINTS)", "import nowhere")),
            "No module named 'nowhere'",
        ),
        (
            lambda tree: edit(tree / "assignment" / "questions" / "1.1.py", ("check.rules.judge_centres", "check.rules.judge")),
            'check("1.1") says',
        ),
    ],
)
def test_a_student_tree_that_does_not_work_is_not_released(made, damage, says):
    damage(made)
    done = autograder("release", cwd=made)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, done.stdout + done.stderr
    assert done.stderr.splitlines()[-1].startswith("autograder: ") and not (made / "build" / "student.zip").exists()


@pytest.mark.slow
def test_the_setup_cell_and_the_check_cells_are_made_where_a_master_has_none(made):
    assert autograder("student", cwd=made).returncode == 0
    cells = nbformat.read(made / "student" / "warmup.ipynb", 4).cells
    assert sum(bool(BUNDLE_LINE.search(cell.source)) for cell in cells) == 1
    assert [cell.source for cell in cells if cell.source.startswith("check(")] == [f'check("1.{n}")' for n in (1, 2, 3)]
    assert not any("grader.check" in cell.source or "ASSIGNMENT CONFIG" in cell.source for cell in cells)
    (made / "student" / "notes.pdf").write_bytes(b"%PDF-1.4")  # nothing is to be written
    command = [sys.executable, "-m", "checks"]
    said = subprocess.run(command, cwd=made / "student", capture_output=True, text=True).stdout
    assert said.startswith("Running warmup.ipynb up to its last check. Please wait.\n") and "❌ 1.1" in said, said
    assert "PDF" not in said and "notes.pdf" not in said and "side by side" not in said


def test_the_setup_cells_of_our_own_masters_are_the_engines():
    for path in sorted((ROOT / "solutions").glob("*.ipynb")):
        [own] = [cell.source for cell in read_master(path).cells if BUNDLE_LINE.search(cell.source)]
        assert own == setup_cell("a2checks"), path.name


@pytest.mark.slow
def test_rules_are_optional_for_the_grader_and_in_notebooks(made):
    (made / "assignment" / "rules.py").unlink()
    (made / "assignment" / "questions" / "1.1.py").unlink()
    edit(
        made / "assignment" / "rubric.toml",
        ("value = true\npoints = 3", 'value = true\npoints = 3\nsentence = "centres as here"'),
    )
    edit(
        made / "assignment" / "inputs.py",
        ('"args": [POINTS, LIMIT], "kwargs": {}}', '"args": [], "kwargs": {}, "expected": names["centres"]}'),
    )
    shutil.rmtree(made / "assignment" / "bank")
    shutil.rmtree(made / "assignment" / "smoke")
    released = autograder("release", cwd=made)
    assert released.returncode == 0 and "every check answers" in released.stdout, released.stderr
    assert autograder("pack", cwd=made).returncode == 0


def test_solutions_that_lose_points_end_make_grade_with_an_error(toy):
    wrong = toy / "T1.py"
    wrong.write_text((toy / "solutions" / "T1.py").read_text().replace("return a + b", "return a - b"))
    right = autograder("grade", toy / "solutions" / "T1.py", "--all-points", "--quiet", cwd=toy)
    assert right.returncode == 0, right.stderr
    assert autograder("grade", wrong, "--quiet", cwd=toy).returncode == 0
    done = autograder("grade", wrong, "--all-points", "--quiet", cwd=toy)
    assert done.returncode == 2 and "should earn every point, and lost some in 1.add" in done.stderr
