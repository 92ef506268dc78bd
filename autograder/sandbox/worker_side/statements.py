"""Worker side: a statement compiled at its own lines of its cell, in a time that does not depend on what stands above it."""

from __future__ import annotations

import linecache
from types import CodeType
from typing import cast


def compiled(text: str, file: str, line: int, flags: int = 0) -> CodeType:
    """The code of the statement that begins at this line of a file. Raises SyntaxError and the like."""
    try:
        code = compile(text, file, "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        error.lineno = error.lineno and error.lineno + line - 1
        raise
    return moved(code, line - 1)


def moved(code: CodeType, lines: int) -> CodeType:
    """The same code, so many lines further down; Python keeps the lines inside of it relative to its first one."""
    constants = tuple(moved(one, lines) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_firstlineno=code.co_firstlineno + lines, co_consts=constants)


def remember(file: str, text: str, line: int) -> None:
    """Give ``inspect.getsource`` (and so torch.jit.script) the source of each statement at its own lines."""
    lines = cast("tuple[int, None, list[str], str]", linecache.cache.get(file, (0, None, [], file)))[2]
    new = [one + "\n" for one in text.split("\n")]
    lines += ["\n"] * (line - 1 + len(new) - len(lines))
    for number, one in enumerate(new, line - 1):
        if one.strip():
            lines[number] = one
    linecache.cache[file] = (len(lines), None, lines, file)
