"""The bank of mistakes, used to audit the grader and to name a mistake to its author."""

import ast
import itertools
import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from assignment.rules import concepts, reasons
from autograder.authoring import audit
from autograder.checks import picture
from autograder.checks.diagnose import mistakes_like
from support import share
from support.project import ROOT


@pytest.mark.slow
def test_mistakes_cost_their_own_items_most_are_named_and_alternatives_cost_nothing(grader, capsys):
    """Some of the bank; `make audit` looks at all of it."""
    audited = audit.audit(grader, ROOT / "solutions", ROOT / "student", every=23)
    with capsys.disabled():
        print(f"\n{audited.last_line()}, named {sum(o.named for o in audited.of('mistake'))}")
    assert audited.problems == []
    mistakes = audited.of("mistake")
    assert len(mistakes) >= 8 and len(audited.of("alternative")) >= 5
    assert sum(o.named for o in mistakes) >= 0.6 * len(mistakes)  # of ten; of the whole bank seven in eight are


def test_every_item_has_mistakes_and_every_mistake_with_side_costs_a_reason(grader, bank):
    assert {m["item"] for m in bank["mistake"]} == {q.id for q in grader.assignment.questions}
    assert {a["item"] for a in bank["alternative"]} >= {q.id for q in grader.assignment.questions if "step" not in q.id}
    assert all(m["says"] and (not m.get("also_costs") or m["reason"]) for m in bank["mistake"])
    keys = [(e["item"], e["id"]) for e in bank["mistake"]]
    assert len(keys) == len(set(keys))


def test_no_mistake_costs_two_questions_about_the_same_function(grader, bank):
    for mistake in bank["mistake"]:
        owner = grader.assignment.question(mistake["item"])
        others = [grader.assignment.question(id) for id in mistake.get("also_costs", ())]
        assert owner.value or owner.probe or all(other.names != owner.names for other in others), mistake["id"]


def constants(node: ast.AST) -> Iterator[str]:
    """The concepts that this part of a rule names: a keyword, an entry of a dictionary, or the first of what is returned."""
    if isinstance(node, ast.keyword) and node.arg == "concept":
        yield from (one.value for one in [node.value] if isinstance(one, ast.Constant))
    if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
        yield from (one.value for one in node.value.elts[:1] if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_concept_that_a_rule_can_name_has_advice_for_the_class():
    files = [ROOT / "assignment" / "rules" / f"{name}.py" for name in ("masks", "queries", "reasons", "properties")]
    named = {found for file in files for node in ast.walk(ast.parse(file.read_text())) for found in constants(node)}
    named |= {concept for _, concept, _ in reasons.OTHERS} | {*concepts.ABOUT.values(), *concepts.CONCEPTS}
    named |= {concept for concept, *_ in (*concepts.EDITS, *concepts.STATEMENTS)}
    assert {"shape", "mask values", "rows", "query direction"} <= named
    advised = set(re.findall(r'^id = "(.*)"$', (ROOT / "assignment" / "bank" / "concepts.toml").read_text(), re.MULTILINE))
    assert named - advised == set()


def expected_texts(references: dict) -> Iterator[str]:
    """The expected values of all cases as they would be printed, except those of so few digits that any number may be one."""
    groups = (group for item in references["cases"].values() for group in item.values())
    for case in itertools.chain.from_iterable(groups):
        if case["expected"] is not None:
            values = np.ravel(case["expected"])
            yield from (text for x in values if np.isfinite(x) and len((text := f"{abs(x):.5g}").strip("0.")) > 3)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(3))
def test_no_hidden_expected_value_is_ever_shown(grader, bank, variants, part):
    hidden = {text for number in range(8) for text in expected_texts(grader.inputs(number))}
    assert len(hidden) > 1000
    for entry in random.Random(share.SEED).sample([m for m in bank["mistake"] if m["item"].startswith("2.1")], 40)[part::3]:
        for verdict in variants.graded(grader, {entry["item"]: entry["code"]}):
            shown = set(re.findall(r"\d+\.\d{3,}", verdict.reason + " ".join(verdict.notes) + json.dumps(verdict.data)))
            assert not {f"{float(x):.5g}" for x in shown} & hidden


def test_a_mistake_is_like_an_answer_only_if_it_matches_everywhere():
    a, b = np.ones((2, 2)), np.zeros((2, 2))
    assert mistakes_like([a, b], {"x": [a, b], "y": [a, a]}) == ["x"]
    assert mistakes_like([a, b], {"x": [a, b], "z": [a, b]}) == ["x", "z"]
    assert not any(mistakes_like(outputs, {"x": known}) for outputs, known in (([a], [a, b]), ([None], [a]), ([], [])))
    assert mistakes_like([a * np.nan], {"x": [a * np.nan]}) == ["x"] and not mistakes_like([a], {"x": [np.ones(4)]})


@pytest.mark.parametrize(
    "old, new, says",
    [
        ("if causal:", "if not causal:", "where causal is False"),
        ("if causal:", "if causal is False:", "where causal is False"),
        ("make_causal_mask(n_tok)", "make_causal_mask(n_tok).T", "the wrong way round"),
        ("make_causal_mask(n_tok)", "make_causal_mask(n_tok).transpose(-1, -2)", "the wrong way round"),
        ("attn_softmax(A)", "A", "attn_softmax is not called"),
        ("A = apply_causal_mask(", "apply_causal_mask(", "no mask takes effect"),
        ("if causal:", "if causal and n_heads < 0:", "no mask takes effect"),
    ],
)
def test_one_slip_in_self_attention_costs_one_step(submit, s2, old, new, says):
    start = s2.index("def self_attention(")
    graded = submit({"A2S2.py": s2[:start] + s2[start:].replace(old, new, 1)})
    assert {id for id in graded.lost if id.startswith("2")} == {"2.1.self_attention.step3"}
    assert says in graded.output("2.1.self_attention.step3")


def test_a_mistake_in_self_attention_is_charged_once(submit, s2):
    graded = submit({"A2S2.py": s2.replace("A = attn_scaled(A, n_embd, n_heads)", "A = A")})
    lost = {i for i in graded.lost if i.startswith("2")}
    assert lost == {"2.1.self_attention.step3"}
    assert "charged" in graded.output("2.1.self_attention.step1")
    assert "attn_scaled is not called" in graded.output("2.1.self_attention.step3")


@pytest.mark.slow
def test_the_build_refuses_a_grader_that_cannot_tell_right_from_wrong(settings, references, tmp_path):
    import shutil

    folder = tmp_path / "assignment"
    shutil.copytree(settings["folder"], folder, ignore=shutil.ignore_patterns("__pycache__"))
    rubric, item = folder / "rubric.toml", 'item = "2.1.attn_softmax"'
    rubric.write_text(rubric.read_text().replace('sentence = "Each row of the result', '# sentence = "Each row of the result'))
    (folder / "questions" / "2.1.attn_softmax.py").write_text(
        "from otter.test_files import test_case\n\nname = 'x'\n\n@test_case()\ndef nothing(attn_softmax, check):\n    pass\n"
    )
    bank = folder / "bank" / "section2.toml"
    kept = [part.split("[[")[0] for part in bank.read_text().split("[[mistake]]") if item in part.split("[[")[0]]
    bank.write_text("".join("[[mistake]]" + part for part in kept))
    for other in ("section1.toml", "section3.toml"):
        (folder / "bank" / other).unlink()
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--assignment", str(folder), "--build", str(tmp_path / "build"), "pack"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 2 and "not built" in done.stderr
    assert not list((tmp_path / "build").glob("*.zip"))


def test_pictures_describe_in_words_what_they_show():
    got, wanted = np.array([0.5, 0.3, 0.1, 0.1]), np.array([1.0, 0, 0, 0])
    assert picture.in_words(got, wanted) == "token 0 gets too little weight"
    assert any("should be 1.00" in line for line in picture.text(got, wanted))
    drawing = picture.svg(np.eye(3), np.ones((3, 3)) / 3, "words <here>")
    assert drawing.count("<rect") == 18 + 5 and "&lt;here&gt;" in drawing
    import xml.dom.minidom

    xml.dom.minidom.parseString(drawing)
