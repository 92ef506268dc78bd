"""What is shown of a failing call, as text, as HTML and as data, is the same on whichever hidden set an answer was judged."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from autograder.judging.output import plain_output
from support.world.kind import S3

# Summaries of errors, with two digits, and sizes of hidden calls: the only things that depend on the set.
SUMMARIES = re.compile(
    r"\(batch \d[^)]*\)|n_tok ?=? ?\d+|\d+ of \d+|first at (?:index )?\[[\d, ]+\]|error \S+|median \S+|off by \S+"
    r"|shape \([^)]*\)"
)
DATA = {"largest", "median", "off", "size", "first", "nan", "shape", "expected_shape", "inputs", "seconds"}

KINDS = {
    "returns its input": "return A",
    "returns its input on large calls": "return A if A.shape[-1] > 10 else F.softmax(A, dim=-1)",
    "returns its input as a list": "return A.tolist()",
    "returns its input as text": "return repr(A)",
    "returns a shape made of its input": "return torch.zeros(1, int(A.abs().max() * 1000) % 40 + 1)",
    "returns as many numbers as its input says": "return [0] * (int(A.abs().max() * 1000) % 40)",
    "prints its input": "print(A)\nprint(A, file=sys.stderr)\nreturn -A",
    "raises with its input": "raise ValueError(f'{A.flatten()[:3]}')",
    "raises with its input on large calls": "if A.shape[-1] <= 10: return F.softmax(A, dim=-1)\nraise ValueError(str(A))",
    "names a class after its input": "return type(f'N{A.flatten()[0]}'.replace('.', '_'), (), {})()",
    "names an exception after its input": "raise type(f'N{A.flatten()[0]}'.replace('.', '_'), (Exception,), {})(A)",
    "names an attribute after its input": "return getattr(A, f'n{int(A.abs().max() * 10**6)}')",
    "keeps its input for later": "SEEN.append(A)\nraise ValueError(SEEN[0].flatten()[:3], len(SEEN))",
    "puts its input into an object": "class Shown:\n    tensor = A\n    __doc__ = str(A)\nreturn Shown()",
    "is right for small inputs": "return F.softmax(A, dim=-1) + (A.numel() > 60) * A",
}


def judged(submit, grader, s2: str, body: str, number: int) -> dict:
    code = "import sys\nSEEN = []\n" + s2.replace("return F.softmax(A, dim=-1)", body.replace("\n", "\n    "))
    grader.only = number
    try:
        return submit({"A2S2.py": code}).tree
    finally:
        grader.only = None


def shown(tree: dict) -> list:
    """All that is shown and kept, without summaries of errors."""
    entries = []
    for test in tree["tests"]:
        data = {key: value for key, value in test["extra_data"].items() if key not in {*DATA, "text"}}
        texts = [unescape(test["output"]), plain_output(test)]
        entries.append((test["number"], test["score"], [SUMMARIES.sub("…", text) for text in texts], data))
    return [entries, tree["output"], tree["extra_data"]]


def calls(tree: dict) -> list[str]:
    """The failing calls as they are shown, sizes and all."""
    return [line for test in tree["tests"] for line in plain_output(test).split("\n") if line.startswith("   ")]


@pytest.mark.many(of=16)
@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_tells_its_inputs_tells_the_same_on_every_hidden_set(submit, grader, s2, kind):
    first, second = (judged(submit, grader, s2, KINDS[kind], number) for number in (0, 1))
    assert shown(first) == shown(second) and calls(first) == calls(second)
    softmax = next(test for test in first["tests"] if test["number"] == "2.1.attn_softmax")
    assert softmax["score"] == 0


TELLING = {
    "return their inputs": "return given[0]",
    "print their inputs": "print(given)\nprint(given, file=sys.stderr)\nreturn None",
    "raise with their inputs": "raise ValueError(repr(given))",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", TELLING.values(), ids=TELLING)
def test_functions_that_all_tell_their_inputs_tell_the_same_on_every_hidden_set(submit, grader, s2, body):
    names = sorted({q.names[0] for q in grader.assignment.questions if q.id.startswith("2.1.")})
    indented = body.replace("\n", "\n    ")
    code = "\n".join([f"import sys\n{s2}", *(f"def {name}(*given, **named):\n    {indented}" for name in names)])
    trees = []
    for number in (0, 1):
        grader.only = number
        try:
            trees.append(submit({"A2S2.py": code}).tree)
        finally:
            grader.only = None
    assert shown(trees[0]) == shown(trees[1])
    wrong = {test["number"] for test in trees[0]["tests"] if not test["score"]}
    assert {q.names[0] for q in grader.assignment.questions if q.id in wrong} >= set(names)


TIME = re.compile(r'"(?:execution_time|seconds)": [\d.]+')
SAID = {
    "3.dataset.len": ("return len(self.data)", "[row.text for row in self.data]"),
    "3.dataset.getitem": ("return self.data[index]", "(self.data[index].text, [row.label for row in self.data])"),
    "3.dataset.iter": ("for example in self.data:", "[(row.text, row.label) for row in self.data]"),
    "3.collate": ("texts = [sample.text for sample in batched_samples]", "[(s.text, s.label) for s in batched_samples]"),
    "3.compute_accuracy": ("return (predictions == labels)", "(predictions.tolist(), labels.tolist())"),
    "3.train_one_epoch": ("model.train()", "[tokenizer.batch_decode(b['text_encoding']['input_ids']) for b in dataloader]"),
    "3.evaluate": ("model.eval()", "[tokenizer.batch_decode(b['text_encoding']['input_ids']) for b in dataloader]"),
    "3.main": ("if accuracy > best:", "(accuracy, [row.text for row in datasets['train'].data])"),
}


@pytest.mark.many(of=35)
@pytest.mark.parametrize("way", ["return {}", "print({})", "raise ValueError({})", "raise KeyError(str({}))"])
@pytest.mark.parametrize("id", SAID)
def test_an_item_of_section_3_that_tells_its_inputs_tells_no_hidden_one(submit, grader, id, way):
    line, told = SAID[id]
    assert id in {q.id for q in grader.assignment.questions} and S3.count(line) == 1
    indent = re.search(rf"^( *){re.escape(line)}", S3, re.MULTILINE)[1]
    grader.only = 0
    try:
        graded = submit({"A2S3.py": S3.replace(indent + line, f"{indent}{way.format(told)}\n{indent}{line}")})
    finally:
        grader.only = None
    everything = TIME.sub("", json.dumps(graded.tree, ensure_ascii=False))  # which may be any number
    world = next(iter(grader.inputs(0)["worlds"].values()))
    texts = [row["text"] for rows in world["splits"].values() for row in rows]
    public = next(iter(grader.references["public"]["worlds"].values()))
    assert not [text for text in texts if text in everything]
    hidden = set(map(str, world["told"]["scores"])) - set(map(str, public["told"]["scores"]))
    assert not [score for score in hidden if re.search(rf"(?<![\d.]){re.escape(score)}(?!\d)", everything)]
    assert id in graded.lost or way.startswith("print")


def test_every_item_of_section_3_is_told_on(grader):
    assert set(SAID) == {q.id for q in grader.assignment.questions if q.id.startswith("3.")}


def test_a_failing_public_call_is_shown_as_escaped_code_and_as_text(submit, s2):
    told = "<script>alert(1)</script> & <b>`x`</b>"
    graded = submit({"A2S2.py": s2.replace("return F.softmax(A, dim=-1)", f"raise ValueError({told!r})")})
    entry = next(test for test in graded.tree["tests"] if test["number"] == "2.1.attn_softmax")
    assert entry["output_format"] == "html" and "<pre><code>A = torch.tensor([[[1.]]])\nattn_softmax(A)\n" in entry["output"]
    assert "<script" not in entry["output"] and "<b>" not in entry["output"] and "&lt;script&gt;" in entry["output"]
    text = entry["extra_data"]["text"]
    assert told in text and "called with A (1, 10, 10)" in text and "# right: [[[1.]]]" in text
    assert set(re.findall(r"</?(\w+)", entry["output"])) <= {"p", "pre", "code", "br"}


def test_attention_weights_are_a_table(submit, s1):
    graded = submit({"A2S1.py": s1.replace("query121 = S * key[0]", "query121 = key[0]")})
    entry = next(test for test in graded.tree["tests"] if test["number"] == "1.2.1")
    assert (
        entry["output_format"] == "html" and "<table><tr><th>v0</th><th>v1</th><th>v2</th><th>v3</th></tr>" in entry["output"]
    )
    weights = re.findall(r"<td>(\d\.\d\d)</td>", entry["output"])
    assert len(weights) == 4 and f"weights on v0…v3 are {', '.join(weights)}" in entry["extra_data"]["text"]
    assert "table" not in entry["extra_data"]


def test_what_is_right_blank_or_elsewhere_is_plain_text(submit, s1, s2):
    graded = submit({"A2S1.py": s1, "A2S2.py": s2.replace("return F.softmax(A, dim=-1)", "pass")})
    assert {test["output_format"] for test in graded.tree["tests"]} == {"text"}
    assert not any("text" in test["extra_data"] for test in graded.tree["tests"])


def test_a_course_that_keeps_right_results_to_itself_shows_the_call_alone(submit, grader, s2, monkeypatch):
    monkeypatch.setattr(grader, "assignment", replace(grader.assignment, show_right_results=False))
    graded = submit({"A2S2.py": s2.replace("return F.softmax(A, dim=-1)", "return F.softmax(A, dim=-2)")})
    text = graded.output("2.1.attn_softmax")
    assert "# yours: " in text and "# each row should sum to one" in text and "# right" not in text
