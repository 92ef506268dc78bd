"""What an answer waits for, and which slip it is charged for: only what it really builds on."""

import json
import subprocess
import sys

import pytest

from support.local_check import notebook
from support.project import ROOT
from support.world.kind import S3, changed

FROM_THE_QUERY = """
m_key = key.clone()
m_key[2] = (key[0] + key[1]) / 2
# 1.4.2
m_key = key.clone()
m_key[2] = query132 / query132.norm()
"""


@pytest.mark.parametrize(
    "query",
    [
        "query132 = None",
        "query132 = ...",
        "query132 = key[0] + key[2]",
        "query132 = 10 * key[3]",
        "query132 = 10 * keys[0]",
        "query132 = 20 * (key[0] + key[1])\nquery132 -= 20 * key[1]",
        "",
    ],
)
def test_a_key_that_is_computed_from_a_wrong_query_is_judged_with_a_right_one(submit, s1, query):
    source = s1[: s1.index("query132")]
    graded = submit({"A2S1.py": f"{source}{query}\n# 1.4.1{FROM_THE_QUERY}"})
    assert {id for id in graded.lost if id.startswith("1")} == {"1.3.2"}, graded.output("1.4.2")
    assert "right once `query132` is right" in graded.output("1.4.2")


def test_a_key_that_is_wrong_with_a_right_query_too_is_charged_beside_the_query(submit, s1):
    source = s1[: s1.index("query132")]
    graded = submit({"A2S1.py": f"{source}query132 = key[0]\n# 1.4.1{FROM_THE_QUERY.replace('query132 /', '-query132 /')}"})
    assert {id for id in graded.lost if id.startswith("1")} == {"1.3.2", "1.4.2"}


def test_a_function_that_never_calls_a_hanging_one_does_not_wait_for_it(submit):
    hang = ("    return (predictions == labels)", "    while True: pass\n    return (predictions == labels)")
    graded = submit({"A2S3.py": changed(S3, hang)}, seconds=5)
    assert graded.output("3.train_one_epoch").startswith("correct")
    assert "right once `compute_accuracy` is right" in graded.output("3.evaluate")


@pytest.mark.parametrize("broken", ["def f(:\n    pass", "for x in\n", "scores = [1, 2", "print 'hello'"])
def test_broken_code_that_does_not_define_an_answer_is_not_the_reason_why_it_is_missing(submit, s2, broken):
    graded = submit({"A2S2.py": s2.replace("def merge_heads(", "def merged_head_s(") + "\n\n" + broken + "\n"})
    assert "2.1.merge_heads" in graded.lost
    assert "Python refuses" not in graded.output("2.1.merge_heads")


def test_nothing_is_known_of_the_claims_about_an_answer_that_hangs_or_raises(submit):
    for line in ("raise ValueError", "import os; os._exit(1)"):
        graded = submit({"A2S3.py": changed(S3, ("    predictions, labels = [], []\n", f"    {line}\n"))})
        assert "✗" not in graded.output("3.evaluate") and graded.output("3.evaluate").count("\n– ") == 4


LOCAL = """
import json, sys
sys.path.insert(0, "student")
import torch, math
import torch.nn.functional as F
from a2checks import check
names = {"__name__": "__main__"}
exec(json.load(sys.stdin), names)
for id in sys.argv[1:]:
    check(id, names)
"""


def told(source: str, *ids: str) -> str:
    """What check cells print."""
    done = subprocess.run(
        [sys.executable, "-c", LOCAL, *ids], input=json.dumps(source), capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SPLIT = "    Q, K, V = split_heads_qkv(Q, K, V, n_heads)\n"
STEP, FAILS = "2.1.self_attention.step1", "F.softmax(A, dim=-1)"


def test_a_check_waits_for_the_wrong_functions_that_run_and_for_no_other(s2):
    no_split = s2.replace(SPLIT, "    if n_heads > 1:\n        Q, K, V = split_heads_qkv(Q, K, V, n_heads)\n")
    no_split = no_split.replace("return merge_heads(compute_outputs(A, V))", "return compute_outputs(A, V) / 2")
    wrong = no_split.replace("return x.reshape(B, n, n_heads, d // n_heads).transpose(1, 2)", "return None")
    assert "❌" in told(wrong, STEP) and "waits" not in told(wrong, STEP)
    assert f"⏳ {STEP} waits for attn_softmax: fix" in told(wrong.replace(FAILS, "F.softmax(A, dim=0)"), STEP)


def test_a_blank_answer_is_blank_and_waits_for_nothing(s1, s2):
    assert "❌ 1.4.1" in told(s1[: s1.index("query132")] + "query132 = None\nm_key = None", "1.4.1")
    blank = s2[: s2.index("def self_attention")] + "def self_attention(Q, K, V, n_heads=1, causal=True):\n    pass\n"
    blank += s2[s2.index("def pairwise") :].replace(FAILS, "F.softmax(A, dim=0)")
    assert "❌" in told(blank, STEP) and "its TODO is not filled in yet" in told(blank, STEP)


def test_a_missing_return_is_told_alike_in_the_notebook_and_by_the_grader(submit, s2):
    source = s2.replace("return A @ V", "print(A @ V)")
    sentence = "`compute_outputs` returned None: its TODO is not filled in yet, or a `return` is missing"
    assert sentence in told(source, "2.1.compute_outputs") and sentence in submit({"A2S2.py": source}).output(
        "2.1.compute_outputs"
    )


ON_A_GPU = "this works on the CPU alone (no points depend on it)"


@pytest.mark.parametrize(
    "mask, noted",
    [
        ("make_causal_mask(n_tok)", True),
        ("make_causal_mask(n_tok).bool()", True),
        ("make_causal_mask(n_tok).to(A.device)", False),
        ("torch.ones_like(A).tril()", False),
        ("make_causal_mask(n_tok).type_as(A)", False),
    ],
)
def test_a_mask_that_stays_on_the_cpu_costs_nothing_and_is_noted_in_the_notebook(check, s2, mask, noted, capsys):
    names = notebook(s2.replace("apply_causal_mask(make_causal_mask(n_tok), A)", f"apply_causal_mask({mask}, A)"))
    check("2.1.self_attention.step2", names)
    shown = capsys.readouterr().out
    assert shown.startswith("✅")
    assert (f"note: {ON_A_GPU}" in shown) == noted
