"""Grading a submission again to see whether a results.json holds: the same to the last verdict, or what differs and why.

The file may come from anybody. It is read under limits, its form is checked, and nothing in it is believed: what it says is
only compared with the new grading, and its signature with the key in the references.
"""

from __future__ import annotations

import hmac
import json
import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.errors import GraderError
from autograder.core.files import read_capped
from autograder.core.references import read_references
from autograder.core.text import clean, first_of
from autograder.core.verdict import MISSING
from autograder.judging.output import plain_output
from autograder.judging.receipt import PARTS, RECEIPT, SHOWN, key_id, signature_of, whole_signature
from autograder.judging.results import INFORMATION
from autograder.judging.run import run_grading

MAX_BYTES, MAX_ITEMS, MAX_NAMES, MAX_TEXT = 8 << 20, 1_000, 100, 200
GENUINE, OLDER, PARTLY, EDITED, OTHER_KEY, UNSIGNED = "genuine", "older", "partly", "edited", "other key", "unsigned"
SAID = {
    GENUINE: "signature: genuine; score, verdicts and texts are as this grader wrote them",
    OLDER: "signature: genuine, in an older form; score, verdicts and the items' texts are as this grader wrote them; the "
    "summary on top and the items' names, tags and visibility are not signed",
    PARTLY: "signature: genuine for score, verdicts and the items' texts, WRONG for the rest: the summary on top, or an item's "
    "name, tags, visibility or data, was edited after grading",
    EDITED: "signature: WRONG. The file was edited after grading, or made up: this grader's key did not sign what it says",
    OTHER_KEY: "signature: made with another key (another seed), so it cannot be checked here; name the archive that graded it "
    "(--archive)",
    UNSIGNED: "signature: none. Anyone can have written this file",
}
RECEIPT_LINE = re.compile(
    r"Receipt( [A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}|, not signed): submission [0-9a-f]+, grader [0-9a-f]+; "
)
TREE_FIELDS = {"score": float, "tests": list, "extra_data": dict}
TEST_FIELDS = {"number": str, "score": float, "max_score": float, "output": str, "extra_data": dict}


@dataclass(frozen=True)
class Answer:
    """What a replay found out: lines for staff, and whether everything is the same."""

    lines: list[str]
    same: bool


def replay(assignment: Assignment, references: Callable[[], Path], results: Path, submission: Path) -> Answer:
    """Grade ``submission`` again and compare with the file ``results``.

    Raises GraderError if the file is no results.json of this assignment, or if nothing can be graded.
    """
    recorded = read_results(results, assignment)
    baked = references()
    signature = verify(recorded, bytes.fromhex(read_references(baked)[RECEIPT]))
    with tempfile.TemporaryDirectory(prefix="replay-") as folder:
        now = run_grading(assignment, baked, submission, recorded["extra_data"]["course"], Path(folder) / "results.json")
    return compare(recorded, now, signature)


def read_results(path: Path, assignment: Assignment) -> dict[str, Any]:
    """A results.json whose form is that of this grader. Raises GraderError, one line, for anything else."""
    try:
        tree = json.loads(read_capped(path, MAX_BYTES).decode("utf-8-sig"), parse_constant=_refused)
        _check_form(tree)
    except IsADirectoryError:
        raise GraderError(f"{clean(str(path), 200)} is a folder: name the results.json first, then the submission") from None
    except OSError as error:
        raise GraderError(f"cannot read {clean(str(path), 200)}: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise GraderError(
            f"{clean(str(path), 200)} is no JSON, or only a part of it: name the results.json as Gradescope has it"
        ) from None
    except (ValueError, RecursionError, OverflowError) as error:
        raise GraderError(f"{clean(str(path), 200)} is not a results.json of this grader: {clean(str(error), 120)}") from None
    course = tree["extra_data"]["course"]
    if course not in assignment.courses:
        raise GraderError(f"{clean(str(path), 200)} is of course {clean(course)!r}, which the rubric does not have")
    return dict(tree)


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} for a number")


def _check_form(tree: Any) -> None:
    """Raise ValueError unless a tree has everything that is compared, in the right types and within the limits."""
    _check_fields(tree, TREE_FIELDS, "the file")
    data, tests = tree["extra_data"], tree["tests"]
    if not isinstance(data.get("course"), str) or not isinstance(data.get("complete"), bool):
        raise ValueError("it does not say its course, or whether it is complete")
    if len(tests) > MAX_ITEMS:
        raise ValueError(f"it has over {MAX_ITEMS} items")
    for test in tests:
        _check_fields(test, TEST_FIELDS, "an item")
        if not isinstance(test["extra_data"].get("verdict"), str) or not isinstance(test.get("status", ""), str):
            raise ValueError("an item without a verdict")
    if len({test["number"] for test in tests}) < len(tests):
        raise ValueError("an item occurs twice")
    if RECEIPT in data:
        _check_receipt(data[RECEIPT])


def _check_fields(tree: Any, fields: dict[str, type], what: str) -> None:
    if not isinstance(tree, dict):
        raise ValueError(f"{what} is no object")
    for name, kind in fields.items():
        value: Any = tree.get(name)
        number = type(value) in (int, float) and math.isfinite(value)
        if not (number if kind is float else isinstance(value, kind)):
            raise ValueError(f"{what} has no {name}, or one of another type")


def _check_receipt(receipt: Any) -> None:
    fields: dict[str, type] = {"submission": str, "grader": dict, "versions": dict, "key": str, "signature": str}
    fields |= {"whole": str} if isinstance(receipt, dict) and "whole" in receipt else {}  # older ones have none
    _check_fields(receipt, fields, "the receipt")
    if set(receipt) != set(fields):
        raise ValueError("the receipt says more than a receipt")
    if set(receipt["grader"]) != set(PARTS):
        raise ValueError("the receipt names no grader")
    names = {**receipt["grader"], **receipt["versions"]}
    if len(names) > MAX_NAMES or not all(isinstance(value, str) and len(value) <= MAX_TEXT for value in names.values()):
        raise ValueError("the receipt names no versions")


def verify(recorded: dict[str, Any], key: bytes) -> str:
    """What ``SAID`` has a line for, of a tree from ``read_results``."""
    receipt = recorded["extra_data"].get(RECEIPT)
    if not receipt or not receipt["signature"]:
        return UNSIGNED
    if hmac.compare_digest(signature_of(recorded, receipt, key).encode(), receipt["signature"].encode("utf-8", "replace")):
        return _verify_rest(recorded, receipt.get("whole"), key)
    return EDITED if receipt["key"] == key_id(key) else OTHER_KEY


def _verify_rest(recorded: dict[str, Any], whole: str | None, key: bytes) -> str:
    """GENUINE, PARTLY or OLDER, of a tree whose verdicts are signed; ``whole``: the signature of all of it, or None."""
    if whole is None:
        return OLDER
    try:
        good = hmac.compare_digest(whole_signature(recorded, key).encode(), whole.encode("utf-8", "replace"))
    except (ValueError, OverflowError, RecursionError):
        return PARTLY
    return GENUINE if good else PARTLY


def compare(recorded: dict[str, Any], now: dict[str, Any], signature: str) -> Answer:
    """What two results of one submission say about each other; ``now`` is the new one."""
    causes = _causes(recorded["extra_data"].get(RECEIPT), now["extra_data"].get(RECEIPT)) + _sets(recorded, now)
    changes = _changes(recorded, now) + ([] if signature == GENUINE else _wording(recorded, now))
    lines = [SAID[signature], *causes, *first_of(changes, 60)]
    same = signature in (GENUINE, OLDER) and not changes and not causes
    items = f"{len(_items(now))} items, {float(now['score']):g} points"
    if not changes:
        last = "The same, to the last verdict" if same else "The verdicts are the same"
        return Answer([*lines, *first_of(_lost(now), 60), f"{last}: {items}."], same)
    return Answer([*lines, f"Not the same: {_why(signature, causes)}."], False)


def _why(signature: str, causes: list[str]) -> str:
    if signature in (EDITED, PARTLY):
        return "the file does not say what this grader found" + ("; and what is named above differs, too" if causes else "")
    if causes:
        return "what is named above differs, which may be why"
    unsigned = "the file is not signed, so it may have been edited; otherwise " if signature not in (GENUINE, OLDER) else ""
    return (
        f"{unsigned}file, grader and versions agree, so the time ran out in one of the two, or the code does not do the "
        "same twice"
    )


def _causes(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[str]:
    """What differs in what was graded and in who graded it."""
    if not old or not new:
        return ["receipt: none, so the file does not say what was graded, or by which grader"] if not old else []
    causes = []
    if old["submission"] != new["submission"]:
        causes.append(f"another file: then {_short(old['submission'])}, now {_short(new['submission'])}")
    for part, name in PARTS.items():
        if old["grader"][part] != new["grader"][part]:
            causes.append(f"another grader, {name}: then {_short(old['grader'][part])}, now {_short(new['grader'][part])}")
    for name in sorted({*old["versions"], *new["versions"]}):
        then, today = old["versions"].get(name, ""), new["versions"].get(name, "")
        if then != today:
            causes.append(f"another version of {clean(name)}: then {clean(then) or 'none'}, now {clean(today) or 'none'}")
    return causes


def _short(digest: str) -> str:
    return clean(digest[:SHOWN]) or "none"


def _changes(recorded: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """One line for each item that differs, and for the score."""
    old, new = (_items(tree) for tree in (recorded, now))
    changes = [_change(number, old.get(number), new.get(number)) for number in dict.fromkeys([*new, *old])]
    if float(recorded["score"]) != float(now["score"]):
        changes.append(f"score: then {float(recorded['score']):g}, now {float(now['score']):g}")
    return [line for line in changes if line]


def _items(tree: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The items by number, without what is there for information and earns nothing."""
    return {test["number"]: test for test in tree["tests"] if test["extra_data"]["verdict"] != INFORMATION}


def _change(number: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> str:
    """What differs in one item; '' if nothing does."""
    if old is None or new is None:
        return f"{clean(number)}: {'not in the file' if old is None else 'in the file only'}"
    then, today, why = _result(old), _result(new), plain_output(new).partition("\n")[0]
    if then != today:
        return f"{clean(number)}: then {then}; now {today}: {clean(why, 200)}"
    return ""


def _wording(recorded: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What a file that is not signed as a whole calls otherwise than this grader does now."""
    old, new = (_items(tree) for tree in (recorded, now))
    pairs = [(f"{clean(id)}: ", name, old[id], new[id]) for id in new if id in old for name in ("name", "tags", "visibility")]
    pairs += [("", name, recorded, now) for name in ("visibility", "stdout_visibility")]
    told = [
        f"{what}{name}: in the file {clean(json.dumps(then.get(name), ensure_ascii=False), 120)}; "
        f"now {clean(json.dumps(today.get(name), ensure_ascii=False), 120)}"
        for what, name, then, today in pairs
        if then.get(name) != today.get(name)
    ]
    lines = str(now["output"]).split("\n")
    strange = [
        line for line in str(recorded.get("output", "")).split("\n") if line not in lines and not RECEIPT_LINE.match(line)
    ]
    return told + [f"summary: in the file only: {clean(line, 200)}" for line in strange[:5]]


def _lost(now: dict[str, Any]) -> list[str]:
    """What was submitted and did not earn everything, with the reason: what an answer to a dispute is about."""
    lost = [(test, plain_output(test).partition("\n")[0]) for test in _items(now).values() if _earned_less(test)]
    return [f"lost: {clean(test['number'])}: {_result(test)}: {clean(why, 400)}" for test, why in lost]


def _earned_less(test: dict[str, Any]) -> bool:
    return float(test["score"]) < float(test["max_score"]) and test["extra_data"]["verdict"] != MISSING


def _sets(recorded: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """A line if items are said to be judged on other hidden sets: numbers that a student's copy lacks and nothing signs."""
    old, new = (_items(tree) for tree in (recorded, now))
    numbers = [(id, *(tree[id]["extra_data"].get("inputs") for tree in (old, new))) for id in old if id in new]
    other = [clean(id) for id, then, today in numbers if type(then) is int and type(today) is int and then != today]
    return [f"another number of a hidden set, which is not signed: {', '.join(first_of(other, 6))}"] if other else []


def _result(test: dict[str, Any]) -> str:
    return f"{clean(test['extra_data']['verdict'])}, {float(test['score']):g}/{float(test['max_score']):g}"
