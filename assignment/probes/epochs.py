"""How ``main`` counts its epochs, as far as its code alone shows it."""

from __future__ import annotations

import dis
import types
from collections.abc import Iterator
from inspect import unwrap
from typing import Any

from .contract import codes

EPOCH_NAMES = ("num_epochs", "NUM_EPOCHS", "epochs", "EPOCHS", "n_epochs", "N_EPOCHS", "num_train_epochs")
TRIED = (7, 11)  # numbers of epochs for which ranges are worked out
IGNORED = ("PUSH_NULL", "PRECALL", "CACHE", "EXTENDED_ARG", "NOP")
ENDS = ("RETURN", "RAISE", "RERAISE", "JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_NO", "JUMP")
SIGNS = {"BINARY_ADD": 1, "BINARY_SUBTRACT": -1, "+": 1, "-": -1}
JUMPS = {*dis.hasjrel, *dis.hasjabs}


def code_of(main: Any) -> Any:
    """The code of a function behind its decorators; None for what has none."""
    return getattr(unwrap(main), "__code__", None)


def counts_epochs(main: Any) -> bool:
    """Whether ``main`` has a name or an attribute of its own for the number of epochs; True if that cannot be known."""
    code = code_of(main)
    return code is None or any("epochs" in name.lower() for name in (*code.co_varnames, *names_read(code)))


def names_read(code: types.CodeType) -> set[str]:
    """The variables and attributes that a function reads, also in functions inside it."""
    names: set[str] = set()
    for instruction in (one for part in codes(code) for one in dis.get_instructions(part)):
        if instruction.opname.startswith("LOAD_") and "CONST" not in instruction.opname:
            argument = instruction.argval
            names |= {*map(str, argument)} if isinstance(argument, tuple) else {str(argument)}
    return names


def one_fewer(main: Any) -> str:
    """How each ``range`` of ``main`` over epochs has one number too few: "from one" for range(1, n), "otherwise"; '' if not."""
    code, kinds = code_of(main), set()
    for part in codes(code) if code else ():
        instructions = list(dis.get_instructions(part))
        for at, one in enumerate(instructions):
            if one.opname.startswith("LOAD_") and one.argval == "range" and (tried := ranges(instructions[at + 1 :])):
                short = all(len(numbers) == n - 1 for numbers, n in zip(tried, TRIED))
                plain = [(numbers.start, numbers.stop) for numbers in tried] == [(1, n) for n in TRIED]
                kinds.add(("from one" if plain else "otherwise") if short else "")
    return min(kinds, default="")  # one with as many numbers as epochs may be the one that counts


def ranges(following: list[dis.Instruction]) -> list[range]:
    """The ranges for ``TRIED`` that such a call makes of sums with a number of epochs; none if it is about anything else."""
    stack: list[list[int]] = []
    try:
        for one in following:
            if one.opname in ("CALL", "CALL_FUNCTION"):
                tried = [range(*numbers) for numbers in zip(*stack)]
                return tried if any(len(set(numbers)) > 1 for numbers in stack) else []
            if one.opname not in IGNORED:
                _take(one, stack)
    except (ValueError, IndexError, TypeError):
        pass
    return []


def _take(one: dis.Instruction, stack: list[list[int]]) -> None:
    """What an instruction does to a stack with one number for each of ``TRIED``; ValueError for what is not known."""
    if one.opname.startswith("BINARY_"):
        sign = SIGNS.get(one.opname) or SIGNS.get(one.argrepr)
        if not sign:
            raise ValueError
        right, left = stack.pop(), stack.pop()
        stack.append([a + sign * b for a, b in zip(left, right, strict=True)])
    elif one.opname == "LOAD_ATTR" and one.argval in EPOCH_NAMES:
        stack[-1] = list(TRIED)
    elif one.opname.startswith("LOAD_") and one.opname != "LOAD_ATTR":
        stack += map(_numbers, one.argval if isinstance(one.argval, tuple) else (one.argval,))
    else:
        raise ValueError


def _numbers(value: Any) -> list[int]:
    """What is loaded, for each of ``TRIED``: a number of epochs or a constant; nothing of anything else."""
    return list(TRIED) if value in EPOCH_NAMES else [value] * len(TRIED) if type(value) is int else []


def leaves_at_once(main: Any, function: str) -> bool:
    """Whether ``main`` calls a function in one place, in a loop ``for``, which it leaves in every case after that call."""
    code = code_of(main)
    instructions = list(dis.get_instructions(code)) if code else []
    calls = [n for n, one in enumerate(instructions) if one.opname.startswith("LOAD_") and one.argval == function]
    if len(calls) != 1:
        return False
    place = instructions[calls[0]].offset
    loops = [one for one in instructions[: calls[0]] if one.opname == "FOR_ITER" and one.argval > place]
    return bool(loops) and calls[0] not in reached(instructions, calls[0])


def reached(instructions: list[dis.Instruction], start: int) -> set[int]:
    """The instructions that may run after one of them, if nothing raises."""
    at = {one.offset: n for n, one in enumerate(instructions)}
    found: set[int] = set()
    left = [*_after(instructions, start, at)]
    while left:
        if (n := left.pop()) not in found:
            found.add(n)
            left += _after(instructions, n, at)
    return found


def _after(instructions: list[dis.Instruction], n: int, at: dict[int, int]) -> Iterator[int]:
    one = instructions[n]
    if one.opcode in JUMPS:
        yield at[one.argval]
    if not one.opname.startswith(ENDS) and n + 1 < len(instructions):
        yield n + 1
