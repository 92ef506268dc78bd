"""What IPython reads in a cell beside Python (magics, shell lines, help, prompts), turned into Python of as many lines."""

from __future__ import annotations

import re
import warnings
from keyword import iskeyword
from typing import Any

from .formats import outside_strings, parse, parses

PYTHON_MAGICS = {"time", "timeit", "capture", "prun", "%time"}
MAX_OPTIONS = 8  # words that are tried as options of a magic
MAX_TRANSFORMED = 100_000  # characters that IPython may look at, per document; once more for each of its own lines
PROMPT = re.compile(r"^[ \t]*(?:>>>|\.\.\.|In ?\[\d*\]:|\.{3,}:)(?: |$)", re.MULTILINE)
FIRST_PROMPT = re.compile(r"^[ \t]*(?:>>>|In ?\[\d*\]:)(?: |$)", re.MULTILINE)
INPUT = re.compile(r"^In \[\d+\]:", re.MULTILINE)
OUTPUT = re.compile(r"^Out ?\[\d*\]:.*$", re.MULTILINE)
AUTOMAGIC = (
    r"(?:pip3?|conda|mamba|uv|apt|apt-get|git|wget|curl|ls|cd|cat|mkdir|rm|cp|mv|matplotlib|load_ext|autoreload|env|run)"
    r"[ \t]+[\w./~\-*\"'%]"
)
LINE = re.compile(
    r"^[ \t]*(?:[!?]|%{1,2}[A-Za-z]|[\w.*%]+\?{1,2}[ \t;]*$|(?P<assigned>[A-Za-z_][\w., ]*=[ \t]*)(?:!|%[A-Za-z])"
    rf"|(?P<automagic>{AUTOMAGIC}))",
    re.MULTILINE,
)
PATH = re.compile(r"""\s*(?:-\S+\s+)*(?:(["'])(?P<quoted>[^"']*)\1|(?P<plain>\S+))""")
ESCAPED = re.compile(r"^[ \t]*[,;/!%?]|\?[ \t]*$|=[ \t]*[%!]", re.MULTILINE)


def as_python(source: str) -> str:
    """The source with ``%time x = 3`` as ``x = 3``, ``%run`` as an import, other magics as ``pass``, and without prompts."""
    if _stands(FIRST_PROMPT, source):
        source = OUTPUT.sub("", PROMPT.sub("", source))
    found = {match.start(): match for match in LINE.finditer(source)}
    if found:
        lines, number, last, done = source.split("\n"), 0, 0, 0
        for offset in outside_strings(source, list(found)):
            number += source.count("\n", last, offset)
            last = offset
            if number >= done:
                done = _replace(lines, number, found[offset])
        source = "\n".join(lines)
    return _without_margin(source)


def runnable(source: str) -> str:
    """What of a cell is run as Python, in as many lines; '' if nothing is, as under ``%%bash``."""
    above = 0
    while source.lstrip().startswith("%%"):
        stripped = source.lstrip()
        head, _, body = stripped.partition("\n")
        if head[2:].partition(" ")[0] not in PYTHON_MAGICS:
            return ""
        above += source[: len(source) - len(stripped)].count("\n") + 1
        source = body
    return "\n" * above + (source if parses(source) else as_python(source))


def has_prompts(source: str) -> bool:
    """Whether a source has IPython's own prompts, with which it may parse: ``In [3]: x = 1`` annotates ``In[3]``."""
    return "In [" in source and _stands(INPUT, source)


def _stands(prompt: re.Pattern[str], source: str) -> bool:
    """Whether there is a prompt that is not the text of a string."""
    return bool(outside_strings(source, [found.start() for found in prompt.finditer(source)]))


def _replace(lines: list[str], number: int, match: re.Match[str]) -> int:
    """Replace a line of IPython's, and those that continue it; returns the number of the line behind them."""
    end = number + 1
    while lines[end - 1].endswith("\\") and end < len(lines):
        end += 1
    text = "\n".join(lines[number:end])
    stripped = text.lstrip(" \t")
    if match["automagic"] and parse(stripped) is not None:
        return end
    target = match["assigned"] or ""
    word, _, rest = stripped[len(target) :].removeprefix("%").partition(" ")
    code = code_of(rest) if word in PYTHON_MAGICS and stripped[len(target) :].startswith("%") else ""
    code = code or (star_import(rest) if word == "run" and not target else "")
    replaced = (text[: len(text) - len(stripped)] + (target + code if code else "pass")).split("\n")
    lines[number:end] = replaced + [""] * (end - number - len(replaced))
    return end


def star_import(words: str) -> str:
    """``%run -i folder/heads.py`` as the import that binds the same names; '' if it names no file."""
    found = PATH.match(words)
    path = (found["quoted"] or found["plain"] or "") if found else ""
    parts = [part for part in re.sub(r"\.(?:py|ipynb)$", "", path).split("/") if part not in ("", ".", "..")]
    module = ".".join(map(as_module, parts))
    named = all(part.isidentifier() and not iskeyword(part) for part in module.split("."))
    return f"from {module} import *" if named else ""


def as_module(stem: str) -> str:
    """The name under which a file is imported that Python could not import by its own: ``my_heads`` for my-heads."""
    return re.sub(r"\W", "_", stem)


def code_of(rest: str) -> str:
    """The code behind a magic and its options (``-q x = 3``); '' if it does not parse."""
    rest = rest.lstrip()
    for _ in range(MAX_OPTIONS):
        if not rest.startswith("-") and parse(rest) is not None:
            return rest
        _, _, rest = rest.partition(" ")
        rest = rest.lstrip()
    return ""


def _without_margin(source: str) -> str:
    """The source without the indentation of its first line, which IPython takes off every line."""
    first = next((line for line in source.split("\n") if line.strip()), "")
    margin = first[: len(first) - len(first.lstrip(" \t"))]
    return "\n".join(line.removeprefix(margin) for line in source.split("\n")) if margin else source


class Transformer:
    """IPython's own reading of a cell, for what :func:`as_python` does not know; with work that is bounded for a document."""

    def __init__(self) -> None:
        self.characters = MAX_TRANSFORMED

    def transformed(self, source: str) -> str:
        """The source as IPython would run it, if it has as many lines then; '' otherwise."""
        escapes = sum(1 for _ in ESCAPED.finditer(source))
        cost = len(source) * (1 + escapes)
        if not escapes or cost > self.characters:
            return ""
        self.characters -= cost
        try:
            from IPython.core.inputtransformer2 import TransformerManager

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                manager: Any = TransformerManager
                text = str(manager().transform_cell(source)).removesuffix("\n")
        except Exception:  # not installed, or it fails on this text
            return ""
        return text if text.count("\n") == source.removesuffix("\n").count("\n") else ""
