"""What an exception means is told by what PyTorch and Python really raise, and nothing is told of what is not known."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from autograder.checks.diagnosis.raised import meaning_of, raised

A = torch.randn(2, 3, 4, 5)


class Slow:
    """Has no entries."""


def two(a, b):
    return a


NAMES = {
    "torch": torch,
    "F": F,
    "np": np,
    "Slow": Slow,
    "two": two,
    "A": A,
    "B": torch.randn(2, 3, 4, 5),
    "m": torch.ones(4, 5),
    "nothing": None,
}

# what raises, the concept, and words of the sentence
RAISING = {
    "no transpose": ("A @ B", "matrix product", "columns on the left"),
    "all dimensions turned": ("A @ B.permute(3, 2, 1, 0)", "broadcasting", "all dimensions but the last two"),
    "matrices": ("torch.ones(2, 3) @ torch.ones(4, 5)", "matrix product", "transposed"),
    "bmm of four": ("torch.bmm(A, B.mT)", "matrix product", "exactly three dimensions"),
    "mm of three": ("torch.mm(A[0], B[0])", "matrix product", "matrices"),
    "number by number": ("A + torch.ones(2, 3, 4, 6)", "broadcasting", "dimension 3 of one has 5 entries and of the other 6"),
    "a view after a transpose": ("A.transpose(1, 2).view(2, 4, 15)", "contiguous", "no longer lie in their order"),
    "a shape that does not hold them": ("A.view(2, 7, -1)", "shape", "cannot be arranged"),
    "too small a shape": ("A.reshape(2, 4)", "shape", "holds 8 numbers, but the tensor has 120"),
    "a float size": ("A.view(2, 3, 20 / 1)", "whole number", "whole number"),
    "a float range": ("range(2.0)", "whole number", "whole number"),
    "too far a dimension": ("F.softmax(A, dim=4)", "dimension", "no dimension 4"),
    "permute with too few": ("A.permute(0, 2, 1)", "dimension", "names 3 dimensions, but the tensor has 4"),
    "t of four": ("A.t()", "dimension", "for matrices only"),
    "tril of a vector": ("torch.tril(torch.ones(3))", "dimension", "need a matrix"),
    "a text to fill with": ('A.masked_fill(m == 0, "-inf")', "argument", "is a text"),
    "a mask of numbers": ("A.masked_fill(m, 0.0)", "number type", "True and False"),
    "where with numbers": ("torch.where(m, A, 0.0)", "number type", "True and False"),
    "sqrt of a number": ("torch.sqrt(4.0)", "argument", "has to be a tensor, but is a float"),
    "the mean of truth values": ("(A > 0).mean()", "number type", "floating-point numbers"),
    "doubles and floats": ("torch.ones(2, 2) @ torch.ones(2, 2).double()", "number type", "different number types"),
    "an argument too few": ("torch.matmul(A)", "argument", ""),
    "a tensor as a condition": ("A and B", "one number", "one truth value"),
    "a number from many": ("A.item()", "one number", "single number"),
    "backward of a plain number": ("A.sum().item().backward()", "kind", "plain number has no gradients"),
    "backward of many": ("(A * torch.ones(5, requires_grad=True)).backward()", "gradient", "one number"),
    "backward without a graph": ("A.sum().backward()", "gradient", "not connected"),
    "nothing as a tensor": ("nothing.shape", "kind", "is None"),
    "nothing added": ("A + nothing", "kind", "None"),
    "nothing called": ("nothing(1)", "kind", "None"),
    "a list called": ("[1, 2](0)", "kind", "a list and not a function"),
    "a list's shape": ("[1, 2].shape", "kind", "is a list"),
    "no iterator": ("next([1, 2])", "kind", "no iterator"),
    "too few values": ("(lambda: [a for a, b in [(1,)]])()", "shape", "2 names are set at once here, but there are only 1"),
    "too large an index": ("A[5]", "index", "no index 5 in a dimension of size 2"),
    "a missing key": ('{"text": 1}["label"]', "key", "no key label"),
    "uneven rows": ("torch.tensor([[1, 2], [1]])", "tensor", "different lengths"),
    "uneven tensors": ("torch.stack([torch.ones(2), torch.ones(3)])", "shape", "equal shape"),
    "no such function": ("torch.soft_max(A)", "kind", "no `soft_max` in torch"),
    "a function that is no method": ("A.cat(B)", "kind", "a tensor has no `cat`"),
    "an unknown argument": ("F.softmax(A, dims=-1)", "argument", "`softmax` has no argument called `dims`"),
    "an unknown argument that NumPy hands on": ("np.mean(A == B)", "argument", "NumPy hands `axis` on"),
    "a text indexed by a text": ('"text"["label"]', "kind", "a text is indexed by a text"),
    "a list indexed by a text": ('[1, 2]["label"]', "kind", "a list is indexed by a text"),
    "a list indexed by a float": ("[1, 2][4 / 2]", "whole number", "whole number"),
    "an object's entry": ('Slow()["text"]', "kind", "read with a dot"),
    "a function's entry": ("len[0]", "kind", "a call with ( )"),
    "too many arguments": ("two(1, 2, 3)", "argument", "takes 2, with `self` if it has one, and was given 3"),
    "letters for three dimensions": ('torch.einsum("bij,bkj->bik", A, B)', "broadcasting", "3 letters for a tensor of 4"),
    "a condition on the last dimensions": ("A[m == 1]", "broadcasting", "not stretched"),
}

UNTOLD = {
    "an argument of something that the line calls": (
        "TypeError",
        "inner() got an unexpected keyword argument 'axis'",
        "outer(A)",
    ),
    "too many for something that the line calls": (
        "TypeError",
        "inner() takes 1 positional argument but 2 were given",
        "outer(A)",
    ),
    "too few for something that the line calls": (
        "TypeError",
        "inner() missing 1 required positional argument: 'x'",
        "outer(A)",
    ),
    "a tuple as an index": ("TypeError", "list indices must be integers or slices, not tuple", "rows[0, 1]"),
}


def raised_by(code: str) -> Exception:
    try:
        eval(code, dict(NAMES))
    except Exception as error:
        return error
    raise AssertionError(f"{code} raises nothing")


@pytest.mark.parametrize("code, concept, words", RAISING.values(), ids=RAISING)
@pytest.mark.filterwarnings("ignore")
def test_an_exception_is_put_into_words(code, concept, words):
    error = raised_by(code)
    found = meaning_of(error, code)
    assert found is not None, error
    assert words in found.says
    assert found.concept == concept


@pytest.mark.parametrize("kind, message, code", UNTOLD.values(), ids=UNTOLD)
def test_nothing_is_told_of_what_the_line_does_not_do(kind, message, code):
    assert raised(kind, message, code) is None


def test_a_message_that_a_probe_has_explained_is_left_at_that():
    message = "'NoneType' object has no attribute 'backward' (because the model was given no labels)"
    found = raised("AttributeError", message, "loss.backward()", 4)
    assert found.says == "" and found.line == 4 and found.sentence() == ""


class Mute(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize("error", [ValueError("my own words"), RuntimeError(""), Mute(), KeyError(("a", 1)), OSError(2, "no")])
def test_nothing_is_told_of_an_exception_that_is_not_known(error):
    assert meaning_of(error) is None
