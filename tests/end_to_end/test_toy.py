"""The toy assignment: the engine serves another course from its folder alone."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.loading import load_assignment
from autograder.core.paths import PACKAGE
from autograder.core.references import read_references
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from support.archives import build_archive
from support.project import TOY


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    settings = {"folder": TOY / "assignment", "solutions": TOY / "solutions", "build": tmp_path_factory.mktemp("toy") / "build"}
    references = fresh_references(**settings)
    assignment = load_assignment(TOY / "assignment")
    with ZygoteClient(assignment.preload) as zygote:
        yield Grader(assignment, read_references(references), zygote), settings, references


def scores(toy, tmp_path, source):
    path = tmp_path / "T1.py"
    path.write_text(source)
    return {v.question.id: v.score("101") for v in grade(toy[0], path, lambda *_: None)}


def test_its_solution_earns_everything(toy, tmp_path):
    assert scores(toy, tmp_path, (TOY / "solutions" / "T1.py").read_text()) == {"1.add": 2, "1.mean": 3}


def test_its_composite_is_judged_with_right_prerequisites(toy, tmp_path):
    source = (TOY / "solutions" / "T1.py").read_text().replace("return a + b", "return a - b")
    assert scores(toy, tmp_path, source) == {"1.add": 0, "1.mean": 3}


def test_its_worker_never_loads_torch_or_numpy(toy, tmp_path):
    source = "import sys\ndef add(a, b):\n    return 'torch' in sys.modules or 'numpy' in sys.modules or a + b\n"
    assert scores(toy, tmp_path, source)["1.add"] == 2


def test_its_archive_grades_on_its_own(toy, tmp_path):
    grader, _, references = toy
    archive = build_archive(grader.assignment, references, "101", tmp_path)
    root = tmp_path / "autograder"
    zipfile.ZipFile(archive).extractall(root / "source")
    (root / "submission").mkdir()
    (root / "submission" / "T1.py").write_text((TOY / "solutions" / "T1.py").read_text())
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", root / "source" / "run_autograder"],
        capture_output=True,
        text=True,
        env={**os.environ, "AUTOGRADER_ROOT": str(root), "PATH": path},
    )
    assert done.returncode == 0, done.stderr
    assert '"score": 5.0' in (root / "results" / "results.json").read_text()


@pytest.mark.slow
def test_the_engine_mentions_no_assignment():
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        modules = {getattr(n, "module", "") or "" for n in ast.walk(tree)}
        modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert not any(m.split(".")[0] == "assignment" for m in modules), path
        names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        assert not names & {"self_attention", "query121", "m_key", "attention"}, path
