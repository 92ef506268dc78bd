"""Sentences of ``raised`` that depend on what a message says."""

from __future__ import annotations

import re

SPELLED = re.compile(r"[FHLMNRSX][A-Z0-9]")  # an SST2Example
NUMPY = re.compile(r"\b(?:np|numpy)\.")
HANDED_OVER = re.compile(r"\bmodel\(\s*(?!\*)([^,()]+)[,)]")
UNCALLED = re.compile(r"(?<![\w.])([A-Za-z_]\w*(?:\.\w+)+)\b(?!\s*[(.=])")
MODULE = re.compile(r"\w*Softmax|\w+Loss|\w*ReLU|GELU|Sigmoid|Tanh")  # that of PyTorch which are used as functions
LOSS = re.compile(r"\b(\w+Loss)\((?!\s*(?:\w+\s*=|\)))")  # given something that is no setting by name
PRODUCT = re.compile(r"@|\b(?:matmul|bmm|mm|mv|dot|einsum|baddbmm)\b")


def batch2(match: re.Match[str], code: str) -> str:
    batch, inner, other, rows = match.groups()
    if batch == other:
        return (
            f"a matrix product needs as many columns on the left as there are rows on the right, but there are {inner} and "
            f"{rows}: does one of the two have to be transposed in its last two dimensions, or does one have the wrong "
            "width?"
        )
    return (
        f"the two sides of this matrix product have {batch} and {other} matrices: their leading dimensions have to agree. Is a "
        "leading dimension moved or missing (.T turns all dimensions round, not only the last two)?"
    )


def two_sizes(match: re.Match[str], code: str) -> str:
    a, b, axis = match.groups()
    if PRODUCT.search(code):
        return (
            f"in a matrix product all dimensions but the last two have to agree, but dimension {axis} has {a} and {b} entries: "
            "is a dimension moved, or missing on one side?"
        )
    return f"two tensors are combined number by number, but dimension {axis} of one has {a} entries and of the other {b}"


def view(match: re.Match[str], code: str) -> str:
    sizes, size = match.groups()
    numbers = [int(n) for n in re.findall(r"-?\d+", sizes)]
    whole = 1
    for number in numbers:
        whole *= number
    if any(number < 0 for number in numbers):
        return f"{size} numbers cannot be arranged in shape ({sizes}): the other dimensions do not divide them"
    return f"shape ({sizes}) holds {whole} numbers, but the tensor has {size}"


def uncalled(match: re.Match[str], code: str) -> str:
    """A function, method or class that stands where what it returns is needed; with [ ] behind it, see ``no_index``."""
    if "is not subscriptable" in match.string:
        return ""
    kind = next(group for group in match.groups() if group)
    what = "a class" if kind == "type" else "a function" if kind == "function" else "a method or function"
    before = re.search(r"has no attribute '(\w+)'", match.string)
    if before and re.search(rf"\.\s*{before[1]}\b", code):
        return f"what stands before `.{before[1]}` is {what} itself, not what it returns: is it called, with ( )?"
    named = list(dict.fromkeys(UNCALLED.findall(code)))
    question = f"is `{named[0][:40]}` to be called, with ( )?" if len(named) == 1 else "is one called without its ( )?"
    return f"{what} itself stands here, where what it returns is needed: {question}"


def no_context(match: re.Match[str], code: str) -> str:
    """Something that `with` cannot enter."""
    entered = re.search(r"\bwith\s+([A-Za-z_][\w.]*)\s*(?:,|:|as\b)", code)
    if entered:
        return f"`{entered[1][:40]}` itself is no context for `with`: is it to be called first, with ( )?"
    return f"`with` needs a context that can be entered and left, and {a_(match[1])} is none" if match[1] else ""


def no_truth(match: re.Match[str], code: str) -> str:
    if loss := LOSS.search(code):
        return takes_settings(loss[1])
    return "`if`, `and`, `or`, `not` and `==` between lists need one truth value, and this is a whole tensor of them"


def takes_settings(module: str) -> str:
    return (
        f"`{module}` is a class: its first parentheses take settings and make a function of tensors, which a second pair calls"
    )


def not_set(match: re.Match[str], code: str) -> str:
    return (
        f"nothing that ran before has set `{match[1]}` where this line can see it: is it an argument or a variable of another "
        "function, which is known there alone, is it spelled otherwise, or not imported?"
    )


def no_attribute(match: re.Match[str], code: str) -> str:
    kind, name = match.groups()
    if MODULE.fullmatch(kind) and re.search(rf"\b{kind}\(", code):
        return takes_settings(kind)
    if kind == "NoneType":
        return f"what stands before `.{name}` is None: a function without `return`, or a value that was never set?"
    if kind in ("float", "int", "bool") and name == "backward":
        return "a plain number has no gradients: call backward on the loss tensor itself, not on what .item() gives"
    if kind in ("float", "int", "bool"):
        return f"what stands before `.{name}` is a plain number, not a tensor"
    if kind in ("tuple", "list", "str", "dict", "ndarray"):
        return f"what stands before `.{name}` is {a_(kind)}, which has no `{name}`"
    if re.search(rf"\bself\.{name}\b", code):
        return f"nothing is stored as `self.{name}`: what does `__init__` keep, and under which name?"
    return ""


def whole_encoding(match: re.Match[str], code: str) -> str:
    """What a tokenizer returns has no tensor's attributes, and says nothing when it is asked for one."""
    given = HANDED_OVER.search(code)
    return (
        f"the model takes the parts of an encoding by name (**), and is given `{given[1].strip()[:40]}` as one" if given else ""
    )


def operands(match: re.Match[str], code: str) -> str:
    sign, left, right = match.groups()
    if "NoneType" in (left, right):
        side = "left" if left == "NoneType" else "right"
        return f"the value on the {side} of `{sign}` is None: a function without `return`, or a value that was never set?"
    return f"`{sign}` stands between {a_(left)} and {a_(right)}"


def stacked(match: re.Match[str], code: str) -> str:
    one, other = match.groups()
    begin = f"`stack` puts tensors of equal shape side by side in a new dimension, and these have {one} and {other}"
    if one.split(",")[1:] == other.split(",")[1:]:
        return f"{begin}: `cat` joins them along the one that they have, and to be stacked they have to be padded first"
    return f"{begin}: do they have to be padded first?"


def argument_types(match: re.Match[str], code: str) -> str:
    function, got = match.groups()
    kinds = [kind.strip() for kind in got.split(",")]
    if "str" in kinds and function.startswith("masked_fill"):
        return 'the value to fill with is a text: it has to be a number (float("-inf") is one, "-inf" is not)'
    if "NoneType" in kinds:
        return f"`{function}` was given None: a function without `return`, or a value that was never set?"
    if "float" in kinds and function in ("view", "reshape", "zeros", "ones", "arange", "full", "eye", "expand"):
        return f"`{function}` was given a float as a size: `/` always gives a float, and a size has to be a whole number"
    return f"`{function}` was called with ({', '.join(kinds)[:120]}), which it does not take"


def a_(kind: str) -> str:
    names = {
        "NoneType": "None",
        "ndarray": "a NumPy array",
        "str": "a text",
        "builtin_function_or_method": "a method",
        "method": "a method",
    }
    article = "an" if kind[0] in "aeiouAEIOU" or SPELLED.match(kind) else "a"
    return names.get(kind, f"{article} {kind}")


def not_callable(match: re.Match[str], code: str) -> str:
    kind = match.group(1)
    if kind == "NoneType":
        return "what is called here is None: was the function's TODO filled in?"
    return f"what is called here is {a_(kind)} and not a function: a name used for both, or a pair of parentheses too many?"


def too_few(match: re.Match[str], code: str) -> str:
    function, _, missing = match.groups()
    return f"`{function}` is called without {missing}" if calls(code, function) else ""


def too_many(match: re.Match[str], code: str) -> str:
    function, between, most, given = match.groups()
    if not calls(code, function):
        return ""
    return f"`{function}` takes {'at most ' if between else ''}{most}, with `self` if it has one, and was given {given}"


def unknown_argument(match: re.Match[str], code: str) -> str:
    function, name = match.groups()
    if NUMPY.search(code) and not re.search(rf"\b{name}\s*=", code):
        return (
            f"NumPy hands `{name}` on to the `{function}` of something that is no array: is it a tensor, which has its own one?"
        )
    return f"`{function}` has no argument called `{name}`" if not code or re.search(rf"\b{name}\b|\*\*", code) else ""


def calls(code: str, function: str) -> bool:
    """Whether this line, if it is known, names a function: otherwise code that the line calls does."""
    return not code or function == "__init__" or bool(re.search(rf"\b{re.escape(function)}\b", code))


def by_name(match: re.Match[str], code: str) -> str:
    kind = {"string": "a text"}.get(match[1], a_(match[1]))
    return f"{kind} is indexed by a text, as only a dictionary can be: what is this value here?"


def must_be(match: re.Match[str], code: str) -> str:
    function, name, wanted, got = match.groups()
    return f"`{name}` of `{function}` has to be {wanted.replace('Tensor', 'a tensor')}, but is {a_(got)}"


def no_index(match: re.Match[str], code: str) -> str:
    if match[1] == "NoneType":
        why = "a function without `return`?"
    elif match[1] in ("function", "method", "builtin_function_or_method", "type"):
        why = "was a call with ( ) meant?"
    else:
        why = "is one part of it meant, read with a dot, or another value?"
    return f"{a_(match[1])} cannot be indexed with [ ]: {why}"


def not_iterable(match: re.Match[str], code: str) -> str:
    kind = match[1] or match[2]
    return f"{a_(kind)} cannot be iterated over or unpacked" + (": a function without `return`?" if kind == "NoneType" else "")


def no_iterator(match: re.Match[str], code: str) -> str:
    return f"`__iter__` has to return an iterator, with `yield` or iter(...), and {a_(match[1])} is none"


def not_next(match: re.Match[str], code: str) -> str:
    return f"{a_(match[1])} is no iterator: `next` needs one, which `iter` gives"


def no_length(match: re.Match[str], code: str) -> str:
    return f"{a_(match[1])} has no length"


def not_joined(match: re.Match[str], code: str) -> str:
    return f"`+` joins {a_(match[1])} only to another one, not to {a_(match[2])}"


def no_such_function(match: re.Match[str], code: str) -> str:
    module, name, attribute = match.groups()
    if attribute:
        return f"a tensor has no `{attribute}`: is it a function that takes the tensor, or called something else?"
    return f"there is no `{name}` in {module}: is it in another module of PyTorch, or called something else?"
