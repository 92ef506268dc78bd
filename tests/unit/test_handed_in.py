"""Every file that was handed in was read or is named as unread, with the reason and once: random folders and archives."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.core.loading import load_assignment
from autograder.submission import unpack
from autograder.submission.files import File
from autograder.submission.sections import take_in
from autograder.submission.unread import told
from hostile.case import S1, S2
from support import share
from support.project import ROOT
from support.zips import tarred, zipped

ASSIGNMENT = load_assignment(ROOT / "assignment")
STEMS = ("A2S1", "A2S2", "a2s1 (1)", "notes", "über", "A2S3-Copy1", "x y", "data.v2")
SUFFIXES = (
    ".py",
    ".ipynb",
    ".txt",
    ".py.txt",
    ".ipynb.json",
    ".docx",
    ".csv",
    ".pdf",
    ".png",
    "",
    ".qq",
    ".rar",
    ".PY",
    ".html",
)
CONTENTS = (
    S1.encode(),
    S2.encode("utf-16"),
    b"",
    b"{",
    b"\0\1\2",
    b"# only a comment",
    "# é\nx = 1\n".encode("latin-1"),
    "x = 'é'\n".encode("latin-1"),
    b'{"cells": [{"cell_type": "code", "source": "query121 = 1"}], "nbformat": 4}',
    b"\n<<<<<<< a\nx = 1\n=======\nx = 2\n>>>>>>> b\n",
    b"PK\3\4",
    b"<html>",
    b"some words",
)
IGNORED = ("__MACOSX/._A2S1.py", ".DS_Store", ".ipynb_checkpoints/A2S1-checkpoint.ipynb", "sub/__pycache__/a.pyc", "._A2S1.py")
MODES = ("w", "w:gz", "w:bz2", "w:xz")
names = st.builds("{}{}{}".format, st.sampled_from(("", "hw/", "a/b/")), st.sampled_from(STEMS), st.sampled_from(SUFFIXES))
flat = st.dictionaries(names, st.sampled_from(CONTENTS), max_size=5)
# A tree: name -> bytes, or (kind of archive, tree).
trees = st.recursive(
    flat,
    lambda inner: st.builds(
        lambda files, inside: {**files, **{f"pack{n}.{kind}": (kind, tree) for n, (kind, tree) in enumerate(inside)}},
        flat,
        st.lists(st.tuples(st.sampled_from(("zip", "tar.gz", "tgz", "tar")), inner), max_size=2),
    ),
    max_leaves=5,
)


def packed(kind: str, tree: dict, mode: str) -> bytes:
    files = {name: made(content, mode) for name, content in tree.items()} | dict.fromkeys(IGNORED[:2], b"x")
    return zipped(files) if kind == "zip" else tarred(files, mode)


def made(content, mode: str) -> bytes:
    return content if isinstance(content, bytes) else packed(*content, mode)


def write(folder: Path, tree: dict, mode: str) -> None:
    for name, content in [*tree.items(), *dict.fromkeys(IGNORED, b"x").items()]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made(content, mode))


def handed_in(tree: dict, deep: int = 0) -> Counter:
    """The names of the files in a tree; of an archive those in it, unless it is empty or packed too deep."""
    count: Counter = Counter()
    for name, content in tree.items():
        opened = not isinstance(content, bytes) and content[1] and deep < unpack.MAX_NESTED
        count += handed_in(content[1], deep + 1) if opened else Counter([Path(name).as_posix()])
    return count


@settings(max_examples=share.number(150), deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(trees, st.sampled_from(MODES), st.sampled_from(("", "zip", "tar.gz")))
def test_files_read_and_files_named_as_unread_are_the_files_handed_in(tree, mode, whole):
    tree = {"main.py": CONTENTS[0], **tree}
    with tempfile.TemporaryDirectory() as folder:
        handed = Path(folder, f"hw.{whole}") if whole else Path(folder)
        if whole:
            handed.write_bytes(packed(whole, tree, mode))
        else:
            write(handed, tree, mode)
        found = take_in(ASSIGNMENT, handed)
    assert Counter(str(file.path) for file in [*found.read, *found.unread]) == handed_in(tree, 1 if whole else 0)
    assert not any(file.unread for file in found.read) and all(file.unread for file in found.unread)
    is_told(found.notes, found.unread)


def is_told(notes: list[str], unread: list[File]) -> None:
    """The first twenty are named in the notes, as often as there are files of this name; the others are counted."""
    for (label, reason), count in Counter((file.label, file.unread) for file in unread[:20]).items():
        ends = (",", f" {reason}", f": each {reason}")
        assert sum(part.startswith(label + end) for note in notes for part in pieces(note) for end in ends) == count
    assert len(unread) <= 20 or f"and {len(unread) - 20} more file" in notes[-1]


def pieces(line: str) -> list[str]:
    """A note cut where the name of a file begins."""
    return [line, *(line[at + 2 :] for at in range(len(line)) if line.startswith(", ", at))]


@pytest.mark.parametrize(
    "count, words", [(20, ""), (21, "and 1 more file was not read"), (32, "and 12 more files were not read")]
)
def test_twenty_files_are_named_and_the_others_counted(count, words):
    notes = told([File(Path(f"a{n:02}.png"), None, 1, unread="is a picture") for n in range(count)])
    assert sum(f"a{n:02}.png" in note for note in notes for n in range(count)) == 20
    assert (notes[-1] == words) if words else "more" not in notes[-1]
    assert max(map(len, notes)) < 300
