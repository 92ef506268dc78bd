"""The image builds, and grades under Gradescope's smallest size what a class hands in.  make docker-test

Needs an engine: on Debian, apt-get install podman buildah runc debootstrap netavark iptables. ``BASE`` names a base image;
without it a minimal Debian is made to stand in for Gradescope's. ``ENGINE``, ``ENGINE_BUILD``, ``ENGINE_RUN``: see
autograder/gradescope/image.py.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from autograder.core.errors import GraderError
from autograder.gradescope import archive as pack
from autograder.gradescope import image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "hostile"))
from corpus import S1, S2, function, statement  # noqa: E402

SCHEMA = json.loads((HERE / "gradescope.schema.json").read_text())
S3 = (HERE / "fixtures" / "right_s3.py").read_text()
RIGHT = {"A2S1.py": S1, "A2S2.py": S2, "A2S3.py": S3}
NAME, STAND_IN = "autograder-test:517", "localhost/autograder-base:debian"
# Inside, after grading: the most memory this container held, by its control group of version 2 or 1.
PEAK = ("sh", "-c", "/autograder/run_autograder; s=$?; for f in memory.peak memory/memory.max_usage_in_bytes; do "
                    "[ -r /sys/fs/cgroup/$f ] && echo peak $(cat /sys/fs/cgroup/$f); done; exit $s")
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

pytestmark = pytest.mark.container


def pip_configuration(folder: Path) -> list[str]:
    """Flags that let pip inside a build find what it finds here: its settings as a file, and the local paths they name."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    settings = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
    if not settings:
        return []
    (folder / "pip.conf").write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    places = {Path(place.removeprefix("file://")) for value in settings.values() for place in value.split()}
    # An index of links points at files beside it, so its parent comes along.
    places = {p if p.is_file() or len(p.parents) < 3 else p.parent for p in places if p.is_absolute() and p.exists()}
    mounts = [f"{folder / 'pip.conf'}:/etc/pip.conf", *(f"{p}:{p}" for p in sorted(places))]
    return [flag for mount in mounts for flag in ("-v", f"{mount}:ro")]


@pytest.fixture(scope="module")
def built(tmp_path_factory, references, grader) -> Iterator[str]:
    """The image, built from an archive with the tests' own references."""
    try:
        engine = image.engine(("docker", "podman"))
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    folder = tmp_path_factory.mktemp("image")
    base = os.environ.get("BASE", "")
    if not base:
        base = STAND_IN
        if subprocess.run([*engine, "image", "inspect", base], capture_output=True).returncode:
            subprocess.run([HERE / "container" / "base.sh", base], check=True)
    flags = [*shlex.split(os.environ.get("ENGINE_BUILD", "")), *pip_configuration(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENGINE_BUILD", shlex.join(flags))
        archive = pack.build_archive(grader.assignment, references, "517", folder)
        seconds = image.build_image(archive, HERE.parent / "Dockerfile", NAME, base, os.environ.get("TORCH_INDEX"))
    whole, bare = image.image_size(NAME), image.image_size(base)
    print(f"\nimage: built in {seconds:.0f} s, {(whole - bare) / 1e6:,.0f} MB over a base of {bare / 1e6:,.0f} MB")
    yield NAME
    if not os.environ.get("KEEP_IMAGE"):
        subprocess.run([*engine, "image", "rm", "-f", NAME], capture_output=True)


@pytest.fixture
def graded(built, tmp_path):
    """``graded(name, files)`` -> (results.json, items without full points, Run), checked against Gradescope's format."""

    def run(name: str, files: dict | Path, flags: tuple[str, ...] = ()):
        folder = files if isinstance(files, Path) else tmp_path / "handed in"
        if isinstance(files, dict):
            folder.mkdir()
            for file, text in files.items():
                (folder / file).write_text(text)
        with image.container(folder) as (handed_in, results):
            done = image.run_image(built, handed_in, results, flags, PEAK)
            assert done.results.exists(), done.stdout[-2000:]
            tree = json.loads(done.results.read_text())
        jsonschema.validate(tree, SCHEMA)
        peak = max(map(int, re.findall(r"^peak (\d+)$", done.stdout, re.MULTILINE)), default=0)
        print(f"\n{name}: score {tree['score']:g}, {done.seconds:.1f} s with the container's start, "
              f"graded in {tree['execution_time']:.1f} s, peak {peak >> 20} MiB")
        assert done.exit == 0, done.stdout[-2000:]
        assert all(test["score"] in (0, test["max_score"]) for test in tree["tests"])
        return tree, {test["number"] for test in tree["tests"] if test["score"] < test["max_score"]}, done

    return run


def test_right_answers_get_full_points_behind_every_layer(graded):
    tree, lost, run = graded("sections 1, 2.1 and 3", RIGHT)
    assert (tree["score"], lost) == (58, set())
    assert "NOT HELD" not in run.stdout and "layer user: on" in run.stdout and "layer seccomp: on" in run.stdout, run.stdout
    assert run.seconds < 60


def test_sections_1_and_2_alone(graded):
    tree, lost, run = graded("sections 1 and 2.1", {"A2S1.py": S1, "A2S2.py": S2})
    assert tree["score"] == 38 and run.seconds < 30


def test_the_solutions_as_students_export_them(graded, tmp_path):
    from autograder.authoring.masters import export_scripts

    export_scripts(HERE.parent / "solutions", tmp_path / "solutions")
    assert graded("the solutions", tmp_path / "solutions")[0]["score"] == 58


def test_the_starter_gets_nothing_and_is_told_why(graded, tmp_path):
    folder = tmp_path / "starter"
    folder.mkdir()
    for notebook in (HERE.parent / "student").glob("*.ipynb"):
        shutil.copy(notebook, folder)
    tree, _, _ = graded("the starter", folder)
    assert tree["score"] == 0 and all("TODO" in t["output"] or t["number"] == "writeup" for t in tree["tests"])


def test_nothing_handed_in_is_a_line_and_not_a_crash(graded):
    tree, _, _ = graded("nothing", {})
    assert tree["score"] == 0 and "not" in tree["output"]


@pytest.mark.parametrize("how", MEMORY_EATERS)
def test_one_that_eats_memory_loses_that_item_alone(graded, how):
    tree, lost, _ = graded(f"eats memory ({how})", function(MEMORY_EATERS[how]) | {"A2S3.py": S3})
    assert lost == {"2.1.attn_softmax"}, tree
    assert tree["extra_data"]["complete"]


def test_one_that_hangs_loses_that_item_alone(graded):
    _, lost, run = graded("hangs", function("while True:\n    pass"))
    assert {n for n in lost if not n.startswith("3.")} == {"2.1.attn_softmax"} and run.seconds < 120


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_one_takes_and_forges_nothing(graded, name):
    _, lost, run = graded(name, HOSTILE[name])
    assert {n for n in lost if not n.startswith("3.")} <= {"1.3.1"} and run.seconds < 120


def test_a_second_run_in_the_same_place_gives_the_same(built, tmp_path):
    (tmp_path / "in").mkdir()
    for name, text in RIGHT.items():
        (tmp_path / "in" / name).write_text(text)
    trees = []
    with image.container(tmp_path / "in") as (handed_in, results):
        for _ in range(2):
            assert image.run_image(built, handed_in, results).exit == 0
            trees.append(json.loads((results / "results.json").read_text()))
    for tree in trees:
        del tree["execution_time"]
        for test in tree["tests"]:
            del test["extra_data"]["seconds"]
    assert trees[0] == trees[1]


def test_a_read_only_root_and_no_capability_are_no_hindrance(graded):
    tree, _, run = graded("read-only, no capabilities", RIGHT, ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "all"))
    assert tree["score"] == 58 and "layer user: root without CAP_CHOWN" in run.stdout and "NOT HELD" not in run.stdout


def test_setting_up_twice_changes_nothing(built):
    extra = shlex.split(os.environ.get("ENGINE_RUN", ""))
    done = subprocess.run([*image.engine(("docker", "podman")), "run", "--rm", "--network", "none", *extra,
                           built, "bash", "-c", "PIP_NO_INDEX=1 TORCH_INDEX= bash /autograder/source/setup.sh"],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "smoke test" in done.stdout, done.stdout + done.stderr
