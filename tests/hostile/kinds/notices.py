"""Floods of notes, names that paint on a terminal, and files that say who somebody is: none costs or earns anything."""

from __future__ import annotations

import json

from hostile.case import S1, S2, Hostile
from support.zips import zipped

RECORD = ":submitters:\n- :name: victim\n  :email: victim@x.edu\n:created_at: 9999-01-01 00:00:00 Z\n"
RIGHT = {"A2S1.py": S1, "A2S2.py": S2}
# Nothing of these may stand in a result: escape sequences, directions, and the flood's last file.
PAINT = "\x1b|\u202e|\x07|flood1990"


def beside(name: str, files: dict[str, str | bytes], seconds: float = 15.0) -> Hostile:
    return Hostile("notices", name, {**RIGHT, **files}, seconds=seconds, forbidden=PAINT)


def cells(source: str, **more) -> list[dict]:
    return [{"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None, **more}] * 2


CASES = [
    beside("two thousand empty scripts", {f"flood{n:04}.py": "" for n in range(1990)}, 40.0),
    beside("two thousand scripts that are not UTF-8", {f"flood{n:04}.py": b"\xff" for n in range(1990)}, 40.0),
    beside(
        "two thousand names that climb out of a zip", {"z.zip": zipped({f"../flood{n:04}.py": "" for n in range(1990)})}, 40.0
    ),
    beside(
        "two thousand members that cannot be unpacked", {"z.zip": zipped({f"flood{n:04}.py": b"\0" for n in range(1990)})}, 40.0
    ),
    beside("names that paint on a terminal", {"\x1b[2J\x1b]0;x\x07.py": "", "a\x1b[31m/b\r.py": b"\xff", "c\u202e.ipynb": "{"}),
    beside("the same in a zip", {"\x1b[2J.zip": zipped({"../\x1b[2J.py": "", "\x1b]8;;x\x07/a.py": "\xff"})}),
    beside(
        "a notebook with ids that are used twice",
        {"more.ipynb": json.dumps({"cells": cells("x = 1", id="\x1b"), "nbformat": 4})},
    ),
    beside(
        "a percent script whose cells have odd metadata",
        {"more.py": '# %% {"id": "\x1b[2J", "tags": 3}\nx = "\\d"\n# %% a=1 is 1\n'},
    ),
    beside("a record of who submitted it", {"submission_metadata.yml": RECORD}),
    beside(
        "an export inside", {"assignment_1_export/submission_metadata.yml": f"victim:\n  {RECORD}", "victim/notes.txt": "x"}
    ),
    beside("a record made of aliases", {"submission_metadata.yml": "a: &a [x,x]\nb: &b [*a,*a]\n" * 500}),
    beside(
        "results, a store and references of its own", {"results.json": "{}", "store.sqlite": "x", "reference.safetensors": "x"}
    ),
]
