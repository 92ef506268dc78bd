"""Looks a write-up over before a person reads it: does it open, can it be read, is every question answered?

Nothing here costs or earns points. ``check_pdf`` takes a PDF's bytes and the outline that the rubric was made into:
``{"collaborators_percent", "placeholder", "chapters": [{"title", "pages", "parts", "items": [{"heading", "asks",
"pattern", "figure", "extra_credit"}]}]}``. Every byte of the PDF is untrusted.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

READER = Path(__file__).with_name("pdf_text.py")
DEADLINE = 30.0
MAX_BYTES, MAX_ANSWER = 100 << 20, 16 << 20
KEPT_ENVIRONMENT = ("PATH", "HOME", "SYSTEMROOT", "APPDATA", "USERPROFILE", "LANG", "PYTHONPATH", "VIRTUAL_ENV")
FAR_TOO_LONG = 60
MOST_CANDIDATES = 8
BEFORE_A_LABEL = r"^[^\w§(]{0,3}(?:(?:question|problem|exercise|section|part|answer(?: to)?)\s*)?[§(]?\s*"
AFTER_A_LABEL = r"\s*[).:]?(?:\s|$)"
CAPTION = re.compile(r"\b(?:fig(?:ure|\.)|tab(?:le|\.))\s*\d", re.IGNORECASE)
CONTENTS_LINE = re.compile(r"(?:\. ?){4,}\s*\d+\s*$")
STATEMENT = re.compile(r"\bcollaborat(?:or|ion|ed)|\backnowledg|\bAI (?:tool|assist)|\bchatgpt\b|\bcopilot\b"
                       r"|\b(?:work|did|done|complet|solv|wr[io]t)\w*\b[^.]{0,60}\b(?:alone|independent(?:ly)?|by myself|on my own)\b", re.IGNORECASE)
PROBLEMS = {
    "pypdf": "the PDF was not looked at: pypdf is not installed (pip install pypdf)",
    "encrypted": "the PDF is encrypted: export it again without a password or protection",
    "damaged": "the PDF does not open: it is damaged or not a PDF; export it again and open it yourself before you submit",
    "memory": "the PDF needs more memory than a reader's computer would give it: export it again, with smaller pictures",
    "time": "the PDF takes too long to open: export it again, with simpler pictures",
    "empty": "the file is empty: export it again",
    "size": f"the file is over {MAX_BYTES >> 20} MB: export it again, with smaller pictures",
}


@dataclass
class Report:
    """What was found. ``missing`` is worth mending before the deadline; ``notes`` cost nothing."""

    good: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [f"{mark} {text}" for mark, texts in (("❌", self.missing), ("•", self.notes), ("✅", self.good)) for text in texts]


@dataclass
class Place:
    """Where a heading stands: its line's index, and the character after its label."""

    line: int
    end: int


def check_pdf(data: bytes, outline: dict, course: str = "") -> Report:
    """Never raises on any bytes. ``course``: whose extra credit nobody has to hand in ('' for unknown)."""
    found = read_pdf(data)
    if "problem" in found:
        return Report(missing=[PROBLEMS[found["problem"]]])
    return examine(found["pages"], found["text"], found["pictures"], outline, course)


def read_pdf(data: bytes) -> dict:
    """Pages, text and pictures by :mod:`pdf_text` in a process of its own, every field forced to its type."""
    if not data.strip():
        return {"problem": "empty"}
    if len(data) > MAX_BYTES:
        return {"problem": "size"}
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        process = subprocess.Popen([sys.executable, str(READER)], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    timer = threading.Timer(DEADLINE, process.kill)
    timer.start()
    try:
        answer = process.stdout.read(MAX_ANSWER + 1)
        flood = len(answer) > MAX_ANSWER
        if flood:
            process.kill()
        slow = process.wait() in (-9, -24) and not flood  # the deadline's or the processor limit's end
    finally:
        timer.cancel()
        process.kill()
        process.stdout.close()
        process.wait()
    try:
        tree = json.loads(answer)
        if "problem" in tree:
            return {"problem": tree["problem"] if tree["problem"] in PROBLEMS else "damaged"}
        text = [visible(str(page)) for page in tree["text"]]
        pictures = [int(count) for count in tree["pictures"]]
        return {"pages": int(tree["pages"]), "text": text, "pictures": [*pictures, *[0] * len(text)][: len(text)]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {"problem": "time" if slow else "damaged"}


def visible(text: str) -> str:
    """Ligatures taken apart, hyphens at line ends closed, control and invisible characters out."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c if c == "\n" or unicodedata.category(c)[0] not in "CZ" else " " for c in text)
    return re.sub(r"(\w)-\n(\w)", r"\1\2", text)


def examine(count: int, text: list[str], pictures: list[int], outline: dict, course: str = "") -> Report:
    """Judge what was read: ``count`` pages, of which ``text`` and ``pictures`` describe the first ones."""
    report = Report()
    suggested = sum(chapter["pages"] for chapter in outline["chapters"])
    letters = sum(c.isalnum() for page in text for c in page)
    if count == 0 or not text:
        report.missing.append("the PDF has no pages: export it again")
        return report
    if letters < 25 * len(text):
        scanned = "its pages are pictures: scanned or photographed handwriting is not accepted, and typed text should be exported, not printed to pictures"
        report.missing.append(f"the PDF has {'hardly any' if letters else 'no'} text in it" + (f"; {scanned}" if any(pictures) else ""))
        return report
    if count > FAR_TOO_LONG:
        report.notes.append(f"the PDF has {count} pages, where {suggested} are suggested: is it the right file? The first {len(text)} were looked at")
    lines = [(page, line) for page, words in enumerate(text) for line in words.split("\n") if line.strip()]
    places = locate(lines, outline)
    answers(lines, places, outline, course, report)
    chapters(lines, places, pictures, count, outline, report)
    collaborators(lines, places, outline, report)
    return report


def locate(lines: list[tuple[int, str]], outline: dict) -> dict[str, Place]:
    """Heading -> place, for chapters, parts and items; what is not found is left out.

    Chapters first, then each chapter's items between it and the next one.
    """
    titles = [chapter["title"] for chapter in outline["chapters"]]
    places = in_order(lines, {title: title_patterns(title) for title in titles}, 0, len(lines))
    for number, chapter in enumerate(outline["chapters"]):
        start = max((places[t].line for t in titles[: number + 1] if t in places), default=0)
        end = min((places[t].line for t in titles[number + 1 :] if t in places), default=len(lines))
        items = chapter["items"]
        places |= in_order(lines, {item["heading"]: [sure_pattern(item)] for item in items}, start, end)
        for position, item in enumerate(items):
            before = max((places[i["heading"]].line + 1 for i in items[:position] if i["heading"] in places), default=start)
            after = min((places[i["heading"]].line for i in items[position + 1 :] if i["heading"] in places), default=end)
            part = next((p for p in chapter["parts"] if item["heading"].startswith(p["id"] + ".")), None)
            if part and part["title"] not in places:
                places |= in_order(lines, {part["title"]: [BEFORE_A_LABEL + re.escape(part["id"]) + AFTER_A_LABEL]}, before, after)
            if item["heading"] not in places and not item["pattern"]:
                places |= in_order(lines, {item["heading"]: [vague_pattern(item)]}, max(before, places[part["title"]].line + 1 if part and part["title"] in places else 0), after)
    return places


def in_order(lines: list[tuple[int, str]], wanted: dict[str, list[str]], start: int, end: int) -> dict[str, Place]:
    """The most headings that can be found one after the other, each by the first of its patterns that matches anywhere.

    So a stray line that looks like a heading costs no other heading its place. Lines of a table of contents do not count.
    """
    chains: list[tuple[int, dict[str, Place]]] = []  # for each candidate line: the order of its heading, the best chain that ends in it
    order = list(wanted)
    candidates = sorted(((place.line, rank, place) for rank, patterns in enumerate(wanted.values()) for place in matches(lines, patterns, start, end)),
                        key=lambda c: c[:2])
    best: dict[str, Place] = {}
    for _, rank, place in candidates:
        chain = max((c for r, c in chains if r < rank and all(p.line < place.line for p in c.values())), key=len, default={})
        chains.append((rank, {**chain, order[rank]: place}))
        best = max(best, chains[-1][1], key=len)
    return best


def matches(lines: list[tuple[int, str]], patterns: list[str], start: int, end: int) -> list[Place]:
    """The first few lines that match the first pattern that any line matches."""
    for pattern in patterns:
        compiled = re.compile(pattern, re.IGNORECASE)
        found = []
        for index in range(start, end):
            line = lines[index][1][:300]
            match = compiled.match(line)
            if match and not CONTENTS_LINE.search(line) and len(found) < MOST_CANDIDATES:
                found.append(Place(index, match.end()))
        if found:
            return found
    return []


def title_patterns(title: str) -> list[str]:
    """A chapter, by number and a word of its title, or by the number alone behind "Section" or "§"."""
    number, _, words = title.partition(" ")
    number = number.strip("§")
    telling = "|".join(re.escape(w) for w in re.findall(r"\w{5,}", words))
    tops = dict.fromkeys([number, number.split(".")[0]])
    return [pattern for n in tops for pattern in (
        rf"^\W{{0,3}}(?:section|part|chapter)?\s*§?\s*{re.escape(n)}[.:)]?\s.*\b(?:{telling})",
        rf"^\W{{0,3}}(?:(?:section|part|chapter)\s*§?|§)\s*{re.escape(n)}[.:)]?(?:\s|$)",
    )] + [BEFORE_A_LABEL + re.escape(number) + AFTER_A_LABEL] * ("." in number)


def sure_pattern(item: dict) -> str:
    """An item by its whole label, as it may be written: 1.2.3, (1.2.3), Question 1.2.3, Q1.1, Question 1.1."""
    if item["pattern"]:
        return rf"^\W{{0,3}}(?:[\d.()a-z]{{1,6}}\s+)?(?:{item['pattern']})\s*(?:[:.–—-]|$)"
    label = item["heading"].split()[0]
    number = label.lstrip("Qq")
    return BEFORE_A_LABEL + (r"q(?:uestion)?[.\s]*" if number != label else "q?") + re.escape(number) + AFTER_A_LABEL


def vague_pattern(item: dict) -> str:
    """An item by the end of its label, as a list under its part's heading numbers it; Q1.1 as 1.1."""
    label = item["heading"].split()[0]
    number = label.lstrip("Qq")
    return r"^\W{0,3}" + (re.escape(number) if number != label else rf"\(?{re.escape(number.rsplit('.', 1)[-1])}[.)]") + r"(?:\s|$)"


def words_of(text: str) -> Counter:
    return Counter(re.findall(r"[^\W_]+(?:\.\d+)?", text.lower()))


def answers(lines: list, places: dict[str, Place], outline: dict, course: str, report: Report) -> None:
    """Which questions have no heading, and which a heading but no words of the student's own under it."""
    ends = sorted({place.line for place in places.values()} | {len(lines)})
    lost: dict[str, list[str]] = {"no heading": [], "no answer": []}
    optional: dict[str, list[str]] = {"no heading": [], "no answer": []}
    total = 0
    for item in (item for chapter in outline["chapters"] for item in chapter["items"]):
        total += 1
        name, place = item["heading"] if item["pattern"] else item["heading"].split()[0], places.get(item["heading"])
        if place:
            body = "\n".join([lines[place.line][1][place.end :], *(line for _, line in lines[place.line + 1 : next(e for e in ends if e > place.line)])])
            own = words_of(re.sub(rf"\[\s*{outline['placeholder']}[^\]]*\]?", " ", body)) - words_of(f"{item['heading']} {item['asks']}")
            if any(len(word) > 2 for word in own) or place.line + 1 not in ends and sum(own.values()) > 2:
                continue
        soft = item["pattern"] or course in item["extra_credit"] or not course and item["extra_credit"]
        (optional if soft else lost)["no answer" if place else "no heading"].append(name)
    if lost["no heading"]:
        report.missing.append(f"no heading was found for {', '.join(lost['no heading'])}: start each answer on a new line with its number")
    if lost["no answer"]:
        report.missing.append(f"no answer was found under {', '.join(lost['no answer'])}")
    for kind, names in optional.items():
        if names:
            report.notes.append(f"{kind} was found for {', '.join(names)} (headings that help readers, or extra credit)")
    if not any([*lost.values(), *optional.values()]):
        report.good.append(f"all {total} headings have an answer")


def chapters(lines: list, places: dict[str, Place], pictures: list[int], count: int, outline: dict, report: Report) -> None:
    """Pages and figures of each chapter whose beginning was found."""
    starts = []
    for chapter in outline["chapters"]:
        known = [places[h].line for h in (chapter["title"], *(i["heading"] for i in chapter["items"])) if h in places]
        starts.append(min(known) if known else None)
    for number, (chapter, start) in enumerate(zip(outline["chapters"], starts)):
        if start is None:
            continue
        end = next((s for s in starts[number + 1 :] if s is not None and s > start), len(lines))
        first, last = lines[start][0], lines[end - 1][0]
        if end == len(lines) and count > len(pictures):
            last = count - 1
        pages, name = last - first + 1, chapter["title"].split()[0]
        if pages > chapter["pages"]:
            report.notes.append(f"{name} takes {pages} pages; {chapter['pages']} are suggested (a longer report costs nothing and earns nothing)")
        asked = [item["heading"] for item in chapter["items"] if item["figure"]]
        if asked and not any(pictures[first : last + 1]) and not any(CAPTION.search(line) for _, line in lines[start:end]):
            report.missing.append(f"{name}: no figure or table was found; {asked[0].split()[0]} asks for one")
        elif asked:
            report.good.append(f"{name} has a figure or table")


def collaborators(lines: list, places: dict[str, Place], outline: dict, report: Report) -> None:
    """The statement about collaborators, best at the very beginning."""
    percent = f"{outline['collaborators_percent']:g}"
    begin = min((place.line for place in places.values()), default=len(lines))
    begin = max(begin, sum(page == 0 for page, _ in lines) if not places else begin)

    def says(part: list) -> bool:
        body = "\n".join(line for _, line in part)
        body = re.sub(rf"\[\s*{outline['placeholder']}[^\]]*\]?", " ", body)
        rest = re.sub(r"(?im)^\W*collaborat(?:ors?|ions?)(?: statement)?\W*$", lambda m: "\0", body)
        behind = rest.partition("\0")[2]
        return bool(STATEMENT.search(rest)) or bool(re.search(r"\w{3,}", behind))

    if says(lines[:begin]):
        report.good.append("a statement about collaborators stands at the beginning")
    elif any(STATEMENT.search(line) for _, line in lines[begin:]):
        report.notes.append("a word about collaborators was found, but not at the beginning, where readers look for it")
    else:
        report.missing.append(f"no statement about collaborators was found: say who helped and how (people and AI tools), or that you worked alone. Without it {percent} % of the score are lost")
