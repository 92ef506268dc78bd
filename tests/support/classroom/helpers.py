"""Odd forms of the helpers of §2.1: some right, some that lose their own item."""

from __future__ import annotations

from support.classroom.case import SELF_ATTENTION
from support.classroom.cells import ANSWERS_2
from support.classroom.forms import in_section2

CASES = [
    in_section2(
        "sa-bool-mask",
        why="a mask of booleans",
        make_causal_mask="""
            def make_causal_mask(n_tok):
                i = torch.arange(n_tok)
                return i[:, None] >= i[None, :]
        """,
        apply_causal_mask="""
            def apply_causal_mask(mask, A):
                A = A.clone()
                A[..., ~mask.bool()] = -float('inf')
                return A
        """,
    ),
    in_section2(
        "sa-loops-mask",
        why="a mask made by loops, and added",
        make_causal_mask="""
            def make_causal_mask(n_tok):
                mask = torch.zeros(n_tok, n_tok)
                for i in range(n_tok):
                    for j in range(i + 1):
                        mask[i, j] = 1
                return mask
        """,
        apply_causal_mask="""
            def apply_causal_mask(mask, A):
                return A + (1 - mask) * -1e9
        """,
    ),
    in_section2(
        "sa-additive-log",
        why="the logarithm of the mask is added",
        apply_causal_mask="""
            def apply_causal_mask(mask, A):
                return A + torch.log(mask)
        """,
    ),
    in_section2(
        "sa-np",
        why="numpy inside",
        also="import numpy as np",
        make_causal_mask="""
            def make_causal_mask(n_tok):
                return torch.from_numpy(np.tril(np.ones((n_tok, n_tok))))
        """,
        attn_scaled="""
            def attn_scaled(A, n_embd, n_heads):
                return A / np.sqrt(n_embd / n_heads)
        """,
    ),
    in_section2(
        "sa-4d-pair",
        why="works in four dimensions only, where the last two are asked for: loses its own item",
        lost={"2.1.pairwise_similarities"},
        pairwise_similarities="""
            def pairwise_similarities(Q, K):
                return torch.einsum('bhid,bhjd->bhij', Q, K)
        """,
    ),
    in_section2(
        "sa-bmm",
        why="bmm breaks on heads; self_attention is right with right prerequisites",
        lost={"2.1.pairwise_similarities"},
        pairwise_similarities="""
            def pairwise_similarities(Q, K):
                return torch.bmm(Q, K.transpose(1, 2))
        """,
    ),
    in_section2(
        "sa-global-heads",
        why="globals of the same names as parameters, later",
        after=[
            """
                n_heads = 12
                mask = torch.ones(3, 3)
            """
        ],
    ),
    in_section2(
        "sa-missing-import",
        why="imports lost in cleaning up: the given names are bound all the same",
        setup="""
            import torch
            import torch.nn as nn
        """,
        attn_scaled="""
            def attn_scaled(A, n_embd, n_heads):
                return A / np.sqrt(n_embd / n_heads)
        """,
        test=False,
    ),
    in_section2(
        "sa-float-heads",
        why="heads split by permute",
        split_heads="""
            def split_heads(x, n_heads):
                b, n, d = x.shape
                return x.reshape(b, n, n_heads, int(d / n_heads)).permute(0, 2, 1, 3)
        """,
    ),
    in_section2(
        "sa-try-import",
        why="imports inside try",
        setup="""
            try:
                import torch
                import torch.nn as nn, math
                import torch.nn.functional as F
                import xformers
            except ImportError:
                xformers = None
        """,
    ),
    in_section2(
        "sa-kw-renamed",
        why="a renamed keyword is not the handout's signature",
        lost=SELF_ATTENTION,
        self_attention=ANSWERS_2["self_attention"].replace("n_heads=1", "num_heads=1").replace("n_heads)", "num_heads)"),
    ),
]
