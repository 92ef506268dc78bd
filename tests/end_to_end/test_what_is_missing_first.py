"""An item that is lost to code that was not run names that code, its place and the reason, before what follows from it."""

import ast

import pytest

from support.project import DATA

RIGHT = {name: (DATA / name).read_text() for name in ("right_s1.py", "right_s2.py")}
FILES = {"right_s1.py": "A2S1.py", "right_s2.py": "A2S2.py"}


def names_of(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name for alias in node.names]
    if isinstance(node, ast.FunctionDef):
        return [node.name]
    return [target.id for target in getattr(node, "targets", []) if isinstance(target, ast.Name)]


def unclosed(text: str, names: list[str]) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first + " + (" if rest == [] else first + "(", *rest])


def indented(text: str) -> str:
    return text.replace("\n", "\n    ")


# How a statement is broken -> (its new text, what its author reads beside its line).
BREAKS = {
    "Python refuses it": (unclosed, "Python refuses line {line}: "),
    "it raises": (lambda text, names: f"if 1 / 0:\n    {indented(text)}", "line {line} raised ZeroDivisionError"),
    "it is not run": (lambda text, names: f"{' = '.join(names)} = input()", "line {line} was not run because it calls `input`"),
    "it is a text": (
        lambda text, names: f"'''\n{text}\n'''",
        "it stands in a text between quotes, which is not run (line {below})",
    ),
    "it comes later": (lambda text, names: "", "line {last}"),
}


def broken(file: str, index: int, kind: str) -> tuple[str, str]:
    """A right file with one statement broken, and the words that have to be told."""
    source = RIGHT[file]
    node = ast.parse(source).body[index]
    lines = source.split("\n")
    change, words = BREAKS[kind]
    own = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    changed = [*lines[: node.lineno - 1], *change(own, names_of(node)).split("\n"), *lines[node.end_lineno :]]
    if kind == "it comes later":
        changed = [*lines[: node.lineno - 1], *lines[node.end_lineno :], own]
    return "\n".join(changed), words.format(line=node.lineno, below=node.lineno + 1, last=len(changed) - own.count("\n"))


# What the notebooks give (imports, key, value, functions), and a second ``m_key = key.clone()``.
GIVEN = {"right_s1.py": (0, 2, 4, 6, 7, 17), "right_s2.py": (0, 1, 2, 10)}
STATEMENTS = [
    (file, index) for file, source in RIGHT.items() for index, node in enumerate(ast.parse(source).body) if names_of(node)
]
TRIED = [(*place, kind) for n, kind in enumerate(BREAKS) for place in STATEMENTS[n % 3 :: 3]]
TRIED.remove(("right_s1.py", 14, "it comes later"))  # another statement binds this name, and later, too


@pytest.mark.many(of=20)
@pytest.mark.parametrize("file, index, kind", TRIED, ids=[f"{file} {index}: {kind}" for file, index, kind in TRIED])
def test_every_lost_item_names_the_statement_that_was_not_run(submit, file, index, kind):
    source, words = broken(file, index, kind)
    graded = submit({FILES[file]: source})
    lost = {id for id in graded.lost if id.startswith(file[7] + ".")}
    assert lost or index in GIVEN[file] or kind == "it comes later"
    for id in lost:
        assert words in graded.output(id).split("\n")[0], (id, graded.output(id), words)


@pytest.mark.many(of=4)
@pytest.mark.parametrize(
    "source, item, told",
    [
        (
            "import torch\nn = int(input())\nquery121 = n * key[0]",
            "1.2.1",
            "`n` has no value: line 2 was not run because it calls `input` (`n = int(input())`), so `query121` has none",
        ),
        (
            "import torch\na = int(open('n').read())\nb = a * 2\nquery121 = b * key[0]",
            "1.2.1",
            "`a` has no value: line 2 raised FileNotFoundError",
        ),
        (
            "import torch\nquery121 = n * key[0]\nn = 100",
            "1.2.1",
            "`n` has no value: it is only defined later, at line 3 (`n = 100`), so `query121` has none",
        ),
        (
            "def f():\n    query121 = 100 * key[0]\n    return query121",
            "1.2.1",
            "`query121` is not defined in A2S1.py: is its TODO cell missing?",
        ),
        ('d = {"a": 100}\nquery121 = d["a"] * key[0] @', "1.2.1", "Python refuses line 2: invalid syntax"),
        (
            "x = 1\nquery121 = t'{x}'",
            "1.2.1",
            "Python refuses line 2: it needs Python 3.14; it is graded with 3.",
        ),
    ],
)
def test_the_first_thing_that_went_wrong_is_told(submit, source, item, told):
    assert told in submit({"A2S1.py": source}).output(item)


RENAMED = {
    "merge_heads": ("merge_head", "line 31 defines `merge_head`, but the name has to be `merge_heads`"),
    "attn_softmax": ("attn_soft_max", "line 18 defines `attn_soft_max`, but the name has to be `attn_softmax`"),
    "pairwise_similarities": (
        "pairwise_similarities_of_heads",
        "defines `pairwise_similarities_of_heads`, but the name has to be",
    ),
    "split_heads": ("my_split_heads", "defines `my_split_heads`, but the name has to be `split_heads`"),
    "compute_outputs": ("weigh", "`compute_outputs` is not defined in A2S2.py: is its TODO cell missing?"),
}
INSIDE = {
    "class A:": ("attn_softmax", "it is defined inside `A`, at line 19: it has to start at the left margin"),
    "def f():": ("compute_outputs", "it is defined inside `f`, at line 21: it has to start at the left margin"),
}


@pytest.mark.parametrize("name", RENAMED)
def test_an_answer_under_another_name_is_found_if_it_is_near(submit, name):
    other, told = RENAMED[name]
    source = RIGHT["right_s2.py"].replace(f"def {name}(", f"def {other}(")
    assert told in submit({"A2S2.py": source}).output(f"2.1.{name}")


@pytest.mark.parametrize("outer", INSIDE)
def test_an_answer_inside_of_something_else_is_found(submit, outer):
    name, told = INSIDE[outer]
    source = RIGHT["right_s2.py"].replace(f"def {name}(", f"{outer}\n  def {name}(").replace("    return", "      return")
    assert told in submit({"A2S2.py": source}).output(f"2.1.{name}")
