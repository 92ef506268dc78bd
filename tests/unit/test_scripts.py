"""Every tool's script is cut where its author began a cell, and nowhere else; its lines keep their numbers."""

import ast
import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.checks.formats import CODE, MARKDOWN, RAW, Document, Unreadable, read
from autograder.checks.markers import MAX_RESTARTS, lines_of
from autograder.submission.statements import parse_document
from support import share
from support.project import DATA

MARKERS = [
    "# %%",
    "#%%",
    "# %% [markdown]",
    "# In[1]:",
    "# In[ ]:",
    "# <codecell>",
    "# COMMAND ----------",
    "# MAGIC %md",
    "# %%time",
]
PIECES = [
    '"',
    "'",
    "\\",
    "\n",
    "#",
    " %%",
    "# %%\n",
    '"""',
    "'''",
    "x",
    "# MAGIC ",
    "\n```{python}\n",
    ">>> ",
    "%time ",
    "\u00a0",
]
FUNCTION = 'def f(x):\n    """Doc.\n\n{}\n    x = 3\n    """\n    return x\n'
HEADS = {"databricks": "# Databricks notebook source\n", "percent": "# %%\n", "nbconvert": "# In[1]:\n", "script": ""}


def document(text: str, name: str = "a.py") -> Document:
    return read(name, text.encode(), 1 << 20)


def cells(text: str, name: str = "a.py") -> list[tuple[str, str]]:
    return [(cell.kind, cell.source.strip()) for cell in document(text, name).cells if cell.source.strip()]


def statements(text: str, name: str = "a.py") -> list[tuple[int, str]]:
    return [(s.line, s.code) for s in parse_document(document(text, name), frozenset("12")).statements]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("marker", MARKERS)
@pytest.mark.parametrize("after", ["", "\n# %%\ny = 2", '\n# COMMAND ----------\n"""text"""\n# In[2]:\ny = 2'])
def test_a_marker_inside_a_string_is_text(head, marker, after):
    text = HEADS[head] + FUNCTION.format(marker) + after
    assert FUNCTION.format(marker).strip() in [code for _, code in statements(text)]


@settings(max_examples=share.number(60), deadline=None)
@given(st.sampled_from(sorted(HEADS)), st.sampled_from(MARKERS), st.integers(0, 10**6))
def test_a_marker_in_the_docstring_of_a_right_answer_loses_no_statement(head, marker, seed):
    source = (DATA / "right_s2.py").read_text()
    lines = source.split("\n")
    definitions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    at = random.Random(seed).choice(definitions).body[0].lineno - 1
    changed = [*lines[:at], '    """', marker, f"{marker} 2.2", '    """', *lines[at:]]
    names = [getattr(s.node, "name", s.code) for s in parse_document(document(source), frozenset("12")).statements]
    text = HEADS[head] + "\n".join(changed)
    found = parse_document(document(text), frozenset("12")).statements
    assert [getattr(s.node, "name", s.code) for s in found] == names
    assert {s.label for s in found} == {""}


@pytest.mark.parametrize("opened", ['x = """never closed', "x = '''never\nclosed", 'def g():\n    """a\n    return 1'])
def test_a_string_that_does_not_end_costs_its_own_cell(opened):
    text = f'# %%\n{opened}\n# %%\ndef f():\n    """Doc."""\n    return 1\n# %%\ny = 2\n'
    codes = [code for _, code in statements(text)]
    assert 'def f():\n    """Doc."""\n    return 1' in codes and "y = 2" in codes


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=share.number(300), deadline=None)
def test_random_text_is_read_in_every_format(text):
    for head in ["", *HEADS.values(), "import marimo\napp = marimo.App()\n@app.cell\ndef _():\n    "]:
        for name in ("a.py", "a.qmd"):
            with contextlib.suppress(Unreadable):
                parse_document(document(head + text, name), frozenset("12"))


def test_strings_that_do_not_end_cost_work_in_proportion_to_the_length():
    import autograder.checks.markers as markers

    scanned, plain = 0, markers._strings

    def counting(text, start):
        nonlocal scanned
        scanned += len(text) - start
        return plain(text, start)

    text = '# %%\n"""\n' * 10_001
    markers._strings = counting
    try:
        lines_of(text, markers.PERCENT)
    finally:
        markers._strings = plain
    assert scanned <= MAX_RESTARTS * len(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("#%%\nx = 1\n#%% 1.2.1 title\ny = 2", [(2, "x = 1"), (4, "y = 2")]),
        ("# <codecell>\n\nx = 1\n\n# <markdowncell>\n\n# ## text\n\n# <codecell>\n\ny = 2", [(3, "x = 1"), (11, "y = 2")]),
        ("# %% [markdown]\n# x = 0\n# %%\ny = 2", [(4, "y = 2")]),
        ('# %% [markdown]\n"""\nx = 0\n"""\ny = 2', [(5, "y = 2")]),
        ("# %% [markdown]\n# text\ny = 2", [(3, "y = 2")]),
        ("# %% [raw]\nx = 1\n# %%\ny = 2", [(4, "y = 2")]),
        ("# %%\n# %%time\n# x = 1\n\n# %%\ny = 2", [(3, "x = 1"), (6, "y = 2")]),
        ("# %%\n# %%capture\n# !pip install x\n# x = 1", [(3, "pass"), (4, "x = 1")]),
        ("# %%\n# %%bash\n# ls -la\n# %%\ny = 2", [(5, "y = 2")]),
        ("# %%\n# %time x = 1", [(2, "x = 1")]),
        ("# %%\n# %prun -q x = f(1)", [(2, "x = f(1)")]),
        (
            "# ---\n# jupyter:\n#   jupytext:\n#     x: 1\n# ---\n\n# # Text\n\n# +\nx = 1\n# -\n\ny = 2",
            [(10, "x = 1"), (13, "y = 2")],
        ),
        ('"""\nTitle\n=====\n"""\nx = 1\n\n####################\n# Text\n\ny = 2', [(5, "x = 1"), (10, "y = 2")]),
    ],
)
def test_cells_of_a_script_keep_their_lines(text, expected):
    assert statements(text) == expected


@pytest.mark.parametrize(
    "cell, expected",
    [
        ("# MAGIC %md ## 2.2 Title", (MARKDOWN, "## 2.2 Title")),
        ("# MAGIC %md\n# MAGIC ## 2.2 Title", (MARKDOWN, "## 2.2 Title")),
        ("# MAGIC %md-sandbox\n# MAGIC ## 2.2", (MARKDOWN, "## 2.2")),
        ("# MAGIC %md-sandbox ## 2.2", (MARKDOWN, "## 2.2")),
        ("# DBTITLE 1,Some title\n# MAGIC %md ## 2.2", (MARKDOWN, "## 2.2")),
        ("# MAGIC %python\n# MAGIC x = 1", (CODE, "x = 1")),
        ("# MAGIC %python x = 1", (CODE, "x = 1")),
        ("# MAGIC %sql\n# MAGIC select 1", (CODE, "%%sql\nselect 1")),
        ("# MAGIC %run ./setup", (CODE, "%run ./setup")),
        ("# DBTITLE 1,2.2 Title\nx = 1", (CODE, "# 2.2 Title\nx = 1")),
    ],
)
def test_what_stands_behind_databricks_magic_is_what_it_says(cell, expected):
    text = f"# Databricks notebook source\nx = 0\n\n# COMMAND ----------\n\n{cell}\n\n# COMMAND ----------\n\ny = 2\n"
    assert cells(text)[1:-1] == [expected]


MARIMO = '''import marimo

__generated_with = "0.14.0"
app = marimo.App(width="medium")

with app.setup:
    # the set-up
    import torch


@app.cell(hide_code=True)
def _(mo):
    mo.md(
        r"""
    ## 2.2 Title
    """
    )
    return


@app.cell
def _(b):
    c = b + 1
    return (c,)


@app.cell
def named(
    torch,
):
    # 1.2.1
    text = """a
at the margin"""
    b = 1

    def f(x):
        return x
    return b, f, text


@app.function
# a comment
def g(x):
    return x


@app.class_definition
class C:
    pass


app._unparsable_cell(
    r"""
    d = 3
    e = (
    """,
    name="_"
)


@app.cell
def _():
    import marimo as mo
    return (mo,)


if __name__ == "__main__":
    app.run()
'''


def test_the_cells_of_a_marimo_app_run_in_the_order_of_their_names_and_keep_their_lines():
    assert statements(MARIMO, "A2S1.py") == [
        (8, "import torch"),
        (32, 'text = """a\nat the margin"""'),
        (34, "b = 1"),
        (36, "def f(x):\n    return x"),
        (23, "c = b + 1"),
        (43, "def g(x):\n    return x"),
        (48, "class C:\n    pass"),
        (54, "d = 3"),
        (63, "import marimo as mo"),
    ]
    assert (MARKDOWN, "## 2.2 Title") in cells(MARIMO)
    lines = MARIMO.split("\n")
    for line, code in statements(MARIMO):
        assert lines[line - 1].strip() == code.split("\n")[0]


def test_a_marimo_app_that_does_not_parse_is_told_what_to_hand_in():
    with pytest.raises(Unreadable, match=r"A2S1\.py is a marimo app .* export it as a notebook \(\.ipynb\) and hand that in"):
        document(MARIMO.replace("b = 1", "b = (1"), "A2S1.py")


def test_a_script_that_only_speaks_of_marimo_is_a_script():
    assert document('"""\nimport marimo\n"""\napp = App()\nx = 1').format == "script"
    assert statements("import marimo\napp = marimo.App()\nx = 1")[-1] == (3, "x = 1")


QUARTO = """---
title: "1.2"
---

## 2.1 Title

```{python}
#| label: x
x = 1
# 2.2 is a comment here
```

```{r}
## 2.2 in R
y <- 2
```

```python
z = 3
```

~~~~{python, echo=FALSE}
s = '''
```
'''
~~~~

  ```{python}
  w = 4
  ```
"""


@pytest.mark.parametrize("name", ["A2S2.qmd", "A2S2.Rmd"])
def test_what_a_quarto_document_runs_is_code_and_its_headings_stand_outside(name):
    assert statements(QUARTO, name) == [(9, "x = 1"), (23, "s = '''\n```\n'''"), (29, "w = 4")]
    assert [cell.kind for cell in document(QUARTO, name).cells if cell.kind == RAW] == [RAW, RAW]
