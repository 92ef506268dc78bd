"""Rebake the references when anything they depend on has changed; keep the seed of the hidden inputs."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.checks.formats import ARCHIVE, kind_of_file
from autograder.checks.notebook import CODE
from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, folder_files, package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.needs import needed_versions
from autograder.core.paths import IMPORT_ROOT
from autograder.core.references import REFERENCES, stored

FORMAT = 3
FINGERPRINT = "fingerprint"
BAKING = "authoring.baking"
ERROR = "autograder: "  # before an error that the command explains


class OtherSeed(GraderError):
    """The references are of another seed; ``found``: the same without what to do about it."""

    def __init__(self, found: str):
        super().__init__(
            f"{found}: give the former one, or delete that file to draw new hidden inputs, on which everything is graded anew"
        )
        self.found = found


def secret_seed(build: Path) -> int:
    """The seed of the hidden inputs: AUTOGRADER_SEED, else ``.seed`` beside ``build``, created on first use.

    Never packed or committed. Raises GraderError if the file holds anything else.
    """
    path = _seed_file(build)
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
            f"{path} should hold one number, the seed of the hidden inputs: correct it, or delete it to get a new one"
        ) from None


def _seed_file(build: Path) -> Path:
    return Path(os.path.abspath(build)).parent / ".seed"


def derived(seed: int, purpose: str) -> bytes:
    """A key for one purpose, from which neither the seed nor the key of another purpose can be computed."""
    return hmac.digest(str(seed).encode(), f"purpose: {purpose}".encode(), "sha256")


def fingerprint(
    assignment: Assignment, solutions: Path, seed: int, package: str = BAKING, without: tuple[str, ...] = ()
) -> str:
    """A hash of everything the baked file depends on.

    That is: the packages that bake, the assignment, the solutions' code, the seed and the versions of libraries.
    ``package``: another one whose results depend on these; ``without``: how the names of files in the assignment begin on
    which they do not.
    """
    files = {f"engine/{name}": path for name, path in package_files(packages_of(package)).items()}
    own = {name: path for name, path in folder_files(assignment.folder).items() if not name.startswith(without)}
    files |= {f"assignment/{name}": path for name, path in own.items()}
    code = {name: path for name, path in folder_files(solutions).items() if kind_of_file(name) in (CODE, ARCHIVE)}
    files |= {f"solutions/{name}": path for name, path in code.items()}
    return digest_of(files, f"{FORMAT} {seed}", repr(sorted(needed_versions(assignment).items())))


def fresh_references(folder: Path, solutions: Path, build: Path, log: Callable[[str], None] = lambda line: None) -> Path:
    """The baked file, baked again if it is missing or stale, in a separate process, which may import torch.

    ``folder``: the assignment; ``log`` gets progress. Raises GraderError with the reason if baking fails.
    """
    path, assignment = build / REFERENCES, load_assignment(folder)
    if assignment.folder in build.resolve().parents:
        raise GraderError(f"{build} is inside the assignment's folder: choose another with --build")
    _refuse_no_seed(path, build)
    seed = secret_seed(build)
    wanted = fingerprint(assignment, solutions, seed)
    if stored(path, FINGERPRINT) != wanted:
        _refuse_other_seed(path, seed)
        _bake_in_process(folder, solutions, build, log)
        if stored(path, FINGERPRINT) != wanted:
            raise GraderError("baking ended without new references: did a file change meanwhile, or does the code call exit()?")
    return path


def _refuse_no_seed(path: Path, build: Path) -> None:
    """Raise OtherSeed if there are references and no seed, in whose place a new one would be another."""
    file = _seed_file(build)
    if stored(path, "receipt") and not os.environ.get("AUTOGRADER_SEED") and not file.exists():
        raise OtherSeed(f"{path} is there without its seed (AUTOGRADER_SEED is not set, and there is no {file})")


def _refuse_other_seed(path: Path, seed: int) -> None:
    """Raise OtherSeed if there are references of another seed: a class is graded on the same hidden inputs to its end."""
    if stored(path, "receipt") not in ("", signing_key(seed)):
        given = "AUTOGRADER_SEED" if os.environ.get("AUTOGRADER_SEED") else "the one in .seed; AUTOGRADER_SEED is not set"
        raise OtherSeed(f"{path} was drawn from another seed than {given}")


def signing_key(seed: int) -> str:
    """The key that signs results, in hexadecimal digits."""
    return derived(seed, "signature of a result").hex()


def _bake_in_process(folder: Path, solutions: Path, build: Path, log: Callable[[str], None]) -> None:
    """Run `autograder bake`. Raises GraderError with its last message if it fails."""
    folders = {"--assignment": folder, "--solutions": solutions, "--build": build}
    options = [text for option, path in folders.items() for text in (option, os.path.abspath(path))]
    command = [sys.executable, "-m", "autograder", *options, "bake"]
    environment = {**os.environ, "PYTHONPATH": str(IMPORT_ROOT), "OMP_WAIT_POLICY": "PASSIVE", "PYTHONUNBUFFERED": "1"}
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=IMPORT_ROOT)
        last_line = ""
        for line in process.stdout or ():
            last_line = line.strip()
            log(last_line)
        if process.wait():
            errors.seek(0)
            raise GraderError(_why(errors.read()) or f"baking failed: {last_line or 'no reason was given'}")


def _why(text: str) -> str:
    """The error that the command printed, which says what it is about; else its last line as that of a failed baking."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix(ERROR) for line in lines if line.startswith(ERROR)]
    return errors[-1] if errors else "".join(f"baking failed: {line}" for line in lines[-1:])
