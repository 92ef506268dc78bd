"""Finds the headings of a write-up's questions in the lines of a PDF, in whatever style they are numbered."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

# See ``review`` for the keys of these.
Outline = dict[str, Any]
Chapter = dict[str, Any]
Item = dict[str, Any]
MOST_CANDIDATES, MOST_LINES, MOST_ORDERS = 8, 20_000, 24
WORD = r"(?:question|problem|exercise|task|solution|section|part|answer)(?:\s*to)?"
LABELLED = rf"^[^\w§(]{{0,5}}(?:{WORD}\s*){{0,2}}[§(#]?\s*"
OWN_NUMBER = r"(?:\d+(?:\.\d+){0,3}\.?\s+)?"  # the section number that LaTeX adds by default
LABEL_ENDS = r"\s*[).:\]–—-]?(?:\s|$)"
CONTENTS_LINE = re.compile(r"(?:\. ?){4,}\s*\d+\s*$")
NUMBER_AT_END = re.compile(r"(?:^|\s)\d{1,3}\s*$")
MANY_HEADINGS = 4  # this many in consecutive lines are a table of contents
ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"]


@dataclass
class Place:
    """The position of a heading: the index of its line, and the index of the first character after its label."""

    line: int
    end: int


@dataclass
class Text:
    """The lines of a write-up, the indexes of those in a table of contents, and a cache of the places of each pattern."""

    lines: list[str]
    contents: set[int] = field(default_factory=set)
    cache: dict[str, list[Place]] = field(default_factory=dict)

    def everywhere(self, pattern: str) -> list[Place]:
        """All places of a pattern, in order."""
        if pattern not in self.cache:
            compiled = re.compile(pattern, re.IGNORECASE)
            matches = ((at, compiled.match(line[:300])) for at, line in enumerate(self.lines))
            self.cache[pattern] = [Place(at, match.end()) for at, match in matches if match]
        return self.cache[pattern]

    def matches(self, patterns: list[str], start: int, end: int, taken: set[int]) -> list[Place]:
        """The first few places of the first pattern that matches in these lines, outside the table of contents if possible."""
        for pattern in patterns:
            places = self.everywhere(pattern)
            places = places[bisect_left(places, start, key=lambda p: p.line) : bisect_left(places, end, key=lambda p: p.line)]
            places = [p for p in places if p.line not in taken and not CONTENTS_LINE.search(self.lines[p.line][:300])]
            if places:
                return ([place for place in places if place.line not in self.contents] or places)[:MOST_CANDIDATES]
        return []


def locate(lines: list[str], outline: Outline) -> dict[str, Place]:
    """Heading -> place, for the chapters, parts and items that are found.

    The chapters may be in any order: the one that finds the most headings is used.
    """
    text = Text(lines[:MOST_LINES])
    text.contents = contents_of(text, outline)
    best: dict[str, Place] = {}
    for number, chapters in enumerate(permutations(outline["chapters"])):
        places = in_this_order(text, chapters) if number < MOST_ORDERS else {}
        best = max(best, places, key=len)
    return best


def in_this_order(text: Text, chapters: tuple[Chapter, ...]) -> dict[str, Place]:
    """Locate the chapters in this order, then the items of each chapter between its title and the next one."""
    titles = [chapter["title"] for chapter in chapters]
    places = in_order(text, {title: title_patterns(title) for title in titles}, 0, len(text.lines))
    for number, chapter in enumerate(chapters):
        start = max((places[t].line for t in titles[: number + 1] if t in places), default=0)
        end = min((places[t].line for t in titles[number + 1 :] if t in places), default=len(text.lines))
        wanted = {item["heading"]: sure_patterns(item, chapter["title"]) for item in chapter["items"]}
        places |= in_order(text, wanted, start, end, places)
        fill_gaps(text, chapter, places, start, end)
    return places


def fill_gaps(text: Text, chapter: Chapter, places: dict[str, Place], start: int, end: int) -> None:
    """Add the headings of groups (1.2, Q1) and of items numbered only within them, each between neighbours already found."""
    items = [item["heading"] for item in chapter["items"] if not item["pattern"]]
    groups: dict[str, list[str]] = {}
    for item in items:
        groups.setdefault(group_of(item), []).append(item)
    row = [heading for group, members in groups.items() for heading in (group, *members)]

    def between(heading: str) -> tuple[int, int]:
        at = row.index(heading)
        before = [places[h].line + 1 for h in row[:at] if h in places]
        after = [places[h].line for h in row[at + 1 :] if h in places]
        return max(before, default=start), min(after, default=end)

    for group, members in groups.items():
        if _matters(group, members, places):
            places |= in_order(text, {group: [group_pattern(group)]}, *between(group), places)
    for item in items:
        if item not in places:
            places |= in_order(text, {item: vague_patterns(item, group_of(item) in places)}, *between(item), places)


def _matters(group: str, members: list[str], places: dict[str, Place]) -> bool:
    """A bare number heads a part of the chapter; Q1 matters only if one of Q1.1, Q1.2 … is not found."""
    return group[:1].isdecimal() or (group != "" and any(item not in places for item in members))


def in_order(
    text: Text, wanted: dict[str, list[str]], start: int, end: int, places: dict[str, Place] | None = None
) -> dict[str, Place]:
    """The largest set of headings that can be found in this order, so that a stray match does not displace other headings.

    ``wanted``: heading -> patterns, of which the first that matches is used; ``places``: headings already found, whose lines
    are skipped.
    """
    taken = {place.line for place in (places or {}).values()}
    candidates = [
        (place.line, rank, heading, place)
        for rank, (heading, patterns) in enumerate(wanted.items())
        for place in text.matches(patterns, start, end, taken)
    ]
    best: dict[str, Place] = {}
    chains: list[tuple[int, int, dict[str, Place]]] = []  # (line, rank, longest chain that ends there)
    for line, rank, heading, place in sorted(candidates, key=lambda c: c[:2]):
        before = (chain for at, above, chain in chains if at < line and above < rank)
        longest = max(before, key=len, default={})
        chains.append((line, rank, {**longest, heading: place}))
        best = max(best, chains[-1][2], key=len)
    return best


def contents_of(text: Text, outline: Outline) -> set[int]:
    """Lines of a table of contents.

    These are runs of lines with many headings, with the titles of two chapters, or with two headings that end in page numbers.
    """
    titles = title_lines(text, outline)
    headings = heading_lines(text, outline)
    contents: set[int] = set()
    run: list[int] = []
    for at, line in enumerate([*text.lines, ""]):
        if at in headings or at in titles:
            run.append(at)
        elif not NUMBER_AT_END.fullmatch(line):  # a line with only a page number does not end a run
            numbered = sum(bool(NUMBER_AT_END.search(text.lines[one])) for one in run)
            chapters = {titles[one] for one in run if one in titles}
            if len(run) >= MANY_HEADINGS or numbered >= 2 or len(chapters) >= 2:
                contents.update(run)
            run = []
    return contents


def title_lines(text: Text, outline: Outline) -> dict[int, str]:
    """Line -> title, for all lines that look like the title of a chapter."""
    titles: dict[int, str] = {}
    for title in (chapter["title"] for chapter in outline["chapters"]):
        for pattern in title_patterns(title):
            titles |= {place.line: title for place in text.everywhere(pattern)}
    return titles


def heading_lines(text: Text, outline: Outline) -> set[int]:
    """All lines that look like the heading of an item or of a group."""
    lines: set[int] = set()
    for chapter in outline["chapters"]:
        for item in chapter["items"]:
            groups = [] if item["pattern"] else [group_pattern(group_of(item["heading"]))]
            for pattern in [*sure_patterns(item, chapter["title"]), *groups]:
                lines.update(place.line for place in text.everywhere(pattern))
    return lines


def title_patterns(title: str) -> list[str]:
    """Patterns for a chapter: its number and a word of its title, or the number alone after "Section" or "§"."""
    number, _, words = title.partition(" ")
    number = number.strip("§")
    keywords = "|".join(re.escape(word) for word in re.findall(r"\w{5,}", words))
    patterns = []
    for n in dict.fromkeys([number, number.split(".")[0]]):
        patterns.append(rf"^\W{{0,5}}(?:section|part|chapter)?\s*§?\s*{re.escape(n)}[.:)]?\s.*\b(?:{keywords})")
        patterns.append(rf"^\W{{0,5}}{OWN_NUMBER}(?:(?:section|part|chapter)\s*§?|§)\s*{re.escape(n)}[.:)]?(?:\s|$)")
    return patterns + [LABELLED + re.escape(number) + LABEL_ENDS] * ("." in number)


def sure_patterns(item: Item, title: str) -> list[str]:
    """Patterns for an item's full label: 1.2.3, (1-2-3), Question 1.2(c), Q1.1, Problem 1.1, or 3.1.1 in chapter 3."""
    if item["pattern"]:
        return [rf"^\W{{0,5}}(?:[\d.()a-z]{{1,6}}\s+)?(?:{item['pattern']})\s*(?:[:.–—-]|$)"]
    label = item["heading"].split()[0]
    number = label.lstrip("Qq")
    if number == label:
        return [LABELLED + OWN_NUMBER + "q?" + written(number) + LABEL_ENDS]
    chapter = re.escape(title.split(maxsplit=1)[0].strip("§").split(".")[0])
    return [
        LABELLED + OWN_NUMBER + rf"(?:{chapter}\.)?q(?:uestion)?[.\s]*" + written(number) + LABEL_ENDS,
        LABELLED + rf"{chapter}\s?[.–-]\s?" + written(number) + LABEL_ENDS,
        rf"^[^\w§(]{{0,5}}(?:{WORD}\s*){{1,2}}" + written(number) + LABEL_ENDS,
    ]


def written(number: str) -> str:
    """A pattern for 1.2.3 or 1-2-3, where the last number may be a letter or in parentheses."""
    *above, last = number.split(".")
    digit, letter, _ = ordinals(last)
    return (
        r"\s?[.–-]\s?".join(map(re.escape, above))
        + rf"(?:\s?[.–-]\s?\(?{digit}\)?|\s?\({digit}\)|[.–-]?{letter}\)?|\s?[.–-]?\({letter}\))"
    )


def ordinals(number: str) -> tuple[str, str, str]:
    """A number as digits, a letter and a Roman numeral: 3, c, iii (the digits again if there is no such form)."""
    n = int(number) if number.isdecimal() and 0 < int(number) <= len(ROMAN) else 0
    return re.escape(number), chr(96 + n) if n else re.escape(number), ROMAN[n - 1] if n else re.escape(number)


def group_of(heading: str) -> str:
    """The label without its last number: 1.2 for 1.2.3, Q1 for Q1.1."""
    return heading.split(maxsplit=1)[0].rpartition(".")[0]


def group_pattern(group: str) -> str:
    number = group.lstrip("Qq")
    word = "" if number == group else r"(?:q|question|problem|exercise|task|step)\s*"
    return LABELLED + word + re.escape(number) + LABEL_ENDS


def vague_patterns(heading: str, in_group: bool) -> list[str]:
    """Patterns for an item by the last number of its label, as in a list under its group's heading; also 1.1 for Q1.1."""
    label = heading.split(maxsplit=1)[0]
    number = label.lstrip("Qq")
    alone = [rf"^\W{{0,3}}{re.escape(number)}(?:[).:]|\s|$)"] * (number != label)
    listed = "|".join(ordinals(number.rpartition(".")[2])) if in_group else re.escape(number.rpartition(".")[2])
    spelled = [rf"^[^\w(]{{0,5}}(?:{WORD}\s*)\(?(?:{listed})" + LABEL_ENDS] * in_group
    return alone + [rf"^\W{{0,3}}\(?(?:{listed})[.)](?:\s|$)"] * (in_group or number == label) + spelled
