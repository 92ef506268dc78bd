"""What was found, kept: one SQLite file beside the results, written before a submission counts as graded.

The key is the submission's content and everything a verdict depends on, so that nothing is graded twice and nothing
stale is reused. Verdicts are kept, not scores: points, titles and courses may change without running anything again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.intake import Contents
from autograder.model import Assignment, GraderError
from autograder.toml import tomllib

SCHEMA = """
CREATE TABLE IF NOT EXISTS found
    (content TEXT, judging TEXT, verdicts TEXT NOT NULL, PRIMARY KEY (content, judging)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last (id TEXT PRIMARY KEY, content TEXT, judging TEXT, course TEXT, scores TEXT) WITHOUT ROWID;
"""
# Parts of the package that no verdict depends on.
APART = ("batch/", "gradescope/", "assignment/", "cli.py", "report.py", "results.py", "run.py", "export.py", "student.py",
         "audit.py", "pack.py", "bake.py", "__main__.py", "kit/picture.py")
WORDING = ("points", "extra_credit", "title")
PACKAGES = ("numpy", "otter-grader", "torch")


@dataclass(frozen=True)
class Record:
    """What one submission got in a run; scores are None for what did not run."""

    content: str
    judging: str
    course: str
    scores: dict[str, float | None]


class Store:
    """Open for one process; many may read while one writes. Use as a context manager."""

    def __init__(self, path: Path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.base = sqlite3.connect(path, timeout=60, isolation_level=None)
            self.base.execute("PRAGMA journal_mode=WAL")
            self.base.execute("PRAGMA synchronous=FULL")  # a commit survives the power cord
            self.base.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise GraderError(f"cannot keep results in {path}: {getattr(error, 'strerror', None) or error}") from None

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_) -> None:
        self.base.close()

    def find(self, content: str, judging: str) -> str | None:
        """The verdicts kept under this key, as they were given to :meth:`keep`."""
        row = self.base.execute("SELECT verdicts FROM found WHERE content = ? AND judging = ?", (content, judging)).fetchone()
        return row[0] if row else None

    def keep(self, rows: list[tuple[str, str, str]]) -> None:
        """Commit (content, judging, verdicts); on disk when this returns. Raises sqlite3.Error where it is full."""
        with self.transaction():
            self.base.executemany("INSERT OR IGNORE INTO found VALUES (?, ?, ?)", rows)

    def last(self) -> dict[str, Record]:
        """What the last finished run gave, by submission."""
        rows = self.base.execute("SELECT id, content, judging, course, scores FROM last")
        return {id: Record(content, judging, course, json.loads(scores)) for id, content, judging, course, scores in rows}

    def replace_last(self, records: dict[str, Record]) -> None:
        """What the next run is compared with."""
        with self.transaction():
            self.base.execute("DELETE FROM last")
            self.base.executemany("INSERT INTO last VALUES (?, ?, ?, ?, ?)",
                                  [(id, r.content, r.judging, r.course, json.dumps(r.scores)) for id, r in records.items()])

    @contextmanager
    def transaction(self):
        self.base.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.base.in_transaction:
                self.base.execute("ROLLBACK")
            raise
        self.base.execute("COMMIT")


def content_key(contents: Contents) -> str:
    """The submission's digest, with what could not be read of it."""
    told = "\n".join([contents.digest, *contents.notes, *(f"{f.path} {f.size}" for f in contents.files if f.data is None)])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def judging_key(assignment: Assignment, references: dict) -> str:
    """All but the submission that a verdict depends on: engine, tests, rubric (not its points), baked arrays, libraries."""
    package, digest = Path(__file__).resolve().parents[1], hashlib.sha256()
    sources = [(p.relative_to(package).as_posix(), p) for p in sorted(package.rglob("*.py"))]
    sources = [(name, path) for name, path in sources if not name.startswith(APART)]
    for path in sorted(assignment.folder.rglob("*")):
        name = path.relative_to(assignment.folder).as_posix()
        if path.suffix == ".py" and name != "bake.py":
            sources.append((f"assignment/{name}", path))
    for name, path in sources:
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    rubric = tomllib.loads((assignment.folder / "rubric.toml").read_text(encoding="utf-8"))
    rubric.pop("totals", None)
    rubric["question"] = [{key: value for key, value in q.items() if key not in WORDING} for q in rubric["question"]]
    rubric["limits"] = vars(assignment.limits)
    digest.update(json.dumps([rubric, references["says"], _versions()], sort_keys=True).encode())
    _arrays([references["sets"], references["public"]], digest)
    return digest.hexdigest()


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = ""
    return found


def _arrays(node, digest) -> None:
    """Hash a tree whose leaves may be numpy arrays."""
    if isinstance(node, dict):
        for key in sorted(node):
            digest.update(str(key).encode() + b":")
            _arrays(node[key], digest)
    elif isinstance(node, (list, tuple)):
        digest.update(b"[%d]" % len(node))
        for item in node:
            _arrays(item, digest)
    elif hasattr(node, "tobytes"):
        digest.update(f"{node.dtype}{node.shape}".encode() + node.tobytes())
    else:
        digest.update(repr(node).encode())
