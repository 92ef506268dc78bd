"""The baked file is made anew when anything it depends on has changed; its hidden inputs come from a seed kept apart."""

from __future__ import annotations

import hashlib
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.checks.formats import ARCHIVE, CODE, kind_of_file
from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, folder_files, package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.needs import needed_versions
from autograder.core.paths import IMPORT_ROOT
from autograder.core.references import REFERENCES, stored_fingerprint

FORMAT = 2
BAKING = "authoring.baking"


def secret_seed(build: Path) -> int:
    """The hidden inputs' seed: AUTOGRADER_SEED, else ``.seed`` beside ``build``, made once, never packed or committed."""
    path = Path(os.path.abspath(build)).parent / ".seed"
    if os.environ.get("AUTOGRADER_SEED"):
        return int.from_bytes(hashlib.sha256(os.environ["AUTOGRADER_SEED"].encode()).digest()[:8], "little")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{secrets.randbits(63)}\n")
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise GraderError(
            f"{path} should hold one number, the seed of the hidden inputs: mend it, or delete it for a new one"
        ) from None


def fingerprint(assignment: Assignment, solutions: Path, seed: int) -> str:
    """Hash of all that the baked file depends on: the packages that bake, the assignment, the solutions' code, the seed, the versions."""
    files = {f"engine/{name}": path for name, path in package_files(packages_of(BAKING)).items()}
    files |= {f"assignment/{name}": path for name, path in folder_files(assignment.folder).items()}
    read = {name: path for name, path in folder_files(solutions).items() if kind_of_file(name) in (CODE, ARCHIVE)}
    files |= {f"solutions/{name}": path for name, path in read.items()}
    return digest_of(files, f"{FORMAT} {seed}", repr(sorted(needed_versions(assignment).items())))


def fresh_references(folder: Path, solutions: Path, build: Path, say: Callable[[str], None] = lambda line: None) -> Path:
    """The baked file, made anew when missing or stale, in a process of its own, which may import torch.

    ``say`` is told how far it is. Raises GraderError with what that process said.
    """
    path, assignment = build / REFERENCES, load_assignment(folder)
    if assignment.folder in build.resolve().parents:
        raise GraderError(f"{build} lies in the assignment's folder: name another with --build")
    wanted = fingerprint(assignment, solutions, secret_seed(build))
    if stored_fingerprint(path) != wanted:
        places = {"--assignment": folder, "--solutions": solutions, "--build": build}
        options = [text for name, place in places.items() for text in (name, os.path.abspath(place))]
        command = [sys.executable, "-m", "autograder", *options, "bake"]
        environment = {**os.environ, "PYTHONPATH": str(IMPORT_ROOT), "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=IMPORT_ROOT
            )
            said = []
            for line in process.stdout or ():
                said.append(line.strip())
                say(said[-1])
            if process.wait():
                errors.seek(0)
                raise GraderError(
                    "baking failed: " + (_last_words(errors.read()) or " ".join(said[-1:]) or "no reason was given")
                )
        if stored_fingerprint(path) != wanted:
            raise GraderError(
                "baking ended without new references: was anything changed meanwhile, or does some code call exit()?"
            )
    return path


def _last_words(text: str) -> str:
    """A refusal's own line, else the last one, without the command's name in front."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("autograder: ")]
    return (told or lines or [""])[-1].removeprefix("autograder: ")
