"""Cells and functions that hang, sleep, exit or train for hours."""

from __future__ import annotations

from support.classroom.case import SELF_ATTENTION
from support.classroom.cells import section1, section2
from support.classroom.forms import in_both, in_section1, in_section2

TRAINING = [
    "model = nn.Linear(12, 12)",
    """
        def train(model, attn, steps=10**9):
            opt = torch.optim.Adam(model.parameters())
            for i in range(steps):
                x = torch.randn(4, 16, 12)
                loss = model(attn(x, x, x)).sum()
                opt.zero_grad(); loss.backward(); opt.step()
            return model
    """,
    "train(model, self_attention)",
    """
        model = train(model, self_attention)
        print(model)
    """,
    """
        for lr in [0.1, 0.01]:
            train(nn.Linear(12, 12), self_attention)
    """,
]
BAD_CELLS = {
    "while": """
        while True:
            pass
    """,
    "sleep": """
        import time
        time.sleep(10000)
    """,
    "exit": "exit()",
    "sysexit": """
        import sys
        sys.exit(0)
    """,
    "os_exit": """
        import os
        os._exit(0)
    """,
    "input": "name = input('name? ')",
    "rec": """
        def r(n): return r(n + 1)
        r(0)
    """,
    "raise": "raise RuntimeError('stop here')",
    "kill": """
        import os
        os.kill(os.getpid(), 9)
    """,
    "assert": "assert False",
    "quit-if": """
        import sys
        if not torch.cuda.is_available():
            sys.exit('no GPU')
    """,
}

CASES = [
    *(
        in_both(
            f"cell-{name}",
            why="a bad cell that nothing needs",
            first=section1(between={"query121": [cell]}),
            second=section2(before=["import torch", cell], after=[cell]),
        )
        for name, cell in BAD_CELLS.items()
    ),
    in_section1(
        "hang-train-uses-key",
        why="a loop over an answer that never ends: what stood before counts",
        between={
            "query131": [
                """
                    while attention(query131, key, value).sum() != 7:
                        query131 = query131 + 0

                """,
            ],
        },
    ),
    in_section2(
        "hang-func",
        why="one hanging helper",
        lost={"2.1.attn_softmax"},
        attn_softmax="""
            def attn_softmax(A):
                while True:
                    pass
        """,
    ),
    in_section2(
        "hang-two-func",
        why="two hanging helpers, each of which takes its time",
        lost={"2.1.attn_softmax", "2.1.merge_heads"},
        attn_softmax="""
            def attn_softmax(A):
                while True:
                    pass
        """,
        merge_heads="""
            def merge_heads(y):
                while True: pass
        """,
    ),
    in_section2(
        "rec-func",
        why="endless recursion",
        lost={"2.1.attn_softmax"},
        attn_softmax="""
            def attn_softmax(A):
                return attn_softmax(A)
        """,
    ),
    in_section2(
        "input-func",
        why="input() inside",
        lost={"2.1.attn_softmax"},
        attn_softmax="""
            def attn_softmax(A):
                input('go?')
                return F.softmax(A, -1)
        """,
    ),
    in_section2(
        "long-training-noheading",
        why="hours of training after 2.1, under no heading",
        after=TRAINING,
    ),
    in_section2(
        "long-training-blank",
        why="the same, with self_attention left blank: looking for it must not cost minutes",
        lost=SELF_ATTENTION,
        self_attention="""
            def self_attention(Q, K, V, n_heads=1, causal=True):
                pass
        """,
        after=TRAINING,
    ),
    in_section2(
        "long-training-3blank",
        why="many answers missing, and heavy cells",
        lost=SELF_ATTENTION | {f"2.1.{x}" for x in ("make_causal_mask", "apply_causal_mask", "split_heads", "merge_heads")},
        make_causal_mask=None,
        apply_causal_mask=None,
        split_heads=None,
        merge_heads=None,
        self_attention=None,
        after=TRAINING * 2,
    ),
    in_section1(
        "long-s1-447-blank",
        why="a student of 447 skips 1.4 and has heavy cells",
        lost={"1.4.1", "1.4.2"},
        m_key_141="m_key = None",
        m_key_142="m_key = None",
        after=[
            """
                acc = 0
                for i in range(10**12):
                    acc += 1
            """,
            """
                def slow():
                    while True: pass
            """,
            "slow()",
            "res = slow()",
        ],
    ),
]
