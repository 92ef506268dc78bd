"""Submissions as a real class hands them in, as data: ``CASES``, graded one by one in test_classroom.py.

Each case names its files, the items it must lose (all others keep their points) and why it is here: formats, odd cells,
optimisers, aliases, scratch work, experiments after §2.1, files in the wrong place, one wrong answer at a time.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field

import nbformat
from nbformat.v4 import new_code_cell as C
from nbformat.v4 import new_markdown_cell as M
from nbformat.v4 import new_notebook as NB

S1 = {"1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"}
H = [
    "pairwise_similarities",
    "attn_scaled",
    "attn_softmax",
    "compute_outputs",
    "make_causal_mask",
    "apply_causal_mask",
    "split_heads",
    "merge_heads",
]
SA = {f"2.1.self_attention.step{i}" for i in (1, 2, 3)}
S2 = {f"2.1.{h}" for h in H} | SA


@dataclass
class Case:
    name: str
    files: dict
    lost: set
    why: str
    single: bool = False
    exit: int = 0
    says: dict = field(default_factory=dict)


CASES = []
ENDLESS = ("hang-", "long-", "cell-while", "cell-sleep")  # cases in which something runs until a limit ends it


def add(name, files, lost=(), why="", **k):
    CASES.append(Case(name, {p: (d.encode() if isinstance(d, str) else d) for p, d in files.items()}, set(lost), why, **k))


# ---- section 1 as cells (as the course's own notebook, no headings) ----
SETUP1 = """import torch
import torch.nn.functional as F

torch.manual_seed(447)
key = torch.randn(4, 3)
for i in range(4):
    key[i] = key[i] / key[i].norm()
key.mul_(100).round_().div_(100)
value = torch.randn(4, 3)
for i in range(4):
    value[i] = value[i] / value[i].norm()
value.mul_(100).round_().div_(100)
print(key); print(value)"""
ATT = """def attention(query, key, value):
    A = F.softmax(query @ key.transpose(-2, -1), dim=-1)
    return A @ value

def check_query(query, target, key=key, value=value):
    out = attention(query, key, value)
    print("query", query)
    print("max abs diff", (out - target).abs().max())"""
A = dict(
    q121="query121 = 100 * key[0]\ncheck_query(query121, value[0])",
    q122="query122 = 100 * key\ncheck_query(query122, value)",
    q131="query131 = torch.zeros(3)\ncheck_query(query131, value.mean(0))",
    q132="query132 = 15 * (key[0] + key[1])\ncheck_query(query132, (value[0] + value[1]) / 2)",
    m1="m_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
    m2="m_key = key.clone()\nm_key[2] = query132 / query132.norm()\ncheck_query(query132, value[2], key=m_key)",
)


def cells1(pre=(), post=(), mid=None, setup=SETUP1, att=ATT, **kw):
    a = {**A, **kw}
    out = [*pre, setup, att]
    for k in ("q121", "q122", "q131", "q132", "m1", "m2"):
        if a[k] is not None:
            out += a[k] if isinstance(a[k], list) else [a[k]]
        out += (mid or {}).get(k, [])
    return [*out, *post]


HEAD = {
    "q121": "### 1.2.1 Select",
    "q122": "### 1.2.2 Copy",
    "q131": "### 1.3.1 Average",
    "q132": "### 1.3.2 Average two",
    "m1": "### 1.4.1 New key",
    "m2": "### 1.4.2 Unit key",
}


def headed1(**kw):
    a = {**A, **kw}
    out = [SETUP1, ATT]
    for k in HEAD:
        out += [("md", HEAD[k])] + (a[k] if isinstance(a[k], list) else [a[k]])
    return out


# ---- section 2 ----
SETUP2 = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\nDEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'"
F2 = dict(
    init="def init_qkv_proj(n_embd):\n    return nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd)",
    pairwise_similarities="def pairwise_similarities(Q, K):\n    return Q @ K.transpose(-2, -1)",
    attn_scaled="def attn_scaled(A, n_embd, n_heads):\n    return A / math.sqrt(n_embd / n_heads)",
    attn_softmax="def attn_softmax(A):\n    return F.softmax(A, dim=-1)",
    compute_outputs="def compute_outputs(A, V):\n    return A @ V",
    make_causal_mask="def make_causal_mask(n_tok):\n    return torch.tril(torch.ones(n_tok, n_tok))",
    apply_causal_mask="def apply_causal_mask(mask, A):\n    return A.masked_fill(mask == 0, float('-inf'))",
    split_heads_qkv="def split_heads_qkv(Q, K, V, n_heads):\n    return (split_heads(Q, n_heads), split_heads(K, n_heads), split_heads(V, n_heads))",
    split_heads="def split_heads(x, n_heads):\n    B, n_tok, n_embd = x.shape\n    return x.view(B, n_tok, n_heads, n_embd // n_heads).transpose(1, 2)",
    merge_heads="def merge_heads(y):\n    B, h, n, d = y.shape\n    return y.transpose(1, 2).contiguous().view(B, n, h * d)",
    self_attention="""def self_attention(Q, K, V, n_heads=1, causal=True):
    B, n_tok, n_embd = Q.shape
    Q, K, V = split_heads_qkv(Q, K, V, n_heads)
    A = pairwise_similarities(Q, K)
    A = attn_scaled(A, n_embd, n_heads)
    if causal:
        mask = make_causal_mask(n_tok)
        A = apply_causal_mask(mask, A)
    A = attn_softmax(A)
    out = compute_outputs(A, V)
    return merge_heads(out)""",
)
TEST2 = """torch.manual_seed(447)
part1_n_tok = 10
part1_n_emb = 6
key = torch.randn(1, part1_n_tok, part1_n_emb)
value = torch.randn(1, part1_n_tok, part1_n_emb)
query = torch.randn(1, part1_n_tok, part1_n_emb)
def MHA_wrapper(query, key, value, n_heads=1, causal=False):
    n_tok = query.shape[1]; d = query.shape[2]
    eye = torch.eye(d); z = torch.zeros(3*d)
    mask = torch.triu(torch.full((n_tok, n_tok), float('-inf')), 1) if causal else None
    o, _ = F.multi_head_attention_forward(query.transpose(0,1), key.transpose(0,1), value.transpose(0,1), d, n_heads, torch.cat([eye]*3), z, None, None, False, 0.0, eye, torch.zeros(d), attn_mask=mask)
    return o.transpose(0,1)"""
RUN2 = "o1 = self_attention(query, key, value, n_heads=3, causal=True)\no2 = MHA_wrapper(query, key, value, n_heads=3, causal=True)\nprint((o1 - o2).abs().max())"


def cells2(pre=(), post=(), setup=SETUP2, order=None, test=True, **kw):
    f = {**F2, **kw}
    out = [*pre, setup]
    for k in order or f:
        if f[k] is not None:
            out += f[k] if isinstance(f[k], list) else [f[k]]
    return [*out, *([TEST2, RUN2] if test else []), *post]


# ---- formats ----
def nb(cells, **meta):
    book = NB(cells=[M(c[1]) if isinstance(c, tuple) else C(c) for c in cells])
    return book


def ipynb(cells):
    return nbformat.writes(nb(cells))


def py(cells):
    return "\n\n".join((("# " + c[1].replace("\n", "\n# ")) if isinstance(c, tuple) else c) for c in cells) + "\n"


def colab(cells):
    parts = [
        "# -*- coding: utf-8 -*-",
        '"""A2S1.ipynb\n\nAutomatically generated by Colab.\n\nOriginal file is located at\n    https://colab.research.google.com/drive/1AbC\n"""',
    ]
    for c in cells:
        if isinstance(c, tuple):
            parts.append('"""' + c[1].replace("\\", "\\\\") + ("\n" if "\n" in c[1] else "") + '"""')
        elif c.startswith("%%"):
            parts.append(
                "# Commented out IPython magic to ensure Python compatibility.\n"
                + "\n".join("# " + l if l else "#" for l in c.split("\n"))
            )
        else:
            lines, magic = [], False
            for l in c.split("\n"):
                if l.startswith("%"):
                    lines.append("# " + l)
                    magic = True
                else:
                    lines.append(l)
            parts.append(
                ("# Commented out IPython magic to ensure Python compatibility.\n" if magic else "") + "\n".join(lines)
            )
    return "\n\n".join(parts) + "\n"


def nbconv(cells):
    from nbconvert import PythonExporter

    return PythonExporter().from_notebook_node(nb(cells))[0]


def percent(cells):
    import jupytext

    return jupytext.writes(nb(cells), fmt="py:percent")


def vscode(cells):
    return "\n".join(
        ("#%% [markdown]\n# " + c[1].replace("\n", "\n# ")) if isinstance(c, tuple) else "#%%\n" + c for c in cells
    )


def v3(cells):
    return nbformat.writes(nbformat.convert(nb(cells), 3), version=3)


FORMATS = dict(
    ipynb=("ipynb", ipynb),
    colab=("py", colab),
    nbconv=("py", nbconv),
    percent=("py", percent),
    vscode=("py", vscode),
    py=("py", py),
    v3=("ipynb", v3),
)


def zipped(files):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", zipfile.ZIP_DEFLATED) as z:
        for p, d in files.items():
            z.writestr(p, d)
    return b.getvalue()


def both(c1=None, c2=None, fmt="ipynb"):
    ext, f = FORMATS[fmt]
    return {f"A2S1.{ext}": f(c1 or cells1()), f"A2S2.{ext}": f(c2 or cells2())}


# ============ formats with noise ============
NOISE = [
    (
        "md",
        "# CSE 447 A2\n\nAttention is all you need! It's great.\n\n$$\\mathrm{softmax}(QK^\\top)V$$\n\n```python\nquery121 = None\n```",
    ),
    "!pip install -q einops datasets\n%matplotlib inline\nimport matplotlib.pyplot as plt",
    "from google.colab import drive\ndrive.mount('/content/drive')\n%cd /content/drive/MyDrive/cse447",
    "!wget -q https://example.com/data.zip\n!unzip -o data.zip",
    "import torch, datasets, foo, numpy as np",
    "%%time\nfor _ in range(3):\n    pass",
    "%load_ext autoreload\n%autoreload 2",
    "torch.tril?",
]
POST = [
    "plt.figure(figsize=(3, 3))\nplt.imshow(attention(query122, key, value).numpy())\nplt.colorbar()\nplt.show()",
    "fig, ax = plt.subplots()\nax.imshow(key)\nfig.savefig('x.png')",
]
TRAIN = [
    "train_data = datasets.load_dataset('foo')\nmodel = nn.Transformer(64, 2)\nopt = torch.optim.Adam(model.parameters())",
    "for epoch in range(100000):\n    for batch in range(100000):\n        out = self_attention(torch.randn(8, 128, 64), torch.randn(8, 128, 64), torch.randn(8, 128, 64))\n        loss = out.sum()\n        print(loss.item())",
]
for f in FORMATS:
    add(
        f"fmt-{f}-noisy",
        both(cells1(pre=NOISE, post=POST), cells2(pre=NOISE, post=TRAIN), f),
        why="noise around right answers; the long training cell needs nothing graded",
    )
MD60 = (
    "md",
    "## My thoughts\n\n" + "\n".join(f"Line {i}: the model attends to what it wants, don't you think?" for i in range(90)),
)
add(
    "colab-long-markdown",
    both(cells1(pre=NOISE, mid={"q121": [MD60], "q131": [MD60]}), cells2(pre=NOISE + [MD60]), "colab"),
    why="90-line text cells between answers, raw !pip lines (file does not parse as a whole)",
)
MDS = [("md", "### Explanation\n\n" + "\n".join(f"Because of the {i}th key, the dot product is large.\n" for i in range(25)))]
add(
    "colab-much-markdown",
    both(
        cells1(pre=NOISE + MDS * 12, mid=dict.fromkeys(A, MDS * 3), q131="query131 = torch.tensor([\n0.0,\n0.0,\n0.0,\n])"),
        cells2(pre=NOISE + MDS * 12),
        "colab",
    ),
    why="many text cells, raw !pip lines; multi-line tensor at the margin",
)
add(
    "colab-indented-shell",
    both(
        cells1(
            pre=["import sys\nif 'google.colab' in sys.modules:\n    !pip install einops\n"],
            q121="if True:\n    %time pass\n    query121 = 100 * key[0]",
        ),
        None,
        "ipynb",
    ),
    why="shell line inside a block that also binds an answer",
)
add(
    "line-time-magic",
    both(cells1(q132="%time query132 = 15 * (key[0] + key[1])"), None, "ipynb"),
    why="%time in front of an assignment",
)
add(
    "cell-time-magic",
    both(
        cells1(q132="%%time\n# find it\nquery132 = 15 * (key[0] + key[1])\n"),
        cells2(self_attention="%%time\n\n" + F2["self_attention"]),
        "colab",
    ),
    why="%%time cells in Colab's .py",
)
add(
    "colab-md-with-apostrophes",
    both(cells1(pre=NOISE + [("md", "It's \"quoted\" and '''triple''' text")]), None, "colab"),
    why="quotes in text",
)

# ============ headings / no headings, out of order ============
add("no-headings-reversed-s2", both(None, cells2(order=list(reversed(list(F2))), test=False)), why="functions in reverse order")
add(
    "tests-first", both(None, [SETUP2, TEST2, RUN2] + cells2(test=False)[1:]), why="test cells above definitions (kernel order)"
)
add(
    "answers-out-of-order",
    both([SETUP1, ATT, A["q132"], A["q131"], A["m1"], A["m2"], A["q122"], A["q121"]]),
    why="cells in another order, no headings",
)
add(
    "setup-last",
    both([A["q121"], A["q122"], A["q131"], A["q132"], A["m1"], A["m2"], SETUP1, ATT]),
    why="setup cells at the end (moved)",
)
TOC = ("md", "# Table of contents\n\n- 1.2 Selecting\n- 1.4.2 Unit key\n- 2.1 Attention\n- 2.2 Experiment\n- 3 HF")
TOC2 = ("md", "# Contents\n## 2.1 Attention from scratch\n## 2.2 Experiment")
TOC3 = ("md", "**Contents**\n\n**2.1** Attention\n\n**2.2** Experiment")
STEP = [
    F2["self_attention"].replace(
        "    if causal:\n        mask = make_causal_mask(n_tok)\n        A = apply_causal_mask(mask, A)\n", ""
    ),
    F2["self_attention"],
]
for i, toc in enumerate((TOC, TOC2, TOC3)):
    for f in ("ipynb", "nbconv", "colab", "percent"):
        add(
            f"toc{i}-{f}",
            both(cells1(pre=[toc]), cells2(pre=[toc], self_attention=STEP), f),
            why="table of contents lists 2.2 at the top; self_attention grown in steps, last counts",
        )
EXP = [
    ("md", "## 2.2 Experiment"),
    "def attn_softmax(A):\n    return torch.sigmoid(A)\n\ndef self_attention(Q, K, V, n_heads=1, causal=True):\n    return Q",
]
add(
    "exp-heading", both(None, cells2(pre=[("md", "## 2.1 Attention")], post=EXP)), why="§2.2 redefinitions behind a 2.2 heading"
)
add("exp-heading-toc", both(None, cells2(pre=[TOC2], post=EXP)), why="ToC and a real 2.2 heading; no 2.1 heading")
add(
    "exp-heading-toc21",
    both(None, cells2(pre=[TOC2, SETUP2, ("md", "## 2.1 Attention")], post=EXP)),
    why="ToC, imports, 2.1 heading, real 2.2 heading",
)
add("exp-heading-nbconv", both(None, cells2(pre=[("md", "## 2.1 Attention")], post=EXP), "nbconv"), why="same as script")
add(
    "exp-mingpt",
    both(
        None,
        cells2(
            post=[
                "import sys; sys.path.append('minGPT')\nfrom mingpt.model import GPT\nfrom mingpt.trainer import Trainer",
                EXP[1],
            ]
        ),
    ),
    why="§2.2 redefinitions behind a mingpt import",
)
add(
    "exp-mingpt-at-top",
    both(
        None,
        cells2(
            pre=[
                "!git clone https://github.com/x/mingpt",
                "import torch\nfrom mingpt.model import GPT\nfrom mingpt.trainer import Trainer\nfrom mingpt.utils import set_seed",
            ],
            self_attention=STEP,
        ),
    ),
    why="mingpt imported with all other imports at the top",
)
add(
    "exp-mingpt-at-top-then-exp",
    both(None, cells2(pre=["from mingpt.model import GPT"], self_attention=STEP, post=EXP)),
    why="mingpt import at top, 2.2 heading later with redefinitions",
)
add(
    "exp-new-names",
    both(
        None,
        cells2(
            post=[
                "def self_attention_relu(Q, K, V, n_heads=1, causal=True):\n    return F.relu(Q @ K.transpose(-2, -1)) @ V\nout = self_attention_relu(query, key, value)"
            ]
        ),
    ),
    why="experiment under new names, no marker",
)
add(
    "back-to-2.1",
    both(
        None,
        cells2(
            pre=[("md", "## 2.1 Attention")],
            merge_heads=None,
            post=[("md", "## 2.2 Experiment"), "x = 1", ("md", "## 2.1 fixed"), F2["merge_heads"]],
        ),
    ),
    why="a 2.1 function defined behind the 2.2 heading only",
)

# ============ syntax errors in other cells ============
BAD = {
    "open-bracket": "foo = torch.tensor([1, 2,\nbar = 3",
    "open-string": "s = 'abc\nt = 1",
    "open-triple": 's = """never closed\nx = 1',
    "py2": "print key",
    "stray": "TODO: ask Yejin in OH about this",
    "merge": "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> main",
    "half-def": "def my_function(x,",
    "half-def2": "def helper(x):",
    "answer-text": "The query is large because it's the best one.",
    "indent": "  x = 1\n y = 2",
    "shell": "ls -la\ncd foo",
    "ellipsis-def": "def f(:\n    pass",
    "quote": "don't",
    "unbal": "print((1)",
    "tabs": "if True:\n\tx = 1\n        y = 2",
}
for n, bad in BAD.items():
    for f in ("ipynb", "py"):
        add(
            f"bad-{n}-{f}",
            both(cells1(pre=["x0 = 1"], mid={"q121": [bad], "q132": [bad]}), cells2(pre=[SETUP2, bad], post=[bad]), f),
            why="a neighbour does not parse",
        )
add(
    "merge-around-answer",
    both(cells1(q131="<<<<<<< HEAD\nquery131 = torch.zeros(3)\n=======\nquery131 = torch.zeros(3)*0\n>>>>>>> main")),
    why="conflict markers around an answer",
)

# ============ devices ============
for n, pre in {
    "device-cuda": "DEVICE = 'cuda'",
    "device-obj": "DEVICE = torch.device('cuda')",
    "mps": "DEVICE = torch.device('mps') if torch.backends.mps.is_available() else torch.device('cuda:0')",
}.items():
    add(
        f"s2-{n}",
        both(
            cells1(
                setup=SETUP1 + f"\n{pre}\nkey = key.to(DEVICE)\nvalue = value.to(DEVICE)",
                q131="query131 = torch.zeros(3, device=DEVICE)",
            ),
            cells2(
                setup=SETUP2 + "\n" + pre,
                make_causal_mask="def make_causal_mask(n_tok):\n    return torch.tril(torch.ones(n_tok, n_tok, device=DEVICE)).to(DEVICE)",
                apply_causal_mask="def apply_causal_mask(mask, A):\n    return A.masked_fill(mask.to(A.device) == 0, float('-inf')).to(DEVICE)",
            ),
        ),
        why="GPU in the notebook",
    )
add(
    "s1-dotcuda",
    both(
        cells1(q121="query121 = (100 * key[0]).cuda()\ncheck_query(query121, value.cuda()[0])"),
        cells2(make_causal_mask="def make_causal_mask(n_tok):\n    return torch.ones(n_tok, n_tok).cuda().tril()"),
    ),
    why=".cuda()",
)
add(
    "default-device",
    both(
        cells1(pre=["import torch\ntorch.set_default_device('cuda')"]),
        cells2(pre=["import torch\ntorch.set_default_device('cuda')"]),
    ),
    why="set_default_device",
)
add(
    "with-device",
    both(
        None,
        cells2(
            make_causal_mask="def make_causal_mask(n_tok):\n    with torch.device('cuda'):\n        return torch.tril(torch.ones(n_tok, n_tok))"
        ),
    ),
    why="with torch.device",
)
add(
    "assert-cuda",
    both(
        None,
        cells2(
            pre=[
                "import torch\nassert torch.cuda.is_available(), 'turn on GPU'\nprint(torch.cuda.get_device_name(0))\ndevice = torch.device('cuda')\ntorch.cuda.empty_cache()"
            ]
        ),
    ),
    why="assert a GPU",
)
add(
    "f64-default-after",
    both(
        cells1(setup=SETUP1 + "\ntorch.set_default_dtype(torch.float64)\nkey = key.double(); value = value.double()"),
        cells2(pre=["import torch\ntorch.set_default_dtype(torch.float64)"]),
    ),
    why="float64 default after K and V",
)
add(
    "f64-default-before",
    both(cells1(pre=["import torch\ntorch.set_default_dtype(torch.float64)"], setup=SETUP1), None),
    why="float64 default before K, V are drawn: randn then draws other numbers than printed; q = 100*key is the right idea; canonical K promised by design",
)
add(
    "seed-in-other-cell",
    both(
        [
            *["import torch\n", "torch.manual_seed(447)\n", "noise = torch.randn(7)"],
            SETUP1.replace("torch.manual_seed(447)\n", ""),
            ATT,
            *[A[k] for k in A],
        ]
    ),
    S1 & {"x"},
    why="noise drawn between seed and key: the student's key is not the handout's; K printed in handout says so (canonical promised)",
)

# ============ how answers are found ============
OPT = """q = torch.randn(3, requires_grad=True)
opt = torch.optim.{o}([q], lr={lr})
for step in range({n}):
    opt.zero_grad()
    loss = ((attention(q, key, value) - (value[0] + value[1]) / 2) ** 2).sum()
    loss.backward()
    opt.step()
    if step % 100 == 0:
        print(step, loss.item())
query132 = q{tail}"""
NOUNIT = {"m1": A["m1"], "m2": "m_key = key.clone()\nm_key[2] = query132.detach() / query132.detach().norm()"}
add(
    "opt-adam",
    both(
        cells1(
            q132=OPT.format(o="Adam", lr=0.5, n=2000, tail=""),
            **NOUNIT,
            q121=OPT.format(o="Adam", lr=0.5, n=500, tail=".detach()")
            .replace("(value[0] + value[1]) / 2", "value[0]")
            .replace("query132", "query121"),
        )
    ),
    {"1.4.2"},
    why="Adam; requires_grad; its query is too short for any unit key",
)
add(
    "opt-sgd-func",
    both(
        cells1(
            q131="def find(target, n=300):\n    q = nn.Parameter(torch.zeros(3)+0.1)\n    opt = torch.optim.SGD([q], lr=1.0)\n    for _ in range(n):\n        opt.zero_grad(); l = F.mse_loss(attention(q, key, value), target); l.backward(); opt.step()\n    return q\nquery131 = find(value.mean(0))",
            setup=SETUP1 + "\nimport torch.nn as nn",
        )
    ),
    why="helper with SGD, returns a Parameter",
)
add(
    "opt-lbfgs",
    both(
        cells1(
            q131="query131 = torch.full((3,), 0.5, requires_grad=True)\nopt = torch.optim.LBFGS([query131])\ndef closure():\n    opt.zero_grad()\n    loss = F.mse_loss(attention(query131, key, value), value.mean(0))\n    loss.backward()\n    return loss\nfor _ in range(20):\n    opt.step(closure)"
        )
    ),
    why="LBFGS closure over the answer itself",
)
add(
    "opt-tqdm",
    both(
        cells1(
            setup=SETUP1 + "\nfrom tqdm import tqdm",
            q131="query131 = torch.full((3,), 0.5, requires_grad=True)\nopt = torch.optim.Adam([query131], lr=0.1)\nfor _ in tqdm(range(300)):\n    opt.zero_grad()\n    loss = F.mse_loss(attention(query131, key, value), value.mean(0))\n    loss.backward()\n    opt.step()",
        )
    ),
    why="tqdm around the loop (on Colab it is there)",
)
add(
    "opt-tqdm-nb",
    both(
        cells1(
            setup=SETUP1 + "\nfrom tqdm.notebook import trange",
            q131="q = torch.full((3,), 0.5, requires_grad=True)\nopt = torch.optim.Adam([q], lr=0.1)\npbar = trange(300, desc='fit')\nfor _ in pbar:\n    opt.zero_grad()\n    loss = F.mse_loss(attention(q, key, value), value.mean(0))\n    loss.backward()\n    opt.step()\n    pbar.set_postfix(loss=loss.item())\nquery131 = q.detach()",
        )
    ),
    why="trange with postfix",
)
add(
    "opt-plot-inside",
    both(
        cells1(
            setup=SETUP1 + "\nimport matplotlib.pyplot as plt\nfrom IPython.display import clear_output, display",
            q131="q = torch.full((3,), 0.5, requires_grad=True)\nlosses = []\nopt = torch.optim.Adam([q], lr=0.1)\nfor i in range(300):\n    opt.zero_grad()\n    loss = F.mse_loss(attention(q, key, value), value.mean(0))\n    loss.backward()\n    opt.step()\n    losses.append(loss.item())\n    if i % 100 == 0:\n        clear_output(wait=True)\n        plt.plot(losses)\n        plt.show()\nquery131 = q.detach()",
        )
    ),
    why="plots inside the loop (matplotlib is on Colab)",
)
add(
    "display-in-cell",
    both(
        cells1(
            q121="query121 = 100 * key[0]; display(query121)",
            q131="for name in ['a']:\n    query131 = torch.zeros(3)\n    display(query131)",
        )
    ),
    why="display() inside a loop",
)
add(
    "scipy",
    both(
        cells1(
            setup=SETUP1 + "\nimport numpy as np\nfrom scipy.special import softmax",
            q131="query131 = np.zeros(3)\nprint(softmax(key.numpy() @ query131))",
        )
    ),
    why="scipy only in a print",
)
add(
    "scipy-min",
    both(
        cells1(
            setup=SETUP1 + "\nimport numpy as np\nfrom scipy.optimize import minimize",
            q131="res = minimize(lambda q: float(((attention(torch.tensor(q, dtype=torch.float32), key, value) - value.mean(0))**2).sum()), np.ones(3)*0.01, method='Nelder-Mead')\nquery131 = torch.tensor(res.x, dtype=torch.float32)",
        )
    ),
    why="scipy.optimize, as on Colab",
)
add(
    "many-kinds",
    both(
        cells1(
            setup=SETUP1 + "\nimport numpy as np",
            q121="query121 = np.array([47., 65., 60.])\nquery121 = (100 * key[0]).numpy()",
            q122="query122 = [list(map(float, 100*row)) for row in key]",
            q131="query131 = [0, 0, 0]",
            q132="query132 = (15 * (key[0:1] + key[1:2]))",
        )
    ),
    why="numpy, lists, (1,3)",
)
add(
    "lstsq",
    both(
        cells1(
            q132="query132 = 20 * torch.linalg.lstsq(key[:2], torch.ones(2, 1)).solution.squeeze()",
            q121="query121 = torch.linalg.pinv(key) @ torch.tensor([100., -100, -100, -100])",
        )
    ),
    {"1.2.1"} & set(),
    why="lstsq answers",
)
add(
    "class-holder",
    both(
        cells1(
            q121="class Answers:\n    scale = 100\n    @staticmethod\n    def first():\n        return Answers.scale * key[0]\nquery121 = Answers.first()",
            q122="make = lambda s, k=key: s * k\nquery122 = make(100)",
            q131="def set131():\n    global query131\n    query131 = torch.zeros(3)\nset131()",
        )
    ),
    why="class, lambda default, global in function",
)
add(
    "annotations",
    both(
        cells1(
            pre=["from __future__ import annotations\nfrom typing import Optional"],
            q121="query121: torch.Tensor = 100 * key[0]",
        ),
        cells2(
            pre=["from torch import Tensor\nfrom typing import Tuple, Optional"],
            attn_softmax="def attn_softmax(A: Tensor) -> Tensor:\n    return F.softmax(A, dim=-1)",
            merge_heads="def merge_heads(y: 'Float[Tensor, \"b h n d\"]') -> Optional[Tensor]:\n    return y.transpose(1, 2).flatten(2)",
        ),
    ),
    why="annotations",
)
add(
    "jaxtyping",
    both(
        None,
        cells2(
            pre=["from jaxtyping import Float\nfrom torch import Tensor"],
            attn_softmax="def attn_softmax(A: Float[Tensor, 'b n n']) -> Float[Tensor, 'b n n']:\n    return F.softmax(A, dim=-1)",
        ),
    ),
    why="annotation from a package the grader does not have",
)
add(
    "walrus-semicolon",
    both(
        cells1(
            q121="(query121 := 100 * key[0]); check_query(query121, value[0])",
            q131="query131 = query_zero = torch.zeros(3); x, y = 1, 2",
        )
    ),
    why="odd binding forms",
)
add(
    "tuple-assign",
    both(
        cells1(
            q121="query121, query122 = 100 * key[0], 100 * key",
            q122=None,
            q131="query131, query132 = torch.zeros(3), 15 * (key[0] + key[1])",
            q132=None,
        )
    ),
    why="two answers in one assignment",
)
add(
    "step-by-step",
    both(
        cells1(
            q121="query121 = torch.zeros(3)\nquery121 += key[0]\nquery121 *= 100",
            q132="query132 = key[0].clone()\nquery132.add_(key[1])\nquery132.mul_(15)",
            q131="query131 = torch.empty(3)\nquery131[:] = 0",
        )
    ),
    why="augmented / in place",
)
add(
    "retry",
    both(
        cells1(
            q121=[
                "query121 = key[0]\ncheck_query(query121, value[0])",
                "query121 = 10*key[0]",
                "query121 = 100 * key[0]\ncheck_query(query121, value[0])",
            ],
            q132=["query132 = key[0] + key[1]", A["q132"]],
        )
    ),
    why="several tries, last counts",
)
add("exec-dict", both(cells1(q131="answers = {}\nanswers['131'] = torch.zeros(3)\nquery131 = answers['131']")), why="dict")
add(
    "names-in-with",
    both(
        cells1(
            q132="with torch.no_grad():\n    query132 = 15 * (key[0] + key[1])",
            q131="try:\n    query131 = torch.zeros(3)\nexcept Exception as e:\n    print(e)",
        )
    ),
    why="with/try blocks",
)
add(
    "main-guard",
    {
        "A2S1.py": SETUP1
        + "\n"
        + ATT
        + "\nif __name__ == '__main__':\n"
        + "\n".join("    " + l for k in A for l in A[k].split("\n")),
        "A2S2.py": py(cells2()),
    },
    why="all answers inside the main guard, m_key twice",
)
add(
    "main-func-globals",
    {
        "A2S1.py": SETUP1
        + "\n"
        + ATT
        + "\ndef main():\n    global query121, query122, query131, query132\n"
        + "\n".join("    " + l for k in ("q121", "q122", "q131", "q132") for l in A[k].split("\n"))
        + "\nif __name__ == '__main__':\n    main()\n"
        + A["m1"]
        + "\n"
        + A["m2"],
        "A2S2.py": py(cells2()),
    },
    why="answers set by main() with global",
)
SCRIPT = (
    SETUP1
    + "\n"
    + ATT
    + "\ndef problem_1():\n    query = 100 * key[0]\n    return query\n\ndef problem_2():\n    return 100 * key\n\ndef problem_3():\n    return torch.zeros(3)\n"
)
add("problem-script", {"A2S1.py": SCRIPT, "A2S2.py": py(cells2())}, {"1.3.2", "1.4.1", "1.4.2"}, why="script form")
add(
    "problem-script-main",
    {
        "A2S1.py": SCRIPT + "if __name__ == '__main__':\n    check_query(problem_1(), value[0])\n    print(problem_2())",
        "A2S2.py": py(cells2()),
    },
    {"1.3.2", "1.4.1", "1.4.2"},
    why="script form with a main guard",
)
add(
    "problem-script-blank-names",
    {"A2S1.py": SCRIPT + "query121 = None\nquery122 = None\nquery131 = None\n"},
    {"1.3.2", "1.4.1", "1.4.2"} | S2,
    why="names left blank, functions filled",
)
add(
    "problem-combined",
    {"hw2.py": SCRIPT + py(cells2())},
    {"1.3.2", "1.4.1", "1.4.2"},
    why="script form and §2.1, whose tests rebind key",
)
add(
    "problem-calls",
    {"A2S1.py": SCRIPT + "query121 = problem_1()\nquery122 = problem_2()\nquery131 = problem_3()\n" + A["q132"]},
    {"1.4.1", "1.4.2"} | S2,
    why="functions and names",
)

# ============ m_key ============
MK = {
    "k2-alone": ("m_key = (key[0] + key[1]) / 2", "m_key = query132 / query132.norm()"),
    "clone-nocl": (
        "m_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        "m_key[2] = query132 / query132.norm()\ncheck_query(query132, value[2], key=m_key)",
    ),
    "inplace-key": (
        "key[2] = (key[0] + key[1]) / 2\nm_key = key\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        "key[2] = query132 / query132.norm()\nm_key = key\ncheck_query(query132, value[2], key=m_key)",
    ),
    "alias-inplace": (
        "m_key = key\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        "m_key = key\nm_key[2] = query132 / query132.norm()\ncheck_query(query132, value[2], key=m_key)",
    ),
    "stack": (
        "k2 = (key[0] + key[1]) / 2\nm_key = torch.stack([key[0], key[1], k2, key[3]])",
        "k2 = F.normalize(query132, dim=0)\nm_key = torch.stack([key[0], key[1], k2, key[3]])",
    ),
    "cat": (
        "m_key = torch.cat((key[:2], ((key[0]+key[1])/2)[None], key[3:]))",
        "m_key = torch.cat((key[:2], (query132/query132.norm())[None], key[3:]))",
    ),
    "two-attempts": (
        "m_key = key.clone()\nm_key[2] = key[0]*3\ncheck_query(query132, value[:3].mean(0), key=m_key)\n\nm_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        A["m2"],
    ),
    "two-attempts-cells": (
        ["m_key = key.clone()\nm_key[2] = key[0]*3\ncheck_query(query132, value[:3].mean(0), key=m_key)", A["m1"]],
        A["m2"],
    ),
    "two-attempts-second": (
        A["m1"],
        ["m_key = key.clone()\nm_key[2] = key[0]\ncheck_query(query132, value[2], key=m_key)", A["m2"]],
    ),
    "one-cell": ([A["m1"] + "\n" + A["m2"]], []),
    "func": (
        "def with_k2(k2):\n    m = key.clone()\n    m[2] = k2\n    return m\nm_key = with_k2((key[0] + key[1]) / 2)",
        "m_key = with_k2(query132 / query132.norm())",
    ),
    "deepcopy": (
        "import copy\nm_key = copy.deepcopy(key)\nm_key[2, :] = (key[0] + key[1]) / 2",
        "m_key = copy.deepcopy(key)\nm_key[2, :] = query132 / query132.norm()",
    ),
    "index_copy": (
        "m_key = key.index_copy(0, torch.tensor([2]), ((key[0]+key[1])/2)[None])",
        "m_key = torch.where(torch.arange(4)[:, None] == 2, query132 / query132.norm(), key)",
    ),
    "unit-by-loop": (
        A["m1"],
        "m_key = key.clone()\nk2 = torch.randn(3)\nk2 = query132.clone()\nfor _ in range(3):\n    k2 = k2 / k2.norm()\nm_key[2] = k2",
    ),
    "none-first": (
        "m_key = None\nm_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        "m_key = None\nm_key = key.clone()\nm_key[2] = query132 / query132.norm()\ncheck_query(query132, value[2], key=m_key)",
    ),
    "mutate-elements": (
        "m_key = key.clone()\nm_key[2][0] = (key[0][0] + key[1][0]) / 2\nm_key[2][1] = (key[0][1] + key[1][1]) / 2\nm_key[2][2] = (key[0][2] + key[1][2]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
        A["m2"],
    ),
    "numpy": (
        "import numpy as np\nm_key = key.numpy().copy()\nm_key[2] = m_key[:2].mean(0)",
        "m_key = key.numpy().copy()\nm_key[2] = (query132 / query132.norm()).numpy()",
    ),
}
for n, (m1, m2) in MK.items():
    add(f"mkey-{n}", both(cells1(m1=m1, m2=m2)), why="m_key form, no headings")
    if isinstance(m1, str):
        add(f"mkey-{n}-headed", both(headed1(m1=m1, m2=m2)), why="m_key form, headings")
        add(f"mkey-{n}-py", both(cells1(m1=m1, m2=m2), None, "py"), why="m_key form, plain script")
add("m-only-first", both(cells1(m2=None)), {"1.4.2"}, why="only 1.4.1 answered, no headings: m_key once")
add("m-only-first-headed", both(headed1(m2="m_key = None")), {"1.4.2"}, why="1.4.2 left blank")
add("m-only-second-headed", both(headed1(m1="m_key = None")), {"1.4.1"}, why="1.4.1 left blank")
add("m-wrong-1-headed", both(headed1(m1="m_key = key.clone()\nm_key[2] = 5*key[3]")), {"1.4.1"}, why="1.4.1 wrong")
add(
    "m-wrong-2",
    both(cells1(m2="m_key = key.clone()\nm_key[2] = -key[0]\ncheck_query(query132, value[2], key=m_key)")),
    {"1.4.2"},
    why="1.4.2 wrong",
)
add("m-swap", both(cells1(m1=A["m2"], m2=A["m1"])), {"1.4.1", "1.4.2"}, why="answers swapped")
add(
    "m-long",
    both(cells1(m2="m_key = key.clone()\nm_key[2] = query132\ncheck_query(query132, value[2], key=m_key)")),
    {"1.4.2"},
    why="not unit length",
)
add(
    "q132-enlarged-in-142",
    both(cells1(q132="query132 = 5 * (key[0] + key[1])", m2="query132 = 20 * (key[0] + key[1])\n" + A["m2"])),
    {"1.4.2"},
    why="handout: query unchanged; went on instead of back (ambiguous)",
)
add("q132-fixed-below", both(cells1(q132=["query132 = 5 * (key[0] + key[1])", A["q132"]])), why="went back")

# ============ scratch at the end ============
SCR = [
    "# scratch\nkey = torch.randn(4, 3)\nquery121 = torch.randn(3)\nm_key = torch.zeros(4, 3)\nprint(attention(query121, m_key, value))"
]
add(
    "scratch-noheads",
    both(cells1(post=SCR), cells2(post=["def compute_ouputs_test(A): return A\nkey = 3\nQ = None\nV = 7"])),
    why="scratch rebinding at the end, no headings (m_key third binding is ambiguous)",
)
add("scratch-heads", both(headed1() + [("md", "# Scratch")] + SCR), why="scratch under its own unnumbered heading")
add("scratch-heads2", both(headed1() + [("md", "## 1.4.3 Why"), *SCR]), why="scratch under 1.4.3")
add(
    "scratch-143-sub",
    both(headed1(m2=["x = 1", ("md", "#### Hint"), A["m2"]]), None),
    why="answer under an unnumbered sub-heading of 1.4.2",
)
add(
    "scratch-query-heads",
    both(headed1() + ["query121 = None\nquery132 = torch.ones(3)"]),
    why="scratch under the last heading rebinding queries",
)
add("scratch-141-again", both(headed1(m1=[A["m1"], ("md", "Explanation: ..."), "print(m_key)"], m2=[A["m2"]])), why="prints")

# ============ section 2 variants ============
INL = """def self_attention(Q, K, V, n_heads=1, causal=True):
    B, T, C = Q.size()
    hs = C // n_heads
    q = Q.view(B, T, n_heads, hs).transpose(1, 2)
    k = K.reshape(B, T, n_heads, hs).transpose(1, 2)
    v = V.reshape(B, T, n_heads, hs).transpose(1, 2)
    att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(hs))
    if causal:
        att = att.masked_fill(torch.tril(torch.ones(T, T, device=Q.device)).view(1, 1, T, T) == 0, float('-inf'))
    att = F.softmax(att, dim=-1)
    return (att @ v).transpose(1, 2).contiguous().view(B, T, C)"""
add("sa-inlined", both(None, cells2(self_attention=INL)), why="inlined (karpathy)")
LOOP = """def self_attention(Q, K, V, n_heads=1, causal=True):
    B, n, d = Q.shape
    w = d // n_heads
    heads = []
    for h in range(n_heads):
        sl = slice(h * w, (h + 1) * w)
        A = attn_scaled(pairwise_similarities(Q[..., sl], K[..., sl]), d, n_heads)
        if causal:
            A = apply_causal_mask(make_causal_mask(n), A)
        heads.append(compute_outputs(attn_softmax(A), V[..., sl]))
    return torch.cat(heads, dim=-1)"""
add("sa-headloop", both(None, cells2(self_attention=LOOP)), why="loop over heads")
SLOW = """def self_attention(Q, K, V, n_heads=1, causal=True):
    B, n, d = Q.shape
    w = d // n_heads
    out = torch.zeros(B, n, d)
    for b in range(B):
        for h in range(n_heads):
            for i in range(n):
                s = []
                for j in range(n):
                    if causal and j > i:
                        s.append(torch.tensor(float('-inf')))
                    else:
                        s.append(sum(Q[b, i, h*w+t] * K[b, j, h*w+t] for t in range(w)) / math.sqrt(w))
                p = torch.softmax(torch.stack(s), 0)
                for j in range(n):
                    out[b, i, h*w:(h+1)*w] += p[j] * V[b, j, h*w:(h+1)*w]
    return out"""
add("sa-slowloops", both(None, cells2(self_attention=SLOW)), why="four nested loops")
add(
    "sa-einsum",
    both(
        None,
        cells2(
            setup=SETUP2 + "\nfrom einops import rearrange",
            pairwise_similarities="def pairwise_similarities(Q, K):\n    return torch.einsum('...id,...jd->...ij', Q, K)",
            compute_outputs="def compute_outputs(A, V):\n    return torch.einsum('...ij,...jd->...id', A, V)",
            split_heads="def split_heads(x, n_heads):\n    return rearrange(x, 'b n (h d) -> b h n d', h=n_heads)",
            merge_heads="def merge_heads(y):\n    return rearrange(y, 'b h n d -> b n (h d)')",
        ),
    ),
    why="einsum + einops",
)
add(
    "sa-sdpa",
    both(
        None,
        cells2(
            self_attention="def self_attention(Q, K, V, n_heads=1, causal=True):\n    Q, K, V = split_heads_qkv(Q, K, V, n_heads)\n    return merge_heads(F.scaled_dot_product_attention(Q, K, V, is_causal=causal))"
        ),
    ),
    why="SDPA inside",
)
add(
    "sa-chunk",
    both(
        None,
        cells2(
            split_heads="def split_heads(x, n_heads):\n    return torch.stack(x.chunk(n_heads, dim=-1), dim=1)",
            merge_heads="def merge_heads(y):\n    return torch.cat([y[:, h] for h in range(y.shape[1])], dim=-1)",
        ),
    ),
    why="chunk and stack",
)
add(
    "sa-if-heads",
    both(
        None,
        cells2(
            self_attention=F2["self_attention"]
            .replace("    Q, K, V = split", "    if n_heads > 1:\n        Q, K, V = split")
            .replace("    return merge_heads(out)", "    if n_heads > 1:\n        out = merge_heads(out)\n    return out")
        ),
    ),
    why="splits only for several heads",
)
add(
    "sa-renamed-imports",
    both(
        None,
        cells2(
            setup="import torch as t\nfrom torch import nn, tril, ones\nfrom torch.nn import functional as Fn\nfrom math import sqrt\nimport numpy as np\ninf = float('inf')",
            attn_softmax="def attn_softmax(A):\n    return Fn.softmax(A, -1)",
            attn_scaled="def attn_scaled(A, n_embd, n_heads):\n    return A / sqrt(n_embd // n_heads)",
            make_causal_mask="def make_causal_mask(n_tok):\n    return tril(ones((n_tok, n_tok)))",
            apply_causal_mask="def apply_causal_mask(mask, A):\n    return t.where(mask.bool(), A, -inf)",
            test=False,
        ),
    ),
    why="other import names, a global constant",
)
add(
    "sa-star",
    both(
        None,
        cells2(
            setup="from torch import *\nfrom torch.nn.functional import *\nfrom math import *\nimport torch",
            attn_softmax="def attn_softmax(A):\n    return softmax(A, dim=-1)",
            attn_scaled="def attn_scaled(A, n_embd, n_heads):\n    return A / (n_embd / n_heads) ** 0.5",
            make_causal_mask="def make_causal_mask(n_tok):\n    return tril(ones(n_tok, n_tok))",
            test=False,
        ),
    ),
    {"2.1.apply_causal_mask"},
    why="star imports: torch's own float shadows Python's, in the notebook too",
)
add(
    "sa-decorated",
    both(
        None,
        cells2(
            pre=[
                "import functools\ndef log(f):\n    @functools.wraps(f)\n    def g(*a, **k):\n        return f(*a, **k)\n    return g"
            ],
            self_attention="@log\n@torch.no_grad()\n" + F2["self_attention"],
            make_causal_mask="@functools.lru_cache(None)\n" + F2["make_causal_mask"],
        ),
    ),
    why="decorators",
)
add(
    "sa-jit",
    both(None, cells2(attn_softmax="@torch.jit.script\ndef attn_softmax(A):\n    return torch.softmax(A, dim=-1)")),
    why="jit.script (needs the source text)",
)
add("sa-compile", both(None, cells2(attn_softmax="@torch.compile\n" + F2["attn_softmax"])), why="torch.compile")
add(
    "sa-lambda",
    both(
        None,
        cells2(
            pairwise_similarities="pairwise_similarities = lambda Q, K: torch.matmul(Q, K.transpose(-1, -2))",
            attn_softmax="attn_softmax = nn.Softmax(dim=-1)",
            compute_outputs="compute_outputs = torch.matmul",
            attn_scaled="import functools\ndef _sc(p, A, n_embd, n_heads): return A / (n_embd / n_heads) ** p\nattn_scaled = functools.partial(_sc, 0.5)",
        ),
    ),
    why="lambda, module, builtin, partial",
)
add(
    "sa-module-class",
    both(
        None,
        cells2(
            self_attention="class SelfAttention(nn.Module):\n    def forward(self, Q, K, V, n_heads=1, causal=True):\n"
            + "\n".join("    " + l for l in F2["self_attention"].split("\n")[1:])
            + "\n\nself_attention = SelfAttention()"
        ),
    ),
    why="module instance",
)
add(
    "sa-default-capture",
    both(
        None,
        cells2(
            setup=SETUP2 + "\nNEG = float('-inf')\nEPS = 0",
            apply_causal_mask="def apply_causal_mask(mask, A, fill=NEG):\n    return A.masked_fill(~mask.to(torch.bool), fill)",
            self_attention=F2["self_attention"].replace("causal=True)", "causal=True, eps=EPS)"),
        ),
    ),
    why="default from a global",
)
add(
    "sa-printing",
    both(
        None,
        cells2(
            self_attention=F2["self_attention"].replace(
                "    A = attn_softmax(A)", "    print('A', A.shape)\n    assert A.shape[-1] == n_tok\n    A = attn_softmax(A)"
            )
        ),
    ),
    why="prints",
)
add(
    "sa-redefined",
    both(
        None,
        cells2(
            attn_scaled=["def attn_scaled(A, n_embd, n_heads):\n    return A / math.sqrt(n_embd)", F2["attn_scaled"]],
            self_attention=[
                "def self_attention(Q, K, V, n_heads=1, causal=True):\n    return compute_outputs(attn_softmax(attn_scaled(pairwise_similarities(Q, K), Q.shape[-1], 1)), V)",
                *STEP,
            ],
        ),
    ),
    why="step by step",
)
add(
    "sa-old-code-commented",
    both(None, cells2(self_attention='"""\ndef self_attention(Q, K, V):\n    return None\n"""\n' + F2["self_attention"])),
    why="old code in a string",
)
add(
    "sa-utils",
    {
        "A2S1.py": py(cells1()),
        "A2S2.py": SETUP2
        + "\nfrom utils import *\nfrom utils import split_heads, merge_heads\n"
        + "\n\n".join(F2[k] for k in F2 if k not in ("split_heads", "merge_heads")),
        "utils.py": SETUP2 + "\n" + F2["split_heads"] + "\n" + F2["merge_heads"],
    },
    why="two helpers in utils.py",
)
add(
    "sa-utils-all",
    {
        "A2S1.py": py(cells1()),
        "A2S2.py": SETUP2 + "\nfrom attn import " + ", ".join(H) + ", self_attention, split_heads_qkv\n" + TEST2 + "\n" + RUN2,
        "attn.py": py(cells2(test=False)),
    },
    why="all in attn.py, A2S2 imports them",
)
add(
    "sa-utils-unnamed",
    {
        "A2S1.py": py(cells1()),
        "hw2_part2.py": SETUP2
        + "\nfrom helpers import "
        + ", ".join(H)
        + "\n"
        + F2["split_heads_qkv"]
        + "\n"
        + F2["self_attention"],
        "helpers.py": "\n\n".join([SETUP2] + [F2[h] for h in H]),
    },
    why="unnamed main file with self_attention, helpers in a module",
)
add(
    "sa-utils-alias",
    {
        "A2S1.py": py(cells1()),
        "A2S2.py": SETUP2
        + "\nimport utils as u\nsplit_heads = u.split_heads\n"
        + "\n\n".join(F2[k] for k in F2 if k not in ("split_heads",)),
        "utils.py": SETUP2 + "\n" + F2["split_heads"],
    },
    why="alias of module function",
)
add(
    "sa-utils-pkg",
    {
        "sub/A2S1.py": py(cells1()),
        "sub/A2S2.py": SETUP2
        + "\nfrom lib.heads import split_heads\n"
        + "\n\n".join(F2[k] for k in F2 if k not in ("split_heads",)),
        "sub/lib/heads.py": SETUP2 + "\n" + F2["split_heads"],
        "sub/lib/__init__.py": "",
    },
    why="package in a folder",
)
add(
    "sa-bool-mask",
    both(
        None,
        cells2(
            make_causal_mask="def make_causal_mask(n_tok):\n    i = torch.arange(n_tok)\n    return i[:, None] >= i[None, :]",
            apply_causal_mask="def apply_causal_mask(mask, A):\n    A = A.clone()\n    A[..., ~mask.bool()] = -float('inf')\n    return A",
        ),
    ),
    why="bool mask",
)
add(
    "sa-loops-mask",
    both(
        None,
        cells2(
            make_causal_mask="def make_causal_mask(n_tok):\n    mask = torch.zeros(n_tok, n_tok)\n    for i in range(n_tok):\n        for j in range(i + 1):\n            mask[i, j] = 1\n    return mask",
            apply_causal_mask="def apply_causal_mask(mask, A):\n    return A + (1 - mask) * -1e9",
        ),
    ),
    why="loops, additive",
)
add(
    "sa-additive-log",
    both(None, cells2(apply_causal_mask="def apply_causal_mask(mask, A):\n    return A + torch.log(mask)")),
    why="log of the mask",
)
add(
    "sa-np",
    both(
        None,
        cells2(
            setup=SETUP2 + "\nimport numpy as np",
            make_causal_mask="def make_causal_mask(n_tok):\n    return torch.from_numpy(np.tril(np.ones((n_tok, n_tok))))",
            attn_scaled="def attn_scaled(A, n_embd, n_heads):\n    return A / np.sqrt(n_embd / n_heads)",
        ),
    ),
    why="numpy inside",
)
add(
    "sa-4d-pair",
    both(
        None, cells2(pairwise_similarities="def pairwise_similarities(Q, K):\n    return torch.einsum('bhid,bhjd->bhij', Q, K)")
    ),
    {"2.1.pairwise_similarities"},
    why="4-D only: facts say last two dimensions; loses own item only",
)
add(
    "sa-bmm",
    both(None, cells2(pairwise_similarities="def pairwise_similarities(Q, K):\n    return torch.bmm(Q, K.transpose(1, 2))")),
    {"2.1.pairwise_similarities"},
    why="bmm breaks on heads; self_attention right with right prerequisites",
)
add(
    "sa-global-heads",
    both(
        None,
        cells2(
            post=["n_heads = 12\nmask = torch.ones(3, 3)\nmath = None" if False else "n_heads = 12\nmask = torch.ones(3, 3)"]
        ),
    ),
    why="globals later",
)
add(
    "sa-missing-import",
    both(
        None,
        cells2(
            setup="import torch\nimport torch.nn as nn",
            attn_scaled="def attn_scaled(A, n_embd, n_heads):\n    return A / np.sqrt(n_embd / n_heads)",
            test=False,
        ),
    ),
    why="imports lost in cleaning up: given names pre-bound",
)
add(
    "sa-float-heads",
    both(
        None,
        cells2(
            split_heads="def split_heads(x, n_heads):\n    b, n, d = x.shape\n    return x.reshape(b, n, n_heads, int(d / n_heads)).permute(0, 2, 1, 3)"
        ),
    ),
    why="permute",
)
add(
    "sa-try-import",
    both(
        None,
        cells2(
            setup="try:\n    import torch\n    import torch.nn as nn, math\n    import torch.nn.functional as F\n    import xformers\nexcept ImportError:\n    xformers = None"
        ),
    ),
    why="try import",
)
add(
    "sa-kw-renamed",
    both(
        None, cells2(self_attention=F2["self_attention"].replace("n_heads=1", "num_heads=1").replace("n_heads)", "num_heads)"))
    ),
    SA,
    why="renamed keyword: not the handout's signature",
)

# wrong ones
WRONG = {
    "pairwise_similarities": "    return Q @ K.T if K.dim() == 2 else Q @ K.transpose(-2, -1) / 2",
    "attn_scaled": "    return A / n_embd",
    "attn_softmax": "    return F.softmax(A, dim=1)",
    "compute_outputs": "    return A.transpose(-1, -2) @ V",
    "make_causal_mask": "    return torch.triu(torch.ones(n_tok, n_tok))",
    "apply_causal_mask": "    return A.masked_fill(mask == 0, 0)",
    "split_heads": "    B, n, d = x.shape\n    return x.view(B, n_heads, n, d // n_heads)",
    "merge_heads": "    B, h, n, d = y.shape\n    return y.reshape(B, n, h * d)",
}
for h, body in WRONG.items():
    add(
        f"wrong-{h}",
        both(None, cells2(**{h: F2[h].split("\n")[0] + "\n" + body}), "py"),
        {f"2.1.{h}"},
        why="one helper wrong costs itself",
    )
for k, id, e in (
    ("q121", "1.2.1", "query121 = key[0]"),
    ("q122", "1.2.2", "query122 = key"),
    ("q131", "1.3.1", "query131 = torch.ones(3)"),
    ("q132", "1.3.2", "query132 = key[0] + key[1]"),
    ("q131", "1.3.1", "query131 = torch.zeros(1, 1, 3)"),
    ("q122", "1.2.2", "query122 = 100 * key[0]"),
    ("q121", "1.2.1", "query121 = 100 * key"),
):
    add(
        f"wrong-{id}-{len(e)}",
        both(cells1(**{k: e, "m2": A["m2"].replace("query132 / query132.norm()", "(key[0]+key[1])/(key[0]+key[1]).norm()")})),
        {id},
        why="one §1 answer wrong",
    )
add(
    "wrong-two-helpers",
    both(
        None,
        cells2(
            split_heads=F2["split_heads"].split("\n")[0] + "\n    return x",
            attn_softmax="def attn_softmax(A):\n    return A.softmax(0)",
        ),
    ),
    {"2.1.split_heads", "2.1.attn_softmax"},
    why="two wrong",
)
add(
    "starter-s2-half",
    both(
        None,
        cells2(
            make_causal_mask="def make_causal_mask(n_tok):\n    # TODO\n    pass",
            apply_causal_mask="def apply_causal_mask(mask, A):\n    raise NotImplementedError",
            self_attention="def self_attention(Q, K, V, n_heads=1, causal=True):\n    ...",
        ),
    ),
    {"2.1.make_causal_mask", "2.1.apply_causal_mask"} | SA,
    why="half done",
)
add(
    "sa-step2-only",
    both(
        None,
        cells2(
            split_heads=None,
            merge_heads=None,
            split_heads_qkv=None,
            self_attention="def self_attention(Q, K, V, n_heads=1, causal=True):\n    A = attn_scaled(pairwise_similarities(Q, K), Q.shape[-1], n_heads)\n    if causal:\n        A = apply_causal_mask(make_causal_mask(Q.shape[1]), A)\n    return compute_outputs(attn_softmax(A), V)",
        ),
    ),
    {"2.1.split_heads", "2.1.merge_heads", "2.1.self_attention.step3"},
    why="stopped after step 2",
)
add(
    "sa-none-returned",
    both(None, cells2(self_attention=F2["self_attention"].replace("return merge_heads", "out = merge_heads"))),
    SA,
    why="forgot return",
)

# ============ hangs, exits, sleeps ============
for n, cell in {
    "while": "while True:\n    pass",
    "sleep": "import time\ntime.sleep(10000)",
    "exit": "exit()",
    "sysexit": "import sys\nsys.exit(0)",
    "os_exit": "import os\nos._exit(0)",
    "input": "name = input('name? ')",
    "rec": "def r(n): return r(n + 1)\nr(0)",
    "raise": "raise RuntimeError('stop here')",
    "kill": "import os\nos.kill(os.getpid(), 9)",
    "assert": "assert False",
    "quit-if": "import sys\nif not torch.cuda.is_available():\n    sys.exit('no GPU')",
}.items():
    add(
        f"cell-{n}",
        both(cells1(mid={"q121": [cell]}), cells2(pre=["import torch", cell], post=[cell]), "ipynb"),
        why="an unneeded bad cell",
    )
add(
    "hang-train-uses-key",
    both(cells1(mid={"q131": ["while attention(query131, key, value).sum() != 7:\n    query131 = query131 + 0\n"]}), None),
    why="a loop over an answer that never ends: value before it stands",
)
add(
    "hang-func",
    both(None, cells2(attn_softmax="def attn_softmax(A):\n    while True:\n        pass")),
    {"2.1.attn_softmax"},
    why="one hanging helper",
)
add(
    "hang-two-func",
    both(
        None,
        cells2(
            attn_softmax="def attn_softmax(A):\n    while True:\n        pass",
            merge_heads="def merge_heads(y):\n    while True: pass",
        ),
    ),
    {"2.1.attn_softmax", "2.1.merge_heads"},
    why="two hanging helpers (time)",
)
add(
    "rec-func",
    both(None, cells2(attn_softmax="def attn_softmax(A):\n    return attn_softmax(A)")),
    {"2.1.attn_softmax"},
    why="endless recursion",
)
add(
    "input-func",
    both(None, cells2(attn_softmax="def attn_softmax(A):\n    input('go?')\n    return F.softmax(A, -1)")),
    {"2.1.attn_softmax"},
    why="input() inside",
)
TRAINF = "def train(model, attn, steps=10**9):\n    opt = torch.optim.Adam(model.parameters())\n    for i in range(steps):\n        x = torch.randn(4, 16, 12)\n        loss = model(attn(x, x, x)).sum()\n        opt.zero_grad(); loss.backward(); opt.step()\n    return model"
LONG = [
    "model = nn.Linear(12, 12)",
    TRAINF,
    "train(model, self_attention)",
    "model = train(model, self_attention)\nprint(model)",
    "for lr in [0.1, 0.01]:\n    train(nn.Linear(12, 12), self_attention)",
]
add("long-training-noheading", both(None, cells2(post=LONG)), why="hours of training after 2.1, no marker")
add(
    "long-training-blank",
    both(None, cells2(self_attention="def self_attention(Q, K, V, n_heads=1, causal=True):\n    pass", post=LONG)),
    SA,
    why="the same, self_attention left blank: widening must not cost minutes",
)
add(
    "long-training-3blank",
    both(
        None,
        cells2(
            make_causal_mask=None,
            apply_causal_mask=None,
            split_heads=None,
            merge_heads=None,
            self_attention=None,
            post=LONG * 2,
        ),
    ),
    SA | {f"2.1.{x}" for x in ("make_causal_mask", "apply_causal_mask", "split_heads", "merge_heads")},
    why="many missing and heavy cells",
)
add(
    "long-s1-447-blank",
    both(
        cells1(
            m1="m_key = None",
            m2="m_key = None",
            post=[
                "acc = 0\nfor i in range(10**12):\n    acc += 1",
                "def slow():\n    while True: pass",
                "slow()",
                "res = slow()",
            ],
        )
    ),
    {"1.4.1", "1.4.2"},
    why="447 student skips 1.4 and has heavy cells",
)

# ============ files ============
c1, c2 = ipynb(cells1()), ipynb(cells2())
add("names-1", {"hw2 (1).py": py(cells1()), "hw2 (2).py": py(cells2())}, why="by content")
add("names-2", {"A2S1 (2).ipynb": c1, "a2s2-final.ipynb": c2}, why="")
add(
    "names-3",
    {"CSE447_A2_Section1_jdoe.ipynb": c1, "CSE447_A2_Section2_jdoe.ipynb": c2, "writeup.pdf": b"%PDF-1.4", "README.md": "hi"},
    why="",
)
add("combined", {"a2.ipynb": ipynb(cells1() + cells2())}, why="both sections in one notebook")
add("combined-named", {"A2S1&S2.py": py(cells1() + cells2())}, why="")
add(
    "combined-colab",
    {"Assignment 2.py": colab(NOISE + headed1() + [("md", "# 2 Transformers\n## 2.1 Attention")] + cells2() + EXP)},
    why="",
)
add("combined-s2-first", {"a2.py": py(cells2() + cells1())}, why="§2 before §1; key rebound for §1")
add(
    "combined-noreset",
    {"a2.py": py(cells2() + [ATT] + [A[k] for k in A])},
    S1 & {"zz"},
    why="§2 first and §1 never sets key: key of §2.1 in force (honestly broken? canonical promised)",
)
add(
    "zip-mac",
    {
        "sub.zip": zipped(
            {
                "hw2/A2S1.py": py(cells1()),
                "hw2/A2S2.py": py(cells2()),
                "__MACOSX/hw2/._A2S1.py": b"\0\5\x16\7",
                "hw2/.DS_Store": b"x",
                "hw2/.ipynb_checkpoints/A2S1-checkpoint.ipynb": "{}",
            }
        )
    },
    why="",
    single=True,
)
add("nested", {"a/b/c/A2S1.py": py(cells1()), "a/b/c/A2S2.ipynb": c2}, why="")
add(
    "disagree",
    {"A2S1.py": py(cells1()), "A2S1.ipynb": ipynb(cells1(q121="query121 = None")), "A2S2.py": py(cells2()), "A2S2.ipynb": c2},
    why="py counts",
)
add("wrong-file", {"A2S1.py": py(cells1()), "A2S2.py": py(cells1())}, S2, why="A2S2.py holds section 1")
add(
    "swapped",
    {"A2S1.py": py(cells2()), "A2S2.py": py(cells1())},
    why="names swapped: reported as wrong files, graded by content",
)
add(
    "bom-crlf",
    {
        "A2S1.py": b"\xef\xbb\xbf" + py(cells1()).replace("\n", "\r\n").encode(),
        "A2S2.py": py(cells2()).replace("    ", "\t").replace("\n", "\r\n").encode(),
    },
    why="",
)
add("ipynb-bom", {"A2S1.ipynb": b"\xef\xbb\xbf" + c1.encode(), "A2S2.ipynb": c2}, why="")
j = json.loads(c2)
j.pop("metadata")
[c.pop("metadata", 0) or c.pop("id", 0) or c.pop("outputs", 0) or c.pop("execution_count", 0) for c in j["cells"]]
j.pop("nbformat_minor")
add("ipynb-bare", {"A2S1.ipynb": c1, "A2S2.ipynb": json.dumps(j)}, why="missing metadata/ids/minor")
add("json-in-py", {"A2S1.py": c1, "A2S2.py": c2}, why="notebook renamed to .py")
add("py-in-ipynb", {"A2S1.ipynb": py(cells1()), "A2S2.ipynb": c2}, S1, why="script renamed to .ipynb: told clearly")
add("txt", {"A2S1.py.txt": py(cells1())}, S1 | S2, why="unknown type", single=True, exit=2)
add("utf16", {"A2S1.py": py(cells1()).encode("utf-16"), "A2S2.py": py(cells2())}, S1, why="PowerShell redirect")
add(
    "cp1252",
    {
        "A2S1.py": py(cells1(q121="# it\u2019s the r\u00e9sum\u00e9 of v0\n" + A["q121"])).encode("cp1252"),
        "A2S2.py": py(cells2()),
    },
    S1,
    why="Windows editor: not UTF-8 (told)",
)
add(
    "kaggle",
    {
        "A2S1.py": "\n\n".join('# %% [code] {"execution":{"iopub.status.busy":"2024"}}\n' + c for c in cells1()),
        "A2S2.py": py(cells2()),
    },
    why="kaggle export",
)
add(
    "backup-copy",
    {"A2S1.py": py(cells1()), "A2S1_old.py": py(cells1(q121="query121 = None")), "A2S2.py": py(cells2())},
    why="old copy beside it",
)
add(
    "backup-copy2",
    {"A2S1.py": py(cells1(q121=None)), "A2S1 copy.py": py(cells1(q121="query121 = key[3]")), "A2S2.py": py(cells2())},
    {"1.2.1"},
    why="a copy whose names are fuller must not beat the exact name",
)
add("empty-other", {"A2S1.py": py(cells1()), "A2S2.py": py(cells2()), "A2S3.py": "", "test.py": "print('hi')"}, why="")
add("only-s1", {"A2S1.ipynb": c1}, S2, why="")
add(
    "with-checkpoint",
    {
        "A2S1.ipynb": c1,
        "A2S2.ipynb": c2,
        "old/A2S1.py": py(cells1(q121="query121=None")),
        ".ipynb_checkpoints/A2S1-checkpoint.ipynb": ipynb(["query121 = None"]),
    },
    why="",
)
add(
    "mingpt-along",
    {
        "A2S1.py": py(cells1()),
        "A2S2.py": py(cells2(post=["from mingpt.model import GPT", EXP[1]])),
        "mingpt/model.py": py(cells2(self_attention="def self_attention(Q, K, V, n_heads=1, causal=True):\n    return Q")),
        "mingpt/__init__.py": "",
    },
    why="mingpt beside",
)
