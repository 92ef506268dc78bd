"""Scratch work at the end that binds the answers' names again."""

from __future__ import annotations

from support.classroom.cells import ANSWERS_1, Text, section1, section2
from support.classroom.forms import in_both, with_headings

SCRATCH = """
    # scratch
    key = torch.randn(4, 3)
    query121 = torch.randn(3)
    m_key = torch.zeros(4, 3)
    print(attention(query121, m_key, value))
"""

CASES = [
    in_both(
        "scratch-noheads",
        why="scratch at the end rebinds names, no headings: a third m_key",
        first=section1(after=[SCRATCH]),
        second=section2(
            after=[
                """
                    def compute_ouputs_test(A): return A
                    key = 3
                    Q = None
                    V = 7
                """,
            ],
        ),
    ),
    with_headings(
        "scratch-heads",
        why="scratch under its own unnumbered heading",
        after=[Text("# Scratch"), SCRATCH],
    ),
    with_headings("scratch-heads2", why="scratch under 1.4.3", after=[Text("## 1.4.3 Why"), SCRATCH]),
    with_headings(
        "scratch-143-sub",
        why="the answer under an unnumbered sub-heading of 1.4.2",
        m_key_142=["x = 1", Text("#### Hint"), ANSWERS_1["m_key_142"]],
    ),
    with_headings(
        "scratch-query-heads",
        why="scratch under the last heading rebinds queries",
        after=[
            """
                query121 = None
                query132 = torch.ones(3)
            """
        ],
    ),
    with_headings(
        "scratch-141-again",
        why="an explanation and a print under the answer",
        m_key_141=[ANSWERS_1["m_key_141"], Text("Explanation: ..."), "print(m_key)"],
    ),
]
