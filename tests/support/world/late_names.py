"""Kinds of programs in which a name that an answer reads is bound again after it, or only there."""

from __future__ import annotations

from support.world.kind import S1, S2, S3, Kind, member
from support.world.section2 import items, returning

SCALED = "A / math.sqrt(n_embd / n_heads)"
WITH_ONE = returning(attn_scaled=f"{SCALED} * ONE")
FUNCTIONS = """
def problem_1():
    return 1e6 * key[0]
def problem_2():
    return 1e6 * key
def problem_3():
    return key.mean(0)
"""
VALUES = """
K = key
query121 = 1e6 * K[0]
query122 = 1e6 * K
query131 = K.mean(0)
"""
KEYS = """
query132 = 10 * (key[0] + key[1])
m_key = key.clone()
m_key[2] = (key[0] + key[1]) / 2
m_key = key.clone()
m_key[2] = query132 / query132.norm()
"""


def after(name, code, source=S2):
    return member(name, f"{source}\n{code}\n")


KINDS = [
    Kind(
        "a name that is bound again after section 2.1 does not reach back",
        2,
        (
            after("a tensor called F", "F = torch.randn(8, 4)"),
            after("a loop over math", "for math in [1, 2]:\n    print(math)"),
            after("another module as F", "import torch.nn as F"),
            after("with … as F", "import contextlib\nwith contextlib.nullcontext(3) as F:\n    pass"),
            after("except … as math", "try:\n    1 / 0\nexcept ZeroDivisionError as math:\n    pass"),
            after("a walrus in a comprehension", "[math := n for n in range(3)]"),
            after("unpacked", "B, F = 3, 5"),
            after("starred", "B, *F = 3, 5, 6"),
            after("deleted", "del F, math"),
            after("by a function that declares it global", "def reset():\n    global F\n    F = 3\nreset()"),
            after(
                "by a function that another one calls",
                "def reset():\n    global math\n    math = 3\ndef run():\n    reset()\nrun()",
            ),
            after("by star imports", "from math import *\nfrom numpy import *"),
            after("a class called F", "class F:\n    pass"),
            after("a function called math", "def math():\n    pass"),
            after("an attribute", "F.softmax = None"),
            after("an attribute by name", "setattr(F, 'softmax', None)"),
            after("counted up", "F = 1\nF += 1"),
            after("under if", "if torch.cuda.is_available():\n    F = 1\nelse:\n    F = 2"),
            after("built-ins", "float = 3\nmax = 4", returning(apply_causal_mask="A.masked_fill(mask == 0, -float('inf'))")),
            after("everything", "torch = math = F = None"),
            after("after a call", "out = self_attention(*torch.ones(3, 1, 2, 2), causal=False)\nF = out"),
            after("n_heads and d", "n_heads = 4\nd = 3\nscale = 0.5"),
            after("a module's alias", "import numpy as torch"),
        ),
    ),
    Kind(
        "a function or a constant behind an answer does not change when it is bound again",
        2,
        (
            after("a constant", "ONE = 3.0", "ONE = 1.0\n" + WITH_ONE),
            after("a constant counted up", "ONE += 3.0", "ONE = 1.0\n" + WITH_ONE),
            after(
                "a function",
                "root = 3",
                "def root(d):\n    return math.sqrt(d)\n" + returning(attn_scaled="A / root(n_embd / n_heads)"),
            ),
            after(
                "what a function inside reads",
                "POWER = 2",
                "POWER = 0.5\ndef root(d):\n    return d ** POWER\n" + returning(attn_scaled="A / root(n_embd / n_heads)"),
            ),
            after(
                "a lambda", "root = None", "root = lambda d: d ** 0.5\n" + returning(attn_scaled="A / root(n_embd / n_heads)")
            ),
            member("between two answers", S2.replace("def compute_outputs", "F = torch.randn(8, 4)\ndef compute_outputs")),
        ),
    ),
    Kind(
        "a name that is bound only after the function is found",
        2,
        (
            after("a constant", "ONE = 1.0", WITH_ONE),
            after("a constant from another one", "TWO = 2.0\nONE = TWO / 2", WITH_ONE),
            after("an import", "import cmath", returning(attn_scaled="A / abs(cmath.sqrt(n_embd / n_heads))")),
            after("a helper", "def root(d):\n    return d ** 0.5", returning(attn_scaled="A / root(n_embd / n_heads)")),
            after(
                "a constant that is used, then bound again",
                "ONE = 1.0\nprint(attn_scaled(torch.ones(1, 2, 2), 4, 1))\nONE = 7",
                WITH_ONE,
            ),
            after("a constant, and F bound again", "ONE = 1.0\nF = 3\nmath = 4", WITH_ONE),
        ),
    ),
    Kind(
        "a wrong answer stays wrong whatever is bound after it",
        2,
        (
            member(
                "the wrong dimension",
                returning(attn_softmax="F.softmax(A, dim=-2)") + "\nF = torch.ones(3)\n",
                items("attn_softmax"),
                {"2.1.attn_softmax": "so use the last dimension"},
            ),
            member(
                "values only",
                returning(compute_outputs="V") + "\nF = torch.randn(8, 4)\n",
                items("compute_outputs"),
                {"2.1.compute_outputs": "the values come back unweighted"},
            ),
            member("a constant that is nowhere", WITH_ONE, items("attn_scaled"), {"2.1.attn_scaled": "NameError"}),
            member("a constant that is wrong", WITH_ONE + "\nONE = 2.0\n", items("attn_scaled")),
        ),
    ),
    Kind(
        "a name that is bound again after section 1's answers does not reach back",
        1,
        (
            after("key, which functions read", "key = torch.randn(4, 3)", FUNCTIONS + KEYS),
            after("key in a loop", "for key in range(3):\n    pass", FUNCTIONS + KEYS),
            after("torch", "torch = None", FUNCTIONS + KEYS),
            after("K, which values were made of", "K = torch.zeros(4, 3)\nkey = K", VALUES + KEYS),
            after("K, deleted", "del K, key", VALUES + KEYS),
            after("key, in the usual script", "key = value = None", S1),
        ),
    ),
    Kind(
        "a name that is bound again after section 3 does not reach back",
        3,
        (
            after("tokenizer and DEVICE", "tokenizer = None\nDEVICE = 'cuda:7'", S3),
            after("what main reads", "DataLoader = 3\nnum_epochs = None", S3),
            after("load_dataset", "load_dataset = 'gpt3mix/sst2'", S3),
            after("torch", "torch = None", S3),
        ),
    ),
]
