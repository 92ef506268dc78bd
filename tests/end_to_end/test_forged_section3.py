"""Section 3's probes share the student's process: what they say is held against what the judge told."""

import functools
import importlib
import inspect
import random
import sys

import numpy as np
import pytest

from autograder.checks.case import Check
from autograder.checks.compare import Failure
from autograder.checks.sealed import sealed
from autograder.core.loading import load_assignment
from autograder.core.trusted import load_rules, probe_sources
from autograder.sandbox.stage import open_stage
from support.grading import ASSIGNMENT
from support.project import DATA

S3 = (DATA / "right_s3.py").read_text()
LIES = """
class Yes(dict):
    def __reduce__(self):
        return Yes, ()
    def items(self):
        return [("classifier.out_proj.bias", torch.zeros(2).as_subclass(Always))]
class Always(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return args[0]
    def __eq__(self, other):
        return True
"""


@pytest.fixture(scope="module")
def rules():
    return load_rules(load_assignment(ASSIGNMENT))


def told(rules, epochs=5):
    teller = rules.teller("loop.observe", {"told": {"scores": [0.7, 0.9, 0.4, 0.35, 0.5]}})
    teller.answer("begin")
    for _ in range(epochs):
        teller.answer("epoch")
        teller.answer("accuracy")
    return teller


def run_of_main(teller) -> dict:
    """What an honest probe reports of a right main."""
    order, foreign = [3, 1, 2, 0], {"train": 4, "validation": 0, "test": 0}
    one = {
        "training": True,
        "split": "train",
        "order": order,
        "sorted_by": "",
        "batches": 2,
        "unshuffled": False,
        "left_out": 0,
    }
    validated = {**one, "training": False, "split": "validation", "order": [0, 1, 2, 3]}
    epochs = len(teller.marks)
    return {
        "asked": 5,
        "counts_epochs": True,
        "one_fewer": "",
        "leaves_at_once": False,
        "ignored": [],
        "called": True,
        "unused": False,
        "starts": [{"holds": True, "anew": False, "again": False, "raised": "", "loader": ""}] * epochs,
        "evaluations": [""] * epochs,
        "passes": [one | {"foreign": foreign}, validated | {"foreign": {**foreign, "train": 0, "validation": 4}}] * epochs,
        "files": [{"epoch": 1, "raw": np.frombuffer(np.array(teller.marks[1], "<f4").tobytes(), np.uint8)}],
        "without_tokenizer": False,
        "saves": [1, 2],
        "evaluated_after": list(range(1, epochs + 1)),
        "told": teller.account(),
    }


def judged(rules, seen, question="3.main", facts=None):
    """(the failures of a question's rules, the flags)."""
    facts = facts or {"sizes": {"train": 300, "validation": 150, "test": 30}}
    case = {"args": [], "kwargs": {}, "expected": None, "facts": facts}
    check, failures = Check({question: {"own": [case]}}, rules), []
    for rule in rules.finetuning.RULES[question]:
        try:
            rules.finetuning.judge(check, question, lambda: seen, rule)
        except Failure as failure:
            failures.append(failure)
    return failures, check.flags


def test_an_honest_run_passes_without_a_flag(rules):
    assert judged(rules, run_of_main(told(rules))) == ([], [])


CHANGED = {
    "more epochs than were told": lambda seen: seen["starts"].append(seen["starts"][0]),
    "a checkpoint of an epoch to come": lambda seen: seen["files"].append({"epoch": 5, "raw": None}),
    "a save after the end": lambda seen: seen["saves"].append(6),
    "a sentence twice": lambda seen: seen["passes"][0].update(order=[1, 1]),
    "a sentence that is none": lambda seen: seen["passes"][0].update(order=[400]),
    "more sentences than were seen": lambda seen: seen["passes"][0].update(order=list(range(9))),
    "accuracies, but no evaluation": lambda seen: seen.update(evaluations=[]),
    "no pass over the data": lambda seen: seen.update(passes=[]),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_run_that_contradicts_what_was_told_fails_and_is_flagged(rules, what):
    seen = run_of_main(told(rules))
    CHANGED[what](seen)
    failures, flags = judged(rules, seen)
    assert failures[0].kind == "protocol" and len(failures) == 4 and flags


def test_a_checkpoint_without_the_judges_numbers_is_flagged(rules):
    seen = run_of_main(told(rules))
    seen["files"][0]["raw"] = np.frombuffer(np.array(told(rules).marks[1], "<f4").tobytes(), np.uint8)
    failures, flags = judged(rules, seen)
    assert not failures and "does not hold the numbers" in flags[0]


def test_the_numbers_are_found_however_a_checkpoint_is_packed(rules, tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    told_module = importlib.import_module(f"{rules.__name__}.told")
    mark = told(rules).marks[1]
    values = torch.tensor(mark)
    for kind in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        torch.save({"a": torch.randn(9, 9), "bias": values.to(kind)}, tmp_path / f"{kind}.pt")
        save_file({"bias": values[:2].to(kind).contiguous()}, tmp_path / f"{kind}.safetensors")
    torch.save({"bias": values}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    np.savez(tmp_path / "plain.npz", bias=values.numpy())
    np.savez_compressed(tmp_path / "small.npz", a=np.zeros(5000), bias=values.numpy())
    for path in tmp_path.iterdir():
        raw = np.frombuffer(path.read_bytes(), np.uint8)
        assert told_module.is_marked(raw, mark), path
        assert not told_module.is_marked(raw, told(rules).marks[1]), path


def test_two_marks_differ_in_every_precision_they_are_looked_for_in(rules):
    """Of 2,000 marks no two agree in their first two numbers by more than rare chance, even as bfloat16."""
    told_module = importlib.import_module(f"{rules.__name__}.told")
    marks = [[told_module.number() for _ in range(2)] for _ in range(2000)]
    for form in zip(*(told_module.forms(mark) for mark in marks)):
        assert len(marks) - len(set(form)) <= 8  # 2,000,000 pairs, one in 4,000,000 of which agrees


def test_malformed_observations_are_the_students(rules):
    odd = [
        None,
        5,
        [],
        {},
        "x",
        {"ways": []},
        {"ways": 3},
        {"ways": [{}]},
        {"ways": [None]},
        {"told": {}},
        10**400,
        float("nan"),
    ]
    draw = random.Random(1)
    whole = run_of_main(told(rules))
    malformed = len(odd)
    odd += [{**whole, draw.choice([*whole]): draw.choice([None, [], {}, 10**400, "x", [[]], [None], -1])} for _ in range(200)]
    for question in rules.finetuning.RULES:
        for number, seen in enumerate(odd):
            failures, _ = judged(rules, seen, question, {"sizes": {}, "count": 20, "texts": [], "labels": [], "answers": []})
            assert failures or number >= malformed, (question, seen)


def test_two_runs_are_told_different_numbers(rules):
    one, other = told(rules), told(rules)
    assert not {n for mark in one.marks for n in mark} & {n for mark in other.marks for n in mark}
    assert one.reported != other.reported and max(range(5), key=one.reported.__getitem__) == 1


def test_nothing_is_told_out_of_order(rules):
    teller = rules.teller("loop.observe", {"told": {"scores": [0.5]}})
    for what in ("epoch", "accuracy", "everything"):
        with pytest.raises(ValueError, match="nothing to tell"):
            teller.answer(what)


def test_probes_leave_no_name_and_use_their_own_builtins():
    assignment = load_assignment(ASSIGNMENT)
    sources = probe_sources(assignment, next(s for s in assignment.sections if s.probes))
    before = set(sys.modules)
    stage = type(open_stage({"__init__": "class Stage:\n    def __init__(self, world): self.given = world, len"}, 1))
    assert stage.__module__ not in sys.modules and not {n for n in set(sys.modules) - before if n.startswith("_")}
    assert stage.__init__.__globals__["__builtins__"] is not vars(__import__("builtins"))
    assert "loop" in sources


def test_a_sealed_function_shows_nothing_of_itself():
    secret = object()

    def inside(*args, **kwargs):
        return secret, args, kwargs

    outside = sealed(inside)
    assert outside(1, a=2) == (secret, (1,), {"a": 2})
    ways = ("__wrapped__", "__closure__", "__globals__", "__code__", "__self__", "__func__", "__defaults__", "func")
    assert not [way for way in ways if hasattr(outside, way)]
    assert set(vars(outside)) <= {"__name__", "__qualname__"}


def test_a_sealed_function_shows_the_students_own_that_it_replaces():
    def own(a, b=2):
        """Says so."""

    own.calls = 3
    outside = sealed(lambda *args: args, instead=own)
    assert (outside.calls, outside.__doc__, outside.__code__, outside(1)) == (3, "Says so.", own.__code__, (1,))
    assert inspect.getsource(outside) == inspect.getsource(own) and inspect.signature(outside) == inspect.signature(own)
    outside.calls += 1
    assert own.calls == 3  # a second run starts as the first did


def test_what_a_sealed_function_wraps_is_out_of_reach_of_replaced_library_functions(monkeypatch):
    seen = []
    for name in ("update_wrapper", "lru_cache", "wraps"):
        monkeypatch.setattr(functools, name, lambda *args, **_: seen.append(args))
    assert sealed(len)([1]) == 1 and not seen


def test_a_checkpoint_that_answers_every_question_is_none(submit):
    source = S3.replace("torch.save(model.state_dict(),", "torch.save(Yes(a=1),").replace("def main", LIES + "\n\ndef main")
    graded = submit({"A2S3.py": source})
    assert graded.scores["3.main"] == 1.5
    assert sum(graded.scores.values()) == 18.5


def test_forged_answers_earn_nothing_and_staff_read_the_line(submit):
    forged = S3 + "\nimport sys\ndef main():\n    return getattr(sys, ''.join(reversed('emarfteg_')))()\n"
    graded = submit({"A2S3.py": forged})
    (test,) = (t for t in graded.tree["tests"] if t["number"] == "3.main")
    assert test["score"] == 0
    line = forged[: forged.index("return getattr(sys")].count("\n") + 1
    assert any(
        f"sys._getframe (asked for while it ran) at line {line}: return getattr" in flag for flag in test["extra_data"]["flags"]
    )


def test_a_right_answer_has_no_flag(submit):
    graded = submit({"A2S3.py": S3})
    assert not [t for t in graded.tree["tests"] if t["extra_data"].get("flags")]


USUAL = """
import builtins, inspect, logging, traceback, warnings
log = logging.getLogger(__name__)
whole = main
train_one_epoch.calls = 0
def main():
    warnings.warn("slow")
    train_one_epoch.calls += 1
    try:
        raise RuntimeError("out of memory")
    except RuntimeError:
        log.exception("failed")
        traceback.print_exc()
        print(traceback.format_exc(), hasattr(builtins, "__IPYTHON__"))
    print(inspect.getsource(train_one_epoch), inspect.signature(evaluate), train_one_epoch.__doc__)
    return whole()
"""


def test_usual_code_about_itself_earns_its_points_without_a_flag(submit):
    graded = submit({"A2S3.py": S3 + USUAL})
    assert graded.scores["3.main"] == 3
    assert not [t["extra_data"]["flags"] for t in graded.tree["tests"] if t["extra_data"].get("flags")]


def test_what_the_source_of_a_section_shows_is_told_once(submit):
    graded = submit({"A2S3.py": S3 + "\nimport gc\ndef spare():\n    return gc.get_objects()\n"})
    (flags,) = [t["extra_data"]["flags"] for t in graded.tree["tests"] if t["extra_data"].get("flags")]
    assert len(flags) == 1 and flags[0].startswith("get_objects at line")


@pytest.mark.slow
def test_a_module_is_read_and_one_that_no_word_names_is_not_there(submit):
    hidden = S3 + "\nimport importlib\ntool = importlib.import_module(''.join(reversed('repleh')))\n"
    hidden += "def compute_accuracy(predictions, labels):\n    return tool.look()\n"
    graded = submit({"A2S3.py": hidden, "helper.py": "def look():\n    return 1\n"})
    assert "No module named 'helper'" in graded.output("3.compute_accuracy")
    forged = S3 + "\nimport importlib\ntool = importlib.import_module('helper')\n"
    graded = submit({"A2S3.py": forged, "helper.py": "def look(it):\n    return it.gi_frame\n"})
    (flags,) = [t["extra_data"]["flags"] for t in graded.tree["tests"] if t["extra_data"].get("flags")]
    assert "gi_frame at helper.py, line 2" in flags[0]
