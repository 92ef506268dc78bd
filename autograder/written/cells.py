"""Points as people write them in a cell: a plain number, or a word that is a share of the item's points."""

from __future__ import annotations

import re
from fractions import Fraction

from autograder.core.written import VOID

NO_NUMBER = "expected a number"
SHARES = {"full": Fraction(1), "half": Fraction(1, 2), "none": Fraction(0)}  # what words in a cell earn of the item's points
WORDS = {*SHARES, VOID}


def plain_number(text: str) -> tuple[Fraction, str]:
    """(the number in a cell, with a decimal point or comma, '') or (0, what it is instead, or how to write it)."""
    if re.fullmatch(r"\d{1,40}([.,]\d{0,40})?|[.,]\d{1,40}", text):
        return Fraction(text.replace(",", ".") + "0" * text.endswith((".", ","))), ""
    written = re.fullmatch(r"([+-]?)(\d{1,40}([.,]\d{0,40})?|[.,]\d{1,40})(e[+-]?\d{1,4})?", text, re.IGNORECASE)
    if not written:
        return Fraction(0), NO_NUMBER
    if written[1] == "-":
        return Fraction(0), "less than 0"
    return Fraction(0), f"expected plain digits, without {'an exponent' if written[4] else 'a sign'}"


def is_score(text: str) -> bool:
    """Whether a cell can be meant as points: a number, or one of the words for a share."""
    return text.casefold() in WORDS or not plain_number(text)[1]
