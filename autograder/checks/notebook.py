"""Reads the cells of a notebook; shared by the check cells, the grader and class tools.

Needs the standard library only. Notebooks are untrusted: a malformed key does not cost any cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

CODE, MARKDOWN, RAW = "code", "markdown", "raw"
MAX_VALUES = 1_000_000  # of JSON: each takes a hundred bytes or so
COMMA = re.compile(r'"(?:[^"\\]|\\.)*"?|,(?=\s*[\]}])', re.DOTALL)  # a string, or a comma behind the last element
NO_JSON = "is not valid JSON, so it is not a notebook; save or download it again"
NEXT: Any = re.compile(r"[\s,]*")
CELLS = re.compile(r'"cells"\s*:\s*\[')
STRING = re.compile(r'"[^"]*"?')  # where no escapes are left; one that is not closed goes to the end, and is looked at once


class NotJson(ValueError):
    """The text is not JSON."""


def read_cells(text: str) -> tuple[list[tuple[str, str]], bool]:
    """Read a notebook of nbformat 3 or 4: ((kind, source) of every cell in order, whether it follows the format).

    Raises ValueError if there are no cells, NotJson for other text; its message continues a sentence that begins with the
    file's name.
    """
    tree = _loaded(text)
    tree = _loaded(tree) if isinstance(tree, str) else tree  # JSON that was written as JSON once more
    tree = tree if isinstance(tree, dict) else {}
    old = isinstance(tree.get("worksheets"), list)
    cells = _old_cells(tree["worksheets"]) if old else tree.get("cells")
    if not isinstance(cells, list):
        raise ValueError("has no cells: it is JSON, but not a notebook")
    sources = [_cell(cell if isinstance(cell, dict) else {}, old) for cell in cells]
    regular = _has_head(tree) and all(isinstance(cell, dict) and "cell_type" in cell for cell in cells)
    return sources, regular


def cells_left(text: str) -> list[tuple[str, str]]:
    """The cells that can be read of a notebook whose JSON has commas too many, or is cut off. Raises ValueError if none can."""
    text = COMMA.sub(lambda found: "" if found[0] == "," else found[0], text)
    try:
        return read_cells(text)[0]
    except NotJson:
        cells = list(_whole_cells(text))
    if not any(kind == CODE and source.strip() for kind, source in cells):
        raise NotJson(NO_JSON)
    return cells


def _whole_cells(text: str) -> Iterator[tuple[str, str]]:
    """The cells before the first place at which the JSON breaks off."""
    begun, decoder = CELLS.search(text), json.JSONDecoder()
    place = begun.end() if begun else len(text)
    while (place := NEXT.match(text, place).end()) < len(text):
        try:
            cell, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield _cell(cell if isinstance(cell, dict) else {}, False)


def _loaded(text: str) -> Any:
    if (values := _values(text)) > MAX_VALUES:
        raise ValueError(f"holds {values} JSON values, over the limit of {MAX_VALUES}; clear its outputs and save again")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise NotJson(NO_JSON) from None


def _values(text: str) -> int:
    """At least how many values a JSON text has; what stands in strings is looked at only if that could be too many."""
    count = sum(map(text.count, ",[{"))
    if count <= MAX_VALUES:
        return count
    plain = text.replace("\\\\", "").replace('\\"', "")
    return count - sum(sum(map(found[0].count, ",[{")) for found in STRING.finditer(plain))


def _old_cells(sheets: list[Any]) -> list[Any]:
    """The cells of a notebook in nbformat 3."""
    valid = [sheet for sheet in sheets if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)]
    return [cell for sheet in valid for cell in sheet["cells"]]


def _has_head(tree: dict[str, Any]) -> bool:
    kinds = {"nbformat": int, "nbformat_minor": int, "metadata": dict}
    return all(isinstance(tree.get(key), kind) for key, kind in kinds.items())


def _cell(cell: dict[str, Any], old: bool) -> tuple[str, str]:
    """(kind, source) of a cell; ``old``: nbformat 3, where lines may lack line ends and headings become Markdown."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        source = ("\n" if old and lines and not lines[0].endswith(("\n", "\r")) else "").join(lines)
    source = source.replace("\r\n", "\n") if isinstance(source, str) else ""
    kind = cell.get("cell_type")
    if kind == "heading" and isinstance(cell.get("level"), int):
        return MARKDOWN, f"{'#' * min(cell['level'], 6)} {source}"
    return kind if kind in (CODE, RAW) else MARKDOWN, source
