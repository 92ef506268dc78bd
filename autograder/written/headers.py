"""What the titles of a file's columns mean: whose points they are, and which titles are mistaken for nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from autograder.core.errors import GraderError
from autograder.core.strict import nearest
from autograder.core.tables import Table, squeezed, usual
from autograder.core.text import clean, some_of
from autograder.core.written import Written
from autograder.written.cells import is_score

BY_HAND = " by hand"  # behind an autograded item's id: a column of the sheet whose points count in place of the gradebook's
WORTH = re.compile(r"\s*\(([\d.]+) (?:pts?|points?)\)\s*$")  # behind a title of Gradescope's: the question's points
NEAR = 0.75  # "hand", "by han" and "by hnad" are so much like "by hand"


def item_columns(table: Table, ids: list[str], labels: dict[str, str], other: Sequence[str], is_sheet: bool) -> list[str]:
    """Each column's item or ''. ``other``: the other half's items; ``is_sheet``: whether it is the graders' sheet.

    Raises GraderError if there is no item, or one twice, or a column of points by hand that counts for nothing.
    """
    if is_sheet:
        labels = labels | {squeezed(id + BY_HAND): id + BY_HAND for id in other}
    items = [item_of(header, ids, labels) for header in table.header]
    automatic = other if is_sheet else ids
    _refuse_nothing_by_hand(table, items, automatic, is_sheet)
    _refuse_repeated(table, items, automatic, is_sheet)
    if ids and not set(ids) & set(items):
        raise GraderError(f"{table.name}: no column is an item that is expected here, such as {ids[0]}")
    return items


def _refuse_repeated(table: Table, items: list[str], automatic: Sequence[str], is_sheet: bool) -> None:
    """Raise GraderError for two columns of one item: `1.2.1` in the sheet, too, is a rationale."""
    repeated = next((item for item in items if item and items.count(item) > 1), "")
    if not repeated:
        return
    titles = [title for title, item in zip(table.header, items) if item == repeated]
    ids = [id_in(title, automatic) for title in titles if title != repeated]
    where = f"a column '{max(ids, default='')}{BY_HAND}'" + ("" if is_sheet else " of the graders' sheet")
    hint = f"; autograded points by hand belong in {where}" if any(ids) else ""
    raise GraderError(f"{table.name}: two columns for {repeated}: {' and '.join(repr(clean(t, 60)) for t in titles)}{hint}")


def _refuse_nothing_by_hand(table: Table, items: list[str], automatic: Sequence[str], is_sheet: bool) -> None:
    """Raise GraderError for a column of points by hand that counts for no autograded item: its points would be lost."""
    for title, item in zip(table.header, items):
        if item.endswith(BY_HAND) or not _nearly_by_hand(title, automatic):
            continue
        if not is_sheet:
            column = repr(clean(title, 60))
            raise GraderError(f"{table.name}: points by hand belong in the graders' sheet: move the column {column} there")
        id = id_in(title, automatic)
        hint = f"; did you mean {id + BY_HAND!r}?" if id else nearest(title, [id + BY_HAND for id in automatic])
        raise GraderError(f"{table.name}: no autograded item for the column {clean(title, 60)!r}{hint}")


def _nearly_by_hand(title: str, automatic: Sequence[str]) -> bool:
    """Whether a title is an item's id, or something else with a digit, and words that are much like "by hand"."""
    if title.casefold().endswith(BY_HAND):
        return True
    id = id_in(title, automatic) or (title.split(maxsplit=1)[0] if re.search(r"\d", title) else "")
    words = squeezed(title.casefold().replace(id.casefold(), " ", 1)).strip(".") if id else ""
    return difflib.SequenceMatcher(None, words, squeezed(BY_HAND)).ratio() >= NEAR


def id_in(title: str, ids: Sequence[str]) -> str:
    """The longest id that a title has in it, not as a part of another number; '' for none."""
    for id in sorted(ids, key=len, reverse=True):
        if re.search(rf"(?<![\w.]){re.escape(id)}(?!\d|\.\d)", title, re.IGNORECASE):
            return id
    return ""


def not_by_hand(table: Table, items: list[str], automatic: Sequence[str]) -> Iterator[str]:
    """A line about columns of the sheet with autograded points, which would be taken for points by hand, and are not."""
    if columns := [title for title, item in zip(table.header, items) if title in automatic and not item]:
        few = clean(some_of(columns, 5), 160)
        yield (
            f"{table.name}: not read: {few}: autograded points come from the gradebook; points by hand belong in a column such "
            f"as '{columns[0]}{BY_HAND}'"
        )


def unread_points(
    table: Table, items: list[str], who: set[int], halves: tuple[Sequence[str], Sequence[str]], is_sheet: bool
) -> Iterator[str]:
    """A question about each column of which nothing is read, and that has an item's id in its title and points below it.

    ``items``: each column's item or ''; ``who``: the columns about the person; ``halves``: the autograded and the written ids.
    """
    rows = list(table.people(()))
    for at, title in enumerate(table.header):
        if items[at] or at in who or usual(title) or title in (*halves[0], *halves[1]):
            continue
        id = id_in(title, [*halves[0], *halves[1]])
        row, cell = next(((number, cells[at]) for number, _, cells in rows if is_score(cells[at])), (0, "")) if id else (0, "")
        if row:
            column = f"a column {id + BY_HAND!r}" if id in halves[0] else f"the column of {id}"
            there = column if is_sheet else f"{column} of the graders' sheet"
            yield (
                f"{table.name}: nothing reads the column {clean(title, 60)!r}, which has points in it (row {row}: "
                f"{clean(cell, 20)}): do they count? If so, they belong in {there}"
            )


def missing_columns(table: Table, ids: list[str], items: list[str], who: set[int], missed: list[str]) -> list[str]:
    """A note if items have no column, or ``missed`` kinds, with the headers that may be theirs: those that nothing reads.

    ``items``: each column's item or ''; ``who``: the columns about the person. Raises GraderError for a misspelt header.
    """
    missing = [id for id in ids if id not in items]
    others = [header for n, header in enumerate(table.header) if header and not items[n] and n not in who]
    refuse_misspelt(table.name, others, missing)
    if not missing and not missed:
        return []
    unread = ", ".join(header for header in others if not usual(header))
    unknown = f"; nothing reads {clean(unread, 160)}" if unread else ""
    return [f"{table.name} has no column for {', '.join([*missing, *missed])}{unknown}"]


def refuse_misspelt(name: str, headers: list[str], missing: list[str]) -> None:
    """Raise GraderError for a header that is almost the id of an item without a column: its points would be lost."""
    for header in headers:
        close = difflib.get_close_matches(header.casefold(), [id.casefold() for id in missing], 1, 0.8)
        if close and re.search(r"\d", header):
            meant = next(id for id in missing if id.casefold() == close[0])
            raise GraderError(f"{name}: no item {clean(header)!r}; did you mean {meant!r}?")


def item_of(header: str, ids: list[str], labels: dict[str, str]) -> str:
    """The id of the item that a header names, also as in Gradescope's ``3: 1.2.3 (2.0 pts)``; '' for none.

    ``labels``: other names of items, see ``labels_of``.
    """
    plain = re.sub(r"^\d+(?:\.\d+)*:\s*", "", WORTH.sub("", header.strip()))
    number = squeezed(plain.split(" ")[0])
    known = {squeezed(id): id for id in ids} | labels
    return known.get(squeezed(plain)) or (known.get(number, "") if re.search(r"\d", number) else "")


def worth_of(header: str) -> Fraction | None:
    """The points that a title of Gradescope's gives its question, None if it gives none."""
    given = WORTH.search(header)
    return Fraction(given[1]) if given and re.fullmatch(r"\d+(\.\d+)?", given[1]) else None


def labels_of(written: Written) -> dict[str, str]:
    """Item ids by the names people use: the heading or its number, such as "Setup" and "2.2 Setup"."""
    labels: dict[str, str] = {}
    for item in written.items:
        if item.heading:
            part = written.part_of(item.id)
            names = [item.heading, f"{part.id} {item.heading}" if part else "", "" if item.pattern else item.heading.split()[0]]
            labels |= {squeezed(name): item.id for name in names if name}
    return labels
