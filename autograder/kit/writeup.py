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
BEFORE_A_LABEL = r"^[^\w§(]{0,3}(?:(?:question|problem|exercise|section|part|answer(?: to)?)\s*)?[§(]?\s*"
AFTER_A_LABEL = r"\s*[).:]?(?:\s|$)"
CAPTION = re.compile(r"\b(?:fig(?:ure|\.)|tab(?:le|\.))\s*\d", re.IGNORECASE)
CONTENTS_LINE = re.compile(r"(?:\. ?){4,}\s*\d+\s*$")
STATEMENT = re.compile(r"\bcollaborat|\bindependent|\bon my own\b|\b(?:by myself|alone)\b|\backnowledg|\bAI (?:tool|assist)|\bchatgpt\b|\bcopilot\b",
                       re.IGNORECASE)
PROBLEMS = {
    "pypdf": "the PDF was not looked at: pypdf is not installed (pip install pypdf)",
    "encrypted": "the PDF is encrypted, readers could not open it: export it again without a password",
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
        timed_out = not timer.is_alive()
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
        # It said nothing whole: ended by the deadline, the processor's limit or the memory's.
        return {"problem": "time" if timed_out or process.returncode in (-9, -24) else "damaged"}


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

    Each is looked for behind the one before it. Lines of a table of contents do not count.
    """
    places: dict[str, Place] = {}
    last = -1
    for chapter in outline["chapters"]:
        wanted = [(chapter["title"], title_patterns(chapter["title"]))]
        for item in chapter["items"]:
            label = item["heading"].split()[0]
            part = next((p for p in chapter["parts"] if label.startswith(p["id"] + ".")), None)
            if part and part["title"] not in dict(wanted):
                wanted.append((part["title"], [BEFORE_A_LABEL + re.escape(part["id"]) + AFTER_A_LABEL]))
            wanted.append((item["heading"], item_patterns(label, item["pattern"])))
        for heading, patterns in wanted:
            place = first_match(lines, patterns, last + 1)
            if place:
                places[heading], last = place, place.line - (heading == chapter["title"])
    return places


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


def item_patterns(label: str, pattern: str) -> list[str]:
    """An item, by its label as it may be written, from the surest to the vaguest."""
    if pattern:
        return [rf"^\W{{0,3}}(?:[\d.()a-z]{{1,6}}\s+)?(?:{pattern})\s*(?:[:.–—-]|$)"]
    number = label.lstrip("Qq")
    sure = BEFORE_A_LABEL + (r"q(?:uestion)?[.\s]*" if number != label else r"q?") + re.escape(number) + AFTER_A_LABEL
    vague = re.escape(number) if number != label else rf"\(?{re.escape(number.rsplit('.', 1)[-1])}[.)]"
    return [sure, rf"^\W{{0,3}}{vague}(?:\s|$)"]


def first_match(lines: list[tuple[int, str]], patterns: list[str], start: int) -> Place | None:
    for pattern in patterns:
        compiled = re.compile(pattern, re.IGNORECASE)
        for index in range(start, len(lines)):
            line = lines[index][1][:300]
            match = compiled.match(line)
            if match and not CONTENTS_LINE.search(line):
                return Place(index, match.end())
    return None


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
