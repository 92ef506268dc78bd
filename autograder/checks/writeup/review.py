"""Looks a write-up over before a person reads it: does it open, can it be read, is every question answered?

Nothing here costs or earns points. ``check_pdf`` takes a PDF's bytes and the outline that the rubric was made into:
``{"courses", "collaborators_percent", "placeholder", "chapters": [{"title", "pages", "items": [{"heading", "asks",
"pattern", "figure", "extra_credit"}]}]}``. Every byte of the PDF is untrusted. Where it cannot be sure, it says so in a
note: a false alarm costs its author an evening.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from .acknowledgement import judge_text
from .figures import figures_in, judge_figure, may_show
from .headings import Place, locate
from .pdf_text import PICTURE
from .reading import FEW_LETTERS, PROBLEMS, Pages, letters_of, pages_of, read_pdf

FAR_TOO_LONG = 60
SCANS = "scanned or photographed handwriting is not accepted, and typed text should be exported, not printed to pictures"


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
    return examine(found["pages"], found["text"], found["lines"], outline, course)


def examine(count: int, text: list[str], drawn: list[int], outline: dict, course: str = "") -> Report:
    """Judge what was read: ``count`` pages, of which ``text`` and ``drawn`` describe the first ones."""
    report = Report()
    if count == 0 or not text:
        report.missing.append("the PDF has no pages: export it again")
        return report
    letters = [letters_of(page) for page in text]
    if max(letters) < FEW_LETTERS:
        report.missing.append(f"the PDF has {'hardly any' if any(letters) else 'no'} text in it")
        if any(PICTURE in page for page in text):
            report.missing[-1] += f"; its pages are pictures: {SCANS}"
        return report
    if count > FAR_TOO_LONG:
        suggested = sum(chapter["pages"] for chapter in outline["chapters"])
        report.notes.append(
            f"the PDF has {count} pages, where {suggested} are suggested: is it the right file? "
            f"The first {len(text)} were looked at"
        )
    pages = pages_of(count, text, drawn)
    places = locate(pages.lines, outline)
    judge_answers(pages, places, outline, course, report)
    judge_chapters(pages, places, outline, report)
    judge_statement(pages, places, outline, report)
    return report


def judge_answers(pages: Pages, places: dict[str, Place], outline: dict, course: str, report: Report) -> None:
    """Which questions have no heading, and which a heading but nothing of the student's own under it."""
    ends = sorted({place.line for place in places.values()} | {len(pages.lines)})
    items = [item for chapter in outline["chapters"] for item in chapter["items"]]
    names: dict[str, list[str]] = {}
    for item in items:
        place = places.get(item["heading"])
        kind = answer_of(pages, place, next(e for e in ends if e > place.line), item, outline) if place else "unfound"
        if kind in ("unfound", "empty") and (course in item["extra_credit"] if course else item["extra_credit"]):
            kind = "extra"
        elif kind == "unfound" and item["pattern"]:
            kind = "unnamed"
        names.setdefault(kind, []).append(item["heading"] if item["pattern"] else item["heading"].split()[0])
    say_answers(names, items, outline, course, report)
    if not names.keys() & {"unfound", "unnamed", "extra"}:
        pages.scanned = []  # nothing can stand on them: they are figures
    if pages.scanned:
        where = spoken([page + 1 for page in pages.scanned])
        (report.missing if "unfound" in names else report.notes).append(
            f"{where}: pictures without text, which were not looked at; {SCANS}"
        )


def say_answers(names: dict[str, list[str]], items: list[dict], outline: dict, course: str, report: Report) -> None:
    """One line for each kind of answer that is not there, or not as it should be."""
    said = {kind: ", ".join(those) for kind, those in names.items()}
    credited = {name for item in items for name in item["extra_credit"]}
    needed = "" if course else " and ".join(name for name in outline["courses"] if name not in credited)
    if "unfound" in said:
        report.missing.append(
            f"no heading was found for {said['unfound']}: start each answer on a new line with its number, "
            f"as in “{names['unfound'][0]}”"
        )
    if "empty" in said:
        report.missing.append(f"no answer was found under {said['empty']}")
    if "extra" in said:
        report.notes.append(
            f"no answer was found for {said['extra']}: extra credit in "
            f"{course or ' and '.join(sorted(credited))}" + (f", needed in {needed}" if needed else "")
        )
    if "unnamed" in said:
        report.notes.append(f"no heading was recognised for {said['unnamed']}: with these, readers find their way")
    if "pictured" in said:
        report.notes.append(f"only a picture was found under {said['pictured']}: answers are to be typed")
    if "leftover" in said:
        report.notes.append(f"[{outline['placeholder']} …] of the template still stands under {said['leftover']}")
    if not said.keys() - {"answered", "leftover"}:
        report.good.append(f"all {len(items)} headings have an answer")


def answer_of(pages: Pages, place: Place, end: int, item: dict, outline: dict) -> str:
    """What stands under a heading: "answered", "leftover" (beside a placeholder), "pictured" (without words) or "empty"."""
    body = "\n".join([pages.lines[place.line][place.end :], *pages.lines[place.line + 1 : end]])
    text = without_placeholders(body, outline)
    left = text != body
    shown = PICTURE in body or (item["figure"] and not left and may_show(pages, place.line, end))
    if has_own_words(text, item) or (shown and item["figure"]):
        return "leftover" if left else "answered"
    return "pictured" if shown and not left else "empty"


def has_own_words(text: str, item: dict) -> bool:
    """Whether anything stands under a heading but the rest of the heading and the question itself."""
    rest = letters_only(text)
    rest = rest.removeprefix(letters_only(item["heading"].partition(" ")[2]))
    asked = letters_only(item["asks"])
    if asked in rest:
        return rest != asked
    found, question = words_of(text), words_of(f"{item['heading']} {item['asks']}")
    if (found & question).total() < question.total() / 2:
        return bool(rest)  # the question was taken out
    own = found - question  # it is there, but not letter by letter: a page's end in it, a formula taken apart
    return any(len(word) > 2 for word in own) or own.total() > 2


def letters_only(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def words_of(text: str) -> Counter:
    return Counter(re.findall(r"[^\W_]+(?:\.\d+)?", text.lower()))


def without_placeholders(text: str, outline: dict) -> str:
    return re.sub(rf"\[\s*{outline['placeholder']}[^\[\]]{{0,300}}\]?", " ", text)


def spoken(numbers: list[int]) -> str:
    """Page 3; pages 2, 5–7."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return f"page{'s' * (len(numbers) > 1)} " + ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def judge_chapters(pages: Pages, places: dict[str, Place], outline: dict, report: Report) -> None:
    """Pages and figures of each chapter whose beginning was found."""
    begun = []
    for chapter in outline["chapters"]:
        known = [places[h].line for h in (chapter["title"], *(item["heading"] for item in chapter["items"])) if h in places]
        begun += [(min(known), chapter)] if known else []
    ends = [*sorted(start for start, _ in begun), len(pages.lines)]
    ranges = {start: range(start, next(e for e in ends if e > start)) for start, _ in begun}
    asks = {start: [item["heading"].split()[0] for item in chapter["items"] if item["figure"]] for start, chapter in begun}
    for start, chapter in begun:
        end = ranges[start].stop
        first, last = pages.page[start], pages.page[end - 1]
        if end == len(pages.lines) and pages.count > len(pages.drawn):
            last = pages.count - 1  # it goes on behind what was read
        name, length = chapter["title"].split()[0], last - first + 1
        if length > chapter["pages"]:
            report.notes.append(
                f"{name} takes {length} pages; {chapter['pages']} are suggested "
                "(a longer report costs nothing and earns nothing)"
            )
        if not asks[start]:
            continue
        needed = {
            at
            for other, lines in ranges.items()
            if other != start and asks[other] and figures_in(pages, lines) < 2
            for at in lines
        }
        near = [at for at, page in enumerate(pages.page) if first <= page <= last + 2 and at not in ranges[start]]
        found = judge_figure(pages, start, end, [at for at in near if at not in needed])
        if found == "shown":
            report.good.append(f"{name} has a figure or table")
        elif found:
            report.notes.append(f"{name}: a figure or table was not recognised for certain; {asks[start][0]} asks for one")
        else:
            report.missing.append(f"{name}: no figure or table was found; {asks[start][0]} asks for one")


def judge_statement(pages: Pages, places: dict[str, Place], outline: dict, report: Report) -> None:
    """The statement about collaborators."""
    begin = min((place.line for place in places.values()), default=pages.page.count(0))
    before = without_placeholders("\n".join(pages.lines[:begin]), outline)
    found = judge_text(before, "\n".join(pages.lines[begin:]))
    lost = f"Without it {outline['collaborators_percent']:g} % of the score are lost"
    if found == "beginning":
        report.good.append("a statement about collaborators stands at the beginning")
    elif found == "elsewhere":
        report.notes.append("a word about collaborators was found, but not at the beginning, where readers look for it")
    elif found:
        report.notes.append(
            f"a statement about collaborators was not recognised: put it under the heading Collaborators. {lost}"
        )
    else:
        report.missing.append(
            "no statement about collaborators was found: say who helped and how (people and AI tools), "
            f"or that you worked alone. {lost}"
        )
