"""What an exception says about the code that raised it, in words: by its kind, its message and the line that it comes from.

A rule tells what the operation needs and what it was given, which the message proves; a suspicion is put as a question.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Callable
from typing import Any

from ..raised import own_frame
from . import words
from .findings import RULE, Finding

# (concept; pattern, searched in "type: message"; a sentence with its groups, or a function of the match and the line)
Row = tuple[str, str, "str | Callable[[re.Match[str], str], str]"]
PRODUCT = (
    "a matrix product needs as many columns on the left as there are rows on the right: does one of the two have to be "
    "transposed in its last two dimensions, or does one have the wrong width?"
)
BECAUSE = re.compile(r" \(because .*\)\.?$", re.DOTALL)  # a message that a probe has explained
WHOLE = "a size or an index has to be a whole number: `/` always gives a float"
UNCALLED = (
    r"\b(builtin_function_or_method|method-wrapper|\w+_descriptor)\b|'(function|method)'|'(type)' object (?:is not|has no len)"
    r"|(?:, not|got|dtype of|passed to|^TypeError: type) (function|method)\b|got \(.*\b(function|method)[,)]"
)
TYPES = "two tensors of different number types meet (float32, float64, int64): they have to be the same"


def meaning_of(error: BaseException, code: str = "") -> Finding | None:
    """What is known from an exception, see ``raised``."""
    try:
        return raised(type(error).__name__, str(error), code)
    except Exception:  # an exception of the student's own, which has no text
        return None


def of_exception(names: dict[str, Any], error: BaseException) -> Finding | None:
    """What an exception means, by the line of a notebook's own code that raised it; ``names``: the notebook's."""
    frame, line = own_frame(error.__traceback__, names)
    return meaning_of(error, linecache.getline(frame.f_code.co_filename, line) if frame else "")


def raised(kind: str, message: str, code: str = "", line: int | None = None) -> Finding | None:
    """What is known from an exception of this kind with this message, raised by this line of code; None if nothing is."""
    text, explained = f"{kind}: {message}", BECAUSE.search(message)
    for concept, pattern, says in (*SHAPES, *KINDS, *FLOW):
        if match := re.search(pattern, text, re.DOTALL):
            sentence = says(match, code) if callable(says) else match.expand(says)
            if sentence:
                return Finding(RULE, concept, "" if explained else sentence, line)
    return None


SHAPES: tuple[Row, ...] = (
    (
        "matrix product",
        r"Expected size for first two dimensions of batch2 tensor to be: \[(\d+), (\d+)\] but got: \[(\d+), (\d+)\]",
        words.batch2,
    ),
    ("matrix product", r"shapes cannot be multiplied \(|inconsistent tensor size|size mismatch, got", PRODUCT),
    ("matrix product", r"matmul: .*core dimension|arguments to (?:linalg\.)?matmul need to be at least 1D", PRODUCT),
    (
        "matrix product",
        r"batch1 must be a 3D tensor|batch2 must be a 3D tensor",
        "`bmm` takes exactly three dimensions, and here are others: `@` takes any number of leading ones",
    ),
    (
        "matrix product",
        r"(?:mat1|self) must be a matrix|1D tensors expected|vector \+ matrix",
        ("this product takes matrices (or vectors) only, and here are more dimensions: `@` takes any number of leading ones"),
    ),
    (
        "broadcasting",
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
        words.two_sizes,
    ),
    (
        "broadcasting",
        r"operands could not be broadcast together",
        "two arrays are combined number by number, but their shapes do not fit",
    ),
    (
        "broadcasting",
        r"The expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\)",
        r"a dimension of \2 entries cannot be stretched to \1: only one of size 1 can",
    ),
    (
        "broadcasting",
        r"einsum\(\): the number of subscripts in the equation \((\d+)\) .* number of dimensions \((\d+)\)",
        r"einsum has \1 letters for a tensor of \2 dimensions: `...` among them stands for any number of leading ones",
    ),
    ("broadcasting", r"einsum\(\): ", "the letters of einsum do not fit the tensors"),
    (
        "broadcasting",
        r"shape of the mask (\[.*?\]) at index \d+ does not match the shape of the indexed tensor (\[.*?\])",
        (
            r"a condition in [ ] is not stretched: its shape \1 is held against the first dimensions of a tensor of shape \2. "
            r"Are its own ones the last ones (`...` stands for those before)?"
        ),
    ),
    ("shape", r"shape '\[(.*?)\]' is invalid for input of size (\d+)", words.view),
    (
        "contiguous",
        r"view size is not compatible with input tensor's size and stride",
        (
            "after a transpose the numbers no longer lie in their order in memory, and `view` cannot rearrange them: "
            "`reshape` can, or `contiguous()` before `view`"
        ),
    ),
    (
        "dimension",
        r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)",
        (
            r"the tensor has dimensions \1 to \2 only, so there is no dimension \3. Counted from the end (-1, -2) it "
            r"works for any number of leading dimensions"
        ),
    ),
    (
        "dimension",
        r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
        r"there is no dimension \1: the array has \2 dimensions",
    ),
    (
        "dimension",
        r"too many indices for (?:tensor|array)",
        "there are more indices in the brackets than the tensor has dimensions",
    ),
    (
        "dimension",
        r"input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)",
        r"`permute` names \2 dimensions, but the tensor has \1",
    ),
    ("dimension", r"repeated dim in permute|duplicate dims", "the same dimension is named twice"),
    (
        "dimension",
        r"t\(\) expects a tensor with <= 2 dimensions, but self is (\d+)D",
        r"`t()` is for matrices only, and this tensor has \1 dimensions: swap the last two by number",
    ),
    (
        "dimension",
        r"tensor\.[HT]\b|T. on tensors of dimension other than 2",
        "`.T` and `.H` are for matrices: swap the last two dimensions by number",
    ),
    (
        "dimension",
        r"tri[lu]: input tensor must have at least 2 dimensions",
        "`tril` and `triu` need a matrix, and this tensor has one dimension",
    ),
    (
        "shape",
        r"stack expects each tensor to be equal size, but got (\[.*?\]) at entry 0 and (\[.*?\]) at entry",
        words.stacked,
    ),
    (
        "shape",
        r"Sizes of tensors must match except in dimension (\d+)",
        r"tensors are joined along dimension \1, so all their other dimensions have to agree",
    ),
    (
        "shape",
        r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)",
        r"there are \1 predictions for \2 labels",
    ),
    (
        "shape",
        r"not enough values to unpack \(expected (\d+), got (\d+)\)",
        r"\1 names are set at once here, but there are only \2 values",
    ),
    (
        "shape",
        r"too many values to unpack \(expected (\d+)",
        r"only \1 names are set at once here, but there are more values",
    ),
)
KINDS: tuple[Row, ...] = (
    ("kind", r"'([\w.]+)' object does not support the context manager protocol|^AttributeError: __enter__$", words.no_context),
    ("kind", UNCALLED, words.uncalled),
    (
        "kind",
        r"torch\.return_types\.(max|min|sort|topk|mode|median|kthvalue|cummax|cummin)\b",
        r"`\1` gives two things here, the values and their places, and one of them is needed",
    ),
    ("whole number", r"failed to unpack the object at pos \d+ with error .*got float", WHOLE),
    ("whole number", r"'float' object cannot be interpreted as an integer|must be .*ints?, (?:but got|not) float", WHOLE),
    ("kind", r"(\w+) indices must be integers(?: or slices)?, not '?str'?", words.by_name),
    ("whole number", r"slice indices must be integers|indices must be integers.*float", WHOLE),
    ("argument", r"(\w+)\(\) received an invalid combination of arguments - got \((.*?)\)", words.argument_types),
    ("argument", r"(\w+)\(\): argument '(\w+)' (?:\(position \d+\) )?must be (.+?), not (\w+)", words.must_be),
    (
        "argument",
        r"(\w+)\(\) missing (\d+) required (?:positional|keyword-only) arguments?: (.+)",
        words.too_few,
    ),
    ("argument", r"(\w+)\(\) takes (from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given", words.too_many),
    ("argument", r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", words.unknown_argument),
    ("argument", r"(\w+)\(\) got multiple values for argument '(\w+)'", r"`\2` is handed to `\1` twice"),
    (
        "kind",
        r"module '(torch(?:\.nn(?:\.functional)?)?)' has no attribute '(\w+)'|'Tensor' object has no attribute '(\w+)'",
        words.no_such_function,
    ),
    ("kind", r"^AttributeError: $", words.whole_encoding),
    ("kind", r"AttributeError: '(\w+)' object has no attribute '(\w+)'", words.no_attribute),
    ("kind", r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'", words.operands),
    ("kind", r"'(\w+)' object is not callable", words.not_callable),
    ("kind", r"'(\w+)' object is not subscriptable", words.no_index),
    ("kind", r"'(\w+)' object is not iterable|cannot unpack non-iterable (\w+) object", words.not_iterable),
    ("kind", r"iter\(\) returned non-iterator of type '(\w+)'", words.no_iterator),
    ("kind", r"'(\w+)' object is not an iterator", words.not_next),
    ("kind", r"object of type '(\w+)' has no len\(\)", words.no_length),
    ("kind", r"can only concatenate (\w+) \(not \"(\w+)\"\) to \w+", words.not_joined),
    (
        "kind",
        r"default_collate: batch must contain tensors",
        ("the DataLoader joins tensors and numbers by itself, but not these items: was it given the dataset's own collate_fn?"),
    ),
    (
        "number type",
        (
            r"(\w+)\(\): (?:could not infer output dtype|input dtype should be either floating point or"
            r" complex).*Got:? ?(\w+)"
        ),
        r"`\1` needs floating-point numbers, and these are \2: convert them first",
    ),
    ("number type", r"expected (?:m1 and m2|mat1 and mat2) to have the same dtype|must have the same dtype", TYPES),
    ("number type", r"expected scalar type (\w+) but found (\w+)", TYPES),
    (
        "number type",
        r"result type (\w+) can't be cast to the desired output type (\w+)",
        r"a result of type \1 does not fit into a tensor of type \2",
    ),
    (
        "number type",
        r"boolean masks?|expects a bool|condition to be a boolean|mask tensor can take 0 and 1 values only",
        ("a condition or a mask has to hold True and False here, and these are numbers: compare them with one first"),
    ),
    ("number type", r"\"(\w+)\" not implemented for '(\w+)'", r"this operation does not work on numbers of type \2"),
    ("number type", r"tensors used as indices must be long", "indices have to be whole numbers (int64)"),
    (
        "one number",
        r"only integer tensors of a single element can be converted to an index",
        "a list of tensors with several numbers each cannot go into one tensor like this: `torch.cat` joins them",
    ),
    (
        "one number",
        (
            r"only one element tensors can be converted|Tensor with \d+ elements cannot be converted|arrays can"
            r" be converted to"
        ),
        "only a tensor of a single number can become a plain number",
    ),
    (
        "one number",
        r"truth value of an array with more than one element|value of Tensor with more than one value is ambiguous",
        words.no_truth,
    ),
    ("tensor", r"too many dimensions '(\w+)'", r"torch.tensor cannot read values of type \1"),
    (
        "tensor",
        r"expected sequence of length (\d+) at dim (\d+) \(got (\d+)\)",
        (
            r"the rows have different lengths (\1 and \3), as those of a tensor cannot: do they have to be padded to one "
            r"length, or joined into one long row?"
        ),
    ),
    (
        "tokenizer",
        r"text input must be of type `?str|TextEncodeInput must be|TextInputSequence must be",
        "the tokenizer takes a text or a list of texts, and was given something else",
    ),
    (
        "tokenizer",
        r"Unable to create tensor, you should probably activate truncation and/or padding",
        "rows of different lengths do not make one tensor: the tokenizer has to pad them",
    ),
)
FLOW: tuple[Row, ...] = (
    (
        "gradient",
        r"element 0 of tensors does not require grad",
        (
            "the loss is not connected to the parameters: was it computed without gradients (no_grad), detached, or "
            "made a new tensor?"
        ),
    ),
    (
        "gradient",
        r"Can't call numpy\(\) on Tensor that requires grad",
        "a tensor with gradients cannot become a NumPy array: stay in PyTorch, where gradients flow",
    ),
    (
        "gradient",
        r"Trying to backward through the graph a second time",
        ("backward runs a second time through the same results: is it called twice, or is something computed before the loop?"),
    ),
    (
        "gradient",
        r"grad can be implicitly created only for scalar outputs",
        "backward needs one number, and this tensor has several: is it the loss, averaged over the batch?",
    ),
    (
        "gradient",
        r"leaf [Vv]ariable that requires grad.*in-place|modified by an inplace operation",
        "a tensor that is still needed for the gradients is changed in place",
    ),
    (
        "device",
        (
            r"Expected all tensors to be on the same device|Torch not compiled with CUDA|No CUDA GPUs|Found no"
            r" NVIDIA driver"
        ),
        "tensors have to be on the same device, and not every machine has a GPU: take the device from the inputs",
    ),
    (
        "index",
        r"index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)",
        r"there is no index \1 in a dimension of size \3",
    ),
    (
        "index",
        r"IndexError: (?:list|tuple|string|deque) index out of range",
        "the index is not smaller than the length: the last one is the length minus one",
    ),
    ("key", r"KeyError: '?([\w ]{1,40})'?$", r"there is no key \1 in it: print its keys() to see what there is"),
    (
        "unset",
        r"UnboundLocalError: .*?'(\w+)'",
        r"`\1` is set only in a branch or loop that did not run before this line, or further down",
    ),
    (
        "unset",
        r"NameError: name 'self' is not defined",
        "a static method gets no `self`: it has only its arguments and what the notebook defines",
    ),
    ("unset", r"^NameError: name '(\w+)' is not defined$", words.not_set),
    ("recursion", r"^RecursionError", "it calls itself again and again"),
    ("zero", r"^ZeroDivisionError", "something is divided by zero: a count that is still 0?"),
)
