"""Keys, fingerprints and certificates: a change invalidates exactly what depends on it."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.authoring.baking.freshness import BAKING, fingerprint
from autograder.batch.store import judging_key
from autograder.core.digests import package_files, packages_of
from autograder.core.loading import load_assignment
from autograder.core.paths import PACKAGE
from autograder.core.references import read_references
from autograder.gradescope.archive import certificate, members_of
from support.project import ROOT, TOY
from support.toy import autograder

LOADED = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])  # with one processor, everything runs in this process
{code}
package = {package!r}
files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
print("LOADED", sorted(file for file in files if file.startswith(package)))
"""
KEYS = {
    # package -> code that exercises everything its key must cover
    "judging": """
import json, pathlib, tempfile
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.run import run_grading
place = pathlib.Path(tempfile.mkdtemp())
(place / 'T1.py').write_text('def add(a, b):\\n    return a - b\\n')
run_grading(load_assignment({toy!r} + '/assignment'), pathlib.Path({references!r}), place, '101', place / 'r.json')
""",
    BAKING: """
import pathlib
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.authoring.baking.bake import bake
bake(load_assignment({toy!r} + '/assignment'), pathlib.Path({toy!r}) / 'solutions', 7)
""",
    "gradescope": """
import autograder.gradescope.container, autograder.gradescope.smoke, autograder.gradescope.__main__
import pathlib, tempfile
from autograder.gradescope.container import grade_container
root = pathlib.Path({root!r})
grade_container(root, lambda line: None)
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("package", KEYS)
def test_the_key_covers_every_module_that_is_loaded(package, toy, tmp_path):
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


@pytest.fixture(scope="module")
def copied_engine(tmp_path_factory):
    """A copy of the engine and the toy whose files a test may change; ``keys()`` gives (judging, baking, audit)."""
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
from autograder.core.references import read_references
from autograder.gradescope.archive import certificate, members_of
toy = load_assignment(Path("toy/assignment"))
members = members_of(toy, Path("reference.safetensors"), "101")
references = {"choice": "", "sets": [], "public": {}, "says": {}}
print(json.dumps([judging_key(toy, references), fingerprint(toy, Path("toy/solutions"), 1),
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


@pytest.mark.many(of=12)
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
def test_a_changed_byte_invalidates_exactly_the_keys_that_cover_it(copied_engine, file, judged_anew, baked_anew, audited_anew):
    before, path = keys(copied_engine), copied_engine / file
    original = path.read_bytes()
    try:
        path.write_bytes(original + b"\n")
        after = keys(copied_engine)
    finally:
        path.write_bytes(original)
    assert [a != b for a, b in zip(before[:3], after[:3])] == [judged_anew, baked_anew, audited_anew]


@pytest.mark.slow
@pytest.mark.parametrize("part", range(9))
def test_every_byte_of_every_file_in_the_archive_is_certified(grader, references, part):
    members = {"517": members_of(grader.assignment, references, "517")}
    stamp = certificate(grader.assignment, members)
    for name, data in list(members["517"].items())[part::9]:
        changed = {**members["517"], name: data[:-1] + bytes([(data[-1] if data else 0) ^ 1])}
        assert certificate(grader.assignment, {"517": changed}) != stamp, name
        assert certificate(grader.assignment, {"517": {k: v for k, v in members["517"].items() if k != name}}) != stamp, name


def test_what_is_written_into_references_reaches_no_file_and_no_other_reader(references):
    before = references.read_bytes()
    one, other = (read_references(references)["public"]["cases"]["2.1.attn_softmax"]["own"][0]["args"][0] for _ in (1, 2))
    kept = other.copy()
    one[...] = 7
    assert (other == kept).all() and references.read_bytes() == before


@pytest.mark.slow
def test_pack_audits_again_when_the_archive_changes_and_refuses_when_the_audit_fails(toy):
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
    assert refused.returncode == 2 and "the audit failed" in refused.stderr
    assert not list((toy / "build").glob("*.zip"))


def test_changed_points_titles_and_texts_regrade_nobody(toy):
    def key():
        return judging_key(load_assignment(toy / "assignment"), {"choice": "", "sets": [], "public": {}, "says": {}})

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


def test_a_fingerprint_follows_the_solutions_and_the_seed(toy):
    assignment = load_assignment(toy / "assignment")
    one = fingerprint(assignment, toy / "solutions", 1)
    assert one == fingerprint(assignment, toy / "solutions", 1) != fingerprint(assignment, toy / "solutions", 2)
