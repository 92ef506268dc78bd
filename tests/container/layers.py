"""Search an image for what must not be in it: in every layer (so in deleted files too), its configuration and history."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.baking.bank import load_bank
from autograder.authoring.release import SOURCES, distinctive_lines, regions
from autograder.core.assignment import Assignment
from container.engines import Image

OURS, INSTALLED = "autograder/", ("autograder/venv/", "autograder/python/")
# Lines such as `return result` occur in libraries too: how many of ours, and what share of a file, indicate a copy.
FEWEST, SHARE = 3, 0.1


@dataclass(frozen=True)
class Secrets:
    """``lines``: a line of code -> whose it is; ``texts``: bytes -> what they are."""

    lines: dict[str, str]
    texts: dict[bytes, str]


def secrets_of(assignment: Assignment, solutions: Path, seed: str, archive: Iterable[bytes]) -> Secrets:
    """Lines of solutions and bank that are not in the archive anyway, staff's folders, and the seed in every encoding."""
    lines: dict[str, str] = {}
    for path in sorted(solutions.rglob("*")):
        if path.suffix in SOURCES and path.is_file() and ".student" not in path.name:
            lines |= dict.fromkeys(distinctive_lines(regions(path, whole=path.suffix != ".ipynb")[0]), f"solutions/{path.name}")
    for entries in load_bank(assignment).values():
        lines |= {line: "the bank" for entry in entries for line in distinctive_lines(entry["code"])}
    for data in archive:
        for line in distinctive_lines(data.decode("utf-8", "replace")):
            lines.pop(line, None)
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "little")
    forms = (seed.encode(), str(number).encode(), number.to_bytes(8, "little"), number.to_bytes(8, "big"))
    texts = dict.fromkeys((b"assignment/bank", b"assignment/inputs"), "a folder of the staff") | dict.fromkeys(
        forms, "the seed"
    )
    return Secrets(lines, texts)


def files_of(saved: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield (layer, name, bytes) for every file of a saved image; configuration and history have the layer ''."""
    with tarfile.open(saved) as image:
        layers = {name for entry in json.load(image.extractfile("manifest.json")) for name in entry["Layers"]}
        for member in image:
            if member.name not in layers:
                if member.isfile():
                    yield "", member.name, image.extractfile(member).read()
                continue
            with tarfile.open(fileobj=image.extractfile(member)) as layer:
                for inner in layer:
                    data = layer.extractfile(inner).read() if inner.isfile() else b""
                    yield member.name, inner.name.removeprefix("./") + "/" * inner.isdir(), data


def lines_of(name: str, data: bytes) -> set[str]:
    """The stripped lines of a text, including a notebook's cells; none if it is binary."""
    if b"\0" in data:
        return set()
    text = data.decode("utf-8", "replace")
    if name.endswith(".ipynb"):
        text += "\n" + "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return set(map(str.strip, text.split("\n")))


def leaks(saved: Path, secrets: Secrets, archive: set[str]) -> list[str]:
    """One line for each thing that should not be there. ``archive``: the names that are allowed beside the environment."""
    expected = {f"{OURS}source/{name}" for name in archive} | {f"{OURS}run_autograder"}
    found = []
    for layer, name, data in files_of(saved):
        found += [f"{name or 'the configuration'} holds {what}" for text, what in secrets.texts.items() if text in data]
        if layer:
            found += [*stray(name, expected), *solution_lines(name, data, secrets)]
    return found


def is_ours(name: str) -> bool:
    return name.startswith(OURS) and not name.startswith(INSTALLED)


def stray(name: str, expected: set[str]) -> Iterator[str]:
    """Files that do not belong in the image, by their names."""
    if is_ours(name) and not name.endswith("/") and "/__pycache__/" not in name and name not in expected:
        yield f"{name} is not of the archive"
    if name.split("/", maxsplit=1)[0] in ("project", "archive") or name.rsplit("/", 1)[-1] == ".seed":
        yield f"{name} is the build's own"


def solution_lines(name: str, data: bytes, secrets: Secrets) -> Iterator[str]:
    """Secret lines in a file: any in ours; elsewhere, where lines may agree by chance, only many."""
    lines = lines_of(name, data)
    held = lines & secrets.lines.keys()
    if held and (is_ours(name) or (len(held) >= FEWEST and len(held) >= SHARE * len(lines))):
        yield f"{name} holds {len(held)} lines of {secrets.lines[min(held)]}: {min(held)[:60]!r}"


def search(made: Image, name: str, folder: Path, sought: tuple[Secrets, set[str]]) -> list[str]:
    """What of it the layers of an image hold."""
    saved = folder / "image.tar"
    with made.reached() as engine:
        subprocess.run([*engine, "save", "-o", saved, name], check=True, capture_output=True)
    try:
        return leaks(saved, *sought)
    finally:
        saved.unlink()
