"""One hostile submission, and short ways to write one.

Each case starts from right answers to all items and changes one thing. ``CANARY`` stands for whatever is secret: it is planted
beside the references, in the grader's environment and in its memory, and must appear in no result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data"
S1, S2, S3 = ((DATA / f"right_s{n}.py").read_text() for n in (1, 2, 3))
CANARY = "CANARY-7f3a91"
SECTION_1 = frozenset({"1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"})


@dataclass(frozen=True)
class Hostile:
    """One submission: files, items that must be 0, whether it is refused as a whole.

    A file's content is text, bytes, or a function that makes them when they are written: for what takes long to make.

    ``sections``: what it answers; ``flagged``: words that staff must find among the flags of some item.
    """

    family: str
    name: str
    files: dict[str, str | bytes | Callable[[], bytes]] = field(hash=False)
    zero: frozenset[str] = frozenset()
    refused: bool = False
    seconds: float = 15.0
    forbidden: str = CANARY
    sections: tuple[str, ...] = ("A2S1", "A2S2")
    flagged: str = ""


def written(content: str | bytes | Callable[[], bytes]) -> bytes:
    """A file's content as bytes."""
    made = content() if callable(content) else content
    return made if isinstance(made, bytes) else made.encode("utf-8")


def function(body: str, name: str = "attn_softmax") -> dict[str, str]:
    """Right answers, except for the body of one function of section 2.1."""
    lines, out, inside = S2.split("\n"), [], False
    for line in lines:
        if line.startswith("def "):
            inside = line.startswith(f"def {name}(")
            out += [line, "    " + body.strip("\n").replace("\n", "\n    ")] if inside else [line]
        elif not inside:
            out.append(line)
    return {"A2S1.py": S1, "A2S2.py": "\n".join(out)}


def statement(code: str) -> dict[str, str]:
    """Right answers, with hostile code run on the way to 1.3.1 (whose value is assigned after it)."""
    block = "\n".join("    " + line for line in code.strip("\n").split("\n"))
    return {
        "A2S1.py": S1.replace("query131 = torch.zeros(3)", f"if True:\n{block}\n    query131 = torch.zeros(3)"),
        "A2S2.py": S2,
    }


STEAL = """
import os, sys, gc, glob, socket, ctypes
loot, needle = None, 'CAN' + 'ARY-' + '{rest_of_needle}'
try:
    loot = {expression}
except BaseException:
    pass
if loot and needle in str(loot):
    raise ValueError(str(loot))
return F.softmax(A, dim=-1)
"""


def steal(expression: str) -> dict[str, str]:
    """Try to read something and print it where a student could see it, then answer right.

    The needle is put together at run time, so that the payload does not find itself.
    """
    return function(STEAL.format(rest_of_needle=CANARY.removeprefix("CANARY-"), expression=expression))


def query121(expression: str) -> dict[str, str]:
    return {"A2S1.py": S1.replace("query121 = S * key[0]", f"query121 = {expression}"), "A2S2.py": S2}


def every_function(code: str) -> dict[str, str]:
    """Right answers, but ``code`` runs before every return of section 2.1's functions."""
    return {"A2S1.py": S1, "A2S2.py": S2.replace("    return ", f"    {code}\n    return ")}


def section3(code: str) -> dict[str, str]:
    """Right answers to section 3, with hostile statements after them."""
    return {"A2S3.py": S3 + "\n\n" + code}


# key in the table -> (function that makes a submission of its text, items that such a change costs)
CHANGES = {
    "function": (function, {"2.1.attn_softmax"}),
    "steal": (steal, set()),
    "loading": (statement, set()),
    "query121": (query121, {"1.2.1"}),
    "every_function": (every_function, set()),
    "section3": (section3, set()),
}


def from_table(family: str, entry: dict[str, Any]) -> Hostile:
    (change,) = CHANGES.keys() & entry.keys()
    make, costs = CHANGES[change]
    files = make(entry[change], entry["of"]) if "of" in entry else make(entry[change])
    if "above" in entry:
        files["A2S2.py"] = files["A2S2.py"].replace("def attn_softmax", f"{entry['above']}\n\ndef attn_softmax")
    more = {key: entry[key] for key in ("seconds", "forbidden", "flagged") if key in entry}
    sections = tuple(name.removesuffix(".py") for name in files)
    return Hostile(family, entry["name"], files, frozenset(entry.get("zero", costs)), sections=sections, **more)
