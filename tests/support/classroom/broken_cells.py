"""Cells that do not parse beside right answers, in a notebook and as plain script."""

from __future__ import annotations

from support.classroom.cells import SETUP_2, section1, section2
from support.classroom.forms import in_both, in_section1

BROKEN = {
    "open-bracket": """
        foo = torch.tensor([1, 2,
        bar = 3
    """,
    "open-string": """
        s = 'abc
        t = 1
    """,
    "open-triple": """
        s = \"\"\"never closed
        x = 1
    """,
    "py2": "print key",
    "stray": "TODO: ask Yejin in OH about this",
    "merge": """
        <<<<<<< HEAD
        x = 1
        =======
        x = 2
        >>>>>>> main
    """,
    "half-def": "def my_function(x,",
    "half-def2": "def helper(x):",
    "answer-text": "The query is large because it's the best one.",
    "indent": "  x = 1\n y = 2",
    "shell": """
        ls -la
        cd foo
    """,
    "ellipsis-def": """
        def f(:
            pass
    """,
    "quote": "don't",
    "unbal": "print((1)",
    "tabs": "if True:\n\tx = 1\n        y = 2",
}

CASES = [
    *(
        in_both(
            f"bad-{name}-{form}",
            why="a neighbour does not parse",
            form=form,
            first=section1(before=["x0 = 1"], between={"query121": [cell], "query132": [cell]}),
            second=section2(before=[SETUP_2, cell], after=[cell]),
        )
        for name, cell in BROKEN.items()
        for form in ("ipynb", "py")
    ),
    in_section1(
        "merge-around-answer",
        why="conflict markers around an answer",
        query131="""
            <<<<<<< HEAD
            query131 = torch.zeros(3)
            =======
            query131 = torch.zeros(3)*0
            >>>>>>> main
        """,
    ),
]
