"""The house's walls: which way imports flow, what keys and archives follow from, where commands write, what is refused."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomllib

from autograder.authoring.baking.bank import load_bank
from autograder.authoring.baking.freshness import BAKING, fingerprint
from autograder.authoring.student_tree import for_students
from autograder.batch.store import judging_key
from autograder.cli.project import Project
from autograder.core.digests import package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.files import MARK
from autograder.core.loading import load_assignment
from autograder.core.paths import PACKAGE
from autograder.gradescope.archive import certificate, members_of
from autograder.submission.statements import is_own
from autograder.written.render import render_handout
from support.project import ROOT, TOY


@pytest.fixture
def toy(tmp_path) -> Path:
    """A copy of the toy: ``assignment`` and ``solutions`` side by side."""
    shutil.copytree(TOY, tmp_path / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "toy"


def autograder(*arguments, cwd: Path, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "autograder", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


# ---- imports ----


def test_imports_flow_one_way():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_there_are_at_most_eight_levels_of_packages():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    assert len([layer for layer in layers if not layer.startswith("__")]) <= 8
    rooms = {room.strip() for layer in layers for room in layer.split("|")} - {"__main__"}
    assert rooms == {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


# ---- keys ----

LOADED = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # with one processor all is done in this process
{code}
package = {package!r}
print("LOADED", sorted(m.__file__ for m in list(sys.modules.values()) if (getattr(m, "__file__", None) or "").startswith(package)))
"""
KEYS = {
    # what somebody does -> the package whose key has to hold all of it
    "judging": "import json, pathlib, tempfile\nfrom autograder.core.loading import load_assignment\n"
    "from autograder.judging.run import run_grading\n"
    "place = pathlib.Path(tempfile.mkdtemp())\n(place / 'T1.py').write_text('def add(a, b):\\n    return a - b\\n')\n"
    "run_grading(load_assignment({toy!r} + '/assignment'), pathlib.Path({references!r}), place, '101', place / 'r.json')",
    BAKING: "import pathlib\nfrom autograder.core.loading import load_assignment\nfrom autograder.authoring.baking.bake import bake\n"
    "bake(load_assignment({toy!r} + '/assignment'), pathlib.Path({toy!r}) / 'solutions', 7)",
    "gradescope": "import autograder.gradescope.container, autograder.gradescope.smoke, autograder.gradescope.__main__\n"
    "import pathlib, tempfile\nfrom autograder.gradescope.container import grade_container\n"
    "root = pathlib.Path({root!r})\ngrade_container(root, lambda line: None)",
}


@pytest.mark.parametrize("package", KEYS)
def test_every_module_that_is_loaded_is_in_the_key(package, toy, tmp_path):
    build = tmp_path / "build"
    assert autograder("--build", build, "pack", cwd=toy).returncode == 0
    root = tmp_path / "container"
    zipfile.ZipFile(build / "autograder-101.zip").extractall(root / "source")
    shutil.copytree(toy / "solutions", root / "submission")
    code = KEYS[package].format(toy=str(toy), references=str(build / "reference.safetensors"), root=str(root))
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(code=code, package=f"{PACKAGE}{os.sep}")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    loaded = [line for line in done.stdout.splitlines() if line.startswith("LOADED")]
    assert loaded, done.stdout + done.stderr
    held = {str(path) for path in package_files(packages_of(package)).values()}
    found = {
        path
        for path in eval(loaded[0].removeprefix("LOADED "), {})
        if "__main__" not in Path(path).name or package == "gradescope"
    }
    assert found and found <= held, sorted(found - held)


def test_no_verdict_depends_on_authoring_classes_or_the_command_line():
    assert not {"authoring", "batch", "cli", "gradescope", "written"} & set(packages_of("judging"))
    assert not {"authoring", "batch", "cli"} & set(packages_of("gradescope"))
    assert {"core", "submission", "slicing", "sandbox", "checks"} <= set(packages_of("judging"))


@pytest.fixture(scope="module")
def copied_engine(tmp_path_factory):
    """A copy of the engine and the toy, for changing a byte here and there; ``keys()`` gives (judging, baking, audit)."""
    folder = tmp_path_factory.mktemp("engine")
    shutil.copytree(PACKAGE, folder / "autograder", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copytree(TOY, folder / "toy", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "toy" / "assignment" / "bank").mkdir()
    (folder / "toy" / "assignment" / "bank" / "mistakes.toml").write_text(
        '[[mistake]]\nitem = "1.add"\nid = "minus"\ncode = "def add(a, b): return a - b"\nsays = "it subtracts"\n'
    )
    (folder / "reference.safetensors").write_bytes(b"references")
    return folder


PRINT_KEYS = """
import json, sys
sys.path.insert(0, ".")
from pathlib import Path
from autograder.authoring.baking.freshness import fingerprint
from autograder.batch.store import judging_key
from autograder.core.loading import load_assignment
from autograder.gradescope.archive import certificate, members_of
toy = load_assignment(Path("toy/assignment"))
members = members_of(toy, Path("reference.safetensors"), "101")
print(json.dumps([judging_key(toy, {"sets": [], "public": {}, "says": {}}), fingerprint(toy, Path("toy/solutions"), 1),
                  certificate(toy, {"101": members}), sorted(members)]))
"""


def keys(folder: Path) -> list:
    done = subprocess.run(
        [sys.executable, "-c", PRINT_KEYS],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    "file, judged_anew, baked_anew, audited_anew",
    [
        ("autograder/checks/compare.py", True, True, True),
        ("autograder/core/text.py", True, True, True),
        ("autograder/sandbox/worker_side/syscalls.py", True, True, True),
        ("autograder/judging/feedback.py", True, False, True),
        ("autograder/judging/requirements.in", True, False, True),
        ("autograder/gradescope/container.py", False, False, True),
        ("autograder/gradescope/setup.sh", False, False, True),
        ("autograder/authoring/baking/bake.py", False, True, False),
        ("autograder/authoring/release.py", False, False, False),
        ("autograder/gradescope/image.py", False, False, True),
        ("autograder/written/finalise.py", False, False, False),
        ("autograder/batch/class_page/page.css", False, False, False),
        ("autograder/cli/terminal.py", False, False, False),
        ("docs/class.md", False, False, False),
        ("toy/assignment/questions/1.add.py", True, True, True),
        ("toy/assignment/trusted_helpers.py", True, True, True),
        ("toy/assignment/inputs.py", False, True, False),
        ("toy/assignment/bank/mistakes.toml", False, True, True),
        ("toy/solutions/T1.py", False, True, False),
        ("reference.safetensors", False, False, True),
    ],
)
def test_a_changed_byte_makes_stale_what_it_is_in_and_nothing_else(copied_engine, file, judged_anew, baked_anew, audited_anew):
    before, path = keys(copied_engine), copied_engine / file
    original = path.read_bytes()
    try:
        path.write_bytes(original + b"\n")
        after = keys(copied_engine)
    finally:
        path.write_bytes(original)
    assert [a != b for a, b in zip(before[:3], after[:3])] == [judged_anew, baked_anew, audited_anew]


def test_every_byte_of_every_file_in_the_archive_is_certified(grader, references):
    members = {"517": members_of(grader.assignment, references, "517")}
    stamp = certificate(grader.assignment, members)
    for name, data in members["517"].items():
        changed = {**members["517"], name: data[:-1] + bytes([(data[-1] if data else 0) ^ 1])}
        assert certificate(grader.assignment, {"517": changed}) != stamp, name
        assert certificate(grader.assignment, {"517": {k: v for k, v in members["517"].items() if k != name}}) != stamp, name


def test_pack_audits_again_when_a_byte_of_the_archive_has_changed_and_refuses_when_it_no_longer_holds(toy):
    (toy / "assignment" / "bank").mkdir()
    (toy / "assignment" / "bank" / "mistakes.toml").write_text(
        '[[mistake]]\nitem = "1.add"\nid = "minus"\ncode = "def add(a, b): return a - b"\nsays = "it subtracts"\n'
    )
    first, second = autograder("pack", cwd=toy), autograder("pack", cwd=toy)
    assert "audit: mistakes 1/1" in first.stdout and "audit:" not in second.stdout and second.returncode == 0
    helpers = toy / "assignment" / "trusted_helpers.py"
    helpers.write_text(helpers.read_text() + "# a byte more\n")
    assert "audit: mistakes 1/1" in autograder("pack", cwd=toy).stdout
    test = toy / "assignment" / "questions" / "1.add.py"
    test.write_text(test.read_text().replace("!= case.expected", "> 1e9"))
    for archive in (toy / "build").glob("*.zip"):
        archive.unlink()
    refused = autograder("pack", cwd=toy)
    assert refused.returncode == 2 and "no longer tells right from wrong" in refused.stderr
    assert not list((toy / "build").glob("*.zip"))


def test_points_titles_and_what_people_read_judge_nobody_anew(toy):
    def key():
        return judging_key(load_assignment(toy / "assignment"), {"sets": [], "public": {}, "says": {}})

    before, rubric = key(), toy / "assignment" / "rubric.toml"
    text = rubric.read_text()
    rubric.write_text(
        text.replace("points = 2", "points = 1")
        .replace("101 = [5, 0]", "101 = [4, 0]")
        .replace('title = "add"', 'title = "sum"')
    )
    assert key() == before
    rubric.write_text(text.replace('names = ["add"]', 'names = ["add", "plus"]'))
    assert key() != before


# ---- where commands work and write ----


def test_a_command_never_replaces_a_folder_that_it_did_not_make(toy):
    precious = toy / "student"
    precious.mkdir()
    (precious / "thesis.md").write_text("years of work")
    refused = autograder("student", cwd=toy)
    assert refused.returncode == 2 and len(refused.stderr.strip().splitlines()[-1]) < 300
    assert (precious / "thesis.md").read_text() == "years of work" and [p.name for p in precious.iterdir()] == ["thesis.md"]


def test_a_command_does_not_take_another_commands_folder_for_its_own(toy):
    (toy / "class" / "ada").mkdir(parents=True)
    shutil.copy(toy / "solutions" / "T1.py", toy / "class" / "ada")
    assert autograder("batch", "class", "--output", "out", cwd=toy).returncode == 0
    before = {p: p.read_bytes() for p in (toy / "out").rglob("*") if p.is_file()}
    shutil.copy(ROOT / "student" / "A2S1.ipynb", toy / "solutions" / "T1.ipynb")
    for command in (["student", "--output", "out"], ["export", "out"], ["rubric", "--output", "out"]):
        done = autograder(*command, cwd=toy)
        assert done.returncode == 2 and "was not made by" in done.stderr, (command, done.stderr)
    assert {p: p.read_bytes() for p in before} == before


def test_what_was_handed_in_is_never_written_over(toy):
    source = (toy / "solutions" / "T1.py").read_text()
    for output in ("solutions/T1.py", "solutions/results.json"):
        done = autograder("grade", "solutions" if output.endswith("json") else output, "--output", output, cwd=toy)
        assert done.returncode == 2 and "choose another --output" in done.stderr
    assert (toy / "solutions" / "T1.py").read_text() == source and not (toy / "solutions" / "results.json").exists()


def test_a_path_of_the_wrong_kind_is_one_line(toy):
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


def test_the_seed_does_not_depend_on_how_the_folder_is_named(toy):
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


@pytest.mark.parametrize(
    "command",
    [
        ["export", "{folder}"],
        ["batch", "{toy}/solutions", "--output", "{folder}"],
        ["rubric", "--output", "{folder}"],
        ["alike", "{toy}/solutions", "--output", "{folder}"],
    ],
)
def test_no_command_writes_into_somebody_elses_folder(toy, tmp_path, command):
    folder = tmp_path / "somebody's"
    (folder / "results").mkdir(parents=True)
    (folder / "results" / "mine.json").write_text("{}")
    shutil.copy(ROOT / "student" / "A2S1.ipynb", toy / "solutions" / "T1.ipynb")
    done = autograder(*(part.format(folder=folder, toy=toy) for part in command), cwd=toy)
    assert done.returncode == 2 and "was not made by" in done.stderr, done.stderr
    assert sorted(p.name for p in folder.rglob("*")) == ["mine.json", "results"]


def test_what_a_command_made_it_may_make_again(toy, tmp_path):
    (toy / "class" / "ada").mkdir(parents=True)
    shutil.copy(toy / "solutions" / "T1.py", toy / "class" / "ada")
    for _ in range(2):
        done = autograder("batch", "class", "--output", "out", cwd=toy)
        assert done.returncode == 0, done.stderr
    assert (toy / "out" / MARK).exists() and (toy / "out" / "gradebook.csv").exists()


def test_named_folders_are_worked_on_and_no_other(toy, tmp_path):
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


def test_a_folder_without_an_assignment_is_one_line(tmp_path):
    for command in (["grade", "x.py"], ["pack"], ["batch", "."], ["student"], ["rubric"], ["audit"], ["release"], ["answers"]):
        done = autograder(*command, cwd=tmp_path)
        assert done.returncode == 2 and "there is no rubric.toml" in done.stderr and "Traceback" not in done.stderr, (
            command,
            done.stderr,
        )
        assert len(done.stderr.strip().splitlines()) == 1
    assert autograder("--help", cwd=tmp_path).returncode == 0
    assert not list(tmp_path.iterdir()), "and nothing is left behind"


def test_a_submission_is_graded_with_an_archive_and_nothing_else(toy, tmp_path):
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


# ---- strict loading ----

RUBRIC = [
    ("points = 3", "points = -3", "question 1.mean: points should not be negative"),
    ("points = 3", "points = nan", "question 1.mean: points should be a number"),
    ("points = 3", "points = 1" + "0" * 400, "question 1.mean: points should be a number"),
    ('courses = ["101"]', 'courses = ["101", "101"]', "course 101 occurs twice"),
    ('courses = ["101"]', 'courses = ["a/b"]', "courses should name at least one"),
    ('courses = ["101"]', 'courses = ["101"]\nchecks_package = "../x"', "checks_package '../x' should be a Python name"),
    ('["1.add"]', '["1.mean"]', "question 1.mean: it cannot be its own prerequisite"),
    ('names = ["add"]', 'names = ["a d"]', "question 1.add: names is empty or holds what is no Python name"),
    ("[totals]", "[limits]\ncall_seconds = 0\n\n[totals]", "[limits]: call_seconds should be more than 0"),
    ("[assignment]", 'limits = "x"\n\n[assignment]', "limits should be written as [limits]"),
    (
        "file_pattern = 't1'",
        "file_pattern = 't1'\nprelude = '../given.py'",
        "prelude ../given.py lies outside the assignment's folder",
    ),
    ("file_pattern = 't1'", "file_pattern = 't1'\nprelude = 5", "section T1: prelude should be a text"),
    (
        "file_pattern = 't1'",
        "file_pattern = 't1'\nprelude_file = 'x'",
        "section T1: unknown key 'prelude_file'; did you mean 'prelude'?",
    ),
    (
        'prerequisites = ["1.add"]',
        'prerequisits = ["1.add"]',
        "question 1.mean: unknown key 'prerequisits'; did you mean 'prerequisites'?",
    ),
    ('names = ["mean"]', 'names = ["mean"]\nvalu = true', "question 1.mean: unknown key 'valu'; did you mean 'value'?"),
    ('title = "Counting"', 'title = "Counting"\nscrach = true', "section T1: unknown key 'scrach'; did you mean 'scratch'?"),
    ('["1.add"]', '["1.ad"]', "question 1.mean: no prerequisite '1.ad'; did you mean '1.add'?"),
    ('names = ["mean"]', 'names = ["mean"]\nprobe = "main"', "question 1.mean: probe 'main', but section T1 has no probes"),
    ("points = 3\n", "", "question 1.mean: the key 'points' is missing"),
    ('title = "mean"\n', "", "question 1.mean: the key 'title' is missing"),
    ("points = 3", 'points = "3"', "question 1.mean: points should be a number, not"),
    ("points = 3", "points = { 102 = 3 }", "question 1.mean: points: no course '102'"),
    ("points = 3", "points = 3\nextra_credit = ['1O1']", "question 1.mean: no course '1O1'; did you mean '101'?"),
    ('section = "T1"', 'section = "T2"', "question 1.add: no section 'T2'; known are T1"),
    ('id = "1.mean"', 'id = "1.add"', "question 1.add occurs twice"),
    ('id = "1.mean"', 'id = "1.media"', "question 1.media: its tests, questions/1.media.py, are missing"),
    (
        'id = "1.mean"',
        'id = "1.mean"\nsentence = "It is the mean."',
        "it has a sentence and tests of its own, questions/1.mean.py",
    ),
    ("file_pattern = 't1'", "file_pattern = '(t1'", "section T1: file_pattern is not a regular expression"),
    ("file_pattern = 't1'", "file_pattern = 't1'\nprelude = 'given.py'", "section T1: prelude given.py cannot be read"),
    ("[totals]", "[total]", "no table 'total'; did you mean 'totals'?"),
    ("[totals]", "[limits]\ncall_second = 3\n\n[totals]", "[limits]: unknown key 'call_second'; did you mean 'call_seconds'?"),
    ("[totals]", "[limits]\ncall_seconds = 'ten'\n\n[totals]", "[limits]: call_seconds should be a number"),
    ("101 = [5, 0]", "101 = [6, 0]", "the items of course 101 sum to 5, [totals] says 6"),
    ('courses = ["101"]', 'course = ["101"]', "[assignment]: no key 'course'; did you mean 'courses'?"),
    ("[assignment]", "[assignment", "is not valid TOML"),
    ('names = ["add"]', "names = []", "question 1.add: names is empty"),
    ('names = ["add"]', 'names = "add"', "question 1.add: names should be a list"),
    ('names = ["mean"]', 'names = ["mean"]\ncontext = ["ad"]', "question 1.mean: no name 'ad'; did you mean 'add'?"),
]


@pytest.mark.parametrize("old, new, says", RUBRIC)
def test_a_slip_in_the_rubric_is_refused_with_its_place_and_the_nearest_name(toy, old, new, says):
    rubric = toy / "assignment" / "rubric.toml"
    assert old in rubric.read_text()
    rubric.write_text(rubric.read_text().replace(old, new, 1))
    with pytest.raises(GraderError) as refusal:
        load_assignment(toy / "assignment")
    assert says in str(refusal.value) and "rubric.toml" in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_probe_that_does_not_exist_is_refused(tmp_path):
    shutil.copytree(ROOT / "assignment", tmp_path / "a", ignore=shutil.ignore_patterns("__pycache__"))
    rubric = tmp_path / "a" / "rubric.toml"
    rubric.write_text(rubric.read_text().replace('probe = "data.collate"', 'probe = "data.colate"'))
    with pytest.raises(
        GraderError, match="question 3.collate: probe: no function in probes/data.py 'colate'; did you mean 'collate'?"
    ):
        load_assignment(tmp_path / "a")


MINUS = '[[mistake]]\nitem = "1.add"\nid = "minus"\ncode = "def add(a, b): return a - b"\nsays = "it subtracts"\n'


@pytest.mark.parametrize(
    "text, says",
    [
        (MINUS + 'also_cost = ["1.mean"]\n', "mistake 'minus': unknown key 'also_cost'; did you mean 'also_costs'?"),
        (MINUS + 'also_costs = ["1.men"]\nreason = "x"\n', "mistake 'minus': no item '1.men'; did you mean '1.mean'?"),
        (MINUS + 'also_costs = ["1.mean"]\n', "the key 'reason' is missing"),
        (MINUS + MINUS, "1.add has another mistake of this name"),
        (MINUS.replace("1.add", "1.ad"), "no item '1.ad'; did you mean '1.add'?"),
        (MINUS + 'same_as = "plus"\n', "no mistake 'plus'"),
        (MINUS.replace("return a - b", "return a -"), "line 1 of its code is no Python"),
        (MINUS.replace('says = "it subtracts"\n', ""), "the key 'says' is missing"),
        (MINUS.replace("[[mistake]]", "[[misteak]]"), "no table 'misteak'; did you mean 'mistake'?"),
        ("[[mistake]", "is not valid TOML"),
    ],
)
def test_a_slip_in_the_bank_is_refused_with_its_place_and_the_nearest_name(toy, text, says):
    (toy / "assignment" / "bank").mkdir()
    (toy / "assignment" / "bank" / "m.toml").write_text(text)
    with pytest.raises(GraderError) as refusal:
        load_bank(load_assignment(toy / "assignment"))
    assert says in str(refusal.value) and ("m.toml" in str(refusal.value) or "bank" in str(refusal.value))


@pytest.mark.parametrize(
    "file, text, says",
    [
        (
            "inputs.py",
            "import random\n\n\ndef draw(seed, public, names):\n    return name['add']\n\n\ndef second_opinion(tree):\n    return ''\n",
            "inputs.py, line 5: NameError: name 'name' is not defined",
        ),
        ("inputs.py", "def draw(:\n", "inputs.py, line 1: SyntaxError"),
        ("inputs.py", "raise ValueError('no seed')\n", "inputs.py, line 1: ValueError: no seed"),
        ("inputs.py", "def draw(seed, public, names):\n    return {'1.add': {}}\n", "no cases for 1.add in its group 'own'"),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.ad': {}}\n",
            "inputs: draw(): no question '1.ad'; did you mean '1.add'?",
        ),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': [{'arg': []}]}}\n",
            "inputs: a case of 1.add: no key 'arg'; did you mean 'args'?",
        ),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': [{'args': [], 'kwargs': {}, 'function': 'ad'}]}, "
            "'1.mean': {'own': [{'args': [], 'kwargs': {}}], 'fresh': [{'args': [], 'kwargs': {}}]}}\n",
            "no function of the solutions called 'ad'; did you mean 'add'?",
        ),
        ("trusted_helpers.py", "answers = {}\n", "trusted_helpers.py: `answers`, for 1.mean: no name 'add'; there are none"),
        ("trusted_helpers.py", "import nowhere\n", "trusted_helpers.py, line 1: ModuleNotFoundError"),
        ("questions/1.add.py", "def (\n", "questions/1.add.py, line 1"),
        ("inputs.py", None, "the assignment has no inputs.py"),
        ("inputs.py", "raise SystemExit(0)\n", "inputs.py, line 1: SystemExit"),
        ("inputs.py", "def draw(seed, public, names):\n    return None\n", "inputs: draw() should give a dict"),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': []}, '1.mean': {}}\n",
            "no cases for 1.add in its group 'own'",
        ),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': [{'args': [], 'kwargs': {}, 'function': 'add'}]}, "
            "'1.mean': {'own': [{'args': [], 'kwargs': {}}], 'fresh': [{'args': [], 'kwargs': {}}]}}\n",
            "inputs: a case of 1.add: the solutions' add raised TypeError",
        ),
        ("../solutions/T1.py", "def add(a, b):\n    return a + b\n\n\nmean = add(1)\n", "T1.py, line 5: TypeError"),
        ("../solutions/T1.py", "def add(a, b):\n    return a + b\n", "'mean', the answer to 1.mean, is not defined"),
    ],
)
def test_an_error_in_what_staff_wrote_names_its_line_and_is_no_traceback(toy, file, text, says):
    path = toy / "assignment" / file
    path.unlink() if text is None else path.write_text(text)
    done = autograder("pack", cwd=toy)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_slip_in_the_terms_facts_is_refused_with_the_nearest_name(tmp_path):
    assignment = load_assignment(ROOT / "assignment")
    facts = (ROOT / "assignment" / "course.toml").read_text()
    for old, new, says in (
        ("due =", "deu =", "course.toml: unknown key 'deu', which README.student.md does not read; did you mean 'due'?"),
        ("site =", "sight =", "unknown key 'sight'"),
        ("[links]", "[lnks]", "unknown key 'lnks'"),
    ):
        assert old in facts
        (tmp_path / "course.toml").write_text(facts.replace(old, new, 1))
        with pytest.raises(GraderError) as refusal:
            render_handout(assignment, ROOT / "solutions" / "README.student.md", tmp_path / "course.toml")
        assert says in str(refusal.value)


def test_the_rubrics_time_limit_holds_everywhere(toy):
    rubric = toy / "assignment" / "rubric.toml"
    assert load_assignment(toy / "assignment", default_seconds=3600).limits.total_seconds == 3600
    rubric.write_text(rubric.read_text() + "\n[limits]\ntotal_seconds = 77\n")
    assert load_assignment(toy / "assignment").limits.total_seconds == 77  # one submission
    assert load_assignment(toy / "assignment", default_seconds=3600).limits.total_seconds == 77  # a class
    assert load_assignment(toy / "assignment", default_seconds=540, at_most=540).limits.total_seconds == 77  # Gradescope
    assert load_assignment(toy / "assignment", default_seconds=30, at_most=30).limits.total_seconds == 30  # … which ends before


# ---- what travels to students ----


def test_rules_import_the_students_own_package_and_nothing_else_of_the_engine():
    source = "from autograder.checks.compare import Failure\nimport autograder.checks\n\n    from autograder.checks import notebook\n"
    text = for_students(source, "a2checks", "rules.py")
    assert text == "from a2checks.compare import Failure\nimport a2checks\n\n    from a2checks import notebook\n"
    with pytest.raises(GraderError, match="rules.py: students do not have what 'from autograder.core import text' imports"):
        for_students("from autograder.core import text\n", "a2checks", "rules.py")


def test_the_students_rules_are_ours_but_for_that_import():
    for ours in (ROOT / "assignment" / "rules").glob("*.py"):
        theirs = ROOT / "student" / "a2checks" / "rules" / ours.name
        mark, _, text = theirs.read_text().partition("\n")
        assert text == ours.read_text().replace("autograder.checks", "a2checks") and "autograder" not in text
        assert mark.startswith("# Generated by `make student`")


@pytest.mark.parametrize(
    "label, own",
    [
        ("1", False),
        ("1.2", True),
        ("1.2.1", True),
        ("1.9", True),
        ("10.2", True),
        ("10.2.1", True),
        ("1.10", True),
        ("1.10.2", True),
        ("1.25", False),
        ("1.13.1", False),
        ("2.1", False),
        ("10.20", False),
        ("1.2.14", False),
    ],
)
def test_headings_of_any_number_of_digits_are_known_and_decimals_are_none(label, own):
    numbers = frozenset({"1", "1.2", "1.2.1", "1.10", "1.10.2", "10", "10.2", "10.2.1"})
    assert "." not in label or is_own(label, numbers) == own


def test_answers_under_headings_of_several_digits_are_told_apart(toy, tmp_path):
    folder = toy / "assignment"
    rubric = (folder / "rubric.toml").read_text()
    for old, new in (("1.add", "10.2.1"), ("1.mean", "10.10.2")):
        rubric = rubric.replace(old, new)
        test = (folder / "questions" / f"{old}.py").read_text().replace(old, new)
        (folder / "questions" / f"{new}.py").write_text(test)
        (folder / "inputs.py").write_text((folder / "inputs.py").read_text().replace(old, new))
    (folder / "rubric.toml").write_text(rubric)
    assert load_assignment(folder).numbers() == {"10", "10.2", "10.2.1", "10.10", "10.10.2"}
    assert autograder("grade", toy / "solutions", cwd=toy).returncode == 0


def test_a_fingerprint_follows_the_solutions_and_the_seed(toy):
    assignment = load_assignment(toy / "assignment")
    one = fingerprint(assignment, toy / "solutions", 1)
    assert one == fingerprint(assignment, toy / "solutions", 1) != fingerprint(assignment, toy / "solutions", 2)
