"""Frames between judge and worker: trees (see ``core.trees``) over a socket, their size checked before they are read."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from autograder.core.trees import TreeError, pack, unpack

# The methods in C, which student code cannot replace.
sendall, recv_into, settimeout = (getattr(socket.socket.__base__, name) for name in ("sendall", "recv_into", "settimeout"))
monotonic = time.monotonic


class FrameError(Exception):
    """The other side closed the pipe, sent too much, or sent something that is not a frame."""


class FrameTimeout(FrameError):
    """Nothing complete arrived before the deadline."""


class FrameRefused(FrameError):
    """What arrived is malformed, or more than is allowed."""


def send(sock: socket.socket, tree: Any) -> None:
    """Write one frame; raises FrameError when the other side is gone."""
    try:
        sendall(sock, pack(tree))
    except TimeoutError:
        raise FrameTimeout("the other side is not reading") from None
    except OSError as error:
        raise FrameError(f"pipe closed: {error.strerror}") from None


def receive(
    sock: socket.socket, limit: int, seconds: float | None = None, check: Callable[[bytearray], None] | None = None
) -> Any:
    """Read one frame of at most ``limit`` bytes within ``seconds`` (None: no timeout).

    ``check`` looks at its bytes before they are decoded, and raises TreeError. Raises FrameTimeout, FrameRefused or FrameError.
    """
    deadline = None if seconds is None else monotonic() + seconds
    length = int.from_bytes(receive_exactly(sock, 4, deadline), "little")
    if length > limit:
        raise FrameRefused(f"frame of {length} bytes is over the limit of {limit}")
    return tree_of(receive_exactly(sock, length, deadline), check)


def tree_of(body: bytearray, check: Callable[[bytearray], None] | None = None) -> Any:
    """The tree in a frame's body; raises FrameRefused if it is malformed or ``check`` refuses it."""
    try:
        if check is not None:
            check(body)
        return unpack(body)
    except TreeError as error:
        raise FrameRefused(str(error)) from None


def receive_exactly(sock: socket.socket, count: int, deadline: float | None) -> bytearray:
    """Read exactly ``count`` bytes by ``deadline`` (``time.monotonic``; None: no timeout).

    Raises FrameTimeout or FrameError.
    """
    body, got = bytearray(count), 0
    view = memoryview(body)
    while got < count:
        if deadline is not None:
            left = deadline - monotonic()
            if left <= 0:
                raise FrameTimeout("no answer in time")
            settimeout(sock, left)
        else:
            settimeout(sock, None)
        try:
            size = recv_into(sock, view[got : got + (1 << 20)])
        except TimeoutError:
            raise FrameTimeout("no answer in time") from None
        except OSError as error:
            raise FrameError(f"pipe closed: {error.strerror}") from None
        if not size:
            raise FrameError("pipe closed")
        got += size
    return body
