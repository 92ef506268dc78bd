"""Whose score is another one because another submission counts for them, or none any more."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.batch.former import Former
from autograder.batch.gradebook import number
from autograder.batch.people import Person
from autograder.batch.regrade_diff import Change, differing_scores, outcomes_of
from autograder.batch.store import Record, Store

Moves = dict[tuple[str, tuple[str, ...]], list[Person]]  # (what counted, what counts now) -> for whom


def moved_people(
    store: Store, before: dict[str, Record], after: dict[str, Record], former: Former, now: Former
) -> Iterator[Change]:
    """Compare what counted for a person in the last run with what counts now, where these are two submissions.

    ``former``, ``now``: whose the submissions are in the two runs. A person's first submission is no change.
    """
    moves = _moves(before, former, now)
    for id in before.keys() - after.keys() - {old for old, _ in moves}:  # nobody knows any more whose it was
        moves[id, ()] = []
    for (old, found), people in sorted(moves.items(), key=lambda move: move[0]):
        if len(found) == 1:
            yield from _instead(store, (old, before[old]), (found[0], after[found[0]]), tuple(people))
            continue
        why = f"it is not settled whether {' or '.join(found)} is theirs" if found else "no longer graded"
        for item, score in before[old].scores.items():
            yield Change(old, item, number(score), "", why, tuple(people))


def _moves(before: dict[str, Record], former: Former, now: Former) -> Moves:
    by_key = _by_key(now)
    moves: Moves = {}
    for id in [id for id in former if id in before]:
        for person in former[id]:
            found = set().union(*(by_key.get(key, ()) for key in person.keys))
            if id not in found and (found or id not in now):  # else they may be called otherwise now
                moves.setdefault((id, tuple(sorted(found))), []).append(person)
    return moves


def _by_key(now: Former) -> dict[str, set[str]]:
    by_key: dict[str, set[str]] = {}
    for id, people in now.items():
        for key in {key for person in people for key in person.keys}:
            by_key.setdefault(key, set()).add(id)
    return by_key


def _instead(store: Store, old: tuple[str, Record], new: tuple[str, Record], people: tuple[Person, ...]) -> Iterator[Change]:
    outcomes = outcomes_of(store, new[1])
    why = f"another submission of theirs counts now, not {old[0]}"
    for item, a, b in differing_scores(old[1], new[1]):
        outcome = f"; now: {outcomes[item]}" if item in outcomes else ""
        yield Change(new[0], item, number(a), number(b), why + outcome, people)
