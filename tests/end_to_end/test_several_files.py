"""Of several files for one section the one with the student's work is graded, and work in two files is one submission."""

import ast
import json
import unicodedata

import pytest

from support.project import DATA

S2 = (DATA / "right_s2.py").read_text()
NAMES = [node.name for node in ast.parse(S2).body if isinstance(node, ast.FunctionDef)]
S3 = (DATA / "right_s3.py").read_text()
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
        ("A2S2_goldberg_2.ipynb", "A2S2_meyer_1.ipynb"),
        ("A2S2new.ipynb", "A2S2Old.ipynb"),
        ("smith_A2S2_v2.ipynb", "smith_A2S2.ipynb"),
    ],
)
def test_of_two_whole_files_the_name_tells_which_is_meant_and_the_other_is_named(submit, meant, other):
    graded = submit({meant: notebook(S2), other: notebook(WRONG)})
    assert lost(graded) == set()
    assert f"{other} differs from it and was not graded" in json.dumps(graded.tree)


@pytest.mark.parametrize("name", ["solved_final.py", "A2-2.py", "my work/hw.py", "a/b/c/attention.ipynb"])
@pytest.mark.parametrize("part", ["", "split_heads merge_heads"], ids=["all of it", "half of it"])
def test_work_under_another_name_beside_the_handout_is_graded(submit, name, part):
    most, rest = split(part)
    work, handout = (f"import torch\n{rest}", most) if part else (S2, EMPTY)
    assert lost(submit({"A2S2.ipynb": notebook(handout), name: notebook(work) if name.endswith("nb") else work})) == set()


def test_a_module_with_the_name_of_a_library_makes_no_answer_of_an_import(submit):
    files = {"A2S2.ipynb": notebook("import json", EMPTY), "my work/A2S2.ipynb": notebook(S2), "my work/json.py": "dumps = 1"}
    assert lost(submit(files)) == set()


def test_names_may_be_as_long_as_they_like(submit):
    folder = "CSE 447 Natural Language Processing Autumn 2026 homework two handed in by a group of two"
    assert len(folder) > 80
    files = {f"{folder}/A2S2_v1.ipynb": notebook(WRONG), f"{folder}/A2S2_v2.ipynb": notebook(S2)}
    assert lost(submit(files)) == set()


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
    "helper, used",
    [
        ("def helped(x, h):\n    # théir own\n    return x.reshape(*x.shape[:2], h, -1).transpose(1, 2)", "helped(x, n_heads)"),
        (
            "def helped(x, h=1):\n    return helped(x) if h < 0 else x.unflatten(-1, (h, -1)).transpose(1, 2)",
            "helped(x, h=n_heads)",
        ),
        (
            "def base(x):\n    return x.transpose(1, 2)\ndef helped(x, h):\n    return base(x.unflatten(-1, (h, -1)))",
            "helped(x, n_heads)",
        ),
    ],
)
def test_helpers_of_one_name_in_two_files_stay_apart(submit, helper, used):
    most, _ = split("split_heads")
    fuller = (
        most.replace("return A @ V", "return helped(A, V)")
        + "\ndef base(x):\n    return x\ndef helped(A, V):\n    return base(A) @ V\n"
    )
    other = f"import torch\n{helper}\ndef split_heads(x, n_heads):\n    return {used}\n"
    assert lost(submit({"A2S2_a.py": fuller, "A2S2_b.py": other})) == set()


@pytest.mark.parametrize(
    "importing",
    ["from heads import helped", "from heads import helped, split_heads", "from heads import (helped)", "import heads"],
)
def test_a_helper_of_another_file_is_the_one_that_is_imported(submit, importing):
    most, _ = split("split_heads merge_heads")
    fuller = most.replace("return A @ V", "return helped(A, V)") + "\ndef helped(A, V):\n    return A @ V\n"
    heads = (
        "import torch\ndef helped(x):\n    return x.transpose(1, 2)\n"
        "def split_heads(x, n_heads):\n    return helped(x.unflatten(-1, (n_heads, -1)))\n"
    )
    called = "heads.helped" if importing == "import heads" else "helped"
    rest = f"import torch\n{importing}\ndef merge_heads(y):\n    return {called}(y).flatten(-2)\n"
    assert lost(submit({"A2S2.ipynb": notebook(fuller), "heads.py": heads, "rest.ipynb": notebook(rest)})) == set()


@pytest.mark.parametrize(
    "helper, called",
    [
        ("def \u00b5(x):\n    return x.transpose(1, 2)", "\u00b5"),
        ("def \ufb01x(x):\n    return x.transpose(1, 2)", "\ufb01x"),
        ("async def f(x):\n    return x\ndef swapped(x):\n    return x.transpose(1, 2)", "swapped"),
        ("def \\\n  helped(x):\n    return x.transpose(1, 2)", "helped"),
    ],
    ids=["micro sign", "ligature", "async", "name in the next line"],
)
def test_a_helper_whose_name_cannot_be_replaced_stays_what_it_is(submit, helper, called):
    most, _ = split("split_heads")
    name = unicodedata.normalize("NFKC", called)
    fuller = most + f"\ndef {name}(A):\n    return A\ndef f():\n    return 0\n"
    other = f"import torch\n{helper}\ndef split_heads(x, n_heads):\n    return {called}(x.unflatten(-1, (n_heads, -1)))\n"
    assert lost(submit({"A2S2_a.py": fuller, "A2S2_b.py": other})) <= {"2.1.split_heads"}


def test_messages_have_the_names_that_students_wrote(submit):
    most, _ = split("split_heads")
    fuller = most.replace("return A @ V", "return helped(A, V)") + "\ndef helped(A, V):\n    return A @ V\n"
    other = "import torch\ndef helped(x, h):\n    return x\ndef split_heads(x, n_heads):\n    return helped(x)\n"
    graded = submit({"A2S2_a.py": fuller, "A2S2_b.py": other})
    assert "helped() missing 1 required" in graded.output("2.1.split_heads") and "_of_file" not in json.dumps(graded.tree)


def test_a_stub_with_a_type_is_a_stub(submit):
    stub = "def {}(*args, **kwargs):\n    out: torch.Tensor | None = None\n    return out\n"
    empty = "import torch\n" + "".join(stub.format(name) for name in NAMES)
    assert lost(submit({"A2S2.py": empty, "A2S2_mine.py": S2})) == set()


@pytest.mark.parametrize("change", [("* 2\n", "* 3\n"), ("m_key[2] = 1.0", "m_key[2] = 9.0")], ids=["helper", "in place"])
def test_a_file_agrees_with_another_only_if_all_behind_the_answers_does(submit, s1, change):
    more = "def twice(x):\n    return x * 2\nm_key[2] = 1.0\n"
    graded = submit({"A2S1.py": s1 + more, "A2S1_old.py": s1 + more.replace(*change)})
    assert "A2S1_old.py differs from it" in graded.tree["output"]


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


# Each answer comes from one file


def test_of_many_files_each_answer_is_taken_from_the_most_preferred_one_that_holds_it(submit):
    most, rest = split("split_heads merge_heads")
    wrong = rest.replace("transpose(1, 2)", "transpose(0, 1)")
    files = {"A2S2.ipynb": notebook(most), "A2S2_c_old.ipynb": notebook(wrong), "A2S2_b_final.ipynb": notebook(rest)}
    assert lost(submit(files)) == set()


def test_nine_functions_may_be_nine_files(submit):
    files = {
        f"A2S2_{number}.py": f"import math\nimport torch\nF = torch.nn.functional\n{split(name)[1]}"
        for number, name in enumerate(NAMES)
    }
    assert lost(submit(files)) == set()


@pytest.mark.parametrize("end", ["## 2.2 Experiments", "# 2.2"])
def test_the_second_half_may_follow_after_the_first_ones_experiments_and_be_written_in_steps(submit, end):
    most, rest = split("self_attention merge_heads")
    steps = [
        rest.replace(
            "self_attention(Q, K, V, n_heads=1, causal=True):",
            f"self_attention(Q, K, V, n_heads=1, causal=True):\n    return {x}",
        )
        for x in ("Q", "None")
    ]
    heading = {"cell_type": "markdown", "source": end, "metadata": {}}
    first = json.loads(notebook(most, "model = 1"))
    first["cells"].insert(1, heading)
    assert (
        lost(submit({"A2S2.ipynb": json.dumps(first), "A2S2_b.ipynb": notebook("import torch, math", *steps, rest)})) == set()
    )


@pytest.mark.parametrize(
    "scratch", ["key = torch.ones(2, 3)\nquery131 = torch.zeros(3)", "key = torch.eye(3)\nvalue = key\nquery131 = 0 * key[0]"]
)
@pytest.mark.parametrize("name", ["A2S1 (1).py", "A2S1_z.py", "scratch.py"])
def test_what_is_given_has_no_other_meaning_because_of_another_file(submit, name, scratch):
    right = "import torch\nquery121 = 100 * key[0]\nquery122 = 100 * key\nquery132 = 10 * (key[0] + key[1])\n"
    graded = submit({"A2S1.py": right, name: f"import torch\n{scratch}\n"})
    assert {id for id in graded.lost if id.startswith("1.")} == {"1.4.1", "1.4.2"}


@pytest.mark.parametrize("first, second", [("A2S1_a.py", "A2S1_b.py"), ("A2S1_b.py", "A2S1_a.py"), ("A2S1.py", "A2S1_rest.py")])
@pytest.mark.parametrize("cut", ["m_key = ", "query132 = ", "query122 = "])
def test_a_file_that_reads_what_another_one_binds_comes_after_it(submit, s1, first, second, cut):
    before, _, after = s1.partition(f"\n{cut}")
    given = s1.partition("S = 100")[0]
    for header in (given, f"from {first[:-3]} import *\n"):
        graded = submit({first: before, second: f"{header}\n{cut}{after}"})
        assert {id for id in graded.lost if id.startswith("1.")} == set()


def test_an_answer_under_its_heading_in_the_other_file_does_not_replace_the_chosen_ones(submit, s1):
    queries = s1.partition("m_key")[0]
    other = f"# 1.2.1\nquery121 = torch.ones(3)\n# 1.3.2\n{s1}"
    graded = submit({"A2S1.py": queries, "A2S1_old.ipynb": notebook(other.replace("query122 = S * key", "query122 = None"))})
    assert {id for id in graded.lost if id.startswith("1.")} == set()


FIRST = "m_key = key.clone()\nm_key[2] = (key[0] + key[1]) / 2"
SECOND = "m_key = key.clone()\nm_key[2] = query132 / query132.norm()"
CHANGED = "m_key = key.clone()\nm_key[2] += (key[0] + key[1]) / 2 - key[2]"


@pytest.mark.parametrize(
    "one, other",
    [
        (f"# 1.4.1\n{FIRST}\n# 1.4.2\nm_key = None", f"# 1.4.1\nm_key = None\n# 1.4.2\n{SECOND}"),
        (f"# 1.4.1\n{CHANGED}\n# 1.4.2\nm_key = None", f"# 1.4.2\n{SECOND}"),
        (f"# 1.4.1\n{FIRST}\n# 1.4.2\nm_key = None", SECOND),
        (f"# 1.4.1\nm_key = None\n# 1.4.2\n{SECOND}", FIRST),
        (f"# 1.4.1\n{FIRST}", f"# 1.4.1\nm_key = 7 * key\n# 1.4.2\n{SECOND}"),
        (f"# 1.4.2\n{SECOND}", f"# 1.4.1\n{FIRST}\n# 1.4.2\nm_key = 7 * key"),
    ],
    ids=["both stubs", "changed in place", "second without heading", "first without heading", "first twice", "second twice"],
)
@pytest.mark.parametrize("mine, theirs", [("A2S1_a.py", "A2S1_b.py"), ("A2S1_b.py", "A2S1_a.py")])
def test_of_two_answers_of_one_name_each_may_lie_in_another_file(submit, s1, one, other, mine, theirs):
    queries = s1.partition("m_key")[0]
    begun = queries.partition("query121")[0] + "query132 = 10 * (key[0] + key[1])\n"
    graded = submit({mine: f"{queries}{one}", theirs: f"{begun}{other}"})
    assert {id for id in graded.lost if id.startswith("1.")} == set()


def test_an_import_under_another_name_and_a_module_that_a_cell_writes_stay(submit):
    most, rest = split("attn_softmax split_heads")
    part = "from A2S2_part1 import attn_softmax as weights\n" + most.replace("attn_softmax(A)", "weights(A)")
    assert lost(submit({"A2S2.py": part, "A2S2_part1.py": f"import torch\nF = torch.nn.functional\n{rest}"})) == set()
    files = {
        "A2S2.ipynb": notebook(
            "%%writefile mine.py\ndef scale(A, d):\n    return A / d**0.5",
            most.replace("math.sqrt(n_embd / n_heads)", "1")
            .replace("A / 1", "mine.scale(A, n_embd / n_heads)")
            .replace("import math", "import mine"),
        ),
        "A2S2_b.ipynb": notebook(
            "%%writefile mine.py\ndef scale(A, d):\n    return A", "import torch\nF = torch.nn.functional", rest
        ),
    }
    assert lost(submit(files)) == set()


@pytest.mark.parametrize(
    "name, runs",
    [
        ("my-heads.py", "%run -i my-heads.py"),
        ("heads.py", "%run ../heads.py"),
        ("heads.ipynb", "%run heads.ipynb"),
        ("my heads.py", "%run 'my heads.py'"),
    ],
)
def test_a_file_under_any_name_can_be_run(submit, name, runs):
    most, rest = split("split_heads merge_heads")
    text = notebook("%matplotlib inline", rest) if name.endswith("nb") else rest
    assert lost(submit({"A2S2.ipynb": notebook(runs, most), name: text})) == set()


@pytest.mark.parametrize("folder", ["my-homework", "a/b c/d", "2026"])
def test_a_module_beside_the_notebook_is_found_whatever_its_folder_is_called(submit, folder):
    most, rest = split("split_heads merge_heads")
    for importing in ("from heads import *", "from heads import split_heads, merge_heads"):
        assert lost(submit({f"{folder}/A2S2.ipynb": notebook(importing, most), f"{folder}/heads.py": rest})) == set()


@pytest.mark.parametrize(
    "importing", ["import heads", "from heads import split_heads as sp, merge_heads as mg", "import heads as h"]
)
def test_answers_in_a_module_that_is_imported_by_its_own_name_count(submit, importing):
    most, rest = split("split_heads merge_heads")
    assert lost(submit({"A2S2.ipynb": notebook(importing, most), "heads.py": f"import torch\n{rest}"})) == set()


@pytest.mark.parametrize(
    "uses",
    ["def helped(x, by=unit):\n    return x * by", "@kept\ndef helped(x):\n    return x", "class Helped(Kept):\n    pass"],
)
def test_what_a_definition_reads_at_once_comes_before_it(submit, uses):
    most, rest = split("split_heads")
    given = "\nunit = 1\ndef kept(f):\n    return f\nclass Kept:\n    pass\n"
    part = f"{uses}\n{rest}".replace("return x.", "x = helped(x) if 'helped' in globals() else Helped and x\n    return x.")
    assert lost(submit({"A2S2_a.py": most + given, "A2S2_b.py": part})) == set()


def test_what_is_only_printed_of_an_answer_orders_no_files(submit, s1):
    before, _, after = s1.partition("\nm_key = ")
    given, printed = (
        s1.partition("S = 100")[0],
        "\nm_key = None\nif m_key is not None:\n    check_query(query132, value[2], key=m_key)\n",
    )
    graded = submit({"A2S1_alice.py": before + printed, "A2S1_bob.py": f"{given}\nquery132 = None\nm_key = {after}"})
    assert {id for id in graded.lost if id.startswith("1.")} == set()


def test_attempts_with_more_answers_give_only_what_is_missing(submit):
    most, _ = split("self_attention")
    assert lost(submit({"A2S2.ipynb": notebook(most), "A2S2_attempts.ipynb": notebook(WRONG)})) == set()


def test_a_stub_of_many_branches_costs_nothing_else(submit):
    branches = "".join(f"    elif n == {number}:\n        pass\n" for number in range(280))
    idle = f"def unused(n):\n    if n:\n        pass\n{branches}"
    assert lost(submit({"A2S2.ipynb": notebook(idle, S2), "A2S2_b.ipynb": notebook(EMPTY)})) == set()


# Section 3, of which the handout gives the beginnings

BEGUN = {
    "train_one_epoch": "    for batch in tqdm(dataloader):\n        loss = None  # TODO\n",
    "evaluate": '    """The accuracy."""\n',
    "main": "    set_seed(seed)\n    split_datasets = initialize_datasets(tokenizer)\n    curves = None\n    return curves\n",
    "compute_accuracy": "    accuracy = None  # TODO\n    return accuracy\n",
}


def begun(source: str, *names: str) -> str:
    """The file with these functions as the handout gives them."""
    nodes, lines = {getattr(node, "name", ""): node for node in ast.parse(source).body}, source.split("\n")
    for node in sorted((nodes[name] for name in names), key=lambda node: -node.lineno):
        lines[node.lineno : node.end_lineno] = BEGUN[node.name].rstrip("\n").split("\n")
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mine", [("main",), ("train_one_epoch", "evaluate"), ("evaluate", "main"), ("compute_accuracy", "train_one_epoch")]
)
def test_halves_of_section_3_are_graded_together(submit, mine):
    theirs = set(BEGUN).difference(mine)
    graded = submit({"A2S3_alice.ipynb": notebook(begun(S3, *mine)), "A2S3_bob.ipynb": notebook(begun(S3, *theirs))})
    assert {id for id in graded.lost if id.startswith("3.")} == set()


@pytest.mark.slow
def test_a_function_more_in_a_class_is_no_answer_more(submit):
    old = S3.replace("    def __len__", "    def __repr__(self):\n        return 'old'\n\n    def __len__").replace(
        "loss.backward()", "pass"
    )
    graded = submit({"A2S3.ipynb": notebook(S3), "A2S3_old.ipynb": notebook(old)})
    assert {id for id in graded.lost if id.startswith("3.")} == set()
