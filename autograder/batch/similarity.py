"""Which submissions look alike once the starter's code is taken out: a hint for a person, never a verdict.

copydetect turns code into tokens without names or comments and hashes every run of ``RUN`` of them (its k-grams). Runs that
many share (the starter's, the one obvious way to write a line) say nothing and are dropped. Nothing here is executed.

Cost: about 15 ms a submission to read and hash, then a look at the pairs that share a rare run.
"""

from __future__ import annotations

import ast
import io
import json
from collections import Counter
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

from autograder.batch.outputs import ALIKE, OWN_FILES
from autograder.batch.roster import Roster
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import own_folder, write_private
from autograder.core.tables import write_csv
from autograder.core.text import cell
from autograder.submission.sections import take_in

RUN = 16  # tokens; shorter runs are coincidence
COMMON = 0.05  # a run that more than this part of a class shares says nothing
FEW = 3  # … but in a small class this many may share one
SHARE = 0.6
TOKENS = 48
MAX_CODE = 200_000


def look_alike(assignment: Assignment, roster: Roster, starter: Path, progress: Callable[[int, int, int], None]) -> list[dict]:
    """Pairs ``{"one", "other", "share", "tokens"}`` (submission ids), most alike first.

    ``share``: tokens in shared runs as a part of the shorter one's own, uncommon code. Raises GraderError without copydetect.
    """
    try:
        from copydetect import CodeFingerprint, compare_files
        from copydetect.utils import get_token_coverage
    except ImportError:
        raise GraderError("`alike` needs copydetect: pip install 'autograder[similarity]'") from None
    given = _statements(assignment, starter) if starter.exists() else set()
    prints = {}
    for number, entry in enumerate(roster.entries, start=1):
        code = own_code(assignment, entry.path, given)
        found = CodeFingerprint(f"{entry.id}.py", RUN, 1, fp=io.StringIO(code), language="python") if code else None
        if found and len(found.hashes):
            prints[entry.id] = found
        progress(number, len(roster.entries), number)
    spread = Counter(value for found in prints.values() for value in found.hashes)
    most = max(FEW, COMMON * len(prints))
    holders: dict[int, list[str]] = {}
    for id, found in prints.items():
        found.hash_idx = {value: places for value, places in found.hash_idx.items() if spread[value] <= most}
        found.hashes = set(found.hash_idx)
        found.token_coverage = get_token_coverage(found.hash_idx, RUN, len(found.filtered_code))
        for value in found.hashes:
            if spread[value] > 1:
                holders.setdefault(value, []).append(id)
    pairs = {pair for sharing in holders.values() for pair in combinations(sharing, 2)}
    found = []
    for one, other in sorted(pairs):
        tokens, shares, _ = compare_files(prints[one], prints[other])
        share = min(1.0, float(max(shares)))
        if tokens >= TOKENS and share >= SHARE:
            found.append({"one": one, "other": other, "share": round(share, 3), "tokens": int(tokens)})
    return sorted(found, key=lambda pair: (-pair["share"], -pair["tokens"], pair["one"], pair["other"]))


def own_code(assignment: Assignment, path: Path, given: set[str]) -> str:
    """The graded files' statements that are not the starter's, as one text."""
    try:
        submission = take_in(assignment, path)
    except GraderError:
        return ""
    parsed = {id(f.parsed): f.parsed for f in submission.sections.values() if f.parsed}
    own = [s.code for document in parsed.values() for s in document.statements if _shape(s.node) not in given]
    return "\n".join(own)[:MAX_CODE]


def _statements(assignment: Assignment, starter: Path) -> set[str]:
    submission = take_in(assignment, starter)
    return {_shape(s.node) for f in submission.sections.values() if f.parsed for s in f.parsed.statements}


def _shape(node: ast.stmt) -> str:
    """A statement free of layout and comments."""
    try:
        return ast.dump(node)
    except RecursionError:
        return ""


def write_alike(output: Path, found: list[dict]) -> None:
    """alike.csv for people, alike.json for the page."""
    own_folder(output, "batch", OWN_FILES, 0o700)
    write_private(output / ALIKE, json.dumps(found, indent=1) + "\n")
    write_csv(
        output / "alike.csv",
        [["One", "Other", "Alike", "Tokens shared"]]
        + [[cell(p["one"]), cell(p["other"]), f"{p['share']:.3f}", str(p["tokens"])] for p in found],
    )


def read_alike(output: Path) -> list[dict] | None:
    """What the last `alike` found here; None where it never ran."""
    try:
        return json.loads((output / ALIKE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
