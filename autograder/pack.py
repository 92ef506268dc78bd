"""The Gradescope archive: the same inputs always give the same bytes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

from autograder.model import Assignment, GraderError
from autograder.references import REFERENCES

PACKAGE = Path(__file__).resolve().parent
ROOT = PACKAGE.parent
EPOCH = (2020, 1, 1, 0, 0, 0)
# Build-time files: what they know is in the references, as arrays.
LEFT_OUT = ("bake.py", "student.py", "export.py", "audit.py", "release.py", "image.py", "batch/", "assignment/bake",
            "assignment/bank/", "written/answers.py", "written/render.py", "written/finalise.py", "written/templates/")


def build_archive(assignment: Assignment, references: Path, course: str, build: Path) -> Path:
    """Write ``build/autograder-<course>.zip``; its root holds setup.sh and run_autograder."""
    members = {name: (PACKAGE / "gradescope" / name, 0o755) for name in ("setup.sh", "run_autograder")}
    for path in sorted(PACKAGE.rglob("*")):
        relative = path.relative_to(PACKAGE).as_posix()
        inside = path.is_file() and "__pycache__" not in path.parts and not relative.startswith(("gradescope/", "assignment/"))
        if inside and not relative.startswith(LEFT_OUT):
            members[f"autograder/{relative}"] = (path, 0o644)
    for path in sorted(assignment.folder.rglob("*")):
        relative = path.relative_to(assignment.folder).as_posix()
        if path.is_file() and "__pycache__" not in path.parts and not f"assignment/{relative}".startswith(LEFT_OUT):
            members[f"autograder/assignment/{relative}"] = (path, 0o644)
    members["constraints.txt"] = (ROOT / "constraints.txt", 0o644)
    members["requirements.txt"] = (PACKAGE / "gradescope" / "requirements.txt", 0o644)
    members[REFERENCES] = (references, 0o600)
    target = build / f"autograder-{course}.zip"
    build.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, (path, mode) in sorted(members.items()):
            _add(archive, name, path.read_bytes(), mode)
        _add(archive, "course.txt", f"{course}\n".encode(), 0o644)
    return target


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.external_attr = (0o100000 | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    archive.writestr(info, data, compresslevel=9)


def course_of(source: Path) -> str:
    """The course that an unpacked archive was built for."""
    try:
        return (source / "course.txt").read_text().strip()
    except OSError as error:
        raise GraderError(f"no course.txt in {source}: {error.strerror}; is this an unpacked archive?") from None


def archived_course(archive: Path) -> str:
    return _read(archive, "course.txt").decode().strip()


def archived_references(archive: Path, build: Path) -> Path:
    """Put an archive's references where they can be read; returns that path."""
    target = build / f"{archive.stem}.safetensors"
    build.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_read(archive, REFERENCES))
    return target


def _read(archive: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(name)
    except (OSError, KeyError, zipfile.BadZipFile):
        raise GraderError(f"{archive} is not an archive made by `make autograder`") from None
