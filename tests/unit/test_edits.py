"""Single edits of a student's code: each is valid, touches one place, and there are never too many."""

import ast
import sys

import pytest

from autograder.checks.diagnosis.edited import Edit
from autograder.checks.diagnosis.edits import edits
from autograder.checks.diagnosis.findings import REPAIR, RULE, Finding
from autograder.checks.diagnosis.repair import leads_away, repairing
from autograder.checks.diagnosis.templates import fits, template
from autograder.checks.diagnosis.trying import STEPS, Trial, survivors

WRONG = {  # what is wrong, and what one edit has to make of it
    "an operand": ("def f(Q, K):\n    return Q @ K", "return Q @ K.transpose(-2, -1)"),
    "a dimension": ("def f(A):\n    return F.softmax(A, dim=1)", "return F.softmax(A, dim=-1)"),
    "no dimension": ("def f(A):\n    return A.softmax()", "return A.softmax(-1)"),
    "a fill": ("def f(m, A):\n    return A.masked_fill(m == 0, 0)", "return A.masked_fill(m == 0, float('-inf'))"),
    "a side": ("def f(m, A):\n    return A.masked_fill(m == 1, -1)", "return A.masked_fill(m == 0, -1)"),
    "a root": ("def f(A, n, h):\n    return A / (n / h)", "return A / (n / h) ** 0.5"),
    "precedence": ("def f(A, n):\n    return A / n ** 1 / 2", "return A / n ** 0.5"),
    "a view": ("def f(y):\n    return y.transpose(1, 2).view(2, -1)", "return y.transpose(1, 2).reshape(2, -1)"),
    "a tuple": ("def f(A, V):\n    return A @ V, A", "return A @ V"),
    "a size": ("def f(y):\n    return y.shape[1]", "return y.shape[2]"),
    "a print": ("def f(A):\n    print(A + 1)", "return A + 1"),
    "no return": ("def f(A):\n    B = A + 1", "return B"),
    "a step too many": ("def f(A):\n    return (A + 1).round()", "return A + 1"),
    "the order": ("def f(o, l):\n    l.backward()\n    o.zero_grad()", "    o.zero_grad()\n    l.backward()"),
    "a name": ("def f(Q, K):\n    return Q @ Q.mT", "return Q @ K.mT"),
    "a dimension lost": ("def f(e):\n    return e / e.sum(dim=-1)", "return e / e.sum(dim=-1, keepdim=True)"),
    "a dimension lost, before": ("def f(A):\n    m = torch.amax(A, -1)\n    return A - m", "torch.amax(A, -1, keepdim=True)"),
    "a sum overwritten": ("def f(A):\n    s = 0\n    for a in A:\n        s = a * 2\n    return s", "s += a * 2"),
    "a row overwritten": ("def f(A):\n    for i in A:\n        o[i] = A[i]\n    return o", "o[i] += A[i]"),
    "another comparison": ("def f(p, l):\n    return sum(p >= l)", "sum(p == l)"),
    "a step added": ("def f(A, Q):\n    return A + Q", "return A"),
    "sizes taken in the wrong order": ("def f(y):\n    B, n, h, w = y.shape\n    return y.reshape(B, n, h * w)", "B, h, n, w"),
    "sizes taken in the wrong order, by a call": ("def f(x):\n    n, B, w = x.size()\n    return x.view(B, -1)", "B, n, w"),
    "a letter that einsum keeps": ('def f(A, V):\n    return torch.einsum("...ij,...jd->...jd", A, V)', "'...ij,...jd->...id'"),
    "letters that einsum swaps": ("def f(x):\n    return np.einsum('bnhd->bhdn', x)", "'bnhd->bhnd'"),
    "letters of an operand": ("def f(Q, K):\n    return torch.einsum('bid,bdj->bij', Q, K)", "'bid,bjd->bij'"),
    "names of einops": ("def f(x):\n    return rearrange(x, 'b n (d h) -> b h n d', h=2)", "'b n (h d) -> b h n d'"),
    "a reshape that swaps nothing": ("def f(Q, K):\n    return Q @ K.reshape(2, 3, 4)", "Q @ K.transpose(-2, -1)"),
    "a view that swaps nothing": ("def f(Q, K):\n    k = K.view(2, 3, 4)\n    return Q @ k", "k = K.transpose(-2, -1)"),
    "a loop that ends early": (
        "def f(A, n):\n    for i in range(n):\n        for j in range(i + 1):\n            A[i, j] = 1",
        "for j in range(n)",
    ),
    "a mask of numbers": ("def f(Q, K, V, m):\n    return sdpa(Q, K, V, attn_mask=m)", "else m.bool())"),
    "a mask made a number": ("def f(m, A):\n    return g(m.to(A))", "g(m.bool())"),
    "a list unpacked": (
        "def f(tokenizer, texts):\n    return tokenizer(*texts, padding=True)",
        "tokenizer(texts, padding=True)",
    ),
    "a list that is not unpacked": ("def f(batch):\n    x, y = zip(batch)\n    return x", "zip(*batch)"),
    "precedence of a minus": ("def f(A, n):\n    return A * n ** -1 / 2", "n ** (-0.5)"),
    "a root cut off": ("def f(A, n):\n    return A / math.isqrt(n)", "A / math.sqrt(n)"),
    "half precision": (
        "def f(Q, K):\n    return (Q.to(torch.bfloat16) @ K.to(torch.bfloat16).mT).to(Q.dtype)",
        "(Q.to(torch.float32) @ K.to(torch.float32).mT)",
    ),
    "half precision by a method": ("def f(Q, K):\n    return (Q.half() @ K.half().mT).float()", "(Q @ K.mT)"),
    "an iterator": ("def f(x):\n    return x", "return iter(x)"),
}


@pytest.mark.parametrize("code, right", WRONG.values(), ids=WRONG)
def test_one_of_the_edits_undoes_the_mistake(code, right):
    assert any(right in ast.unparse(ast.parse(edit.code)) for edit in edits(code))


@pytest.mark.parametrize("code", [code for code, _ in WRONG.values()], ids=WRONG)
def test_every_edit_is_another_program_and_names_its_line(code):
    found = edits(code)
    assert len({edit.code for edit in found} | {code}) == len(found) + 1
    for edit in found:
        ast.parse(edit.code)
        assert 1 <= edit.line <= code.count("\n") + 1
        assert edit.part.rstrip("…") in " ".join(code.split())


@pytest.mark.parametrize("code", ["def f(:", "x = " + "(" * 300 + ")" * 300, "\0", "def f():\n" + "    x = [1, 2]\n" * 3000])
def test_what_cannot_be_parsed_or_is_too_long_is_left_alone(code):
    assert edits(code) == []


def work(source: str) -> int:
    """The calls that finding the first edits of a source takes."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counted)
    try:
        edits(source, most=50)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.many(of=2)
@pytest.mark.parametrize("part", ["7", "a[7]", "b", "F.softmax(b)", "(b @ c)"])
def test_the_work_grows_with_the_source_and_not_with_its_square(part):
    short, long = (work(f"def f():\n    c = b\n    return [{', '.join([part] * n)}]\n") for n in (100, 400))
    assert long < 8 * short


def test_there_are_never_more_than_wanted():
    body = "".join(f"    x{n} = torch.softmax(a @ b.transpose(1, 2), dim={n})\n" for n in range(60))
    assert len(edits(f"def f(a, b):\n{body}    return x0", most=200)) == 200


def test_the_students_own_letters_keep_their_places():
    code = 'def f(Ä, K):\n    "Größe"; return Ä @ K  # mal'
    assert any('"Größe"; return ((Ä) @ (K).transpose(-2, -1))  # mal' in edit.code for edit in edits(code))


@pytest.mark.parametrize(
    "code",
    [
        "def f(x, h):\n    if h == 1:\n        return x\n    return x + 1",
        "def f(x, h):\n    return x if h == 1 else x + 1",
        "def f(x, h):\n    while not (h == 1):\n        h -= 1\n    return h",
        "def f(x, h, c):\n    if c and h != 1:\n        return x\n    return h",
        "def f(x, h):\n    return [one for one in x if one == h]",
    ],
)
def test_a_comparison_that_decides_what_is_run_is_not_asked_about_as_a_mask(code):
    found = {edit.concept for edit in edits(code)}
    assert "condition" in found and "mask side" not in found


def test_an_assignments_own_edits_come_first():
    first = edits("def f(a):\n    return g(a)", [template("own", "g(_a)", "h(_a)")])
    own = next(edit for edit in first if edit.concept == "own")
    assert "h((a))" in own.code


def test_a_pattern_wants_the_same_expression_for_the_same_name():
    pattern = template("", "_a + _a", "2 * _a").find
    assert fits(pattern, ast.parse("x + x", mode="eval").body, {})
    assert not fits(pattern, ast.parse("x + y", mode="eval").body, {})


@pytest.mark.parametrize(
    "code, wrong, right",
    [
        ("def f(Q):\n    n = Q.shape[1]\n    return make(n)", "Q.shape[1]", "make(n)"),
        ("def f(x):\n    w = x.size(2)\n    return x / w", "x.size(2)", "x / w"),
        ("def f(x):\n    d = 1\n    return x.sum(dim=d)", "1", "x.sum(dim=d)"),
    ],
)
def test_an_edit_that_does_without_a_name_is_also_about_the_line_that_sets_it(code, wrong, right):
    found = edits(code, [template("own", "make(_n)", "make(Q.shape[2])")])
    cause = next(edit for edit in found if edit.part == wrong)
    around = next(edit for edit in found if edit.part == right and edit.also)
    assert around.also == cause.line == 2 and around.line == 3
    assert repairing([around, cause], lambda edit: True) == cause


def test_a_name_that_is_set_twice_or_is_an_argument_has_no_line_of_its_own():
    code = "def f(x, n):\n    n = 2\n    m = 1\n    m = 3\n    return g(n) + g(m)"
    assert not any(edit.also for edit in edits(code, [template("own", "g(_n)", "g(0)")]) if edit.concept == "own")


def test_no_step_is_asked_for_where_sizes_are_taken():
    found = edits("def f(y):\n    B, h, n, w = y.shape\n    return y.reshape(B, n, h * w)")
    assert not [edit for edit in found if edit.concept == "missing step" and edit.line == 2]


def at(line: int, concept: str = "scale", also: int = 0, adds: str = "") -> Edit:
    return Edit(concept, line, "", f"{line}{concept}{adds}", line, also, adds)


def test_edits_on_different_lines_say_nothing():
    assert repairing([at(2), at(3)], lambda edit: True) is None


def test_an_edit_of_one_line_and_a_swap_with_it_are_about_that_line():
    assert repairing([at(2), at(3, also=2)], lambda edit: True) == at(2)


@pytest.mark.parametrize("cause", ["kind", "contiguous", "one number", "gradient"])
def test_a_question_about_something_else_than_the_cause_of_an_exception_is_not_asked(cause):
    told = [Finding(RULE, cause, "`max` gives two things here")]
    assert leads_away(Finding(REPAIR, "operator", "Look at line 2"), told)
    assert not leads_away(Finding(REPAIR, cause, "Look at line 2"), told)
    assert not leads_away(
        Finding(REPAIR, "operator", "Look at line 2"), [Finding(RULE, "broadcasting", "two sizes"), *told[1:]]
    )


def test_a_statement_that_may_stand_at_several_places_is_one_edit():
    assert repairing([at(2, adds="x"), at(4, adds="x")], lambda edit: True) == at(4, adds="x")


def test_an_edit_without_end_is_stopped_and_costs_nothing_else():
    import numpy as np

    space: dict = {}

    def define(code):
        exec(code, space)
        return space["f"]

    codes = ["def f(a):\n    while True: pass", "def f(a):\n    return a", "def f(a): raise KeyError", "def f(a):", "f = 3"]
    trial = Trial(lambda: [np.ones(2)], dict, np.ones(2), 1e-4)
    twice = Trial(lambda: [np.ones(2)], dict, 2 * np.ones(2), 1e-4)
    assert survivors(codes, define, [[twice], [trial], [trial, twice]], lambda result: result) == [[1, 1]]
    assert survivors(codes, define, [[trial]], lambda result: result, lambda number: number == 0) == []
    assert STEPS < 1e6
