"""Files and answers that somebody else made: a worker's, an archive, references, look-alikes, tables. Nothing is believed."""

import copy
import json
import os
import zipfile
from dataclasses import dataclass
from itertools import combinations
from types import SimpleNamespace

import pytest

from autograder.batch.cluster import Task, _or_again
from autograder.batch.people import Entry, Person
from autograder.batch.similarity import _candidates, read_alike
from autograder.batch.verdicts import read_verdicts, refusal, text_of
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references, stored
from autograder.core.tables import MAX_ROWS, read_table
from autograder.core.trees import pack
from autograder.core.verdict import FAILED, PASSED, Verdict
from autograder.gradescope import archive as archives
from autograder.gradescope.archive import opened
from autograder.judging.results import gradescope_tree
from autograder.submission.unpack import read_files
from autograder.written.finalise import Inputs, finalise
from support.memory import at_most
from support.project import ROOT, TOY

ASSIGNMENT = load_assignment(TOY / "assignment")
QUESTIONS = ASSIGNMENT.questions
RIGHT = json.loads(text_of([Verdict(q, PASSED, "correct") for q in QUESTIONS], ["graded from T1.py"]))


def changed(*keys, to):
    """The right answer with one part replaced; ``to`` may be a function of the old one."""
    tree = copy.deepcopy(RIGHT)
    place = tree
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to(place[keys[-1]]) if callable(to) else to
    return json.dumps(tree)


LIES = {
    "no text": b"{}",
    "no JSON": "{",
    "another shape": "[]",
    "nothing": "{}",
    "deep": "[" * 100_000,
    "huge": '"' + "x" * (5 << 20) + '"',
    "a score": json.dumps({**RIGHT, "score": 1e9}),
    "an invented item": changed("items", 0, "id", to="1.sub"),
    "an id that is a list": changed("items", 0, "id", to=["1.add"]),
    "one item twice": changed("items", to=lambda items: [items[0], items[0]]),
    "an item less": changed("items", to=lambda items: items[:1]),
    "items of another order": changed("items", to=lambda items: items[::-1]),
    "an item with a score": changed("items", 0, to=lambda item: {**item, "score": 99}),
    "a status": changed("items", 0, "status", to="excellent"),
    "a status that is a list": changed("items", 0, "status", to=["passed"]),
    "claims that are numbers": changed("items", 0, "held", to=[1]),
    "data in our own words": changed("items", 0, "data", to={"verdict": "passed", "id": "2"}),
    "data of no kind": changed("items", 0, "data", to=[1]),
    "a mistake that is a list": changed("items", 0, "data", to={"mistake": ["x"]}),
    "flags that are numbers": changed("items", 0, "data", to={"flags": [1]}),
    "a cause that is a text": changed("items", 0, "data", to={"cause": "x"}),
    "not a number": changed("items", 0, "data", to={"largest": float("nan")}),
    "infinite": changed("items", 0, "data", to={"largest": float("inf")}),
    "a long reason": changed("items", 0, "reason", to="x" * 10_000),
    "a million notes": changed("notes", to=["x"] * 1_000_000),
    "notes of numbers": changed("notes", to=[1, 2]),
    "a refusal that is a number": json.dumps({"refused": 3}),
    "a refusal and items": json.dumps({**RIGHT, "refused": "no"}),
}


@dataclass
class Future:
    answer: object

    def exception(self):
        return self.answer if isinstance(self.answer, BaseException) else None

    def result(self):
        return self.answer


def told(answer):
    """What a worker's answer becomes where there is no other worker."""
    only = SimpleNamespace(threads=dict, leave_out=lambda task, why: None)
    task = Task(Future(answer), Entry("ada", TOY, [Person("ada")]), "content", ())
    return _or_again(only, task, ASSIGNMENT, "judging")


@pytest.mark.parametrize("text", LIES.values(), ids=LIES)
def test_a_worker_that_lies_about_the_form_is_not_believed(text):
    with pytest.raises(GraderError, match=r"^not verdicts of this assignment"):
        read_verdicts(ASSIGNMENT, text)
    done = told(("content", "judging", text))
    assert done.verdicts is None and done.problem.startswith("not graded: a worker of the cluster sent something else")


@pytest.mark.parametrize(
    "answer", [None, 3, "text", ("other", "judging", json.dumps(RIGHT)), ("content", "other", json.dumps(RIGHT)), ("content",)]
)
def test_a_workers_answer_names_its_submission_and_its_grader(answer):
    assert told(answer).problem.startswith("not graded: a worker of the cluster sent something else")


def test_an_error_of_a_worker_is_one_clean_line():
    evil = type("Evil\x1b[2J\n", (Exception,), {})
    for error in (evil("\x1b]0;x\x07" * 1000), OSError("a\nb")):
        problem = told(error).problem
        assert problem.isprintable() and len(problem) < 400


def test_claims_that_are_not_there_or_said_twice_earn_nothing_more():
    lie = json.loads(changed("items", 0, "held", to=["everything", "", "add"] * 100))
    lie["items"][0]["status"] = FAILED
    [first, *_], _, _ = read_verdicts(ASSIGNMENT, json.dumps(lie))
    assert first.score("101") <= first.question.points["101"]


def test_what_the_grader_writes_is_read_back():
    done = told(("content", "judging", json.dumps(RIGHT)))
    verdicts, notes, refused = read_verdicts(ASSIGNMENT, done.verdicts)
    assert [v.status for v in verdicts] == [PASSED] * len(QUESTIONS) and notes == ["graded from T1.py"] and not refused
    assert read_verdicts(ASSIGNMENT, refusal("nothing to grade"))[2] == "nothing to grade"


def zip_of(path, members, modes=None):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o100644) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


WHOLE = [("course.txt", "101\n"), ("reference.safetensors", "x"), ("assignment/rubric.toml", "title = 3")]


def encrypted(data):
    """The same archive, with every member marked as encrypted."""
    data = bytearray(data)
    for at in range(len(data) - 4):
        if data[at : at + 4] in (b"PK\1\2", b"PK\3\4"):
            data[at + (8 if data[at + 2] == 1 else 6)] |= 1
    return bytes(data)


def bomb(data):
    """The same archive, one member of which claims to hold 4 GB."""
    at = data.index(b"PK\1\2") + 24
    return data[:at] + (0xFFFFFFF0).to_bytes(4, "little") + data[at + 4 :]


CRAFTED = {
    "empty": lambda data: b"",
    "text": lambda data: b"PK\3\4" * 1000,
    "cut": lambda data: data[:-30],
    "encrypted": encrypted,
    "bomb": bomb,
    "another compression": lambda data: data.replace(b"\x08\x00\x00\x00\x21", b"\x63\x00\x00\x00\x21"),
}


def refuses(path):
    with pytest.raises(GraderError, match=r"^[^\n]{10,400}$"), opened(path):
        pass


@pytest.mark.parametrize("craft", CRAFTED.values(), ids=CRAFTED)
def test_an_archive_that_is_none_is_one_line(tmp_path, craft):
    path = zip_of(tmp_path / "a.zip", WHOLE)
    data = craft(path.read_bytes())
    assert data != path.read_bytes()
    path.write_bytes(data)
    refuses(path)


def test_no_device_folder_or_other_course_passes_for_an_archive(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MAX_BYTES", 1 << 24)
    (tmp_path / "device.zip").symlink_to("/dev/zero")
    (tmp_path / "folder.zip").mkdir()
    zip_of(tmp_path / "course.zip", [("course.txt", b"\xff\xfe"), *WHOLE[1:]])
    with pytest.warns(UserWarning, match="Duplicate name"):
        zip_of(tmp_path / "twice.zip", [*WHOLE, WHOLE[0]])
    for name in ("device", "folder", "course", "twice", "absent"):
        refuses(tmp_path / f"{name}.zip")


def test_an_archives_names_stay_inside(tmp_path):
    climbing = [("assignment/../../../climbed", "x"), ("assignment/link", "/etc/passwd")]
    path = zip_of(tmp_path / "a.zip", [*WHOLE, *climbing], {"assignment/link": 0o120777})
    with opened(path) as unpacked:
        assert not (unpacked.assignment / "link").is_symlink()
    assert not list(tmp_path.rglob("climbed")) and not os.path.lexists(tmp_path.parent / "climbed")


@pytest.mark.parametrize(
    "tree",
    [
        [],
        3,
        None,
        {},
        {"sets": 3, "public": {}, "says": {}, "choice": "", "receipt": ""},
        {"sets": [], "public": [], "says": {}, "choice": "", "receipt": ""},
        {"sets": [], "public": {}, "says": {}, "choice": "", "receipt": 3},
    ],
)
def test_references_of_another_form_are_one_line(tmp_path, tree):
    path = tmp_path / "reference.safetensors"
    path.write_bytes(pack(tree))
    with pytest.raises(GraderError, match="is damaged"):
        read_references(path)
    assert stored(path, "fingerprint") == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        "3",
        '{"one": 1}',
        "null",
        '[1, null, "x"]',
        '[{"one": [], "other": {}, "share": 1, "tokens": 1, "declared": 1}]',
    ]
    + [
        json.dumps([{"one": "a", "other": "b", "share": share, "tokens": 60, "declared": False}])
        for share in ("x", 7, -1, True, float("nan"))
    ],
)
def test_look_alikes_of_another_form_are_left_out(tmp_path, text):
    (tmp_path / "alike.json").write_text(text)
    assert not read_alike(tmp_path)


def test_look_alikes_are_read_from_a_file_only(tmp_path):
    os.mkfifo(tmp_path / "alike.json")
    assert read_alike(tmp_path) is None


def test_runs_that_the_same_submissions_share_are_paired_once(monkeypatch):
    pytest.importorskip("copydetect")
    from autograder.batch import similarity

    @dataclass
    class Print:
        hash_idx: dict

        def __post_init__(self):
            self.hashes, self.filtered_code = set(self.hash_idx), " " * 2000

    asked = []
    monkeypatch.setattr(similarity, "combinations", lambda group, n: asked.append(group) or combinations(group, n))
    prints = {f"s{n}": Print({run: [run] for run in range(1000)}) for n in range(3)}
    assert len(_candidates(prints)) == 3 and len(asked) == 1


@pytest.mark.slow
def test_a_submission_that_takes_too_much_to_be_compared_is_named_and_the_others_are_compared(tmp_path, monkeypatch):
    pytest.importorskip("copydetect")
    from autograder.batch import similarity
    from autograder.batch.roster import read_roster
    from autograder.sandbox.judge_side import apart

    monkeypatch.setattr(apart, "SECONDS", 2)
    names = {"ann": "%" + "0" * 60_000, "ben": "b", "cy": "b"}
    for name, text in names.items():
        (tmp_path / name).mkdir()
        lines = "".join(f"def own_{n}(a, b):\n    return [a[{n}:] + b @ a.T - {n}, '{text}']\n" for n in range(20))
        (tmp_path / name / "T1.py").write_text(lines[: 400 + len(text)] if name == "ann" else lines)
    told = []
    similarity.look_alike(ASSIGNMENT, read_roster(tmp_path, None, ("101",)), tmp_path / "none", lambda *_: None, told.append)
    assert [line.partition(" ")[0] for line in told] == ["ann"] and "\n" not in told[0]


@pytest.mark.slow
def test_a_table_that_is_no_list_of_people_is_refused_before_it_is_worked_on(tmp_path):
    wide = {
        f"{n}.csv": "email\n" + row
        for n, row in enumerate(("," * 5_000_000, ',,,"\n",' * 1_000_000, ("," * 900 + "\n") * 9999))
    }
    texts = {"rows.csv": "email\n" + "x\n" * (MAX_ROWS + 1), "columns.csv": "," * 2000, **wide}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        with at_most(200 << 20), pytest.raises(GraderError, match="is no list of people"):
            read_table(tmp_path / name)
    (tmp_path / "long.csv").write_text("email," + "a" + " " * 100_000 + "b\n")
    assert max(map(len, read_table(tmp_path / "long.csv").header)) <= 300


def test_a_device_for_a_table_is_refused_before_it_fills_the_memory(tmp_path):
    (tmp_path / "roster.csv").symlink_to("/dev/zero")
    with at_most(300 << 20), pytest.raises(GraderError, match="it is not an ordinary file"):
        read_table(tmp_path / "roster.csv")


def test_thousands_of_rows_of_one_person_are_a_mistake_in_the_file(tmp_path):
    assignment = load_assignment(ROOT / "assignment")
    header = "email,sid,course,1.2.1\n"
    (tmp_path / "book.csv").write_text(header + "".join(f"a@x.edu,{n},517,3\n" for n in range(20_000)))
    (tmp_path / "hand.csv").write_text("email,1.2.3\na@x.edu,2\n")
    with pytest.raises(GraderError, match=r"book\.csv row 52: the email a@x\.edu is in over 50 rows"):
        finalise(assignment, Inputs(tmp_path / "book.csv", tmp_path / "hand.csv"), tmp_path / "final.csv")


def test_a_loop_of_links_is_one_line(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(GraderError, match=r"^cannot read [^\n]*$"):
        read_files(tmp_path / "loop", 1 << 20)


def test_results_are_bounded_whatever_a_submission_did():
    notes = [f"\U0001f600{n}" * 200 for n in range(1999)]
    data = {"flags": ["x" * 50] * 1000, "place": "y" * 100_000, "kind": "numbers"}
    verdicts = [Verdict(q, FAILED, "\U0001f600" * 900, notes, notes, data=data) for q in QUESTIONS]
    tree = gradescope_tree(ASSIGNMENT, "101", verdicts, notes)
    assert len(json.dumps(tree)) < 40_000 and "more" in tree["output"].splitlines()[-1]
    for test in tree["tests"]:
        assert test["output"].startswith("\U0001f600") and "place" not in test["extra_data"]
        assert test["extra_data"]["kind"] == "numbers" and 0 < len(test["extra_data"]["flags"]) <= 40


def test_a_percent_script_warns_nobody(capfd, recwarn):
    from autograder.checks.formats import read

    assert read("a.py", b'# %% {"id": "a b", "x": 1}\nx = "\\d"\n# %% a="\\d" 1 is 1\ny = 1\n', 1 << 20).cells
    assert not recwarn.list and capfd.readouterr() == ("", "")
