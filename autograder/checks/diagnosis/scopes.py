"""Which names the functions of a source have, and where they are set."""

from __future__ import annotations

import ast
import re
from collections import Counter

NAMES = re.compile(r"[^\W\d]\w*")


class Scopes:
    """The functions of one source."""

    def __init__(self, tree: ast.AST):
        self.functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self.stored: dict[ast.FunctionDef, dict[str, int]] = {}
        self.once: dict[ast.FunctionDef, set[str]] = {}

    def function_of(self, node: ast.AST) -> ast.FunctionDef | None:
        """The innermost function around a node."""
        line = getattr(node, "lineno", 0)
        around = (function for function in self.functions if function.lineno <= line <= (function.end_lineno or line))
        return max(around, key=lambda function: function.lineno, default=None)

    def parameters(self, node: ast.AST) -> list[str]:
        function = self.function_of(node)
        return [a.arg for a in function.args.args] if function else []

    def locals(self, node: ast.AST) -> list[str]:
        """The names that the function around a node sets above it."""
        function, line = self.function_of(node), getattr(node, "end_lineno", 0)
        return [name for name, first in self.set_in(function).items() if first <= line] if function else []

    def set_in(self, function: ast.FunctionDef) -> dict[str, int]:
        """Name -> the first line that sets it in a function, in the order of these lines."""
        if function not in self.stored:
            names = [n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
            first = self.stored[function] = {}
            for name in sorted(names, key=lambda n: n.lineno):
                first.setdefault(name.id, name.lineno)
        return self.stored[function]

    def set_once(self, function: ast.FunctionDef) -> set[str]:
        """The names that one statement alone sets in a function, and no argument."""
        if function not in self.once:
            nodes = (n for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
            counts = Counter(node.id for node in nodes)
            arguments = {argument.arg for argument in ast.walk(function.args) if isinstance(argument, ast.arg)}
            self.once[function] = {name for name, count in counts.items() if count == 1} - arguments
        return self.once[function]

    def done_without(self, node: ast.expr, code: str) -> int:
        """The line that sets a local name which this code in the place of an expression no longer reads; 0 if there is none.

        What is wrong there is put right here, too.
        """
        function = self.function_of(node)
        if function is None:
            return 0
        kept, lines = set(NAMES.findall(code)), self.set_in(function)
        read = (part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))
        return next((lines[name] for name in read if name not in kept and name in self.set_once(function)), 0)
