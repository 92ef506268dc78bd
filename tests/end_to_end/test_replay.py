"""A receipt tells who graded what, and a replay whether a results.json holds: genuine, edited, or graded otherwise."""

import copy
import json
import re

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.receipt import RECEIPT, code_of
from autograder.judging.replay import (
    EDITED,
    GENUINE,
    OLDER,
    OTHER_KEY,
    PARTLY,
    SAID,
    UNSIGNED,
    compare,
    read_results,
    replay,
    verify,
)
from autograder.judging.results import student_copy
from autograder.judging.run import run_grading
from support.toy import autograder
from support.toy_class import RIGHT, WRONG


class Bench:
    """One graded submission, and whatever a test makes of its results.json."""

    def __init__(self, course):
        self.course, self.file = course, course.root / "results.json"
        self.submission = course.hand_in("ada", WRONG)
        self.references = fresh_references(course.folder, course.folder / "solutions", course.root / "build")
        self.assignment = load_assignment(course.folder)
        self.key = bytes.fromhex(read_references(self.references)[RECEIPT])
        self.tree = run_grading(self.assignment, self.references, self.submission, "102", self.file)

    def replayed(self, tree=None, submission=None):
        if tree is not None:
            self.file.write_text(json.dumps(tree))
        return replay(self.assignment, lambda: self.references, self.file, submission or self.submission)

    def read(self, tree):
        self.file.write_text(tree if isinstance(tree, str) else json.dumps(tree))
        return read_results(self.file, self.assignment)


@pytest.fixture
def bench(course):
    return Bench(course)


def deep():
    """Lists in lists, as deep as JSON is still read."""
    value = []
    for _ in range(600):
        value = [value]
    return value


def edited(tree, change):
    tree = copy.deepcopy(tree)
    change(tree)
    return tree


@pytest.mark.slow
def test_the_same_submission_is_the_same_to_the_last_verdict_whoever_hands_the_file_over(bench):
    answer = bench.replayed()
    assert (
        answer.same
        and answer.lines[0] == SAID[GENUINE]
        and answer.lines[2:] == ["The same, to the last verdict: 2 items, 3 points."]
    )
    assert answer.lines[1].startswith("lost: 1.add: failed, 0/4: "), "what a dispute is about"
    assert bench.replayed(student_copy(bench.tree)).same, "a student's copy holds, too"
    bench.file.write_text(json.dumps(json.loads(bench.file.read_text().replace("3.0", "3")), indent=7, sort_keys=True))
    assert bench.replayed().same, "and so does one that another program has written again"


EDITS = {
    "more points": lambda t: t["tests"][0].update(score=4),
    "a better total": lambda t: t.update(score=7),
    "a nicer text": lambda t: t["tests"][0].update(output="all is well"),
    "another verdict": lambda t: t["tests"][0]["extra_data"].update(verdict="passed"),
    "another maximum": lambda t: t["tests"][1].update(max_score=30),
    "an item less": lambda t: t["tests"].pop(),
    "another course": lambda t: t["extra_data"].update(course="101"),
    "another file's digest": lambda t: t["extra_data"][RECEIPT].update(submission="0" * 64),
    "another grader": lambda t: t["extra_data"][RECEIPT]["grader"].update(engine="0" * 64),
    "another version": lambda t: t["extra_data"][RECEIPT]["versions"].update(numpy="0.1"),
    "no letters": lambda t: t["extra_data"][RECEIPT].update(signature="\ud800ü"),
}


def test_every_edit_is_recognised(bench):
    for name, change in EDITS.items():
        assert verify(bench.read(edited(bench.tree, change)), bench.key) == EDITED, name
    forged = bench.replayed(edited(bench.tree, EDITS["more points"]))
    assert not forged.same and forged.lines[0] == SAID[EDITED]
    assert any(re.match(r"1\.add: then failed, 4/4; now failed, 0/4: ", line) for line in forged.lines)


WORDING = {
    "another summary": lambda t: t.update(output="Score 7 of 7, by agreement with the instructor."),
    "a line more": lambda t: t.update(output=t["output"] + "\nThe instructor has agreed to 7 points."),
    "another name": lambda t: t["tests"][0].update(name="1.add (waived)"),
    "another tag": lambda t: t["tests"][0].update(tags=["extra credit"]),
    "hidden": lambda t: t["tests"][0].update(visibility="hidden"),
    "hidden as a whole": lambda t: t.update(visibility="hidden"),
    "other data": lambda t: t["tests"][0]["extra_data"].update(text="all is well"),
    "a new field": lambda t: t.update(leaderboard=[]),
    "a deep field": lambda t: t.update(leaderboard=deep()),
}


def _older(tree):
    del tree["extra_data"][RECEIPT]["whole"]


def test_every_edit_of_what_is_no_verdict_is_recognised_too(bench):
    now = json.loads(json.dumps(bench.tree))
    for name, change in WORDING.items():
        forged = bench.read(edited(bench.tree, change))
        assert verify(forged, bench.key) == PARTLY, name
        answer = compare(forged, now, PARTLY)
        assert not answer.same and answer.lines[0] == SAID[PARTLY], name
        assert "to the last verdict" not in answer.lines[-1]
    lines = compare(edited(bench.tree, WORDING["another name"]), now, PARTLY).lines
    assert any(line.startswith('1.add: name: in the file "1.add (waived)"; now "') for line in lines)
    lines = compare(edited(bench.tree, WORDING["a line more"]), now, PARTLY).lines
    assert "summary: in the file only: The instructor has agreed to 7 points." in lines


def test_an_older_receipt_still_holds_for_what_it_covers_and_says_so(bench):
    now = json.loads(json.dumps(bench.tree))
    old = bench.read(edited(bench.tree, _older))
    assert verify(old, bench.key) == OLDER and compare(old, now, OLDER).same and "are not signed" in SAID[OLDER]
    for name, change in EDITS.items():
        assert verify(bench.read(edited(edited(bench.tree, _older), change)), bench.key) == EDITED, name
    for name in ("another summary", "another name", "another tag", "hidden"):
        forged = bench.read(edited(edited(bench.tree, _older), WORDING[name]))
        assert verify(forged, bench.key) == OLDER and not compare(forged, now, OLDER).same, name


@pytest.mark.slow
def test_without_the_key_a_file_is_never_called_genuine(bench):
    unsigned = edited(bench.tree, lambda t: t["extra_data"].pop(RECEIPT))
    assert verify(bench.read(unsigned), bench.key) == UNSIGNED and not bench.replayed(unsigned).same
    foreign = edited(bench.tree, lambda t: t["extra_data"][RECEIPT].update(key="0" * 12))
    assert verify(bench.read(foreign), bench.key) == OTHER_KEY
    assert verify(bench.read(bench.tree), b"another key") == OTHER_KEY


@pytest.mark.slow
def test_another_file_another_grader_and_another_version_are_told_apart(bench):
    answer = bench.replayed(submission=bench.course.hand_in("bo", RIGHT))
    assert not answer.same and answer.lines[0] == SAID[GENUINE] and answer.lines[1].startswith("another file: then ")
    assert "1.add: then failed, 0/4; now passed, 4/4: " in " ".join(answer.lines)
    now = copy.deepcopy(bench.tree)
    now["extra_data"][RECEIPT]["grader"]["engine"] = "f" * 64
    now["extra_data"][RECEIPT]["versions"]["numpy"] = "9.9"
    told = compare(bench.tree, now, GENUINE)
    assert not told.same and "verdicts are the same" in told.lines[-1]
    assert [line.split(":")[0] for line in told.lines[1:3]] == ["another grader, the grader's code", "another version of numpy"]
    rubric = bench.course.folder / "rubric.toml"
    rubric.write_text(rubric.read_text().replace("102 = 4", "102 = 3").replace("102 = [7, 0]", "102 = [6, 0]"))
    bench.assignment = load_assignment(bench.course.folder)
    moved = bench.replayed()
    assert any(line.startswith("another grader, the assignment: ") for line in moved.lines)
    assert "1.add: then failed, 0/4; now failed, 0/3" in " ".join(moved.lines)


MALFORMED = {
    "no JSON": "{",
    "a list": "[]",
    "deep": "[" * 100_000,
    "NaN": '{"score": NaN}',
    "no tests": {"score": 1, "extra_data": {}},
    "a text for a score": {"score": "1", "tests": [], "extra_data": {}},
    "infinity": '{"score": 1e999, "tests": [], "extra_data": {}}',
    "a huge number": '{"score": 1' + "0" * 400 + ', "tests": [], "extra_data": {"course": "102", "complete": true}}',
    "too many digits": '{"score": 1' + "0" * 9_000 + "}",
    "no course": {"score": 1, "tests": [], "extra_data": {"complete": True}},
    "an item that is none": {"score": 1, "tests": [3], "extra_data": {"course": "102", "complete": True}},
    "too many items": {"score": 1, "tests": [{}] * 2_000, "extra_data": {"course": "102", "complete": True}},
    "a receipt that is none": {"score": 1, "tests": [], "extra_data": {"course": "102", "complete": True, RECEIPT: [1]}},
    "no such course": {"score": 1, "tests": [], "extra_data": {"course": "\u202e9", "complete": True}},
    "too large": " " * (9 << 20),
    "a deep status": lambda t: t["tests"][0].update(status=deep()),
    "a receipt with more in it": lambda t: t["extra_data"][RECEIPT].update(more=deep()),
    "a deep version": lambda t: t["extra_data"][RECEIPT]["versions"].update(numpy=deep()),
}


def test_a_file_that_is_no_result_is_refused_in_one_line(bench):
    for name, tree in MALFORMED.items():
        with pytest.raises(GraderError) as refusal:
            bench.read(edited(bench.tree, tree) if callable(tree) else tree)
        assert "\n" not in str(refusal.value) and "\u202e" not in str(refusal.value) and len(str(refusal.value)) < 400, name
    twice = edited(bench.tree, lambda t: t["tests"].append(t["tests"][0]))
    with pytest.raises(GraderError, match="an item occurs twice"):
        bench.read(twice)
    for odd in (deep(), "x" * 10_000, True, None):
        other = edited(bench.tree, lambda t, odd=odd: t["tests"][0]["extra_data"].update(inputs=odd))
        assert verify(bench.read(other), bench.key) == GENUINE and compare(other, bench.tree, GENUINE).same
    told = compare(edited(bench.tree, lambda t: t["tests"][0]["extra_data"].update(inputs=10**400)), bench.tree, GENUINE)
    assert not told.same and told.lines[1] == "another number of a hidden set, which is not signed: 1.add"


def test_students_read_a_short_receipt_and_no_hidden_set(bench):
    receipt = bench.tree["extra_data"][RECEIPT]
    last = bench.tree["output"].splitlines()[-1]
    assert last.startswith(f"Receipt {code_of(receipt['signature'])}: submission {receipt['submission'][:12]}, grader ")
    assert len(last) < 200 and bench.key.hex() not in json.dumps(bench.tree)
    assert all("inputs" in test["extra_data"] for test in bench.tree["tests"])
    assert not any("inputs" in test["extra_data"] for test in student_copy(bench.tree)["tests"])


@pytest.mark.slow
def test_a_batchs_results_carry_the_same_receipt_as_a_single_grading(bench):
    bench.course.run()
    tree = json.loads((bench.course.root / "out" / "results" / "ada.json").read_text())
    assert bench.replayed(tree).same
    alone = run_grading(bench.assignment, bench.references, bench.submission, "102", bench.file)
    assert tree["extra_data"][RECEIPT] == alone["extra_data"][RECEIPT]
    assert not any("inputs" in test["extra_data"] for test in tree["tests"])


@pytest.mark.slow
def test_the_command_answers_in_lines_and_by_its_exit_status(bench):
    folders = ["--assignment", bench.course.folder, "--solutions", bench.course.folder / "solutions"]
    command = [*folders, "--build", bench.course.root / "build", "replay", bench.file]
    same = autograder(*command, bench.submission, cwd=bench.course.root)
    assert same.returncode == 0 and same.stdout.splitlines()[-1].startswith("The same, to the last verdict"), same.stderr
    bench.file.write_text(json.dumps(edited(bench.tree, EDITS["a better total"])))
    assert autograder(*command, bench.submission, cwd=bench.course.root).returncode == 1
    bench.file.write_text("no result")
    refused = autograder(*command, bench.submission, cwd=bench.course.root)
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1
    swapped = autograder(*command[:-1], bench.submission, bench.file, cwd=bench.course.root)
    assert swapped.returncode == 2 and "name the results.json first, then the submission" in swapped.stderr


def test_a_whole_class_is_not_graded_as_one_submission(bench):
    for name in ("submission_1", "submission_2"):
        bench.course.hand_in(name, RIGHT)
    (bench.course.root / "class" / "submission_metadata.yml").touch()
    export = bench.submission.parent
    for command in (["grade", export], ["replay", bench.file, export]):
        done = autograder("--assignment", bench.course.folder, *command, cwd=bench.course.root)
        one = export / "submission_1"
        assert done.returncode == 2 and done.stdout == "", done.stderr
        assert done.stderr == f"autograder: {export} holds 2 submissions: name one of them, such as {one}, or use `batch`\n"


@pytest.mark.parametrize("damage", [lambda text: text[: len(text) // 2], lambda text: "", lambda text: text.encode("utf-16")])
def test_a_result_that_is_cut_off_is_said_to_be_no_whole_json(bench, damage):
    damaged = damage(bench.file.read_text())
    bench.file.write_bytes(damaged if isinstance(damaged, bytes) else damaged.encode())
    with pytest.raises(GraderError, match=r"is no JSON, or only a part of it"):
        read_results(bench.file, bench.assignment)


def test_a_result_that_an_editor_saved_with_a_mark_is_read(bench):
    bench.file.write_bytes(b"\xef\xbb\xbf" + bench.file.read_bytes())
    assert read_results(bench.file, bench.assignment) == bench.tree


def test_another_seed_is_refused_with_the_way_to_the_archive_and_not_to_other_references(bench):
    folders = ["--assignment", bench.course.folder, "--solutions", bench.course.folder / "solutions"]
    command = [*folders, "--build", bench.course.root / "build", "replay", bench.file, bench.submission]
    refused = autograder(*command, cwd=bench.course.root, AUTOGRADER_SEED="a new shell's")
    assert refused.returncode == 2 and "was drawn from another seed than AUTOGRADER_SEED: give the former" in refused.stderr
    assert "--archive" in refused.stderr and "delete" not in refused.stderr
