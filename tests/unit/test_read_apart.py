"""A submission is read in a process of its own: what ends that process is left out, and the rest is read."""

import json
import os
import resource
import signal
import sys
import zipfile
from pathlib import Path

import psutil
import pytest

from autograder.core import watch as watching
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.watch import watch
from autograder.judging.reading import Reader
from autograder.sandbox.judge_side import apart
from autograder.sandbox.judge_side.apart import Apart, Ended
from hostile.case import S1, S2, S3
from hostile.kinds.intake import notebook
from support.project import ROOT
from support.zips import zipped

ASSIGNMENT = load_assignment(ROOT / "assignment")
MEBIBYTE = 1 << 20


def eats_memory():
    return [b"x" * MEBIBYTE for _ in range(4096)]


def hangs():
    while True:
        pass


def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)


def reads(texts, harm):
    """Answers that look at each text, and do harm at the one called "bad"."""

    def answer(_):
        found = []
        for text in texts:
            reason = watch.at("text", text)
            if not reason and text == "bad":
                harm()
            found.append(reason or text)
        return found

    return lambda: answer


@pytest.mark.parametrize("harm, words", [(eats_memory, "more memory"), (hangs, "too long"), (crashes, "crashes")])
def test_what_ends_the_process_is_left_out_and_the_rest_is_read(harm, words, monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 1)
    with Apart(reads(["one", "bad", "two"], harm), 600) as process:
        one, reason, two = process.ask("read")
        assert (one, two) == ("one", "two") and words in reason and process.starts == 2


@pytest.mark.parametrize("harm", [eats_memory, hangs, crashes])
def test_a_process_that_ends_without_a_piece_to_leave_out_is_told_in_one_line(harm, monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 1)
    with Apart(lambda: lambda _: harm(), 600) as process, pytest.raises(Ended) as error:
        process.ask("read")
    assert "\n" not in str(error.value) and process.starts == 1


def test_all_processes_together_have_no_more_than_their_processor_time(monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 1)
    monkeypatch.setattr(apart, "ALL_SECONDS", 2)
    with Apart(lambda: lambda _: [watch.at("text", str(number)) or hangs() for number in range(9)], 600) as process:
        with pytest.raises(Ended):
            process.ask("read")
        assert process.starts <= 2


def test_the_judge_itself_is_not_limited():
    before = resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)
    with Apart(lambda: lambda _: 1, 60) as process:
        assert process.ask("read") == 1
    assert (resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU)) == before


def test_the_process_holds_no_descriptor_of_the_judge(tmp_path):
    with (tmp_path / "secret").open("w") as file:
        number = os.dup2(file.fileno(), 60)
        with Apart(lambda: lambda _: [n for n in range(4, 100) if os.path.exists(f"/proc/self/fd/{n}")], 60) as process:
            assert number not in process.ask("read")
        os.close(number)


def written(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def read(folder: Path) -> tuple[Reader, dict, list[str]]:
    """The reader, closed, what it found for each section, and all notes."""
    with Reader(ASSIGNMENT, folder) as reader:
        found, notes = reader.sections()
        for section in ASSIGNMENT.sections:
            if plan := found[section.id].plan:
                plan.program(ASSIGNMENT.of_section(section))
    return reader, found, [*notes, *(note for one in found.values() for note in one.notes)]


def with_crash(text: str, monkeypatch) -> None:
    """Python's parser crashes on any source that has this text, as older ones do on deep nesting."""
    import ast

    parse = ast.parse
    monkeypatch.setattr(ast, "parse", lambda source, *a, **k: crashes() if text in source else parse(source, *a, **k))


def test_a_crash_of_the_parser_costs_its_statement(tmp_path, monkeypatch):
    with_crash("segfault", monkeypatch)
    reader, found, notes = read(written(tmp_path, {"A2S1.py": S1 + "\nsegfault = 1\nafter = 2\n", "A2S2.py": S2}))
    assert found["A2S1"].plan.statements[-1].binds == {"after"} and found["A2S2"].plan
    assert sum("crashes on it" in note for note in notes) == 1 and reader.starts > 1


def test_a_file_that_ends_the_process_costs_that_file(tmp_path, monkeypatch):
    from autograder.submission import sections

    honest = sections.read
    monkeypatch.setattr(sections, "read", lambda name, *rest: crashes() if name == "bad.ipynb" else honest(name, *rest))
    _, found, notes = read(written(tmp_path, {"A2S1.py": S1, "bad.ipynb": "{}", "A2S2.py": S2}))
    assert found["A2S1"].plan and found["A2S2"].plan and any(note.startswith("bad.ipynb cannot be read") for note in notes)


def test_a_section_whose_statements_end_the_process_costs_that_section(tmp_path, monkeypatch):
    from autograder.slicing import slicer

    honest = slicer.tied
    monkeypatch.setattr(slicer, "tied", lambda effects, more: crashes() if len(effects) > 30 else honest(effects, more))
    _, found, _ = read(written(tmp_path, {"A2S1.py": S1 + "\nx = 1" * 30, "A2S2.py": S2}))
    assert found["A2S2"].plan and not found["A2S1"].plan and "A2S1.py" in found["A2S1"].problem


def fails(*_):
    raise ValueError("an error of ours")


def test_an_error_of_ours_costs_the_file_the_section_or_the_choice_that_it_meets(tmp_path, monkeypatch):
    from autograder.slicing import slicer
    from autograder.submission import sections

    honest = sections.read
    monkeypatch.setattr(sections, "read", lambda name, *rest: fails() if name[:3] == "bad" else honest(name, *rest))
    bad = {f"bad{n}.py": "x = 1" for n in range(40)}
    reader, found, notes = read(written(tmp_path, {"A2S1.py": S1, **bad, "A2S2.py": S2}))
    assert found["A2S1"].plan and found["A2S2"].plan and reader.starts == 1
    assert sum("the grader itself failed on it" in note for note in notes) == 40
    tied, folder = slicer.tied, tmp_path / "longer"
    folder.mkdir()
    written(folder, {"A2S1.py": S1 + "\nx = 1" * 30, "A2S1.ipynb": notebook(S1), "A2S2.py": S2})
    with monkeypatch.context() as patch:
        patch.setattr(slicer, "tied", lambda effects, more: fails() if len(effects) > 30 else tied(effects, more))
        _, found, _ = read(folder)
        assert found["A2S2"].plan and found["A2S1"].problem.startswith("A2S1.py could not be read, because the grader")
    monkeypatch.setattr(sections, "_fingerprint", fails)
    _, found, _ = read(folder)
    assert found["A2S2"].plan and "(A2S1.ipynb, A2S1.py) could not be read" in found["A2S1"].problem


def test_an_error_of_ours_costs_the_statements_that_it_meets(tmp_path, monkeypatch):
    from autograder.slicing import effects

    honest = effects._top_scope
    monkeypatch.setattr(
        effects, "_top_scope", lambda table, e: fails() if "bad" in table.get_identifiers() else honest(table, e)
    )
    reader, found, notes = read(written(tmp_path, {"A2S1.py": "bad = 1\n" * 40 + S1, "A2S2.py": S2}))
    assert "query121" in {name for known in found["A2S1"].plan.statements for name in known.binds}
    assert found["A2S2"].plan and reader.starts == 1 and any("was left out: it could not be read" in note for note in notes)


@pytest.mark.parametrize("harm", [hangs, crashes])
def test_ten_files_that_end_the_process_do_not_cost_the_others(harm, tmp_path, monkeypatch):
    from autograder.submission import sections

    honest = sections.read
    monkeypatch.setattr(watching, "WHOLE_SECONDS", 1.0)
    monkeypatch.setattr(sections, "read", lambda name, *rest: harm() if name[:3] == "bad" else honest(name, *rest))
    bad = {f"bad{n}.py": "x = 1" for n in range(10)}
    _, found, notes = read(written(tmp_path, {"A2S1.py": S1, **bad, "A2S2.py": S2}))
    assert found["A2S1"].plan and found["A2S2"].plan
    assert sum(note.startswith("bad") for note in notes) == 2 and "only 4 of 12 files of code were read: " in str(notes)


def test_a_file_of_many_statements_that_end_the_process_costs_itself(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        with_crash("segfault", patch)
        _, found, notes = read(written(tmp_path, {"A2S1.py": S1 + many("\nsegfault = {0}\nafter = (", 30), "A2S2.py": S2}))
    assert found["A2S2"].plan and not found["A2S1"].plan and any(note.startswith("A2S1.py cannot be read") for note in notes)


HUGE = "0x" + "f" * 6000
NUMBERS = {
    "an answer in two files": {"A2S1.py": f"query121 = 1 if {HUGE} else 2\n" + S1},
    "a call of main": {"A2S3.py": f"{S3}\ndef g():\n    a = {HUGE}\n    main(a)\n    for i in [{HUGE}]: main(i)\n"},
    "everywhere": {"A2S1.py": f"{S1}\nimport a, b\nsys.modules[{HUGE}] = f({HUGE}, -{HUGE}j, [{HUGE} for x in {HUGE}])\n"},
}


@pytest.mark.parametrize("where", NUMBERS)
def test_a_number_too_long_to_be_written_costs_nothing(where, tmp_path):
    (name, source), *_ = NUMBERS[where].items()
    files = {name: source, name.replace(".py", ".ipynb"): notebook(source), "A2S2.py": S2}
    with Reader(ASSIGNMENT, written(tmp_path, files)) as reader:
        found, _ = reader.sections()
        for section in ASSIGNMENT.sections:
            if plan := found[section.id].plan:
                plan.program(ASSIGNMENT.of_section(section))
                assert isinstance(plan.touched, list) and plan.rebinds_late(ASSIGNMENT.of_section(section)[0]) is False
        assert found[name[:4]].plan and found["A2S2"].plan and reader.starts == 1
        assert f"{name[:4]}.ipynb agrees with it" in found[name[:4]].notes


def test_a_process_that_answers_something_else_is_refused_in_one_line(tmp_path, monkeypatch):
    from autograder.judging.reading import _Desk

    for answer in (1, None, {"sections": {"A2S1": []}, "notes": []}, {"sections": {}, "notes": [1]}, [[]] * 9):
        monkeypatch.setattr(_Desk, "answer", lambda self, request, answer=answer: answer)
        with pytest.raises(GraderError) as error:
            read(written(tmp_path, {"A2S1.py": S1}))
        assert "\n" not in str(error.value)


def many(text: str, count: int) -> str:
    return "".join(text.format(i, i + 1) for i in range(count))


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


@pytest.mark.parametrize("kind", GROWING)
def test_twice_as_much_takes_about_twice_the_work(kind, tmp_path):
    small, large = (work(S1 + many(GROWING[kind], count) + "\n", tmp_path / str(count)) for count in (300, 600))
    assert large < 2.6 * small


BOMBS = {
    "lines": {"A2S1.py": S1 + "a\n" * 500_000},
    "more lines": {"A2S1.py": S1 + "a\n" * 2_000_000},
    "percent cells": {"A2S1.py": S1, "more.py": "# %%\na\n" * 20_000},
    "three zips": {
        "A2S1.py": S1,
        **{
            f"{n}.zip": zipped(
                {f"{k}.py": b"a = 1\n" * 1_000_000 + b"#" + os.urandom(40_000).hex().encode() for k in range(10)}
            )
            for n in range(3)
        },
    },
    "lists of a notebook": {"A2S1.py": S1, "more.ipynb": '{"cells": [' + "[]," * 6_000_000 + "[]]}"},
    "values of a notebook": {"A2S1.py": S1, "more.ipynb": '{"cells": [], "metadata": {"a": [' + "{}," * 450_000 + "1]}}"},
    "entries of a zip": {"A2S1.py": S1, "more.zip": zipped({f"{n}": "" for n in range(21_000)})},
    "files": {"A2S1.py": S1, **{f"m{n}.py": "a = 1\n" * 4000 for n in range(60)}},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_costs_little_memory_and_time_and_not_the_rest(bomb, tmp_path):
    shared = psutil.Process().memory_info().rss  # the process begins as a copy of this one
    reader, found, notes = read(written(tmp_path, BOMBS[bomb]))
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
        found, notes = reader.sections()
    assert set(found["A2S1"].plan.modules) == {"one", "pack.two", "two", "four"}
    assert set(found["A2S2"].plan.modules) == {"one", "four"} and found["A2S2"].plan.modules["four"] == "import one"
    assert sorted(answer["modules"]) == ["import four", "import one", "x = 1"] and not notes


LONG = {"comments": "# \U0001f600\n" * 300_000, "control characters": "#\1\1\1\n" * 800_000, "lines": "# a\n" * 4_000_000}


@pytest.mark.parametrize("kind", LONG)
def test_modules_that_are_too_much_cost_themselves_and_a_note_names_them(kind, tmp_path):
    imports = "".join(f"try:\n    import m{n}\nexcept Exception: pass\n" for n in range(9))
    modules = {f"m{n}.py": f"x = {n}\n" + LONG[kind] for n in range(9)}
    files = {"A2S1.py": imports + S1, "A2S2.py": imports + S2, "small.py": "x = 1\n", **modules}
    reader, found, notes = read(written(tmp_path, files))
    assert found["A2S1"].plan and found["A2S2"].plan
    assert any("m8" in note or "only " in note for note in notes) and sum(map(len, found["A2S1"].plan.modules.values())) <= 8 << 20


def test_a_file_of_all_sections_that_is_mostly_comments_is_still_graded(tmp_path):
    _, found, _ = read(written(tmp_path, {"everything.py": S1 + S2 + "# \U0001f600\U0001f600\n" * 700_000}))
    assert found["A2S1"].plan and found["A2S2"].plan


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
