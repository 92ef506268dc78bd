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


@pytest.mark.many(of=2)
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


@pytest.mark.slow
def test_a_function_that_never_calls_a_hanging_one_does_not_wait_for_it(submit):
    hang = ("    return (predictions == labels)", "    while True: pass\n    return (predictions == labels)")
    graded = submit({"A2S3.py": changed(S3, hang)}, seconds=5)
    assert graded.output("3.train_one_epoch").startswith("correct")
    assert "right once `compute_accuracy` is right" in graded.output("3.evaluate")


@pytest.mark.many(of=2)
@pytest.mark.parametrize("broken", ["def f(:\n    pass", "for x in\n", "scores = [1, 2", "print 'hello'"])
def test_broken_code_that_does_not_define_an_answer_is_not_the_reason_why_it_is_missing(submit, s2, broken):
    graded = submit({"A2S2.py": s2.replace("def merge_heads(", "def merged_head_s(") + "\n\n" + broken + "\n"})
    assert "2.1.merge_heads" in graded.lost
    assert "Python refuses" not in graded.output("2.1.merge_heads")


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_check_waits_for_the_wrong_functions_that_run_and_for_no_other(s2):
    no_split = s2.replace(SPLIT, "    if n_heads > 1:\n        Q, K, V = split_heads_qkv(Q, K, V, n_heads)\n")
    no_split = no_split.replace("return merge_heads(compute_outputs(A, V))", "return compute_outputs(A, V) / 2")
    wrong = no_split.replace("return x.reshape(B, n, n_heads, d // n_heads).transpose(1, 2)", "return None")
    assert "❌" in told(wrong, STEP) and "waits" not in told(wrong, STEP)
    assert f"⏳ {STEP} waits for attn_softmax: fix" in told(wrong.replace(FAILS, "F.softmax(A, dim=0)"), STEP)


@pytest.mark.slow
def test_a_blank_answer_is_blank_and_waits_for_nothing(s1, s2):
    assert "❌ 1.4.1" in told(s1[: s1.index("query132")] + "query132 = None\nm_key = None", "1.4.1")
    blank = s2[: s2.index("def self_attention")] + "def self_attention(Q, K, V, n_heads=1, causal=True):\n    pass\n"
    blank += s2[s2.index("def pairwise") :].replace(FAILS, "F.softmax(A, dim=0)")
    assert "❌" in told(blank, STEP) and "its TODO is not filled in yet" in told(blank, STEP)


@pytest.mark.slow
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


CUT, IN_PLACE = "(no points depend on it), so nothing before it can be trained", "in place (no points depend on it)"
SOFTMAX = "return F.softmax(A, dim=-1)"
NOTED = {
    "detached": ("2.1.attn_softmax", "return F.softmax(A.detach(), dim=-1)", CUT, "`A`"),
    "its data": ("2.1.compute_outputs", "return A.data @ V", CUT, "from the result to `A` ("),
    "without gradients": (
        "2.1.split_heads",
        "with torch.no_grad():\n        return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)",
        CUT,
        "`x`",
    ),
    "by NumPy": ("2.1.merge_heads", "return torch.from_numpy(y.numpy()).transpose(1, 2).flatten(2)", CUT, "NumPy"),
    "numbers": ("2.1.pairwise_similarities", "return torch.tensor((Q @ K.mT).tolist())", CUT, "`Q` and `K`"),
    "filled in place": ("2.1.apply_causal_mask", "return A.masked_fill_(mask == 0, -torch.inf)", IN_PLACE, "`A`"),
    "divided in place": ("2.1.attn_scaled", "A /= math.sqrt(n_embd / n_heads)\n    return A", IN_PLACE, "`A`"),
    "right": ("2.1.attn_softmax", "return F.softmax(A, dim=-1)", "", ""),
    "right, of parts": ("2.1.merge_heads", "return torch.cat([*y.unbind(1)], dim=-1)", "", ""),
    "right, in place of its own": ("2.1.attn_softmax", "e = A.clone().exp_()\n    return e / e.sum(-1, keepdim=True)", "", ""),
}


@pytest.mark.many(of=4)
@pytest.mark.parametrize("item, code, note, words", NOTED.values(), ids=NOTED)
def test_what_a_function_does_to_gradients_and_arguments_costs_nothing_and_is_noted(
    submit, check, s2, item, code, note, words, capsys
):
    name = item.split(".")[-1]
    head = next(line for line in s2.splitlines() if line.startswith(f"def {name}("))
    function = f"{head}\n    {code}\n"
    graded = submit({"A2S2.py": f"{s2}\n{function}"})
    check(item, notebook(s2, function))
    shown = capsys.readouterr().out
    assert shown.startswith("✅") and not {id for id in graded.lost if id.startswith("2.1.")}
    for text in (shown, graded.output(item)):
        assert (note in text and words in text) if note else (CUT not in text and IN_PLACE not in text)


def test_the_whole_is_watched_where_it_runs_on_ones_own_helpers_alone(submit, s2):
    cut = s2.replace("return A @ V", "return A.detach() @ V")
    text = submit({"A2S2.py": cut}).output("2.1.self_attention.step3")
    assert CUT in text and "from the result to `Q` and `K`" in text
    broken = s2.replace("return A @ V", "return V @ A")
    assert CUT not in submit({"A2S2.py": broken}).output("2.1.self_attention.step3")


UNSPLIT = {
    "Q": "(Q, *split_heads_qkv(Q, K, V, n_heads)[1:])",
    "K": "split_heads(Q, n_heads), K, split_heads(V, n_heads)",
    "V": "(*split_heads_qkv(Q, K, V, n_heads)[:2], V)",
}


@pytest.mark.parametrize("new", UNSPLIT.values(), ids=UNSPLIT)
def test_a_slip_that_raises_in_one_step_and_shows_in_others_is_charged_where_the_grader_charges_it(check, s2, new, capsys):
    names = notebook(s2.replace("split_heads_qkv(Q, K, V, n_heads)\n", f"{new}\n"))
    for step in "123":
        check(f"2.1.self_attention.step{step}", names)
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("✅", "❌", "⏳"))]
    assert [line[0] for line in shown] == list("⏳⏳❌"), shown
    assert all("step3, where it is charged" in line for line in shown[:2])


OTHER_QUERY = {
    "set to what the key wants": ("query132 = 100 * m_key[2]", True),
    "turned in place": ("query132 += 100 * m_key[2]", True),
    "only made longer": ("query132 = 1.5 * query132\nm_key[2] = query132 / query132.norm()", False),
}


@pytest.mark.parametrize("change, noted", OTHER_QUERY.values(), ids=OTHER_QUERY)
def test_a_key_that_a_changed_query_finds_is_noted_in_the_notebook(check, s1, change, noted, capsys):
    cell = f"m_key = key.clone()\nm_key[2] = key[2] / key[2].norm()\n{change}\n"
    names = notebook(s1, cell)
    capsys.readouterr()  # what the script prints
    check("1.4.2", names)
    shown = capsys.readouterr().out
    assert shown.startswith("✅") and ("is not right for 1.3.2" in shown) == noted, shown


KEPT = ["m_key = m_key", "m_key[2] = m_key[2]", "m_key = 1 * m_key", "m_key = m_key.clone()"]


@pytest.mark.parametrize("starter", ["m_key = None\n", ""])
@pytest.mark.parametrize("second", KEPT)
def test_an_answer_that_leaves_the_one_before_as_it_is_costs_nothing_but_itself(submit, s1, starter, second):
    source = s1[: s1.index("m_key")]
    first = f"# 1.4.1\n{starter}m_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck('1.4.1')\n"
    graded = submit({"A2S1.py": f"{source}{first}# 1.4.2\n{second}\ncheck('1.4.2')\n"})
    assert {id for id in graded.lost if id.startswith("1")} == {"1.4.2"}, graded.output("1.4.1")
    assert "TODO" not in graded.output("1.4.2") and "has length" in graded.output("1.4.2")


@pytest.mark.parametrize("left", ["", "m_key = None", "m_key = ..."])
def test_the_first_of_two_answers_with_one_name_counts_where_the_second_is_left_blank(submit, s1, left):
    source = s1[: s1.index("m_key")]
    first = "# 1.4.1\nm_key = None\nm_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\n"
    graded = submit({"A2S1.py": f"{source}{first}# 1.4.2\n{left}\n"})
    assert {id for id in graded.lost if id.startswith("1")} == {"1.4.2"}, graded.output("1.4.1")
    assert "has length" not in graded.output("1.4.2")
