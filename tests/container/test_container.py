"""The image builds, and grades under Gradescope's smallest size what a class hands in.  make docker-test

Two ways: from an archive, with the engine of autograder/gradescope/image.py (``ENGINE``, ``ENGINE_BUILD``, ``ENGINE_RUN``); and
``docker build .`` on a clone, with Docker's own daemon, started by hand where none runs, or else with that engine.
On Debian: apt-get install podman buildah runc debootstrap netavark iptables docker.io. ``BASE`` names a base image; without it a
minimal Debian is made to stand in for Gradescope's.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jsonschema
import pytest
from layers import Secrets, leaks, secrets_of

from autograder.core.errors import GraderError
from autograder.gradescope import image
from autograder.gradescope.archive import build_archive
from hostile.corpus import S1, S2, function, statement
from support.project import DATA, ROOT, SCHEMA

HERE = Path(__file__).parent

S3 = (DATA / "right_s3.py").read_text()
RIGHT = {"A2S1.py": S1, "A2S2.py": S2, "A2S3.py": S3}
NAME, CLONED, STAND_IN = "autograder-test:517", "autograder-test:clone", "localhost/autograder-base:debian"
SEED = os.environ["AUTOGRADER_SEED"]  # conftest's
# Inside, after grading: the most memory this container held, by its control group of version 2 or 1.
PEAK = (
    "sh",
    "-c",
    "/autograder/run_autograder; s=$?; for f in memory.peak memory/memory.max_usage_in_bytes; do "
    "[ -r /sys/fs/cgroup/$f ] && echo peak $(cat /sys/fs/cgroup/$f); done; exit $s",
)
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


@dataclass
class Image:
    """A built image and the environment in which its engine is reached."""

    name: str
    base: str
    environment: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    context: Path | None = None  # the clone that it was built from

    @contextmanager
    def reached(self) -> Iterator[list[str]]:
        """The engine's command, while ``autograder.gradescope.image`` uses that engine too."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            yield image.engine(("docker", "podman"))

    def remove(self) -> None:
        if not os.environ.get("KEEP_IMAGE"):
            with self.reached() as engine:
                subprocess.run([*engine, "image", "rm", "-f", self.name], capture_output=True)


def pip_settings() -> dict[str, str]:
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    return dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE))


def pip_configuration(folder: Path) -> list[str]:
    """Flags that let pip inside a build find what it finds here: its settings as a file, and the local paths they name."""
    settings = pip_settings()
    if not settings:
        return []
    (folder / "pip.conf").write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    places = {Path(place.removeprefix("file://")) for value in settings.values() for place in value.split()}
    # An index of links points at files beside it, so its parent comes along.
    places = {p if p.is_file() or len(p.parents) < 3 else p.parent for p in places if p.is_absolute() and p.exists()}
    mounts = [f"{folder / 'pip.conf'}:/etc/pip.conf", *(f"{p}:{p}" for p in sorted(places))]
    return [flag for mount in mounts for flag in ("-v", f"{mount}:ro")]


def with_wheels(base: str, folder: Path) -> str:
    """``base`` with everything that will be installed lying in it: Docker's builder mounts nothing. For this Python only."""
    download = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "-d", folder / "wheels"]
    usual = re.findall(r"^ARG TORCH_INDEX=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]
    index = os.environ.get("TORCH_INDEX", usual)
    subprocess.run([*download, "--require-hashes", "-r", ROOT / "assignment" / "requirements.txt"], check=True)
    subprocess.run(
        [*download, *(["--index-url", index] if index else []), "-r", ROOT / "assignment" / "requirements-torch.txt"],
        check=True,
    )
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    (folder / "Dockerfile").write_text(f"FROM {base}\nCOPY pip.conf /etc/pip.conf\nCOPY wheels /wheels\n")
    subprocess.run(["docker", "build", "-q", "-t", "autograder-base:wheels", folder], check=True, capture_output=True)
    return "autograder-base:wheels"


@contextmanager
def daemon() -> Iterator[str | None]:
    """Docker's own daemon: the one that answers, or one started here for a while. None, and a line, where there is neither.

    Yields "" or the flags that its `build` needs.
    """
    if not shutil.which("docker"):
        print("\nNOT TRIED: Docker's own daemon; no docker here")
        yield None
        return
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True)
    if not answer.returncode and "podman" not in answer.stdout.lower():
        yield ""
        return
    if os.geteuid() or not shutil.which("dockerd"):
        print("\nNOT TRIED: Docker's own daemon; none answers, and only root, with dockerd installed, can start one")
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="dockerd-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        command = [
            "dockerd",
            "--data-root",
            f"{folder}/data",
            "--exec-root",
            f"{folder}/exec",
            "--pidfile",
            f"{folder}/pid",
            "-H",
            f"unix://{folder}/socket",
            "--iptables=false",
            "--ip6tables=false",
            "--bridge=none",
        ]
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        patch.setenv("DOCKER_HOST", f"unix://{folder}/socket")
        try:
            until = time.monotonic() + 90
            while (answers := subprocess.run(["docker", "info"], capture_output=True).returncode) and process.poll() is None:
                if time.monotonic() > until:
                    break
                time.sleep(1)
            if answers:
                print("\nNOT TRIED: Docker's own daemon, it does not start here: " + Path(folder, "log").read_text()[-300:])
            yield None if answers else "--network host"
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def stand_in(engine: list[str]) -> str:
    """The base image: ``BASE``, or a minimal Debian, made where the engine does not have it yet."""
    if base := os.environ.get("BASE", ""):
        return base

    def has(command: list[str]) -> bool:
        return not subprocess.run([*command, "image", "inspect", STAND_IN], capture_output=True).returncode

    if not has(engine):
        if engine == ["docker"] and shutil.which("podman") and has(["podman"]):
            saved = subprocess.run(["podman", "save", STAND_IN], check=True, capture_output=True).stdout
            subprocess.run([*engine, "load"], input=saved, check=True, capture_output=True)
        else:
            environment = {**os.environ, "ENGINE": shlex.join(engine)}
            subprocess.run([HERE / "base.sh", STAND_IN], check=True, env=environment)
    return STAND_IN


def prepared(name: str, engine: list[str], folder: Path, environment: dict[str, str], flags: str) -> Image:
    """The image to be built, with a base in which pip finds what it finds here."""
    base = stand_in(engine)
    if engine == ["docker"]:
        if pip_settings():
            base, flags = with_wheels(base, folder), "--network none"
    else:
        flags = shlex.join([*shlex.split(flags), *pip_configuration(folder)])
    return Image(name, base, {**environment, "ENGINE_BUILD": flags})


@pytest.fixture(scope="module")
def archive(tmp_path_factory, references, grader) -> Path:
    """An archive with the tests' own references."""
    return build_archive(grader.assignment, references, "517", tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def built(tmp_path_factory, archive) -> Iterator[Image]:
    """The image from the archive."""
    try:
        engine = image.engine(("docker", "podman"))
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    made = prepared(NAME, engine, tmp_path_factory.mktemp("image"), {}, os.environ.get("ENGINE_BUILD", ""))
    with made.reached():
        made.seconds = image.build_image(archive, ROOT / "Dockerfile", NAME, made.base, os.environ.get("TORCH_INDEX"))
        told(made)
    yield made
    made.remove()


@pytest.fixture(scope="module")
def docker() -> Iterator[str | None]:
    with daemon() as flags:
        yield flags


@pytest.fixture(scope="module")
def cloned(tmp_path_factory, docker) -> Iterator[Image]:
    """The image that `docker build .` makes on a clone: baked and audited in a stage of its own."""
    environment = {} if docker is None else {"ENGINE": "docker", "ENGINE_RUN": ""}
    flags = os.environ.get("ENGINE_BUILD", "") if docker is None else docker
    try:
        with Image("", "", environment).reached() as engine:
            made = prepared(CLONED, engine, tmp_path_factory.mktemp("image"), environment, flags)
    except GraderError as error:
        pytest.skip(f"NOT TRIED: {error}")
    made.context = clone(tmp_path_factory.mktemp("clone"))
    made.seconds = build_clone(made)
    with made.reached():
        told(made)
    yield made
    made.remove()


def clone(folder: Path) -> Path:
    """What a clone holds, with what is not committed yet; and what may lie in a working copy beside it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in listed.split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".seed").write_text("12345\n")
    return folder


def build_clone(made: Image, name: str = CLONED, *more: str) -> float:
    """Build the clone that lies in ``made.context``; returns seconds."""
    started = time.monotonic()
    arguments = {"BASE": made.base, "AUTOGRADER_SEED": SEED} | {k: v for k, v in os.environ.items() if k == "TORCH_INDEX"}
    flags = [flag for key, value in arguments.items() for flag in ("--build-arg", f"{key}={value}")]
    with made.reached() as engine:
        extra = shlex.split(os.environ.get("ENGINE_BUILD", ""))
        subprocess.run([*engine, "build", *extra, *flags, *more, "-t", name, "."], cwd=made.context, check=True)
    return time.monotonic() - started


def told(made: Image) -> None:
    """Where, how long and how large: for the figures. The engine has to be reached."""
    whole, bare = image.image_size(made.name), image.image_size(made.base)
    print(
        f"\n{made.name}: built in {made.seconds:.0f} s by {shlex.join(image.engine(('docker', 'podman')))}, "
        f"{(whole - bare) / 1e6:,.0f} MB over a base of {bare / 1e6:,.0f} MB"
    )


@pytest.fixture
def graded_in(tmp_path):
    """``graded_in(made, name, files)`` -> (results.json, items without full points, Run), checked against Gradescope's format."""

    def run(made: Image, name: str, files: dict | Path, flags: tuple[str, ...] = ()):
        folder = files if isinstance(files, Path) else tmp_path / "handed in"
        if isinstance(files, dict):
            folder.mkdir()
            for file, text in files.items():
                (folder / file).write_text(text)
        with image.container(folder) as (handed_in, results), made.reached():
            done = image.run_image(made.name, handed_in, results, flags, PEAK)
            assert done.results.exists(), done.stdout[-2000:]
            tree = json.loads(done.results.read_text())
        jsonschema.validate(tree, SCHEMA)
        peak = max(map(int, re.findall(r"^peak (\d+)$", done.stdout, re.MULTILINE)), default=0)
        print(
            f"\n{name}: score {tree['score']:g}, {done.seconds:.1f} s with the container's start, "
            f"graded in {tree['execution_time']:.1f} s, peak {peak >> 20} MiB"
        )
        assert done.exit == 0, done.stdout[-2000:]
        assert all(test["score"] in (0, test["max_score"]) for test in tree["tests"])
        return tree, {test["number"] for test in tree["tests"] if test["score"] < test["max_score"]}, done

    return run


@pytest.fixture
def graded(built, graded_in):
    """The same in the image from the archive."""
    return lambda *arguments: graded_in(built, *arguments)


@pytest.fixture
def solutions(tmp_path) -> Path:
    from autograder.authoring.masters import export_scripts

    export_scripts(ROOT / "solutions", tmp_path / "solutions")
    return tmp_path / "solutions"


@pytest.fixture
def starter(tmp_path) -> Path:
    (tmp_path / "starter").mkdir()
    for notebook in (ROOT / "student").glob("*.ipynb"):
        shutil.copy(notebook, tmp_path / "starter")
    return tmp_path / "starter"


def test_right_answers_get_full_points_behind_every_layer(graded):
    tree, lost, run = graded("sections 1, 2.1 and 3", RIGHT)
    assert (tree["score"], lost) == (58, set())
    assert "NOT HELD" not in run.stdout and "layer user: on" in run.stdout and "layer seccomp: on" in run.stdout, run.stdout
    assert run.seconds < 60


def test_sections_1_and_2_alone(graded):
    tree, lost, run = graded("sections 1 and 2.1", {"A2S1.py": S1, "A2S2.py": S2})
    assert tree["score"] == 38 and run.seconds < 30


def test_the_solutions_as_students_export_them(graded, solutions):
    assert graded("the solutions", solutions)[0]["score"] == 58


def test_the_starter_gets_nothing_and_is_told_why(graded, starter):
    tree, _, _ = graded("the starter", starter)
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
    with image.container(tmp_path / "in") as (handed_in, results), built.reached():
        for _ in range(2):
            assert image.run_image(built.name, handed_in, results).exit == 0
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


@pytest.fixture(scope="module")
def sought(grader, archive) -> tuple[Secrets, set[str]]:
    """(what must be in no layer, the names that an archive may have)."""
    with zipfile.ZipFile(archive) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    return secrets_of(grader.assignment, ROOT / "solutions", SEED, members.values()), set(members)


def search(made: Image, name: str, folder: Path, sought: tuple[Secrets, set[str]]) -> list[str]:
    saved = folder / "image.tar"
    with made.reached() as engine:
        subprocess.run([*engine, "save", "-o", saved, name], check=True, capture_output=True)
    try:
        return leaks(saved, *sought)
    finally:
        saved.unlink()


def test_docker_build_on_a_clone_makes_an_image_that_grades(cloned, graded_in, solutions, starter):
    tree, _, run = graded_in(cloned, "clone: the solutions", solutions)
    assert tree["score"] == 58 and "NOT HELD" not in run.stdout
    assert graded_in(cloned, "clone: the starter", starter)[0]["score"] == 0


def test_no_layer_holds_a_solution_the_bank_or_the_seed_and_the_stage_that_bakes_does(cloned, sought, tmp_path):
    assert search(cloned, CLONED, tmp_path, sought) == []
    stage = f"{CLONED}-stage"
    build_clone(cloned, stage, "--target", "archive")  # from the builder's cache
    found = "\n".join(search(cloned, stage, tmp_path, sought))
    with cloned.reached() as engine:
        subprocess.run([*engine, "image", "rm", "-f", stage], capture_output=True)
    assert "lines of solutions/" in found and "lines of the bank" in found and ".seed" not in found


def test_no_layer_of_the_image_from_an_archive_does(built, sought, tmp_path):
    assert search(built, built.name, tmp_path, sought) == []


def test_docker_itself_makes_the_image_from_the_archive_too(cloned, docker, archive, graded_in):
    if docker is None:
        pytest.skip("NOT TRIED: Docker's own daemon")
    made = Image(f"{NAME}-docker", cloned.base, cloned.environment)
    with made.reached():
        made.seconds = image.build_image(archive, ROOT / "Dockerfile", made.name, made.base, os.environ.get("TORCH_INDEX"))
        told(made)
    try:
        assert graded_in(made, "docker: sections 1, 2.1 and 3", RIGHT)[0]["score"] == 58
    finally:
        made.remove()


def test_the_dockerfile_is_for_the_classic_builder_and_buildkit():
    text = (ROOT / "Dockerfile").read_text()
    for of_one_alone in (
        r"--(mount|link|chmod|chown|parents|exclude|security|network)\b",
        "<<",
        r"(?m)^# *(syntax|check|escape) *=",
    ):
        assert not re.search(of_one_alone, text)
