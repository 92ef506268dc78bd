"""What the files are called, where they lie, in which encoding they arrive, and what lies beside them."""

from __future__ import annotations

import json

from support.classroom.case import SECTION_2, case
from support.classroom.cells import ANSWERS_1, ATTENTION, Text, cell, lines, section1, section1_with_headings, section2, spread
from support.classroom.forms import colab, ipynb, py
from support.classroom.noise import NOISE
from support.classroom.order import EXPERIMENT, REDEFINED
from support.zips import zipped

NOTEBOOK_1, NOTEBOOK_2 = ipynb(section1()), ipynb(section2())
SCRIPT_1, SCRIPT_2 = py(section1()), py(section2())
BOM = "\ufeff".encode()


def bare(notebook: str) -> str:
    """The notebook without metadata, minor version, and what is first of each cell's metadata, id, outputs and count."""
    tree = json.loads(notebook)
    del tree["metadata"], tree["nbformat_minor"]
    for each in tree["cells"]:
        for key in ("metadata", "id", "outputs", "execution_count"):
            if each.pop(key, 0):
                break
    return json.dumps(tree)


CASES = [
    case(
        "names-1",
        {"hw2 (1).py": SCRIPT_1, "hw2 (2).py": SCRIPT_2},
        why="names that say nothing: told by content",
    ),
    case(
        "names-2",
        {"A2S1 (2).ipynb": NOTEBOOK_1, "a2s2-final.ipynb": NOTEBOOK_2},
        why="names with a copy's number and a word behind",
    ),
    case(
        "names-3",
        {
            "CSE447_A2_Section1_jdoe.ipynb": NOTEBOOK_1,
            "CSE447_A2_Section2_jdoe.ipynb": NOTEBOOK_2,
            "writeup.pdf": b"%PDF-1.4",
            "README.md": "hi",
        },
        why="long names, and files of no section beside them",
    ),
    case(
        "combined",
        {"a2.ipynb": ipynb([*section1(), *section2()])},
        why="both sections in one notebook",
    ),
    case(
        "combined-named",
        {"A2S1&S2.py": py([*section1(), *section2()])},
        why="both sections in one script, whose name says so",
    ),
    case(
        "combined-colab",
        {
            "Assignment 2.py": colab(
                [
                    *map(cell, NOISE),
                    *section1_with_headings(),
                    Text("# 2 Transformers\n## 2.1 Attention"),
                    *section2(),
                    *EXPERIMENT,
                ]
            )
        },
        why="both sections in one Colab script with noise, headings and an experiment",
    ),
    case(
        "combined-s2-first",
        {"a2.py": py([*section2(), *section1()])},
        why="§2 before §1, which rebinds key",
    ),
    case(
        "combined-noreset",
        {"a2.py": py([*section2(), ATTENTION, *spread(ANSWERS_1, ANSWERS_1)])},
        why="§2 first, and §1 never sets key: the canonical K counts, not that of §2.1",
    ),
    case(
        "zip-mac",
        {
            "sub.zip": zipped(
                {
                    "hw2/A2S1.py": SCRIPT_1,
                    "hw2/A2S2.py": SCRIPT_2,
                    "__MACOSX/hw2/._A2S1.py": b"\x00\x05\x16\x07",
                    "hw2/.DS_Store": b"x",
                    "hw2/.ipynb_checkpoints/A2S1-checkpoint.ipynb": "{}",
                },
            ),
        },
        why="a zip made on a Mac, alone",
        single=True,
    ),
    case(
        "nested",
        {"a/b/c/A2S1.py": SCRIPT_1, "a/b/c/A2S2.ipynb": NOTEBOOK_2},
        why="files in folders of folders, one script and one notebook",
    ),
    case(
        "disagree",
        {
            "A2S1.py": SCRIPT_1,
            "A2S1.ipynb": ipynb(section1(query121="query121 = None")),
            "A2S2.py": SCRIPT_2,
            "A2S2.ipynb": NOTEBOOK_2,
        },
        why="script and notebook differ: the script counts",
    ),
    case(
        "wrong-file",
        {"A2S1.py": SCRIPT_1, "A2S2.py": SCRIPT_1},
        why="A2S2.py holds section 1",
        lost=SECTION_2,
    ),
    case(
        "swapped",
        {"A2S1.py": SCRIPT_2, "A2S2.py": SCRIPT_1},
        why="names swapped: reported as wrong files, graded by content",
    ),
    case(
        "bom-crlf",
        {
            "A2S1.py": BOM + SCRIPT_1.replace("\n", "\r\n").encode(),
            "A2S2.py": SCRIPT_2.replace("    ", "\t").replace("\n", "\r\n").encode(),
        },
        why="a byte order mark, tabs, and lines that end as on Windows",
    ),
    case(
        "ipynb-bom",
        {"A2S1.ipynb": BOM + NOTEBOOK_1.encode(), "A2S2.ipynb": NOTEBOOK_2},
        why="a notebook with a byte order mark",
    ),
    case(
        "ipynb-bare",
        {"A2S1.ipynb": NOTEBOOK_1, "A2S2.ipynb": bare(NOTEBOOK_2)},
        why="a notebook without metadata, ids and minor version",
    ),
    case(
        "json-in-py",
        {"A2S1.py": NOTEBOOK_1, "A2S2.py": NOTEBOOK_2},
        why="notebook renamed to .py",
    ),
    case(
        "py-in-ipynb",
        {"A2S1.ipynb": SCRIPT_1, "A2S2.ipynb": NOTEBOOK_2},
        why="a script renamed to .ipynb is read as a script",
    ),
    case(
        "txt",
        {"A2S1.py.txt": SCRIPT_1},
        why="a script as mail programs rename it",
        lost=SECTION_2,
        single=True,
    ),
    case(
        "utf16",
        {"A2S1.py": SCRIPT_1.encode("utf-16"), "A2S2.py": SCRIPT_2},
        why="UTF-16, as PowerShell redirects",
    ),
    case(
        "cp1252",
        {
            "A2S1.py": py(section1(query121=lines("# it’s the résumé of v0", ANSWERS_1["query121"]))).encode("cp1252"),
            "A2S2.py": SCRIPT_2,
        },
        why="not UTF-8 but what a Windows editor writes, in a comment",
    ),
    case(
        "kaggle",
        {
            "A2S1.py": "\n\n".join(
                '# %% [code] {"execution":{"iopub.status.busy":"2024"}}\n' + source for source in section1()
            ),
            "A2S2.py": SCRIPT_2,
        },
        why="an export from Kaggle",
    ),
    case(
        "backup-copy",
        {
            "A2S1.py": SCRIPT_1,
            "A2S1_old.py": py(section1(query121="query121 = None")),
            "A2S2.py": SCRIPT_2,
        },
        why="an old copy beside it",
    ),
    case(
        "backup-copy2",
        {
            "A2S1.py": py(section1(query121=None)),
            "A2S1 copy.py": py(section1(query121="query121 = key[3]")),
            "A2S2.py": SCRIPT_2,
        },
        why="a copy whose names are fuller must not beat the exact name",
        lost={"1.2.1"},
    ),
    case(
        "empty-other",
        {"A2S1.py": SCRIPT_1, "A2S2.py": SCRIPT_2, "A2S3.py": "", "test.py": "print('hi')"},
        why="an empty file of section 3 and a stray script",
    ),
    case(
        "only-s1",
        {"A2S1.ipynb": NOTEBOOK_1},
        why="section 1 alone",
        lost=SECTION_2,
    ),
    case(
        "with-checkpoint",
        {
            "A2S1.ipynb": NOTEBOOK_1,
            "A2S2.ipynb": NOTEBOOK_2,
            "old/A2S1.py": py(section1(query121="query121=None")),
            ".ipynb_checkpoints/A2S1-checkpoint.ipynb": ipynb(["query121 = None"]),
        },
        why="an old copy in a folder, and Jupyter's own checkpoint",
    ),
    case(
        "mingpt-along",
        {
            "A2S1.py": SCRIPT_1,
            "A2S2.py": py(section2(after=["from mingpt.model import GPT", REDEFINED])),
            "mingpt/model.py": py(
                section2(
                    self_attention="""
                        def self_attention(Q, K, V, n_heads=1, causal=True):
                            return Q
                    """,
                ),
            ),
            "mingpt/__init__.py": "",
        },
        why="minGPT is handed in beside it, with an attention of its own",
    ),
]
