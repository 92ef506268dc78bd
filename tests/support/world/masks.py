"""Kinds of section 2.1 about the causal mask: what hides an entry, and whether both functions fit each other."""

from __future__ import annotations

from support.world.kind import Kind, member
from support.world.section2 import items, returning

ONES = "torch.tril(torch.ones(n_tok, n_tok))"
TRUE = f"{ONES}.bool()"
ADDITIVE = f"torch.zeros(n_tok, n_tok).masked_fill({ONES} == 0, float('-inf'))"
FILL = "A.masked_fill(mask == 0, float('-inf'))"
ADD = "A + mask"
APPLY = "2.1.apply_causal_mask"


def fill(name, expression, words=""):
    lost = [APPLY] if words else []
    return member(name, returning(apply_causal_mask=expression), lost, {APPLY: words} if words else {})


def pair(name, make, apply, lost="", words=""):
    source = returning(make_causal_mask=make, apply_causal_mask=apply)
    return member(name, source, items(*lost.split()), {f"2.1.{lost.split()[0]}": words} if words else {})


KINDS = [
    Kind(
        "what the softmax turns into zero is masked",
        2,
        (
            fill("-1e4 added", "A + (1 - mask) * -1e4"),
            fill("-1e6 added", "A - 1e6 * (1 - mask)"),
            fill("-1e9 added", "A + (mask - 1) * 1e9"),
            fill("the lowest number added", "A + (1 - mask) * torch.finfo(A.dtype).min"),
            fill("the lowest number filled in", "A.masked_fill(mask == 0, torch.finfo(A.dtype).min)"),
            fill("-1e4 filled in", "A.masked_fill(~mask.bool(), -1e4)"),
            fill("multiplied, then -1e4 added", "A * mask + (1 - mask) * -1e4"),
            fill("-inf by where", "torch.where(mask == 0, -float('inf'), A)"),
            fill("-1e30 by where", "torch.where(mask.bool(), A, torch.full_like(A, -1e30))"),
            fill("the logarithm of the mask", "A + mask.log()"),
            fill("the logarithm of nearly the mask", "A + 1e4 * (mask + 1e-9).log()"),
            fill("far below the lowest score", "A.masked_fill(mask == 0, A.min().item() - 200)"),
            fill("-1e4 for a triangle of its own", "A + torch.full_like(A, -1e4).triu(1)"),
        ),
    ),
    Kind(
        "what keeps weight in the softmax is not masked",
        2,
        (
            fill("-1e-4 added", "A + (1 - mask) * -1e-4", "future entries still get weight in the softmax"),
            fill("-1 added", "A - (1 - mask)", "future entries still get weight in the softmax"),
            fill("-10 added", "A + (1 - mask) * -10", "future entries still get weight in the softmax"),
            fill("-10 filled in", "A.masked_fill(mask == 0, -10)", "future entries still get weight in the softmax"),
            fill("-100 added", "A + (1 - mask) * -100", "still get weight"),
            fill("-100 filled in", "A.masked_fill(mask == 0, -100.0)", "still get weight"),
            fill("-1000 filled in", "A.masked_fill(mask == 0, -1e3)", "but where they are 1000"),
            fill("multiplied", "A * mask", "still get weight"),
            fill("1e9 added", "A + (1 - mask) * 1e9", "still get weight"),
            fill("-inf times the mask", "A + (1 - mask) * float('-inf')", "NaN"),
            fill("visible scores shifted as well", "A * mask + (1 - mask) * -1e9 - 1", "the visible scores"),
        ),
    ),
    Kind(
        "two functions that fit each other keep their points unless the mask is inverted",
        2,
        (
            pair("True, and not", TRUE, "A.masked_fill(~mask, float('-inf'))"),
            pair("True, and equal to zero", TRUE, FILL),
            pair("True, and added", TRUE, "A + (~mask) * -1e4"),
            pair("an additive mask, added", ADDITIVE, ADD),
            pair("a finite additive mask, added", f"(1 - {ONES}) * -1e9", ADD),
            pair("an additive mask, read as True where hidden", ADDITIVE, "A.masked_fill(mask.bool(), float('-inf'))"),
            pair("integers, subtracted from one", f"{ONES}.int()", "A + (1 - mask) * -1e4"),
            pair("four dimensions", f"{ONES}[None, None]", FILL),
            pair(
                "inverted, and filled where True", f"~{TRUE}", "A.masked_fill(mask, -torch.inf)", "make_causal_mask", "inverted"
            ),
            pair(
                "inverted ones, read as True",
                f"1 - {ONES}",
                "A.masked_fill(mask.bool(), -torch.inf)",
                "make_causal_mask",
                "inverted",
            ),
        ),
    ),
    Kind(
        "of two functions that do not fit each other, the one pays that departs from the handout",
        2,
        (
            pair("True, and subtracted from one", TRUE, "A + (1 - mask) * -1e4", "make_causal_mask", "entries of type bool"),
            pair("an additive mask, and equal to zero", ADDITIVE, FILL, "make_causal_mask", "large negative numbers"),
            pair(
                "an additive mask, and not", ADDITIVE, "A.masked_fill(~mask, -torch.inf)", "make_causal_mask", "large negative"
            ),
            pair(
                "an additive mask, and not of True", ADDITIVE, "A.masked_fill(~mask.bool(), -1e4)", "make_causal_mask", "large"
            ),
            pair(
                "a finite additive mask, multiplied",
                f"(1 - {ONES}) * -1e9",
                "A + (1 - mask) * -1e4",
                "make_causal_mask",
                "large",
            ),
            pair("inverted, and not", f"~{TRUE}", "A.masked_fill(~mask, -torch.inf)", "make_causal_mask", "inverted"),
            pair("inverted ones, and not", f"1 - {ONES}", "A.masked_fill(~mask, -torch.inf)", "make_causal_mask", "inverted"),
            pair("inverted, and equal to zero", f"~{TRUE}", FILL, "make_causal_mask", "inverted"),
            pair("ones, and not", ONES, "A.masked_fill(~mask, -torch.inf)", "apply_causal_mask", "raised TypeError"),
            pair("integers, and not", f"{ONES}.long()", "A.masked_fill(~mask, -torch.inf)", "apply_causal_mask", "raised"),
            pair("ones, and added", ONES, ADD, "apply_causal_mask", "still get weight"),
            pair(
                "ones, and filled where True",
                ONES,
                "A.masked_fill(mask.bool(), -torch.inf)",
                "apply_causal_mask",
                "still get weight",
            ),
            pair("four dimensions, and not", f"{ONES}[None, None]", "A.masked_fill(~mask, -torch.inf)", "apply_causal_mask"),
        ),
    ),
]
