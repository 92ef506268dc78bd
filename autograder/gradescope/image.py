"""The image: built from the archive, and run as Gradescope runs it. With whatever engine is installed.

``ENGINE`` names another command ("podman --runtime runc"), ``ENGINE_BUILD`` and ``ENGINE_RUN`` add flags to `build` and `run`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.text import clean

# command -> what answers only where it can really work
ENGINES = {"docker": ["info"], "podman": ["info"], "buildah": ["images"]}
NONE = "no container engine answers here; on Debian or Ubuntu: apt-get install podman buildah runc"
# Gradescope's smallest container; no network while student code is near.
SMALLEST = ("--network", "none", "--cpus", "0.5", "--memory", "768m", "--memory-swap", "768m")


@dataclass(frozen=True)
class Run:
    """One grading in a container. ``exit``: the container's status; ``results``: the path of results.json, written or not."""

    exit: int
    stdout: str
    seconds: float
    results: Path


def name_for(course: str) -> str:
    return f"autograder:{course}"


def engine(able: tuple[str, ...] = tuple(ENGINES)) -> list[str]:
    """The command of the first engine of ``able`` that works here. Raises GraderError where none does."""
    if chosen := shlex.split(os.environ.get("ENGINE", "")):
        return chosen
    for name in able:
        if shutil.which(name) and subprocess.run([name, *ENGINES[name]], capture_output=True).returncode == 0:
            return [name]
    raise GraderError(NONE)


def build_image(archive: Path, dockerfile: Path, name: str, base: str = "", torch_index: str | None = None) -> float:
    """Build the image ``name`` from an archive, by the Dockerfile and the archive's own setup.sh; returns seconds.

    ``base`` and ``torch_index`` replace the Dockerfile's. Nothing is baked: an unpacked archive is a build context that is ready.
    Raises GraderError where the build fails.
    """
    for path in (archive, dockerfile):
        if not path.is_file():
            raise GraderError(f"no file {clean(str(path), 200)}: run `make autograder` first, in the folder of the Dockerfile")
    command = engine()
    arguments = {"BASE": base or None, "TORCH_INDEX": torch_index}
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        flags = [flag for key, value in arguments.items() if value is not None for flag in ("--build-arg", f"{key}={value}")]
        started = time.monotonic()
        extra = shlex.split(os.environ.get("ENGINE_BUILD", ""))
        done = subprocess.run([*command, "build", *extra, *flags, "-f", str(dockerfile), "-t", name, folder])
        if done.returncode:
            raise GraderError(f"{command[0]} could not build {name} (exit {done.returncode}); its last lines say why")
        return time.monotonic() - started


def image_size(name: str) -> int:
    """Bytes of the image with its base; 0 where the engine does not tell."""
    command = engine(("docker", "podman"))
    done = subprocess.run([*command, "image", "inspect", "--format", "{{.Size}}", name], capture_output=True, text=True)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip().isdigit() else 0


@contextmanager
def container(submission: Path) -> Iterator[tuple[Path, Path]]:
    """(submission, results): folders as Gradescope lays them out, the first with a copy of a file, folder or unpacked zip."""
    with tempfile.TemporaryDirectory(prefix="container-") as folder:
        handed_in, results = Path(folder) / "submission", Path(folder) / "results"
        results.mkdir()
        if submission.is_dir():
            shutil.copytree(submission, handed_in, symlinks=True)
        elif submission.is_file():
            handed_in.mkdir()
            shutil.copy(submission, handed_in)
        else:
            raise GraderError(f"no file or folder {submission}")
        yield handed_in, results


def run_image(
    name: str,
    handed_in: Path,
    results: Path,
    flags: tuple[str, ...] = (),
    command: tuple[str, ...] = ("/autograder/run_autograder",),
) -> Run:
    """Run the image as Gradescope would: root inside, the submission read-only, the smallest size, no network."""
    mounts = ["-v", f"{handed_in}:/autograder/submission:ro", "-v", f"{results}:/autograder/results"]
    started = time.monotonic()
    extra = shlex.split(os.environ.get("ENGINE_RUN", ""))
    done = subprocess.run(
        [*engine(("docker", "podman")), "run", "--rm", *SMALLEST, *extra, *flags, *mounts, name, *command],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=results.parent,
    )  # some leave files where they stand
    return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - started, results / "results.json")
