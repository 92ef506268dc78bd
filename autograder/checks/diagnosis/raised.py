"""What an exception says about the code that raised it, in words: by its kind, its message and the line that it comes from.

A rule tells what the operation needs and what it was given, which the message proves; a suspicion is put as a question.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .findings import RULE, Finding

PRODUCT = re.compile(r"@|\b(?:matmul|bmm|mm|mv|dot|einsum|baddbmm)\b")


@dataclass(frozen=True)
class Rule:
    """``pattern``: searched in ``type: message``; ``says``: a sentence with the match's groups, or a function of match and line."""

    concept: str
    pattern: str
    says: str | Callable[[re.Match[str], str], str]


def raised(kind: str, message: str, code: str = "", line: int | None = None) -> Finding | None:
    """What is known from an exception of this kind with this message, raised by this line of code; None if nothing is."""
    text = f"{kind}: {message}"
    for rule in RULES:
        if match := re.search(rule.pattern, text, re.DOTALL):
            says = rule.says(match, code) if callable(rule.says) else match.expand(rule.says)
            if says:
                return Finding(RULE, rule.concept, says, line)
    return None


def _batch2(match: re.Match[str], code: str) -> str:
    batch, inner, other, rows = match.groups()
    if batch == other:
        return (
            f"a matrix product needs as many columns on the left as there are rows on the right, but there are {inner} and {rows}: "
            "does one of the two have to be transposed in its last two dimensions?"
        )
    return (
        f"the two sides of this matrix product have {batch} and {other} matrices: their leading dimensions have to agree. Is a "
        "leading dimension moved or missing (.T turns all dimensions round, not only the last two)?"
    )


def _two_sizes(match: re.Match[str], code: str) -> str:
    a, b, axis = match.groups()
    if PRODUCT.search(code):
        return (
            f"in a matrix product all dimensions but the last two have to agree, but dimension {axis} has {a} and {b} entries: "
            "is a transpose applied to other dimensions than the last two?"
        )
    return f"two tensors are combined number by number, but dimension {axis} of one has {a} entries and of the other {b}"


def _view(match: re.Match[str], code: str) -> str:
    sizes, size = match.groups()
    numbers = [int(n) for n in re.findall(r"-?\d+", sizes)]
    whole = 1
    for number in numbers:
        whole *= number
    if any(number < 0 for number in numbers):
        return f"{size} numbers cannot be arranged in shape ({sizes}): the other dimensions do not divide them"
    return f"shape ({sizes}) holds {whole} numbers, but the tensor has {size}"


def _no_attribute(match: re.Match[str], code: str) -> str:
    kind, name = match.groups()
    if kind == "NoneType":
        return f"what stands before `.{name}` is None: a function without `return`, or a value that was never set?"
    if kind in ("float", "int", "bool") and name == "backward":
        return "a plain number has no gradients: call backward on the loss tensor itself, not on what .item() gives"
    if kind in ("float", "int", "bool"):
        return f"what stands before `.{name}` is a plain number, not a tensor"
    if kind in ("tuple", "list", "str", "dict", "ndarray"):
        return f"what stands before `.{name}` is {_a(kind)}, which has no `{name}`"
    return ""


def _operands(match: re.Match[str], code: str) -> str:
    sign, left, right = match.groups()
    if "NoneType" in (left, right):
        side = "left" if left == "NoneType" else "right"
        return f"the value on the {side} of `{sign}` is None: a function without `return`, or a value that was never set?"
    return f"`{sign}` stands between {_a(left)} and {_a(right)}"


def _argument_types(match: re.Match[str], code: str) -> str:
    function, got = match.groups()
    kinds = [kind.strip() for kind in got.split(",")]
    if "str" in kinds and function.startswith("masked_fill"):
        return 'the value to fill with is a text: it has to be a number (float("-inf") is one, "-inf" is not)'
    if "NoneType" in kinds:
        return f"`{function}` was given None: a function without `return`, or a value that was never set?"
    if "float" in kinds and function in ("view", "reshape", "zeros", "ones", "arange", "full", "eye", "expand"):
        return f"`{function}` was given a float as a size: `/` always gives a float, and a size has to be a whole number"
    return f"`{function}` was called with ({', '.join(kinds)[:120]}), which it does not take: see its arguments in the documentation"


def _a(kind: str) -> str:
    names = {
        "NoneType": "None",
        "ndarray": "a NumPy array",
        "str": "a text",
        "builtin_function_or_method": "a method",
        "method": "a method",
    }
    return names.get(kind, f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}")


def _callable(match: re.Match[str], code: str) -> str:
    kind = match.group(1)
    if kind == "NoneType":
        return "what is called here is None: was the function's TODO filled in?"
    return f"what is called here is {_a(kind)} and not a function: a name used for both, or a pair of parentheses too many?"


RULES = (
    # -- shapes
    Rule(
        "matrix product",
        r"Expected size for first two dimensions of batch2 tensor to be: \[(\d+), (\d+)\] but got: \[(\d+), (\d+)\]",
        _batch2,
    ),
    Rule(
        "matrix product",
        r"shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)|inconsistent tensor size|size mismatch, got",
        "a matrix product needs as many columns on the left as there are rows on the right: does one of the two have to be "
        "transposed in its last two dimensions?",
    ),
    Rule(
        "matrix product",
        r"matmul: .*core dimension|both arguments to (?:linalg\.)?matmul need to be at least 1D",
        "one side of this matrix product has too few dimensions or other sizes",
    ),
    Rule(
        "broadcasting",
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
        _two_sizes,
    ),
    Rule(
        "broadcasting",
        r"operands could not be broadcast together",
        "two arrays are combined number by number, but their shapes do not fit",
    ),
    Rule(
        "broadcasting",
        r"The expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\)",
        r"a dimension of \2 entries cannot be stretched to \1: only one of size 1 can",
    ),
    Rule("shape", r"shape '\[(.*?)\]' is invalid for input of size (\d+)", _view),
    Rule(
        "contiguous",
        r"view size is not compatible with input tensor's size and stride",
        "after a transpose the numbers no longer lie in their order in memory, and `view` cannot rearrange them: `reshape` can, "
        "or `contiguous()` before `view`",
    ),
    Rule(
        "dimension",
        r"Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)",
        r"the tensor has dimensions \1 to \2 only, so there is no dimension \3. Counted from the end (-1, -2) it works for any number "
        "of leading dimensions",
    ),
    Rule(
        "dimension",
        r"axis (-?\d+) is out of bounds for array of dimension (\d+)",
        r"there is no dimension \1: the array has \2 dimensions",
    ),
    Rule(
        "dimension",
        r"too many indices for (?:tensor|array)",
        "there are more indices in the brackets than the tensor has dimensions",
    ),
    Rule(
        "dimension",
        r"permute\(sparse_coo\)|number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i\.e\. input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)",
        r"`permute` names \2 dimensions, but the tensor has \1: with and without a heads dimension it has to work",
    ),
    Rule("dimension", r"repeated dim in permute|duplicate dims", "the same dimension is named twice"),
    Rule(
        "dimension",
        r"t\(\) expects a tensor with <= 2 dimensions, but self is (\d+)D",
        r"`t()` is for matrices only, and this tensor has \1 dimensions: swap the last two by number",
    ),
    Rule(
        "dimension",
        r"tensor\.H|numpy\.T. on tensors of dimension other than 2",
        "`.T` is for matrices: swap the last two dimensions by number",
    ),
    Rule(
        "shape",
        r"stack expects each tensor to be equal size, but got (\[.*?\]) at entry 0 and (\[.*?\]) at entry",
        r"only tensors of equal shape can be stacked, and these have \1 and \2: do they have to be padded first?",
    ),
    Rule(
        "shape",
        r"Sizes of tensors must match except in dimension (\d+)",
        r"tensors are joined along dimension \1, so all their other dimensions have to agree",
    ),
    Rule(
        "shape",
        r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)",
        r"there are \1 predictions for \2 labels",
    ),
    Rule(
        "shape",
        r"not enough values to unpack \(expected (\d+), got (\d+)\)",
        r"\1 names are set at once here, but there are only \2 values",
    ),
    Rule(
        "shape", r"too many values to unpack \(expected (\d+)", r"only \1 names are set at once here, but there are more values"
    ),
    # -- kinds of values
    Rule(
        "whole number",
        r"failed to unpack the object at pos \d+ with error .*got float|'float' object cannot be interpreted as an integer|must be .*ints?, (?:but got|not) float|expected .*int.*got.*float",
        "a size or an index has to be a whole number: `/` always gives a float",
    ),
    Rule("argument", r"(\w+)\(\) received an invalid combination of arguments - got \((.*?)\)", _argument_types),
    Rule(
        "argument",
        r"(\w+)\(\): argument '(\w+)' (?:\(position \d+\) )?must be (.+?), not (\w+)",
        lambda m, code: f"`{m[2]}` of `{m[1]}` has to be {m[3].replace('Tensor', 'a tensor')}, but is {_a(m[4])}",
    ),
    Rule(
        "argument",
        r"(\w+)\(\) missing (\d+) required (?:positional|keyword-only) arguments?: (.+)",
        r"`\1` is called without \3",
    ),
    Rule(
        "argument",
        r"(\w+)\(\) takes (?:from \d+ to )?(\d+) positional arguments? but (\d+) (?:was|were) given",
        r"`\1` takes \2 arguments (`self` counts as one) and was given \3",
    ),
    Rule("argument", r"(\w+)\(\) got an unexpected keyword argument '(\w+)'", r"`\1` has no argument called `\2`"),
    Rule("argument", r"(\w+)\(\) got multiple values for argument '(\w+)'", r"`\2` is handed to `\1` twice"),
    Rule("kind", r"AttributeError: '(\w+)' object has no attribute '(\w+)'", _no_attribute),
    Rule("kind", r"unsupported operand type\(s\) for (\S+): '(\w+)' and '(\w+)'", _operands),
    Rule("kind", r"'(\w+)' object is not callable", _callable),
    Rule(
        "kind",
        r"'(\w+)' object is not subscriptable",
        lambda m, code: (
            f"{_a(m[1])} has no [ ]: "
            + (
                "a function without `return`?"
                if m[1] == "NoneType"
                else "a call with ( ) that was meant, or another value than expected?"
            )
        ),
    ),
    Rule(
        "kind",
        r"'(\w+)' object is not iterable|cannot unpack non-iterable (\w+) object",
        lambda m, code: (
            f"{_a(m[1] or m[2])} cannot be gone through or taken apart"
            + (": a function without `return`?" if "NoneType" in m[0] else "")
        ),
    ),
    Rule(
        "kind",
        r"iter\(\) returned non-iterator of type '(\w+)'",
        lambda m, code: f"`__iter__` has to return an iterator, with `yield` or iter(...), and {_a(m[1])} is none",
    ),
    Rule(
        "kind",
        r"'(\w+)' object is not an iterator",
        lambda m, code: f"{_a(m[1])} is no iterator: `next` needs one, which `iter` gives",
    ),
    Rule("kind", r"object of type '(\w+)' has no len\(\)", lambda m, code: f"{_a(m[1])} has no length"),
    Rule(
        "kind",
        r"can only concatenate (\w+) \(not \"(\w+)\"\) to \w+",
        lambda m, code: f"`+` joins {_a(m[1])} to another one only, not to {_a(m[2])}",
    ),
    Rule(
        "kind",
        r"'Tensor' object has no attribute '(\w+)'|module 'torch(?:\.nn(?:\.functional)?)?' has no attribute '(\w+)'",
        lambda m, code: f"there is no `{m[1] or m[2]}` in PyTorch: look for its name in the documentation",
    ),
    Rule(
        "kind",
        r"default_collate: batch must contain tensors.*found <class '([\w.<>]+)'>",
        "the DataLoader joins tensors and numbers by itself, but not these items: was it given the dataset's own collate_fn?",
    ),
    Rule(
        "dtype",
        r"(\w+)\(\): (?:could not infer output dtype|input dtype should be either floating point or complex).*Got:? ?(\w+)",
        r"`\1` needs floating-point numbers, and these are \2: convert them first",
    ),
    Rule(
        "dtype",
        r"expected (?:m1 and m2|scalar type|mat1 and mat2|query, key|both).*(?:dtype|but found|same)|Found dtype (\w+) but expected (\w+)|must have the same dtype|expected scalar type (\w+) but found (\w+)",
        "two tensors of different number types meet (float32, float64, int64): they have to be the same",
    ),
    Rule(
        "dtype",
        r"result type (\w+) can't be cast to the desired output type (\w+)",
        r"a result of type \1 does not fit into a tensor of type \2",
    ),
    Rule(
        "dtype",
        r"(?:only|masked_fill\w* only) supports? boolean masks?|expects a bool|mask tensor can take 0 and 1 values only|mask dtype",
        "a mask for masked_fill has to hold True and False: compare it with a number first",
    ),
    Rule("dtype", r"\"(\w+)\" not implemented for '(\w+)'", r"this operation does not work on numbers of type \2"),
    Rule("dtype", r"tensors used as indices must be long", "indices have to be whole numbers (int64)"),
    Rule(
        "one number",
        r"only one element tensors can be converted|Tensor with \d+ elements cannot be converted|only (?:length-1|0-dimensional) arrays can be converted",
        "only a tensor of a single number can become a plain number",
    ),
    Rule(
        "one number",
        r"(?:Boolean value of Tensor with more than one value|truth value of an array with more than one element) is ambiguous",
        "`if`, `and`, `or` and `not` need one truth value, and this is a whole tensor of them",
    ),
    # -- gradients and devices
    Rule(
        "gradient",
        r"element 0 of tensors does not require grad",
        "the loss is not connected to the parameters: was it computed without gradients (no_grad), detached, or made a new tensor?",
    ),
    Rule(
        "gradient",
        r"Can't call numpy\(\) on Tensor that requires grad",
        "a tensor with gradients cannot become a NumPy array: stay in PyTorch, where gradients flow",
    ),
    Rule(
        "gradient",
        r"Trying to backward through the graph a second time",
        "backward runs a second time through the same results: is it called twice, or is something computed before the loop?",
    ),
    Rule(
        "gradient",
        r"grad can be implicitly created only for scalar outputs",
        "backward needs one number, and this tensor has several: has the loss to be averaged first?",
    ),
    Rule(
        "gradient",
        r"leaf [Vv]ariable that requires grad.*in-place|modified by an inplace operation",
        "a tensor is changed in place that is still needed for the gradients",
    ),
    Rule(
        "device",
        r"Expected all tensors to be on the same device|Torch not compiled with CUDA|No CUDA GPUs|Found no NVIDIA driver",
        "tensors have to be on the same device, and not every machine has a GPU: take the device from the inputs",
    ),
    # -- Python
    Rule(
        "index",
        r"index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)",
        r"there is no index \1 in a dimension of size \3",
    ),
    Rule(
        "index",
        r"IndexError: (?:list|tuple|string) index out of range",
        "the index is not smaller than the length: the last one is the length minus one",
    ),
    Rule("index", r"KeyError: '?([\w ]{1,40})'?$", r"there is no key \1 in it: print its keys() to see what there is"),
    Rule(
        "unset",
        r"UnboundLocalError: .*?'(\w+)'",
        r"`\1` is set only in a branch or loop that did not run before this line, or further down",
    ),
    Rule("recursion", r"^RecursionError", "it calls itself again and again"),
    Rule("zero", r"^ZeroDivisionError", "something is divided by zero: a count that is still 0?"),
    Rule(
        "tokenizer",
        r"text input must be of type `?str|TextEncodeInput must be|TextInputSequence must be",
        "the tokenizer takes a text or a list of texts, and was given something else",
    ),
    Rule(
        "tokenizer",
        r"Unable to create tensor, you should probably activate truncation and/or padding",
        "rows of different lengths do not make one tensor: the tokenizer has to pad them",
    ),
    Rule("tensor", r"too many dimensions '(\w+)'", r"torch.tensor cannot read values of type \1"),
    Rule(
        "tensor",
        r"expected sequence of length (\d+) at dim (\d+) \(got (\d+)\)",
        r"the rows have different lengths (\1 and \3): they have to be padded to one length first",
    ),
)
