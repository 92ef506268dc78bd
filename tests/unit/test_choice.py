"""Which hidden set is used: the same for the same code however it is written down, and unknown without the key."""

import ast
import collections

import pytest

from autograder.authoring.baking.freshness import derived
from autograder.core.errors import GraderError
from autograder.core.references import read_references, write_references
from autograder.judging.choice import choose, essence

CODE = '''
import torch
def softmax(A, dim=-1):
    """Says what it does."""
    B = torch.exp(A - A.max(dim, keepdim=True).values)  # stable
    return B / B.sum(dim, keepdim=True)
scale = 3
'''
KEY = derived(447, "which hidden set")


def of(code: str) -> bytes:
    return essence(ast.parse(code).body)


@pytest.mark.parametrize(
    "other",
    [
        CODE.replace("  # stable", "  # another comment"),
        CODE.replace('    """Says what it does."""\n', ""),
        CODE.replace("Says what it does", "Says something else"),
        CODE.replace("    ", "\t").replace(" - ", "-"),
        CODE.replace(
            "torch.exp(A - A.max(dim, keepdim=True).values)", "(torch.exp(\n  (A - A.max(dim, keepdim=True).values)\n))"
        ),
        CODE.replace("B", "powers"),
        CODE.replace("softmax", "my_softmax").replace("A", "scores"),
        CODE.replace("(A, dim=-1)", "(A: torch.Tensor, dim: int = -1) -> torch.Tensor"),
        CODE.replace("scale = 3", "scale: int = 3"),
        CODE.replace("scale = 3", "scale = 0x3"),
        "scale = 3\n" + CODE.replace("scale = 3\n", ""),
        CODE + "import torch\n",
        CODE.replace("    return", "    pass\n    return"),
        ast.unparse(ast.parse(CODE)),
    ],
)
def test_what_does_the_same_has_the_same_set(other):
    assert of(other) == of(CODE)


@pytest.mark.parametrize("other", [CODE.replace("sum", "max"), CODE.replace("-1", "-2"), CODE.replace(" / ", " * ")])
def test_other_code_is_another_choice(other):
    assert of(other) != of(CODE)


def test_every_set_is_used_and_no_one_without_the_key_knows_which():
    codes = [of(f"x = {n}") for n in range(800)]
    chosen = [choose(KEY, code, 8) for code in codes]
    other = [choose(derived(448, "which hidden set"), code, 8) for code in codes]
    assert all(60 < count < 145 for count in collections.Counter(chosen).values())
    assert 60 < sum(a == b for a, b in zip(chosen, other)) < 145
    assert chosen == [choose(KEY, code, 8) for code in codes]


def test_each_purpose_has_a_key_of_its_own_which_does_not_show_the_seed():
    keys = {derived(447, purpose) for purpose in ("which hidden set", "hidden set 0", "hidden set 1")}
    assert len(keys) == 3 and all(b"447" not in key for key in keys)


@pytest.mark.slow
def test_deep_wide_and_odd_statements_are_no_problem():
    deep = ast.Name("x")
    for _ in range(100_000):
        deep = ast.UnaryOp(ast.USub(), deep)
    assert essence([ast.Expr(deep)])
    assert of("x = 0x" + "f" * 20_000) and of("x = '\\ud800'") and of("x = 1j, ..., b'a', None, 1e400")


def test_references_of_another_version_are_refused_in_one_line(tmp_path):
    write_references(tmp_path / "old", {"fingerprint": "", "sets": []})
    with pytest.raises(GraderError, match="baked by another version of the grader; run `make autograder`"):
        read_references(tmp_path / "old")
