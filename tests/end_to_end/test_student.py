"""The student tree is generated, leaks nothing, and each of its notebooks works on its own."""

import ast
import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder.authoring import student_tree
from autograder.authoring.bundle import docstrings, unbundled, without_comments, without_types
from autograder.authoring.masters import strip_modules
from autograder.checks.formats import read
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.submission.statements import parse_document
from support.notebooks import execute
from support.project import ROOT

NAMES = ["A2S1", "A2S2"]
ALL = [*NAMES, "A2S3"]  # the last one needs a hub to run


def checks(cells) -> dict[str, str]:
    return {m.group(1): text for source, text in cells if (m := re.fullmatch(r'check\("(.*)"\)', source))}


@pytest.fixture(scope="module")
def generated(settings, references, tmp_path_factory):
    target = tmp_path_factory.mktemp("generated") / "student"
    student_tree.build_student(load_assignment(settings["folder"]), settings["solutions"], references, target)
    return target


@pytest.fixture(scope="module")
def lone_starters(generated, tmp_path_factory):
    """The cells of each student notebook, run in a folder that holds nothing else."""

    def run(name):
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(generated / f"{name}.ipynb", folder)
        return execute(folder / f"{name}.ipynb", folder)

    return {name: run(name) for name in NAMES}


def test_the_committed_student_tree_is_what_the_solutions_generate(generated):
    def tree(folder):
        return {
            p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts
        }

    assert tree(generated) == tree(ROOT / "student"), "run `make student` and commit"


@pytest.mark.parametrize("tree", ["student", "solutions"])
@pytest.mark.parametrize("name", ALL)
def test_notebooks_are_source(tree, name):
    notebook = nbformat.read(ROOT / tree / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(not c.get("outputs") and c.get("execution_count") is None for c in notebook.cells)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)


@pytest.mark.parametrize("name", ALL)
def test_no_solution_is_left_in_the_student_notebook(generated, name):
    master = nbformat.read(ROOT / "solutions" / f"{name}.ipynb", as_version=4)
    student_text = "\n".join(c.source for c in nbformat.read(generated / f"{name}.ipynb", as_version=4).cells)
    for cell in master.cells:
        for block in re.findall(r"# BEGIN SOLUTION.*?\n(.*?)# END SOLUTION", cell.source, re.DOTALL):
            # A lone bracket or the first half of a call proves nothing.
            lines = [line.strip() for line in block.split("\n") if re.search(r"\w.*[^(]$", line)]
            assert lines and not [line for line in lines if line in student_text]
        if cell.cell_type == "markdown" and cell.source.startswith(("**Rationale", "**Answer")):
            assert cell.source[:60] not in student_text


@pytest.mark.slow
@pytest.mark.parametrize("name", ["A2S1", "A2S2", "A2S3"])
def test_the_readmes_nbconvert_command_converts_a_notebook_from_the_release(generated, tmp_path, name):
    shutil.copy(generated / f"{name}.ipynb", tmp_path)
    subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", "--to", "script", f"{name}.ipynb"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert (tmp_path / f"{name}.py").exists()


def carried(folder, name):
    """Path -> text of what a notebook carries."""
    cells = nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
    return {path: data.decode() for cell in cells for path, data in unbundled(cell.source, name)}


@pytest.mark.parametrize("name, most", [("A2S1", 60), ("A2S2", 560), ("A2S3", 107)])
def test_the_setup_cell_of_a_notebook_is_small(generated, name, most):
    sources = [cell.source for cell in nbformat.read(generated / f"{name}.ipynb", as_version=4).cells]
    assert max(map(len, sources)) <= most * 1024


@pytest.mark.parametrize("name", ALL)
def test_a_notebook_carries_the_checks_and_cases_of_its_own_section_only(generated, name):
    inside, number = carried(generated, name), name[-1]
    tests = {path for path in inside if path.startswith("tests/")}
    assert tests == {f"tests/{path.name}" for path in (generated / "tests").glob(f"{number}.*.py")} != set()
    data = json.loads(inside["a2checks/cases.json"])
    assert all(id.startswith(number) for key in ("answers", "cases", "bank", "says", "points") for id in data[key])
    whole = json.loads((generated / "a2checks" / "cases.json").read_text())
    assert all(data["cases"][id] == cases for id, cases in whole["cases"].items() if id.startswith(number))


@pytest.mark.many(of=3)
@pytest.mark.parametrize("name", ALL)
def test_whatever_a_carried_module_imports_is_carried_too(generated, name, tmp_path):
    inside = carried(generated, name)
    for path, text in inside.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    modules = [
        path[:-3].replace("/", ".").removesuffix(".__init__")
        for path in inside
        if path.startswith("a2checks/") and path.endswith(".py")
    ]
    script = (
        f"import importlib, a2checks; [importlib.import_module(name) for name in {modules}]; print(sorted(a2checks.check.tree))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(id in done.stdout for id in json.loads(inside["a2checks/cases.json"])["answers"])


def test_code_without_comments_is_the_same_code():
    source = '''"""Of a module,
over two lines."""

import os  # for nothing

TEXT = """# not a comment

after an empty line"""


class A:
    """Only this."""


def f(x: int) -> int:
    """What f does."""
    # why
    s = f"""{x}

    # kept"""  # gone
    return s  # gone, too


async def g():
    "One line."
    y = [  # first

        1,
    ]
    return y, "#"
'''
    short = without_comments(source)

    def bare(text):
        tree = ast.parse(text)
        for node, _ in docstrings(tree):
            node.body = node.body[1:] or [ast.Expr(ast.Constant(...))] * (node is not tree)
        return ast.dump(tree)

    assert bare(short) == bare(source)
    assert all(gone not in short for gone in ("too", "why", "What f", "Only this", "for nothing", "first", "One line"))
    assert "# not a comment\n\nafter" in short and "\n\n    # kept" in short
    for path in (ROOT / "autograder" / "checks").rglob("*.py"):
        assert bare(without_comments(path.read_text())) == bare(path.read_text()), path


def test_code_without_types_is_the_same_code():
    source = """from dataclasses import dataclass

@dataclass
class A:
    n: int = 3  # what a dataclass is made of stays

    def f(self, x: "ä | None" = None, *xs: int, y: dict[str, int] = {"a": 1}, **more: tuple[int, ...]) -> list[
        int
    ]:
        z: int = x or 2
        return [z]

def g(f=lambda x: {x: 1}, *, key:str='->', last : int
      ): return f
"""
    short = without_types(source)
    assert ast.dump(ast.parse(short)) == ast.dump(untyped(ast.parse(source))) != ast.dump(ast.parse(source))
    for path in (ROOT / "autograder" / "checks").rglob("*.py"):
        assert ast.dump(ast.parse(without_types(path.read_text()))) == ast.dump(untyped(ast.parse(path.read_text()))), path


def untyped(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
    return tree


def test_modules_are_stripped_by_the_notebooks_own_markers(tmp_path):
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "layer.py").write_text(
        "def f(x):\n    # TODO: one line\n    # BEGIN SOLUTION NO PROMPT\n    return 2 * x\n"
        "    # END SOLUTION\n\ny = 3  # SOLUTION\n"
    )
    (source / "data" / "text.xz").write_bytes(b"\0\1")
    strip_modules(source, tmp_path / "made")
    assert (tmp_path / "made" / "layer.py").read_text() == "def f(x):\n    # TODO: one line\n\ny = ...\n"
    assert (tmp_path / "made" / "data" / "text.xz").read_bytes() == b"\0\1"
    (source / "layer.py").write_text("# BEGIN TESTS\n")
    with pytest.raises(GraderError, match=re.escape("layer.py: 'BEGIN TESTS' is still there after stripping")):
        strip_modules(source, tmp_path / "again")


@pytest.mark.parametrize("name", ALL)
def test_the_trees_differ_only_inside_todo_regions(generated, name):
    def stripped(source):
        source = re.sub(r"[ ]*# BEGIN SOLUTION.*?# END SOLUTION\n?", "", source, flags=re.DOTALL)
        return re.sub(r'^BUNDLE = ".*"$', 'BUNDLE = ""', source, flags=re.MULTILINE).strip()

    def code(path):
        return [stripped(c.source) for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]

    assert code(generated / f"{name}.ipynb") == code(ROOT / "solutions" / f"{name}.ipynb")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_every_check_cell_of_a_lone_starter_prints_and_names_the_todo(lone_starters, name):
    spoken = checks(lone_starters[name])
    assert len(spoken) == {"A2S1": 6, "A2S2": 11}[name]
    assert all("TODO" in text and ("❌" in text or "⏳" in text) for text in spoken.values())


@pytest.mark.slow
def test_a_lone_starter_trains_and_generates_with_pytorchs_attention_until_the_student_writes_one(lone_starters):
    said = "".join(text for _, text in lone_starters["A2S2"])
    assert "King James Bible" in said and "your transformer" in said and "mine, seed 447" in said
    assert "self_attention returns None: it still has a TODO. PyTorch's fused attention is used instead." in said


@pytest.mark.slow
def test_the_students_own_copy_of_the_model_is_preferred_to_the_bundled_one(generated, tmp_path):
    notebook = nbformat.read(generated / "A2S2.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if "def find_checks" in c.source or c.id == "a2s2-22-load"]
    nbformat.write(notebook, tmp_path / "A2S2.ipynb")
    shutil.copytree(generated / "mingpt", tmp_path / "mingpt")
    data = tmp_path / "mingpt" / "data.py"
    data.write_text(data.read_text().replace("King James Bible", "My own text"))
    assert "My own text" in execute(tmp_path / "A2S2.ipynb", tmp_path)[-1][1]


@pytest.mark.many(of=2)
@pytest.mark.parametrize("name", NAMES)
def test_the_solutions_run_top_to_bottom_and_pass_every_check(name):
    spoken = checks(execute(ROOT / "solutions" / f"{name}.ipynb", ROOT / "solutions"))
    assert spoken and all("✅" in text for text in spoken.values())


def wrong(source):
    for right, other in {
        "query121 = 100 * key[0]": "query121 = 100 * key[1]",
        "query131 = torch.zeros(3)": "query131 = None",
        "m_key[2] = (key[0] + key[1]) / 2": "m_key[2] = key[3]",
        "F.softmax(A, dim=-1)": "F.softmax(A, dim=-2)",
        "torch.tril": "torch.triu",
    }.items():
        source = source.replace(right, other)
    return source


@pytest.mark.many(of=2)
@pytest.mark.parametrize("name", NAMES)
def test_check_cells_and_the_grade_agree(submit, tmp_path, name):
    path = tmp_path / f"{name}.ipynb"
    notebook = nbformat.read(ROOT / "solutions" / f"{name}.ipynb", as_version=4)
    notebook.cells = [c for c in notebook.cells if "-22-" not in c.id]  # nothing of 2.2 is graded
    for cell in notebook.cells:
        cell.source = wrong(cell.source) if cell.cell_type == "code" else cell.source
    nbformat.write(notebook, path)
    spoken = checks(execute(path, ROOT / "solutions"))
    graded = submit(path)
    assert {id for id, text in spoken.items() if "❌" in text} == {i for i in graded.lost if i in spoken} != set()
    # With a broken helper the notebook's own composition cannot be right; the grader substitutes a right helper.
    assert all("⏳" in text for id, text in spoken.items() if "self_attention" in id)


@pytest.mark.slow
def test_otters_own_grader_check_runs_the_same_tests(generated, tmp_path):
    shutil.copytree(generated, tmp_path / "student")
    script = """
import otter, json
from a2checks import check
import torch
query121 = torch.tensor([47.0, 65.0, 60.0])
query131 = torch.ones(3)
grader = otter.Notebook(tests_dir="tests")
print(json.dumps([grader.check(q).passed_all for q in ("1.2.1", "1.3.1")]))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path / "student")
    assert json.loads(done.stdout.strip().split("\n")[-1]) == [True, False], done.stderr


def test_the_checks_need_nothing_but_numpy(generated, tmp_path):
    shutil.copytree(generated, tmp_path / "student")
    script = (
        "import sys\nfrom a2checks import check\nquery131=[0.0,0.0,0.0]\ncheck('1.3.1')\n"
        "print(sorted({'torch','otter','nbformat'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path / "student")
    assert "✅" in done.stdout and done.stdout.strip().endswith("[]"), done.stderr


@pytest.mark.parametrize("name", ALL)
def test_the_courses_own_cells_get_no_note_and_are_read_whole(name):
    path = ROOT / "student" / f"{name}.ipynb"
    parsed = parse_document(read(path.name, path.read_bytes(), 64 << 20), frozenset("123"))
    assert parsed.document.notes == [] and parsed.broken == [] and not parsed.cut
