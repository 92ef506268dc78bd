"""One wrong answer, or two, at a time: each costs its own item."""

from __future__ import annotations

from support.classroom.case import SELF_ATTENTION
from support.classroom.cells import ANSWERS_2
from support.classroom.forms import in_section1, in_section2

HELPERS = {
    "pairwise_similarities": """
        def pairwise_similarities(Q, K):
            return Q @ K.T if K.dim() == 2 else Q @ K.transpose(-2, -1) / 2
    """,
    "attn_scaled": """
        def attn_scaled(A, n_embd, n_heads):
            return A / n_embd
    """,
    "attn_softmax": """
        def attn_softmax(A):
            return F.softmax(A, dim=1)
    """,
    "compute_outputs": """
        def compute_outputs(A, V):
            return A.transpose(-1, -2) @ V
    """,
    "make_causal_mask": """
        def make_causal_mask(n_tok):
            return torch.triu(torch.ones(n_tok, n_tok))
    """,
    "apply_causal_mask": """
        def apply_causal_mask(mask, A):
            return A.masked_fill(mask == 0, 0)
    """,
    "split_heads": """
        def split_heads(x, n_heads):
            B, n, d = x.shape
            return x.view(B, n_heads, n, d // n_heads)
    """,
    "merge_heads": """
        def merge_heads(y):
            B, h, n, d = y.shape
            return y.reshape(B, n, h * d)
    """,
}
# name of the case -> (item, name of the answer, the answer)
QUERIES = {
    "wrong-1.2.1-17": ("1.2.1", "query121", "query121 = key[0]"),
    "wrong-1.2.2-14": ("1.2.2", "query122", "query122 = key"),
    "wrong-1.3.1-24": ("1.3.1", "query131", "query131 = torch.ones(3)"),
    "wrong-1.3.2-26": ("1.3.2", "query132", "query132 = key[0] + key[1]"),
    "wrong-1.3.1-31": ("1.3.1", "query131", "query131 = torch.zeros(1, 1, 3)"),
    "wrong-1.2.2-23": ("1.2.2", "query122", "query122 = 100 * key[0]"),
    "wrong-1.2.1-20": ("1.2.1", "query121", "query121 = 100 * key"),
}
# Right whatever query132 is.
WITHOUT_QUERY = """
    m_key = key.clone()
    m_key[2] = (key[0]+key[1])/(key[0]+key[1]).norm()
    check_query(query132, value[2], key=m_key)
"""
CASES = [
    # wrong ones
    *(
        in_section2(
            f"wrong-{helper}",
            why="one wrong helper costs itself",
            lost={f"2.1.{helper}"},
            form="py",
            **{helper: answer},
        )
        for helper, answer in HELPERS.items()
    ),
    *(
        in_section1(name, why="one answer of section 1 wrong", lost={item}, **{answer: code}, m_key_142=WITHOUT_QUERY)
        for name, (item, answer, code) in QUERIES.items()
    ),
    in_section2(
        "wrong-two-helpers",
        why="two wrong helpers cost two items",
        lost={"2.1.split_heads", "2.1.attn_softmax"},
        split_heads="""
            def split_heads(x, n_heads):
                return x
        """,
        attn_softmax="""
            def attn_softmax(A):
                return A.softmax(0)
        """,
    ),
    in_section2(
        "starter-s2-half",
        why="half of the starter is filled in",
        lost={"2.1.make_causal_mask", "2.1.apply_causal_mask"} | SELF_ATTENTION,
        make_causal_mask="""
            def make_causal_mask(n_tok):
                # TODO
                pass
        """,
        apply_causal_mask="""
            def apply_causal_mask(mask, A):
                raise NotImplementedError
        """,
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                ...
        """,
    ),
    in_section2(
        "sa-step2-only",
        why="stopped after step 2",
        lost={"2.1.split_heads", "2.1.merge_heads", "2.1.self_attention.step3"},
        split_heads=None,
        merge_heads=None,
        split_heads_qkv=None,
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                A = attn_scaled(pairwise_similarities(Q, K), Q.shape[-1], n_heads)
                if causal:
                    A = apply_causal_mask(make_causal_mask(Q.shape[1]), A)
                return compute_outputs(attn_softmax(A), V)
        """,
    ),
    in_section2(
        "sa-none-returned",
        why="a forgotten return",
        lost=SELF_ATTENTION,
        self_attention=ANSWERS_2["self_attention"].replace("return merge_heads", "out = merge_heads"),
    ),
]
