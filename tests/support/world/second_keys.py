"""Kinds of answers to 1.3.2 and 1.4: one query, two keys, and what a short or wrong query costs."""

from __future__ import annotations

from support.world.kind import S1, Kind, Member, changed, member

QUERY, AVERAGING, UNIT = (
    "query132 = 10 * (key[0] + key[1])",
    "m_key[2] = (key[0] + key[1]) / 2",
    "m_key[2] = query132 / query132.norm()",
)
SIDEWAYS = "torch.linalg.cross(key[0], key[1])"  # changes the similarity with neither k0 nor k1
STANDS_IN = "judged with a longer query132: yours is right in 1.3.2, but no k2 of length 1 selects v2 with it"
REFERENCE = "judged with a correct query for 1.3.2, because yours is missing or not correct yet"
SEE_1_3_2 = "misses the target by"
NOT_EVEN_LONGER = "this one does not do it with a longer query either"


def answers(name: str, query: str, key: str = UNIT, lost: tuple[str, ...] = (), **says: str) -> Member:
    """Section 1 with this query132 and this key for 1.4.2. ``says``: words by item, written ``i142`` for 1.4.2."""
    source = changed(S1, (QUERY, f"query132 = {query}" if "query132" not in query else query), (UNIT, key))
    return member(name, source, lost, {".".join(item[1:]): words for item, words in says.items()})


KINDS = [
    Kind(
        "a key of length 1 along a right query earns 1.4.2, however short the query is",
        1,
        (
            *(
                answers(f"{size:g} times k0 + k1", f"{size} * (key[0] + key[1])", i142=STANDS_IN)
                for size in (1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)
            ),
            answers("eight and a half, just long enough", "8.5 * (key[0] + key[1])", i142="correct"),
            answers("eighty, nearly too long", "80 * (key[0] + key[1])", i142="correct"),
            answers("a sideways part that the reference lacks", f"5 * (key[0] + key[1]) + 3 * {SIDEWAYS}", i142=STANDS_IN),
            answers("more sideways than not", f"3 * (key[0] + key[1]) + 3 * {SIDEWAYS}", i142=STANDS_IN),
            answers("hard-coded", "torch.tensor([5.0, 5.2, 0.1])", i142=STANDS_IN),
            answers("whole numbers, a longer one of which would not be right", "torch.tensor([5.0, 5.0, 0.3])", i142=STANDS_IN),
            answers("by least squares", "8 * torch.linalg.lstsq(key[:2], torch.ones(2, 1)).solution[:, 0]", i142=STANDS_IN),
            answers(
                "one row of a matrix", "5 * (key[:1] + key[1:2])", "m_key[2] = query132[0] / query132[0].norm()", i142=STANDS_IN
            ),
            answers(
                "a list",
                "(5 * (key[0] + key[1])).tolist()",
                "m_key[2] = torch.nn.functional.normalize(torch.tensor(query132), dim=0)",
            ),
            answers(
                "the key by another way",
                "5 * (key[0] + key[1])",
                "m_key[2] = (key[0] + key[1]) / (key[0] + key[1]).norm()",
                i142=STANDS_IN,
            ),
            answers(
                "the key with two decimals",
                "5 * (key[0] + key[1])",
                "m_key[2] = torch.tensor([0.7, 0.72, 0.01])",
                i142=STANDS_IN,
            ),
            answers(
                "the key by gradient ascent",
                "5 * (key[0] + key[1])",
                "k = torch.randn(3)\nfor _ in range(200):\n    k = k + 0.1 * query132\n    k = k / k.norm()\nm_key[2] = k",
                i142=STANDS_IN,
            ),
            answers("k2 alone", "5 * (key[0] + key[1])", "m_key = (query132 / query132.norm())[None]", i142=STANDS_IN),
        ),
    ),
    Kind(
        "a wrong query costs 1.3.2 and no key that is right with a right one",
        1,
        (
            answers("too short", "1 * (key[0] + key[1])", lost=("1.3.2",), i132=SEE_1_3_2, i142=REFERENCE),
            answers("the mean", "(key[0] + key[1]) / 2", lost=("1.3.2",), i132=SEE_1_3_2, i142=REFERENCE),
            answers("too long", "1000 * (key[0] + key[1])", lost=("1.3.2",), i132=SEE_1_3_2),
            answers("missing", "None", "m_key[2] = (key[0] + key[1]) / (key[0] + key[1]).norm()", ("1.3.2",), i142=REFERENCE),
            answers(
                "zero", "torch.zeros(3)", "m_key[2] = (key[0] + key[1]) / (key[0] + key[1]).norm()", ("1.3.2",), i142=REFERENCE
            ),
            answers(
                "four numbers",
                "torch.ones(4)",
                "m_key[2] = (key[0] + key[1]) / (key[0] + key[1]).norm()",
                ("1.3.2",),
                i142=REFERENCE,
            ),
        ),
    ),
    Kind(
        "a wrong key loses 1.4.2 with every query, short, long or wrong",
        1,
        tuple(
            answers(f"{what}, {size} times", f"{size} * (key[0] + key[1])", key, (*wrong, "1.4.2"), i142=words)
            for size, wrong in ((5, ()), (10, ()), (1, ("1.3.2",)))
            for what, key, words in (
                ("away from the query", "m_key[2] = -query132 / query132.norm()", "misses the target by"),
                ("along v2", "m_key[2] = value[2] / value[2].norm()", "misses the target by"),
                ("k1 itself", "m_key[2] = key[1] / key[1].norm()", "misses the target by"),
                ("the average of 1.4.1", "m_key[2] = (key[0] + key[1]) / 2", "has length 0.8"),
                ("twice as long", "m_key[2] = 2 * query132 / query132.norm()", "has length 2"),
                ("another row", "m_key[3] = query132 / query132.norm()", "misses the target by"),
            )
        ),
    ),
    Kind(
        "what is wrong with a key is said with the query that it was judged with",
        1,
        (
            answers(
                "a short query, a key beside it",
                "5 * (key[0] + key[1])",
                "m_key[2] = key[0] / key[0].norm()",
                ("1.4.2",),
                i142=NOT_EVEN_LONGER,
            ),
        ),
    ),
    Kind(
        "the key of 1.4.1 is judged with the unchanged query, or a right one if that is wrong",
        1,
        (
            *(answers(f"{size} times k0 + k1", f"{size} * (key[0] + key[1])") for size in (1.5, 40)),
            member(
                "a wrong key with a short query",
                changed(S1, (QUERY, "query132 = 2 * (key[0] + key[1])"), (AVERAGING, "m_key[2] = 2 * (key[0] + key[1])")),
                ["1.4.1"],
                {"1.4.1": "misses the target by"},
            ),
            member(
                "a right key with a wrong query",
                changed(
                    S1, (QUERY, "query132 = 100 * key[3]"), (UNIT, "m_key[2] = (key[0] + key[1]) / (key[0] + key[1]).norm()")
                ),
                ["1.3.2"],
                {"1.4.1": REFERENCE, "1.4.2": REFERENCE},
            ),
        ),
    ),
]
