"""Where commands read and write: never into a folder that they did not make, never over a submission."""

import shutil
from pathlib import Path

import pytest

from autograder.cli.project import Project
from autograder.core.files import MARK
from support.project import ROOT
from support.toy import autograder


@pytest.mark.slow
def test_a_command_never_replaces_a_folder_that_it_did_not_make(toy):
    precious = toy / "student"
    precious.mkdir()
    (precious / "thesis.md").write_text("years of work")
    refused = autograder("student", cwd=toy)
    assert refused.returncode == 2 and len(refused.stderr.strip().splitlines()[-1]) < 300
    assert (precious / "thesis.md").read_text() == "years of work" and [p.name for p in precious.iterdir()] == ["thesis.md"]


@pytest.mark.slow
def test_a_command_refuses_a_folder_that_another_command_made(toy):
    (toy / "class" / "ada").mkdir(parents=True)
    shutil.copy(toy / "solutions" / "T1.py", toy / "class" / "ada")
    assert autograder("batch", "class", "--output", "out", cwd=toy).returncode == 0
    before = {p: p.read_bytes() for p in (toy / "out").rglob("*") if p.is_file()}
    shutil.copy(ROOT / "student" / "A2S1.ipynb", toy / "solutions" / "T1.ipynb")
    for command in (["student", "--output", "out"], ["export", "out"], ["rubric", "--output", "out"]):
        done = autograder(*command, cwd=toy)
        assert done.returncode == 2 and "was not made by" in done.stderr, (command, done.stderr)
    assert {p: p.read_bytes() for p in before} == before


def test_a_submission_is_never_overwritten(toy):
    source = (toy / "solutions" / "T1.py").read_text()
    for output in ("solutions/T1.py", "solutions/results.json"):
        done = autograder("grade", "solutions" if output.endswith("json") else output, "--output", output, cwd=toy)
        assert done.returncode == 2 and "choose another --output" in done.stderr
    assert (toy / "solutions" / "T1.py").read_text() == source and not (toy / "solutions" / "results.json").exists()


@pytest.mark.slow
def test_a_path_of_the_wrong_kind_is_a_one_line_error(toy):
    (toy / "file").write_text("x")
    for command in (
        ["grade", "solutions", "--output", "class"],
        ["--build", "file", "pack"],
        ["batch", "file"],
        ["grade", "x" * 300],
    ):
        (toy / "class").mkdir(exist_ok=True)
        done = autograder(*command, cwd=toy)
        said = [line for line in done.stderr.splitlines() if not line.startswith("baked")]
        assert done.returncode == 2 and len(said) == 1 and said[0].startswith("autograder: "), (command, done.stderr)


@pytest.mark.slow
def test_the_seed_does_not_depend_on_how_the_folder_is_spelled(toy):
    keep = {"AUTOGRADER_SEED": ""}
    assert autograder("bake", cwd=toy, **keep).returncode == 0
    seed, made = (toy / ".seed").read_text(), (toy / "build" / "reference.safetensors").read_bytes()
    done = autograder(
        "--assignment",
        "../assignment",
        "--solutions",
        "../solutions",
        "--build",
        ".",
        "grade",
        "../solutions",
        cwd=toy / "build",
        **keep,
    )
    assert done.returncode == 0 and "baked" not in done.stderr, done.stderr
    assert (toy / ".seed").read_text() == seed and not (toy / "build" / ".seed").exists()
    assert (toy / "build" / "reference.safetensors").read_bytes() == made


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["export", "{folder}"],
        ["batch", "{toy}/class", "--output", "{folder}"],
        ["rubric", "--output", "{folder}"],
        ["alike", "{toy}/solutions", "--output", "{folder}"],
    ],
)
def test_no_command_writes_into_someone_elses_folder(toy, tmp_path, command):
    folder = tmp_path / "somebody's"
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "mine.json").write_text("{}")
    shutil.copytree(toy / "solutions", toy / "class" / "ada")
    shutil.copy(ROOT / "student" / "A2S1.ipynb", toy / "solutions" / "T1.ipynb")
    done = autograder(*(part.format(folder=folder, toy=toy) for part in command), cwd=toy)
    assert done.returncode == 2 and "was not made by" in done.stderr, done.stderr
    assert sorted(p.name for p in folder.rglob("*")) == ["mine.json", "results"]


@pytest.mark.slow
def test_a_command_may_overwrite_its_own_output(toy, tmp_path):
    (toy / "class" / "ada").mkdir(parents=True)
    shutil.copy(toy / "solutions" / "T1.py", toy / "class" / "ada")
    for _ in range(2):
        done = autograder("batch", "class", "--output", "out", cwd=toy)
        assert done.returncode == 0, done.stderr
    assert (toy / "out" / MARK).exists() and (toy / "out" / "gradebook.csv").exists()


def test_only_the_named_folders_are_touched(toy, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = {p: p.read_bytes() for p in (ROOT / "student").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    done = autograder(
        "--assignment", toy / "assignment", "--solutions", toy / "solutions", "grade", toy / "solutions", cwd=elsewhere
    )
    assert done.returncode == 0 and "total 5 of 5" in done.stdout, done.stderr
    assert {p: p.read_bytes() for p in before} == before
    assert {p.name for p in elsewhere.iterdir()} - {".seed"} == {"build"}
    assert not (toy / "build").exists()
    assert Project(Path("a"), toy / "solutions", Path("b")).student == toy / "student"


@pytest.mark.slow
def test_a_folder_without_an_assignment_is_a_one_line_error(tmp_path):
    for command in (["grade", "x.py"], ["pack"], ["batch", "."], ["student"], ["rubric"], ["audit"], ["release"], ["answers"]):
        done = autograder(*command, cwd=tmp_path)
        assert done.returncode == 2 and "there is no rubric.toml" in done.stderr and "Traceback" not in done.stderr, (
            command,
            done.stderr,
        )
        assert len(done.stderr.strip().splitlines()) == 1
    assert autograder("--help", cwd=tmp_path).returncode == 0
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.slow
def test_an_archive_is_all_that_grading_needs(toy, tmp_path):
    assert autograder("pack", cwd=toy).returncode == 0
    archive = shutil.copy(toy / "build" / "autograder-101.zip", tmp_path)
    empty = tmp_path / "empty"
    (empty / "class" / "ada").mkdir(parents=True)
    shutil.copy(toy / "solutions" / "T1.py", empty / "class" / "ada")
    shutil.rmtree(toy)
    done = autograder("grade", "class/ada", "--archive", archive, cwd=empty)
    assert done.returncode == 0 and "total 5 of 5" in done.stdout, done.stderr
    done = autograder("batch", "class", "--archive", archive, cwd=empty)
    assert done.returncode == 0 and "1 graded now" in done.stdout, done.stderr
