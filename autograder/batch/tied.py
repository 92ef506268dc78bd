"""Which row of a roster is about which person of an export, where the two write an address or a number differently.

A learning platform writes the part of the address before the @ (the netid), a spreadsheet program drops leading zeros, and
addresses change during a term. A row is about a person where one of the two agrees and nothing speaks for somebody else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from autograder.batch.listed import Listed, Listing
from autograder.batch.people import Person, alike
from autograder.core.tables import unpadded
from autograder.core.text import first_of

KINDS = {"email": "address", "sid": "SID"}
MANY = 20  # people with one spelling; more of them say no more
SHOWN = 5  # questions about single rows


class Tie(NamedTuple):
    """The export's person whom a row is about, None if that is not known, and what to ask about it, or ''."""

    person: Person | None = None
    doubt: str = ""


class Index:
    """People by what identifies them, as it is written and in other spellings."""

    def __init__(self, people: Iterable[Person]):
        self.exact, self.alike = (
            defaultdict[tuple[str, str], list[Person]](list),
            defaultdict[tuple[str, str], list[Person]](list),
        )
        for person in {(p.email.casefold(), p.sid.casefold()): p for p in people if p.email or p.sid}.values():
            for kind in KINDS:
                text = getattr(person, kind).casefold()
                for found, key in ((self.exact, text), (self.alike, _loosely(kind, text))):
                    if text and len(found[kind, key]) < MANY:
                        found[kind, key].append(person)

    def spelled(self, kind: str, text: str) -> list[Person]:
        """Everyone who may have this ``email`` or ``sid``, in whatever spelling."""
        found = self.alike.get((kind, _loosely(kind, text.casefold())), []) if text else []
        return [person for person in found if same(kind, text, getattr(person, kind))]

    def named(self, kind: str, text: str) -> list[Person]:
        """Everyone who has it as it is written, or else in another spelling."""
        return self.exact.get((kind, text.casefold())) or self.spelled(kind, text) if text else []


def _loosely(kind: str, text: str) -> str:
    return text.partition("@")[0] if kind == "email" else unpadded(text)


def same(kind: str, one: str, other: str) -> bool:
    """Whether two spellings may be of one: a netid and an address, a number with and without leading zeros."""
    one, other = one.casefold(), other.casefold()
    whole = kind == "email" and "@" in one and "@" in other
    return one == other or (not whole and _loosely(kind, one) == _loosely(kind, other))


def apart(one: Person, other: Person) -> list[str]:
    """The kinds of identifier that both have, and that are not the same in any spelling."""
    pairs = {kind: (getattr(one, kind), getattr(other, kind)) for kind in KINDS}
    return [kind for kind, (own, others) in pairs.items() if own and others and not same(kind, own, others)]


def tie(listing: Listing, export: Iterable[Person]) -> Iterator[str]:
    """Give each row, in place, the address and the number that the export has for its person.

    Yields one line if numbers differ in leading zeros, and a question for each row that may be about somebody else.
    """
    rows = [*listing.students, *listing.others]
    people, listed = Index(export), Index(row.person for row in rows)
    ties = {row.line: tie_of(row, people, listed) for row in rows}
    yield from _unpadded(listing.name, [(row.person.sid, tied.sid) for row in rows if (tied := ties[row.line].person)])
    yield from first_of([f"{listing.where(line)}: {doubt}" for line, (_, doubt) in ties.items() if doubt], SHOWN)
    listing.students = [_with(row, ties[row.line].person) for row in listing.students]
    listing.others = [_with(row, ties[row.line].person) for row in listing.others]


def _unpadded(name: str, sids: list[tuple[str, str]]) -> Iterator[str]:
    """A line if some of these (roster's, export's) numbers differ in their leading zeros."""
    padded = [(own, other) for own, other in sids if own and own.casefold() != other.casefold() and same("sid", own, other)]
    if padded:
        many = "1 SID differs" if len(padded) == 1 else f"{len(padded)} SIDs differ"
        yield (
            f"{name}: {many} from the export's in leading zeros only ({padded[0][0]} for {padded[0][1]}), which "
            "spreadsheet programs drop: taken for the same"
        )


def _with(row: Listed, person: Person | None) -> Listed:
    if person is None:
        return row
    return row._replace(person=replace(row.person, email=person.email or row.person.email, sid=person.sid or row.person.sid))


def tie_of(row: Listed, people: Index, listed: Index) -> Tie:
    """Whom of ``people`` a row is about; ``listed``: the people of all rows, any of whom may be somebody else."""
    may_be = _sharing(people.named, row.person)
    fitting = [person for person in may_be if not apart(row.person, person)]
    candidates = fitting or may_be
    # Who shares an address or a number to the letter is asked about where courses are given.
    to_the_letter = any(row.person.keys & person.keys for person in may_be)
    if len(candidates) == 1:
        rivals = [one for one in _sharing(listed.spelled, candidates[0], row.person) if apart(row.person, one)]
        fit = _fitting if fitting else _changed
        if tied := fit(row, candidates[0], rivals, to_the_letter):
            return tied
    return Tie() if to_the_letter or not may_be else Tie(doubt=_who_is_it(row.person, candidates))


def _who_is_it(own: Person, candidates: list[Person]) -> str:
    which = " or ".join(person.whole for person in candidates[:3])
    return f"{own.whole} may be {which} of the export{', or nobody' * (len(candidates) == 1)}: who is it?"


def _fitting(row: Listed, person: Person, rivals: list[Person], to_the_letter: bool) -> Tie | None:
    """The tie to a person from whom the row differs in spelling only, unless another row may be about them, too."""
    return None if any(not apart(one, person) for one in rivals) else Tie(person)


def _changed(row: Listed, person: Person, rivals: list[Person], to_the_letter: bool) -> Tie | None:
    """The tie to a person with whom the row agrees to the letter in one of the two, if nothing speaks for another."""
    if rivals or row.path or not to_the_letter or not alike(row.person, person):
        return None
    [kind] = apart(row.person, person)
    agrees = "SID" if kind == "email" else "address"
    return Tie(
        person,
        f"{person.whole} of the export has the same {agrees} there and another {KINDS[kind]}, {getattr(row.person, kind)}: "
        "is it one person? Graded as one",
    )


def _sharing(named: Callable[[str, str], list[Person]], *people: Person) -> list[Person]:
    """Everyone who shares an address or a number with one of ``people``, each once."""
    return list({one: None for person in people for kind in KINDS for one in named(kind, getattr(person, kind))})
