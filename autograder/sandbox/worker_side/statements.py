"""Worker side: a statement compiled at its own lines of its cell, in a time that does not depend on what stands above it."""

from __future__ import annotations

import ast
import linecache
from types import CodeType
from typing import cast


def compiled(text: str, file: str, line: int, flags: int = 0) -> tuple[ast.Module, CodeType]:
    """The statement that begins at this line of a file, parsed and compiled. Raises SyntaxError and the like."""
    try:
        tree = cast("ast.Module", compile(text, file, "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True))
    except SyntaxError as error:
        error.lineno = error.lineno and error.lineno + line - 1
        raise
    ast.increment_lineno(tree, line - 1)
    return tree, compile(tree, file, "exec", flags, dont_inherit=True)


def remember(file: str, text: str, line: int) -> None:
    """Give ``inspect.getsource`` (and so torch.jit.script) the source of each statement at its own lines."""
    lines = cast("tuple[int, None, list[str], str]", linecache.cache.get(file, (0, None, [], file)))[2]
    new = [one + "\n" for one in text.split("\n")]
    lines += ["\n"] * (line - 1 + len(new) - len(lines))
    for number, one in enumerate(new, line - 1):
        if one.strip():
            lines[number] = one
    linecache.cache[file] = (len(lines), None, lines, file)
