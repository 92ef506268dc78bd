"""The cells of right answers, and sections in which some of them are others.

A text that begins with a new line is a block: its indentation, and its last line break, are not part of the cell.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


def dedent(text: str) -> str:
    return textwrap.dedent(text[1:]).removesuffix("\n") if text.startswith("\n") else text


@dataclass
class Text:
    """A text cell."""

    source: str

    def __post_init__(self) -> None:
        self.source = dedent(self.source)


Cell = str | Text
Answer = str | list[Cell] | None  # an answer in one cell or several; None leaves it out


def cell(source: Cell) -> Cell:
    return source if isinstance(source, Text) else dedent(source)


def lines(*parts: str) -> str:
    """One text of several, one below the other."""
    return "\n".join(map(dedent, parts))


def spread(answers: Mapping[str, Answer], names: Iterable[str]) -> list[Cell]:
    """The cells of these answers, one after the other."""
    cells: list[Cell] = []
    for name in names:
        answer = answers[name]
        cells += answer if isinstance(answer, list) else [] if answer is None else [answer]
    return cells


SETUP_1 = dedent("""
    import torch
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
    print(key); print(value)
""")
ATTENTION = dedent("""
    def attention(query, key, value):
        A = F.softmax(query @ key.transpose(-2, -1), dim=-1)
        return A @ value

    def check_query(query, target, key=key, value=value):
        out = attention(query, key, value)
        print("query", query)
        print("max abs diff", (out - target).abs().max())
""")
ANSWERS_1 = {
    "query121": "query121 = 100 * key[0]\ncheck_query(query121, value[0])",
    "query122": "query122 = 100 * key\ncheck_query(query122, value)",
    "query131": "query131 = torch.zeros(3)\ncheck_query(query131, value.mean(0))",
    "query132": "query132 = 15 * (key[0] + key[1])\ncheck_query(query132, (value[0] + value[1]) / 2)",
    "m_key_141": "m_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2\ncheck_query(query132, value[:3].mean(0), key=m_key)",
    "m_key_142": "m_key = key.clone()\nm_key[2] = query132 / query132.norm()\ncheck_query(query132, value[2], key=m_key)",
}
HEADINGS_1 = {
    "query121": "### 1.2.1 Select",
    "query122": "### 1.2.2 Copy",
    "query131": "### 1.3.1 Average",
    "query132": "### 1.3.2 Average two",
    "m_key_141": "### 1.4.1 New key",
    "m_key_142": "### 1.4.2 Unit key",
}

SETUP_2 = dedent("""
    import math
    import torch
    import torch.nn as nn
    import torch.nn.functional as F

    DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'
""")
ANSWERS_2 = {
    name: dedent(source)
    for name, source in {
        "init": """
            def init_qkv_proj(n_embd):
                return nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd), nn.Linear(n_embd, n_embd)
        """,
        "pairwise_similarities": """
            def pairwise_similarities(Q, K):
                return Q @ K.transpose(-2, -1)
        """,
        "attn_scaled": """
            def attn_scaled(A, n_embd, n_heads):
                return A / math.sqrt(n_embd / n_heads)
        """,
        "attn_softmax": """
            def attn_softmax(A):
                return F.softmax(A, dim=-1)
        """,
        "compute_outputs": """
            def compute_outputs(A, V):
                return A @ V
        """,
        "make_causal_mask": """
            def make_causal_mask(n_tok):
                return torch.tril(torch.ones(n_tok, n_tok))
        """,
        "apply_causal_mask": """
            def apply_causal_mask(mask, A):
                return A.masked_fill(mask == 0, float('-inf'))
        """,
        "split_heads_qkv": """
            def split_heads_qkv(Q, K, V, n_heads):
                return (split_heads(Q, n_heads), split_heads(K, n_heads), split_heads(V, n_heads))
        """,
        "split_heads": """
            def split_heads(x, n_heads):
                B, n_tok, n_embd = x.shape
                return x.view(B, n_tok, n_heads, n_embd // n_heads).transpose(1, 2)
        """,
        "merge_heads": """
            def merge_heads(y):
                B, h, n, d = y.shape
                return y.transpose(1, 2).contiguous().view(B, n, h * d)
        """,
        "self_attention": """
            def self_attention(Q, K, V, n_heads=1, causal=True):
                B, n_tok, n_embd = Q.shape
                Q, K, V = split_heads_qkv(Q, K, V, n_heads)
                A = pairwise_similarities(Q, K)
                A = attn_scaled(A, n_embd, n_heads)
                if causal:
                    mask = make_causal_mask(n_tok)
                    A = apply_causal_mask(mask, A)
                A = attn_softmax(A)
                out = compute_outputs(A, V)
                return merge_heads(out)
        """,
    }.items()
}
# The notebook's own comparison with PyTorch: it rebinds key, value and query.
TEST_2 = dedent("""
    torch.manual_seed(447)
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
        return o.transpose(0,1)
""")  # noqa: E501  # the notebook's own line
RUN_2 = dedent("""
    o1 = self_attention(query, key, value, n_heads=3, causal=True)
    o2 = MHA_wrapper(query, key, value, n_heads=3, causal=True)
    print((o1 - o2).abs().max())
""")


def section1(
    *,
    before: Iterable[Cell] = (),
    after: Iterable[Cell] = (),
    between: Mapping[str, Iterable[Cell]] | None = None,
    setup: str = SETUP_1,
    also: str = "",
    **answers: Answer,
) -> list[Cell]:
    """Section 1 as cells without headings, right but for ``answers``.

    ``before``, ``after``: more cells at either end; ``between``: behind an answer. ``also``: more lines of the set-up's cell.
    """
    changed = {**ANSWERS_1, **answers}
    cells = [*before, extended(setup, also), ATTENTION]
    for name in ANSWERS_1:
        cells += [*spread(changed, [name]), *(between or {}).get(name, ())]
    return [cell(source) for source in [*cells, *after]]


def section1_with_headings(**answers: Answer) -> list[Cell]:
    changed = {**ANSWERS_1, **answers}
    cells: list[Cell] = [SETUP_1, ATTENTION]
    for name, heading in HEADINGS_1.items():
        cells += [Text(heading), *spread(changed, [name])]
    return [cell(source) for source in cells]


def section2(
    *,
    before: Iterable[Cell] = (),
    after: Iterable[Cell] = (),
    setup: str = SETUP_2,
    also: str = "",
    order: Iterable[str] = tuple(ANSWERS_2),
    test: bool = True,
    **answers: Answer,
) -> list[Cell]:
    """Section 2.1 as cells, right but for ``answers``; ``test``: with the notebook's own comparison behind them."""
    cells = [
        *before,
        extended(setup, also),
        *spread({**ANSWERS_2, **answers}, order),
        *([TEST_2, RUN_2] if test else []),
        *after,
    ]
    return [cell(source) for source in cells]


def extended(setup: str, also: str) -> str:
    return lines(setup, also) if also else setup
