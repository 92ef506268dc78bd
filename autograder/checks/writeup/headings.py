"""Where the questions of a write-up are answered: headings found in the lines of a PDF, however their numbers are written."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import permutations

MOST_CANDIDATES, MOST_LINES, MOST_ORDERS = 8, 20_000, 24
WORD = r"(?:question|problem|exercise|task|solution|section|part|answer)(?:\s*to)?"
LABELLED = rf"^[^\w§(]{{0,5}}(?:{WORD}\s*){{0,2}}[§(#]?\s*"
OWN_NUMBER = r"(?:\d+(?:\.\d+){0,3}\.?\s+)?"  # which LaTeX puts before headings unless it is told not to
LABEL_ENDS = r"\s*[).:\]–—-]?(?:\s|$)"
CONTENTS_LINE = re.compile(r"(?:\. ?){4,}\s*\d+\s*$")
NUMBER_AT_END = re.compile(r"(?:^|\s)\d{1,3}\s*$")
MANY_HEADINGS = 4  # one right after the other are a table of contents
ROMAN = ["i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x"]


@dataclass
class Place:
    """Where a heading stands: its line's index, and the character after its label."""

    line: int
    end: int


@dataclass
class Text:
    """Lines, those of them that are a table of contents, and all places of each pattern that was asked for."""

    lines: list[str]
    contents: set[int] = field(default_factory=set)
    known: dict[str, list[Place]] = field(default_factory=dict)

    def everywhere(self, pattern: str) -> list[Place]:
        if pattern not in self.known:
            compiled = re.compile(pattern, re.IGNORECASE)
            found = ((at, compiled.match(line[:300])) for at, line in enumerate(self.lines))
            self.known[pattern] = [Place(at, match.end()) for at, match in found if match]
        return self.known[pattern]

    def matches(self, patterns: list[str], start: int, end: int, taken: set[int]) -> list[Place]:
        """The first few places of the first pattern that has any here; a table of contents counts where nothing else does."""
        for pattern in patterns:
            found = self.everywhere(pattern)
            found = found[bisect_left(found, start, key=lambda p: p.line) : bisect_left(found, end, key=lambda p: p.line)]
            found = [p for p in found if p.line not in taken and not CONTENTS_LINE.search(self.lines[p.line][:300])]
            if found:
                return ([place for place in found if place.line not in self.contents] or found)[:MOST_CANDIDATES]
        return []


def locate(lines: list[str], outline: dict) -> dict[str, Place]:
    """Heading -> place, for chapters, parts and items; what is not found is left out.

    The chapters may stand in any order: that in which most headings are found is taken for theirs.
    """
    text = Text(lines[:MOST_LINES])
    text.contents = contents_of(text, outline)
    best: dict[str, Place] = {}
    for number, chapters in enumerate(permutations(outline["chapters"])):
        found = in_this_order(text, chapters) if number < MOST_ORDERS else {}
        best = max(best, found, key=len)
    return best


def in_this_order(text: Text, chapters: tuple[dict, ...]) -> dict[str, Place]:
    """Chapters first, then each chapter's items between it and the next one."""
    titles = [chapter["title"] for chapter in chapters]
    places = in_order(text, {title: title_patterns(title) for title in titles}, 0, len(text.lines))
    for number, chapter in enumerate(chapters):
        start = max((places[t].line for t in titles[: number + 1] if t in places), default=0)
        end = min((places[t].line for t in titles[number + 1 :] if t in places), default=len(text.lines))
        wanted = {item["heading"]: sure_patterns(item, chapter["title"]) for item in chapter["items"]}
        places |= in_order(text, wanted, start, end, places)
        fill_gaps(text, chapter, places, start, end)
    return places


def fill_gaps(text: Text, chapter: dict, places: dict[str, Place], start: int, end: int) -> None:
    """Add the headings of groups (1.2, Q1), then items numbered within theirs only, each between neighbours that were found."""
    items = [item["heading"] for item in chapter["items"] if not item["pattern"]]
    groups = list(dict.fromkeys(map(group_of, items)))
    row = [heading for group in groups for heading in (group, *(item for item in items if group_of(item) == group))]

    def between(heading: str) -> tuple[int, int]:
        at = row.index(heading)
        before = [places[h].line + 1 for h in row[:at] if h in places]
        after = [places[h].line for h in row[at + 1 :] if h in places]
        return max(before, default=start), min(after, default=end)

    for group in groups:
        whole = all(item in places for item in items if group_of(item) == group)
        if group[0].isdecimal() or not whole:  # a number alone heads a part of the chapter; Q1 matters where Q1.1 is not found
            places |= in_order(text, {group: [group_pattern(group)]}, *between(group), places)
    for item in items:
        if item not in places:
            places |= in_order(text, {item: vague_patterns(item, group_of(item) in places)}, *between(item), places)


def in_order(text: Text, wanted: dict[str, list[str]], start: int, end: int, places: dict | None = None) -> dict[str, Place]:
    """The most headings that can be found one after the other, each by the first of its patterns that matches anywhere.

    A line among ``places`` is another heading's already.

    So a stray line that looks like a heading costs no other heading its place.
    """
    taken = {place.line for place in (places or {}).values()}
    candidates = [
        (place.line, rank, heading, place)
        for rank, (heading, patterns) in enumerate(wanted.items())
        for place in text.matches(patterns, start, end, taken)
    ]
    best: dict[str, Place] = {}
    chains: list[tuple[int, int, dict[str, Place]]] = []  # (line, rank, the longest chain that ends there)
    for line, rank, heading, place in sorted(candidates, key=lambda c: c[:2]):
        before = (chain for at, above, chain in chains if at < line and above < rank)
        longest = max(before, key=len, default={})
        chains.append((line, rank, {**longest, heading: place}))
        best = max(best, chains[-1][2], key=len)
    return best


def contents_of(text: Text, outline: dict) -> set[int]:
    """Lines of a table of contents: many headings, or titles of two chapters, or two headings and page numbers, in a row."""
    titles: dict[int, str] = {}
    heads: set[int] = set()
    for chapter in outline["chapters"]:
        for pattern in title_patterns(chapter["title"]):
            titles |= {place.line: chapter["title"] for place in text.everywhere(pattern)}
        for item in chapter["items"]:
            groups = [] if item["pattern"] else [group_pattern(group_of(item["heading"]))]
            for pattern in [*sure_patterns(item, chapter["title"]), *groups]:
                heads.update(place.line for place in text.everywhere(pattern))
    found: set[int] = set()
    run: list[int] = []
    for at, line in enumerate([*text.lines, ""]):
        if at in heads or at in titles:
            run.append(at)
        elif not NUMBER_AT_END.fullmatch(line):  # a page number on a line of its own breaks nothing off
            numbered = sum(bool(NUMBER_AT_END.search(text.lines[one])) for one in run)
            if len(run) >= MANY_HEADINGS or numbered >= 2 or len({titles[one] for one in run if one in titles}) >= 2:
                found.update(run)
            run = []
    return found


def title_patterns(title: str) -> list[str]:
    """A chapter, by number and a word of its title, or by the number alone behind "Section" or "§"."""
    number, _, words = title.partition(" ")
    number = number.strip("§")
    keywords = "|".join(re.escape(word) for word in re.findall(r"\w{5,}", words))
    patterns = []
    for n in dict.fromkeys([number, number.split(".")[0]]):
        patterns.append(rf"^\W{{0,5}}(?:section|part|chapter)?\s*§?\s*{re.escape(n)}[.:)]?\s.*\b(?:{keywords})")
        patterns.append(rf"^\W{{0,5}}{OWN_NUMBER}(?:(?:section|part|chapter)\s*§?|§)\s*{re.escape(n)}[.:)]?(?:\s|$)")
    return patterns + [LABELLED + re.escape(number) + LABEL_ENDS] * ("." in number)


def sure_patterns(item: dict, title: str) -> list[str]:
    """An item by its whole label, however written: 1.2.3, (1-2-3), Question 1.2(c), Q1.1, Problem 1.1, 3.1.1 in chapter 3."""
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
    """1.2.3 and 1-2-3; the last number may be a letter, or stand in brackets."""
    *above, last = number.split(".")
    digit, letter, _ = ordinals(last)
    return (
        r"\s?[.–-]\s?".join(map(re.escape, above))
        + rf"(?:\s?[.–-]\s?\(?{digit}\)?|\s?\({digit}\)|[.–-]?{letter}\)?|\s?[.–-]?\({letter}\))"
    )


def ordinals(number: str) -> tuple[str, str, str]:
    """3 as a digit, a letter and a Roman number: 3, c, iii (itself again where it has no such form)."""
    n = int(number) if number.isdecimal() and 0 < int(number) <= len(ROMAN) else 0
    return re.escape(number), chr(96 + n) if n else re.escape(number), ROMAN[n - 1] if n else re.escape(number)


def group_of(heading: str) -> str:
    """The label without its last number: 1.2 of 1.2.3, Q1 of Q1.1."""
    return heading.split(maxsplit=1)[0].rpartition(".")[0]


def group_pattern(group: str) -> str:
    number = group.lstrip("Qq")
    word = "" if number == group else r"(?:q|question|problem|exercise|task|step)\s*"
    return LABELLED + word + re.escape(number) + LABEL_ENDS


def vague_patterns(heading: str, in_group: bool) -> list[str]:
    """An item by the end of its label, as a list under its group's heading numbers it; Q1.1 as 1.1."""
    label = heading.split(maxsplit=1)[0]
    number = label.lstrip("Qq")
    alone = [rf"^\W{{0,3}}{re.escape(number)}(?:[).:]|\s|$)"] * (number != label)
    listed = "|".join(ordinals(number.rpartition(".")[2])) if in_group else re.escape(number.rpartition(".")[2])
    spelled = [rf"^[^\w(]{{0,5}}(?:{WORD}\s*)\(?(?:{listed})" + LABEL_ENDS] * in_group
    return alone + [rf"^\W{{0,3}}\(?(?:{listed})[.)](?:\s|$)"] * (in_group or number == label) + spelled
