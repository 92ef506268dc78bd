"""Which of the files that were handed in may hold a section, by their names, places and contents."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass

from autograder.checks.formats import SUFFIXES
from autograder.core.assignment import Section
from autograder.core.syntax import shape
from autograder.submission.files import File
from autograder.submission.several import answers, bound_names
from autograder.submission.statements import Parsed


@dataclass
class Candidate:
    """A parsed file, the id of the section it is named for ('' if none or several), section id -> how many names it binds."""

    file: File
    parsed: Parsed
    named: str
    score: dict[str, int]

    @property
    def depth(self) -> int:
        return len(self.file.path.parts)

    def filled(self, section: Section) -> int:
        """How much of a section is filled in."""
        return sum(answers(self.parsed.statements, section.names).values())

    @property
    def imports(self) -> set[str]:
        """The top-level names of the modules that it imports."""
        return {module for s in self.parsed.statements for module in imported_modules(s.node)}

    @property
    def expected(self) -> bool:
        """Whether its name says what it is; other files are graded only where no such file holds a section."""
        return self.file.path.suffix.lower() in SUFFIXES


def right_ones(section: Section, candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """The files that may be graded for a section, and those that are named for it and hold another one."""
    right, wrong = _by_name(section, candidates)
    right = right or _by_content(section, candidates, wrong)
    return _not_imported(right) or right, wrong


def _by_name(section: Section, candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Files named for a section, nearest the top of those with an answer: (right, wrong).

    The wrong ones bind names of other sections only.
    """
    named = [c for c in candidates if c.named == section.id]
    top = {c.depth for c in _nearest(_answering(section, named, candidates) or named)}
    named = [c for c in named if c.depth in top]
    wrong = [c for c in named if not c.score[section.id] and any(c.score.values())]
    return [c for c in named if c not in wrong], wrong


def _answering(section: Section, named: list[Candidate], candidates: list[Candidate]) -> list[Candidate]:
    """Those with an answer, or with an import of another file that was handed in, which may hold it."""
    own = {c.file.path.stem for c in candidates}
    return [c for c in named if c.filled(section) or own & c.imports]


def _by_content(section: Section, candidates: list[Candidate], wrong: list[Candidate]) -> list[Candidate]:
    """Files that bind names of a section and are no deeper than the topmost file named for any section.

    If there is none, those nearest the top that bind at least half of the names.
    """
    top = min((c.depth for c in candidates if c.named), default=99)
    found = [c for c in candidates if c not in wrong and _holds(c, section)]
    beside = [c for c in found if c.depth <= top]
    return beside or _nearest([c for c in found if 2 * c.score[section.id] >= len(section.names)])


def _nearest(candidates: list[Candidate]) -> list[Candidate]:
    """Those nearest the top."""
    top = min((c.depth for c in candidates), default=0)
    return [c for c in candidates if c.depth == top]


def _not_imported(candidates: list[Candidate]) -> list[Candidate]:
    """Without the modules that another candidate imports, unless they are named for a section."""
    imported = {module for c in candidates for module in c.imports}
    return [c for c in candidates if c.file.path.stem not in imported or c.named]


def imported_modules(node: ast.stmt) -> set[str]:
    """Top-level names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def _holds(candidate: Candidate, section: Section) -> bool:
    """Whether a file may hold a section: one named for another section must bind over a quarter of this section's names."""
    score = candidate.score[section.id]
    return score > 0 and (candidate.named in ("", section.id) or score * 2 > len(section.names) // 2)


def fingerprint(candidate: Candidate, section: Section) -> str:
    """A hash of the statements that bind the section's names, ignoring layout and comments."""
    names = set(section.names)
    shapes = [shape(s.node, s.code) for s in candidate.parsed.statements if bound_names(s) & names]
    return hashlib.sha256("\n".join(shapes).encode("utf-8", "surrogatepass")).hexdigest()


def comparison(other: Candidate, chosen: Candidate, section: Section) -> str:
    same = fingerprint(other, section) == fingerprint(chosen, section)
    return f"{other.file.name} {'agrees with it' if same else 'differs from it and was not graded'}"
