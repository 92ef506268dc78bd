"""Makes untrusted text safe to print."""

from __future__ import annotations

import logging
import re
import shutil
import sys
import unicodedata
import warnings
from collections.abc import Sequence

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # control, format (bidi, zero width), surrogates, private, unassigned


def clean(text: str, limit: int = 80) -> str:
    """One line of at most ``limit`` characters; control, bidirectional and invisible characters become ``?``."""
    text = " ".join(str(text)[: 4 * limit].split())
    kept = "".join("?" if unicodedata.category(c) in HIDDEN else c for c in text)
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"


def lines_of(text: str, limit: int = 2000) -> str:
    """Text for a terminal or a log, cleaned line by line."""
    return "\n".join(clean(line, limit) for line in str(text).split("\n"))


def first_of(lines: Sequence[str], most: int = 20) -> list[str]:
    """The first lines, and how many more there are."""
    return [*lines[:most], *([f"… and {len(lines) - most} more"] if len(lines) > most else [])]


def some_of(names: Sequence[str], most: int = 3) -> str:
    """The same in one line."""
    return ", ".join(first_of(names, most))


def name_words(name: str) -> frozenset[str]:
    """The words of a person's name, without accents, case and initials."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = re.findall(r"\w+", plain.casefold())
    return frozenset(word for word in words if len(word) > 1 or word.upper() == word)  # a script without case has short names


def keep_libraries_quiet() -> None:
    """Let no library's warning or log line reach the terminal: most would quote a submission, none is for those who read it."""
    logging.getLogger().addHandler(logging.NullHandler())
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


FORMULA = re.compile(r"'*[=+@\t\r-]")  # how a cell begins that a spreadsheet program may take for a formula, escaped or not


def cell(text: str) -> str:
    """The text of a CSV cell, escaped so that no spreadsheet program takes it for a formula; see :func:`uncell`."""
    return f"'{text}" if FORMULA.match(text) else text


def uncell(text: str) -> str:
    """What :func:`cell` was given. Any other apostrophe stays, that of 't Hooft, too."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def reason(error: Exception) -> str:
    """An error's message, without the path that the system appends to it; of several that were collected, the first one."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list) and error.args[0]:
        return str(error.args[0][0][-1])
    return getattr(error, "strerror", None) or str(error)
