"""Helpers in a module that is handed in beside the notebook."""

from __future__ import annotations

from support.classroom.case import HELPERS, case
from support.classroom.cells import ANSWERS_2, RUN_2, SETUP_2, TEST_2, lines, section1, section2
from support.classroom.forms import py


def answers_but(*names: str) -> str:
    return "\n\n".join(source for name, source in ANSWERS_2.items() if name not in names)


CASES = [
    case(
        "sa-utils",
        {
            "A2S1.py": py(section1()),
            "A2S2.py": lines(
                SETUP_2,
                "from utils import *",
                "from utils import split_heads, merge_heads",
                answers_but("split_heads", "merge_heads"),
            ),
            "utils.py": lines(SETUP_2, ANSWERS_2["split_heads"], ANSWERS_2["merge_heads"]),
        },
        why="two helpers in utils.py",
    ),
    case(
        "sa-utils-all",
        {
            "A2S1.py": py(section1()),
            "A2S2.py": lines(SETUP_2, f"from attn import {', '.join(HELPERS)}, self_attention, split_heads_qkv", TEST_2, RUN_2),
            "attn.py": py(section2(test=False)),
        },
        why="everything in attn.py, from which A2S2 imports it",
    ),
    case(
        "sa-utils-unnamed",
        {
            "A2S1.py": py(section1()),
            "hw2_part2.py": lines(
                SETUP_2,
                f"from helpers import {', '.join(HELPERS)}",
                ANSWERS_2["split_heads_qkv"],
                ANSWERS_2["self_attention"],
            ),
            "helpers.py": "\n\n".join([SETUP_2, *(ANSWERS_2[helper] for helper in HELPERS)]),
        },
        why="the main file has a name of its own and self_attention alone; the helpers are in a module",
    ),
    case(
        "sa-utils-alias",
        {
            "A2S1.py": py(section1()),
            "A2S2.py": lines(SETUP_2, "import utils as u", "split_heads = u.split_heads", answers_but("split_heads")),
            "utils.py": lines(SETUP_2, ANSWERS_2["split_heads"]),
        },
        why="an alias of a module's function",
    ),
    case(
        "sa-utils-pkg",
        {
            "sub/A2S1.py": py(section1()),
            "sub/A2S2.py": lines(SETUP_2, "from lib.heads import split_heads", answers_but("split_heads")),
            "sub/lib/heads.py": lines(SETUP_2, ANSWERS_2["split_heads"]),
            "sub/lib/__init__.py": "",
        },
        why="a package in a folder",
    ),
]
