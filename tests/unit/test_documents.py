"""What the documents say about the tree is true, and the house rules that no linter knows are kept."""

import re
import subprocess

import pytest

from support.keys import DOCUMENT, with_keys
from support.project import ROOT

DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]
TOP = r"(?:autograder|assignment|solutions|student|tests|docs|examples)"
PATH = re.compile(rf"`({TOP}/[\w./-]*)`|\]\(([\w./-]+)(?:#[\w-]+)?\)")
ANCHOR = re.compile(r"\]\(([\w./-]*)#([\w-]+)\)")
PLACE = re.compile(r"((?:`[\w.]+`(?: and |, )?)+) in `([\w/]+\.py)`")
SUPPRESSED = re.compile(r"#\s*(?:ruff: )?(?:noqa|type: ignore)(\S*)(.*)")
# What recipes tell the reader to write, so that it is not there yet.
TO_WRITE = {"solutions/A2S4.ipynb", "assignment/given/A2S4.py", "assignment/probes/module.py"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document):
    text = (ROOT / document).read_text()
    named = [inside or (ROOT / document).parent.joinpath(link) for inside, link in PATH.findall(text)]
    if document == "docs/authoring.md":  # what it says of assignment/ and solutions/ is about the reader's own
        named = [path for path in named if not str(path).startswith(("assignment", "solutions"))]
    assert [str(path) for path in named if not (ROOT / path).exists() and str(path) not in TO_WRITE] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_heading_that_a_document_links_to_exists(document):
    for link, anchor in ANCHOR.findall((ROOT / document).read_text()):
        target = (ROOT / document).parent / link if link else ROOT / document
        words = [
            re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            for line in target.read_text().split("\n")
            if line[:1] == "#"
        ]
        assert anchor in [heading.replace(" ", "-") for heading in words], (link, anchor)


def test_every_name_that_the_table_of_places_gives_stands_in_its_file():
    places = PLACE.findall((ROOT / "ARCHITECTURE.md").read_text())
    assert len(places) >= 10
    for names, path in places:
        text = (ROOT / path).read_text()
        assert [name for name in re.findall(r"`(?:\w+\.)?(\w+)`", names) if not re.search(rf"\b{name}\b", text)] == [], path


def test_the_first_screen_of_the_readme_is_short_and_the_whole_is_one_page():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(" ".join(lines[:25]).split()) <= 200 and len(lines) < 80
    assert "make test" in "\n".join(lines[:25]) and "❌ 1.2.1" in "\n".join(lines[:25])


def test_the_table_of_keys_is_what_the_loader_knows():
    text = DOCUMENT.read_text()
    assert with_keys(text) == text, "run: cd tests && ../.venv/bin/python -m support.keys"
    assert text.count("| `") > 80 and len(text.splitlines()) < 350


def test_what_linters_are_told_to_overlook_is_little_and_has_its_reason():
    listed = subprocess.run(["git", "ls-files", "*.py", "*.ipynb"], cwd=ROOT, capture_output=True, text=True).stdout.split()
    files = [name for name in listed if not name.startswith(("student/", "tests/data/"))] or pytest.skip("not a git checkout")
    found = [(name, *SUPPRESSED.search(line).groups()) for name in files for line in (ROOT / name).read_text().splitlines()
             if SUPPRESSED.search(line) and "re.compile" not in line]  # fmt: skip
    assert len(found) <= 20
    assert [entry for entry in found if not re.match(r"[:\[]", entry[1]) or not re.search(r"#|\(|- ", entry[2])] == []
