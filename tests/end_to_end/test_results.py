"""results.json exists from the start, is valid and truthful, and is written atomically."""

import functools
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from autograder.authoring.baking.bank import load_bank
from autograder.authoring.release import distinctive_lines, regions
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.verdict import NOT_RUN, Verdict
from autograder.gradescope.archive import members_of
from autograder.judging import run as grading
from autograder.judging.results import ResultsFile
from support.archives import build_archive
from support.project import ROOT, SCHEMA
from support.toy import autograder


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_before_anything_has_run_every_item_is_marked_not_run(tmp_path, grader):
    verdicts = [Verdict(q) for q in grader.assignment.questions]
    tree = ResultsFile(tmp_path / "r.json", grader.assignment, "517").write(verdicts, [])
    jsonschema.validate(tree, SCHEMA)
    assert {t["extra_data"]["verdict"] for t in tree["tests"]} == {NOT_RUN}
    assert not any("status" in t for t in tree["tests"])


def test_results_follow_gradescopes_format_and_name_every_item(submit, s1, s2):
    tree = submit({"A2S1.py": s1.replace("S = 100", "S = 1"), "A2S2.py": s2.replace("dim=-1", "dim=1")}).tree
    jsonschema.validate(tree, SCHEMA)
    assert [t["number"] for t in tree["tests"]] == [t["extra_data"]["id"] for t in tree["tests"]]
    assert {t["visibility"] for t in tree["tests"]} == {"visible"}
    assert tree["score"] == sum(t["score"] for t in tree["tests"])


@pytest.mark.parametrize("course, regular, extra", [("517", 58, 0), ("447", 52, 3)])
def test_points_add_up_to_the_handouts(course, regular, extra):
    assert load_assignment(ROOT / "assignment").max_points(course) == (regular, extra)


@pytest.mark.slow
def test_the_command_exits_0_after_grading_and_2_with_one_line_otherwise(tmp_path, settings, references, s1):
    where = ["--build", settings["build"]]
    (tmp_path / "A2S1.py").write_text(s1)
    good = run(*where, "grade", tmp_path / "A2S1.py", "--output", tmp_path / "good.json")
    assert good.returncode == 0 and "1.4.2" in good.stdout
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path / "notes.txt", tmp_path / "absent.py"):
        bad = run(*where, "grade", path, "--output", tmp_path / "bad.json")
        assert bad.returncode == 2 and len(bad.stderr.strip().split("\n")) == 1, bad.stderr
        tree = json.loads((tmp_path / "bad.json").read_text())
        jsonschema.validate(tree, SCHEMA)
        assert not tree["extra_data"]["complete"]


@pytest.mark.slow
def test_an_archive_is_reproducible_and_self_sufficient(tmp_path, grader, references, s1, s2):
    first = build_archive(grader.assignment, references, "447", tmp_path / "a").read_bytes()
    archive = build_archive(grader.assignment, references, "447", tmp_path / "b")
    assert first == archive.read_bytes()
    root = tmp_path / "autograder"
    zipfile.ZipFile(archive).extractall(root / "source")
    (root / "submission").mkdir()
    (root / "submission" / "A2S1.py").write_text(s1)
    (root / "submission" / "A2S2.py").write_text(s2)
    done = subprocess.run(
        ["bash", root / "source" / "run_autograder"],
        capture_output=True,
        text=True,
        cwd="/",
        env={"AUTOGRADER_ROOT": str(root), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    tree = json.loads((root / "results" / "results.json").read_text())
    jsonschema.validate(tree, SCHEMA)
    assert (done.returncode, tree["score"]) == (0, 35), done.stderr


@pytest.mark.slow
def test_run_autograder_exits_0_and_leaves_a_result_when_nothing_can_be_graded(tmp_path, grader, references):
    root = tmp_path / "autograder"
    zipfile.ZipFile(build_archive(grader.assignment, references, "517", tmp_path)).extractall(root / "source")
    done = subprocess.run(
        ["bash", root / "source" / "run_autograder"],
        capture_output=True,
        text=True,
        env={"AUTOGRADER_ROOT": str(root), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0
    jsonschema.validate(json.loads((root / "results" / "results.json").read_text()), SCHEMA)


def test_an_archive_holds_no_seed_no_solution_and_no_bake_recipe(tmp_path, grader, references):
    archive = zipfile.ZipFile(build_archive(grader.assignment, references, "517", tmp_path))
    names = set(archive.namelist())
    assert {"setup.sh", "run_autograder"} <= names
    assert not any(
        n.endswith(".ipynb") or n.startswith(("assignment/inputs", "autograder/authoring", "autograder/batch")) for n in names
    )
    assert not any("seed" in n or "solutions" in n or "bank" in n for n in names)


# Right answers that the judge runs for broken ones, what students have too, and what the smoke test hands in.
OPEN = tuple(f"assignment/{name}" for name in ("trusted_helpers.py", "helpers_beside.py", "rules/", "smoke/"))


def lines_of_the_solutions() -> tuple[set[str], set[str]]:
    """(what is a solution, what students are given) in the masters."""
    paths = [path for path in (ROOT / "solutions").rglob("*") if path.suffix in (".py", ".ipynb") and path.is_file()]
    secret, given = zip(*(regions(path, whole=False) for path in paths))
    return set(distinctive_lines("\n".join(secret))), set(distinctive_lines("\n".join(given)))


def test_no_line_of_the_solutions_or_the_bank_is_in_the_archive(grader, references):
    secret, public = lines_of_the_solutions()
    bank = load_bank(grader.assignment)
    secret |= set(distinctive_lines("\n".join(entry["code"] for kind in ("mistake", "alternative") for entry in bank[kind])))
    members = members_of(grader.assignment, references, "517")
    for name in [name for name in members if name.startswith(OPEN)]:
        public |= set(map(str.strip, members.pop(name).decode().split("\n")))
    secret = {line for line in secret - public if len(line) > 30}
    assert len(secret) > 200 and "reference.safetensors" in members
    assert not {(name, line) for name, data in members.items() for line in secret if line.encode() in data}


@pytest.mark.slow
def test_the_judge_never_imports_torch(tmp_path, settings, references, s1, s2):
    (tmp_path / "A2S1.py").write_text(s1)
    (tmp_path / "A2S2.py").write_text(s2)
    program = f"""
import sys
from pathlib import Path
from autograder.core.loading import load_assignment
from autograder.judging.run import run_grading
assignment = load_assignment({str(ROOT / "assignment")!r})
run_grading(assignment, Path({str(references)!r}), Path({str(tmp_path)!r}), "517", Path({str(tmp_path / "r.json")!r}))
found = sorted(m for m in sys.modules if m.split(".")[0] in ("torch", "transformers", "datasets", "IPython.terminal"))
print("FOUND", found)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip().endswith("FOUND []"), done.stdout + done.stderr
    assert json.loads((tmp_path / "r.json").read_text())["score"] == 38


@pytest.mark.slow
def test_items_graded_before_the_grader_failed_keep_their_verdicts(tmp_path, references, s1, s2, monkeypatch):
    from autograder.judging.section import SectionRun

    judge = SectionRun.judge

    def failing(self, question, shared):
        if question.id == "1.4.1":
            raise RuntimeError("a bug of ours")
        return judge(self, question, shared)

    monkeypatch.setattr(SectionRun, "judge", failing)
    (tmp_path / "A2S1.py").write_text(s1)
    assignment = load_assignment(ROOT / "assignment")
    tree = grading.run_grading(assignment, references, tmp_path, "517", tmp_path / "results.json")
    verdicts = {t["number"]: t["extra_data"]["verdict"] for t in tree["tests"]}
    assert (tree["score"], verdicts["1.3.2"], verdicts["1.4.1"]) == (12, "passed", "not run")
    assert "please tell the staff" in tree["output"]


def test_a_worker_that_cannot_start_is_a_one_line_error(tmp_path, references, s1):

    (tmp_path / "A2S1.py").write_text(s1)
    assignment = replace(load_assignment(ROOT / "assignment"), preload=("a_module_that_is_not_there",))
    with pytest.raises(GraderError, match="did not start"):
        grading.run_grading(assignment, references, tmp_path, "517", tmp_path / "results.json")


def test_references_the_seed_and_a_classs_results_are_for_their_owner_alone(toy, tmp_path):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / "T1.py").write_text("import torch\n")
    done = autograder("batch", tmp_path / "class", "--output", tmp_path / "out", cwd=toy, AUTOGRADER_SEED="")
    assert done.returncode == 0, done.stderr
    private = [toy / ".seed", toy / "build" / "reference.safetensors", tmp_path / "out", tmp_path / "out" / "gradebook.csv"]
    private += list((tmp_path / "out" / "results").rglob("*.json"))
    assert len(private) > 4
    assert {path: path.stat().st_mode & 0o077 for path in private} == dict.fromkeys(private, 0)


def test_where_student_code_could_reach_them_no_hidden_inputs_are_used_and_nothing_is_signed(
    grader, references, s1, tmp_path, monkeypatch
):
    unsafe = functools.partial(grading.ZygoteClient, without=("user", "landlock", "seccomp"))
    monkeypatch.setattr(grading, "ZygoteClient", unsafe)
    (tmp_path / "A2S1.py").write_text(s1)
    arguments = (grader.assignment, references, tmp_path / "A2S1.py", "517", tmp_path / "results.json")
    with pytest.raises(GraderError, match="kept apart"):
        grading.run_grading(*arguments)
    assert "nothing was graded" in json.loads((tmp_path / "results.json").read_text())["output"]
    monkeypatch.setenv("AUTOGRADER_ISOLATION", "process")
    tree = grading.run_grading(*arguments)
    assert all("inputs" not in test["extra_data"] for test in tree["tests"]) and not tree["extra_data"]["receipt"]["signature"]
