"""The Gradescope archive: the packages that grade, the parts of the assignment that decide verdicts, the references.

The same input gives the same bytes. An unpacked archive is laid out like a checkout: ``autograder/`` and ``assignment/``, with
the references and the course beside them.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, files_below, folder_files, package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.files import read_capped, write_whole
from autograder.core.needs import needed_versions
from autograder.core.paths import PACKAGE
from autograder.core.references import REFERENCES
from autograder.core.resubmission import FACTS, declared, read_resubmission
from autograder.core.text import clean, reason
from autograder.core.zips import zip_bytes

ASSIGNMENT, COURSE = "assignment", "course.txt"
PINS = f"{ASSIGNMENT}/constraints.txt"
OTHERS = (COURSE, REFERENCES)
MAX_BYTES, MAX_MEMBERS = 1 << 30, 10_000  # of an archive, packed and unpacked
HERE = PACKAGE / "gradescope"
# Gradescope expects these two at the root of the zip.
SCRIPTS = ("setup.sh", "run_autograder")


@dataclass(frozen=True)
class Unpacked:
    """An unpacked archive: the paths of its assignment and references, and the course that it was built for."""

    assignment: Path
    references: Path
    course: str


def members_of(assignment: Assignment, references: Path, course: str) -> dict[str, bytes]:
    """Name -> bytes of everything in the archive, as determined by what ``gradescope`` imports and what the rubric names."""
    read_resubmission(assignment.folder)  # refuses it before it is packed
    files = package_files(packages_of("gradescope"))
    included = [
        assignment.folder / "rubric.toml",
        *assignment.parts(),
        *assignment.folder.glob("requirements*"),
        *(path for path in [assignment.folder / "smoke"] if path.exists()),
        *([assignment.folder / FACTS] if declared(assignment.folder) else []),
    ]
    files |= {f"{ASSIGNMENT}/{name}": path for name, path in folder_files(assignment.folder, included).items()}
    files |= {name: HERE / name for name in SCRIPTS} | {REFERENCES: references}
    return {name: path.read_bytes() for name, path in files.items()} | {COURSE: f"{course}\n".encode(), PINS: pins(assignment)}


def pins(assignment: Assignment) -> bytes:
    """The versions with which an assignment is baked and audited, as constraints for pip; its own lock file comes first."""
    versions = sorted(needed_versions(assignment).items())
    return "".join(f"{name}=={version}\n" for name, version in versions if version and name != "python").encode()


def write_archive(members: dict[str, bytes], course: str, build: Path) -> Path:
    """Write ``build/autograder-<course>.zip``; its root holds setup.sh and run_autograder."""
    target = build / f"autograder-{course}.zip"
    write_whole(target, zip_bytes(members, {REFERENCES: 0o600, **dict.fromkeys(SCRIPTS, 0o755)}))
    return target


def certificate(assignment: Assignment, archives: dict[str, dict[str, bytes]]) -> str:
    """A digest of what an audit certifies: every byte of the archives, the bank of mistakes, and the versions it ran with."""
    members = {f"{course}/{name}": data for course, files in archives.items() for name, data in files.items()}
    bank = {f"bank/{path.name}": path.read_bytes() for path in files_below(assignment.folder / "bank")}
    return digest_of(members | bank, repr(sorted(needed_versions(assignment).items())))


def read_unpacked(source: Path) -> Unpacked:
    """The archive unpacked in ``source``. Raises GraderError if there is none."""
    try:
        course = read_capped(source / COURSE, 1 << 10).decode("utf-8").strip()
    except (OSError, ValueError) as error:
        raise GraderError(
            f"no {COURSE} in {clean(str(source), 200)}: {clean(reason(error), 160)}; is this an unpacked archive?"
        ) from None
    return Unpacked(source / ASSIGNMENT, source / REFERENCES, course)


@contextlib.contextmanager
def opened(archive: Path) -> Iterator[Unpacked]:
    """Unpack an archive's assignment and references into a private temporary folder. Raises GraderError if it is not ours."""
    with tempfile.TemporaryDirectory(prefix="archive-") as folder:
        unpack(archive, Path(folder), (f"{ASSIGNMENT}/", *OTHERS))
        (Path(folder) / REFERENCES).chmod(0o600)
        yield read_unpacked(Path(folder))


def unpack(archive: Path, folder: Path, starts: tuple[str, ...] = ("",)) -> None:
    """Unpack what begins with one of ``starts`` into the folder.

    Raises GraderError, one line, if the archive is not ours or cannot be read or unpacked.
    """
    if not archive.is_file():
        raise GraderError(f"there is no file {clean(str(archive), 200)}: `autograder pack` builds archives")
    try:
        names = _extract(archive, folder, starts)
    except OSError as error:
        raise GraderError(f"cannot unpack {clean(str(archive), 200)}: {clean(reason(error), 160)}") from None
    except GraderError:
        raise
    except Exception:  # zipfile raises many kinds for a damaged or crafted file
        names = set()
    if not {COURSE, REFERENCES, f"{ASSIGNMENT}/rubric.toml"} <= names:
        raise GraderError(f"{clean(str(archive), 200)} is not an archive made by `autograder pack`")


def _extract(archive: Path, folder: Path, starts: tuple[str, ...]) -> set[str]:
    """Unpack these members; returns their names. Raises whatever zipfile does, and ValueError for too much."""
    with zipfile.ZipFile(io.BytesIO(read_capped(archive, MAX_BYTES))) as zipped:
        wanted = [member for member in zipped.infolist() if member.filename.startswith(starts)]
        names = {member.filename for member in wanted}
        # A member that holds more than it declares is refused by zipfile itself.
        size = sum(member.file_size for member in wanted)
        if size > MAX_BYTES or len(wanted) > MAX_MEMBERS or len(names) < len(wanted):
            raise ValueError("too much in it")
        zipped.extractall(folder, wanted)
    return names
