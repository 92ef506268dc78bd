"""The card with which a check answers: HTML in a notebook, plain text elsewhere.

Everything on it may come from a student's code and is escaped. It takes its colours of text and background from the page around
it, and says with a mark and words what it says with a colour.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .picture import Picture

# mark -> what a screen reader says, and a colour that colour-blind people tell apart, on white and on black
MARKS = {"✅": ("right", "#009e73"), "❌": ("wrong", "#d55e00"), "⏳": ("waiting", "#3f8fc4")}
EXAMPLE = "the smallest call that fails:"
LONGEST = 2000  # characters of one line
QUOTED = re.compile(r"`([^`\n]+)`")
FRAME = (
    "max-width:60em;margin:.4em 0;padding:.5em .9em;border:1px solid rgba(128,128,128,.45);border-left:6px solid {};"
    "border-radius:4px;color:inherit;background:transparent;line-height:1.45;overflow-wrap:anywhere"
)
CODE = (
    "margin:.2em 0;padding:.4em .6em;border-left:3px solid rgba(128,128,128,.45);background:rgba(128,128,128,.12);"
    "color:inherit;white-space:pre-wrap;overflow-wrap:anywhere"
)


@dataclass
class Card:
    """What a check says.

    ``mark``: ✅, ❌ or ⏳; ``headline``: the sentence after it; ``lines``: what each test that fails says; ``why``: what is
    known about it; ``likely``: the known mistake that it looks like; ``call``: the smallest failing call, as lines of code and
    output; ``notes``: what costs no points; ``earned``: the share of the points, None while another answer has to be mended
    first; ``blank``: nothing was filled in.
    """

    id: str
    title: str
    mark: str
    headline: str
    lines: list[str] = field(default_factory=list)
    likely: list[str] = field(default_factory=list)
    call: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    picture: Picture | None = None
    earned: float | None = 0.0
    blank: bool = False
    why: list[str] = field(default_factory=list)


def text(card: Card) -> str:
    """The card as plain text: the mark and the headline, then indented lines."""
    lines = [clipped(line) for line in (*card.lines, *card.why)] + [f"likely: {clipped(line)}" for line in card.likely]
    lines += [EXAMPLE, *(f"   {clipped(line)}" for line in card.call)] if card.call else []
    lines += card.picture.text() if card.picture else []
    lines += [f"note: {clipped(note)}" for note in card.notes]
    return "\n".join([f"{card.mark} {card.headline}", *(f"   {line}" for line in lines)])


def html(card: Card) -> str:
    """The card as HTML without scripts and style sheets."""
    said, colour = MARKS[card.mark]
    title = f" · {phrase(card.title)}" if card.title and not card.id.endswith(card.title) else ""
    parts = [
        f'<div role="group" aria-label="check {escape(card.id)}: {said}" style="{FRAME.format(colour)}">',
        f'<div><span role="img" aria-label="{said}">{card.mark}</span> <strong>{phrase(card.headline)}</strong>{title}</div>',
        *(f"<div>{phrase(line)}</div>" for line in (*card.lines, *card.why)),
        *(f"<div><strong>Likely:</strong> {phrase(line)}</div>" for line in card.likely),
    ]
    if card.call:
        code = escape("\n".join(map(clipped, card.call)))
        parts.append(f'<div>{EXAMPLE.capitalize()}</div><pre style="{CODE}">{code}</pre>')
    parts += [card.picture.html()] if card.picture else []
    parts += [f'<div style="font-size:92%"><em>Note:</em> {phrase(note)}</div>' for note in card.notes]
    return "".join([*parts, "</div>"])


def phrase(line: str) -> str:
    """A line as HTML; what stands in `backquotes` is set as code, and line breaks are kept."""
    return QUOTED.sub(r"<code>\1</code>", escape(clipped(line))).replace("\n", "<br>")


def clipped(line: str) -> str:
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} …"


def show(card: Card) -> None:
    """Display the card in a notebook, or print it elsewhere."""
    publish(text(card), html(card))


def publish(plain: str, page: str) -> None:
    """Hand both forms to IPython, which shows what it can; print the plain one where there is no IPython."""
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(plain)
        return
    from IPython.display import display

    display({"text/plain": plain, "text/html": page}, raw=True)  # type: ignore[no-untyped-call]  # IPython has no annotations
