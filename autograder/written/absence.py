"""Who submitted nothing: what is empty in their rows is a zero where staff say so, of one person or of everyone."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from autograder.core.text import clean
from autograder.core.verdict import NO_FILE
from autograder.written.matching import Pair
from autograder.written.sheets import Policy, Row

YES, NO = ("yes", "y", "true", "x", "1", "✓"), ("no", "n", "false", "0", "missing")
# What the gradebook's status says of someone who submitted nothing: the batch's words, and Gradescope's.
NOTHING_SUBMITTED = re.compile(rf"not graded: (not submitted|{NO_FILE})|missing$", re.IGNORECASE)


@dataclass
class Zeros:
    """Why what is empty in the autograded and in the written half is a zero; '' where it is not."""

    autograded: str = ""
    written: str = ""
    problems: list[str] = field(default_factory=list)


def zeros_of(pair: Pair, policy: Policy) -> Zeros:
    """What staff say of one person, by ``absent`` in the sheet, or of everyone by the policy's rules."""
    rules, sheet = policy.table("absent"), pair.manual
    word = sheet.who["absent"].casefold() if sheet else ""
    if sheet and word in YES:
        lost = f"; {pair.missing[0]}" if not pair.autograded and pair.missing else ""  # and with it, when it was handed in
        return Zeros(f"absent ({sheet.source}{lost})", f"absent ({sheet.source})")
    return Zeros(
        _autograded(pair.autograded, policy) if "autograded" in rules else "",
        _written(sheet, policy) if "written" in rules else "",
        [f"absent is {clean(word, 30)!r} in {sheet.source}, expected yes or no"] if sheet and word and word not in NO else [],
    )


def submitted_something(row: Row) -> bool:
    """Whether a row of the gradebook is about somebody who submitted something."""
    return not NOTHING_SUBMITTED.match(row.who["status"]) and bool(row.who["status"] or any(row.scores.values()))


def _autograded(row: Row | None, policy: Policy) -> str:
    status = row.who["status"] if row else ""
    why = re.sub(r"^not graded: ", "", status)
    return f"{why} ({policy.name} [absent]; {row.source})" if row and NOTHING_SUBMITTED.match(status) else ""


def _written(row: Row | None, policy: Policy) -> str:
    if row and any(row.scores.values()):
        return ""
    return f"{f'{row.source} is empty' if row else 'no row'} ({policy.name} [absent])"
