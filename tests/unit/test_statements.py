"""Every statement that parses is recovered, whatever is beside it; hostile source costs work in proportion to its length."""

import ast
import contextlib
import json
import signal
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks.formats import Cell, Document, read
from autograder.submission.statements import parse_document
from support import share

GOOD = [
    "x = 1",
    "def f(a):\n    return a",
    "y = [\n1,\n2,\n]",
    's = """text\nat the margin\n"""',
    "@d\ndef g():\n    pass",
    "if x:\n    z = 2\nelse:\n    z = 3",
    "try:\n    w = 1\nexcept E:\n    w = 2",
    "import os",
    "class C:\n    n = 0",
    "t = 1; u = 2",
]
BAD = [
    "print 'hello'",
    "def broken(",
    "x = = 3",
    "<<<<<<< HEAD",
    "for i in range(3)",
    "a b c",
    "    stray indent ]",
    "!ls -la",
    "%matplotlib inline",
    "return return",
    "x = (1, 2",
    "elif x:",
    "1 +",
]


def recovered(source: str) -> list[str]:
    return [s.code for s in parse_document(Document("x.py", [Cell("code", source)], "script"), frozenset("12")).statements]


@settings(max_examples=share.number(150), deadline=None)
@given(st.lists(st.sampled_from(GOOD), min_size=1, max_size=6))
def test_valid_source_is_split_into_its_statements(parts):
    source = "\n".join(parts)
    cut = [ast.dump(ast.parse(code)) for code in recovered(source)]
    assert cut == [ast.dump(ast.Module([n], [])) for n in ast.parse(source).body]


@settings(max_examples=share.number(150), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(GOOD), st.sampled_from([b for b in BAD if not set(b) & set("([]:")])), min_size=1, max_size=5
    )
)
def test_broken_neighbours_cost_no_good_statement(pairs):
    source = "\n".join(f"{good}\n{bad}" for good, bad in pairs)
    found = {ast.dump(ast.parse(code)) for code in recovered(source)}
    assert found >= {ast.dump(ast.Module([n], [])) for good, _ in pairs for n in ast.parse(good).body}


@pytest.mark.parametrize("bad", BAD)
def test_one_broken_chunk_costs_only_itself(bad):
    codes = recovered(f"x = 1\n{bad}\ny = 2\n")
    assert "x = 1" in codes and "y = 2" in codes


@pytest.mark.parametrize(
    "inside",
    [
        "@staticmethod\n    def f():\n        return 1",
        "@decorated(\n        1,\n    )\n    class A:\n        x = 1",
        'text = """\nat the margin\n  and not\n"""',
        'def f():\n        """What\nit does."""\n        return 1',
        "if x:\n        y = 1\n    else:\n        y = 2",
    ],
)
def test_what_stands_under_the_main_guard_is_its_own_statement(inside):
    guarded = f"x = 1\nif __name__ == '__main__':\n    {inside}\n    z = 3\n"
    assert [type(ast.parse(code)) for code in recovered(guarded)] == [ast.Module] * 3


@contextlib.contextmanager
def work_of(source: str):
    """Stop code that does more work than a source of this length may cost, counted in calls and characters parsed, not time.

    The budget is a few seconds for the longest source here. An endless loop without a call is stopped after a minute of
    processor time.
    """
    calls, characters = 10_000 + 300 * (source.count("\n") + 1), 40 * len(source)
    parse = ast.parse

    def counting(text, *args, **kwargs):
        nonlocal characters
        characters -= len(text)
        assert characters >= 0, "too much was parsed"
        return parse(text, *args, **kwargs)

    def profile(frame, event, arg):
        nonlocal calls
        calls -= event in ("call", "c_call")
        assert calls >= 0, "too many calls"

    def endless(*_):
        raise AssertionError("a minute of processor time")

    before = signal.signal(signal.SIGPROF, endless)
    signal.setitimer(signal.ITIMER_PROF, 60)
    ast.parse = counting
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
        ast.parse = parse
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.mark.many(of=6)
@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" + "\nf'{" * 4_000,
        '"""a\n' * 4_001,
        "(\n" * 10_000,
        "@\n" * 6_000,
        "x = \\\n" * 4_000,
        "(\n)\n'''\n" * 4_000,
        "[" * 100_000,
        "-" * 100_000 + "1",
        "!ls\n" * 6_000 + "(",
        "\n".join(" " * i + "if 1:" for i in range(200)),
        "x\n" + "else\n" * 4_000,
    ],
)
def test_hostile_source_is_split_in_seconds(source):
    with work_of(source):
        recovered(source)


@pytest.mark.parametrize(
    "heading, label",
    [
        ("## 1.2.1 Select", "1.2.1"),
        ("### §2.2 Experiment", "2.2"),
        ("**1.3.2** average", "1.3.2"),
        ("# Part 1.4: interactions", "1.4"),
        ("## Question 1.2.2", "1.2.2"),
        ("- 2.2 in a table of contents", ""),
        ("see 1.2.1 above", ""),
        ("## 10.2 elsewhere", ""),
        ("## 1.2.1\n## Notes", ""),
        ("## 1.2.1\n#### A hint", "1.2.1"),
    ],
)
def test_headings_label_what_is_under_them(heading, label):
    document = Document("x.ipynb", [Cell("markdown", heading), Cell("code", "x = 1")], "notebook")
    assert parse_document(document, frozenset("12")).statements[0].label == label


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", "\n\r"])
def test_a_cell_is_split_into_its_statements_whatever_its_line_ends_are(end):
    source = end.join(["def f(a):", "    return a", "x = [", "1,", "2]", "y = 3"])
    notebook = {"cells": [{"cell_type": "code", "source": source}], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}
    document = read("A2S1.ipynb", json.dumps(notebook).encode(), 1 << 20)
    names = [getattr(s.node, "name", "") or s.node.targets[0].id for s in parse_document(document, frozenset()).statements]
    assert names == ["f", "x", "y"]
