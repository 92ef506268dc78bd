"""The store of verdicts: one SQLite file beside the results. A submission counts as graded once its verdicts are committed.

The key combines the submission's content with everything else its verdicts depend on, so nothing is graded twice and no
stale result is reused. The store keeps verdicts, not scores: points, titles and courses may change without a regrade.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, folder_files, package_files, packages_of
from autograder.core.errors import GraderError
from autograder.core.files import is_ordinary
from autograder.core.needs import needed_versions
from autograder.core.strict import read_toml
from autograder.submission.unpack import Contents

SCHEMA = """
CREATE TABLE IF NOT EXISTS found
    (content TEXT, judging TEXT, verdicts TEXT NOT NULL, PRIMARY KEY (content, judging)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last (id TEXT PRIMARY KEY, content TEXT, judging TEXT, course TEXT, scores TEXT) WITHOUT ROWID;
"""
WORDING = ("points", "extra_credit", "title", "claims")  # keys of a question that do not affect its verdict


@dataclass(frozen=True)
class Record:
    """One submission's result in a run: its store key, its course, and its score per item (None if the item did not run)."""

    content: str
    judging: str
    course: str
    scores: dict[str, float | None]


class Store:
    """An open store; one process may write while others read. Use as a context manager."""

    def __init__(self, path: Path):
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.path.lexists(path) and not is_ordinary(path):
                raise OSError(0, "it is not an ordinary file")
            self.database = sqlite3.connect(path, timeout=60, isolation_level=None)
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.execute("PRAGMA synchronous=FULL")  # a commit survives a power failure
            self.database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise GraderError(f"cannot keep results in {path}: {getattr(error, 'strerror', None) or error}") from None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    def find(self, content: str, judging: str) -> str | None:
        """The verdicts stored under this key by :meth:`keep`, or None."""
        query = "SELECT verdicts FROM found WHERE content = ? AND judging = ?"
        row = self.database.execute(query, (content, judging)).fetchone()
        return row[0] if row else None

    def keep(self, rows: list[tuple[str, str, str]]) -> None:
        """Commit (content, judging, verdicts) rows to disk. Raises sqlite3.Error, for example when the disk is full."""
        with self.transaction():
            self.database.executemany("INSERT OR REPLACE INTO found VALUES (?, ?, ?)", rows)

    def last(self) -> dict[str, Record]:
        """The records of the last finished run, by submission id."""
        rows = self.database.execute("SELECT id, content, judging, course, scores FROM last")
        return {id: Record(content, judging, course, _scores(scores)) for id, content, judging, course, scores in rows}

    def replace_last(self, records: dict[str, Record]) -> None:
        """Set the records that the next run is compared with."""
        with self.transaction():
            self.database.execute("DELETE FROM last")
            self.database.executemany(
                "INSERT INTO last VALUES (?, ?, ?, ?, ?)",
                [(id, r.content, r.judging, r.course, json.dumps(r.scores)) for id, r in records.items()],
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit on success, roll back on any exception."""
        self.database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise
        self.database.execute("COMMIT")


def _scores(text: str) -> dict[str, float | None]:
    """The scores of a record. Raises sqlite3.DataError, as for any other damage to the file."""
    try:
        scores = json.loads(text)
        return {str(item): None if score is None else float(score) for item, score in scores.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise sqlite3.DataError("a record is damaged") from None


def content_key(contents: Contents) -> str:
    """A hash of the submission's digest, its notes, and the names and sizes of files that were not read."""
    parts = [contents.digest, *contents.notes, *(f"{f.label} {f.size} {f.unread}" for f in contents.files if f.data is None)]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def judging_key(assignment: Assignment, references: dict[str, Any]) -> str:
    """A hash of everything a verdict depends on except the submission.

    That is: the packages that judge, the parts of the assignment used for grading, its rubric without points and wording,
    the reference arrays, the key that chooses among them and the versions of libraries.
    """
    files = {f"engine/{name}": path for name, path in package_files(packages_of("judging")).items()}
    files |= {f"assignment/{name}": path for name, path in folder_files(assignment.folder, assignment.parts()).items()}
    rubric = read_toml(assignment.folder / "rubric.toml")
    questions = [{key: value for key, value in q.items() if key not in WORDING} for q in rubric["question"]]
    settings = [
        rubric["section"],
        questions,
        assignment.preload,
        assignment.flags,
        vars(assignment.limits),
        references["says"],
        references["choice"],
        needed_versions(assignment),
    ]
    digest = hashlib.sha256(digest_of(files, json.dumps(settings, sort_keys=True)).encode())
    for chunk in _chunks([references["sets"], references["public"]]):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(node: Any) -> Iterator[bytes]:
    """A tree whose leaves may be numpy arrays, as bytes to hash."""
    if isinstance(node, dict):
        for key in sorted(node):
            yield str(key).encode() + b":"
            yield from _chunks(node[key])
    elif isinstance(node, (list, tuple)):
        yield b"[%d]" % len(node)
        for item in node:
            yield from _chunks(item)
    elif hasattr(node, "tobytes"):
        yield f"{node.dtype}{node.shape}".encode() + node.tobytes()
    else:
        yield repr(node).encode()
