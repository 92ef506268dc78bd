"""Renders a report; a sentence that the runs do not bear out stops it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2

HERE = Path(__file__).resolve().parent
WRITEUP = HERE.parent / "writeup"


class NotSo(ValueError):
    """A sentence of a report is not true of the runs."""


def must(fact: bool, sentence: str = "") -> str:
    """The sentence, if the fact holds. Raises NotSo."""
    if not fact:
        raise NotSo(f"not so: {sentence!r}")
    return sentence


def rendered(name: str, figures: dict[str, Any]) -> str:
    """The report as Markdown. Raises NotSo, or jinja2's error for a name that the figures lack."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template(f"{name}.md.j2").render(must=must, **figures)


def listed(values: Iterable[Any], form: str = "") -> str:
    """As in "15, 16 and 20"."""
    said = [f"{v:{form}}" for v in values]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
