"""Of several files for one section the one with the student's work is graded, and work in two files is one submission."""

import ast
import json

import pytest

from support.project import DATA

S2 = (DATA / "right_s2.py").read_text()
NAMES = [node.name for node in ast.parse(S2).body if isinstance(node, ast.FunctionDef)]
STUB = '\n    """What it does."""\n    # TODO: one line\n'
EMPTY = "import torch\n" + "".join(f"def {name}(*args, **kwargs):{STUB}" for name in NAMES)
WRONG = S2.replace("dim=-1", "dim=-2")


def notebook(*sources: str) -> str:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def split(part: str) -> tuple[str, str]:
    """The right file without the functions that are named, and they alone."""
    nodes = ast.parse(S2).body
    named = [node for node in nodes if getattr(node, "name", "") in part.split()]
    return "\n".join(ast.unparse(node) for node in nodes if node not in named), "\n".join(map(ast.unparse, named))


def lost(graded) -> set[str]:
    return {id for id in graded.lost if id.startswith("2.1")}


@pytest.mark.parametrize(
    "untouched",
    ["A2S2 (1).ipynb", "A2S2-Copy1.ipynb", "A2S2 - Kopie.ipynb", "A2S2.py", "A2S2_final.ipynb", "student/A2S2.ipynb"],
)
def test_the_untouched_handout_beside_it_is_never_graded(submit, untouched):
    empty = EMPTY if untouched.endswith(".py") else notebook(EMPTY)
    assert lost(submit({"A2S2.ipynb": notebook(S2), untouched: empty})) == set()


def test_work_in_a_subfolder_is_graded_when_only_the_untouched_handout_lies_at_the_top(submit):
    assert lost(submit({"A2S2.ipynb": notebook(EMPTY), "my work/A2S2.ipynb": notebook(S2)})) == set()


@pytest.mark.parametrize(
    "meant, other",
    [
        ("A2S2.ipynb", "A2S2 (1).ipynb"),
        ("A2S2.ipynb", "A2S2-Copy1.ipynb"),
        ("A2S2_v2.ipynb", "A2S2_v1.ipynb"),
        ("A2S2_v10.ipynb", "A2S2_v9.ipynb"),
        ("A2S2 (2).ipynb", "A2S2 (1).ipynb"),
        ("A2S2_final.ipynb", "A2S2_draft.ipynb"),
        ("A2S2_final_FINAL.ipynb", "A2S2_final.ipynb"),
        ("hw2 A2S2.ipynb", "hw2 A2S2 backup.ipynb"),
    ],
)
def test_of_two_whole_files_the_name_tells_which_is_meant_and_the_other_is_named(submit, meant, other):
    graded = submit({meant: notebook(S2), other: notebook(WRONG)})
    assert lost(graded) == set()
    assert f"{other} differs from it and was not graded" in json.dumps(graded.tree)


@pytest.mark.parametrize("name", ["section 3/notebook.py", "x/lösung.py", "hf/finetune.py"])
def test_a_section_under_another_name_in_a_folder_is_found(submit, s1, name):
    assert lost(submit({"A2S1.py": s1, name: S2})) == set()


def test_a_file_in_a_folder_that_only_shares_a_name_with_a_section_is_not_taken_for_it(submit, s1):
    graded = submit({"A2S1.py": s1, "tools/masks.py": "def make_causal_mask(n):\n    return n\n"})
    assert "no file for A2S2 was submitted" in graded.output("2.1.make_causal_mask")


@pytest.mark.parametrize(
    "part", ["split_heads merge_heads", "self_attention", "attn_softmax make_causal_mask pairwise_similarities"]
)
@pytest.mark.parametrize(
    "first, second, imports",
    [
        ("A2S2_part1.ipynb", "A2S2_part2.ipynb", ""),
        ("A2S2_part1.py", "A2S2_part2.py", "from A2S2_part1 import *\n"),
        ("A2S2.py", "A2S2_heads.py", "from A2S2 import *\n"),
        ("A2S2_2.py", "A2S2_1.ipynb", ""),
    ],
)
def test_answers_in_two_files_of_a_section_are_graded_together(submit, first, second, imports, part):
    most, rest = split(part)
    files = {first: most, second: f"import torch\n{imports}{rest}"}
    assert lost(submit({name: notebook(text) if name.endswith("nb") else text for name, text in files.items()})) == set()


def test_two_copies_of_the_handout_each_filled_in_half_are_graded_together_and_a_mistake_names_its_file(submit):
    most, rest = split("split_heads attn_softmax")
    stubs = [f"def {name}(*args):{STUB}" for name in ("split_heads", "attn_softmax")]
    files = {
        "A2S2_a.ipynb": notebook(most, *stubs),
        "A2S2_b.ipynb": notebook(EMPTY, "import torch.nn.functional as F", rest.replace("dim=-1", "dim=-1, no=1")),
    }
    graded = submit(files)
    assert "2.1.attn_softmax" in lost(graded) and "2.1.split_heads" not in lost(graded)
    assert "cell 3, line" in graded.output("2.1.attn_softmax") and "of A2S2_b.ipynb" in graded.output("2.1.attn_softmax")


def test_where_two_files_give_a_helper_another_meaning_the_one_with_more_answers_counts(submit):
    most, rest = split("make_causal_mask")
    fuller = most.replace("return A @ V", "return helped(A, V)") + "\ndef helped(A, V):\n    return A @ V\n"
    other = f"import torch\ndef helped(A, V):\n    return 0\n{rest}\n"
    assert lost(submit({"A2S2_a.py": fuller, "A2S2_b.py": other})) == set()


@pytest.mark.parametrize(
    "runs",
    [
        "%run heads.py",
        "%run -i ./heads.py",
        "%run heads",
        "exec(open('heads.py').read())",
        "exec(compile(open('heads.py').read(), 'heads.py', 'exec'))",
        "from pathlib import Path\nexec(Path('heads.py').read_text())",
        "get_ipython().run_line_magic('run', 'heads.py')",
    ],
)
@pytest.mark.parametrize("written", [True, False], ids=["written by a cell", "handed in"])
def test_a_file_of_ones_own_that_is_run_counts_as_if_it_stood_there(submit, runs, written):
    most, rest = split("split_heads merge_heads")
    first = [f"%%writefile heads.py\n{rest}"] if written else []
    files = {} if written else {"heads.py": rest}
    assert lost(submit({"A2S2.ipynb": notebook(*first, runs, most), **files})) == set()


@pytest.mark.parametrize(
    "runs", ["%run class.py", "%run ../a b.py", "%run", "%run 'x y.py'", "exec(code)", "exec(open(name).read())"]
)
def test_a_file_that_cannot_be_run_costs_nothing_else(submit, runs):
    assert lost(submit({"A2S2.ipynb": notebook(f"code = ''\n{runs}", S2)})) == set()


@pytest.mark.parametrize("heading", ["", "# scratch", "# ## Submit"])
def test_an_answer_at_the_end_of_the_notebook_counts_although_its_stub_stands_under_its_heading(submit, s1, heading):
    before, _, last = s1.rpartition("m_key = key.clone()\n")
    graded = submit({"A2S1.py": f"# 1.4.1\n{before}\n# 1.4.2\nm_key = None\n\n{heading}\n# %%\nm_key = key.clone()\n{last}"})
    assert {id for id in graded.lost if id.startswith("1.")} == set()
