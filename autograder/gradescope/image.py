"""The image: build it from the archive, and run it as Gradescope does, with whatever engine is installed.

``ENGINE`` names another command ("podman --runtime runc"), ``ENGINE_BUILD`` and ``ENGINE_RUN`` add flags to `build` and `run`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.core.errors import GraderError
from autograder.core.text import clean
from autograder.gradescope.archive import unpack

# engine -> a subcommand that succeeds only if the engine works
ENGINES = {"docker": ["info"], "podman": ["info"], "buildah": ["images"]}
NO_ENGINE = "no container engine works here; on Debian or Ubuntu: apt-get install podman buildah runc"
# Gradescope's smallest container; no network, as student code runs in it.
SMALLEST = ("--network", "none", "--cpus", "0.5", "--memory", "768m", "--memory-swap", "768m")


@dataclass(frozen=True)
class Run:
    """One grading in a container. ``exit``: the container's exit status; ``results``: where results.json should be."""

    exit: int
    stdout: str
    seconds: float
    results: Path


def name_for(course: str) -> str:
    return f"autograder:{course}"


def engine(able: tuple[str, ...] = tuple(ENGINES)) -> list[str]:
    """The command of the first of the engines in ``able`` that works here. Raises GraderError if none does."""
    if chosen := shlex.split(os.environ.get("ENGINE", "")):
        return chosen
    for name in able:
        if shutil.which(name) and subprocess.run([name, *ENGINES[name]], capture_output=True, check=False).returncode == 0:
            return [name]
    raise GraderError(NO_ENGINE)


def build_image(archive: Path, dockerfile: Path, name: str, base: str = "", torch_index: str | None = None) -> float:
    """Build the image ``name`` from an archive, by the Dockerfile and the archive's own setup.sh; returns seconds.

    ``base`` and ``torch_index`` replace the Dockerfile's. The unpacked archive is the build context, so that nothing is baked.
    Raises GraderError if the build fails.
    """
    for path in (archive, dockerfile):
        if not path.is_file():
            raise GraderError(f"no file {clean(str(path), 200)}: run `make autograder` first, in the folder of the Dockerfile")
    command = engine()
    arguments = {"BASE": base or None, "TORCH_INDEX": torch_index}
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        unpack(archive, Path(folder))
        flags = [flag for key, value in arguments.items() if value is not None for flag in ("--build-arg", f"{key}={value}")]
        started = time.monotonic()
        extra = shlex.split(os.environ.get("ENGINE_BUILD", ""))
        build = [*command, "build", *extra, *flags, "-f", str(dockerfile), "-t", name, folder]
        status = subprocess.run(build, check=False).returncode
        if status:
            raise GraderError(f"{command[0]} could not build {name} (exit {status}); its last lines say why")
        return time.monotonic() - started


def image_size(name: str) -> int:
    """Bytes of the image including its base; 0 if the engine does not report them."""
    command = engine(("docker", "podman"))
    inspect = [*command, "image", "inspect", "--format", "{{.Size}}", name]
    done = subprocess.run(inspect, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip().isdigit() else 0


@contextmanager
def container(submission: Path) -> Iterator[tuple[Path, Path]]:
    """(submission, results): temporary folders laid out like Gradescope's, the first with a copy of the file or folder."""
    with tempfile.TemporaryDirectory(prefix="container-") as folder:
        mounted, results = Path(folder) / "submission", Path(folder) / "results"
        results.mkdir()
        if submission.is_dir():
            shutil.copytree(submission, mounted, symlinks=True)
        elif submission.is_file():
            mounted.mkdir()
            shutil.copy(submission, mounted)
        else:
            raise GraderError(f"no file or folder {submission}")
        yield mounted, results


def run_image(
    name: str,
    submission: Path,
    results: Path,
    flags: tuple[str, ...] = (),
    command: tuple[str, ...] = ("/autograder/run_autograder",),
) -> Run:
    """Run the image as Gradescope would: root inside, the submission read-only, the smallest container, no network."""
    mounts = ["-v", f"{submission}:/autograder/submission:ro", "-v", f"{results}:/autograder/results"]
    started = time.monotonic()
    extra = shlex.split(os.environ.get("ENGINE_RUN", ""))
    done = subprocess.run(
        [*engine(("docker", "podman")), "run", "--rm", *SMALLEST, *extra, *flags, *mounts, name, *command],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=results.parent,  # some engines leave files in their working directory
        check=False,
    )
    return Run(done.returncode, done.stdout + done.stderr, time.monotonic() - started, results / "results.json")
