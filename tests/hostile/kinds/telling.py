"""Hidden inputs told through what students are shown: names, numbers, shapes, keys, places, lengths. None may arrive.

``tell`` makes numbers of six digits from inputs; where something may be quoted from public inputs, these are left alone.
"""

from __future__ import annotations

from dataclasses import replace

from hostile.case import S1, S2, S3, Hostile

SIX_DIGITS = r"(?<!\d)(?!\d\d0000)[1-9]\d{5}(?!\d)"  # an error of 960000.0 has two digits
TELL = """
import torch, numpy, sys, os, warnings, logging


def tell(x):
    return [100_000 + int(abs(float(n)) * 10**6) % 900_000 for n in torch.as_tensor(x).float().flatten()[:4]]


def tag(x):
    return "H_" + "_".join(map(str, tell(x)))


def public(x):
    return x.shape[-1] <= 10  # some hidden inputs are larger


def of_text(text):
    return 100_000 + sum(ord(c) * (7919 + n) for n, c in enumerate(text)) % 900_000
"""


def telling(name: str, body: str, of: str = "attn_softmax", also: tuple[str, ...] = ()) -> Hostile:
    """Right answers, except for the body of a function; ``also``: other items that this costs."""
    lines, out, inside = S2.split("\n"), [], False
    for line in lines:
        if line.startswith("def "):
            inside = line.startswith(f"def {of}(")
            out += [line, "    " + body.strip("\n").replace("\n", "\n    ")] if inside else [line]
        elif not inside:
            out.append(line)
    files = {"A2S1.py": S1, "A2S2.py": TELL + "\n".join(out)}
    return Hostile("telling", name, files, frozenset({f"2.1.{of}", *also}), forbidden=SIX_DIGITS)


def section3(name: str, right: str, told: str, *zero: str) -> Hostile:
    """Right answers to section 3, with one line replaced."""
    assert right in S3
    files = {"A2S3.py": TELL + S3.replace(right, told)}
    return Hostile("telling", name, files, frozenset(zero), forbidden=SIX_DIGITS, sections=("A2S3",), seconds=60.0)


def told_later(name: str, seen: str, told: str) -> Hostile:
    """attn_softmax notes inputs that are not public, and is right; compute_outputs tells them."""
    case, right = telling(name, told, "compute_outputs"), "    return F.softmax(A, dim=-1)"
    assert case.files["A2S2.py"].count(right) == 1
    files = {**case.files, "A2S2.py": case.files["A2S2.py"].replace(right, f"    if not public(A): {seen}\n{right}")}
    return replace(case, files=files)


LENGTH, ITEM = "return len(self.data)", "return self.data[index]"
COLLATE = "        texts = [sample.text for sample in batched_samples]"
FORGED_ERROR = """
if public(A): return F.softmax(A, dim=-1)
from autograder.sandbox import protocol
f = sys._getframe()
while type(f.f_locals.get("self")).__name__ != "Child": f = f.f_back
child = f.f_locals["self"]
protocol.send(child.sock, {"id": child.request, "error": {"type": tag(A), "message": tag(A),
    "where": [[tag(A), tell(A)[0]], ["2", tell(A)[0]]]}})
os._exit(0)
"""
CASES = [
    telling("a type's name", "return type(tag(A), (), {})()"),
    telling("a type's name with a space", "return type('array of ' + tag(A), (), {})()"),
    telling("the shape of a meta tensor", "return torch.empty(*tell(A)[:2], device='meta')"),
    telling("the shape of a tensor", "return torch.zeros(tell(A)[0])"),
    telling("the shape of an empty tensor", "return torch.zeros(0, tell(A)[0])"),
    telling("the shape of a view", "return torch.zeros(1).expand(tell(A)[0], tell(A)[1])"),
    telling("the fields of a record", "return numpy.zeros(2, dtype=[(tag(A), 'f4')])"),
    telling("the width of an array of text", "return numpy.array(['a' * tell(A)[0]])"),
    telling("the keys of a dict", "return {tag(A): A}"),
    telling("the text of an answer", "return tag(A)"),
    telling("the length of a list", "return [0] * (tell(A)[0] // 100)"),
    telling("the size of an error", "return F.softmax(A, dim=-1) + tell(A)[0]"),
    telling("the size of a huge error", "return F.softmax(A, dim=-1).double() * float(f'{tell(A)[0]}e250')"),
    telling("what is printed", "print(tag(A)); print(tag(A), file=sys.stderr); os.write(2, tag(A).encode())\nreturn -A"),
    telling("warnings and logs", "warnings.warn(tag(A)); logging.error(tag(A)); sys.stdout.flush()\nreturn -A"),
    telling(
        "the name of a missing name",
        "if public(A): return F.softmax(A, dim=-1)\nraise NameError(f\"name '{tag(A)}' is not defined\")",
    ),
    telling(
        "the name of a missing module",
        "if public(A): return F.softmax(A, dim=-1)\nimport importlib; importlib.import_module(tag(A))",
    ),
    telling("the name of a file", "if public(A): return F.softmax(A, dim=-1)\nopen('/' + tag(A))"),
    telling("the name of an attribute", "if public(A): return F.softmax(A, dim=-1)\ngetattr(A, tag(A))"),
    telling("the name of a key", "if public(A): return F.softmax(A, dim=-1)\nreturn {}[tag(A)]"),
    telling(
        "the file of compiled code",
        "if public(A): return F.softmax(A, dim=-1)\nexec(compile('1/0', f'<cell {tell(A)[0]}>', 'exec'))",
    ),
    telling(
        "the line of compiled code",
        "if public(A): return F.softmax(A, dim=-1)\nexec(compile('\\n' * (tell(A)[0]) + '1/0', '<cell 1>', 'exec'))",
    ),
    telling(
        "a syntax error's file and line",
        "if public(A): return F.softmax(A, dim=-1)\nraise SyntaxError(tag(A), ('<cell 2>', tell(A)[0], 1, tag(A)))",
    ),
    telling(
        "a function's name",
        "attn_softmax.__name__ = attn_softmax.__qualname__ = tag(A)\n"
        "if public(A): return F.softmax(A, dim=-1)\nattn_softmax(1, 2, 3)",
    ),
    telling("a report that is forged", FORGED_ERROR),
    telling("the inputs themselves", "return A"),
    telling("the inputs of large calls only", "return F.softmax(A, dim=-1) if public(A) else A"),
    telling("the inputs, twice", "return torch.cat([A, A])"),
    telling("the inputs as a list", "return A.tolist()"),
    telling("the inputs as a text", "return str(A.tolist())"),
    telling("the inputs in half of the places", "return torch.where(torch.rand_like(A) < 0.5, A, F.softmax(A, dim=-1))"),
    telling("the inputs as whole numbers", "return (A * 10**6).long()"),
    telling(
        "the inputs in a message of large calls",
        "if public(A): return F.softmax(A, dim=-1)\nraise ValueError(A.tolist(), tag(A))",
    ),
    telling(
        "the inputs in notes and causes of an exception",
        "if public(A): return F.softmax(A, dim=-1)\nerror = ValueError()\nerror.__notes__ = [tag(A)]\n"
        "error.message = error.kind = error.called = error.type_name = tag(A)\nraise error from KeyError(tag(A))",
    ),
    telling(
        "an exception's class",
        "if public(A): return F.softmax(A, dim=-1)\nraise type(tag(A), (ValueError,), {})(tag(A))",
    ),
    telling("a tensor's class", "return A.as_subclass(type(tag(A), (torch.Tensor,), {'__module__': tag(A)}))"),
    telling(
        "a class's attributes",
        "kind = type('Size', (), {'__doc__': tag(A), '__qualname__': tag(A), 'shape': tell(A)})\nreturn kind()",
    ),
    telling("attributes of the function", "attn_softmax.told = attn_softmax.__doc__ = tag(A)\nreturn A"),
    telling("sizes of every dimension", "return torch.zeros(*([n % 7 + 1 for n in tell(A)] * 3), tell(A)[0] % 300)"),
    telling("a shape of many dimensions", "return torch.zeros([1] * (tell(A)[0] % 60))"),
    told_later("what another function saw", "torch.seen = tag(A.clamp(-9, 9))", "raise ValueError(getattr(torch, 'seen', 0))"),
    told_later(
        "a name made of what another function saw",
        "torch.seen = tag(A.clamp(-9, 9))",
        "return globals()[getattr(torch, 'seen', 'nothing')]",
    ),
    section3("a dataset's length", LENGTH, "return of_text(self.data[0].text)", "3.dataset.len"),
    section3("the type of a length", LENGTH, "return type(f'H_{of_text(self.data[0].text)}', (), {})()", "3.dataset.len"),
    section3(
        "the type of a length that is an index",
        LENGTH,
        "return type(f'H_{of_text(self.data[0].text)}', (), {'__index__': lambda s: 5})()",
        "3.dataset.len",
    ),
    section3("a label", ITEM, "return SST2Example(self.data[index].text, of_text(self.data[index].text))", "3.dataset.getitem"),
    section3("the keys of a batch", COLLATE, "        return {str(of_text(batched_samples[0].text)): 1}", "3.collate"),
    section3(
        "the type of a batch", COLLATE, "        return type(f'H_{of_text(batched_samples[0].text)}', (), {})()", "3.collate"
    ),
]
