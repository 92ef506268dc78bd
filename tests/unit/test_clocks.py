"""A wall clock that is set back or forward charges nobody and hangs nothing: no deadline is measured by it."""

import ast

from support.project import ROOT

WALL = {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime", "clock_gettime", "clock_gettime_ns"}
CALENDAR = {"now", "utcnow", "today"}


def readings(source: str) -> set[str]:
    """The wall clocks that this code reads: ``time.time``, ``datetime.now``, ``from time import time``, under any name."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {a.asname or a.name: a.name for node in nodes if isinstance(node, ast.Import) for a in node.names}
    return set[str]().union(*(reading(node, names) for node in nodes))


def reading(node: ast.AST, names: dict[str, str]) -> set[str]:
    match node:
        case ast.ImportFrom(module="time"):
            return {name.name for name in node.names} & WALL
        case ast.Attribute(value=ast.Name(id=module)) if names.get(module) == "time":
            return {node.attr} & WALL
        case ast.Call(func=ast.Attribute(attr=attribute), args=[]):
            return {attribute} & CALENDAR
    return set()


def test_a_wall_clock_is_found():
    for code in (
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "import time\ntime.clock_gettime(time.CLOCK_REALTIME)",
        "from time import time",
        "datetime.now()",
        "import datetime as dt\ndt.datetime.now(tz=dt.UTC)",
        "import datetime\ndatetime.date.today()",
    ):
        assert readings(code), code
    assert not readings("from time import monotonic\nimport time\ntime.monotonic()")


def test_the_engine_reads_no_wall_clock():
    assert not [path for path in (ROOT / "autograder").rglob("*.py") if readings(path.read_text(encoding="utf-8"))]
