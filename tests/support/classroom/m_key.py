"""Every form of the two answers that are both called m_key, with headings and without."""

from __future__ import annotations

from support.classroom.case import Case
from support.classroom.cells import ANSWERS_1, Answer, lines
from support.classroom.forms import in_section1, with_headings

# how -> (1.4.1, 1.4.2)
FORMS_OF_M_KEY = {
    "k2-alone": ("m_key = (key[0] + key[1]) / 2", "m_key = query132 / query132.norm()"),
    "clone-nocl": (
        """
            m_key = key.clone()
            m_key[2] = (key[0] + key[1]) / 2
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        """
            m_key[2] = query132 / query132.norm()
            check_query(query132, value[2], key=m_key)
        """,
    ),
    "inplace-key": (
        """
            key[2] = (key[0] + key[1]) / 2
            m_key = key
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        """
            key[2] = query132 / query132.norm()
            m_key = key
            check_query(query132, value[2], key=m_key)
        """,
    ),
    "alias-inplace": (
        """
            m_key = key
            m_key[2] = (key[0] + key[1]) / 2
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        """
            m_key = key
            m_key[2] = query132 / query132.norm()
            check_query(query132, value[2], key=m_key)
        """,
    ),
    "stack": (
        """
            k2 = (key[0] + key[1]) / 2
            m_key = torch.stack([key[0], key[1], k2, key[3]])
        """,
        """
            k2 = F.normalize(query132, dim=0)
            m_key = torch.stack([key[0], key[1], k2, key[3]])
        """,
    ),
    "cat": (
        "m_key = torch.cat((key[:2], ((key[0]+key[1])/2)[None], key[3:]))",
        "m_key = torch.cat((key[:2], (query132/query132.norm())[None], key[3:]))",
    ),
    "two-attempts": (
        """
            m_key = key.clone()
            m_key[2] = key[0]*3
            check_query(query132, value[:3].mean(0), key=m_key)

            m_key = key.clone()
            m_key[2] = (key[0] + key[1]) / 2
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        ANSWERS_1["m_key_142"],
    ),
    "two-attempts-cells": (
        [
            """
                m_key = key.clone()
                m_key[2] = key[0]*3
                check_query(query132, value[:3].mean(0), key=m_key)
            """,
            ANSWERS_1["m_key_141"],
        ],
        ANSWERS_1["m_key_142"],
    ),
    "two-attempts-second": (
        ANSWERS_1["m_key_141"],
        [
            """
                m_key = key.clone()
                m_key[2] = key[0]
                check_query(query132, value[2], key=m_key)
            """,
            ANSWERS_1["m_key_142"],
        ],
    ),
    "one-cell": (
        [
            lines(ANSWERS_1["m_key_141"], ANSWERS_1["m_key_142"]),
        ],
        [],
    ),
    "func": (
        """
            def with_k2(k2):
                m = key.clone()
                m[2] = k2
                return m
            m_key = with_k2((key[0] + key[1]) / 2)
        """,
        "m_key = with_k2(query132 / query132.norm())",
    ),
    "deepcopy": (
        """
            import copy
            m_key = copy.deepcopy(key)
            m_key[2, :] = (key[0] + key[1]) / 2
        """,
        """
            m_key = copy.deepcopy(key)
            m_key[2, :] = query132 / query132.norm()
        """,
    ),
    "index_copy": (
        "m_key = key.index_copy(0, torch.tensor([2]), ((key[0]+key[1])/2)[None])",
        "m_key = torch.where(torch.arange(4)[:, None] == 2, query132 / query132.norm(), key)",
    ),
    "unit-by-loop": (
        ANSWERS_1["m_key_141"],
        """
            m_key = key.clone()
            k2 = torch.randn(3)
            k2 = query132.clone()
            for _ in range(3):
                k2 = k2 / k2.norm()
            m_key[2] = k2
        """,
    ),
    "none-first": (
        """
            m_key = None
            m_key = key.clone()
            m_key[2] = (key[0] + key[1]) / 2
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        """
            m_key = None
            m_key = key.clone()
            m_key[2] = query132 / query132.norm()
            check_query(query132, value[2], key=m_key)
        """,
    ),
    "mutate-elements": (
        """
            m_key = key.clone()
            m_key[2][0] = (key[0][0] + key[1][0]) / 2
            m_key[2][1] = (key[0][1] + key[1][1]) / 2
            m_key[2][2] = (key[0][2] + key[1][2]) / 2
            check_query(query132, value[:3].mean(0), key=m_key)
        """,
        ANSWERS_1["m_key_142"],
    ),
    "numpy": (
        """
            import numpy as np
            m_key = key.numpy().copy()
            m_key[2] = m_key[:2].mean(0)
        """,
        """
            m_key = key.numpy().copy()
            m_key[2] = (query132 / query132.norm()).numpy()
        """,
    ),
}


def in_three_forms(name: str, m_key_141: Answer, m_key_142: Answer) -> list[Case]:
    """Without headings and, where 1.4.1 is one cell, with headings and as plain script."""
    answers = {"m_key_141": m_key_141, "m_key_142": m_key_142}
    cases = [in_section1(f"mkey-{name}", why="a form of m_key, no headings", **answers)]
    if isinstance(m_key_141, str):
        cases += [
            with_headings(f"mkey-{name}-headed", why="a form of m_key, headings", **answers),
            in_section1(f"mkey-{name}-py", why="a form of m_key, plain script", form="py", **answers),
        ]
    return cases


CASES = [
    *(each for name, answers in FORMS_OF_M_KEY.items() for each in in_three_forms(name, *answers)),
    in_section1(
        "m-only-first",
        why="only 1.4.1 answered, no headings: m_key is bound once",
        lost={"1.4.2"},
        m_key_142=None,
    ),
    with_headings("m-only-first-headed", why="1.4.2 left blank", lost={"1.4.2"}, m_key_142="m_key = None"),
    with_headings("m-only-second-headed", why="1.4.1 left blank", lost={"1.4.1"}, m_key_141="m_key = None"),
    with_headings(
        "m-wrong-1-headed",
        why="1.4.1 wrong",
        lost={"1.4.1"},
        m_key_141="""
            m_key = key.clone()
            m_key[2] = 5*key[3]
        """,
    ),
    in_section1(
        "m-wrong-2",
        why="1.4.2 wrong",
        lost={"1.4.2"},
        m_key_142="""
            m_key = key.clone()
            m_key[2] = -key[0]
            check_query(query132, value[2], key=m_key)
        """,
    ),
    in_section1(
        "m-swap",
        why="answers swapped",
        lost={"1.4.1", "1.4.2"},
        m_key_141=ANSWERS_1["m_key_142"],
        m_key_142=ANSWERS_1["m_key_141"],
    ),
    in_section1(
        "m-long",
        why="not unit length",
        lost={"1.4.2"},
        m_key_142="""
            m_key = key.clone()
            m_key[2] = query132
            check_query(query132, value[2], key=m_key)
        """,
    ),
    in_section1(
        "q132-enlarged-in-142",
        why="a right query, made longer only below: its key is judged with a longer one anyway",
        query132="query132 = 5 * (key[0] + key[1])",
        m_key_142=lines("query132 = 20 * (key[0] + key[1])", ANSWERS_1["m_key_142"]),
    ),
    in_section1(
        "q132-fixed-below",
        why="the query was made longer above",
        query132=["query132 = 5 * (key[0] + key[1])", ANSWERS_1["query132"]],
    ),
]
