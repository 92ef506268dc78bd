"""A wrong answer is told what is wrong and where, in the grader and in the notebook: never the right code, never a point."""

import re

import pytest

from autograder.checks.diagnosis import local
from autograder.judging import diagnosis
from support.local_check import notebook
from support.told import WRONG
from support.world.kind import S3, changed


def lost(graded) -> set[str]:
    return {id for id in graded.lost if id.startswith("2.1.")}


@pytest.mark.many(of=12)
@pytest.mark.parametrize("item, code, line, concepts", WRONG.values(), ids=WRONG)
def test_a_mistake_is_told_with_its_line_and_not_its_repair(submit, s2, item, code, line, concepts):
    graded = submit({"A2S2.py": f"{s2}\n{code}\n"})
    test = next(test for test in graded.tree["tests"] if test["number"] == item)
    known = test["extra_data"]["diagnosis"]
    assert re.fullmatch(concepts, known["concept"]), known
    if line is not None:
        first = f"{s2}\n".count("\n") + 1
        assert known["line"] == first + line - 1
    text = graded.output(item)
    assert not re.search(r"transpose\(-2, -1\)|reshape\(y|\*\* 0\.5|dim=-1\b", text.split("Look at")[-1].partition("`:")[2])


@pytest.mark.many(of=3)
@pytest.mark.parametrize("item, code, line, concepts", WRONG.values(), ids=WRONG)
def test_the_notebook_knows_it_too(check, s2, item, code, line, concepts, capsys):
    check(item, notebook(s2, code))
    shown = capsys.readouterr().out
    assert shown.startswith("❌")
    why = shown.partition("   the smallest call")[0].strip().split("\n")[2:]  # behind the item and what is wrong
    assert "likely" in shown or why, concepts
    assert "likely" in shown or line is None or f"Look at line {line}" in shown


def test_a_search_for_an_edit_ends_when_its_time_is_up(check, s2, capsys, monkeypatch):
    item, code, *_ = WRONG["a third dimension"]
    check(item, notebook(s2, code))
    assert "Look at line" in capsys.readouterr().out
    monkeypatch.setattr(local, "SECONDS", -1.0)
    check(item, notebook(s2, code))
    shown = capsys.readouterr().out
    assert shown.startswith("❌") and "sum to one" in shown and "Look at line" not in shown


@pytest.mark.slow
def test_scores_are_the_same_whether_or_not_reasons_are_looked_for(grader, submit, s2):
    script = {"A2S2.py": "\n".join([s2, *(code for _, code, *_ in list(WRONG.values())[::4])])}
    with_reasons = submit(script).scores
    with grader.only_judging():
        assert submit(script).scores == with_reasons


@pytest.mark.slow
def test_right_answers_are_told_nothing(submit, bank, s2):
    rights = [entry for entry in bank["alternative"] if entry["item"].startswith("2.1.")][::7]
    for right in rights:
        graded = submit({"A2S2.py": f"{s2}\n{right['code']}\n"})
        assert not lost(graded)
        told = [test for test in graded.tree["tests"] if "diagnosis" in test["extra_data"]]
        assert not told


@pytest.mark.parametrize(
    "body",
    [
        "scores = A * mask\n    scores[scores == 0] = float('-inf')\n    return scores",
        "return A.masked_fill(A * mask == 0, float('-inf'))",
        "return torch.where((A * mask).abs() > 0, A, torch.tensor(-torch.inf))",
    ],
)
def test_scores_that_choose_what_is_hidden_cost_nothing_and_are_noted(submit, s2, body):
    graded = submit({"A2S2.py": f"{s2}\ndef apply_causal_mask(mask, A):\n    {body}\n"})
    assert not lost(graded)
    assert "scores that are exactly 0 are masked as well" in graded.output("2.1.apply_causal_mask")


def test_a_slip_of_diagnosis_costs_its_words_only(monkeypatch, submit, s2):
    monkeypatch.setattr(diagnosis, "signature", lambda *_: 1 / 0)
    graded = submit({"A2S2.py": f"{s2}\ndef attn_softmax(A):\n    return A.softmax(2)\n"})
    assert lost(graded) == {"2.1.attn_softmax"}
    assert "diagnosis" not in next(t for t in graded.tree["tests"] if t["number"] == "2.1.attn_softmax")["extra_data"]


def test_code_that_never_ends_when_it_is_edited_costs_nothing(submit, s2):
    loop = "def attn_softmax(A):\n    n = 3\n    while n > 0:\n        n = n - 1\n    return A.softmax(-2)\n"
    graded = submit({"A2S2.py": f"{s2}\n{loop}"})
    assert lost(graded) == {"2.1.attn_softmax"}
    assert "dimension" in graded.output("2.1.attn_softmax")


def test_a_composite_is_asked_about_the_order_of_its_calls(submit, s2):
    code = (
        "def self_attention(Q, K, V, n_heads=1, causal=True):\n    q, k, v = (split_heads(x, n_heads) for x in (Q, K, V))\n"
        "    w = attn_softmax(attn_scaled(pairwise_similarities(q, k), Q.shape[-1], n_heads))\n"
        "    w = apply_causal_mask(make_causal_mask(Q.shape[-2]), w) if causal else w\n"
        "    return merge_heads(compute_outputs(w, v))\n"
    )
    graded = submit({"A2S2.py": f"{s2}\n{code}"})
    assert re.search("calls `attn_softmax` before|before the softmax", graded.output("2.1.self_attention.step3"))


def test_an_argument_that_is_never_used_is_named(submit, s2):
    code = "def make_causal_mask(n_tok):\n    return torch.tril(torch.ones(8, 8))\n"
    assert "never uses `n_tok`" in submit({"A2S2.py": f"{s2}\n{code}"}).output("2.1.make_causal_mask")


KEPT = {
    "a mask on the function": (
        "def make_causal_mask(n_tok):\n    if not hasattr(make_causal_mask, 'made'):\n"
        "        make_causal_mask.made = torch.ones(n_tok, n_tok).tril()\n    return make_causal_mask.made\n"
    ),
    "a global": (
        "MASK = None\ndef make_causal_mask(n_tok):\n    global MASK\n    if MASK is None:\n"
        "        MASK = torch.ones(n_tok, n_tok).tril()\n    return MASK\n"
    ),
    "a default": (
        "def make_causal_mask(n_tok, rows=[]):\n    rows += [[float(j <= i) for j in range(n_tok)] for i in range(n_tok)]\n"
        "    return torch.tensor(rows)\n"
    ),
}


@pytest.mark.parametrize("code", KEPT.values(), ids=KEPT)
def test_what_is_kept_from_one_call_to_the_next_is_told_and_no_single_call_is_shown(submit, s2, code):
    graded = submit({"A2S2.py": f"{s2}\n{code}"})
    told = graded.output("2.1.make_causal_mask")
    assert "kept from one call to the next" in told and "smallest public call" not in told
    test = next(test for test in graded.tree["tests"] if test["number"] == "2.1.make_causal_mask")
    assert test["extra_data"]["diagnosis"]["concept"] == "state between calls"


MADE_INSIDE = """
def maker():
    calls = 0
    def make_causal_mask(n_tok):
        nonlocal calls
        calls += 1
        return torch.ones(n_tok, n_tok).tril(calls - 2)
    return make_causal_mask
make_causal_mask = maker()
"""


def test_a_function_that_cannot_be_made_again_by_itself_is_checked_all_the_same(check, s2, capsys):
    check("2.1.make_causal_mask", notebook(s2, MADE_INSIDE))
    shown = capsys.readouterr().out
    assert shown.startswith("❌") and "SyntaxError" not in shown


SQUARED = "    return (predictions == labels).float().mean().item()"
LENGTH = "        return len(self.data)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "item, old, new",
    [
        ("3.compute_accuracy", SQUARED, f"{SQUARED} ** 2"),
        ("3.compute_accuracy", SQUARED, SQUARED.replace(".item()", ".sqrt().item()")),
        ("3.dataset.len", LENGTH, f"{LENGTH} * 2"),
    ],
)
def test_an_answer_that_a_probe_watches_is_repaired_too(submit, item, old, new):
    graded = submit({"A2S3.py": changed(S3, (old, new))})
    test = next(test for test in graded.tree["tests"] if test["number"] == item)
    assert test["extra_data"]["diagnosis"]["by"] == "repair", graded.output(item)


QUERIES = {
    "too long": ("query131 = 30 * key.mean(dim=0)", "1.3.1", "nearly equal"),
    "along another key": ("query121 = 40 * key[3]", "1.2.1", "so it selects v3"),
    "near the target by chance": ("query132 = 30 * (key[1] + key[2])", "1.3.2", "those with k0 and k1|largest is that with"),
    "away": ("query132 = -25 * (key[0] + key[1])", "1.3.2", "similarit|opposite"),
    "rows in another order": ("query122 = 100 * key[[1, 2, 3, 0]]", "1.2.2", "another order"),
    "K itself": ("m_key = 1.0 * key", "1.4.1", "unchanged|nothing is replaced|old k2"),
}


@pytest.mark.many(of=2)
@pytest.mark.parametrize("line, item, words", QUERIES.values(), ids=QUERIES)
def test_a_query_is_told_by_its_similarities(submit, s1, line, item, words):
    name = line.split(" =")[0]
    kept = "\n".join(one for one in s1.splitlines() if not one.startswith(name))
    text = submit({"A2S1.py": f"{kept}\n{line}\n"}).output(item)
    assert re.search(words, text), text
