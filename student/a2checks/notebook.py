"""The cells of a notebook, read in one way by check cells, grader and class.

Needs the standard library only. Notebooks come from strangers: one odd key costs no cell.
"""

from __future__ import annotations

import json
from typing import Any

CODE, MARKDOWN, RAW = "code", "markdown", "raw"


def read_cells(text: str) -> tuple[list[tuple[str, str]], bool]:
    """((kind, source) of every cell in order, whether all of it follows the format) of a notebook, nbformat 3 or 4.

    Raises ValueError, whose text goes on after the file's name, where it holds no cells.
    """
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON, so it is not a notebook; save or download it again") from None
    tree = tree if isinstance(tree, dict) else {}
    sheets = tree.get("worksheets")
    if isinstance(sheets, list):  # nbformat 3
        cells: Any = [
            cell
            for sheet in sheets
            if isinstance(sheet, dict) and isinstance(sheet.get("cells"), list)
            for cell in sheet["cells"]
        ]
    else:
        cells = tree.get("cells")
    if not isinstance(cells, list):
        raise ValueError("has no cells: it is JSON, but not a notebook")
    found = [_cell(cell if isinstance(cell, dict) else {}, isinstance(sheets, list)) for cell in cells]
    head = (
        isinstance(tree.get("nbformat"), int)
        and isinstance(tree.get("nbformat_minor"), int)
        and isinstance(tree.get("metadata"), dict)
    )
    regular = head and all(isinstance(cell, dict) and "cell_type" in cell for cell in cells)
    return found, regular


def _cell(cell: dict[str, Any], old: bool) -> tuple[str, str]:
    """(kind, source); ``old``: of nbformat 3, where lines may lack their ends, and a heading becomes Markdown."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        lines = [line for line in source if isinstance(line, str)]
        source = ("\n" if old and lines and not lines[0].endswith(("\n", "\r")) else "").join(lines)
    source = source.replace("\r\n", "\n") if isinstance(source, str) else ""
    kind = cell.get("cell_type")
    if kind == "heading" and isinstance(cell.get("level"), int):
        return MARKDOWN, f"{'#' * min(cell['level'], 6)} {source}"
    return kind if kind in (CODE, RAW) else MARKDOWN, source
