"""A check in a notebook shows the smallest public call that fails, as code that does the same when it is run."""

import math

import numpy as np
import pytest

from autograder.checks import cells, deadline, explain
from autograder.checks.cells import Names
from autograder.checks.smallest import SECONDS
from support.local_check import notebook

HEADER = "the smallest call that fails:"


def smallest(check, id: str, names: dict) -> list[str]:
    return explain.smallest(check, id, Names(names, check))


def rerun(lines: list[str], names: dict) -> object:
    """What the lines of code give in the same notebook, or raise."""
    *before, call = [line for line in lines if not line.startswith("#")]
    scope = dict(names)
    exec("\n".join(before), scope)
    try:
        return eval(call, scope)
    except Exception as error:
        return error


def after(lines: list[str], word: str) -> str:
    return next((line.removeprefix(f"# {word}: ") for line in lines if line.startswith(f"# {word}: ")), "")


def test_the_smallest_call_of_every_known_mistake_gives_what_it_says_when_it_is_run(check, bank, s2):
    mistakes = [m for m in bank["mistake"] if m["item"].startswith("2.1.")]
    shown = 0
    for mistake in mistakes:
        names = notebook(s2, mistake["code"])
        lines = smallest(check, mistake["item"], names)
        if not lines:
            continue
        shown += 1
        result = rerun(lines, names)
        if isinstance(result, Exception):
            assert f"# raises {type(result).__name__}" in "\n".join(lines), mistake
        elif after(lines, "yours").startswith("["):
            yours = after(lines, "yours").split(", of shape")[0].replace("nan", "math.nan").replace("inf", "math.inf")
            assert np.allclose(eval(yours, {"math": math}), result.tolist(), rtol=1e-3, atol=1e-3, equal_nan=True), mistake
            assert after(lines, "yours") != after(lines, "right"), mistake
    assert shown > 0.9 * len(mistakes)


@pytest.mark.slow
def test_right_answers_of_every_kind_are_not_called_once_more(check, bank, s2, monkeypatch, capsys):
    monkeypatch.setattr(
        "autograder.checks.smallest.smallest_call", lambda *_: pytest.fail("looked for a failing call of a right answer")
    )
    for right in [a for a in bank["alternative"] if a["item"].startswith("2.1.")][::5]:
        check(right["item"], notebook(s2, right["code"]))
    assert HEADER not in capsys.readouterr().out


WRONG = {
    "rows that do not sum to one": (
        "2.1.attn_softmax",
        "def attn_softmax(A):\n    return F.softmax(A, dim=-2)",
        "# each row should sum to one; row [0, 0] sums to 0.769",
    ),
    "a transposed result": (
        "2.1.pairwise_similarities",
        "def pairwise_similarities(Q, K):\n    return K @ Q.mT",
        "pairwise_similarities(Q, K)",
    ),
    "zeros before the softmax": (
        "2.1.apply_causal_mask",
        "def apply_causal_mask(mask, A):\n    return A.masked_fill(mask == 0, 0)",
        "# token 1 comes after token 0, so its score in row 0 should be -inf, but is 0",
    ),
    "a look ahead": (
        "2.1.self_attention.step2",
        "def self_attention(Q, K, V, n_heads=1, causal=True):\n    return torch.softmax(Q @ K.mT / Q.shape[-1] ** 0.5, -1) @ V",
        "# with a causal mask token 0 attends to itself alone, so the first row of the output should be the first row of V",
    ),
    "no average": (
        "2.1.compute_outputs",
        "def compute_outputs(A, V):\n    return 10 + A @ V",
        "# each output is an average of rows of V, so [0, 0, 0] should be 1, but is 11",
    ),
    "another shape": (
        "2.1.merge_heads",
        "def merge_heads(y):\n    return y.transpose(1, 2)",
        "# right: [[[1.]]], of shape (1, 1, 1)",
    ),
    "a list": ("2.1.split_heads", "def split_heads(x, n_heads):\n    return x.tolist()", "# yours: a Python list"),
    "a number": ("2.1.attn_scaled", "def attn_scaled(A, n_embd, n_heads):\n    return 0.5", "attn_scaled(A, 1, 1)"),
    "only right for a few tokens": (
        "2.1.attn_softmax",
        "def attn_softmax(A):\n    x = F.softmax(A[..., :5], dim=-1)\n    return torch.cat([x, x], -1)[..., : A.shape[-1]]",
        "# A: shape (1, 10, 10)\n      attn_softmax(A)\n      # yours: [0, 0, 0] is ",
    ),
    "only right where tensors are contiguous": (
        "2.1.split_heads",
        "def split_heads(x, n_heads):\n    return x.view(-1).view(*x.shape[:2], n_heads, -1).transpose(1, 2)",
        "a view, not contiguous",
    ),
}


@pytest.mark.many(of=2)
@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_answer_is_shown_with_the_call_and_what_it_breaks(check, s2, kind, capsys):
    id, code, told = WRONG[kind]
    names = notebook(s2, code)
    check(id, names)
    printed = capsys.readouterr().out
    assert HEADER in printed and told in printed
    assert "# right: " in printed


def test_a_course_may_keep_right_results_to_itself(check, s2, capsys):
    check.show_right_results = False
    check("2.1.attn_softmax", notebook(s2, "def attn_softmax(A):\n    return F.softmax(A, dim=-2)"))
    printed = capsys.readouterr().out
    assert "# yours: " in printed and "row [0, 0] sums to" in printed and "# right" not in printed


RAISING = {
    "shapes that do not fit": ("return Q @ K", "(`return Q @ K`), where Q is (1, 10, 6), K is (1, 10, 6)"),
    "a name that is not defined": ("return Q @ Key.mT", "NameError: name 'Key' is not defined at line 2"),
    "a helper below": (
        "return torch.bmm(Q, K.mT[0])",
        "(`return torch.bmm(Q, K.mT[0])`), where Q is (1, 10, 6), K is (1, 10, 6)",
    ),
    "a message of several lines": ("raise ValueError('one\\n\\ntwo')", "ValueError: one two at line 2"),
    "an error without text": ("raise type('E', (Exception,), {'__str__': lambda self: 1})()", "your code raised E at line 2"),
}


@pytest.mark.parametrize("kind", RAISING)
def test_an_exception_is_told_with_the_own_line_and_the_shapes_on_it(check, s2, kind, capsys):
    line, told = RAISING[kind]
    check("2.1.pairwise_similarities", notebook(s2, f"def pairwise_similarities(Q, K):\n    {line}"))
    printed = capsys.readouterr().out
    assert told in printed and "# raises " in printed
    assert "Traceback" not in printed


def test_looking_for_the_smallest_call_ends_in_time_and_after_a_few_calls(check, s2, monkeypatch):
    names = notebook(s2, "def attn_scaled(A, n_embd, n_heads):\n    calls.append(A.shape)\n    return A * (A.numel() == 1)")
    names["calls"] = calls = []
    assert smallest(check, "2.1.attn_scaled", names)
    assert len(calls) <= 4 * 14
    now = iter(np.arange(0, 1000, SECONDS))  # each look at the clock finds that as much time has passed as there is
    monkeypatch.setattr(deadline.time, "thread_time", lambda: next(now))
    calls.clear()
    assert not smallest(check, "2.1.attn_scaled", names)
    assert len(calls) <= 3  # the public case that fails, and the first of the ladder


def test_nothing_that_an_answer_prints_meanwhile_is_shown(check, s2, capsys):
    check("2.1.attn_scaled", notebook(s2, "def attn_scaled(A, n_embd, n_heads):\n    print('NOISE')\n    return A"))
    out = capsys.readouterr().out
    assert HEADER in out
    assert "NOISE\n" not in out


def test_a_blank_answer_has_no_smallest_call(check, s2, capsys):
    for blank in ("pass", "return None", "..."):
        check("2.1.attn_scaled", notebook(s2, f"def attn_scaled(A, n_embd, n_heads):\n    {blank}"))
    assert HEADER not in capsys.readouterr().out


@pytest.mark.parametrize(
    "body", ["while True:\n        pass", "for _ in iter(int, 1):\n        A = A + 1", "import time; time.sleep(900)"]
)
def test_a_check_of_code_that_never_ends_is_stopped_and_says_so(check, s2, monkeypatch, capsys, body):
    monkeypatch.setattr(cells, "SECONDS", 1.0)
    names = notebook(s2, f"def attn_softmax(A):\n    {body}")
    check("2.1.attn_softmax", names)
    told = capsys.readouterr().out
    assert told.startswith("❌ 2.1.attn_softmax") and "was stopped after 1 s: does a loop in your code never end?" in told
    check("2.1.merge_heads", names)
    assert capsys.readouterr().out.startswith("✅")
