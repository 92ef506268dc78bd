"""Whether ``main`` does anything with what ``evaluate`` returns, as far as its code alone shows it."""

from __future__ import annotations

import dis
import types
from typing import Any

from .contract import codes
from .epochs import JUMPS, code_of, names_read

COPIES = ("COPY", "DUP", "ROT", "SWAP", "UNPACK")
FORMS = ("print", "round", "float", "str", "repr", "format")  # what may get a value on its way to the screen


def leaves_unused(namespace: dict, name: str) -> bool:
    """Whether ``main`` alone calls a function, and drops or only prints its result each time; False where that is not clear."""
    main = namespace["main"]
    code = code_of(main)
    return code is not None and not _elsewhere(namespace, code, name) and _only_printed([*dis.get_instructions(code)], name)


def _elsewhere(namespace: dict, code: types.CodeType, name: str) -> bool:
    """Whether other functions may call it, too."""
    others = [one.__code__ for one in namespace.values() if isinstance(one, types.FunctionType)]
    return len([*codes(code)]) > 1 or any(name in names_read(other) for other in others if other is not code)


def _only_printed(instructions: list[dis.Instruction], name: str) -> bool:
    printed = [(n, _end(instructions, n)) for n, one in enumerate(instructions) if _loads(one, "print")]
    calls = [n for n, one in enumerate(instructions) if _loads(one, name)]
    ends = [instructions[_end(instructions, n)] for n in calls if not _within(n, printed, instructions)]
    return bool(calls) and all(one.opname == "POP_TOP" or _stored(one, printed, instructions) for one in ends)


def _stored(end: dis.Instruction, printed: list[tuple[int, int]], instructions: list[dis.Instruction]) -> bool:
    """Whether a result goes into a variable that is only read to be printed."""
    reads = [n for n, one in enumerate(instructions) if _loads(one, end.argval)]
    return end.opname == "STORE_FAST" and all(_within(n, printed, instructions) for n in reads)


def _within(n: int, printed: list[tuple[int, int]], instructions: list[dis.Instruction]) -> bool:
    """Whether what begins here only goes to the screen: in a call of print that nothing else takes part in."""
    return any(
        a < n < b
        and instructions[b].opname == "POP_TOP"
        and not any(_may_take(one) for one in instructions[a:n])
        and not any("STORE_" in one.opname for one in instructions[a:b])
        for a, b in printed
    )


def _may_take(one: dis.Instruction) -> bool:
    """Whether it loads what may be a function that keeps what it gets: an attribute, or a global that is none of FORMS."""
    return one.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_DEREF") and one.argval not in FORMS


def _loads(one: dis.Instruction, name: Any) -> bool:
    names = one.argval if isinstance(one.argval, tuple) else (one.argval,)
    return "LOAD_" in one.opname and "CONST" not in one.opname and name in names


def _end(instructions: list[dis.Instruction], start: int) -> int:
    """The instruction that takes the value of the expression that begins here; one that jumps or copies, if it comes first."""
    depth = 0
    for n in range(start, len(instructions)):
        one = instructions[n]
        if one.opcode in JUMPS or one.opname.startswith(COPIES):
            return n
        depth += dis.stack_effect(one.opcode, one.arg)
        if n > start and depth <= 0:
            return n
    return start
