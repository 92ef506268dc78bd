"""Frames that hold more than any answer, and frames made of random pieces: ``python -m support.frames COUNT``."""

from __future__ import annotations

import contextlib
import json
import struct
import sys
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.core.trees import TreeError, unpack
from autograder.sandbox.judge_side.bounds import MAX_DEPTH, MAX_NODES, check_frame

MIB = 1 << 20


def body(text: str | bytes, blob: bytes = b"") -> bytes:
    text = text.encode() if isinstance(text, str) else text
    return struct.pack("<I", len(text)) + text + blob


def arrays(entries: dict, data: bytes = b"") -> bytes:
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data


def entry(dtype="F32", shape=(1,), start=0, end=4) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}


TOO_MUCH = {
    "lists": body("[" + "[]," * MAX_NODES + "[]]"),
    "dicts": body("[" + "{}," * MAX_NODES + "{}]"),
    "numbers": body("[" + "1," * MAX_NODES + "1]"),
    "keys": body("{" + ",".join(f'"{n}":1' for n in range(MAX_NODES)) + "}"),
    "depth": body("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)),
    "depth in dicts": body('{"a":' * (MAX_DEPTH + 1) + "1" + "}" * (MAX_DEPTH + 1)),
    "digits": body("1" * 25),
    "digits of a fraction": body("0." + "1" * 10**6),
    "an exponent of many digits": body("1e" + "9" * 1000),
    "text": body('"' + "a" * (8 * MIB) + '"'),
    "text of escapes": body('"' + r"\u00e9" * (2 * MIB) + '"'),
    "half of a surrogate pair": body(r'"\ud83d"'),
    "the other half": body(r'"\udc00\ud83d"'),
    "a half after an escaped backslash": body(r'"\\\ud83d"'),
    "an array of a kind that numpy lacks": body('{"$array":"0"}', arrays({"0": entry("BF16", (2,))}, bytes(4))),
    "a shape that its bytes do not fill": body('{"$array":"0"}', arrays({"0": entry(shape=(2,))}, bytes(4))),
    "an empty shape of a huge width": body('{"$array":"0"}', arrays({"0": entry(shape=(0, 10**9), end=0)})),
    "a shape of nine dimensions": body('{"$array":"0"}', arrays({"0": entry(shape=(1,) * 9)}, bytes(4))),
    "a negative shape": body('{"$array":"0"}', arrays({"0": entry(shape=(-1, -1))}, bytes(4))),
    "a shape of truth values": body('{"$array":"0"}', arrays({"0": entry(shape=(True,))}, bytes(4))),
    "bytes in millions": body('{"$array":"0"}', arrays({"0": entry("U8", (9 * 10**6,), end=9 * 10**6)}, bytes(9 * 10**6))),
    "too many arrays": body("1", arrays({str(n): entry(shape=(0,), end=0) for n in range(5000)})),
    "a header that is not there": body("1", struct.pack("<Q", 1 << 60)),
}

PIECES = [
    b"[]",
    b"{}",
    b'{"a":1}',
    b'{"$array":"0"}',
    b"[",
    b"]",
    b'"',
    b",",
    b"1",
    b"-1e9",
    b"NaN",
    b"true",
    rb'"\u00e9"',
    b"1" * 25,
]
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.integers(1, 120_000)), min_size=1, max_size=6).map(
    lambda pieces: b"[" + b"".join((piece + b",") * count for piece, count in pieces) + b"0]"
)
changes = st.lists(st.tuples(st.integers(0, 1 << 22), st.integers(0, 255)), max_size=3)


def decode(frame: bytes | bytearray) -> None:
    """What the judge does with a frame."""
    with contextlib.suppress(TreeError):
        check_frame(frame)
        unpack(frame)


def fuzz(count: int) -> int:
    """Decode random frames and those above; returns the kilobytes that the process took at most."""

    @settings(max_examples=count, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(texts, changes)
    def run(text: bytes, changed: list[tuple[int, int]]) -> None:
        frame = bytearray(body(text))
        for at, byte in changed:
            frame[at % len(frame)] = byte
        decode(frame)

    run()
    for frame in TOO_MUCH.values():
        decode(frame)
    # Not getrusage: its maximum survives exec, so that it may be the parent's.
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


if __name__ == "__main__":
    print(fuzz(int(sys.argv[1])))
