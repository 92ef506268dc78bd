"""Odd ways in which answers get their names: several kinds of value, classes, loops, functions, main guards."""

from __future__ import annotations

import textwrap

from support.classroom.case import SECTION_2, case
from support.classroom.cells import ANSWERS_1, ATTENTION, SETUP_1, lines, section1, section2, spread
from support.classroom.forms import in_both, in_section1, in_section2, py

SET_UP = lines(SETUP_1, ATTENTION)
SCRIPT = lines(
    SET_UP,
    """
    def problem_1():
        query = 100 * key[0]
        return query

    def problem_2():
        return 100 * key

    def problem_3():
        return torch.zeros(3)

    """,
)
AFTER_131 = {"1.3.2", "1.4.1", "1.4.2"}


def indented(names) -> str:
    """These answers, as the body of something."""
    return textwrap.indent(lines(*spread(ANSWERS_1, names)), "    ")


CASES = [
    in_section1(
        "many-kinds",
        why="numpy arrays, lists, a matrix of one row",
        also="import numpy as np",
        query121="""
            query121 = np.array([47., 65., 60.])
            query121 = (100 * key[0]).numpy()
        """,
        query122="query122 = [list(map(float, 100*row)) for row in key]",
        query131="query131 = [0, 0, 0]",
        query132="query132 = (15 * (key[0:1] + key[1:2]))",
    ),
    in_section1(
        "lstsq",
        why="answers by linear algebra",
        query132="query132 = 20 * torch.linalg.lstsq(key[:2], torch.ones(2, 1)).solution.squeeze()",
        query121="query121 = torch.linalg.pinv(key) @ torch.tensor([100., -100, -100, -100])",
    ),
    in_section1(
        "class-holder",
        why="a class, a default of a lambda, a global in a function",
        query121="""
            class Answers:
                scale = 100
                @staticmethod
                def first():
                    return Answers.scale * key[0]
            query121 = Answers.first()
        """,
        query122="""
            make = lambda s, k=key: s * k
            query122 = make(100)
        """,
        query131="""
            def set131():
                global query131
                query131 = torch.zeros(3)
            set131()
        """,
    ),
    in_both(
        "annotations",
        why="annotated names and functions",
        first=section1(
            before=[
                """
                    from __future__ import annotations
                    from typing import Optional
                """,
            ],
            query121="query121: torch.Tensor = 100 * key[0]",
        ),
        second=section2(
            before=[
                """
                    from torch import Tensor
                    from typing import Tuple, Optional
                """,
            ],
            attn_softmax="""
                def attn_softmax(A: Tensor) -> Tensor:
                    return F.softmax(A, dim=-1)
            """,
            merge_heads="""
                def merge_heads(y: 'Float[Tensor, "b h n d"]') -> Optional[Tensor]:
                    return y.transpose(1, 2).flatten(2)
            """,
        ),
    ),
    in_section2(
        "jaxtyping",
        why="annotation from a package the grader does not have",
        before=[
            """
                from jaxtyping import Float
                from torch import Tensor
            """,
        ],
        attn_softmax="""
            def attn_softmax(A: Float[Tensor, 'b n n']) -> Float[Tensor, 'b n n']:
                return F.softmax(A, dim=-1)
        """,
    ),
    in_section1(
        "walrus-semicolon",
        why="odd binding forms",
        query121="(query121 := 100 * key[0]); check_query(query121, value[0])",
        query131="query131 = query_zero = torch.zeros(3); x, y = 1, 2",
    ),
    in_section1(
        "tuple-assign",
        why="two answers in one assignment",
        query121="query121, query122 = 100 * key[0], 100 * key",
        query122=None,
        query131="query131, query132 = torch.zeros(3), 15 * (key[0] + key[1])",
        query132=None,
    ),
    in_section1(
        "step-by-step",
        why="answers built in place, step by step",
        query121="""
            query121 = torch.zeros(3)
            query121 += key[0]
            query121 *= 100
        """,
        query132="""
            query132 = key[0].clone()
            query132.add_(key[1])
            query132.mul_(15)
        """,
        query131="""
            query131 = torch.empty(3)
            query131[:] = 0
        """,
    ),
    in_section1(
        "retry",
        why="several tries: the last counts",
        query121=[
            """
                query121 = key[0]
                check_query(query121, value[0])
            """,
            "query121 = 10*key[0]",
            """
                query121 = 100 * key[0]
                check_query(query121, value[0])
            """,
        ],
        query132=["query132 = key[0] + key[1]", ANSWERS_1["query132"]],
    ),
    in_section1(
        "exec-dict",
        why="an answer kept in a dict first",
        query131="""
            answers = {}
            answers['131'] = torch.zeros(3)
            query131 = answers['131']
        """,
    ),
    in_section1(
        "names-in-with",
        why="answers inside with and try",
        query132="""
            with torch.no_grad():
                query132 = 15 * (key[0] + key[1])
        """,
        query131="""
            try:
                query131 = torch.zeros(3)
            except Exception as e:
                print(e)
        """,
    ),
    case(
        "main-guard",
        {
            "A2S1.py": lines(SET_UP, "if __name__ == '__main__':", indented(ANSWERS_1)),
            "A2S2.py": py(section2()),
        },
        why="all answers inside the main guard, m_key twice",
    ),
    case(
        "main-func-globals",
        {
            "A2S1.py": lines(
                SET_UP,
                "def main():",
                "    global query121, query122, query131, query132",
                indented(["query121", "query122", "query131", "query132"]),
                "if __name__ == '__main__':",
                "    main()",
                ANSWERS_1["m_key_141"],
                ANSWERS_1["m_key_142"],
            ),
            "A2S2.py": py(section2()),
        },
        why="answers set by main() with global",
    ),
    case(
        "problem-script",
        {"A2S1.py": SCRIPT, "A2S2.py": py(section2())},
        why="functions instead of names",
        lost=AFTER_131,
    ),
    case(
        "problem-script-main",
        {
            "A2S1.py": SCRIPT
            + lines("if __name__ == '__main__':", "    check_query(problem_1(), value[0])", "    print(problem_2())"),
            "A2S2.py": py(section2()),
        },
        why="functions instead of names, and a main guard",
        lost=AFTER_131,
    ),
    case(
        "problem-script-blank-names",
        {"A2S1.py": SCRIPT + lines("query121 = None", "query122 = None", "query131 = None", "")},
        why="names left blank, functions filled",
        lost=AFTER_131 | SECTION_2,
    ),
    case(
        "problem-combined",
        {"hw2.py": SCRIPT + py(section2())},
        why="functions instead of names, and §2.1, whose tests rebind key",
        lost=AFTER_131,
    ),
    case(
        "problem-calls",
        {
            "A2S1.py": SCRIPT
            + lines("query121 = problem_1()", "query122 = problem_2()", "query131 = problem_3()", ANSWERS_1["query132"]),
        },
        why="functions, and names that call them",
        lost={"1.4.1", "1.4.2"} | SECTION_2,
    ),
]
