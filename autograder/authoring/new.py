"""A new assignment that works at once: the template that travels with the engine, under another name."""

from __future__ import annotations

import json
import re
import shlex
import unicodedata
from pathlib import Path

from autograder.authoring.schema import write_schemas
from autograder.core.digests import files_below
from autograder.core.errors import GraderError
from autograder.core.files import write_whole
from autograder.core.paths import PACKAGE
from autograder.core.text import clean

TEMPLATE = PACKAGE / "authoring" / "template"
NAME, TITLE, COURSE = "warmup", "Warm-up", "101"  # what the template is called; these words stand in it for nothing else
HIDDEN = {"gitignore": ".gitignore"}  # a file whose name begins with a dot would be left out of wheels
TAKEN = ("assignment", "build", "checks", "solutions", "student", "tests", "tools", "writeup")  # by what lies around a notebook


def new_assignment(folder: Path, title: str = "", course: str = COURSE) -> list[str]:
    """Copy the template into ``folder`` under the folder's name; returns what to tell the author, one line each.

    Raises GraderError, one line, if there is anything in the folder, or for a name or title that cannot be used.
    """
    refuse_filled(folder)
    name = name_of(folder)
    write_files(folder, renamed(template_files(), name, title or title_of(folder), course))
    return [f"wrote {folder}: notebook solutions/{name}.ipynb, rubric assignment/rubric.toml", first_steps(folder)]


def first_steps(folder: Path) -> str:
    return f"next: cd {shlex.quote(str(folder))} && make grade && make test; then read its README.md"


def refuse_filled(folder: Path) -> None:
    """Raise GraderError if there is a file of this name, or a folder with anything in it."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise GraderError(f"{clean(str(folder), 200)} is there already and not empty: name a new folder")


def name_of(folder: Path) -> str:
    """The name of the notebook: the folder's, in letters, digits and underscores. Raises GraderError if none is left."""
    plain = unicodedata.normalize("NFKD", folder.resolve().name).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain).strip("_")[:40]
    if not name:
        raise GraderError(f"the folder {clean(folder.name)!r} has no letter or digit for the notebook's name: name another")
    if not re.search("[A-Za-z]", name) or len(name) < 2:  # "1" would be found in every student's file name
        return f"assignment_{name}"
    return f"{name}_notebook" if name.lower() in TAKEN else name


def title_of(folder: Path) -> str:
    """The folder's name in words."""
    words = re.sub(r"[\W_]+", " ", folder.resolve().name).strip()
    return words[:1].upper() + words[1:]


def pattern_of(name: str) -> str:
    """A regular expression that finds the notebook's name, however students write what stands between its words."""
    return r"[\s_.-]*".join(re.findall(r"[a-z]+|\d+", name.lower()))


def template_files() -> dict[str, str]:
    """Path -> text of the template's files, as they lie in a new assignment."""
    files = {path.relative_to(TEMPLATE).as_posix(): path.read_text(encoding="utf-8") for path in files_below(TEMPLATE)}
    return {HIDDEN.get(path, path): text for path, text in files.items()}


def renamed(files: dict[str, str], name: str, title: str, course: str) -> dict[str, str]:
    """The template's files with another name, title and course in them. Raises GraderError if one of these cannot be used."""
    if not re.fullmatch(r"[\w.-]+", course, re.ASCII):
        raise GraderError(f"the course {clean(course)!r} should consist of letters, digits, dots and dashes")
    if not title.strip() or not title.isprintable():
        raise GraderError("the title should be one line of text")
    quoted = json.dumps(title, ensure_ascii=False)[1:-1]  # as both TOML and notebooks write it
    words = {f"'{NAME}'": f"'{pattern_of(name)}'", NAME: name, COURSE: course, TITLE: title}
    changed = {}
    for path, text in files.items():
        own = words | {TITLE: quoted} if path.endswith((".toml", ".ipynb")) else words
        changed[path.replace(NAME, name)] = _with_words(text, own)
    return changed


def _with_words(text: str, words: dict[str, str]) -> str:
    """The text with each of the template's words replaced, all at once."""
    return re.sub(rf"'{NAME}'|{NAME}|{TITLE}|\b{COURSE}\b", lambda found: words[found[0]], text)


def write_files(folder: Path, files: dict[str, str]) -> None:
    """Write the files and, beside the rubric, the schemas with which editors check it and the bank."""
    for path, text in files.items():
        write_whole(folder / path, text.encode("utf-8"))
    write_schemas(folder / "assignment")
