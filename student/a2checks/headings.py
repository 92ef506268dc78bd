"""Where the questions of a write-up are answered: headings found in the lines of a PDF, however their numbers are written."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CANDIDATES = 8
LABELLED = r"^[^\w§(]{0,3}(?:(?:question|problem|exercise|section|part|answer(?: to)?)\s*)?[§(]?\s*"
LABEL_ENDS = r"\s*[).:]?(?:\s|$)"
CONTENTS_LINE = re.compile(r"(?:\. ?){4,}\s*\d+\s*$")


@dataclass
class Place:
    """Where a heading stands: its line's index, and the character after its label."""

    line: int
    end: int


def locate(lines: list[str], outline: dict) -> dict[str, Place]:
    """Heading -> place, for chapters, parts and items; what is not found is left out.

    Chapters first, then each chapter's items between it and the next one.
    """
    titles = [chapter["title"] for chapter in outline["chapters"]]
    places = in_order(lines, {title: title_patterns(title) for title in titles}, 0, len(lines))
    for number, chapter in enumerate(outline["chapters"]):
        start = max((places[t].line for t in titles[: number + 1] if t in places), default=0)
        end = min((places[t].line for t in titles[number + 1 :] if t in places), default=len(lines))
        places |= in_order(lines, {item["heading"]: [sure_pattern(item)] for item in chapter["items"]}, start, end)
        fill_gaps(lines, chapter, places, start, end)
    return places


def fill_gaps(lines: list[str], chapter: dict, places: dict[str, Place], start: int, end: int) -> None:
    """Add the parts' headings, and items numbered within their part only, each between the neighbours that were found."""
    items = [item["heading"] for item in chapter["items"]]
    for position, item in enumerate(chapter["items"]):
        heading = item["heading"]
        before = max((places[h].line + 1 for h in items[:position] if h in places), default=start)
        after = min((places[h].line for h in items[position + 1 :] if h in places), default=end)
        part = next((p for p in chapter["parts"] if heading.startswith(p["id"] + ".")), None)
        if part and part["title"] not in places:
            places |= in_order(lines, {part["title"]: [LABELLED + re.escape(part["id"]) + LABEL_ENDS]}, before, after)
        if part and part["title"] in places:
            before = max(before, places[part["title"]].line + 1)
        if heading not in places and not item["pattern"]:
            places |= in_order(lines, {heading: [vague_pattern(item)]}, before, after)


def in_order(lines: list[str], wanted: dict[str, list[str]], start: int, end: int) -> dict[str, Place]:
    """The most headings that can be found one after the other, each by the first of its patterns that matches anywhere.

    So a stray line that looks like a heading costs no other heading its place.
    """
    candidates = [(place.line, rank, heading, place) for rank, (heading, patterns) in enumerate(wanted.items())
                  for place in matches(lines, patterns, start, end)]
    best: dict[str, Place] = {}
    chains: list[tuple[int, int, dict[str, Place]]] = []  # (line, rank, the longest chain that ends there)
    for line, rank, heading, place in sorted(candidates, key=lambda c: c[:2]):
        before = (chain for at, above, chain in chains if at < line and above < rank)
        longest = max(before, key=len, default={})
        chains.append((line, rank, {**longest, heading: place}))
        best = max(best, chains[-1][2], key=len)
    return best


def matches(lines: list[str], patterns: list[str], start: int, end: int) -> list[Place]:
    """The first few lines that match the first pattern that any line matches; a table of contents does not count."""
    for pattern in patterns:
        compiled = re.compile(pattern, re.IGNORECASE)
        found = []
        for index in range(start, end):
            line = lines[index][:300]
            match = compiled.match(line)
            if match and not CONTENTS_LINE.search(line):
                found.append(Place(index, match.end()))
        if found:
            return found[:MOST_CANDIDATES]
    return []


def title_patterns(title: str) -> list[str]:
    """A chapter, by number and a word of its title, or by the number alone behind "Section" or "§"."""
    number, _, words = title.partition(" ")
    number = number.strip("§")
    telling = "|".join(re.escape(word) for word in re.findall(r"\w{5,}", words))
    patterns = []
    for n in dict.fromkeys([number, number.split(".")[0]]):
        patterns.append(rf"^\W{{0,3}}(?:section|part|chapter)?\s*§?\s*{re.escape(n)}[.:)]?\s.*\b(?:{telling})")
        patterns.append(rf"^\W{{0,3}}(?:(?:section|part|chapter)\s*§?|§)\s*{re.escape(n)}[.:)]?(?:\s|$)")
    return patterns + [LABELLED + re.escape(number) + LABEL_ENDS] * ("." in number)


def sure_pattern(item: dict) -> str:
    """An item by its whole label, as it may be written: 1.2.3, (1.2.3), Question 1.2.3, Q1.1, Question 1.1."""
    if item["pattern"]:
        return rf"^\W{{0,3}}(?:[\d.()a-z]{{1,6}}\s+)?(?:{item['pattern']})\s*(?:[:.–—-]|$)"
    label = item["heading"].split()[0]
    number = label.lstrip("Qq")
    return LABELLED + ("q?" if number == label else r"q(?:uestion)?[.\s]*") + re.escape(number) + LABEL_ENDS


def vague_pattern(item: dict) -> str:
    """An item by the end of its label, as a list under its part's heading numbers it; Q1.1 as 1.1."""
    label = item["heading"].split()[0]
    number = label.lstrip("Qq")
    listed = rf"\(?{re.escape(number.rsplit('.', 1)[-1])}[.)]" if number == label else re.escape(number)
    return rf"^\W{{0,3}}{listed}(?:\s|$)"
