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

from .headings import Place, locate

READER = Path(__file__).with_name("pdf_text.py")
DEADLINE = 30.0
MAX_BYTES, MAX_ANSWER = 100 << 20, 16 << 20
KEPT_ENVIRONMENT = ("PATH", "HOME", "SYSTEMROOT", "APPDATA", "USERPROFILE", "LANG", "PYTHONPATH", "VIRTUAL_ENV")
FAR_TOO_LONG = 60
CAPTION = re.compile(r"\b(?:fig(?:ure|\.)|tab(?:le|\.))\s*\d", re.IGNORECASE)
STATEMENT = re.compile(
    r"\bcollaborat(?:or|ion|ed)|\backnowledg|\bAI (?:tool|assist)|\bchatgpt\b|\bcopilot\b"
    r"|\b(?:work|did|done|complet|solv|wr[io]t)\w*\b[^.]{0,60}\b(?:alone|independent(?:ly)?|by myself|on my own)\b",
    re.IGNORECASE)
STATEMENT_HEADING = re.compile(r"^\W*collaborat(?:ors?|ions?)(?: statement)?\W*$", re.IGNORECASE | re.MULTILINE)
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
        marked = (("❌", self.missing), ("•", self.notes), ("✅", self.good))
        return [f"{mark} {text}" for mark, texts in marked for text in texts]


def check_pdf(data: bytes, outline: dict, course: str = "", reader: Path | None = None) -> Report:
    """Never raises on any bytes. ``course``: whose extra credit nobody has to hand in ('' for unknown)."""
    found = read_pdf(data, reader)
    if "problem" in found:
        return Report(missing=[PROBLEMS[found["problem"]]])
    return examine(found["pages"], found["text"], found["pictures"], outline, course)


def read_pdf(data: bytes, reader: Path | None = None) -> dict:
    """Pages, text and pictures, every field forced to its type.

    Read by the program ``reader``, without one by :mod:`pdf_text`, in a process of its own.
    """
    if not data.strip():
        return {"problem": "empty"}
    if len(data) > MAX_BYTES:
        return {"problem": "size"}
    environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        process = subprocess.Popen([sys.executable, str(reader or READER)], stdin=file, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, env=environment)
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


@dataclass
class Pages:
    """What was read: ``count`` pages in all, and of the first ones every line with its page's number, and their pictures."""

    count: int
    lines: list[str]
    page: list[int]
    pictures: list[int]


def examine(count: int, text: list[str], pictures: list[int], outline: dict, course: str = "") -> Report:
    """Judge what was read: ``count`` pages, of which ``text`` and ``pictures`` describe the first ones."""
    report = Report()
    letters = sum(c.isalnum() for page in text for c in page)
    if count == 0 or not text:
        report.missing.append("the PDF has no pages: export it again")
        return report
    if letters < 25 * len(text):
        report.missing.append(f"the PDF has {'hardly any' if letters else 'no'} text in it")
        if any(pictures):
            report.missing[-1] += ("; its pages are pictures: scanned or photographed handwriting is not accepted, "
                                   "and typed text should be exported, not printed to pictures")
        return report
    if count > FAR_TOO_LONG:
        suggested = sum(chapter["pages"] for chapter in outline["chapters"])
        report.notes.append(f"the PDF has {count} pages, where {suggested} are suggested: is it the right file? "
                            f"The first {len(text)} were looked at")
    numbered = [(page, line) for page, words in enumerate(text) for line in words.split("\n") if line.strip()]
    pages = Pages(count, [line for _, line in numbered], [page for page, _ in numbered], pictures)
    places = locate(pages.lines, outline)
    judge_answers(pages, places, outline, course, report)
    judge_chapters(pages, places, outline, report)
    judge_statement(pages, places, outline, report)
    return report


def judge_answers(pages: Pages, places: dict[str, Place], outline: dict, course: str, report: Report) -> None:
    """Which questions have no heading, and which a heading but no words of the student's own under it."""
    ends = sorted({place.line for place in places.values()} | {len(pages.lines)})
    unfound, empty, notes = [], [], []
    items = [item for chapter in outline["chapters"] for item in chapter["items"]]
    for item in items:
        name, place = item["heading"] if item["pattern"] else item["heading"].split()[0], places.get(item["heading"])
        if place and answered(pages.lines, place, next(e for e in ends if e > place.line), item, outline):
            continue
        if item["pattern"] or (course in item["extra_credit"] if course else item["extra_credit"]):
            notes.append(name)
        else:
            (empty if place else unfound).append(name)
    if unfound:
        report.missing.append(f"no heading was found for {', '.join(unfound)}: start each answer on a new line with its number")
    if empty:
        report.missing.append(f"no answer was found under {', '.join(empty)}")
    if notes:
        report.notes.append(f"nothing was found for {', '.join(notes)} (headings that help readers, or extra credit)")
    if not unfound + empty + notes:
        report.good.append(f"all {len(items)} headings have an answer")


def answered(lines: list[str], place: Place, end: int, item: dict, outline: dict) -> bool:
    """Whether anything stands under a heading but the question itself, the template's placeholder and page numbers."""
    body = "\n".join([lines[place.line][place.end :], *lines[place.line + 1 : end]])
    own = words_of(without_placeholders(body, outline)) - words_of(f"{item['heading']} {item['asks']}")
    return any(len(word) > 2 for word in own) or sum(own.values()) > 2


def words_of(text: str) -> Counter:
    return Counter(re.findall(r"[^\W_]+(?:\.\d+)?", text.lower()))


def without_placeholders(text: str, outline: dict) -> str:
    return re.sub(rf"\[\s*{outline['placeholder']}[^\]]*\]?", " ", text)


def judge_chapters(pages: Pages, places: dict[str, Place], outline: dict, report: Report) -> None:
    """Pages and figures of each chapter whose beginning was found."""
    headings = [(chapter["title"], *(item["heading"] for item in chapter["items"])) for chapter in outline["chapters"]]
    starts = [min((places[h].line for h in known if h in places), default=-1) for known in headings]
    for number, (chapter, start) in enumerate(zip(outline["chapters"], starts)):
        if start < 0:
            continue
        end = min((s for s in starts[number + 1 :] if s > start), default=len(pages.lines))
        first, last = pages.page[start], pages.page[end - 1]
        if end == len(pages.lines) and pages.count > len(pages.pictures):
            last = pages.count - 1  # it goes on behind what was read
        name, length = chapter["title"].split()[0], last - first + 1
        if length > chapter["pages"]:
            report.notes.append(f"{name} takes {length} pages; {chapter['pages']} are suggested "
                                "(a longer report costs nothing and earns nothing)")
        asked = [item["heading"].split()[0] for item in chapter["items"] if item["figure"]]
        shown = any(pages.pictures[first : last + 1]) or any(CAPTION.search(line) for line in pages.lines[start:end])
        if asked and shown:
            report.good.append(f"{name} has a figure or table")
        elif asked:
            report.missing.append(f"{name}: no figure or table was found; {asked[0]} asks for one")


def judge_statement(pages: Pages, places: dict[str, Place], outline: dict, report: Report) -> None:
    """The statement about collaborators, best at the very beginning."""
    begin = min((place.line for place in places.values()), default=pages.page.count(0))
    before = without_placeholders("\n".join(pages.lines[:begin]), outline)
    heading = STATEMENT_HEADING.search(before)
    rest = before[heading.end() :] if heading else before
    if re.search(r"\w{3,}", rest) if heading else STATEMENT.search(rest):
        report.good.append("a statement about collaborators stands at the beginning")
    elif any(STATEMENT.search(line) for line in pages.lines[begin:]):
        report.notes.append("a word about collaborators was found, but not at the beginning, where readers look for it")
    else:
        report.missing.append("no statement about collaborators was found: say who helped and how (people and AI tools), "
                              "or that you worked alone. "
                              f"Without it {outline['collaborators_percent']:g} % of the score are lost")
