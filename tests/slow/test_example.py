"""The example goes through a whole term with nothing but the installed engine, from a folder that holds only the example."""

import csv
import zipfile
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.new import template_files
from support.container import Container
from support.project import EXAMPLE
from support.wheels import run

SOLUTION = nbformat.read(EXAMPLE / "solutions" / "ngram.ipynb", as_version=4)
COUNTED_ONCE = ("np.add.at(counts, (ids[:-1], ids[1:]), 1)", "counts[ids[:-1], ids[1:]] += 1")


def handed_in(*changes: tuple[str, str]) -> str:
    """The solutions as a notebook, with some of its texts replaced."""
    text = nbformat.writes(SOLUTION)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def test_students_get_a_notebook_that_was_run_before_it_was_released(installed, example, tmp_path):
    done = run(installed, example, "release")
    assert done.returncode == 0, done.stderr
    assert "1 notebook runs alone" in done.stdout and "contain none of" in done.stdout
    released = zipfile.ZipFile(example / "build" / "student.zip")
    assert {"student/ngram.ipynb", "student/lmtools.py", "student/README.md", "student/writeup/writeup.md"} <= set(
        released.namelist()
    )
    notebook = released.read("student/ngram.ipynb").decode()
    assert "add.at" not in notebook and "smoothing only takes probability" not in notebook


def test_a_container_grades_it_and_says_why(installed, example_archive, tmp_path):
    zipfile.ZipFile(example_archive).extractall(tmp_path / "source")
    (tmp_path / "submission").mkdir()
    container = Container(tmp_path, installed)
    notebook = tmp_path / "submission" / "A1.ipynb"  # without the module beside it, which everyone was given
    notebook.write_text(handed_in())
    tree, _ = container.run()
    assert tree["score"] == 16
    notebook.write_text(handed_in(COUNTED_ONCE))
    tree, _ = container.run()
    lost = {test["number"]: test["output"] for test in tree["tests"] if test["score"] < test["max_score"]}
    assert set(lost) == {"1.2"} and "np.add.at adds every time" in lost["1.2"]  # what is built on it costs nothing


@pytest.fixture(scope="module")
def graded(installed, example) -> Path:
    """The example after a class was graded: Ada is right, Bo counts each pair once, Cy handed in what he was given."""
    run(installed, example, "student")
    sources = {"ada": handed_in(), "bo": handed_in(COUNTED_ONCE), "cy": (example / "student" / "ngram.ipynb").read_text()}
    for name, text in sources.items():
        (example / "class" / name).mkdir(parents=True)
        (example / "class" / name / "ngram.ipynb").write_text(text)
    rows = [f"{name},{name}@x.edu,{n},101,class/{name}" for n, name in enumerate(sources, 1)]
    (example / "roster.csv").write_text("\n".join(["name,email,sid,course,path", *rows]) + "\n")
    done = run(installed, example, "batch", "class", "--roster", "roster.csv", "--quiet")
    assert done.returncode == 0, done.stderr
    return example


def test_a_class_is_graded_and_closed(installed, graded):
    with open(graded / "build" / "class" / "gradebook.csv", newline="") as file:
        scores = {row["Name"]: float(row["Total Score"]) for row in csv.DictReader(file)}
    assert scores == {"ada": 16, "bo": 13, "cy": 0}
    assert run(installed, graded, "rubric", "--gradebook", "build/class/gradebook.csv").returncode == 0
    sheet = graded / "build" / "rubric" / "manual.csv"
    with open(sheet, newline="") as file:
        people = list(csv.DictReader(file))
    for person, credit in zip(people, ("full", "half", "none")):
        person |= {"2.5": credit, "collaborators": "yes"}
    with open(sheet, "w", newline="") as file:
        writer = csv.DictWriter(file, people[0])
        writer.writeheader()
        writer.writerows(people)
    done = run(installed, graded, "finalise", "build/class/gradebook.csv", sheet)
    assert done.returncode == 0, done.stdout + done.stderr
    with open(graded / "build" / "final.csv", newline="") as file:
        assert {row["name"]: float(row["total"]) for row in csv.DictReader(file)} == {"ada": 20, "bo": 15, "cy": 0}


def test_the_example_is_what_a_new_assignment_becomes():
    template = template_files()
    for name in ("Makefile", ".gitignore"):
        assert (EXAMPLE / name).read_text() == template[name], f"examples/ngram/{name} and the template's differ"
