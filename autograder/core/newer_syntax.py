"""Tells code that only a newer Python can parse from code that is wrong.

Each construct of a newer Python is rewritten as an older one that parses wherever the new one would; if the source parses
then, it needs the newest of the versions that these constructs are from. Nothing is run.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.core.watch import parsed

Version = tuple[int, int]
MAX_SOURCE = 100_000  # characters
MAX_NESTED = 8  # f-strings in f-strings

TEXT = re.compile(r"(?<!\w)([rRbBuUfFtT]{0,2})('''|\"\"\"|'|\")|#[^\n]*")
ENDS = {quote: re.compile(rf"(?:\\.|(?!{quote}).)*{quote}", re.DOTALL) for quote in ("'''", '"""')} | {
    quote: re.compile(rf"(?:\\.|[^\\\n{quote}])*{quote}", re.DOTALL) for quote in ("'", '"')
}
BRACKETS = r"\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]"
# What is rewritten outside texts: (from which version it parses, what it looks like, the older construct in its place).
CONSTRUCTS: tuple[tuple[Version, re.Pattern[str], str], ...] = (
    ((3, 11), re.compile(r"^([ \t]*except)[ \t]*\*", re.MULTILINE), r"\1 "),
    ((3, 12), re.compile(rf"^([ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+\w+)[ \t]*{BRACKETS}", re.MULTILINE), r"\1"),
    ((3, 12), re.compile(rf"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:{BRACKETS})?[ \t]*=(?!=)", re.MULTILINE), r"\1\2 ="),
    ((3, 14), re.compile(r"^([ \t]*except[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)([ \t]*:)", re.MULTILINE), r"\1(\2)\3"),
)


def needs(source: str, running: Version = sys.version_info[:2]) -> Version | None:
    """The Python from which on ``source``, which does not parse here, parses; None if no newer one known here parses it."""
    if len(source) > MAX_SOURCE:
        return None
    texts = _Texts(source)
    try:
        rewritten = "".join(texts.outside())
    except _Unfinished:
        return None
    versions = set(texts.versions)
    for version, pattern, older in CONSTRUCTS:
        rewritten, count = pattern.subn(older, rewritten)
        versions |= {version} if count else set()
    newest = max(versions, default=running)
    expressions = "".join(f"({expression}\n)\n" for expression in texts.expressions)
    return newest if newest > running and _parses(rewritten) and _parses(expressions) else None


def told(source: str) -> str:
    """That a source needs a newer Python than the one that grades, as a clause; '' if it does not."""
    version, here = needs(source), sys.version_info
    return f"it needs Python {version[0]}.{version[1]}; it is graded with {here[0]}.{here[1]}" if version else ""


def _parses(source: str) -> bool:
    return parsed(source)[0] is not None


class _Unfinished(Exception):
    """A text that does not end: an error in every version."""


@dataclass
class _Texts:
    """Finds f-strings (and t-strings) as the grammar of Python 3.12 has them.

    ``expressions``: what stands in their braces, itself without f-strings; ``versions``: what they need.
    """

    source: str
    expressions: list[str] = field(default_factory=list)
    versions: set[Version] = field(default_factory=set)

    def outside(self) -> Iterator[str]:
        """The source, in pieces, with an empty text in the place of each f-string."""
        position = 0
        while match := TEXT.search(self.source, position):
            yield self.source[position : match.start()]
            position = self._text_end(match, 0)
            yield self._plain(match, position)
        yield self.source[position:]

    def _plain(self, match: re.Match[str], end: int) -> str:
        return "''" if self._is_formatted(match) else self.source[match.start() : end]

    def _is_formatted(self, match: re.Match[str]) -> bool:
        return bool(match[2]) and bool(set(match[1].lower()) & {"f", "t"})

    def _text_end(self, match: re.Match[str], depth: int) -> int:
        """Where a text or a comment ends."""
        if not match[2]:
            return match.end()
        if not self._is_formatted(match):
            end = ENDS[match[2]].match(self.source, match.end())
            if end is None:
                raise _Unfinished
            return end.end()
        if "t" in match[1].lower():
            self.versions.add((3, 14))
        if depth >= MAX_NESTED:
            raise _Unfinished
        return self._formatted_end(match.end(), match[2], depth)

    def _formatted_end(self, position: int, quote: str, depth: int) -> int:
        """Where an f-string that ends with ``quote`` ends; notes its expressions."""
        while position < len(self.source):
            if self.source.startswith(quote, position):
                return position + len(quote)
            character = self.source[position]
            if character == "\n" and len(quote) == 1:
                break
            if self.source[position : position + 2] in ("{{", "}}") or character == "\\":
                position += 2
            elif character == "{":
                position = self._field_end(position + 1, quote, depth)
            else:
                position += 1
        raise _Unfinished

    def _field_end(self, start: int, quote: str, depth: int) -> int:
        """The position after the ``}`` that ends a replacement field, which may have a conversion and a format."""
        position, opened, pieces = start, 0, []
        while position < len(self.source):
            character = self.source[position]
            match = TEXT.match(self.source, position)
            if match:
                position = self._text_end(match, depth + 1)
                pieces.append(self._plain(match, position))
                continue
            if not opened and (character in "}:" or (character == "!" and self.source[position + 1 : position + 2] != "=")):
                self._note(start, position, "".join(pieces), quote)
                return self._after_expression(position, quote, depth)
            opened += (character in "([{") - (character in ")]}")
            pieces.append(character)
            position += 1
        raise _Unfinished

    def _note(self, start: int, end: int, expression: str, quote: str) -> None:
        written = self.source[start:end]
        if quote in written or "\\" in written or "#" in written or ("\n" in written and len(quote) == 1):
            self.versions.add((3, 12))
        self.expressions.append(re.sub(r"(?<![=!<>])=\s*$", "", expression))

    def _after_expression(self, position: int, quote: str, depth: int) -> int:
        """Past the conversion and the format, in which there may be fields again."""
        while position < len(self.source):
            character = self.source[position]
            if character == "}":
                return position + 1
            if self.source.startswith(quote, position) or depth >= MAX_NESTED:
                break
            position = self._field_end(position + 1, quote, depth + 1) if character == "{" else position + 1
        raise _Unfinished
