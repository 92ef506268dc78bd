"""Grading one submission, end to end."""

import json

import pytest

from support.classroom.case import HELPERS

WRONG = {
    "pairwise_similarities": "return Q @ K.transpose(-2, -1) * 1.01",
    "attn_scaled": "return A / n_embd",
    "attn_softmax": "return F.softmax(A, dim=-2)",
    "compute_outputs": "return A.transpose(-2, -1) @ V",
    "make_causal_mask": "return torch.triu(torch.ones(n_tok, n_tok), 1)",
    "apply_causal_mask": "return A * mask",
    "split_heads": "return x.reshape(x.shape[0], n_heads, x.shape[1], -1)",
    "merge_heads": "return y.reshape(y.shape[0], y.shape[2], -1)",
}


def with_body(s2, name, body):
    """The right section 2 with one function's body replaced."""
    lines, out, inside = s2.split("\n"), [], False
    for line in lines:
        if line.startswith("def "):
            inside = line.startswith(f"def {name}(")
            out.append(line)
            if inside:
                out.append("    " + body.replace("\n", "\n    "))
        elif not inside:
            out.append(line)
    return "\n".join(out)


def section2(ids):
    return {i for i in ids if i.startswith("2.")}


def section1(ids):
    return {i for i in ids if i.startswith("1.")}


@pytest.mark.many(of=3)
@pytest.mark.parametrize("name", HELPERS)
def test_a_wrong_helper_costs_its_own_item_and_no_other(submit, s2, name):
    graded = submit({"A2S2.py": with_body(s2, name, WRONG[name])})
    assert section2(graded.lost) == {f"2.1.{name}"}


@pytest.mark.many(of=3)
@pytest.mark.parametrize("name", HELPERS)
def test_a_missing_helper_costs_its_own_item_and_no_other(submit, s2, name):
    graded = submit({"A2S2.py": with_body(s2, name, "pass")})
    assert section2(graded.lost) == {f"2.1.{name}"}
    assert "TODO" in graded.output(f"2.1.{name}")


def test_the_output_says_when_right_helpers_were_put_in(submit, s2):
    graded = submit({"A2S2.py": with_body(s2, "attn_scaled", "return A")})
    assert "attn_scaled" in graded.output("2.1.self_attention.step1")
    step = next(t for t in graded.tree["tests"] if t["number"] == "2.1.self_attention.step1")
    assert "right prerequisites" in step["tags"]


def test_all_helpers_wrong_leave_a_right_self_attention_its_points(submit, s2):
    for name in HELPERS:
        s2 = with_body(s2, name, "raise ValueError('broken')")
    assert section2(submit({"A2S2.py": s2}).earned) == {f"2.1.self_attention.step{n}" for n in (1, 2, 3)}


@pytest.mark.slow
def test_a_wrong_self_attention_costs_its_steps_only(submit, s2):
    graded = submit({"A2S2.py": s2.replace("A = attn_softmax(A)", "A = attn_softmax(A) * 1.1")})
    assert section2(graded.lost) == {f"2.1.self_attention.step{n}" for n in (1, 2, 3)}


def test_a_self_attention_that_ignores_the_mask_loses_the_causal_step_with_the_most_points(submit, s2):
    graded = submit({"A2S2.py": s2.replace("if causal:", "if False:")})
    assert section2(graded.lost) == {"2.1.self_attention.step3"}
    assert graded.verdict("2.1.self_attention.step2") == "passed"


@pytest.mark.many(of=3)
@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "import time; time.sleep(1000)",
        "import os; os._exit(0)",
        "import sys; sys.exit(1)",
        "import ctypes; ctypes.string_at(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "def f(): return f()\nreturn f()",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
)
def test_a_function_that_hangs_or_crashes_costs_only_its_own_item(submit, s2, body):
    graded = submit({"A2S2.py": with_body(s2, "attn_softmax", body)}, seconds=2.0)
    assert section2(graded.lost) == {"2.1.attn_softmax"}


@pytest.mark.many(of=7)
@pytest.mark.parametrize(
    "line",
    [
        "while True: pass",
        "import os; os._exit(3)",
        "import sys; sys.exit()",
        "raise SystemExit",
        "1/0",
        "import ctypes; ctypes.string_at(0)",
        "query131 = input()",
    ],
)
def test_a_statement_that_hangs_or_crashes_costs_only_its_own_value(submit, s1, line):
    broken = s1.replace("query131 = torch.zeros(3)", f"if True:\n    {line}\n    query131 = torch.zeros(3)")
    graded = submit({"A2S1.py": broken}, seconds=2.0)
    assert section1(graded.lost) == {"1.3.1"}


def test_a_function_that_breaks_torch_costs_no_other_item(submit, s2):
    body = "torch.matmul = torch.tril = None\nF.softmax = lambda *a, **k: 0\nreturn 7"
    graded = submit({"A2S2.py": with_body(s2, "pairwise_similarities", body)})
    assert section2(graded.lost) == {"2.1.pairwise_similarities"}


@pytest.mark.parametrize("body", ["return torch.zeros(2, 4, 4)", "global n\nn = globals().get('n', 0) + 1\nreturn A * n"])
def test_constant_and_stateful_answers_fail(submit, s2, body):
    assert "2.1.attn_softmax" in submit({"A2S2.py": with_body(s2, "attn_softmax", body)}).lost


@pytest.mark.many(of=3)
@pytest.mark.parametrize(
    "setting",
    [
        "DEVICE = 'cuda'",
        "DEVICE = 'mps'",
        "DEVICE = torch.device('cuda:0')",
        "DEVICE = 'cuda'\ntorch.set_default_device(DEVICE)",
        "DEVICE='cpu'\ntorch.set_default_dtype(torch.float64)",
    ],
)
def test_code_for_an_accelerator_costs_nothing(submit, s2, setting):
    s2 = s2.replace("import torch, math", f"import torch, math\n{setting}")
    s2 = s2.replace("torch.tril(torch.ones(n_tok, n_tok))", "torch.tril(torch.ones(n_tok, n_tok, device=DEVICE)).to(DEVICE)")
    assert section2(submit({"A2S2.py": s2}).lost) == set()


@pytest.mark.parametrize(
    "make, apply",
    [
        ("return torch.tril(torch.ones(n_tok, n_tok)).bool()", "return torch.where(mask, A, -torch.inf)"),
        ("return torch.zeros(n_tok, n_tok).masked_fill(torch.ones(n_tok, n_tok).triu(1).bool(), -1e9)", "return A + mask"),
        ("return torch.tril(torch.ones(n_tok, n_tok, dtype=torch.int64))", "return A.masked_fill(mask == 0, -1e9)"),
        (
            "return torch.tril(torch.ones(1, 1, n_tok, n_tok))",
            "A[..., mask.reshape(mask.shape[-2:]) == 0] = -torch.inf\nreturn A",
        ),
    ],
)
def test_any_correct_mask_convention_keeps_its_points(submit, s2, make, apply):
    s2 = with_body(with_body(s2, "make_causal_mask", make), "apply_causal_mask", apply)
    assert section2(submit({"A2S2.py": s2}).lost) == set()


def test_an_inverted_mask_pair_costs_the_mask_only(submit, s2):
    s2 = with_body(s2, "make_causal_mask", "return torch.triu(torch.ones(n_tok, n_tok), 1)")
    s2 = with_body(s2, "apply_causal_mask", "return A.masked_fill(mask == 1, float('-inf'))")
    graded = submit({"A2S2.py": s2})
    assert section2(graded.lost) == {"2.1.make_causal_mask"}
    assert "inverted" in graded.output("2.1.make_causal_mask")


@pytest.mark.many(of=2)
@pytest.mark.parametrize(
    "expression",
    [
        "[470000.0, 650000.0, 600000.0]",
        "100 * key[0].numpy()",
        "100 * key[:1]",
        "(100 * key[0]).double()",
        "torch.nn.Parameter(100 * key[0])",
        "tuple((100 * key[0]).tolist())",
        "torch.linalg.lstsq(key, torch.tensor([99.,0,0,0]).unsqueeze(1)).solution.T",
    ],
)
def test_an_answer_may_be_any_kind_of_array(submit, s1, expression):
    assert "1.2.1" not in submit({"A2S1.py": s1.replace("query121 = S * key[0]", f"query121 = {expression}")}).lost


@pytest.mark.many(of=2)
@pytest.mark.parametrize(
    "expression, word",
    [
        ("100 * key", "shape (4, 3)"),
        ("(100 * key[0]).unsqueeze(1)", "shape (3, 1)"),
        ("float('nan') * key[0]", "NaN"),
        ("1e40 * key[0]", "infinity"),
        ("key[0]", "weights"),
        ("'100 * k0'", "numbers"),
        ("None", "TODO"),
    ],
)
def test_a_wrong_answer_is_explained(submit, s1, expression, word):
    graded = submit({"A2S1.py": s1.replace("query121 = S * key[0]", f"query121 = {expression}")})
    assert section1(graded.lost) == {"1.2.1"}
    assert word in graded.output("1.2.1")


def test_an_optimiser_loop_may_find_the_answer(submit, s1):
    loop = """
target = (value[0] + value[1]) / 2
q = torch.zeros(3, requires_grad=True)
optimizer = torch.optim.Adam([q], lr=0.5)
for step in range(200):
    optimizer.zero_grad()
    loss = ((attention(q, key, value) - target) ** 2).sum()
    loss.backward()
    optimizer.step()
query132 = q.detach() * 3
"""
    graded = submit({"A2S1.py": s1.replace("query132 = 10 * (key[0] + key[1])", loop)})
    assert "1.3.2" not in graded.lost


def test_each_of_the_two_values_of_m_key_counts_for_its_own_question(submit, s1):
    first = submit({"A2S1.py": s1.replace("m_key[2] = (key[0] + key[1]) / 2", "m_key[2] = 0")})
    second = submit({"A2S1.py": s1.replace("m_key[2] = query132 / query132.norm()", "m_key[2] = 0")})
    assert (section1(first.lost), section1(second.lost)) == ({"1.4.1"}, {"1.4.2"})


@pytest.mark.parametrize(
    "scratch", ["query121 = None", "key = torch.zeros(4, 3)", "key[2] = 0", "m_key = None", "del query132", "attention = 3"]
)
def test_rebinding_a_name_later_changes_no_earlier_answer(submit, s1, scratch):
    assert section1(submit({"A2S1.py": s1 + "\n" + scratch}).lost) == set()


def test_14_is_graded_with_the_reference_query_if_132_is_missing(submit, s1):
    s1 = s1.replace("query132 = 10 * (key[0] + key[1])", "query132 = None")
    s1 = s1.replace("query132 / query132.norm()", "(key[0] + key[1]) / (key[0] + key[1]).norm()")
    assert section1(submit({"A2S1.py": s1}).lost) == {"1.3.2"}


def test_14_says_when_the_query_is_too_short_for_any_unit_key_and_judges_the_key_with_a_longer_one(submit, s1):
    graded = submit({"A2S1.py": s1.replace("10 * (key[0] + key[1])", "5 * (key[0] + key[1])")})
    assert section1(graded.lost) == set()
    assert "judged with a longer query132" in graded.output("1.4.2")


@pytest.mark.parametrize(
    "k2, lost", [("query132 / query132.norm() * 2", {"1.4.2"}), ("query132 / query132.norm() * 1.005", set())]
)
def test_142_requires_unit_length(submit, s1, k2, lost):
    assert section1(submit({"A2S1.py": s1.replace("query132 / query132.norm()", k2)}).lost) == lost


@pytest.mark.many(of=2)
@pytest.mark.parametrize("broken", ["m_key = key.clone(", "m_key = 1 / 0", ""])
@pytest.mark.parametrize("lost", ["1.4.1", "1.4.2"])
def test_an_m_key_cell_that_fails_costs_only_its_own_question_if_headings_tell_whose_it_is(submit, s1, broken, lost):
    before, *cells = s1.split("m_key = key.clone()\n")
    text = f"# %%\n{before}\n"
    for id, cell in zip(("1.4.1", "1.4.2"), cells):
        text += f"# %% [markdown]\n# ## {id}\n# %%\n" + (broken if id == lost else f"m_key = key.clone()\n{cell}") + "\n"
    assert submit({"A2S1.py": text}).lost & {"1.4.1", "1.4.2"} == {lost}


def test_only_row_2_of_m_key_is_used(submit, s1):
    graded = submit({"A2S1.py": s1.replace("m_key[2] = (key", "m_key[0] = 5\nm_key[2] = (key")})
    assert section1(graded.lost) == set()
    assert "row 2" in graded.output("1.4.1")


def test_answers_may_be_returned_by_functions(submit):
    script = (
        "import torch\nS = 200\ndef problem_1():\n    return S * key[0]\ndef problem_2():\n    return S * key\n"
        "def problem_3():\n    return torch.zeros(3)\n"
    )
    assert section1(submit({"A2S1.py": script}).earned) == {"1.2.1", "1.2.2", "1.3.1"}


def test_447_counts_14_as_extra_credit(submit, s1, s2):
    graded = submit({"A2S1.py": s1, "A2S2.py": s2}, course="447")
    assert graded.tree["score"] == 35
    extra = [t for t in graded.tree["tests"] if "extra credit" in t["tags"]]
    assert [(t["number"], t["max_score"]) for t in extra] == [("1.4.1", 1.5), ("1.4.2", 1.5)]


@pytest.mark.slow
def test_an_exception_names_the_students_own_line_and_nothing_hidden(submit, grader, s2, monkeypatch):
    graded = submit({"A2S2.py": with_body(s2, "attn_scaled", "x = A.tolist()\nraise ValueError(f'saw {x}')")})
    output = graded.output("2.1.attn_scaled")
    assert "ValueError" in output and "raise ValueError" in output
    leaking = with_body(s2, "attn_scaled", "if float(A.sum()) != 0.123: raise ValueError(str(float(A.flatten()[0])))")
    said = set()
    for number in (0, 1):
        monkeypatch.setattr(grader, "only", number)
        said.add(submit({"A2S2.py": leaking}).output("2.1.attn_scaled").split("at line")[0])
        first = grader.inputs(number)["cases"]["2.1.attn_scaled"]["own"][0]["args"][0].flatten()[0]
        assert f"{float(first):.4f}" not in str(said)
    assert len(said) == 1 and "ValueError" in str(said)


def test_printed_text_never_reaches_the_results(submit, s2):
    chatty = with_body(s2, "attn_softmax", "print('CANARY'); import sys; sys.stderr.write('CANARY'); return A")
    tree = submit({"A2S2.py": chatty}).tree
    tree = {**tree, "tests": [{**t, "output": t["output"].replace("print('CANARY')", "")} for t in tree["tests"]]}
    assert "CANARY" not in json.dumps(tree).replace("print('CANARY'); import sys", "")


def test_the_same_submission_gives_the_same_results_except_for_timings(submit, s1, s2):
    def timeless(tree):
        return [{**t, "extra_data": {k: v for k, v in t["extra_data"].items() if k != "seconds"}} for t in tree["tests"]]

    files = {"A2S1.py": s1, "A2S2.py": with_body(s2, "attn_scaled", "return A")}
    assert timeless(submit(files).tree) == timeless(submit(files).tree)
