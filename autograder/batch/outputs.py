"""Names by which the folders of a class are known: an export, and an output of `batch` or `alike`."""

import hashlib
import re
from pathlib import Path

EXPORTED = re.compile(r"submission_\d+")  # each student's folder in Gradescope's export
STORE, ALIKE, MOVED = "store.sqlite", "alike.json", "moved.csv"
OWN_FILES = (STORE, ALIKE)  # mark an output folder as a class's, whichever command created it
HASHED = re.compile(r"-[0-9a-f]{16}$")


def safe_id(name: str) -> str:
    """A file name for a submission's results that is safe to use: the same for the same ``name``, another for any other."""
    if re.fullmatch(r"\w[\w .-]{0,79}", name, re.ASCII) and not name.endswith((".", " ")) and not HASHED.search(name):
        return name
    slug = re.sub(r"[^\w.-]+", "_", name, flags=re.ASCII).strip("._-")[:60] or "submission"
    return f"{slug}-{short_hash(name)}"


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def resolved(path: Path) -> Path:
    """The path with links resolved, or the absolute path if that fails."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that is too long
        return path.absolute()


def exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, RuntimeError, ValueError):
        return False
