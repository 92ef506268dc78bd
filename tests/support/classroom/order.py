"""Cells in any order, tables of contents, and experiments after §2.1 that define its functions again."""

from __future__ import annotations

from support.classroom.case import case
from support.classroom.cells import (
    ANSWERS_1,
    ANSWERS_2,
    ATTENTION,
    RUN_2,
    SETUP_1,
    SETUP_2,
    TEST_2,
    Text,
    dedent,
    section1,
    section2,
    spread,
)
from support.classroom.forms import in_both, in_section2, pair

CONTENTS = Text("""
    # Table of contents

    - 1.2 Selecting
    - 1.4.2 Unit key
    - 2.1 Attention
    - 2.2 Experiment
    - 3 HF
""")
CONTENTS_AS_HEADINGS = Text("""
    # Contents
    ## 2.1 Attention from scratch
    ## 2.2 Experiment
""")
CONTENTS_IN_BOLD = Text("""
    **Contents**

    **2.1** Attention

    **2.2** Experiment
""")
# self_attention grown in two steps; the last counts.
IN_STEPS = [
    """
        def self_attention(Q, K, V, n_heads=1, causal=True):
            B, n_tok, n_embd = Q.shape
            Q, K, V = split_heads_qkv(Q, K, V, n_heads)
            A = pairwise_similarities(Q, K)
            A = attn_scaled(A, n_embd, n_heads)
            A = attn_softmax(A)
            out = compute_outputs(A, V)
            return merge_heads(out)
    """,
    ANSWERS_2["self_attention"],
]
REDEFINED = dedent("""
    def attn_softmax(A):
        return torch.sigmoid(A)

    def self_attention(Q, K, V, n_heads=1, causal=True):
        return Q
""")
EXPERIMENT = [Text("## 2.2 Experiment"), REDEFINED]

CASES = [
    in_section2(
        "no-headings-reversed-s2",
        why="functions in reverse order",
        order=reversed(ANSWERS_2),
        test=False,
    ),
    case(
        "tests-first",
        pair(None, [SETUP_2, TEST_2, RUN_2, *section2(test=False)[1:]]),
        why="test cells above definitions (kernel order)",
    ),
    case(
        "answers-out-of-order",
        pair([SETUP_1, ATTENTION, *spread(ANSWERS_1, "query132 query131 m_key_141 m_key_142 query122 query121".split())]),
        why="cells in another order, no headings",
    ),
    case(
        "setup-last",
        pair([*spread(ANSWERS_1, ANSWERS_1), SETUP_1, ATTENTION]),
        why="set-up cells moved to the end",
    ),
    *(
        in_both(
            f"toc{number}-{form}",
            why="a table of contents lists 2.2 at the top; of self_attention, grown in steps, the last counts",
            form=form,
            first=section1(before=[contents]),
            second=section2(before=[contents], self_attention=IN_STEPS),
        )
        for number, contents in enumerate((CONTENTS, CONTENTS_AS_HEADINGS, CONTENTS_IN_BOLD))
        for form in ("ipynb", "nbconv", "colab", "percent")
    ),
    in_section2(
        "exp-heading",
        why="§2.2 redefinitions behind a 2.2 heading",
        before=[Text("## 2.1 Attention")],
        after=EXPERIMENT,
    ),
    in_section2(
        "exp-heading-toc",
        why="a table of contents and a real 2.2 heading; no 2.1 heading",
        before=[CONTENTS_AS_HEADINGS],
        after=EXPERIMENT,
    ),
    in_section2(
        "exp-heading-toc21",
        why="table of contents, imports, 2.1 heading, real 2.2 heading",
        before=[CONTENTS_AS_HEADINGS, SETUP_2, Text("## 2.1 Attention")],
        after=EXPERIMENT,
    ),
    in_section2(
        "exp-heading-nbconv",
        why="the same as a script",
        form="nbconv",
        before=[Text("## 2.1 Attention")],
        after=EXPERIMENT,
    ),
    in_section2(
        "exp-mingpt",
        why="§2.2 redefinitions behind a mingpt import",
        after=[
            """
                import sys; sys.path.append('minGPT')
                from mingpt.model import GPT
                from mingpt.trainer import Trainer
            """,
            REDEFINED,
        ],
    ),
    in_section2(
        "exp-mingpt-at-top",
        why="mingpt imported with all other imports at the top",
        before=[
            "!git clone https://github.com/x/mingpt",
            """
                import torch
                from mingpt.model import GPT
                from mingpt.trainer import Trainer
                from mingpt.utils import set_seed
            """,
        ],
        self_attention=IN_STEPS,
    ),
    in_section2(
        "exp-mingpt-at-top-then-exp",
        why="mingpt import at top, 2.2 heading later with redefinitions",
        before=["from mingpt.model import GPT"],
        self_attention=IN_STEPS,
        after=EXPERIMENT,
    ),
    in_section2(
        "exp-new-names",
        why="experiment under new names, no marker",
        after=[
            """
                def self_attention_relu(Q, K, V, n_heads=1, causal=True):
                    return F.relu(Q @ K.transpose(-2, -1)) @ V
                out = self_attention_relu(query, key, value)
            """,
        ],
    ),
    in_section2(
        "back-to-2.1",
        why="a 2.1 function defined behind the 2.2 heading only",
        before=[Text("## 2.1 Attention")],
        merge_heads=None,
        after=[Text("## 2.2 Experiment"), "x = 1", Text("## 2.1 fixed"), ANSWERS_2["merge_heads"]],
    ),
]
