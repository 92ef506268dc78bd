"""Gradescope's contract, on an unpacked archive without a container: folders, metadata, time, memory, the smoke test."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.core.errors import GraderError
from autograder.gradescope.container import METADATA, allowed_seconds, warnings
from autograder.gradescope.smoke import smoke
from autograder.sandbox.worker_side.cage import memory_left
from support.archives import build_archive
from support.container import Container
from support.project import ROOT

GRADESCOPE = ROOT / "autograder" / "gradescope"
PEOPLE = [{"email": "a@x.edu", "id": 1, "name": "Ada"}, {"email": "b@x.edu", "id": 2, "name": "Bob <script>"}]
KINDS_OF_METADATA = {
    "the usual": {
        "id": 7,
        "assignment": {"title": "A2", "total_points": "58.0"},
        "users": PEOPLE[:1],
        "previous_submissions": [],
    },
    "a group that submitted before": {
        "assignment": {"total_points": "58.0"},
        "users": PEOPLE,
        "previous_submissions": [
            {
                "score": 3.0,
                "results": {
                    "score": 3.0,
                    "tests": [{"score": 58, "max_score": 58, "name": "x"}],
                    "extra_data": {"course": "447"},
                },
            }
        ],
    },
    "fields nobody knows": {"assignment": {"total_points": 58, "outline": [{"x": None}]}, "weather": {"rain": [1e999]}},
    "nothing in it": {},
    "not an object": ["x"],
    "broken": '{"assignment": ',
    "no file": None,
}


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory, grader, references) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    zipfile.ZipFile(build_archive(grader.assignment, references, "517", folder)).extractall(folder / "source")
    return folder / "source"


@pytest.fixture
def container(tmp_path, unpacked, s1, s2) -> Container:
    (tmp_path / "submission").mkdir()
    (tmp_path / "source").symlink_to(unpacked)
    (tmp_path / "submission" / "A2S1.py").write_text(s1)
    return Container(tmp_path)


def timeless(tree: dict) -> dict:
    return {
        **tree,
        "execution_time": 0,
        "tests": [{**t, "extra_data": {**t["extra_data"], "seconds": 0}} for t in tree["tests"]],
    }


@pytest.mark.many(of=9)
@pytest.mark.parametrize("content", KINDS_OF_METADATA.values(), ids=KINDS_OF_METADATA)
def test_metadata_of_any_kind_changes_nothing(container, content):
    expected, _ = container.run()
    assert expected["score"] == 18
    path = container.root / METADATA
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    tree, told = container.run()  # over the results of the previous run: a second run gives the same
    assert timeless(tree) == timeless(expected)
    assert "warning" not in told


@pytest.mark.parametrize(
    "text, said",
    [
        ("58.0", None),
        (58, None),
        (None, None),
        ("", None),
        ("many", None),
        ("nan", None),
        ({}, None),
        ("1e999", "inf points"),
        ("52.0", "another course"),
        ("100.0", "worth 100 points, this archive (course 517) grades 58"),
        (0, "worth 0 points"),
    ],
)
def test_staff_are_warned_when_gradescopes_points_differ_from_the_archives(grader, text, said):
    lines = warnings(grader.assignment, "517", {"assignment": {"total_points": text}})
    assert len(lines) == bool(said) and (not said or said in lines[0])
    assert warnings(grader.assignment, "517", {"assignment": "A2"}) == []


@pytest.mark.parametrize(
    "text, seconds, warned",
    [("", 540, 0), ("1200", 1140, 0), ("30", 10, 0), ("ten minutes", 540, 1), ("-5", 540, 1), ("inf", 540, 1), ("nan", 540, 1)],
)
def test_the_time_limit_comes_from_the_environment_and_nonsense_is_reported_and_ignored(text, seconds, warned):
    told = []
    assert allowed_seconds(text, told.append) == seconds and len(told) == warned


# Runs the archive's own command line with a fake clock: when attn_softmax, which hangs, is called, all but the last second of
# the grading time is gone. Nothing else ends a call, however busy the machine is.
TIME_FLIES = """
import sys, time
from autograder.gradescope import container
from autograder.gradescope.__main__ import main
from autograder.sandbox.judge_side.worker import Worker

load, call, clock, gone = container.load_assignment, Worker.call, time.monotonic, 0.0

def patient(*args, **limits):
    print(f"allowed: {limits['at_most']:g} s")
    return load(*args, **{"call_seconds": 3600.0, "statement_seconds": 3600.0, "total_seconds": 3600.0})

def hanging(worker, name, *args):
    global gone
    if name == "attn_softmax":
        gone = 3599.0
    print("called:", name)
    return call(worker, name, *args)

container.load_assignment, Worker.call, time.monotonic = patient, hanging, lambda: clock() + gone
main(["grade", sys.argv[1]])
"""


@pytest.mark.slow
def test_when_time_runs_out_graded_items_stand_and_the_rest_say_so(container, s2):
    hanging = re.sub(r"(def (?:attn_softmax|merge_heads)\(.*\):\n)", r"\1    while True: pass\n", s2)
    (container.root / "submission" / "A2S2.py").write_text(hanging)
    done = subprocess.run(
        [sys.executable, "-c", TIME_FLIES, container.root],
        capture_output=True,
        text=True,
        timeout=1800,
        cwd=container.root / "source",
        env={**os.environ, "AUTOGRADER_TIMEOUT": "70"},
    )
    tree = json.loads((container.root / "results" / "results.json").read_text())
    assert "allowed: 10 s" in done.stdout, done.stderr
    assert done.stdout.count("called: attn_softmax") == 1 and "called: merge_heads" not in done.stdout
    verdicts = {t["number"]: (t["extra_data"]["verdict"], t["output"].splitlines()[0]) for t in tree["tests"]}
    assert verdicts["1.4.2"][0] == verdicts["2.1.attn_scaled"][0] == "passed"
    for id in ("2.1.merge_heads", "2.1.self_attention.step1"):
        assert verdicts[id][0] == "not run" and "the time for the whole submission was up" in verdicts[id][1]
    assert tree["score"] == 22 and not tree["extra_data"]["complete"] and "have not run" in tree["output"]


def test_what_is_graded_and_what_comes_out_is_closed_to_others(container):
    container.run()
    for name in ("source", "submission", "results"):
        assert not (container.root / name).stat().st_mode & 0o077, name


def test_a_missing_submission_folder_is_reported_in_the_results(container):
    for path in (container.root / "submission").iterdir():
        path.unlink()
    (container.root / "submission").rmdir()
    tree, told = container.run()
    assert "nothing was submitted" in tree["output"] and "nothing was submitted" in told and "Traceback" not in told


@pytest.mark.slow
def test_the_smoke_test_passes_here_and_fails_if_a_verdict_differs(tmp_path, grader, references, unpacked):
    assert "4 of 4" in smoke(grader.assignment, references, "517", lambda line: None)
    from dataclasses import replace

    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke" / "A2S2.py").write_text("def attn_softmax(A):\n    return A.softmax(-1)\n")
    (tmp_path / "smoke" / "expected.json").write_text('{"2.1.attn_softmax": "failed"}')
    for name in ("questions", "rules", "trusted_helpers.py", "helpers_beside.py", "probes", "given"):
        (tmp_path / name).symlink_to(grader.assignment.folder / name)
    with pytest.raises(GraderError, match=re.escape("2.1.attn_softmax of the smoke test came out 'passed'")):
        smoke(replace(grader.assignment, folder=tmp_path), references, "517", lambda line: None)


@pytest.mark.parametrize(
    "files, left",
    [
        ({"memory.max": "800\n", "memory.current": "500\n", "memory.stat": "anon 400\ninactive_file 50\n"}, 350),
        ({"memory.max": "max\n", "memory.current": "500\n", "memory.stat": "inactive_file 50\n"}, None),
        (
            {
                "memory/memory.limit_in_bytes": "800\n",
                "memory/memory.usage_in_bytes": "500\n",
                "memory/memory.stat": "total_inactive_file 20\n",
            },
            320,
        ),
        (
            {
                "memory/memory.limit_in_bytes": "9223372036854771712\n",
                "memory/memory.usage_in_bytes": "5\n",
                "memory/memory.stat": "x 1\n",
            },
            None,
        ),
        ({}, None),
    ],
)
def test_a_containers_memory_limit_is_read_from_either_version_of_control_groups(tmp_path, files, left):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert memory_left(tmp_path) == left


def pins(text: str) -> set[tuple[str, str]]:
    """(name, version) of every pinned package."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {(name.lower().replace("_", "-"), version) for name, version in found}


def test_the_lock_is_complete_and_hashed_and_agrees_with_constraints():
    lock, constraints = (ROOT / "assignment" / "requirements.txt").read_text(), pins((ROOT / "constraints.txt").read_text())
    texts = [path.read_text() for path in (ROOT / "autograder/judging/requirements.in", ROOT / "assignment/requirements.in")]
    named = {name for text in texts for name in re.findall(r"^[\w-]+", text, re.MULTILINE)} - {"torch"}
    assert pins(lock) <= constraints and {name for name, _ in pins(lock)} >= named
    assert "torch" not in {name for name, _ in pins(lock)} and "torch" in {name for name, _ in constraints}
    for entry in re.split(r"\n(?=\S)", lock):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry


def test_both_images_install_the_same_from_one_host():
    docker, setup = (ROOT / "Dockerfile").read_text(), (GRADESCOPE / "setup.sh").read_text()
    assert "ARG BASE=gradescope/autograder-base:ubuntu-22.04" in docker and "bash /autograder/source/setup.sh" in docker
    assert set(re.findall(r"https?://([\w.]+)", docker + setup)) == {"download.pytorch.org"}
    assert not re.search(r"pip install|apt-get", docker)
    assert (ROOT / "assignment/requirements-torch.txt").read_text().strip() in (ROOT / "constraints.txt").read_text().split()


def test_docker_is_sent_every_file_of_a_clone_that_it_needs():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    folders = [line[1:] for line in lines if line.startswith("!")]
    ignored = [line.removeprefix("**/") for line in lines if "/" in line and not line.startswith("#")]
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    files = [Path(name) for name in listed if "/." not in name]
    assert len(files) > 100 and len(ignored) > 2
    assert [str(file) for file in files if ignores(ignored, file)] == []
    assert ignores(ignored, Path("solutions/checkpoints-3/model.pt")) and ignores(["checkpoints*"], Path("a/checkpoints.py"))


def ignores(patterns: list[str], file: Path) -> bool:
    return any(part.match(pattern) for pattern in patterns for part in (file, *file.parents))
