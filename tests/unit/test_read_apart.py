"""A submission is read in a process of its own: what ends that process is left out, and the rest is read."""

import os
import resource
import signal

import pytest

from autograder.core import watch as watching
from autograder.core.errors import GraderError
from autograder.core.watch import watch
from autograder.judging.reading import Reader
from autograder.sandbox.judge_side import apart
from autograder.sandbox.judge_side.apart import Apart, Ended
from hostile.case import S1, S2, S3
from hostile.kinds.intake import notebook
from support.reading import ASSIGNMENT, many, read, written

MEBIBYTE = 1 << 20


def eats_memory():
    return [b"x" * MEBIBYTE for _ in range(4096)]


def hangs():
    while True:
        pass


def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)


def is_killed():
    os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when the container's memory is used up


def exits():
    os._exit(7)


def babbles():
    os.write(3, b"\x08\0\0\0rubbish!")
    hangs()


def sends_too_much():
    os.write(3, b"\xff" * 8)
    hangs()


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


HARMS = [
    (eats_memory, "more memory"),
    (is_killed, "more memory"),
    (hangs, "too long"),
    (crashes, "crashes"),
    (exits, "the grader itself failed"),
    (babbles, "the grader itself failed"),
    (sends_too_much, "the grader itself failed"),
]


@pytest.mark.parametrize("harm, words", HARMS)
def test_what_ends_the_process_is_left_out_and_the_rest_is_read(harm, words, monkeypatch):
    monkeypatch.setattr(apart, "SECONDS", 1)
    with Apart(reads(["one", "bad", "two"], harm), 600) as process:
        one, reason, two = process.ask("read")
        assert (one, two) == ("one", "two") and words in reason and process.starts == 2


@pytest.mark.parametrize("harm", [harm for harm, _ in HARMS])
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


def test_a_reading_that_ends_when_all_is_judged_costs_no_verdict(submit, monkeypatch):
    from autograder.judging.sessions import Sessions

    honest = Sessions.open

    def opened(self, questions, *rest, limits=None, **more):
        if limits is not None:  # asked for by ``add_calls`` alone
            raise Ended("what was submitted takes too long to be read")
        return honest(self, questions, *rest, limits=limits, **more)

    right = submit({"A2S2.py": S2})
    monkeypatch.setattr(Sessions, "open", opened)
    graded = submit({"A2S2.py": S2.replace("return A @ V", "return A @ V + 1")})
    assert graded.lost - right.lost == {"2.1.compute_outputs"} and graded.output("2.1.compute_outputs")


def fails(*_):
    raise ValueError("an error of ours")


def test_an_error_of_ours_costs_the_file_the_section_or_the_choice_that_it_meets(tmp_path, monkeypatch):
    from autograder.slicing import slicer
    from autograder.submission import fitting, sections

    honest = sections.read
    monkeypatch.setattr(sections, "read", lambda name, *rest: fails() if name[:3] == "bad" else honest(name, *rest))
    bad = {f"bad{n}.py": "x = 1" for n in range(40)}
    reader, found, notes = read(written(tmp_path, {"A2S1.py": S1, **bad, "A2S2.py": S2}))
    assert found["A2S1"].plan and found["A2S2"].plan and reader.starts == 1
    assert "bad0.py, bad1.py" in str(notes) and "each could not be read, because the grader itself failed on it" in str(notes)
    assert "and 20 more files were not read" in notes
    tied, folder = slicer.tied, tmp_path / "longer"
    folder.mkdir()
    written(folder, {"A2S1.py": S1 + "\nx = 1" * 30, "A2S1.ipynb": notebook(S1), "A2S2.py": S2})
    with monkeypatch.context() as patch:
        patch.setattr(slicer, "tied", lambda effects, more: fails() if len(effects) > 30 else tied(effects, more))
        _, found, _ = read(folder)
        assert found["A2S2"].plan and found["A2S1"].problem.startswith("A2S1.py could not be read, because the grader")
    monkeypatch.setattr(fitting, "fingerprint", fails)
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


@pytest.mark.many(of=2)
@pytest.mark.parametrize("harm", [hangs, crashes])
def test_ten_files_that_end_the_process_do_not_cost_the_others(harm, tmp_path, monkeypatch):
    from autograder.submission import sections

    honest = sections.read
    monkeypatch.setattr(watching, "WHOLE_SECONDS", 1.0)
    monkeypatch.setattr(sections, "read", lambda name, *rest: harm() if name[:3] == "bad" else honest(name, *rest))
    bad = {f"bad{n}.py": "x = 1" for n in range(10)}
    _, found, notes = read(written(tmp_path, {"A2S1.py": S1, **bad, "A2S2.py": S2}))
    assert found["A2S1"].plan and found["A2S2"].plan
    assert "bad0.py, bad1.py: each " in str(notes) and "was not read: 2 other files take too much to be read" in str(notes)


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
        found, _ = reader.sections
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
