"""Code that needs a newer Python is told apart from code that is wrong."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.core.newer_syntax import needs

OLD = (3, 10)
NEWER = {
    "try:\n    pass\nexcept* ValueError:\n    pass": (3, 11),
    'x = f"{d["a"]}"': (3, 12),
    'x = f"{", ".join(names)}"': (3, 12),
    'x = f"{f"{f"{1}"}"}"': (3, 12),
    'x = f"{d["a"]}" "b" f"c"': (3, 12),
    'x = f"{d["a"] = }"': (3, 12),
    'x = f"{a!r:>{w}} {b["c"]:.2f}"': (3, 12),
    'x = f"{a:%H:%M}{b["c"]}"': (3, 12),
    'x = f"{x != y and d["a"]}"': (3, 12),
    'x = f"{(lambda x: x)("a")}"': (3, 12),
    "x = f\"{'\\n'.join(names)}\"": (3, 12),
    'x = f"{a\n}"': (3, 12),
    'x = f"""{a  # why\n}"""': (3, 12),
    "def f[T](x: T) -> T:\n    return x": (3, 12),
    "async def f[T: (int, str), *Ts, **P]():\n    pass": (3, 12),
    "class A[T: int]:\n    pass": (3, 12),
    "type X = list[int]": (3, 12),
    "type X[T] = list[T]": (3, 12),
    "try:\n    pass\nexcept A, b.B:\n    pass": (3, 14),
    'x = t"{a}"': (3, 14),
    'def f[T](x):\n    return t"{x}"': (3, 14),
}
WRONG = (
    'x = f"{d["a" + }"',
    'x = f"{a b}"',
    'x = f"{a["b]}"',
    'x = f"{d["a"]}" +',
    'x = f"{d["a"]',
    'x = f"{!',
    "x = (",
    "def f(:",
    "def f[T(x):\n    pass",
    "type = 3 4",
    "type X",
    'print "hello"',
    "except* ValueError:",
    "x = '{d['a']}'",
    "# def f[T](x): pass\ny = 3 4",
    "'''def f[T](x): pass''' 1",
)
HOSTILE = ("f'{", "f'{{}'", "f'{a!r}'", "f'{f'", 't"{x:{y:{z:{w}}}}"' * 9, "f'" * 5000 + "{" * 5000, '"' * 9999)


@pytest.mark.parametrize("source", NEWER)
def test_newer_syntax_is_told_with_its_version(source):
    assert needs(source, OLD) == NEWER[source]
    assert needs(source, NEWER[source]) is None, "this Python parses it"


@pytest.mark.parametrize("source", NEWER)
def test_this_python_agrees(source):
    try:
        compile(source, "", "exec")
    except SyntaxError:
        assert NEWER[source] > sys.version_info[:2]
    else:
        assert NEWER[source] <= sys.version_info[:2]


@pytest.mark.parametrize("source", WRONG)
def test_what_is_wrong_in_every_version_needs_no_newer_one(source):
    assert needs(source, OLD) is None


@pytest.mark.parametrize("source", HOSTILE)
def test_no_hostile_text_breaks_it(source):
    needs(source, OLD)


@given(st.text(alphabet="ft'\"{}[]()!:=#\\\n ax.,*", max_size=60))
def test_no_random_text_breaks_it(source):
    needs(source, OLD)
