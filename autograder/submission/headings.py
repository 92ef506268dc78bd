"""The headings of a document, by whose numbers its statements belong to parts of the assignment."""

from __future__ import annotations

import re
from dataclasses import dataclass

LABEL = re.compile(
    r"^\W{0,6}(?:section|part|question|problem|exercise|task|q)?\W{0,3}(\d+(?:\.\d+){1,2})(?![\d.]*\d)", re.IGNORECASE
)
HEADING = 200  # characters at the beginning of a heading in which its number is looked for


@dataclass
class Heading:
    """The current heading: its number ('' for none), its depth (how many #), and how many numbered headings there were."""

    label: str = ""
    depth: int = 99
    count: int = 0

    def after(self, markdown: str, numbers: frozenset[str]) -> Heading:
        """The current heading at the end of a Markdown text."""
        heading = self
        for line in markdown.split("\n"):
            text = line.strip()
            if text.startswith(("#", "**")):
                depth = len(text) - len(text.lstrip("#")) or 98
                heading = heading._next(text, depth, numbers)
        return heading

    def after_comment(self, line: str, numbers: frozenset[str]) -> Heading:
        """The same for a comment line: ``# ## 2.2 …`` (Markdown in a script) or ``# 1.2.1``."""
        if line.startswith("# #"):
            return self.after(line[2:], numbers)
        return self._next(line, 99, numbers) if line.startswith("#") else self

    def _next(self, text: str, depth: int, numbers: frozenset[str]) -> Heading:
        match = LABEL.match(text.lstrip("#* ")[:HEADING])
        if match and is_own(match.group(1), numbers):
            return Heading(match.group(1), depth, self.count + 1)
        # An unnumbered heading of the same level or above ends a numbered part; a plain comment does not.
        return Heading(count=self.count) if depth <= self.depth and depth < 98 else self


def is_own(label: str, numbers: frozenset[str]) -> bool:
    """Whether a number at the start of a heading is one of the assignment's (``1.2``, ``10.2.1``), not a decimal or a version.

    After a section's number, single digits are always accepted, but longer numbers (``1.25``) only if a question has them.
    """
    parts = label.split(".")
    return parts[0] in numbers and all(
        len(part) == 1 or ".".join(parts[: n + 1]) in numbers for n, part in enumerate(parts) if n
    )
