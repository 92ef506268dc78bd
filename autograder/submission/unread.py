"""Names the files that were not read, each once and with the reason, in few lines."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.submission.files import File

MAX_NAMES, LINE = 20, 160


def told(unread: list[File]) -> list[str]:
    """Notes that name the first files; of those with one reason, several in a line."""
    reasons: dict[str, list[str]] = {}
    for file in unread[:MAX_NAMES]:
        reasons.setdefault(file.unread, []).append(file.label)
    notes = [_sentence(names, reason) for reason, labels in reasons.items() for names in _lines(labels)]
    more = len(unread) - MAX_NAMES
    return notes + ([f"and {more} more file{'s were' if more > 1 else ' was'} not read"] if more > 0 else [])


def _lines(labels: list[str]) -> Iterator[list[str]]:
    """The labels in groups that fit in a line."""
    group: list[str] = []
    for label in labels:
        if group and sum(map(len, group)) + len(label) > LINE:
            yield group
            group = []
        group.append(label)
    yield group


def _sentence(names: list[str], reason: str) -> str:
    return f"{', '.join(names)}{': each' if len(names) > 1 else ''} {reason}"
