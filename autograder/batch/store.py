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

SCHEMA = """
CREATE TABLE IF NOT EXISTS found
    (content TEXT, judging TEXT, verdicts TEXT NOT NULL, PRIMARY KEY (content, judging)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS last (id TEXT PRIMARY KEY, content TEXT, judging TEXT, course TEXT, scores TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seed (key TEXT);
CREATE TABLE IF NOT EXISTS written (gradebook TEXT);
"""
AWAY = "move it away, and the next run grades everything again"
BESIDE = ("-wal", "-shm", "-journal")  # SQLite's own files
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
            for suffix in BESIDE:
                if os.path.lexists(beside := f"{path}{suffix}") and not is_ordinary(Path(beside)):
                    raise OSError(0, f"{path.name}{suffix} is not an ordinary file")
            self.database = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._refuse_code()
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.execute("PRAGMA synchronous=FULL")  # a commit survives a power failure
            self.database.executescript(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            advice = f"; {AWAY}" if _damage(error) else ""
            raise GraderError(f"cannot keep results in {path}: {getattr(error, 'strerror', None) or error}{advice}") from None

    def _refuse_code(self) -> None:
        """Raise sqlite3.Error if somebody put a view or a trigger into the file: it would run in every query."""
        self.database.execute("PRAGMA trusted_schema=OFF")
        if self.database.execute("SELECT 1 FROM sqlite_master WHERE type NOT IN ('table', 'index') LIMIT 1").fetchone():
            raise sqlite3.DataError("it holds more than tables, so it is not ours")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: object, error: BaseException | None, where: object) -> None:
        """Close it. Raises GraderError in place of an error that says that the file is damaged."""
        self.database.close()
        if error is not None and _damage(error):
            raise GraderError(f"cannot use {self.path}: {error}; {AWAY}") from None

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
        return {
            id: Record(content, judging, course, _scores(scores)) for id, content, judging, course, scores in map(_texts, rows)
        }

    def seed(self) -> str:
        """The ``key_id`` of the seed from which the last finished run's hidden inputs were drawn; '' if there is none."""
        row = self.database.execute("SELECT key FROM seed LIMIT 1").fetchone()
        return _texts(row)[0] if row else ""

    def gradebook(self) -> str:
        """The digest that ``wrote`` was last given; '' if there is none."""
        row = self.database.execute("SELECT gradebook FROM written LIMIT 1").fetchone()
        return _texts(row)[0] if row else ""

    def wrote(self, gradebook: str) -> None:
        """Keep a digest of the gradebook that has just been written."""
        if gradebook != self.gradebook():
            with self.transaction():
                self.database.execute("DELETE FROM written")
                self.database.execute("INSERT INTO written VALUES (?)", (gradebook,))

    def replace_last(self, records: dict[str, Record], seed: str) -> None:
        """Set the records that the next run is compared with, and the seed of their hidden inputs."""
        with self.transaction():
            self.database.execute("DELETE FROM last")
            self.database.execute("DELETE FROM seed")
            self.database.execute("INSERT INTO seed VALUES (?)", (seed,))
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


def _damage(error: BaseException) -> bool:
    """Whether an error is about what is in the file; a full disk or a lock is an OperationalError."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)


def _texts(row: tuple[Any, ...]) -> tuple[str, ...]:
    """The row. Raises sqlite3.DataError if anything in it is no text: SQLite keeps any type in any column."""
    if not all(isinstance(value, str) for value in row):
        raise sqlite3.DataError("a record is damaged")
    return row


def _scores(text: str) -> dict[str, float | None]:
    """The scores of a record. Raises sqlite3.DataError, as for any other damage to the file."""
    try:
        scores = json.loads(text)
        return {str(item): None if score is None else float(score) for item, score in scores.items()}
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise sqlite3.DataError("a record is damaged") from None


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
        references.get("concepts", {}),
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
