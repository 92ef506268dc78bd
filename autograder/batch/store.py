"""What was found, kept: one SQLite file beside the results, written before a submission counts as graded.

The key is the submission's content and everything a verdict depends on, so that nothing is graded twice and nothing
stale is reused. Verdicts are kept, not scores: points, titles and courses may change without running anything again.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, folder_files, package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.needs import needed_versions
from autograder.core.strict import read_toml
from autograder.submission.unpack import Contents

SCHEMA = """
CREATE TABLE IF NOT EXISTS found
    (content TEXT, judging TEXT, verdicts TEXT NOT NULL, PRIMARY KEY (content, judging)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last (id TEXT PRIMARY KEY, content TEXT, judging TEXT, course TEXT, scores TEXT) WITHOUT ROWID;
"""
WORDING = ("points", "extra_credit", "title")  # of a question: what a verdict does not depend on


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

    def __enter__(self) -> Store:
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
            self.base.executemany(
                "INSERT INTO last VALUES (?, ?, ?, ?, ?)",
                [(id, r.content, r.judging, r.course, json.dumps(r.scores)) for id, r in records.items()],
            )

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
    """All but the submission that a verdict depends on: the packages that judge, the assignment's own parts, its rubric but for
    points and wording, baked arrays, libraries.
    """
    files = {f"engine/{name}": path for name, path in package_files(packages_of("judging")).items()}
    files |= {f"assignment/{name}": path for name, path in folder_files(assignment.folder, assignment.parts()).items()}
    rubric = read_toml(assignment.folder / "rubric.toml")
    questions = [{key: value for key, value in q.items() if key not in WORDING} for q in rubric["question"]]
    decides = [
        rubric["section"],
        questions,
        assignment.preload,
        assignment.flags,
        vars(assignment.limits),
        references["says"],
        needed_versions(assignment),
    ]
    digest = hashlib.sha256(digest_of(files, json.dumps(decides, sort_keys=True)).encode())
    _arrays([references["sets"], references["public"]], digest)
    return digest.hexdigest()


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
