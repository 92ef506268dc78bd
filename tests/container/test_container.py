"""The image builds, and grades a class's submissions within Gradescope's smallest size: ``make docker-test``.

Two ways: from an archive, with the engine of autograder/gradescope/image.py (``ENGINE``, ``ENGINE_BUILD``, ``ENGINE_RUN``);
and ``docker build .`` on a clone, with Docker's own daemon (started here if none runs), or else with that engine.
On Debian: apt-get install podman buildah runc debootstrap netavark iptables docker.io. ``BASE`` names a base image; without
it a minimal Debian stands in for Gradescope's.
"""

import json
import os
import re
import shlex
import subprocess

import pytest

from autograder.gradescope import image
from container.layers import search
from hostile.case import S1, S2, S3, function, statement
from support.project import ROOT

RIGHT = {"A2S1.py": S1, "A2S2.py": S2, "A2S3.py": S3}
MEMORY_EATERS = {
    "tensors": "kept = [torch.ones(1 << 24) for _ in range(100000)]\nreturn F.softmax(A, dim=-1)",
    "a list": "kept = []\nwhile True:\n    kept.append(bytes(1 << 20))",
    "shared memory": "import mmap\nkept = []\nwhile True:\n    kept.append(mmap.mmap(-1, 1 << 24))\n"
    "    kept[-1].write(b'x' * (1 << 24))",
}
HOSTILE = {
    "reads the references": statement("query131 = open('/autograder/source/reference.safetensors', 'rb').read()"),
    "writes its own result": statement("open('/autograder/results/results.json', 'w').write('{\"score\": 100}')"),
    "kills everybody": statement("import os, signal\nos.kill(-1, signal.SIGKILL)\nos.kill(1, signal.SIGKILL)"),
    "forks without end": statement("import os\nwhile True:\n    os.fork()"),
    "calls out": statement("import socket\nsocket.create_connection(('192.0.2.1', 80), 5)"),
}


def test_right_answers_get_full_points_behind_every_layer(graded):
    tree, lost, run = graded("sections 1, 2.1 and 3", RIGHT)
    assert (tree["score"], lost) == (58, set())
    assert "NOT HELD" not in run.stdout and "layer user: on" in run.stdout and "layer seccomp: on" in run.stdout, run.stdout
    assert tree["extra_data"]["complete"]


def test_sections_1_and_2_alone(graded):
    tree, _, _ = graded("sections 1 and 2.1", {"A2S1.py": S1, "A2S2.py": S2})
    assert tree["score"] == 38 and tree["extra_data"]["complete"]


def test_the_solutions_as_students_export_them(graded, solutions):
    assert graded("the solutions", solutions)[0]["score"] == 58


def test_the_starter_scores_nothing_and_says_why(graded, starter):
    tree, _, _ = graded("the starter", starter)
    assert tree["score"] == 0 and all("TODO" in t["output"] or t["number"] == "writeup" for t in tree["tests"])


def test_an_empty_submission_is_a_line_and_not_a_crash(graded):
    tree, _, _ = graded("nothing", {})
    assert tree["score"] == 0 and "not" in tree["output"]


@pytest.mark.parametrize("how", MEMORY_EATERS)
def test_a_function_that_eats_memory_loses_only_its_own_item(graded, how):
    tree, lost, _ = graded(f"eats memory ({how})", function(MEMORY_EATERS[how]) | {"A2S3.py": S3})
    assert lost == {"2.1.attn_softmax"}, tree
    assert tree["extra_data"]["complete"]


def test_a_function_that_hangs_loses_only_its_own_item(graded):
    tree, lost, _ = graded("hangs", function("while True:\n    pass"))
    assert {n for n in lost if not n.startswith("3.")} == {"2.1.attn_softmax"} and tree["extra_data"]["complete"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_submission_reads_and_forges_nothing(graded, name):
    tree, lost, _ = graded(name, HOSTILE[name])
    # The statement goes on to the right answer where nothing stops it; what it writes lands in a folder of its own.
    stopped = {n for n in lost if not n.startswith("3.")}
    assert stopped <= {"1.3.1"} and tree["extra_data"]["complete"]
    assert stopped or name == "writes its own result"


def test_a_second_run_in_the_same_place_gives_the_same_results(built, tmp_path):
    (tmp_path / "in").mkdir()
    for name, text in RIGHT.items():
        (tmp_path / "in" / name).write_text(text)
    trees = []
    with image.container(tmp_path / "in") as (handed_in, results), built.reached():
        for _ in range(2):
            assert image.run_image(built.name, handed_in, results).exit == 0
            trees.append(json.loads((results / "results.json").read_text()))
    for tree in trees:
        del tree["execution_time"]
        for test in tree["tests"]:
            del test["extra_data"]["seconds"]
    assert trees[0] == trees[1]


def test_grading_works_with_a_read_only_root_and_no_capabilities(graded):
    tree, _, run = graded("read-only, no capabilities", RIGHT, ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"))
    assert tree["score"] == 58 and "layer user: root without CAP_CHOWN" in run.stdout and "NOT HELD" not in run.stdout


def test_setting_up_twice_changes_nothing(built):
    extra = shlex.split(os.environ.get("ENGINE_RUN", ""))
    done = subprocess.run(
        [
            *image.engine(("docker", "podman")),
            "run",
            "--rm",
            "--network",
            "none",
            *extra,
            built.name,
            "bash",
            "-c",
            "PIP_NO_INDEX=1 TORCH_INDEX= bash /autograder/source/setup.sh",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "smoke test" in done.stdout, done.stdout + done.stderr


def test_no_layer_of_the_image_from_an_archive_holds_them(built, sought, tmp_path):
    assert search(built, built.name, tmp_path, sought) == []


def test_the_dockerfile_works_with_the_classic_builder_and_buildkit():
    text = (ROOT / "Dockerfile").read_text()
    for of_one_alone in (
        r"--(mount|link|chmod|chown|parents|exclude|security|network)\b",
        "<<",
        r"(?m)^# *(syntax|check|escape) *=",
    ):
        assert not re.search(of_one_alone, text)
