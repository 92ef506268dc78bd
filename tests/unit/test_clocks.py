"""A wall clock that is set back or forward charges nobody and hangs nothing: no deadline is measured by it."""

import ast

from support.project import ROOT

WALL = {"time", "localtime", "gmtime", "ctime", "now", "utcnow", "today"}


def readings(source: str) -> set[str]:
    """The wall clocks that this code reads: ``time.time``, ``datetime.now``, ``from time import time``."""
    tree = ast.walk(ast.parse(source))
    found = set()
    for node in tree:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in WALL:
            found |= {node.attr} if node.value.id in ("time", "datetime", "date") else set()
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            found |= {name.name for name in node.names} & WALL
    return found


def test_a_wall_clock_is_found():
    assert readings("import time\ntime.time()") and readings("from time import time") and readings("datetime.now()")
    assert not readings("from time import monotonic\nimport time\ntime.monotonic()")


def test_the_engine_reads_no_wall_clock():
    assert not [path for path in (ROOT / "autograder").rglob("*.py") if readings(path.read_text(encoding="utf-8"))]
