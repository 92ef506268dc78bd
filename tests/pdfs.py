"""Tiny write-ups as PDFs: a complete one, and whatever a test takes out of it or puts in."""

from __future__ import annotations

import io

from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

PICTURE = "a picture"
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
    """Lines as a PDF: a form feed begins a page, PICTURE draws one, long lines are broken."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True, encrypt=password or None)
    width, height = A4
    y = height - 60
    for line in lines:
        for piece in simpleSplit(line, "Helvetica", size, width - 120) or [""]:
            if line == "\f" or y < 60:
                canvas.showPage()
                y = height - 60
            if line == PICTURE:
                canvas.drawImage(ImageReader(Image.new("RGB", (40, 40), "grey")), 60, y - 40)
                y -= 50
            elif line != "\f":
                canvas.setFont("Helvetica", size)
                canvas.drawString(60, y, piece)
                y -= size * 1.4
    canvas.save()
    return buffer.getvalue()
