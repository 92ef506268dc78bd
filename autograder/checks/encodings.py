"""Text from bytes in the encodings that students' tools write.

Python's own rules come first: UTF-8, a byte order mark, a coding comment. Beyond them: UTF-16 (PowerShell's ``>``), and bytes
of another encoding where they cannot matter: in comments and in texts that no value depends on. Nothing is guessed.
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings

from .document import Unreadable
from .naming import INSTEAD, why_no_code

LOST = "\ufffd"  # stands for what cannot be decoded
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
MAX_PARSED = 200_000  # characters of a source that is parsed to see what the letters in it do
SAMPLE = 4096  # bytes in which the zeros of UTF-16 are counted
AS_UTF8 = "save or download it again as UTF-8"
WEB_PAGE = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
COMMENT = re.compile(r"""[^'"#]*#""")
SAYING = {
    "print",
    "title",
    "suptitle",
    "xlabel",
    "ylabel",
    "set_title",
    "set_xlabel",
    "set_ylabel",
    "info",
    "warning",
    "display",
}
MAGIC = re.compile(r"^[ \t]*[!%?].*$", re.MULTILINE)


def text_of(name: str, data: bytes) -> tuple[str, bool]:
    """(the text of a file, whether some of it is LOST); raises Unreadable."""
    if reason := why_no_code(name, data):
        raise Unreadable(f"{name} {reason}")
    try:
        text, lossy = _decoded(data)
    except ValueError as error:
        raise Unreadable(f"{name} {error}") from None
    if WEB_PAGE.match(text):
        raise Unreadable(f"{name} is a web page, whatever its name says: hand in the notebook itself (.ipynb)")
    text = text.rstrip("\0")  # what a disk adds to a file that was being written when the machine stopped
    if "\0" in text:
        raise Unreadable(f"{name} contains NUL bytes: it is not a Python script; {INSTEAD}")
    if lossy and text.count(LOST) > len(text) // 4:
        raise Unreadable(f"{name} is not UTF-8 text; {AS_UTF8}")
    return text, lossy


def _decoded(data: bytes) -> tuple[str, bool]:
    """(the text, whether some of it could not be decoded and is LOST).

    Raises ValueError if it is no text; the message continues a sentence that begins with the file's name.
    """
    if encoding := wide_encoding(data):
        try:
            return data.decode(encoding).removeprefix("\ufeff"), False
        except UnicodeDecodeError:
            raise ValueError(f"is damaged {encoding.upper()[:6]} text; {AS_UTF8}") from None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        if "unknown encoding" in str(error):
            raise ValueError(f"is not UTF-8 text, and Python does not know the encoding that it names; {AS_UTF8}") from None
        encoding = "utf-8-sig"
    try:
        return data.decode(encoding), False
    except LookupError:
        raise ValueError(f"is not UTF-8 text, and the encoding that it names is none of text; {AS_UTF8}") from None
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), True


def wide_encoding(data: bytes, ascii_share: float = 0.4) -> str:
    """UTF-32 or UTF-16, by the byte order mark or, of UTF-16, without one; '' for anything else.

    Without one, by the zeros in every second byte of what has at least this share of ASCII.
    """
    if marked := next((name for mark, name in MARKS if data.startswith(mark)), ""):
        return marked
    sample = data[:SAMPLE]
    if b"\0" not in sample:
        return ""
    even, odd = (part.count(0) / max(len(part), 1) for part in (sample[::2], sample[1::2]))
    if min(even, odd) > 0.05 or max(even, odd) < ascii_share:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def line_that_matters(source: str) -> int:
    """The first line (from 1) with something LOST outside of comments and of texts that no value depends on; 0 if none."""
    if LOST not in source:
        return 0
    tree = _parsed(source) if len(source) <= MAX_PARSED else None
    if tree is not None:
        harmless = {text for statement in ast.walk(tree) if _is_only_said(statement) for text in _texts(statement)}
        return min((text.lineno for text in _texts(tree) if text not in harmless), default=0)
    return next((number for number, line in enumerate(source.split("\n"), 1) if LOST in line and not _is_comment(line)), 0)


def _is_comment(line: str) -> bool:
    """Whether what is LOST in a line stands behind a # that no quote precedes."""
    found = COMMENT.match(line)
    return bool(found and LOST not in found[0])


def _is_only_said(node: ast.AST) -> bool:
    """Whether the texts of a statement are only there to be read: a docstring, a print, a title, an error message."""
    if not isinstance(node, ast.Expr):
        return isinstance(node, ast.Raise)
    value = node.value
    if isinstance(value, ast.Call):
        return (value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")) in SAYING
    return isinstance(value, (ast.Constant, ast.JoinedStr))


def _texts(tree: ast.AST) -> list[ast.Constant]:
    """The constants below a node that hold something LOST."""
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [node for node in nodes if isinstance(node.value, str) and LOST in node.value]


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(MAGIC.sub(lambda found: " " * found[0].index(found[0].lstrip()) + "pass", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
