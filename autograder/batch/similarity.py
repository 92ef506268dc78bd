"""Pairs of submissions that look alike once the starter code is removed: a hint for a person, never a verdict.

copydetect (its last release is of March 2024) is kept for its tokenizer and its comparison, which need nothing else; it reads
code in a process under limits. `alike --dolos` writes what Dolos takes, where staff want more than a list.

copydetect tokenizes code without names and comments and hashes every run of ``RUN`` tokens (its k-grams). Runs that many
submissions share (starter code, the obvious way to write a line) carry no information and are dropped, but what two submissions
have letter for letter makes a pair, however obvious its lines are. Nothing is executed.

Cost: about 15 ms per submission to read and hash, then a comparison of the pairs that share a rare run.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from autograder.batch.outputs import ALIKE, OWN_FILES
from autograder.batch.roster import Roster
from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import is_ordinary, own_folder, read_capped, write_private
from autograder.core.syntax import shape
from autograder.core.tables import write_csv
from autograder.core.text import cell, clean
from autograder.sandbox.judge_side.apart import Apart, Ended
from autograder.submission.sections import take_in

RUN = 16  # tokens; shorter runs coincide by chance
COMMON = 0.05  # a run that more than this fraction of a class shares is ignored
FEW = 3  # … unless this few submissions share it, in a small class
MIN_SHARE = 0.6
MIN_TOKENS = 48
MAX_CODE = 200_000  # characters per submission
MAX_ALIKE = 16 << 20  # bytes of the file of pairs

# {"one", "other": submission ids, "share": 0 to 1, "tokens": number of tokens shared, "declared": whether they said so}
Pair = dict[str, Any]
PATIENCE_SECONDS = 120.0  # for one submission, on a busy machine


@dataclass
class Print:
    """What copydetect's comparison reads of its ``CodeFingerprint``: hash -> where its runs of ``k`` tokens begin.

    ``text``: a digest of the code, letter for letter.
    """

    hash_idx: dict[int, list[int]]
    filtered_code: str  # its length counts
    text: str = ""
    k: int = RUN
    offsets: tuple[()] = ()  # places in the text are not asked for
    token_coverage: float = 0.0
    hashes: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.hashes = set(self.hash_idx)


def look_alike(
    assignment: Assignment,
    roster: Roster,
    starter: Path,
    progress: Callable[[int, int, int], None],
    tell: Callable[[str], None] = lambda line: None,
) -> list[Pair]:
    """Pairs that look alike, most alike first; ``tell`` gets a line about each submission that takes too much.

    ``share``: tokens in shared runs, as a fraction of the shorter submission's own, uncommon code. ``progress`` is called
    with (done, total, done). Raises GraderError if copydetect is not installed, or no submission has any code.
    """
    try:
        from copydetect import compare_files
    except ImportError:
        raise GraderError("`alike` needs copydetect: pip install 'autograder[similarity]'") from None
    given = starters_statements(assignment, starter)
    fingerprints: dict[str, Print] = {}
    for number, entry in enumerate(roster.entries, start=1):
        try:
            fingerprint = print_of(assignment, entry.path, given)
        except Ended as error:
            tell(f"{entry.id} was not compared: {error}")
        else:
            if fingerprint.hashes:
                fingerprints[entry.id] = fingerprint
        progress(number, len(roster.entries), number)
    if not fingerprints:
        whole = "the submission has no" if len(roster.entries) == 1 else f"none of {len(roster.entries)} submissions has"
        raise GraderError(f"nothing was changed: {whole} code of its own to compare; name the folder of submissions")
    candidates = sorted(_candidates(fingerprints))
    if few := sum(RUN + len(fingerprint.hashes) <= MIN_TOKENS for fingerprint in fingerprints.values()):
        tell(few_tokens(few, len(fingerprints)))
    pairs = _identical(fingerprints)
    for one, other in candidates:
        tokens, shares, _ = compare_files(fingerprints[one], fingerprints[other])
        share = min(1.0, float(max(shares)))
        if tokens >= MIN_TOKENS and share >= MIN_SHARE:
            pairs.setdefault((one, other), _pair(one, other, share, int(tokens)))
    return sorted(pairs.values(), key=lambda pair: (-pair["share"], -pair["tokens"], pair["one"], pair["other"]))


def _pair(one: str, other: str, share: float, tokens: int) -> Pair:
    return {"one": one, "other": other, "share": round(share, 3), "tokens": tokens, "declared": False}


def _identical(fingerprints: dict[str, Print]) -> dict[tuple[str, str], Pair]:
    """Ids -> the pair, where their code is the same letter for letter, unless many have it or it is short."""
    holders: dict[str, list[str]] = {}
    for id, fingerprint in fingerprints.items():
        if len(fingerprint.filtered_code) >= MIN_TOKENS:
            holders.setdefault(fingerprint.text, []).append(id)
    limit = max(FEW, COMMON * len(fingerprints))
    found = [pair for ids in holders.values() if len(ids) <= limit for pair in combinations(ids, 2)]
    return {pair: _pair(*pair, 1.0, len(fingerprints[pair[0]].filtered_code)) for pair in found}


def few_tokens(few: int, whole: int) -> str:
    """What to say of submissions that hardly differ from many others."""
    shared = max(FEW, int(COMMON * whole))
    return (
        f"{few} of {whole} submissions have too little code of their own to compare: what more than {shared} share is left "
        "out, as the obvious way to write it"
    )


def _candidates(fingerprints: dict[str, Print]) -> set[tuple[str, str]]:
    """Drop the common runs from the fingerprints, in place; returns the pairs of ids that share a remaining one."""
    from copydetect.utils import get_token_coverage

    counts = Counter(run for fingerprint in fingerprints.values() for run in fingerprint.hashes)
    limit = max(FEW, COMMON * len(fingerprints))
    holders: dict[int, list[str]] = {}
    for id, fingerprint in fingerprints.items():
        fingerprint.hash_idx = {run: places for run, places in fingerprint.hash_idx.items() if counts[run] <= limit}
        fingerprint.hashes = set(fingerprint.hash_idx)
        fingerprint.token_coverage = get_token_coverage(fingerprint.hash_idx, RUN, len(fingerprint.filtered_code))
        for run in fingerprint.hashes:
            if counts[run] > 1:
                holders.setdefault(run, []).append(id)
    # The same few submissions share most runs: each group of them counts once.
    return {pair for sharing in set(map(tuple, holders.values())) for pair in combinations(sharing, 2)}


def print_of(assignment: Assignment, path: Path, given: set[str]) -> Print:
    """The fingerprint of the statements of the graded files that are not in ``given``, made in a process under limits.

    Empty if nothing can be read. Raises Ended if it takes too much.
    """
    try:
        with Apart(lambda: lambda request: _print(_own_code(assignment, path, given)), PATIENCE_SECONDS) as apart:
            length, runs, text = apart.ask("print")
    except Ended:
        raise
    except GraderError:
        return Print({}, "")
    places = range(max(0, min(length, MAX_CODE) - RUN + 1))
    own = {int(run): [at for at in found if at in places] for run, found in runs}
    return Print(own, " " * min(length, MAX_CODE), str(text)[:64])


def _print(code: str) -> Any:
    """(number of tokens, (hash, places) of each run) as copydetect, whose tokenizer may backtrack, finds them; a digest."""
    from copydetect import CodeFingerprint

    made = CodeFingerprint("a.py", RUN, 1, fp=io.StringIO(code), language="python")
    runs = [[str(run), [int(at) for at in found]] for run, found in made.hash_idx.items()]
    return [len(made.filtered_code), runs, hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()]


def _own_code(assignment: Assignment, path: Path, given: set[str]) -> str:
    submission = take_in(assignment, path)
    parsed = {id(f.parsed): f.parsed for f in submission.sections.values() if f.parsed}
    own = [s.code for document in parsed.values() for s in document.statements if shape(s.node, s.code) not in given]
    return "\n".join(own)[:MAX_CODE]


def code_of(assignment: Assignment, path: Path, given: set[str]) -> str:
    """The code of the statements that are not in ``given``, read in a process under limits; '' if nothing can be read.

    Raises Ended if it takes too much.
    """
    try:
        with Apart(lambda: lambda request: _own_code(assignment, path, given), PATIENCE_SECONDS) as apart:
            code = apart.ask("code")
    except Ended:
        raise
    except GraderError:
        return ""
    return code[:MAX_CODE] if isinstance(code, str) else ""


def starter_of(named: Path | None, usual: Path) -> Path:
    """What everyone was given: what staff named, else the usual folder. Raises GraderError if what they named is not there."""
    if named is not None and not named.exists():
        raise GraderError(f"--starter: there is no {clean(str(named), 200)}")
    return named or usual


def starters_statements(assignment: Assignment, starter: Path) -> set[str]:
    """The statements that everyone was given; none if there is no such folder."""
    if not starter.exists():
        return set()
    submission = take_in(assignment, starter)
    return {shape(s.node, s.code) for f in submission.sections.values() if f.parsed for s in f.parsed.statements}


def write_alike(output: Path, pairs: list[Pair]) -> None:
    """Write alike.csv for people and alike.json for the class page."""
    own_folder(output, "batch", OWN_FILES, 0o700)
    write_private(output / ALIKE, json.dumps(pairs, indent=1) + "\n")
    write_csv(
        output / "alike.csv",
        [["One", "Other", "Alike", "Tokens shared", "Declared"]]
        + [[cell(p["one"]), cell(p["other"]), f"{p['share']:.3f}", str(p["tokens"]), "yes" * p["declared"]] for p in pairs],
    )


def read_alike(output: Path) -> list[Pair] | None:
    """The pairs that the last `alike` wrote here; None if it never ran."""
    try:
        if not is_ordinary(output / ALIKE):
            return None
        pairs = json.loads(read_capped(output / ALIKE, MAX_ALIKE))
    except (OSError, ValueError, RecursionError, GraderError):
        return None
    return [pair for pair in pairs if _is_pair(pair)] if isinstance(pairs, list) else None


def _is_pair(pair: object) -> bool:
    """Whether this is what ``look_alike`` finds: the page believes nothing else."""
    return (
        isinstance(pair, dict)
        and pair.keys() == {"one", "other", "share", "tokens", "declared"}
        and all(isinstance(pair[key], str) for key in ("one", "other"))
        and type(pair["share"]) in (int, float)
        and 0 <= pair["share"] <= 1
        and type(pair["tokens"]) is int
        and type(pair["declared"]) is bool
    )
