"""What is known of a statement without its syntax tree: plain data, which whoever reads a submission can send to the judge."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from autograder.core.errors import GraderError
from autograder.core.syntax import DEFINED
from autograder.slicing.effects import Effects
from autograder.submission.statements import Statement

MAX_PACKAGE = 200  # characters of a package's name


class Malformed(GraderError):
    """A tree that does not describe what it should."""


@dataclass(frozen=True)
class Known:
    """A statement of a document, see ``submission.statements.Statement``, and what it does to names.

    ``binds``, ``uses``, ``changes``: see ``slicing.effects.Effects``; ``stores``: the names that it assigns anywhere inside;
    ``imports``: (name, module) of every import inside; ``tries``: whether it is a ``try``, ``defines``: a function or class.
    """

    code: str
    cell: int
    line: int
    label: str
    index: int
    binds: frozenset[str]
    uses: frozenset[str]
    changes: frozenset[str]
    stores: frozenset[str]
    imports: tuple[tuple[str, str], ...]
    tries: bool
    defines: bool

    @property
    def concerns(self) -> frozenset[str]:
        """The names that it gives a value or another one, wherever inside."""
        return self.stores | self.binds | self.changes

    def tree(self) -> list[Any]:
        """The plain tree for ``from_tree``, without the code; the index is that in the list of all statements."""
        names = [sorted(names) for names in (self.binds, self.uses, self.changes, self.stores)]
        return [self.cell, self.line, self.label, *names, [list(pair) for pair in self.imports], self.tries, self.defines]


def from_tree(index: int, tree: Any) -> Known:
    """The statement that a tree describes, its code still empty. Raises Malformed."""
    kinds = (int, int, str, list, list, list, list, list, bool, bool)
    if not isinstance(tree, list) or [type(part) for part in tree] != list(kinds):
        raise Malformed("not a statement")
    cell, line, label, binds, uses, changes, stores, imports, tries, defines = tree
    bound, used, changed, stored = (frozenset(texts(names)) for names in (binds, uses, changes, stores))
    modules = tuple(pair_of(pair) for pair in imports)
    return Known("", cell, line, label, index, bound, used, changed, stored, modules, tries, defines)


def texts(tree: Any) -> list[str]:
    """A list of texts. Raises Malformed."""
    if not isinstance(tree, list) or not all(isinstance(text, str) for text in tree):
        raise Malformed("not texts")
    return tree


def pair_of(tree: Any) -> tuple[str, str]:
    """Two texts. Raises Malformed."""
    first, *rest = texts(tree) or [""]
    if len(rest) != 1:
        raise Malformed("not a pair of texts")
    return first, rest[0]


def known(statement: Statement, effects: Effects) -> Known:
    """What is known of a statement."""
    own = getattr(statement.node, "name", None)
    return Known(
        statement.code,
        statement.cell,
        statement.line,
        statement.label,
        statement.index,
        frozenset(effects.binds),
        frozenset(effects.uses),
        frozenset(effects.changes),
        frozenset(statement.stores | {own} if isinstance(own, str) else statement.stores),
        tuple(pair for node in statement.nodes for pair in _imports(node)),
        isinstance(statement.node, ast.Try),
        isinstance(statement.node, DEFINED),
    )


def reached_from(names: Iterable[str], statements: list[Known]) -> set[str]:
    """These names and all that the statements use which bind or change them, and so on."""
    found, waiting = set[str](), set(names)
    while waiting:
        found |= waiting
        waiting = {name for one in statements if (one.binds | one.changes) & waiting for name in one.uses} - found
    return found


def reads_data(names: Iterable[str], statements: list[Known], modules: Iterable[str], given: Collection[str]) -> bool:
    """Whether the code behind these names reads any that is neither a function or class nor imported from a library.

    ``modules``: the submission's own; ``given``: names whose values are known. What such a name holds may be another thing
    after code whose effects are not seen.
    """
    own = {name.partition(".")[0] for name in modules}
    data = {name for one in statements if not (one.defines or one.imports) for name in one.binds}
    data |= {name for one in statements for name, module in one.imports if module.partition(".")[0] in own}
    return not data.difference(names, given).isdisjoint(reached_from(names, statements))


def _imports(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        package = (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for alias in node.names:
            yield alias.asname or alias.name.split(".")[0], package[:MAX_PACKAGE]
