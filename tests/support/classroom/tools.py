"""What students' tools write, section by section, with what their authors do to it; and what is not run, with the sentence."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterable

import nbformat

from support.classroom.case import Case, case
from support.classroom.cells import ANSWERS_1, ANSWERS_2, SETUP_2, Cell, Text, dedent, lines, section1, section2
from support.classroom.forms import colab, ipynb, nbconvert, notebook, percent, py

Writer = Callable[[list[Cell]], str]


def commented(text: str, mark: str = "# ") -> str:
    return textwrap.indent(text, mark, lambda _: True).replace(f"{mark}\n", f"{mark.strip()}\n")


def databricks(cells: list[Cell]) -> str:
    written = [commented(f"%md {c.source}", "# MAGIC ") if isinstance(c, Text) else c for c in cells]
    return "# Databricks notebook source\n" + "\n\n# COMMAND ----------\n\n".join(written) + "\n"


def titled_databricks(cells: list[Cell]) -> str:
    """With titles, ``%md-sandbox`` and ``%python`` cells."""
    text = databricks(cells).replace("# MAGIC %md ", "# DBTITLE 1,Text\n# MAGIC %md-sandbox\n# MAGIC ")
    return text.replace(f"\n{SETUP_2}\n", "\n" + commented(f"%python\n{SETUP_2}", "# MAGIC ") + "\n")


def marimo(cells: list[Cell]) -> str:
    """An app; a name that one cell binds is a parameter of the cells that read it."""
    bound = {c: names_of(c, ast.Store) for c in cells if isinstance(c, str)}
    everything = {name for names in bound.values() for name in names}
    parts = ['import marimo\n\n__generated_with = "0.14.0"\napp = marimo.App(width="medium")\n']
    for c in cells:
        if isinstance(c, Text):
            body = f'    mo.md(r"""\n    {c.source}\n    """)\n    return\n'
            parts.append(f"@app.cell(hide_code=True)\ndef _(mo):\n{body}")
            continue
        reads = [name for name in names_of(c, ast.Load) if name in everything and name not in bound[c]]
        returned = f"    return {', '.join(bound[c])}," if bound[c] else "    return"
        parts.append(f"@app.cell\ndef _({', '.join(reads)}):\n{textwrap.indent(c, '    ')}\n{returned}\n")
    parts.append("@app.cell\ndef _():\n    import marimo as mo\n    return (mo,)\n")
    return "\n\n".join([*parts, 'if __name__ == "__main__":\n    app.run()\n'])


def names_of(code: str, context: type[ast.expr_context]) -> list[str]:
    """The names that a cell reads, or those that it binds at its top level."""
    body = ast.parse(code).body
    if context is ast.Load:
        return used(body, context)
    functions = [node for node in body if isinstance(node, ast.FunctionDef)]
    modules = [a.asname or a.name.split(".")[0] for node in body if isinstance(node, ast.Import) for a in node.names]
    return [*used([node for node in body if node not in functions], context), *[f.name for f in functions], *modules]


def used(body: list[ast.stmt], context: type[ast.expr_context]) -> list[str]:
    nodes = (node for statement in body for node in ast.walk(statement))
    return list(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)))


def reversed_marimo(cells: list[Cell]) -> str:
    """The cells upside down, as marimo may keep them: it runs them by their names."""
    return marimo(cells[::-1])


def quarto(cells: list[Cell]) -> str:
    fenced = [c.source if isinstance(c, Text) else f"```{{python}}\n#| echo: false\n{c}\n```" for c in cells]
    return '---\ntitle: "Assignment 2"\njupyter: python3\n---\n\n' + "\n\n".join(fenced) + "\n"


def r_markdown(cells: list[Cell]) -> str:
    fenced = [c.source if isinstance(c, Text) else f"```{{python cell, echo=FALSE}}\n{c}\n```" for c in cells]
    return "\n\n".join(["```{r setup}\nlibrary(reticulate)\n## 2.2 of R\n```", *fenced]) + "\n"


def spyder(cells: list[Cell]) -> str:
    return "\n".join(f"#%% [md]\n{commented(c.source)}" if isinstance(c, Text) else f"#%% step\n{c}" for c in cells)


def codecells(cells: list[Cell]) -> str:
    parts = (f"# <markdowncell>\n\n{commented(c.source)}" if isinstance(c, Text) else f"# <codecell>\n\n{c}" for c in cells)
    return "# <nbformat>3.0</nbformat>\n\n" + "\n\n".join(parts) + "\n"


def light(cells: list[Cell]) -> str:
    import jupytext

    return jupytext.writes(notebook(cells), fmt="py:light")


def hydrogen(cells: list[Cell]) -> str:
    import jupytext

    return jupytext.writes(notebook(cells), fmt="py:hydrogen")


def gallery(cells: list[Cell]) -> str:
    bar = "#" * 79
    return '"""\nAssignment 2\n"""\n' + "\n\n".join(
        f"{bar}\n{commented(c.source)}" if isinstance(c, Text) else c for c in cells
    )


TOOLS: dict[str, tuple[str, Writer]] = {
    "databricks": ("py", databricks),
    "databricks-titled": ("py", titled_databricks),
    "marimo": ("py", marimo),
    "marimo-reversed": ("py", reversed_marimo),
    "quarto": ("qmd", quarto),
    "rmarkdown": ("Rmd", r_markdown),
    "spyder": ("py", spyder),
    "codecells": ("py", codecells),
    "light": ("py", light),
    "hydrogen": ("py", hydrogen),
    "gallery": ("py", gallery),
    "colab": ("py", colab),
    "nbconvert": ("py", nbconvert),
    "percent": ("py", percent),
}
DOCUMENTED = '''
    def attn_scaled(A, n_embd, n_heads):
        """Scaled, as in

    # %% [markdown]
    # In[1]:
    # COMMAND ----------
    # MAGIC %md ## 2.2
    # <codecell>
    # %%time
        """
        return A / math.sqrt(n_embd / n_heads)
'''
ABLATION = [
    Text("## 2.2 Experiments"),
    "def causal_ablation(A):\n    return A",
    "def attn_scaled(A, n_embd, n_heads):\n    return 0 * A",
]


def prompted(code: str) -> str:
    rows = code.split("\n")
    return "\n".join(f"... {row}" if row[:1] in (" ", "") else f">>> {row}" for row in rows)


def numbered(code: str) -> str:
    rows = code.split("\n")
    return "\n".join(f"   ...: {row}" if n else f"In [7]: {row}" for n, row in enumerate(rows)) + "\n\nOut[7]: 3"


def changed(**changes: Callable[[str], Cell]) -> list[Cell]:
    return section2(**{name: change(ANSWERS_2[name]) for name, change in changes.items()})


def in_tool(tool: str, trouble: str, why: str, first: list[Cell] | None, second: list[Cell] | None) -> Case:
    """Both sections as a tool writes them; one that is None comes as plain script."""
    suffix, written = TOOLS[tool]
    files = {f"A2S1.{suffix}": written(first)} if first else {"A2S1.py": py(section1())}
    files |= {f"A2S2.{suffix}": written(second)} if second else {"A2S2.py": py(section2())}
    return case(f"tool-{tool}-{trouble}", files, why)


def read_as_ipython(name: str, **answers: Cell) -> Case:
    return case(f"ipython-{name}", {"A2S1.ipynb": ipynb(section1(**answers)), "A2S2.py": py(section2())}, "as IPython reads it")


MAGIC_131 = ANSWERS_1["query131"].split("\n")[0]
IPYTHON = {
    "prun": f"%prun -q {MAGIC_131}",
    "prun-options": f"%prun -s cumulative -l 3 {MAGIC_131}",
    "time": f"%time {MAGIC_131}",
    "time-assigned": "query131 = %time torch.zeros(3)",
    "time-continued": "%time query131 = \\\n    torch.zeros(3)",
    "cell-time": f"%%time\n{MAGIC_131}",
    "capture": f"%%capture out\n!pip install einops\n{MAGIC_131}",
    "indented": f"    {MAGIC_131}\n    check_query(query131, value.mean(0))",
    "shell": f"!pip install -q \\\n    einops\nfiles = !ls\nhome = %env HOME\n{MAGIC_131}",
    "automagic": f"pip install torch\ncd /content\n{MAGIC_131}",
    "help": f"?torch\ntorch.zeros??\ntorch.ones?\n{MAGIC_131}",
    "line-magics": f"%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n{MAGIC_131};",
    "prompts": prompted(MAGIC_131),
    "in-prompts": numbered(MAGIC_131),
    "late-magic": f"# timed\n%%time\n{MAGIC_131}",
    "in-block": f"with torch.no_grad():\n    !nvidia-smi\n    %time {MAGIC_131}",
}

SOFTMAX = ANSWERS_2["attn_softmax"]
REFUSED = {
    "no-break-space": (SOFTMAX.replace("def ", "def\u00a0"), "cell 5, line 1: invalid non-printable character U+00A0"),
    "zero-width": (SOFTMAX.replace("return ", "return \u200b"), "cell 5, line 2: invalid non-printable character U+200B"),
    "curly-quotes": (lines(SOFTMAX, "    print(“done”)"), "cell 5, line 3: invalid character '“' (U+201C)"),
    "bracket": (SOFTMAX.replace("dim=-1)", "dim=-1"), "cell 5, line 2: '(' was never closed"),
    "tabs": (lines("def attn_softmax(A):", "\tA = A + 0", "        return A"), "cell 5, line 3: inconsistent use of tabs"),
    "string": (lines("def attn_softmax(A):", "    print('done)", "    return A"), "line 2: unterminated string literal"),
    "colon": (SOFTMAX.replace("(A):", "(A)"), "cell 5, line 1: expected ':'"),
    "margin": (lines("def attn_softmax(A):", "return A"), "cell 5, line 2: expected an indented block"),
    "unindent": (lines("def attn_softmax(A):", "    B = A", "  return B"), "cell 5, line 3: unindent does not match"),
    "behind-magic": (lines("!ls", "", SOFTMAX.replace("dim=-1)", "dim=-1")), "cell 5, line 4: '(' was never closed"),
    "markdown": (Text(SOFTMAX), "it stands in a Markdown cell, which is not run (cell 5, line 1)"),
    "fenced": (Text(f"```python\n{SOFTMAX}\n```"), "it stands in a Markdown cell, which is not run (cell 5, line 2)"),
    "writefile": (f"%%writefile mine.py\n{SOFTMAX}", "it stands in mine.py, which a cell writes but does not run"),
    "bash": (f"%%bash\n{SOFTMAX}", "it stands in a cell that is not run as Python (%%bash) (cell 5, line 2)"),
    "quoted": (f"'''\n{SOFTMAX}\n'''", "it stands in a text between quotes, which is not run (cell 5, line 2)"),
}  # fmt: skip


def raw() -> str:
    made = notebook(section2())
    made.cells[4] = nbformat.v4.new_raw_cell(made.cells[4].source)
    return nbformat.writes(made)


def refused(name: str, source: str, sentence: str) -> Case:
    made = case(
        f"not-run-{name}", {"A2S1.py": py(section1()), "A2S2.ipynb": source}, "it says what Python says", {"2.1.attn_softmax"}
    )
    made.says = {"2.1.attn_softmax": sentence}
    return made


def all_of(tools: Iterable[str]) -> list[Case]:
    cases = []
    for tool in tools:
        if tool != "marimo-reversed":  # m_key has two definitions
            cases.append(in_tool(tool, "s1", "section 1 as this tool writes it", section1(), None))
        second = section2(attn_scaled=dedent(DOCUMENTED))
        if not tool.startswith("marimo"):  # where a name has one definition
            second = [Text("## 2.1 Attention"), *second, *ABLATION]
        cases.append(in_tool(tool, "s2", "markers in a docstring, an ablation under its heading", None, second))
    return cases


CASES = [
    *all_of(TOOLS),
    *(read_as_ipython(name, query131=source) for name, source in IPYTHON.items()),
    case(
        "ipython-prompts-s2",
        {
            "A2S1.py": py(section1()),
            "A2S2.ipynb": ipynb(changed(attn_softmax=prompted, split_heads=numbered, merge_heads=prompted)),
        },
        "functions pasted with their prompts",
    ),
    *(refused(name, ipynb(section2(attn_softmax=[source])), sentence) for name, (source, sentence) in REFUSED.items()),
    refused("raw", raw(), "it stands in a raw cell, which is not run (cell 5, line 1)"),
]
