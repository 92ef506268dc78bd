"""Container engines, the images they build here, and what pip needs inside a build."""

import datetime as dt
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

from autograder.core.files import write_whole
from autograder.gradescope import image
from bench.report import CONTAINER
from support.project import ROOT

HERE = Path(__file__).parent
NAME, CLONED, STAND_IN = "autograder-test:517", "autograder-test:clone", "localhost/autograder-base:debian"
SEED = os.environ["AUTOGRADER_SEED"]  # conftest's
ONE_AT_A_TIME = FileLock(CONTAINER.with_suffix(".lock"))  # two engines' tests may run side by side


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
        """Yield the engine's command; meanwhile ``autograder.gradescope.image`` uses that engine too."""
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
    """Mounts that let pip inside a build find what it finds here: its settings as a file, and the local paths they name."""
    settings = pip_settings()
    if not settings:
        return []
    (folder / "pip.conf").write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    mounts = [f"{folder / 'pip.conf'}:/etc/pip.conf", *(f"{p}:{p}" for p in sorted(local_paths(settings)))]
    return [flag for mount in mounts for flag in ("-v", f"{mount}:ro")]


def local_paths(settings: dict[str, str]) -> set[Path]:
    """Existing paths that pip's settings name; an index of links points at files beside it, so its parent comes along."""
    named = {Path(place.removeprefix("file://")) for value in settings.values() for place in value.split()}
    existing = {path for path in named if path.is_absolute() and path.exists()}
    return {path if path.is_file() or len(path.parents) < 3 else path.parent for path in existing}


def with_wheels(base: str, folder: Path) -> str:
    """``base`` with all wheels in it, because Docker's builder mounts nothing. For this Python only."""
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
    """Docker's own daemon: a running one, or one started here temporarily.

    Yields "" or the flags that its `build` needs; None, and prints a line, if there is no daemon.
    """
    if not shutil.which("docker"):
        warnings.warn("NOT TRIED: Docker's own daemon; no docker here", stacklevel=1)
        yield None
        return
    answer = subprocess.run(["docker", "version"], capture_output=True, text=True)
    if not answer.returncode and "podman" not in answer.stdout.lower():
        yield ""
    elif os.geteuid() or not shutil.which("dockerd"):
        warnings.warn("NOT TRIED: Docker's own daemon; none answers, and only root, with dockerd, can start one", stacklevel=1)
        yield None
    else:
        with started_daemon() as flags:
            yield flags


@contextmanager
def started_daemon() -> Iterator[str | None]:
    with (
        tempfile.TemporaryDirectory(prefix="dockerd-", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as patch,
    ):
        socket = f"unix://{folder}/socket"
        folders = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
        command = ["dockerd", *folders, "-H", socket, "--iptables=false", "--ip6tables=false", "--bridge=none"]
        with open(f"{folder}/log", "w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        patch.setenv("DOCKER_HOST", socket)
        try:
            if answers_in_time(process):
                yield "--network host"
            else:
                log = Path(folder, "log").read_text()[-300:]
                warnings.warn(f"NOT TRIED: Docker's own daemon, it does not start here: {log}", stacklevel=1)
                yield None
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def answers_in_time(process: subprocess.Popen, seconds: float = 90) -> bool:
    until = time.monotonic() + seconds
    while subprocess.run(["docker", "info"], capture_output=True).returncode:
        if process.poll() is not None or time.monotonic() > until:
            return False
        time.sleep(1)
    return True


def stand_in(engine: list[str], release: str = "") -> str:
    """The base image: ``BASE``, or a minimal Debian (of another release if one is given), built if the engine has none."""
    if not release and (base := os.environ.get("BASE", "")):
        return base
    name = f"{STAND_IN}-{release}" if release else STAND_IN

    with ONE_AT_A_TIME:
        if not has(engine, name):
            make_stand_in(engine, name, release)
    return name


def has(engine: list[str], name: str) -> bool:
    return not subprocess.run([*engine, "image", "inspect", name], capture_output=True).returncode


def make_stand_in(engine: list[str], name: str, release: str) -> None:
    if engine == ["docker"] and shutil.which("podman") and has(["podman"], name):
        saved = subprocess.run(["podman", "save", name], check=True, capture_output=True).stdout
        subprocess.run([*engine, "load"], input=saved, check=True, capture_output=True)
    else:
        environment = {**os.environ, "ENGINE": shlex.join(engine)}
        subprocess.run([HERE / "base.sh", name, *([release] if release else [])], check=True, env=environment)


def prepared(name: str, engine: list[str], folder: Path, environment: dict[str, str], flags: str, release: str = "") -> Image:
    """The image to build, with a base in which pip finds what it finds here."""
    base = stand_in(engine, release)
    if engine == ["docker"]:
        if pip_settings():
            base, flags = with_wheels(base, folder), "--network none"
    else:
        flags = shlex.join([*shlex.split(flags), *pip_configuration(folder)])
    return Image(name, base, {**environment, "ENGINE_BUILD": flags})


def clone(folder: Path) -> Path:
    """Copy what a clone holds, including uncommitted changes, and a seed as in a working copy."""
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
    """Build the clone in ``made.context``; returns seconds."""
    started = time.monotonic()
    arguments = {"BASE": made.base, "AUTOGRADER_SEED": SEED} | {k: v for k, v in os.environ.items() if k == "TORCH_INDEX"}
    flags = [flag for key, value in arguments.items() for flag in ("--build-arg", f"{key}={value}")]
    with made.reached() as engine:
        extra = shlex.split(os.environ.get("ENGINE_BUILD", ""))
        subprocess.run([*engine, "build", *extra, *flags, *more, "-t", name, "."], cwd=made.context, check=True)
    return time.monotonic() - started


def print_figures(made: Image) -> None:
    """Print and record how long the image took to build, by which engine, and how large it is. The engine has to be reached."""
    whole, bare = image.image_size(made.name), image.image_size(made.base)
    record(made.name, seconds=made.seconds, added_mb=(whole - bare) / 1e6)
    print(
        f"\n{made.name}: built in {made.seconds:.0f} s by {shlex.join(image.engine(('docker', 'podman')))}, "
        f"{(whole - bare) / 1e6:,.0f} MB over a base of {bare / 1e6:,.0f} MB"
    )


def record(name: str, **measured: float) -> None:
    """Keep the figures of an image or a submission, with the day, for the page that `make bench` writes."""
    with ONE_AT_A_TIME:
        kept = json.loads(CONTAINER.read_text(encoding="utf-8")) if CONTAINER.exists() else {}
        kept[name] = {"day": f"{dt.datetime.now().astimezone():%Y-%m-%d}", **measured}
        write_whole(CONTAINER, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode())
