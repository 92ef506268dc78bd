"""Right forms of self_attention and its helpers: inlined, in loops, decorated, as lambdas and modules."""

from __future__ import annotations

import textwrap

from support.classroom.cells import ANSWERS_2, lines
from support.classroom.forms import in_section2
from support.classroom.order import IN_STEPS

CASES = [
    in_section2(
        "sa-inlined",
        why="everything inlined, as in minGPT",
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                B, T, C = Q.size()
                hs = C // n_heads
                q = Q.view(B, T, n_heads, hs).transpose(1, 2)
                k = K.reshape(B, T, n_heads, hs).transpose(1, 2)
                v = V.reshape(B, T, n_heads, hs).transpose(1, 2)
                att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(hs))
                if causal:
                    att = att.masked_fill(torch.tril(torch.ones(T, T, device=Q.device)).view(1, 1, T, T) == 0, float('-inf'))
                att = F.softmax(att, dim=-1)
                return (att @ v).transpose(1, 2).contiguous().view(B, T, C)
        """,
    ),
    in_section2(
        "sa-headloop",
        why="loop over heads",
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                B, n, d = Q.shape
                w = d // n_heads
                heads = []
                for h in range(n_heads):
                    sl = slice(h * w, (h + 1) * w)
                    A = attn_scaled(pairwise_similarities(Q[..., sl], K[..., sl]), d, n_heads)
                    if causal:
                        A = apply_causal_mask(make_causal_mask(n), A)
                    heads.append(compute_outputs(attn_softmax(A), V[..., sl]))
                return torch.cat(heads, dim=-1)
        """,
    ),
    in_section2(
        "sa-slowloops",
        why="four nested loops",
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
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
                return out
        """,
    ),
    in_section2(
        "sa-einsum",
        why="einsum and einops",
        also="from einops import rearrange",
        pairwise_similarities="""
            def pairwise_similarities(Q, K):
                return torch.einsum('...id,...jd->...ij', Q, K)
        """,
        compute_outputs="""
            def compute_outputs(A, V):
                return torch.einsum('...ij,...jd->...id', A, V)
        """,
        split_heads="""
            def split_heads(x, n_heads):
                return rearrange(x, 'b n (h d) -> b h n d', h=n_heads)
        """,
        merge_heads="""
            def merge_heads(y):
                return rearrange(y, 'b h n d -> b n (h d)')
        """,
    ),
    in_section2(
        "sa-sdpa",
        why="PyTorch's own attention inside",
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                Q, K, V = split_heads_qkv(Q, K, V, n_heads)
                return merge_heads(F.scaled_dot_product_attention(Q, K, V, is_causal=causal))
        """,
    ),
    in_section2(
        "sa-chunk",
        why="chunk and stack",
        split_heads="""
            def split_heads(x, n_heads):
                return torch.stack(x.chunk(n_heads, dim=-1), dim=1)
        """,
        merge_heads="""
            def merge_heads(y):
                return torch.cat([y[:, h] for h in range(y.shape[1])], dim=-1)
        """,
    ),
    in_section2(
        "sa-if-heads",
        why="splits only for several heads",
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                B, n_tok, n_embd = Q.shape
                if n_heads > 1:
                    Q, K, V = split_heads_qkv(Q, K, V, n_heads)
                A = pairwise_similarities(Q, K)
                A = attn_scaled(A, n_embd, n_heads)
                if causal:
                    mask = make_causal_mask(n_tok)
                    A = apply_causal_mask(mask, A)
                A = attn_softmax(A)
                out = compute_outputs(A, V)
                if n_heads > 1:
                    out = merge_heads(out)
                return out
        """,
    ),
    in_section2(
        "sa-renamed-imports",
        why="other import names, a global constant",
        setup="""
            import torch as t
            from torch import nn, tril, ones
            from torch.nn import functional as Fn
            from math import sqrt
            import numpy as np
            inf = float('inf')
        """,
        attn_softmax="""
            def attn_softmax(A):
                return Fn.softmax(A, -1)
        """,
        attn_scaled="""
            def attn_scaled(A, n_embd, n_heads):
                return A / sqrt(n_embd // n_heads)
        """,
        make_causal_mask="""
            def make_causal_mask(n_tok):
                return tril(ones((n_tok, n_tok)))
        """,
        apply_causal_mask="""
            def apply_causal_mask(mask, A):
                return t.where(mask.bool(), A, -inf)
        """,
        test=False,
    ),
    in_section2(
        "sa-star",
        why="star imports: torch's own float shadows Python's, in the notebook too",
        lost={"2.1.apply_causal_mask"},
        setup="""
            from torch import *
            from torch.nn.functional import *
            from math import *
            import torch
        """,
        attn_softmax="""
            def attn_softmax(A):
                return softmax(A, dim=-1)
        """,
        attn_scaled="""
            def attn_scaled(A, n_embd, n_heads):
                return A / (n_embd / n_heads) ** 0.5
        """,
        make_causal_mask="""
            def make_causal_mask(n_tok):
                return tril(ones(n_tok, n_tok))
        """,
        test=False,
    ),
    in_section2(
        "sa-decorated",
        why="decorators",
        before=[
            """
                import functools
                def log(f):
                    @functools.wraps(f)
                    def g(*a, **k):
                        return f(*a, **k)
                    return g
            """,
        ],
        self_attention=lines("@log", "@torch.no_grad()", ANSWERS_2["self_attention"]),
        make_causal_mask=lines("@functools.lru_cache(None)", ANSWERS_2["make_causal_mask"]),
    ),
    in_section2(
        "sa-jit",
        why="torch.jit.script, which needs the source text",
        attn_softmax="""
            @torch.jit.script
            def attn_softmax(A):
                return torch.softmax(A, dim=-1)
        """,
    ),
    in_section2(
        "sa-compile",
        why="torch.compile",
        attn_softmax=lines("@torch.compile", ANSWERS_2["attn_softmax"]),
    ),
    in_section2(
        "sa-lambda",
        why="a lambda, a module, a built-in function, a partial",
        pairwise_similarities="pairwise_similarities = lambda Q, K: torch.matmul(Q, K.transpose(-1, -2))",
        attn_softmax="attn_softmax = nn.Softmax(dim=-1)",
        compute_outputs="compute_outputs = torch.matmul",
        attn_scaled="""
            import functools
            def _sc(p, A, n_embd, n_heads): return A / (n_embd / n_heads) ** p
            attn_scaled = functools.partial(_sc, 0.5)
        """,
    ),
    in_section2(
        "sa-module-class",
        why="an instance of a module",
        self_attention=lines(
            "class SelfAttention(nn.Module):",
            "    def forward(self, Q, K, V, n_heads=1, causal=True):",
            textwrap.indent(ANSWERS_2["self_attention"].split("\n", 1)[1], "    "),
            "",
            "self_attention = SelfAttention()",
        ),
    ),
    in_section2(
        "sa-default-capture",
        why="default from a global",
        also="""
            NEG = float('-inf')
            EPS = 0
        """,
        apply_causal_mask="""
            def apply_causal_mask(mask, A, fill=NEG):
                return A.masked_fill(~mask.to(torch.bool), fill)
        """,
        self_attention=ANSWERS_2["self_attention"].replace("causal=True)", "causal=True, eps=EPS)"),
    ),
    in_section2(
        "sa-printing",
        why="prints and asserts inside",
        self_attention=ANSWERS_2["self_attention"].replace(
            "    A = attn_softmax(A)",
            lines("    print('A', A.shape)", "    assert A.shape[-1] == n_tok", "    A = attn_softmax(A)"),
        ),
    ),
    in_section2(
        "sa-redefined",
        why="grown step by step",
        attn_scaled=[
            """
                def attn_scaled(A, n_embd, n_heads):
                    return A / math.sqrt(n_embd)
            """,
            ANSWERS_2["attn_scaled"],
        ],
        self_attention=[
            """
                def self_attention(Q, K, V, n_heads=1, causal=True):
                    return compute_outputs(attn_softmax(attn_scaled(pairwise_similarities(Q, K), Q.shape[-1], 1)), V)
            """,
            *IN_STEPS,
        ],
    ),
    in_section2(
        "sa-old-code-commented",
        why="old code in a string",
        self_attention=lines(
            '"""',
            "def self_attention(Q, K, V):",
            "    return None",
            '"""',
            ANSWERS_2["self_attention"],
        ),
    ),
]
