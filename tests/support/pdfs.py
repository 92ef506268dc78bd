"""Tiny write-ups, as lines and as PDFs: a complete one, and variants with parts added or removed."""

from __future__ import annotations

import io

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from autograder.checks.writeup import pdf_text
from autograder.checks.writeup.review import Report, examine
from autograder.core.loading import load_assignment
from autograder.judging.writeup import outline
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")
OUTLINE = outline(ASSIGNMENT)

PICTURE, PLOT, BARS, RULE, SCAN = "a picture", "a plot of lines", "a plot of bars", "a line", "a page as a picture"
STATEMENT = ["Collaborators", "I worked on this alone; ChatGPT explained softmax to me."]
ANSWER = "The zero vector has the same similarity with every key, so that all weights are equal."


def complete(outline: dict) -> list[str]:
    """The lines of a write-up that answers everything, with one figure where one is asked for."""
    lines = ["A2: Attention and Transformers", "A. Student, CSE 517", *STATEMENT]
    for chapter in outline["chapters"]:
        lines += ["\f", chapter["title"]]
        for item in chapter["items"]:
            lines += [item["heading"], ANSWER, *(["Figure 1: perplexity by epoch."] if item["figure"] else [])]
    return lines


def pdf(lines: list[str], password: str = "", size: int = 11) -> bytes:
    """Lines as a PDF: a form feed starts a page, PICTURE and the like are drawn, long lines are wrapped."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, encrypt=password or None)
    width, height = A4
    y = height - 60
    for line in lines:
        if line in DRAWN:
            y -= DRAWN[line](canvas, y)
            continue
        for piece in simpleSplit(line, "Helvetica", size, width - 120) or [""]:
            if line == "\f" or y < 60:
                canvas.showPage()
                y = height - 60
            if line != "\f":
                canvas.setFont("Helvetica", size)
                canvas.drawString(60, y, piece)
                y -= size * 1.4
    canvas.save()
    return buffer.getvalue()


def ciphered(lines: list[str]) -> bytes:
    """A PDF protected against changes but readable by everybody, with AES-128, which pypdf alone cannot decrypt."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, encrypt=StandardEncryption("", "owner", strength=128))
    for number, line in enumerate(lines):
        canvas.drawString(60, 780 - 15 * number, line)
    canvas.save()
    aes = b"/V 4 /CF << /StdCF << /CFM /AESV2 /AuthEvent /DocOpen /Length 16 >> >> /StmF /StdCF /StrF /StdCF"
    return buffer.getvalue().replace(b"/R 3", b"/R 4").replace(b"/V 2", aes)


def picture(canvas: Canvas, y: float, width: float = 40, height: float = 40) -> float:
    canvas.drawImage(ImageReader(Image.new("RGB", (40, 40), "grey")), 60, y - height, width, height)
    return height + 10


def plot(canvas: Canvas, y: float) -> float:
    """Axes and a curve, with the numbers of an axis between them."""
    canvas.lines([(60, y - 90, 200, y - 90), (60, y - 90, 60, y)])
    canvas.drawString(60, y - 100, "0 5 10")
    path = canvas.beginPath()
    path.moveTo(60, y - 10)
    for n in range(1, 10):
        path.lineTo(60 + 14 * n, y - 80 + 70 / n)
    canvas.drawPath(path)
    return 115


def bars(canvas: Canvas, y: float) -> float:
    canvas.lines([(60, y - 90, 200, y - 90), (60, y - 90, 60, y)])
    canvas.rect(80, y - 90, 30, 60, fill=1)
    canvas.rect(140, y - 90, 30, 80, fill=1)
    return 105


def rule(canvas: Canvas, y: float) -> float:
    canvas.rect(60, y + 6, 300, 0.4, stroke=0, fill=1)
    return 6


DRAWN = {PICTURE: picture, PLOT: plot, BARS: bars, RULE: rule, SCAN: lambda canvas, y: picture(canvas, y, 470, 700)}
WHOLE = complete(OUTLINE)


def seen(lines: list[str], course: str = "") -> Report:
    """The report on lines of text, split into pages at form feeds, without making a PDF."""
    pages = "\n".join(lines).replace("\n\f\n", "\f").split("\f")
    return examine(len(pages), [page.replace(PICTURE, pdf_text.PICTURE) for page in pages], [0] * len(pages), OUTLINE, course)


def without(*gone: str) -> list[str]:
    return [line for line in WHOLE if line not in gone]


def heading_of(name: str) -> str:
    return next(line for line in WHOLE if line.startswith(name))


def answered(answers: dict[str, list[str]], asked: bool = False) -> list[str]:
    """The whole write-up with other answers (lists of lines) under some headings; ``asked``: with the questions' texts."""
    asks = {item["heading"]: [item["asks"]] if asked else [] for chapter in OUTLINE["chapters"] for item in chapter["items"]}
    lines = [x for line in WHOLE for x in (line, *asks.get(line, []))]
    for name, answer in answers.items():
        at = lines.index(heading_of(name)) + 1 + asked
        lines[at : at + 1] = answer
    return lines


def chapters() -> tuple[list[str], list[list[str]]]:
    """The lines before the first chapter, then those of each chapter."""
    before, *rest = "\n".join(WHOLE).split("\n\f\n")
    return before.split("\n"), [text.split("\n") for text in rest]


BARE = [line for line in WHOLE if not line.startswith("Figure 1")]
FIGURELESS = ["§2.2: no figure or table was found; Results asks for one", "§3: no figure or table was found; Q4.1 asks for one"]
