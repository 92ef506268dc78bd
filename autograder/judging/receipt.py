"""The receipt in every results.json: which grader judged which submission, signed with a key that only the archive has.

One signature covers the score and every item's points, verdict and output, another one (``whole``) all that is written but
times, so a result that was edited or made up is told from a real one. Nothing in a receipt depends on the clock: the same
grader and submission always give the same receipt.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from autograder.core.assignment import Assignment
from autograder.core.digests import digest_of, folder_files, package_files, packages_of
from autograder.core.needs import needed_versions
from autograder.submission.unpack import Contents

RECEIPT = "receipt"  # the key in results.json's ``extra_data``, and in the references that of the signing key
NOT_SIGNED = ("execution_time", "seconds", "inputs", "whole")  # times, what a student's copy lacks, and the signature itself
SHOWN = 12  # hex digits of a digest that people read
PARTS = {"engine": "the grader's code", "assignment": "the assignment", "references": "the references"}


@dataclass(frozen=True)
class Origin:
    """Who grades: a digest for each of ``PARTS``, the versions of packages, and the key that signs (b'': nothing is signed)."""

    grader: dict[str, str]
    versions: dict[str, str]
    key: bytes


def origin_of(assignment: Assignment, references: dict[str, Any]) -> Origin:
    """What grades with this assignment and these references, in this environment."""
    own = folder_files(assignment.folder, [assignment.folder / "rubric.toml", *assignment.parts()])
    grader = {
        "engine": digest_of(package_files(packages_of("judging"))),
        "assignment": digest_of(own),
        "references": str(references.get("fingerprint", "")),
    }
    return Origin(grader, needed_versions(assignment), bytes.fromhex(references[RECEIPT]))


def key_id(key: bytes) -> str:
    """Tells one key from another without giving it away; '' without a key."""
    return hmac.digest(key, b"which key", "sha256").hex()[:SHOWN] if key else ""


def content_key(contents: Contents) -> str:
    """A hash of the submission's digest, its notes, and the names and sizes of files that were not read."""
    parts = [contents.digest, *contents.notes, *(f"{f.label} {f.size} {f.unread}" for f in contents.files if f.data is None)]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def sign(tree: dict[str, Any], origin: Origin, submission: str) -> None:
    """Add the receipt to a tree for results.json, and a line about it to the output that students read.

    ``submission``: see ``content_key``.
    """
    receipt = {"submission": submission, "grader": origin.grader, "versions": origin.versions, "key": key_id(origin.key)}
    signature = signature_of(tree, receipt, origin.key) if origin.key else ""
    tree["extra_data"][RECEIPT] = {**receipt, "signature": signature}
    versions = ", ".join(
        f"{name} {origin.versions[name]}" for name in ("python", "torch", "numpy") if origin.versions.get(name)
    )
    number = f"Receipt {code_of(signature)}" if signature else "Receipt, not signed"
    tree["output"] += (
        f"\n{number}: submission {submission[:SHOWN]}, grader {grader_code(origin.grader)}; {versions}. "
        "Quote it if you think that your score is wrong."
    )
    tree["extra_data"][RECEIPT]["whole"] = whole_signature(tree, origin.key) if origin.key else ""


def code_of(signature: str) -> str:
    """The beginning of a signature in letters and digits that can be read aloud."""
    letters = base64.b32encode(bytes.fromhex(signature)[:10]).decode()
    return "-".join(letters[at : at + 4] for at in range(0, 12, 4))


def grader_code(grader: dict[str, str]) -> str:
    """One short digest for all parts of a grader."""
    return hashlib.sha256("\n".join(grader[part] for part in PARTS).encode()).hexdigest()[:SHOWN]


def signature_of(tree: dict[str, Any], receipt: dict[str, Any], key: bytes) -> str:
    """The HMAC, in hex, of what a result says. Raises ValueError, TypeError or KeyError if the tree has another form."""
    data = tree["extra_data"]
    said = {
        "course": data["course"],
        "complete": data["complete"],
        "score": repr(float(tree["score"])),
        "items": [_item(test) for test in tree["tests"]],
        "receipt": {name: value for name, value in receipt.items() if name not in ("signature", "whole")},
    }
    return hmac.digest(key, json.dumps(said, sort_keys=True, separators=(",", ":")).encode(), "sha256").hex()


def whole_signature(tree: dict[str, Any], key: bytes) -> str:
    """The HMAC, in hex, of all that a result says but for times, numbers of hidden sets and itself.

    Raises ValueError, OverflowError or RecursionError for a tree that this grader cannot have written.
    """
    text = json.dumps(_lasting(tree), sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, b"whole\n" + text.encode(), "sha256").hex()


def _lasting(node: Any) -> Any:
    """A tree without what is not signed; numbers as Python writes floats, whichever way the file has them."""
    if isinstance(node, dict):
        return {name: _lasting(value) for name, value in node.items() if name not in NOT_SIGNED}
    if isinstance(node, list):
        return [_lasting(value) for value in node]
    return repr(float(node)) if type(node) in (int, float) else node


def _item(test: dict[str, Any]) -> list[str]:
    """One item's part of what is signed; numbers as Python writes floats, whichever way the file has them."""
    output = hashlib.sha256(test["output"].encode("utf-8", "surrogatepass")).hexdigest()
    points = [repr(float(test[name])) for name in ("score", "max_score")]
    return [test["number"], test["extra_data"]["verdict"], str(test.get("status", "")), *points, output]
