"""A new assignment works at once: from the template, and from a master notebook of Otter Assign."""

import json
import re

import jsonschema
import nbformat
import pytest

from autograder.authoring.from_otter import assignment_from
from autograder.authoring.new import COURSE, NAME, TEMPLATE, TITLE, name_of, new_assignment, pattern_of, template_files
from autograder.authoring.schema import BANK, RUBRIC, schemas
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.toml import tomllib
from support.project import EXAMPLE, ROOT
from support.toy import autograder
from support.wheels import run

V4 = nbformat.v4


@pytest.mark.slow
def test_a_new_assignment_is_green_with_nothing_but_the_installed_engine(installed, tmp_path):
    made = run(installed, tmp_path, "new", "k-means 2", "--title", 'CSE 101: "k"-means', "--course", "cse.5")
    assert made.returncode == 0 and "cd 'k-means 2' && make grade" in made.stdout, made.stderr
    folder = tmp_path / "k-means 2"
    graded = run(installed, folder, "grade", program="make")
    assert graded.returncode == 0 and "total 10 of 10" in graded.stdout, graded.stderr
    tested = run(installed, folder, "test", program="make")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "recognised by name: 4 of 4" in tested.stdout and "alternatives 2/2" in tested.stdout
    assert not re.search(
        f"{NAME}|{TITLE}", "".join(p.read_text() for p in folder.rglob("*") if p.suffix in (".md", ".toml", ".py"))
    )
    assert load_assignment(folder / "assignment").title == 'CSE 101: "k"-means'
    again = run(installed, tmp_path, "new", "k-means 2")
    assert again.returncode == 2 and "is there already" in again.stderr and again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "folder, name, found",
    [
        ("kmeans", "kmeans", ["kmeans.ipynb", "Ada_kmeans (1).py"]),
        ("K-Means 2", "K_Means_2", ["k_means_2.py", "KMeans2.ipynb", "k-means-2.py"]),
        ("A1", "A1", ["a1.ipynb", "A_1.py"]),
        ("7", "assignment_7", ["assignment 7.ipynb"]),
        ("tools", "tools_notebook", ["tools_notebook.py"]),
        ("Übung", "Ubung", ["ubung.py"]),
    ],
)
def test_the_notebook_is_called_like_the_folder_and_found_however_students_write_it(tmp_path, folder, name, found):
    assert name_of(tmp_path / folder) == name
    assert all(re.search(pattern_of(name), file.lower()) for file in found)
    assert not re.search(pattern_of(name), "tools.py")


@pytest.mark.parametrize(
    "make, says",
    [
        (lambda here: new_assignment(here / "…"), "no letter or digit"),
        (lambda here: new_assignment(here / "a", course="cse 5"), "letters, digits, dots and dashes"),
        (lambda here: new_assignment(here / "a", title="two\nlines"), "one line of text"),
        (lambda here: (here / "a").write_text("x") and new_assignment(here / "a"), "is there already"),
        (lambda here: assignment_from(here / "none.ipynb", here / "a"), "there is no notebook"),
        (
            lambda here: (here / "x.ipynb").write_text("{}") and assignment_from(here / "x.ipynb", here / "a"),
            "readable notebook",
        ),
        (lambda here: assignment_from(master(here, V4.new_code_cell("x = 1")), here / "a"), "no master of Otter Assign"),
        (lambda here: assignment_from(master(here, raw("# BEGIN QUESTION\npoints: 1")), here / "a"), "has no name"),
        (lambda here: assignment_from(master(here, raw("# BEGIN QUESTION\nname: [")), here / "a"), "not valid YAML"),
    ],
)
def test_what_cannot_be_made_is_one_line_and_leaves_nothing(tmp_path, make, says):
    with pytest.raises(GraderError, match=says) as told:
        make(tmp_path)
    assert "\n" not in str(told.value) and not (tmp_path / "a" / "assignment").exists()


@pytest.mark.parametrize(
    "folder", [ROOT / "assignment", EXAMPLE / "assignment", TEMPLATE / "assignment"], ids=lambda p: p.parts[-2]
)
def test_the_schemas_hold_for_every_assignment_and_refuse_what_the_loader_refuses(folder):
    rubric, bank = (jsonschema.Draft7Validator(schemas()[name]) for name in (RUBRIC, BANK))
    written = tomllib.loads((folder / "rubric.toml").read_text())
    rubric.validate(written)
    for path in (folder / "bank").glob("*.toml"):
        entries = tomllib.loads(path.read_text())
        bank.validate(entries)
        assert not bank.is_valid({kind: [{**entry, "say": "x"} for entry in listed] for kind, listed in entries.items()})
    for wrong in (
        {"sections": []},
        {"question": [{**written["question"][0], "point": 1}]},
        {"question": [{**written["question"][0], "points": "3"}]},
        {"section": [{key: value for key, value in written["section"][0].items() if key != "file_pattern"}]},
        {"assignment": {**written["assignment"], "course": ["1"]}},
    ):
        assert not rubric.is_valid(written | wrong), wrong


def test_the_template_holds_no_words_that_a_new_name_would_leave_wrong():
    text = "\n".join(template_files().values())
    assert text.count(f"'{NAME}'") == 1 and len(re.findall(rf"\b{COURSE}\b", text)) < 8
    notebook = json.loads(template_files()[f"solutions/{NAME}.ipynb"])
    assert not any(cell.get("outputs") for cell in notebook["cells"])


def test_the_commands_of_a_new_assignment_are_those_of_the_example():
    assert (TEMPLATE / "Makefile").read_text() == (EXAMPLE / "Makefile").read_text()


def raw(text):
    return V4.new_raw_cell(text)


def master(folder, *cells):
    """A notebook of these cells."""
    path = folder / "hw.ipynb"
    path.write_text(nbformat.writes(V4.new_notebook(cells=list(cells))))
    return path


def case(source, printed="", hidden=False):
    """A test cell of Otter's, with what it printed."""
    cell = V4.new_code_cell(f"# HIDDEN\n{source}" if hidden else source)
    cell.outputs = [V4.new_output("execute_result", {"text/plain": printed})] if printed else []
    return cell


def question(config, solution, tests=(), text="Do it."):
    """The cells of a question, with its solution between Otter's markers."""
    between = [raw("# BEGIN TESTS"), *tests, raw("# END TESTS")] if tests else []
    solved = [raw("# BEGIN SOLUTION"), solution, raw("# END SOLUTION")]
    return [raw(f"# BEGIN QUESTION\n{config}"), V4.new_markdown_cell(text), *solved, *between, raw("# END QUESTION")]


FUNCTION = 'def square(x):\n    """x times x."""\n    # BEGIN SOLUTION\n    return x * x\n    # END SOLUTION'
HIDDEN_BY_CONFIG = '""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG'
OTTERS = [
    raw("# ASSIGNMENT CONFIG\ninit_cell: true\nname: hw\ngenerate: true"),
    V4.new_code_cell("import otter\ngrader = otter.Notebook('hw.ipynb')"),
    V4.new_markdown_cell("# Squares"),
    V4.new_code_cell("import numpy as np\nimport given"),
    *question(
        "name: q1\npoints: 2",
        V4.new_code_cell(FUNCTION),
        tests=[
            case("square(3) == 9", "True"),
            case("assert np.allclose(square(np.arange(3)), [0, 1, 4])"),
            case("assert square(-1.5) == 2.25, 'secret'", hidden=True),
            case(f"{HIDDEN_BY_CONFIG}\ndef test_zero(square):\n    assert square(0) == 0"),
        ],
    ),
    *question(
        "name: q2\npoints:\n  each: 1.5",
        V4.new_code_cell("side = given.SIDE * 2 # SOLUTION"),
        tests=[case("side", "6"), case("assert np.sqrt(side) < 2.5")],
    ),
    *question("name: q3\nmanual: true", V4.new_markdown_cell("Because. # SOLUTION"), text="Why?"),
    *question(
        "name: q4",
        V4.new_code_cell("import torch\nnet = torch.nn.Linear(1, 1) # SOLUTION"),
        tests=[case("assert isinstance(net, torch.nn.Module)")],
    ),
]


@pytest.fixture(scope="module")
def from_otter(tmp_path_factory):
    here = tmp_path_factory.mktemp("otter")
    (here / "given.py").write_text("SIDE = 3\n")
    path = master(here, *OTTERS)
    done = autograder("new", "hw1", "--from-otter", path, cwd=here)
    assert done.returncode == 0, done.stderr
    return here / "hw1"


@pytest.mark.slow
def test_questions_points_and_tests_are_taken_over_from_otter(from_otter):
    assignment = load_assignment(from_otter / "assignment")
    taken = {q.id: (q.title, q.names, q.value, q.points[COURSE], q.context) for q in assignment.questions}
    assert taken == {"1.1": ("q1", ("square",), False, 2, ()), "1.2": ("q2", ("side",), True, 3, ())}
    assert [(item.id, item.full) for item in assignment.written.items] == [("1.3", "Because."), ("1.4", "")]
    assert assignment.sections[0].modules == ("given.py",) and assignment.title == "hw"
    jsonschema.Draft7Validator(schemas()[RUBRIC]).validate(
        tomllib.loads((from_otter / "assignment" / "rubric.toml").read_text())
    )
    told = (from_otter / "TODO.md").read_text()
    assert "| q1 | 1.1 | 2 | `square` | 2 | 2 |" in told and "its tests use torch" in told


@pytest.mark.slow
def test_what_was_taken_over_grades_its_solutions_its_starter_and_a_wrong_answer(from_otter, tmp_path):
    def scores(path):
        done = autograder("grade", path, "--output", tmp_path / "results.json", cwd=from_otter)
        assert done.returncode == 0, done.stderr
        tree = json.loads((tmp_path / "results.json").read_text())
        return {test["number"]: test["score"] for test in tree["tests"]}, json.dumps(tree)

    assert autograder("student", cwd=from_otter).returncode == 0
    released = (from_otter / "student" / "hw1.ipynb").read_text()
    handout = (from_otter / "student" / "README.md").read_text()
    assert "TODO" not in handout and "other numbers" not in handout and "| 1.3 (write-up" in handout
    assert "Answer 1.3 in the write-up" in released
    assert "x * x" not in released and "2.25" not in released and 'check(\\"1.1\\")' in released
    assert scores(from_otter / "solutions" / "hw1.ipynb")[0] == {"1.1": 2, "1.2": 3}
    assert scores(from_otter / "student" / "hw1.ipynb")[0] == {"1.1": 0, "1.2": 0}
    (tmp_path / "hw1.py").write_text("def square(x):\n    return abs(x) * 3\n# ## 1.2\nside = 7\n")
    wrong, told = scores(tmp_path / "hw1.py")
    assert wrong == {"1.1": 0, "1.2": 0} and "np.sqrt(side) < 2.5" in told and "2.25" not in told and "secret" not in told


@pytest.mark.slow
def test_tests_of_values_and_functions_see_the_data_of_the_setup_cell(tmp_path):
    data = V4.new_code_cell("import numpy as np\nscores = np.array([3.0, 9.0, 6.0])\nlabel = 'all'")
    cells = [
        raw("# ASSIGNMENT CONFIG\nname: hw"),
        data,
        *question(
            "name: q1\npoints: 2",
            V4.new_code_cell("mean = scores.mean() # SOLUTION"),
            tests=[case("mean == scores.mean()", "True")],
        ),
        *question(
            "name: q2\npoints: 4",
            V4.new_code_cell("def above(x):\n    # BEGIN SOLUTION\n    return x[x > mean]\n    # END SOLUTION"),
            tests=[
                case("above(scores).tolist()", "[9.0]"),
                case("assert label == 'all' and above(scores - mean + 6).size == 1", hidden=True),
            ],
        ),
    ]
    master(tmp_path, *cells)
    assert autograder("new", "hw1", "--from-otter", tmp_path / "hw.ipynb", cwd=tmp_path).returncode == 0
    done = autograder("grade", tmp_path / "hw1" / "solutions" / "hw1.ipynb", "--all-points", cwd=tmp_path / "hw1")
    assert done.returncode == 0 and "total 6 of 6" in done.stdout, done.stdout + done.stderr
