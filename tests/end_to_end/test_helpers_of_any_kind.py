"""A right helper stands in for a broken one whatever plain values its calls are made of; what it cannot take is told."""

import pytest

from autograder.authoring.baking.freshness import fresh_references
from autograder.core.loading import load_assignment
from autograder.core.references import read_references
from autograder.judging.grade import grade
from autograder.judging.grader import Grader
from autograder.sandbox.judge_side.zygote_client import ZygoteClient

RUBRIC = """[assignment]
title = "Words"
courses = ["101"]
[[section]]
id = "T1"
title = "Words"
file_pattern = 't1'
names = ["paired", "told", "counts"]
[[question]]
id = "1.1"
title = "paired"
section = "T1"
names = ["paired"]
points = 2
sentence = "The value twice."
[[question]]
id = "1.2"
title = "told"
section = "T1"
names = ["told"]
prerequisites = ["1.1"]
points = 3
sentence = "How long it is."
[[question]]
id = "1.3"
title = "counts"
section = "T1"
names = ["counts"]
points = 3
sentence = "How often each letter occurs."
"""
INPUTS = """import random


def draw(seed, public, names):
    rng = random.Random(1 if public else seed)

    def cases(function):
        words = ["".join(rng.choice("abcd") for _ in range(n)) + "e" * rng.randint(1, 9) for n in (5, 9, 60)]
        return [{"args": [word], "kwargs": {}, "function": function} for word in words]

    return {id: {group: cases(name) for group in ("own", "fresh")} for id, name in names_of.items()}


names_of = {"1.1": "paired", "1.2": "told", "1.3": "counts"}
"""
HELPERS = """def paired(value):
    if value == "trouble":
        raise KeyError("a secret")
    return [value, value]


answers = {"paired": paired}
"""
SOLUTION = """def paired(value):
    return [value, value]


def told(word):
    return len(paired(word)[0])


def counts(word):
    return {letter: word.count(letter) for letter in sorted(set(word))}
"""
BROKEN = """class Own:
    pass


def paired(value):
    return None


def told(word):
    sent = {sent}
    back = paired(sent)
    return len(word) + {off} if back == [sent, sent] and type(back[1]) is type(sent) else -1


def counts(word):
    return {{letter: word.count(letter) for letter in reversed(sorted(set(word)))}}
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """A function from a submission's source to {question: verdict}."""
    root = tmp_path_factory.mktemp("words")
    folder, solutions = root / "assignment", root / "solutions"
    folder.mkdir()
    solutions.mkdir()
    (folder / "rubric.toml").write_text(RUBRIC)
    (folder / "inputs.py").write_text(INPUTS)
    (folder / "trusted_helpers.py").write_text(HELPERS)
    (solutions / "T1.py").write_text(SOLUTION)
    references = fresh_references(folder, solutions, root / "build")
    assignment = load_assignment(folder)
    with ZygoteClient(assignment.preload) as zygote:
        grader = Grader(assignment, read_references(references), zygote)

        def judged(source: str) -> dict:
            (root / "T1.py").write_text(source)
            return {v.question.id: v for v in grade(grader, root / "T1.py", lambda *_: None)}

        yield judged


@pytest.mark.parametrize(
    "sent",
    [
        "word",
        "[word, [word, 2]]",
        "(word, (1, 2.5))",
        "{word: len(word), 3: None, (1, 2): [word]}",
        "{word.encode(): 1, frozenset(word): (2,)}",
        "{word, 'b', 7}",
        "frozenset(word)",
        "word.encode()",
        "None",
        "True",
        "2.5",
        "1 + 2j",
        "[list(range(60)), {'deep': [{'er': (word, {1})}]}]",
        "''",
        "[]",
        "{}",
    ],
)
def test_every_plain_value_reaches_a_right_helper_and_comes_back_as_it_was(verdicts, sent):
    found = verdicts(BROKEN.format(sent=sent, off=0))
    assert found["1.1"].status == "failed"
    assert found["1.2"].status == "passed", (found["1.2"].reason, found["1.2"].data)


def test_a_wrong_composite_is_told_that_right_helpers_did_not_save_it(verdicts):
    found = verdicts(BROKEN.format(sent="word", off=1))["1.2"]
    assert found.status == "failed" and "correct versions of `paired`: wrong both times" in "".join(found.notes)


@pytest.mark.parametrize(
    "sent, why",
    [
        ("Own()", "called with something of type Own"),
        ("[word, print]", "called with something of type builtin_function_or_method"),
        ("word * 5000", "cannot be sent"),
        ("[word] * 20_000", "cannot be sent"),
        ("10 ** 9", "more than the cases suggest"),
        ("'trouble'", "raised KeyError"),
    ],
)
def test_nobody_claims_that_a_composite_was_tried_with_a_helper_that_could_not_answer(verdicts, sent, why):
    found = verdicts(BROKEN.format(sent=sent, off=0))["1.2"]
    notes = " ".join(found.notes)
    said = "raise an exception" if why.startswith("raised") else "could not answer every call"
    assert found.status == "failed" and "both times" not in notes and said in notes
    assert any(why in flag for flag in found.data["flags"]), found.data
    assert "a secret" not in str(vars(found))


def test_a_dict_is_right_in_whatever_order_its_keys_were_put_in(verdicts):
    assert verdicts(BROKEN.format(sent="word", off=0))["1.3"].status == "passed"
    assert verdicts(SOLUTION.replace("word.count(letter)", "word.count(letter) or 1"))["1.3"].status == "passed"
    wrong = verdicts(SOLUTION.replace("word.count(letter) for", "word.count(letter) + 1 for"))["1.3"]
    assert wrong.status == "failed" and "one of its values: off by 1" in wrong.reason and "$map" not in str(vars(wrong))
