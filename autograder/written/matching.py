"""Which rows of which files are about one person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from autograder.core.errors import GraderError
from autograder.core.tables import differing, unpadded
from autograder.core.text import clean
from autograder.written.sheets import Row

MAX_REPEATED = 50  # rows of one person; more are a mistake in the file


class Pair(NamedTuple):
    """A person's rows in the two files (None: no row), the problems with matching them, and what is said of a missing row."""

    autograded: Row | None
    manual: Row | None
    problems: list[str]
    missing: tuple[str, ...] = ()

    @property
    def rows(self) -> list[Row]:
        """The rows that there are."""
        return [row for row in (self.autograded, self.manual) if row]

    @property
    def sources(self) -> list[str]:
        """Where the two rows stand, '' for none."""
        return [row.source if row else "" for row in (self.autograded, self.manual)]


def rows_of_half(joined: Iterable[Pair], half: int) -> list[Row]:
    """The rows of the gradebook (0) or of the graders' sheet (1)."""
    return [row for pair in joined if (row := (pair.autograded, pair.manual)[half])]


def has_key(row: Row) -> bool:
    """Whether a row has something by which it can be matched."""
    return bool(row.who["email"] or row.who["sid"])


def pairs(autograded: list[Row], manual: list[Row] | None, gradebook_name: str, manual_name: str) -> Iterator[Pair]:
    """Match the rows of the two files, each row once.

    Two rows belong to one person if their e-mail addresses or their student numbers agree. ``manual``: None without a file.
    """
    autograded_index, manual_index = by_key(autograded), by_key(manual or [])
    used: set[str] = set()
    advice = "" if autograded_index else ": give `batch` a --roster"
    for row in each_once(autograded, autograded_index):
        matches = rows_of(row, manual_index)
        used |= {match.source for match in matches}
        problems = repeated(rows_of(row, autograded_index), gradebook_name) + repeated(matches, manual_name)
        if matches:
            yield Pair(row, matches[0], problems + contradictions(row, matches[0], autograded_index))
        else:
            missing = () if manual is None else (alone(row, gradebook_name, manual_name, advice),)
            yield Pair(row, None, problems, missing)
    for row in each_once([row for row in manual or () if row.source not in used], manual_index):
        problems = repeated(rows_of(row, manual_index), manual_name)
        yield Pair(None, row, problems, (alone(row, manual_name, gradebook_name),))


def each_once(rows: list[Row], index: Mapping[tuple[str, str], list[Row]]) -> Iterator[Row]:
    """The first row of each person; another row that differs in the address or the number is another person's.

    ``index``: that of the whole file, from ``by_key``.
    """
    passed = set[str]()
    for row in rows:
        if row.source not in passed:
            passed |= {other.source for other in rows_of(row, index) if not differing(row.who, other.who)}
            yield row


def alone(row: Row, name: str, other: str, advice: str = "") -> str:
    """What to say of a row whose person has none in the other file. ``advice``: what to do if nothing can be looked for."""
    if not has_key(row):
        return f"in {name} without an email and a sid, by which its row in {other} is looked for{advice}"
    return f"only in {name}: no row in {other}"


def repeated(rows: list[Row], name: str) -> list[str]:
    if len(rows) < 2:
        return []
    settled = [row.who["status"] for row in rows if row.who["status"].startswith("not settled")]
    said = f"; it says: {clean(settled[0], 240)}" if settled else ""
    return [f"{len(rows)} rows for this person in {name}{said}"]


def contradictions(row: Row, match: Row, own: Mapping[tuple[str, str], list[Row]] | None = None) -> list[str]:
    """The identifiers in which two rows of one person differ.

    With one address, numbers may differ in leading zeros, unless the match's is somebody's in the index ``own`` of the row's
    file.
    """
    columns = differing(row.who, match.who)
    if columns == ["sid"] and row.who["email"] and match.who["email"] and ("sid", match.who["sid"]) not in (own or {}):
        columns = [] if same_number(row.who["sid"], match.who["sid"]) else columns
    return [f"{column} is {row.who[column]} in {row.source} and {match.who[column]} in {match.source}" for column in columns]


def same_number(one: str, other: str) -> bool:
    """Whether two different SIDs are one number: spreadsheet programs leave out leading zeros."""
    return one != other and unpadded(one) == unpadded(other)


def with_zeros(sid: str, known: Iterable[str]) -> str:
    """A question whether a number is one of ``known`` without its leading zeros; '' if it is none."""
    whole = next((other for other in known if same_number(sid, other) and len(other) > len(sid)), "")
    return f"is it {clean(whole, 40)}, whose leading zeros a spreadsheet program left out?" if whole else ""


def numbers_alone(joined: Iterable[Pair]) -> dict[str, str]:
    """The SIDs of people in the gradebook only -> those in the sheet only that differ from them in leading zeros."""
    joined = list(joined)
    in_sheet = {
        unpadded(sid): sid for pair in joined if pair.manual and not pair.autograded and (sid := pair.manual.who["sid"])
    }
    rows = [pair.autograded.who["sid"] for pair in joined if pair.autograded and not pair.manual]
    return {sid: in_sheet[unpadded(sid)] for sid in rows if same_number(sid, in_sheet.get(unpadded(sid), sid))}


def zeros_told(joined: list[Pair], gradebook_name: str, manual_name: str) -> list[str]:
    """A line about people whose SIDs differ in leading zeros only and who were matched by address, and one about others."""
    both = [(pair.autograded.who["sid"], pair.manual.who["sid"]) for pair in joined if pair.autograded and pair.manual]
    matched, apart = [sids for sids in both if same_number(*sids)], list(numbers_alone(joined).items())
    by_email = "which spreadsheet programs leave out: these people were matched by email"
    nobodys = (
        "in rows that match nobody: fill in the emails, or read that column as text; did a spreadsheet program leave the zeros "
        "out?"
    )
    lines = []
    for sids, then in ((matched, by_email), (apart, nobodys)):
        if sids:
            many = f"{len(sids)} SIDs differ" if len(sids) > 1 else "1 SID differs"
            like = " and ".join(clean(sid, 40) for sid in sids[0])
            lines.append(f"{many} between {gradebook_name} and {manual_name} in leading zeros only ({like}), {then}")
    return lines


def by_key(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """Rows by (column, value) of e-mail address and student number."""
    index: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for column in ("email", "sid"):
            if row.who[column]:
                rows_of_key = index.setdefault((column, row.who[column].casefold()), [])
                rows_of_key.append(row)
                if len(rows_of_key) > MAX_REPEATED:
                    raise GraderError(f"{row.source}: the {column} {clean(row.who[column])} is in over {MAX_REPEATED} rows")
    return index


def rows_of(row: Row, index: Mapping[tuple[str, str], list[Row]]) -> list[Row]:
    """All rows of the same person in an index from ``by_key``."""
    keys = [(column, row.who[column].casefold()) for column in ("email", "sid")]
    return list({other.source: other for key in keys for other in index.get(key, ())}.values())
