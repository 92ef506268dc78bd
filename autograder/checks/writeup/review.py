"""Reviews a write-up before a person grades it: whether it can be opened and read, and whether every question is answered.

Nothing here costs or earns points. ``check_pdf`` takes a PDF's bytes and the outline that is generated from the rubric:
``{"courses", "collaborators_percent", "placeholder", "chapters": [{"title", "pages", "items": [{"heading", "asks",
"pattern", "figure", "extra_credit"}]}]}``. The PDF is untrusted. Doubtful findings are only notes, because a false alarm costs
the author an evening.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..kinds import kind_of
from .acknowledgement import judge_text
from .figures import figures_in, judge_figure, may_show
from .headings import Chapter, Item, Outline, Place, locate
from .pages import FEW_LETTERS, PROBLEMS, Pages, letters_of, pages_of, read_pdf
from .pdf_text import PICTURE

FAR_TOO_LONG = 60
SAYS = "say who helped and how (people and AI tools), or that you worked alone"
SCANS = "scanned or photographed handwriting is not accepted, and typed text should be exported, not printed to pictures"


@dataclass
class Report:
    """The findings. ``missing`` should be fixed before the deadline; ``notes`` may be ignored."""

    good: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One line per finding, with its mark."""
        marked = (("❌", self.missing), ("•", self.notes), ("✅", self.good))
        return [f"{mark} {text}" for mark, texts in marked for text in texts]


def check_pdf(data: bytes, outline: Outline, course: str = "", program: Path | None = None) -> Report:
    """Review a PDF; never raises, whatever its bytes.

    ``course`` decides which items are optional because they are extra credit ('' if unknown); ``program``: see ``read_pdf``.
    """
    result: dict[str, Any] = read_pdf(data, program)
    if "problem" in result:
        kind = kind_of(data) if result["problem"] == "no PDF" else ""
        text = PROBLEMS[result["problem"]]
        return Report(missing=[text.replace("not a PDF", f"{kind}, not a PDF") if kind else text])
    return examine(result["pages"], result["text"], result["lines"], outline, course)


def examine(count: int, text: list[str], drawn: list[int], outline: Outline, course: str = "") -> Report:
    """Review a PDF of ``count`` pages, given the ``text`` and the number of long lines ``drawn`` of each of the first pages."""
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
            f"Only the first {len(text)} were checked"
        )
    pages = pages_of(count, text, drawn)
    places = locate(pages.lines, outline)
    judge_answers(pages, places, outline, course, report)
    judge_chapters(pages, places, outline, report)
    judge_statement(pages, places, outline, report)
    return report


def judge_answers(pages: Pages, places: dict[str, Place], outline: Outline, course: str, report: Report) -> None:
    """Report which questions have no heading, and which have a heading but no answer under it."""
    ends = sorted({place.line for place in places.values()} | {len(pages.lines)})
    items = [item for chapter in outline["chapters"] for item in chapter["items"]]
    names: dict[str, list[str]] = {}
    for item in items:
        place = places.get(item["heading"])
        found = answer_of(pages, place, next(e for e in ends if e > place.line), item, outline) if place else "unfound"
        kind = excused(found, item, course)
        names.setdefault(kind, []).append(item["heading"] if item["pattern"] else item["heading"].split()[0])
    report_answers(names, items, outline, course, report)
    report_scans(pages, names, report)


def report_scans(pages: Pages, names: dict[str, list[str]], report: Report) -> None:
    """Report pages without text, unless every question was found, so that they can only be figures."""
    if not names.keys() & {"unfound", "unnamed", "extra"}:
        pages.scanned = []
    if pages.scanned:
        where = spoken([page + 1 for page in pages.scanned])
        (report.missing if "unfound" in names else report.notes).append(
            f"{where}: pictures without text, which were not checked; {SCANS}"
        )


def excused(kind: str, item: Item, course: str) -> str:
    """The kind of an answer: "extra" for missing extra credit, "unnamed" for a missing heading that has no number."""
    optional = course in item["extra_credit"] if course else item["extra_credit"]
    if kind in ("unfound", "empty") and optional:
        return "extra"
    return "unnamed" if kind == "unfound" and item["pattern"] else kind


def report_answers(names: dict[str, list[str]], items: list[Item], outline: Outline, course: str, report: Report) -> None:
    """Add one line for each kind of missing or incomplete answer; ``names``: kind -> names of the items."""
    listed = {kind: ", ".join(those) for kind, those in names.items()}
    if "unfound" in listed:
        report.missing.append(
            f"no heading was found for {listed['unfound']}: start each answer on a new line with its number, "
            f"as in “{names['unfound'][0]}”"
        )
    if "empty" in listed:
        report.missing.append(f"no answer was found under {listed['empty']}")
    if "extra" in listed:
        report.notes.append(f"no answer was found for {listed['extra']}: extra credit in {credit_text(items, outline, course)}")
    if "unnamed" in listed:
        report.notes.append(f"no heading was recognised for {listed['unnamed']}: headings help graders find your answers")
    if "pictured" in listed:
        report.notes.append(f"only a picture was found under {listed['pictured']}: answers should be typed")
    if "leftover" in listed:
        report.notes.append(f"[{outline['placeholder']} …] of the template is still there under {listed['leftover']}")
    if not listed.keys() - {"answered", "leftover"}:
        report.good.append(f"all {len(items)} headings have an answer")


def credit_text(items: list[Item], outline: Outline, course: str) -> str:
    """The courses in which items are extra credit; if the ``course`` is unknown, also those in which they are required."""
    if course:
        return course
    credited = {name for item in items for name in item["extra_credit"]}
    required = " and ".join(name for name in outline["courses"] if name not in credited)
    return " and ".join(sorted(credited)) + (f", required in {required}" if required else "")


def answer_of(pages: Pages, place: Place, end: int, item: Item, outline: Outline) -> str:
    """What is under a heading: "answered", "leftover" (with a placeholder), "pictured" (a picture without words) or "empty"."""
    body = "\n".join([pages.lines[place.line][place.end :], *pages.lines[place.line + 1 : end]])
    text = without_placeholders(body, outline)
    left = text != body
    shown = PICTURE in body or (item["figure"] and not left and may_show(pages, place.line, end))
    if has_own_words(text, item) or (shown and item["figure"]):
        return "leftover" if left else "answered"
    return "pictured" if shown and not left else "empty"


def has_own_words(text: str, item: Item) -> bool:
    """Whether the text under a heading has anything besides the rest of the heading and the question itself."""
    rest = letters_only(text)
    rest = rest.removeprefix(letters_only(item["heading"].partition(" ")[2]))
    asked = letters_only(item["asks"])
    if asked in rest:
        return rest != asked
    words, question = words_of(text), words_of(f"{item['heading']} {item['asks']}")
    if (words & question).total() < question.total() / 2:
        return bool(rest)  # the question was removed
    own = words - question  # the question is there, but altered by a page break or in its formulas
    return any(len(word) > 2 for word in own) or own.total() > 2


def letters_only(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def words_of(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+(?:\.\d+)?", text.lower()))


def without_placeholders(text: str, outline: Outline) -> str:
    return re.sub(rf"\[\s*{outline['placeholder']}[^\[\]]{{0,300}}\]?", " ", text)


def spoken(numbers: list[int]) -> str:
    """Page numbers as text: "page 3" or "pages 2, 5–7"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return f"page{'s' * (len(numbers) > 1)} " + ", ".join(f"{r[0]}–{r[-1]}" if len(r) > 1 else str(r[0]) for r in runs)


def judge_chapters(pages: Pages, places: dict[str, Place], outline: Outline, report: Report) -> None:
    """Report the length and the figures of each chapter that was found."""
    chapters = [(start, chapter) for chapter in outline["chapters"] if (start := first_line(chapter, places)) is not None]
    ends = [*sorted(start for start, _ in chapters), len(pages.lines)]
    ranges = {start: range(start, next(e for e in ends if e > start)) for start, _ in chapters}
    asks = {start: figure_questions(chapter) for start, chapter in chapters}
    for start, chapter in chapters:
        name = chapter["title"].split()[0]
        first, last = page_span(pages, ranges[start])
        if last - first + 1 > chapter["pages"]:
            report.notes.append(
                f"{name} takes {last - first + 1} pages; {chapter['pages']} are suggested "
                "(a longer report costs nothing and earns nothing)"
            )
        if asks[start]:
            figure = judge_figure(pages, start, ranges[start].stop, spare_lines(pages, ranges, asks, start))
            report_figure(figure, name, asks[start][0], report)


def first_line(chapter: Chapter, places: dict[str, Place]) -> int | None:
    """The first line of a chapter: that of its title or of any of its items, None if none of them was found."""
    headings = (chapter["title"], *(item["heading"] for item in chapter["items"]))
    return min((places[heading].line for heading in headings if heading in places), default=None)


def figure_questions(chapter: Chapter) -> list[str]:
    """The labels of a chapter's items that need a figure."""
    return [item["heading"].split()[0] for item in chapter["items"] if item["figure"]]


def page_span(pages: Pages, lines: range) -> tuple[int, int]:
    """The first and the last page of these lines; after the last line come the pages that were not read."""
    unread = lines.stop == len(pages.lines) and pages.count > len(pages.drawn)
    return pages.page[lines.start], pages.count - 1 if unread else pages.page[lines.stop - 1]


def spare_lines(pages: Pages, ranges: dict[int, range], asks: dict[int, list[str]], start: int) -> list[int]:
    """Lines outside a chapter whose figures may belong to it: on its pages or the next two, and not needed by other chapters.

    ``ranges`` and ``asks``: the lines of each chapter, and its questions that need a figure, by the chapter's first line.
    """
    others = (lines for other, lines in ranges.items() if other != start and asks[other])
    needed = {at for lines in others if figures_in(pages, lines) < 2 for at in lines}
    first, last = page_span(pages, ranges[start])
    near = (at for at, page in enumerate(pages.page) if first <= page <= last + 2)
    return [at for at in near if at not in ranges[start] and at not in needed]


def report_figure(figure: str, name: str, question: str, report: Report) -> None:
    if figure == "shown":
        report.good.append(f"{name} has a figure or table")
    elif figure:
        report.notes.append(f"{name}: a figure or table was not recognised for certain; {question} asks for one")
    else:
        report.missing.append(f"{name}: no figure or table was found; {question} asks for one")


def judge_statement(pages: Pages, places: dict[str, Place], outline: Outline, report: Report) -> None:
    """Report whether the statement about collaborators was found."""
    begin = min((place.line for place in places.values()), default=pages.page.count(0))
    before = without_placeholders("\n".join(pages.lines[:begin]), outline)
    where = judge_text(before, "\n".join(pages.lines[begin:]))
    penalty = f"Without it you lose {outline['collaborators_percent']:g} % of the score"
    if where == "beginning":
        report.good.append("there is a statement about collaborators at the beginning")
    elif where == "likely":
        report.good.append(f"the beginning mentions collaborators; it should {SAYS}")
    elif where == "elsewhere":
        report.notes.append("collaborators are mentioned, but not at the beginning, where graders look for the statement")
    elif where:
        report.notes.append(
            f"a statement about collaborators was not recognised: put it under the heading Collaborators. {penalty}"
        )
    else:
        report.missing.append(f"no statement about collaborators was found: {SAYS}. {penalty}")
