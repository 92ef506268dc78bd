"""Code that is not run is named with its place and the reason: Python's own words, or where it stands."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks.formats import CODE, MARKDOWN, RAW, Cell, Document
from autograder.checks.ipython import MAX_TRANSFORMED, Transformer, as_python
from autograder.submission.statements import Parsed, parse_document
from support import share
from support.project import DATA

RIGHT = (DATA / "right_s2.py").read_text().split("\n")
FUNCTIONS = [node for node in ast.parse("\n".join(RIGHT)).body if isinstance(node, ast.FunctionDef)]
# A change of the line with a function's ``def`` or of the line below it -> what Python says.
BREAKS = {
    "no-break space": (0, lambda line: line.replace("def ", "def\u00a0"), "invalid non-printable character U+00A0"),
    "colon": (0, lambda line: line.rstrip(":"), "expected ':'"),
    "curly quote": (1, lambda line: line + " + “a”", "invalid character '“' (U+201C)"),
    "string": (1, lambda line: line + " + 'a", "unterminated string literal"),
    "bracket": (1, lambda line: line + " + (", "'(' was never closed"),
    "closing bracket": (1, lambda line: line + ")", "unmatched ')'"),
    "margin": (1, str.lstrip, "expected an indented block after function definition on line"),
}


def read_cell(source: str, kind: str = CODE, numbered: bool = True) -> Parsed:
    return parse_document(Document("a.ipynb", [Cell(CODE, "x = 1"), Cell(kind, source)], "notebook", numbered), frozenset("12"))


@settings(max_examples=share.number(120), deadline=None)
@given(st.sampled_from(FUNCTIONS), st.sampled_from(sorted(BREAKS)))
def test_a_broken_function_is_named_with_its_line_and_pythons_words(function, kind):
    below, change, words = BREAKS[kind]
    at = function.lineno - 1 + below
    lines = [*RIGHT[:at], change(RIGHT[at]), *RIGHT[at + 1 :]]
    parsed = read_cell("\n".join(lines))
    lost = next(lost for lost in parsed.broken if function.name in lost.names)
    assert lost.line == at + 1
    assert lost.why.startswith(f"Python refuses cell 2, line {at + 1}: {words}")
    bound = {statement.node.name for statement in parsed.statements if isinstance(statement.node, ast.FunctionDef)}
    assert bound == {other.name for other in FUNCTIONS} - {function.name}


@pytest.mark.parametrize(
    "source, names",
    [
        ("def f(:\n  pass", {"f"}),
        ("async\u00a0def f(:", {"f"}),
        ("class\u200b C(:", {"C"}),
        ("a, b = (1", {"a", "b"}),
        ("a: int = (1", {"a"}),
        ("a == (1", set()),
        ("print(a=(1", set()),
    ],
)
def test_the_names_that_refused_code_would_bind(source, names):
    assert {name for lost in read_cell(source).broken for name in lost.names} == names


@pytest.mark.parametrize(
    "source, kind, why",
    [
        ("text\n\n    f = 3", MARKDOWN, "a Markdown cell, which is not run (cell 2, line 3)"),
        ("f = 3", RAW, "a raw cell, which is not run (cell 2, line 1)"),
        ("%%writefile a.py\nf = 3", CODE, "a.py, which a cell writes but does not run (cell 2, line 2)"),
        ("\n%%html\nf = 3", CODE, "a cell that is not run as Python (%%html) (cell 2, line 3)"),
        ("y = 1\n'''\nf = 3\n'''", CODE, "a text between quotes, which is not run (cell 2, line 3)"),
    ],
)
def test_code_that_stands_elsewhere_is_named_with_its_place(source, kind, why):
    assert [(lost.names, lost.why) for lost in read_cell(source, kind).elsewhere] == [({"f"}, f"it stands in {why}")]


def test_raw_cells_hold_no_headings():
    cells = [Cell(RAW, "## 2.2"), Cell(CODE, "x = 1")]
    assert parse_document(Document("a.ipynb", cells, "notebook", True), frozenset("12")).statements[0].label == ""


@given(
    st.lists(
        st.sampled_from(
            [
                "%time x = 1",
                "!ls \\",
                "  y",
                ">>> z = 1",
                "... ",
                "In [3]: w = 1",
                "   ...: v",
                "x?",
                "'''",
                "%prun -q",
                "a = !ls",
                "pip install x",
                "",
                "def f():",
                "Out[3]: 1",
            ]
        ),
        max_size=12,
    )
)
@settings(max_examples=share.number(300), deadline=None)
def test_what_ipython_reads_keeps_its_lines(lines):
    source = "\n".join(lines)
    assert as_python(source).count("\n") == source.count("\n")


@pytest.mark.slow
def test_ipython_looks_at_so_much_of_a_document_only():
    transformer, source = Transformer(), ",f a b\n" + "x = 1\n" * 1000
    count = 0
    while transformer.transformed(source):
        count += 1
    assert 0 < count <= MAX_TRANSFORMED // (2 * len(source)) + 1
    assert Transformer().transformed(",f a\n" * 2000) == ""


@pytest.mark.parametrize("source, code", [(",f a b\nx = (1, 2)", 'f("a", "b")'), ("/f 1 2", "f(1, 2)"), (";f a b", 'f("a b")')])
def test_ipython_itself_reads_what_else_it_knows(source, code):
    assert read_cell(source).statements[1].code == code


def test_without_ipython_what_it_alone_reads_is_refused(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "IPython.core.inputtransformer2", None)
    assert read_cell(",f a b").broken[0].why == "Python refuses cell 2, line 1: invalid syntax"
