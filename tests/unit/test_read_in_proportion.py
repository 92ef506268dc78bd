"""Reading a submission costs work in proportion to its size, and what is too large costs itself."""

import json
import os
import sys
import zipfile
from pathlib import Path

import psutil
import pytest

from autograder.judging.reading import Reader
from hostile.case import S1, S2
from support.reading import ASSIGNMENT, many, read, written
from support.zips import zipped

MEBIBYTE = 1 << 20
GROWING = {  # what makes a script larger; none of it may cost more than in proportion
    "names": "a\n",
    "a chain of names": "a{0} = a{1}\n",
    "ties": "b{0} = [b{1}]\n",
    "functions that call the next": "def f{0}():\n    return f{1}()\n",
    "statements on one line": "a{0}; ",
    "percent cells": "# %%\na{0}\n",
    "what does not parse": "x = (\n",
    "triple quotes": "'''\nx y\n",
    "late bindings": "n{0} = query121 + n{1}\n",
    "globals": "def g{0}():\n    global h{0}\n    h{0} = 1\ng{0}()\n",
    "imports": "import m{0}\n",
    "calls": "f{0}(a{0}, b{1})\n",
}


def work(source: str, folder: Path) -> int:
    """Lines of Python and calls that reading a script takes."""
    from autograder.judging.reading import _Desk

    folder.mkdir()
    (folder / "A2S1.py").write_text(source)
    count = 0

    def counting(frame, event, argument):
        nonlocal count
        count += 1

    desk = _Desk(ASSIGNMENT, folder)
    sys.setprofile(counting)
    try:
        desk.answer({"op": "contents"})
        desk.answer({"op": "submission"})
        for width in ("slice", "wide", "early"):
            desk.answer({"op": "choice", "section": "A2S1", "questions": ["1.2.1"], "width": width})
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.many(of=6)
@pytest.mark.parametrize("kind", GROWING)
def test_twice_as_much_takes_about_twice_the_work(kind, tmp_path):
    small, large = (work(S1 + many(GROWING[kind], count) + "\n", tmp_path / str(count)) for count in (300, 600))
    assert large < 2.6 * small


EARLY = {  # the same for an answer that is judged once more without what follows it: (what is repeated, what follows)
    "a name that is given again": ("x = x + 1\n", "def query121():\n    return x\n"),
    "functions that read a name that is given again": ("def f{0}():\n    return x\n", "{x}query121 = [{f}]\n"),
    "names that nothing defines": ("pass\n", "def query121():\n    return [{n}]\n"),
    "names that are defined later": ("pass\n", "def query121():\n    return [{n}]\n{late}"),
}


def steps(kind: str, count: int, folder: Path) -> int:
    """Steps of Python's own machine that an early slice takes."""
    from autograder.judging.reading import _Desk

    folder.mkdir()
    repeated, after = EARLY[kind]
    words = {
        "x": "x = 1\n" * count,
        **{word: many(f"{word}{{0}}, ", count) for word in "fn"},
        "late": many("n{0} = 1\n", count),
    }
    (folder / "A2S1.py").write_text(many(repeated, count) + after.format(**words))
    taken = 0

    def counting(frame, event, argument):
        nonlocal taken
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        taken += event == "opcode"
        return counting

    desk = _Desk(ASSIGNMENT, folder)
    desk.answer({"op": "contents"})
    desk.answer({"op": "submission"})
    before = sys.gettrace()
    sys.settrace(counting)
    try:
        desk.answer({"op": "choice", "section": "A2S1", "questions": ["1.2.1"], "width": "early"})
    finally:
        sys.settrace(before)
    return taken


@pytest.mark.parametrize("kind", EARLY)
def test_an_early_slice_of_twice_as_much_takes_about_twice_the_steps(kind, tmp_path):
    small, large = (steps(kind, count, tmp_path / str(count)) for count in (300, 600))
    assert large < 2.6 * small


def large_zip() -> bytes:
    return zipped({f"{k}.py": b"a = 1\n" * 1_000_000 + b"#" + os.urandom(40_000).hex().encode() for k in range(10)})


BOMBS = {  # made when they are tried: some are large
    "lines": lambda: {"A2S1.py": S1 + "a\n" * 500_000},
    "more lines": lambda: {"A2S1.py": S1 + "a\n" * 2_000_000},
    "percent cells": lambda: {"A2S1.py": S1, "more.py": "# %%\na\n" * 20_000},
    "three zips": lambda: {
        "A2S1.py": S1,
        **{f"{n}.zip": large_zip() for n in range(3)},
    },
    "lists of a notebook": lambda: {"A2S1.py": S1, "more.ipynb": '{"cells": [' + "[]," * 6_000_000 + "[]]}"},
    "values of a notebook": lambda: {
        "A2S1.py": S1,
        "more.ipynb": '{"cells": [], "metadata": {"a": [' + "{}," * 450_000 + "1]}}",
    },
    "entries of a zip": lambda: {"A2S1.py": S1, "more.zip": zipped({f"{n}": "" for n in range(21_000)})},
    "files": lambda: {"A2S1.py": S1, **{f"m{n}.py": "a = 1\n" * 4000 for n in range(60)}},
}


@pytest.mark.many(of=9)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_little_memory_and_time_and_not_the_rest(bomb, tmp_path):
    shared = psutil.Process().memory_info().rss  # the process begins as a copy of this one
    reader, found, notes = read(written(tmp_path, BOMBS[bomb]()))
    assert reader.used < 10 and reader.peak - shared < 250 * MEBIBYTE
    names = {name for known in found["A2S1"].plan.statements for name in known.binds}
    assert "query121" in names and notes


def test_only_modules_that_the_code_has_words_for_are_sent_each_once(tmp_path):
    code = "import one\nfrom pack.two import x\n"
    (tmp_path / "pack").mkdir()
    (tmp_path / "sub").mkdir()
    modules = {"one.py": "import four", "pack/two.py": "x = 1", "three.py": "y = 1", "sub/four.py": "import one"}
    files = {"A2S1.py": code + S1, "A2S2.py": "import one\n" + S2, **modules}
    with Reader(ASSIGNMENT, written(tmp_path, files)) as reader:
        answer = reader.ask("submission")
        found, notes = reader.sections
    assert set(found["A2S1"].plan.modules) == {"one", "pack.two", "two", "four"}
    assert set(found["A2S2"].plan.modules) == {"one", "four"} and found["A2S2"].plan.modules["four"] == "import one"
    assert sorted(answer["modules"]) == ["import four", "import one", "x = 1"] and not notes


LONG = {"comments": "# \U0001f600\n" * 300_000, "control characters": "#\1\1\1\n" * 800_000, "lines": "# a\n" * 4_000_000}


@pytest.mark.slow
@pytest.mark.parametrize("kind", LONG)
def test_modules_that_are_too_much_cost_themselves_and_a_note_names_them(kind, tmp_path):
    imports = "".join(f"try:\n    import m{n}\nexcept Exception: pass\n" for n in range(9))
    modules = {f"m{n}.py": f"x = {n}\n" + LONG[kind] for n in range(9)}
    files = {"A2S1.py": imports + S1, "A2S2.py": imports + S2, "small.py": "x = 1\n", **modules}
    _, found, notes = read(written(tmp_path, files))
    assert found["A2S1"].plan and found["A2S2"].plan
    assert any("m8" in note or "only " in note for note in notes)
    assert sum(map(len, found["A2S1"].plan.modules.values())) <= 8 << 20


@pytest.mark.slow
def test_a_file_of_all_sections_that_is_mostly_comments_is_still_graded(tmp_path):
    _, found, _ = read(written(tmp_path, {"everything.py": S1 + S2 + "# \U0001f600\U0001f600\n" * 700_000}))
    assert found["A2S1"].plan and found["A2S2"].plan


GLOBALS = (
    "def f():\n    global "
    + ", ".join(f"a{n}" for n in range(1900))
    + "\n    "
    + "=".join(f"a{n}" for n in range(1900))
    + "=1\n"
)
WIDE = {  # statements of which more is told than they are long
    "imports from a long name": f"from {'a' * 900_000} import " + many("b{0}, ", 4000).rstrip(", "),
    "calls that bind thousands of globals": GLOBALS + "f()\n" * 4900,
}


@pytest.mark.many(of=2)
@pytest.mark.parametrize("kind", WIDE)
def test_what_is_told_of_a_section_is_limited_and_costs_that_section_alone(kind, tmp_path):
    _, found, _ = read(written(tmp_path, {"A2S1.py": S1 + "\n" + WIDE[kind] + "\n", "A2S2.py": S2}))
    assert found["A2S2"].plan and (found["A2S1"].plan or found["A2S1"].problem.startswith("A2S1.py needs more memory"))
    assert bool(found["A2S1"].plan) == (kind == "imports from a long name")


def test_archives_share_what_a_submission_may_hold(tmp_path):
    for number in range(2):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            for member in range(1500):
                archive.writestr(f"{number}_{member}.txt", "")
    with Reader(ASSIGNMENT, written(tmp_path, {"A2S1.py": S1})) as reader:
        assert len(reader.contents.files) == 2000 - 2 and reader.contents.notes == ["only the first 2000 files were read"]


def test_the_largest_notebook_is_still_read(tmp_path):
    cell = {"cell_type": "code", "source": S1, "metadata": {}, "execution_count": None}
    output = {"output_type": "stream", "name": "stdout", "text": "─" * 7_000_000 + "x" * 27_000_000}
    notebook = {"cells": [{**cell, "outputs": [output]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    _, found, _ = read(written(tmp_path, {"A2S1.ipynb": json.dumps(notebook, ensure_ascii=False)}))
    assert found["A2S1"].plan.statements


def test_the_bytes_of_a_file_come_back_whole(tmp_path):
    data = os.urandom(7 * MEBIBYTE)
    written(tmp_path, {"report.pdf": data, "A2S1.py": S1})
    with Reader(ASSIGNMENT, tmp_path) as reader:
        assert {str(file.path): file.content() for file in reader.contents.files} == {
            "report.pdf": data,
            "A2S1.py": S1.encode(),
        }
