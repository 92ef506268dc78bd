"""Recovers what can be parsed of a cell that does not parse as a whole, with work that is bounded for the whole document."""

from __future__ import annotations

import re
from collections.abc import Iterator

from autograder.checks.ipython import Transformer
from autograder.core.watch import parsed

CONTINUES = re.compile(r"(?:else|elif|except|finally)\b|[)\]}]")
MAX_TRIES = 400  # attempts to parse joined or shortened chunks, per cell
MAX_TRIED = 4 << 20  # characters in these attempts, per document
MAX_STEPS = 100_000  # chunks looked at while joining, per document
MAX_CUTS = 20  # attempts to cut a chunk short


class Effort:
    """What is left of the work that the recovery of a document may take."""

    def __init__(self) -> None:
        self.steps, self.attempts, self.characters = MAX_STEPS, MAX_TRIES, MAX_TRIED
        self.ipython = Transformer()

    def begins(self) -> None:
        """A new cell begins."""
        self.attempts = MAX_TRIES

    def steps_on(self) -> bool:
        """Whether one more chunk may be looked at."""
        self.steps -= 1
        return min(self.steps, self.attempts, self.characters) >= 0

    def tries(self, text: str) -> bool:
        """Whether a text parses; False if no work is left."""
        self.attempts -= 1
        self.characters -= len(text)
        return min(self.attempts, self.characters) >= 0 and parsed(text)[0] is not None


def chunks(source: str, effort: Effort) -> Iterator[tuple[str, int]]:
    """Cut source that does not parse at unindented lines, and join neighbouring chunks until they parse.

    Yields (text, number of lines before it). The shortest run of chunks that parses wins; a chunk that never parses is yielded
    alone, so that only that chunk is lost. ``effort`` bounds the work, so that hostile source costs seconds at most.
    """
    effort.begins()
    pieces = _Chunks(source.split("\n"), effort)
    index = 0
    while index < len(pieces.texts):
        taken = pieces.run(index)
        start, end = pieces.starts[index], pieces.ends[index + taken - 1]
        whole = _whole_part(pieces.lines, start, end, effort) if taken == 1 else end
        yield "\n".join(pieces.lines[start:whole]), start
        if whole < end:
            yield "\n".join(pieces.lines[whole:end]), whole
        index += taken


class _Chunks:
    """The lines of a cell cut at unindented lines."""

    def __init__(self, lines: list[str], effort: Effort) -> None:
        self.lines, self.effort = lines, effort
        self.starts = [i for i, line in enumerate(lines) if line and line[0] not in " \t#" and not CONTINUES.match(line)]
        first = next((i for i, line in enumerate(lines) if line.strip() and line[0] != "#"), len(lines))
        if first < min([*self.starts, len(lines)]):  # what is indented from the beginning
            self.starts.insert(0, first)
        self.ends = [*self.starts[1:], len(lines)]
        self.texts = ["\n".join(lines[start:end]) for start, end in zip(self.starts, self.ends)]
        self.opened = [_opened(text) for text in self.texts]

    def run(self, first: int) -> int:
        """The length of the shortest run of chunks from ``first`` that parses; 1 if there is none within the budget."""
        total = self.opened[first]
        if not _unfinished(self.texts[first], total) or parsed(self.texts[first])[0] is not None:
            return 1
        for last in range(first + 1, len(self.texts)):
            if not self.effort.steps_on():
                return 1
            total = tuple(a + b for a, b in zip(total, self.opened[last]))
            joined = self.starts[first], self.ends[last]
            if not _unfinished(self.texts[last], total) and self.effort.tries("\n".join(self.lines[slice(*joined)])):
                return last - first + 1
        return 1


def _whole_part(lines: list[str], start: int, end: int, effort: Effort) -> int:
    """The line at which to cut a chunk that does not parse: before a stray ``elif`` or indented line, else ``end``."""
    tree, reason = parsed("\n".join(lines[start:end]))
    if tree is not None or reason:
        return end
    margins = [k for k in range(end - 1, start, -1) if lines[k] and lines[k][0] not in " \t"][:MAX_CUTS]
    return next((cut for cut in [*margins, start + 1] if effort.tries("\n".join(lines[start:cut]))), end)


def _opened(text: str) -> tuple[int, ...]:
    """How many brackets of each kind remain open, and how many triple quotes of each kind there are."""
    return (*(text.count(a) - text.count(b) for a, b in ("()", "[]", "{}")), text.count('"""'), text.count("'''"))


def _unfinished(last: str, total: tuple[int, ...]) -> bool:
    """Whether chunks that end with ``last`` could be the beginning of something longer."""
    return (
        any(n > 0 for n in total[:3])
        or total[3] % 2 == 1
        or total[4] % 2 == 1
        or last.startswith("@")
        or last.rstrip().endswith("\\")
    )
