"""Judge side: how much a worker may make the judge do. Frames are counted as they lie in memory, before they are decoded.

Everything here takes time linear in the bytes of a frame, and little memory beside them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from autograder.checks.values import unsendable
from autograder.core.trees import MAX_ARRAYS, MAX_DIMENSIONS, TreeError, parts

MAX_TEXT = 8 << 20  # bytes of JSON
MAX_NODES = 250_000  # values, keys and containers
MAX_DEPTH = 64  # more than the deepest value (checks.values.MAX_DEPTH) in the deepest reply
MAX_DIGITS = 24  # in a row: a whole number has 19, a fraction at most 17 after some zeros
MAX_HEADER = 1 << 20  # bytes that describe the arrays
MAX_ELEMENTS = 8_000_000  # of all arrays together; one that a worker's encoder sends has half as many
LARGEST_PRODUCT = 1 << 24  # elements: what a product of arguments may have at most, before it is found too large to send
ITEM_SIZES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "U16": 2,
    "I16": 2,
    "F16": 2,
    "U32": 4,
    "I32": 4,
    "F32": 4,
    "U64": 8,
    "I64": 8,
    "F64": 8,
}

STRING = re.compile(rb'"[^"]*"')
DIGITS = re.compile(rb"[0-9]{%d}" % (MAX_DIGITS + 1))
PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def check_frame(body: bytes | bytearray) -> None:
    """Raise TreeError for a frame (without the leading four length bytes) that holds more than any answer does."""
    text, blob = parts(body, MAX_TEXT)
    _check_text(text)
    try:
        if blob:
            _check_arrays(blob)
    except (ValueError, RecursionError):  # of the header's JSON
        raise TreeError("arrays whose header cannot be read") from None


def _check_text(text: bytes) -> None:
    text = text.replace(rb"\\", b"").replace(rb"\"", b"")
    if b"\\u" in text and SURROGATE.search(PAIR.sub(b"", text)):
        raise TreeError("half of a surrogate pair")
    bare = STRING.sub(b"", text)
    if bare.count(b",") + bare.count(b":") + bare.count(b"[") + bare.count(b"{") > MAX_NODES:
        raise TreeError(f"more than {MAX_NODES} values")
    if DIGITS.search(bare):
        raise TreeError(f"a number of more than {MAX_DIGITS} digits")
    brackets = bare.translate(None, NO_BRACKETS)
    if len(brackets) > MAX_DEPTH and max(accumulate(map(STEPS.__getitem__, brackets))) > MAX_DEPTH:
        raise TreeError(f"nested more than {MAX_DEPTH} deep")


def _check_arrays(blob: memoryview) -> None:
    """Hold the header of safetensors data against the bytes that follow it, and count the elements."""
    length = int.from_bytes(blob[:8], "little")
    if length > min(MAX_HEADER, len(blob) - 8):
        raise TreeError("arrays without a header, or with a long one")
    header = bytes(blob[8 : 8 + length])
    _check_text(header)
    entries = json.loads(header)
    if not isinstance(entries, dict) or len(entries) > MAX_ARRAYS:
        raise TreeError("too many arrays")
    if sum(_elements(entry) for entry in entries.values()) > MAX_ELEMENTS:
        raise TreeError(f"more than {MAX_ELEMENTS} elements")


def _elements(entry: Any) -> int:
    """The elements of an array, an empty dimension counted as one; raises TreeError unless they fill the array's bytes."""
    try:
        (start, end), shape, size = entry["data_offsets"], entry["shape"], ITEM_SIZES[entry["dtype"]]
        sound = all(type(n) is int and n >= 0 for n in (start, end, *shape)) and len(shape) <= MAX_DIMENSIONS
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound or math.prod(shape) * size != end - start:
        raise TreeError("an array of another kind, or whose shape does not fit its bytes")
    return math.prod(max(1, n) for n in shape)


@dataclass(frozen=True)
class Most:
    """How large the arguments of a right helper may be that the judge computes for a worker, and its result.

    ``number``: whole numbers and dimensions; ``elements``: of one array; ``product``: the elements of all arguments
    multiplied, which no product or broadcast of them exceeds.
    """

    number: int = 1024
    elements: int = 1 << 20
    product: int = LARGEST_PRODUCT

    def allows(self, values: Iterable[Any]) -> bool:
        """Whether a function of these values takes little memory; raises TypeError for what could not be sent."""
        measured = [measure(value) for value in values]
        sizes = [size for _, size in measured]
        return (
            max((number for number, _ in measured), default=0) <= self.number
            and max(sizes, default=0) <= self.elements
            and math.prod(sizes) <= self.product
        )


def measure(value: Any) -> tuple[int, int]:
    """The largest whole number, length or dimension in a value of any kind that travels, and how many elements it has.

    Of an array only a single number counts as one, not its entries; one that is empty has an element for each place that a
    broadcast may give it: (n, 0) by (0, n) is n by n. Raises TypeError for what could not be sent.
    """
    if type(value) is dict and set(value) == {"$object"}:
        raise TypeError(f"a value of type {value['$object']}")
    if isinstance(value, (np.ndarray, np.generic)):
        return _measure_array(np.asarray(value))
    if isinstance(value, int):
        return abs(value), 1
    if isinstance(value, (str, bytes)):
        return len(value), max(1, len(value))
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        measured = [measure(item) for item in (*value, *(value.values() if isinstance(value, dict) else ()))]
        return max([len(value), *(n for n, _ in measured)]), max(1, sum(size for _, size in measured))
    return 0, 1


def _measure_array(array: np.ndarray) -> tuple[int, int]:
    if array.dtype.kind not in "biuf":
        raise TypeError("an array of something else than numbers")
    whole = [abs(int(array))] if array.ndim == 0 and array.dtype.kind in "iu" else []
    return max([*whole, *array.shape], default=0), math.prod(max(1, n) for n in array.shape)


def most_for(cases: Iterable[dict[str, Any]]) -> Most:
    """What functions may need that are called on the way to the answers of these cases: a multiple of what is in them."""
    values = [value for case in cases for value in (*case["args"], *case["kwargs"].values(), case["expected"])]
    measured = [measure(value) for value in values if not unsendable(value)]
    number = 16 * max([1, *(number for number, _ in measured)])
    largest = max((size for _, size in measured), default=1)
    return Most(number, max(16 * largest, number**2), min(LARGEST_PRODUCT, max(8 * largest**2, number**2)))
