"""Whether the markers of a master come in pairs and say what Otter Assign needs, with the cell of the first that does not."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from autograder.checks.formats import CODE, RAW, Cell, is_notebook, read
from autograder.core.errors import GraderError
from autograder.core.text import clean

MARKER = re.compile(r"^[ \t]*#[ \t]*(BEGIN|END)[ \t]+(QUESTION|SOLUTION|PROMPT|TESTS)\b", re.IGNORECASE | re.MULTILINE)
BY_CELLS = ("QUESTION", "TESTS", "PROMPT")  # what only raw cells mark: in a code cell, otter leaves it as a comment
MOST_BYTES = 50 << 20


def refuse_unpaired(solutions: Path) -> None:
    """Raise GraderError, one line, for the first marker in a notebook or module of the solutions that Otter cannot use."""
    for path in sorted(solutions.glob("*.ipynb")):
        if is_notebook(path.name):
            _refuse_in_notebook(f"solutions/{path.name}", read(path.name, path.read_bytes(), MOST_BYTES).cells)
    for path in sorted(solutions.glob("*.py")):
        _refuse_in_code(f"solutions/{path.name}", path.read_text(encoding="utf-8", errors="replace"))


def _refuse_in_notebook(where: str, cells: list[Cell]) -> None:
    open_: list[tuple[str, int]] = []  # (kind, number of its cell), the outermost first
    names: dict[str, int] = {}
    for number, cell in enumerate(cells, 1):
        place = f"{where}, cell {number}"
        if cell.kind != RAW:
            _refuse_in_cell(place, cell)
        elif found := MARKER.match(cell.source):
            begins, kind = found[1].upper() == "BEGIN", found[2].upper()
            _open_or_close(open_, begins, kind, number, place)
            if begins and kind == "QUESTION":
                _refuse_name(place, cell.source.partition("\n")[2], names, number)
    if open_:
        kind, number = open_[-1]
        raise GraderError(f"{where}, cell {number}: `# BEGIN {kind}` has no `# END {kind}`, a raw cell of its own, after it")


def _open_or_close(open_: list[tuple[str, int]], begins: bool, kind: str, number: int, place: str) -> None:
    if begins:
        if open_ and (open_[-1][0] == kind or kind == "QUESTION"):
            last, since = open_[-1]
            raise GraderError(
                f"{place}: `# BEGIN {kind}` stands inside of what `# BEGIN {last}` in cell {since} began: "
                f"a raw cell `# END {last}` is missing before it"
            )
        open_.append((kind, number))
    elif not open_:
        raise GraderError(f"{place}: `# END {kind}` has no `# BEGIN {kind}`, a raw cell of its own, before it")
    else:
        last, since = open_.pop()
        if last != kind:
            raise GraderError(f"{place}: `# END {kind}` comes before the `# END {last}` that belongs to cell {since}")


def _refuse_in_cell(place: str, cell: Cell) -> None:
    """Markers in a cell that is not raw: those of solutions have to be in code, and come in pairs."""
    if cell.kind == CODE:
        _refuse_in_code(place, cell.source)
    first = MARKER.match(cell.source)
    if first and (cell.kind != CODE or first[2].upper() in BY_CELLS):
        kind = "code" if cell.kind == CODE else "Markdown"
        raise GraderError(
            f"{place}: `{first[0].strip()}` is in a {kind} cell: make it a raw cell, where Otter Assign looks for it"
        )


def _refuse_in_code(place: str, source: str) -> None:
    since = 0
    for number, line in enumerate(source.split("\n"), 1):
        found = MARKER.match(line)
        if not found or found[2].upper() != "SOLUTION":
            continue
        begins = found[1].upper() == "BEGIN"
        if begins == bool(since):
            missing = "`# BEGIN SOLUTION` has no `# END SOLUTION`" if since else "`# END SOLUTION` has no `# BEGIN SOLUTION`"
            raise GraderError(f"{place}, line {since or number}: {missing}")
        since = number if begins else 0
    if since:
        raise GraderError(f"{place}, line {since}: `# BEGIN SOLUTION` has no `# END SOLUTION`")


def _refuse_name(place: str, config: str, names: dict[str, int], number: int) -> None:
    """Raise GraderError unless a question's YAML names it, in quotes if it looks like a number, and no other has that name."""
    try:
        tree = yaml.safe_load(config)
    except yaml.YAMLError as error:
        raise GraderError(f"{place}: what follows `# BEGIN QUESTION` is not valid YAML: {clean(str(error), 160)}") from None
    name = tree.get("name") if isinstance(tree, dict) else None
    if name is None:
        raise GraderError(f'{place}: `# BEGIN QUESTION` has no name: write the line `name: "ID"` below it')
    if not isinstance(name, str):
        raise GraderError(f'{place}: the name of a question needs quotes: write `name: "{clean(str(name))}"`')
    if name in names:
        raise GraderError(
            f"{place}: the question {clean(name)} has begun before, in cell {names[name]}: each needs its own name"
        )
    names[name] = number
