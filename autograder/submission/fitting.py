"""Which of the files that were handed in may hold a section, by their names, places and contents."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from functools import cached_property

from autograder.checks.formats import SUFFIXES
from autograder.checks.ipython import as_module
from autograder.checks.naming import stem_of
from autograder.core.assignment import Section
from autograder.core.syntax import DEFINED, shape
from autograder.submission.files import File
from autograder.submission.several import Wanted
from autograder.submission.statements import Parsed
from autograder.submission.stubs import set_names


@dataclass(eq=False)
class Candidate:
    """A parsed file, the id of the section it is named for ('' if none or several), section id -> how many names it binds."""

    file: File
    parsed: Parsed
    named: str
    score: dict[str, int]

    @property
    def depth(self) -> int:
        return len(self.file.path.parts)

    @cached_property
    def module(self) -> str:
        """The name under which code beside it imports it."""
        return as_module(stem_of(self.file.path.name))

    @cached_property
    def imports(self) -> set[str]:
        """The top-level names of the modules that it imports."""
        return {module for s in self.parsed.statements for module in imported_modules(s.node)}

    @cached_property
    def taken(self) -> set[tuple[str, str]]:
        """(module, name) of what it imports under its own name; "*" for all names, also of a file that it runs."""
        nodes = [s.node for s in self.parsed.statements if isinstance(s.node, ast.ImportFrom)]
        return {((n.module or "").rpartition(".")[2], alias.name) for n in nodes for alias in n.names if alias.asname is None}

    @property
    def expected(self) -> bool:
        """Whether its name says what it is; other files are graded only where no such file holds a section."""
        return self.file.path.suffix.lower() in SUFFIXES


@dataclass
class Fitting:
    """The files that may be graded for a section, others that hold some of it, and those named for it that hold another one."""

    right: list[Candidate]
    more: list[Candidate]
    wrong: list[Candidate]


def fitting(section: Section, wanted: Wanted, candidates: list[Candidate]) -> Fitting:
    """Sort the files. Named ones are right; if nothing is filled in there, those that hold answers under other names are."""
    named, wrong = _by_name(section, wanted, candidates)
    right = _not_imported(named or _by_content(section, candidates, wrong))
    more = _more(section, wanted, candidates, [*right, *wrong])
    if right and more and not _answering(section, wanted, right, candidates):
        right, more = more, right
    return Fitting(right, more, wrong)


def _more(section: Section, wanted: Wanted, candidates: list[Candidate], others: list[Candidate]) -> list[Candidate]:
    """Beside these others, the files that hold an answer of a section; not those from which another one imports all of them."""
    taken = {pair for c in candidates for pair in c.taken}
    rest = [c for c in candidates if c not in others and _holds(c, section)]
    return [c for c in rest if (wanted.filled(c.parsed) if c.named else _leaves(c, wanted, taken))]


def _leaves(candidate: Candidate, wanted: Wanted, taken: set[tuple[str, str]]) -> bool:
    """Whether a file holds an answer that no other file imports from it under its own name."""
    module = candidate.module
    left = {name for (name, _), share in wanted.shares(candidate.parsed).items() if share and (module, name) not in taken}
    return bool(left) and (module, "*") not in taken


def _by_name(section: Section, wanted: Wanted, candidates: list[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Files named for a section, nearest the top of those with an answer: (right, wrong).

    The wrong ones bind names of other sections only.
    """
    named = [c for c in candidates if c.named == section.id]
    top = min((c.depth for c in _answering(section, wanted, named, candidates) or named), default=0)
    named = [c for c in named if c.depth == top]
    wrong = [c for c in named if not c.score[section.id] and any(c.score.values())]
    return [c for c in named if c not in wrong], wrong


def _answering(section: Section, wanted: Wanted, named: list[Candidate], candidates: list[Candidate]) -> list[Candidate]:
    """Those with an answer, or with an import of another file that was handed in and holds one."""
    holding = {c.module for c in candidates if c.score[section.id]}
    return [c for c in named if wanted.filled(c.parsed) or holding & c.imports]


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
    """Without the modules that another one imports, unless they are named for a section; all rather than none."""
    imported = {module for c in candidates for module in c.imports}
    kept = [c for c in candidates if c.named or c.file.path.suffix.lower() != ".py" or c.module not in imported]
    return kept or candidates


def imported_modules(node: ast.stmt) -> set[str]:
    """Top-level names of the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return {alias.name.split(".")[0] for alias in node.names}
    return {(node.module or "").split(".")[0]} if isinstance(node, ast.ImportFrom) else set()


def _holds(candidate: Candidate, section: Section) -> bool:
    """Whether a file may hold a section: one named for another section must bind over a quarter of this section's names."""
    score = candidate.score[section.id]
    return score > 0 and (candidate.named in ("", section.id) or 4 * score > len(section.names))


def fingerprint(candidate: Candidate, wanted: Wanted) -> str:
    """A hash of the statements that set the answers, and of all functions and classes, ignoring layout and comments."""
    names, statements = set(wanted.questions), candidate.parsed.statements
    shapes = [shape(s.node, s.code) for s in statements if isinstance(s.node, DEFINED) or set_names(s) & names]
    return hashlib.sha256("\n".join(shapes).encode("utf-8", "surrogatepass")).hexdigest()


def comparison(other: Candidate, chosen: Candidate, wanted: Wanted, alone: bool) -> str:
    """A note on a file that was not graded. ``alone``: the other one is all that was."""
    same, it = fingerprint(other, wanted) == fingerprint(chosen, wanted), "it" if alone else chosen.file.name
    return f"{other.file.name} {f'agrees with {it}' if same else f'differs from {it} and was not graded'}"
