"""Worker side: the part of the seccomp filter that libseccomp cannot express: system calls with a list of allowed commands.

``fcntl`` and ``ioctl`` can do anything, also to others: have the kernel send a signal to any process of the same user when
something arrives (F_SETOWN, FIOASYNC), type into a terminal, change a file's flags. So what is allowed is listed, as are the
numbers of system calls: newer kernels have some that libseccomp knows no name for. The commands are the same numbers on
x86-64 and aarch64, the system calls are not.
"""

from __future__ import annotations

import errno
import os
import struct

F_SETFL, O_ASYNC = 4, 0x2000
WRITING = os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_TRUNC
# Duplicate, flags of the descriptor, flags of the file, locks (two kinds), size of a pipe, seals.
FCNTL = (0, 1030, 1, 2, 3, F_SETFL, 5, 6, 7, 36, 37, 38, 1032, 1034)
# Of a terminal: its settings (TCGETS, TCGETS2), group and size; of any file: bytes that wait, blocking or not, closed on exec.
IOCTL = (0x5401, 0x802C542A, 0x540F, 0x5413, 0x5411, 0x541B, 0x5421, 0x5450, 0x5451)
NEWER = 450  # system calls from here on came after the names in ``syscalls`` (the same numbers on every architecture)

LOAD, JUMP, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
NUMBER, COMMAND, VALUE = 0, 24, 32  # offsets in struct seccomp_data: the call's number, its second and third argument
ERRNO = 0x00050000

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def program(fcntl: int, ioctl: int) -> bytes:
    """BPF instructions that refuse the other commands of these two system calls, and otherwise run into what follows them."""
    unknown: list[Instruction] = [(LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, NEWER), _refuse(errno.ENOSYS)]
    asynchronous: list[Instruction] = [
        (EQUAL, 0, 3, F_SETFL),
        (LOAD, 0, 0, VALUE),
        (ANY_BIT, 0, 1, O_ASYNC),
        _refuse(errno.EPERM),
    ]
    blocks = [*unknown, *_only(fcntl, FCNTL, asynchronous), *_only(ioctl, IOCTL, [])]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in blocks)


def _only(number: int, commands: tuple[int, ...], more: list[Instruction]) -> list[Instruction]:
    """For the system call ``number``: refuse all commands but these; for these go on with ``more``."""
    count = len(commands)
    checks: list[Instruction] = [(EQUAL, count - n, 0, command) for n, command in enumerate(commands)]
    inside: list[Instruction] = [(LOAD, 0, 0, COMMAND), *checks, _refuse(errno.EPERM), *more]
    return [(LOAD, 0, 0, NUMBER), (EQUAL, 0, len(inside), number), *inside]


def _refuse(error: int) -> Instruction:
    return (RETURN, 0, 0, ERRNO | error)
