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
    "layer": torch.nn.Linear(2, 2),
    "A": A,
    "B": torch.randn(2, 3, 4, 5),
    "m": torch.ones(4, 5),
    "nothing": None,
    "self": Slow(),
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
    "uneven rows": ("torch.tensor([[1, 2], [1]])", "tensor", "padded to one length, or joined"),
    "uneven tensors": ("torch.stack([torch.ones(2), torch.ones(3)])", "shape", "`cat` joins them"),
    "uneven batches": ("torch.stack([torch.ones(4, 2), torch.ones(1, 2)])", "shape", "`cat` joins them"),
    "uneven widths": ("torch.stack([torch.ones(4, 2), torch.ones(4, 3)])", "shape", "[4, 3]: do they have to be padded first"),
    "a pair subtracted": ("A - A.max(dim=-1)", "kind", "`max` gives two things"),
    "a pair's method": ("A.min(-1).exp()", "kind", "`min` gives two things"),
    "a pair as an argument": ("torch.exp(A.sort(dim=-1))", "kind", "`sort` gives two things"),
    "a pair among arguments": ("torch.where(A > 0, A, A.max(-1))", "kind", "`max` gives two things"),
    "no such function": ("torch.soft_max(A)", "kind", "no `soft_max` in torch"),
    "a function that is no method": ("A.cat(B)", "kind", "a tensor has no `cat`"),
    "an unknown argument": ("F.softmax(A, dims=-1)", "argument", "`softmax` has no argument called `dims`"),
    "an unknown argument that NumPy hands on": ("np.mean(A == B)", "argument", "NumPy hands `axis` on"),
    "a text indexed by a text": ('"text"["label"]', "kind", "a text is indexed by a text"),
    "a list indexed by a text": ('[1, 2]["label"]', "kind", "a list is indexed by a text"),
    "a list indexed by a float": ("[1, 2][4 / 2]", "whole number", "whole number"),
    "an object's entry": ('Slow()["text"]', "kind", "read with a dot"),
    "a function's entry": ("len[0]", "kind", "a call with ( )"),
    "a product with a method": ("A @ B.t", "kind", "is `B.t` to be called"),
    "a method as an argument": ("torch.softmax(A.float, dim=-1)", "kind", "is `A.float` to be called"),
    "a method as a number": ("float(A.item)", "kind", "is `A.item` to be called"),
    "a method as an index": ("A[A.argmax]", "kind", "is `A.argmax` to be called"),
    "a method among sizes": ("A.view(A.numel, 1)", "kind", "is `A.numel` to be called"),
    "a method gone through": ("list({}.items)", "kind", "without its ( )"),
    "a method of Python's gone through": ("list([1].__iter__)", "kind", "without its ( )"),
    "a module's parameters": ("list(layer.parameters)", "kind", "is `layer.parameters` to be called"),
    "a method's method": ("A.mean.item()", "kind", "stands before `.item` is a method"),
    "a function's attribute": ("two.logits", "kind", "stands before `.logits` is a function"),
    "a method, formatted": ('f"{A.item:.3f}"', "kind", "is `A.item` to be called"),
    "a method compared": ("A.sum > 2", "kind", "is `A.sum` to be called"),
    "a class gone through": ("list(Slow)", "kind", "a class itself"),
    "a class of losses as a function": ("torch.nn.CrossEntropyLoss(A, A)", "one number", "`CrossEntropyLoss` is a class"),
    "a class of losses with a backward": ("torch.nn.MSELoss().backward()", "kind", "`MSELoss` is a class"),
    "another function's variable": ("n_embd + 1", "unset", "another function, which is known there alone"),
    "too many arguments": ("two(1, 2, 3)", "argument", "takes 2, with `self` if it has one, and was given 3"),
    "letters for three dimensions": ('torch.einsum("bij,bkj->bik", A, B)', "broadcasting", "3 letters for a tensor of 4"),
    "an attribute of another name": ("len(self.raw_data_list)", "kind", "nothing is stored as `self.raw_data_list`"),
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


ENTERED = {
    "a class": ("with torch.no_grad:\n    pass", "`torch.no_grad` itself is no context"),
    "another one, named": ("with torch.inference_mode as mode:\n    pass", "`torch.inference_mode` itself is no context"),
    "one of two": ("with torch.no_grad, torch.autocast('cpu'):\n    pass", "`torch.no_grad` itself is no context"),
    "a function": ("with open:\n    pass", "`open` itself is no context"),
    "what a function returns": ("with two(1, 2):\n    pass", "an int is none"),
}


def raised_by(code: str) -> Exception:
    try:
        exec(code, dict(NAMES))
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


@pytest.mark.parametrize("code, words", ENTERED.values(), ids=ENTERED)
def test_what_with_cannot_enter_is_told(code, words):
    assert words in meaning_of(raised_by(code), code.split("\n")[0]).says
    assert raised("AttributeError", "__enter__", code.split("\n")[0]) or "two(" in code  # as Python 3.10 has it


@pytest.mark.parametrize("kind, message, code", UNTOLD.values(), ids=UNTOLD)
def test_nothing_is_told_of_what_the_line_does_not_do(kind, message, code):
    assert raised(kind, message, code) is None


@pytest.mark.parametrize(
    "code", ["out = model(enc)", 'model(batch["text_encoding"], labels=y)', "logits = self.model(x).logits"]
)
def test_an_encoding_that_is_handed_over_whole_is_told(code):
    assert "by name" in raised("AttributeError", "", code).says
    assert raised("AttributeError", "", code.replace("model(", "model(**")) is None


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
