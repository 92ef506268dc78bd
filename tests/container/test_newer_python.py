"""The grader on a base with Python 3.13 (Debian trixie): set-up, intake, slicing and the cage, on an assignment without torch.

Not proved here: torch on that Python, for which the machines that run these tests have no wheel.
"""

import json
import os
import shutil

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.gradescope import image
from container.engines import prepared, print_figures
from support.archives import build_archive
from support.project import ROOT, TOY

NAME = "autograder-test:newer"
NEWER = """
type Number = int | float

names = {"how": "sum"}
print(f"the {names["how"]} of {", ".join(names)}")


def add[T](a: T, b: T) -> T:
    return a + b


def mean(xs: list[Number]) -> float:
    total = 0
    for x in xs:
        total = add(total, x)
    return total / len(xs)
"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """The image of the toy, with a smoke test and a requirement, on a Debian whose Python is 3.13."""
    try:
        engine = image.engine(("podman",))
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    folder = tmp_path_factory.mktemp("newer")
    shutil.copytree(TOY, folder / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    assignment = folder / "toy" / "assignment"
    (assignment / "smoke").mkdir()
    (assignment / "smoke" / "T1.py").write_text(NEWER)
    (assignment / "smoke" / "expected.json").write_text('{"1.add": "passed", "1.mean": "passed"}')
    (assignment / "requirements.in").write_text("numpy\n")
    references = fresh_references(assignment, folder / "toy" / "solutions", folder / "build")
    archive = build_archive(load_assignment(assignment), references, "101", folder)
    made = prepared(NAME, engine, folder, {}, os.environ.get("ENGINE_BUILD", ""), "trixie")
    with made.reached():
        made.seconds = image.build_image(archive, ROOT / "Dockerfile", NAME, made.base, "")
        print_figures(made)
    yield made
    made.remove()


def test_syntax_of_python_3_12_is_graded_on_a_base_that_has_it(newer, tmp_path):
    (tmp_path / "handed in").mkdir()
    (tmp_path / "handed in" / "T1.py").write_text(NEWER)
    with image.container(tmp_path / "handed in") as (handed_in, results), newer.reached():
        done = image.run_image(newer.name, handed_in, results, (), ("/autograder/run_autograder",))
        tree = json.loads(done.results.read_text())
    assert done.exit == 0, done.stdout[-2000:]
    assert {test["number"]: test["score"] for test in tree["tests"]} == {"1.add": 2, "1.mean": 3}
