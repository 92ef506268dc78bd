"""What students' tools make of a right submission on its way: encodings, names, archives, and what lies beside it.

Each is graded like its original, or refused with a sentence that is compared: ``notes`` are what the author reads.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from support.classroom.case import SECTION_1, SECTION_2, Case, case
from support.classroom.cells import section1, section2
from support.classroom.forms import colab, ipynb, nbconvert, percent, py
from support.zips import tarred, zipped

NOTEBOOK, SCRIPT = ipynb(section1()), py(section1())
SECOND, SECOND_SCRIPT = ipynb(section2()), py(section2())
CONFLICT = "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> partner\n"
LOSSY = "is not UTF-8 text; only comments and messages hold letters that cannot be read"
BEGINS = "begins a merge conflict that git left: keep one of its two versions and remove the lines <<<<<<<, ======= and >>>>>>>"


def handed(
    name: str, files: Mapping[str, str | bytes], *notes: str, lost: Collection[str] = (), single: bool = False, exit: int = 0
) -> Case:
    made = case(f"handed-{name}", files, notes[0] if notes else "graded like its original", lost, single, exit)
    made.notes = list(notes)
    return made


def with_second(name: str, files: Mapping[str, str | bytes], *notes: str, lost: Collection[str] = ()) -> Case:
    """Section 1 in some form, and section 2 as always."""
    return handed(name, {**files, "A2S2.ipynb": SECOND}, *notes, lost=lost)


def refused(name: str, files: Mapping[str, str | bytes], note: str) -> Case:
    return with_second(name, files, note, lost=SECTION_1)


def in_notebook(line: str) -> str:
    return ipynb([line, *section1()])


def in_json(encoding: str, letters: str) -> bytes:
    tree = json.loads(in_notebook(f"# {letters}\nprint('{letters}')"))
    return json.dumps(tree, ensure_ascii=False, indent=1).encode(encoding)


def conflicting() -> str:
    """A notebook in which git met two versions of a line."""
    lines = json.dumps(json.loads(NOTEBOOK), indent=1).split("\n")
    at = next(n for n, line in enumerate(lines) if '"id"' in line)
    return "\n".join([*lines[:at], "<<<<<<< HEAD", lines[at], "=======", lines[at], ">>>>>>> partner", *lines[at + 1 :]])


ENCODINGS = [
    with_second("utf16-notebook", {"A2S1.ipynb": NOTEBOOK.encode("utf-16")}),
    with_second("utf16-without-mark", {"A2S1.py": SCRIPT.encode("utf-16-le")}),
    with_second("utf16-be-without-mark", {"A2S1.ipynb": NOTEBOOK.encode("utf-16-be")}),
    with_second("utf16-windows-lines", {"A2S1.py": SCRIPT.replace("\n", "\r\n").encode("utf-16")}),
    with_second("utf16-percent", {"A2S1.py": percent(section1()).encode("utf-16")}),
    with_second("utf16-nbconvert", {"A2S1.py": nbconvert(section1()).encode("utf-16")}),
    with_second("utf16-coding-comment", {"A2S1.py": ("# -*- coding: utf-8 -*-\n" + SCRIPT).encode("utf-16")}),
    with_second("utf32", {"A2S1.py": SCRIPT.encode("utf-32")}),
    with_second("utf8-mark-percent", {"A2S1.py": percent(section1()).encode("utf-8-sig")}),
    with_second("gbk-comment", {"A2S1.py": ("# 注意力\n" + SCRIPT).encode("gbk")}, f"A2S1.py {LOSSY}"),
    with_second("gbk-print", {"A2S1.py": ("print('结果')\n" + SCRIPT).encode("gbk")}, f"A2S1.py {LOSSY}"),
    with_second("latin-docstring", {"A2S1.py": ("'''Zoë’s Lösung'''\n" + SCRIPT).encode("cp1252")}, f"A2S1.py {LOSSY}"),
    with_second("cp1252-colab", {"A2S1.py": colab(["# naïve", *section1()]).encode("cp1252")}, f"A2S1.py {LOSSY}"),
    with_second("latin-magics", {"A2S1.py": ("%pip install x\n# é\n" + SCRIPT).encode("latin-1")}, f"A2S1.py {LOSSY}"),
    with_second("gbk-notebook", {"A2S1.ipynb": in_json("gbk", "查询")}, f"A2S1.ipynb {LOSSY}"),
    with_second("coding-comment-lies", {"A2S1.py": ("# coding: utf-8\n# é\n" + SCRIPT).encode("cp1252")}, f"A2S1.py {LOSSY}"),
    refused(
        "cp1252-in-a-value",
        {"A2S1.py": ("a = 1\nlabel = 'é'\n" + SCRIPT).encode("cp1252")},
        "A2S1.py is not UTF-8 text, and line 2 holds a letter that cannot be read; save or download it again as UTF-8",
    ),
    refused(
        "gbk-name",
        {"A2S1.py": ("查询 = 1\n" + SCRIPT).encode("gbk")},
        "A2S1.py is not UTF-8 text, and line 1 holds a letter that cannot be read; save or download it again as UTF-8",
    ),
    refused(
        "utf16-cut",
        {"A2S1.py": SCRIPT.encode("utf-16")[:-1]},
        "A2S1.py is damaged UTF-16 text; save or download it again as UTF-8",
    ),
    refused(
        "unknown-coding-comment",
        {"A2S1.py": "# coding: klingon\n" + SCRIPT},
        "A2S1.py is not UTF-8 text, and Python does not know the encoding that it names; save or download it again as UTF-8",
    ),
]
AS_SCRIPT = "A2S1.ipynb is a script, in spite of its name, and was read as one"
NAMES = [
    with_second("script-in-ipynb", {"A2S1.ipynb": SCRIPT}, AS_SCRIPT),
    with_second("percent-in-ipynb", {"A2S1.ipynb": percent(section1())}, AS_SCRIPT),
    with_second("colab-in-ipynb", {"A2S1.ipynb": colab(section1())}, AS_SCRIPT),
    *(
        with_second(f"notebook-{name}", {name: NOTEBOOK})
        for name in ("A2S1.json", "A2S1.ipynb.json", "A2S1.ipynb.txt", "A2S1.txt", "A2S1", "A2S1.ipynb (1)", "A2S1.PY")
    ),
    *(
        with_second(f"script-{name}", {name: SCRIPT})
        for name in ("A2S1.py.txt", "A2S1.PY.TXT", "a2s1.txt", "A2S1.PY", "A2S1.py~", "A2S1.bak", "A2S1.python", "answers.txt")
    ),
    *(with_second(f"copy-{name}", {name: NOTEBOOK}) for name in ("A2S1 (1).ipynb", "A2S1-Copy1.ipynb", "a2s1.IPYNB")),
    handed("module-as-text", {"A2S1.py": SCRIPT, "A2S2.py.txt": "from own import *\n", "own.py.txt": SECOND_SCRIPT}),
    with_second("text-beside", {"A2S1.ipynb": NOTEBOOK, "A2S1.txt": SCRIPT.replace("S = 100", "S = 0")}),
]
INSTEAD = "hand in the notebook (.ipynb) or a script (.py)"
NO_CODE = [
    refused(
        "html-export",
        {"A2S1.ipynb.html": "<html>"},
        "A2S1.ipynb.html is a web page, from which no code is read: hand in the notebook itself (.ipynb)",
    ),
    refused(
        "web-page-in-ipynb",
        {"A2S1.ipynb": "\n<!DOCTYPE html><html><body>Sign in</body></html>"},
        "A2S1.ipynb is a web page, whatever its name says: hand in the notebook itself (.ipynb)",
    ),
    refused("docx", {"A2S1.docx": b"PK\3\4"}, f"A2S1.docx is a document, from which no code is read: {INSTEAD}"),
    refused("picture", {"A2S1.HEIC": b"\0"}, "A2S1.HEIC is a picture, from which no code is read"),
    refused(
        "pages-in-ipynb",
        {"A2S1.ipynb": zipped({"a": "b"})},
        f"A2S1.ipynb is a zip archive, whatever its name says: {INSTEAD}",
    ),
    refused("pdf-in-py", {"A2S1.py": b"%PDF-1.7\n"}, f"A2S1.py is a PDF, whatever its name says: {INSTEAD}"),
    refused(
        "unfinished",
        {"A2S1.ipynb.crdownload": NOTEBOOK},
        "A2S1.ipynb.crdownload is an unfinished download: download it again and hand in the whole file",
    ),
    refused("drive-link", {"A2S1.gdoc": "{}"}, "A2S1.gdoc only points to a file: download that file and hand it in itself"),
    refused("rar", {"A2S1.rar": b"Rar!\x1a\7"}, "A2S1.rar is an archive of a kind that is not opened: pack the files as .zip"),
    refused(
        "7z-named-zip",
        {"A2S1.zip": b"7z\xbc\xaf\x27\x1c"},
        "A2S1.zip is an archive of a kind that is not opened: pack the files as .zip",
    ),
    refused("empty", {"A2S1.ipynb": ""}, "A2S1.ipynb is empty"),
    refused(
        "prose", {"A2S1.txt": "I did this in Colab."}, "A2S1.txt is neither named .ipynb nor .py, and no answer was found in it"
    ),
    handed("only-a-document", {"A2S1.docx": b"x"}, f"A2S1.docx is a document, from which no code is read: {INSTEAD}", exit=2),
    with_second(
        "named-beside-right-ones",
        {"A2S1.ipynb": NOTEBOOK, "notes.md": "x", "essay.docx": b"x", "data.csv": "1", "log.csv": "2"},
        f"essay.docx, notes.md: each is a document, from which no code is read: {INSTEAD}",
        "data.csv, log.csv: each is neither a notebook nor a script",
    ),
    with_second(
        "more-than-twenty",
        {"A2S1.ipynb": NOTEBOOK, **{f"figure{n:02}.png": b"x" for n in range(32)}},
        "and 12 more files were not read",
        "figure19.png",
    ),
]
BOTH = {"A2S1.ipynb": NOTEBOOK, "A2S2.ipynb": SECOND}
ARCHIVES = [
    *(handed(f"tar-{mode}", {f"hw.tar.{mode}".rstrip("."): tarred(BOTH, f"w:{mode}")}) for mode in ("", "gz", "bz2", "xz")),
    handed("tgz", {"hw.tgz": tarred({f"hw/{name}": text for name, text in BOTH.items()})}, single=True),
    handed("zip-in-zip", {"hw.zip": zipped({"hw/hw.zip": zipped(BOTH)})}, single=True),
    handed("zip-in-tar", {"hw.tar.gz": tarred({"a/hw.zip": zipped(BOTH)})}),
    handed("tar-in-zip", {"hw.zip": zipped({"A2S1.ipynb": NOTEBOOK, "rest.tar.gz": tarred({"A2S2.ipynb": SECOND})})}),
    handed("tar-named-zip", {"hw.zip": tarred(BOTH)}),
    handed("zip-named-tar", {"hw.tar": zipped(BOTH)}),
    handed(
        "mac-tar",
        {"hw.tgz": tarred({"./._A2S1.ipynb": b"\0\5", "./.DS_Store": b"x", **{f"./{n}": t for n, t in BOTH.items()}})},
    ),
    handed(
        "four-deep",
        {"A2S1.ipynb": NOTEBOOK, "a.zip": zipped({"b.zip": zipped({"c.zip": zipped({"d.zip": zipped(BOTH)})})})},
        "d.zip in c.zip in b.zip in a.zip is packed 3 archives deep: pack it once",
        lost=SECTION_2,
    ),
    with_second(
        "broken-zip", {"A2S1.ipynb": NOTEBOOK, "old.zip": b"PK\3\4"}, "old.zip is not a readable zip: pack the files again"
    ),
    with_second(
        "broken-tar",
        {"A2S1.ipynb": NOTEBOOK, "old.tgz": b"\x1f\x8b\x08"},
        "old.tgz is not a readable archive: pack the files as .zip",
    ),
    with_second("empty-zip", {"A2S1.ipynb": NOTEBOOK, "old.zip": zipped({"__MACOSX/._a": b"x"})}, "old.zip holds no files"),
]
CONFLICTS = [
    refused("conflict-notebook", {"A2S1.ipynb": conflicting()}, BEGINS),
    with_second(
        "conflict-script", {"A2S1.py": f"a = 1\n{CONFLICT.format('b = 1', 'b = 2')}{SCRIPT}"}, f"A2S1.py, line 2 {BEGINS}"
    ),
    with_second(
        "conflict-cell",
        {"A2S1.ipynb": in_notebook("a = 1\n" + CONFLICT.format("b = 1", "b = 2"))},
        f"A2S1.ipynb, cell 1, line 2 {BEGINS}",
    ),
    with_second(
        "conflict-percent",
        {"A2S1.py": percent(["a = 1", *section1()]).replace("a = 1", CONFLICT.format("a = 1", "a = 2"))},
        BEGINS,
    ),
]
CASES = [*ENCODINGS, *NAMES, *NO_CODE, *ARCHIVES, *CONFLICTS]
