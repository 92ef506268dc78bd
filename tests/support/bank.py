"""Checks over the bank of mistakes: pairs of mistakes, and each entry run as a notebook with its check cells."""

import json
import random
import re
import subprocess
import sys

import pytest

from autograder.authoring import audit
from autograder.authoring.baking.bank import load_bank
from autograder.core.verdict import PASSED
from support import share
from support.project import ROOT


@pytest.fixture(scope="session")
def bank(grader):
    return load_bank(grader.assignment)


@pytest.fixture(scope="session")
def variants(grader):
    return audit.Variants(grader.assignment, ROOT / "solutions")


LOCAL = """
import contextlib, io, json, os, re, sys, tempfile
sys.path.insert(0, os.path.abspath("student"))
import torch
torch.set_num_threads(1)
import a2checks.probe
hub = a2checks.probe.stage(a2checks.check.worlds["A2S3"])  # there is no other one here
os.chdir(tempfile.mkdtemp())
for line in sys.stdin:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(compile(json.loads(line), "variant", "exec"), {"__name__": "__main__"})
    except Exception as error:
        out.write(f"\\nraised {error!r}")
    print(json.dumps([out.getvalue()]), flush=True)
"""


def tolerant(script: str) -> str:
    """Continue after a statement that raises, as a person does with the next cell."""
    import ast

    parts = []
    for node in ast.parse(script).body:
        code = ast.unparse(node)
        indented = "\n".join("    " + line for line in code.split("\n"))
        parts.append(code if isinstance(node, ast.FunctionDef) else f"try:\n{indented}\nexcept Exception as e: print(e)")
    return "\n".join(parts)


def pairs_cost_both_items(grader, bank, variants, capsys, count):
    rng, held, tried = random.Random(share.SEED), 0, 0
    shared = [
        ["1.3.2", "1.4.1", "1.4.2"],
        [f"2.1.self_attention.step{n}" for n in (1, 2, 3)],
        ["2.1.make_causal_mask", "2.1.apply_causal_mask"],
    ]
    wrong = []
    while tried < count:
        one, two = rng.sample(bank["mistake"], 2)
        if one["item"] == two["item"] or any(one["item"] in group and two["item"] in group for group in shared):
            continue  # answers that are graded together: a second mistake may change what the first one does
        tried += 1
        verdicts = variants.graded(grader, {one["item"]: one["code"], two["item"]: two["code"]})
        lost = {v.question.id for v in verdicts if v.status != PASSED}
        expected = {one["item"], two["item"], *one.get("also_costs", ()), *two.get("also_costs", ())}
        held += lost == expected
        if lost != expected:
            wrong.append((one["item"], one["id"], two["item"], two["id"], sorted(lost ^ expected)))
    with capsys.disabled():
        print(f"\npairs of mistakes: {held}/{tried}")
    assert wrong == []


def cells_and_grades_agree(grader, bank, variants, capsys, sections: str, first: int, step: int) -> None:
    """Run each entry as a notebook: every check cell must print, and ❌ exactly where points are lost."""
    assignment = grader.assignment
    entries = [(kind, e) for kind in ("mistake", "alternative") for e in bank[kind] if e["item"][0] in sections][first::step]
    scripts = [as_notebook(assignment, variants, entry) for _, entry in entries]
    done = subprocess.run(
        [sys.executable, "-c", LOCAL], input="\n".join(map(json.dumps, scripts)), capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    disagreements = []
    for (kind, entry), line in zip(entries, done.stdout.splitlines()):
        text = json.loads(line)[0]
        marks = {id: mark for mark, id in re.findall(r"^([✅❌⏳]) ([\w.]*\w)", text, re.MULTILINE)}
        every = {q.id for q in assignment.of_section(assignment.question(entry["item"]).section)}
        bad = wrongly_marked(marks, every, kind, entry)
        if bad or set(marks) != every:
            disagreements.append((kind, entry["item"], entry["id"], bad, text[-300:]))
    with capsys.disabled():
        print(f"\ncheck cells agree with the grade: {len(entries) - len(disagreements)}/{len(entries)}")
    assert disagreements == [], "\n".join(str(d[:4]) for d in disagreements)


def as_notebook(assignment, variants, entry: dict) -> str:
    """The section's script with this entry in it.

    What another function uses is judged as that one uses it: it is checked again when all cells have run, as a2checks does.
    """
    section = assignment.question(entry["item"]).section
    again = "".join(f"\ncheck({q.id!r})" for q in assignment.of_section(section) if q.used_by)
    return tolerant(variants.script(section.id, {entry["item"]: entry["code"]}) + again)


def wrongly_marked(marks: dict[str, str], items: set[str], kind: str, entry: dict) -> list[str]:
    """Items whose mark differs from their grade. ⏳ (fix another answer first) is accepted except at the wrong item itself."""
    lost = {entry["item"], *entry.get("also_costs", ())} if kind == "mistake" else set()
    return sorted(
        id for id in items if (marks.get(id) == "❌") != (id in lost) and not (marks.get(id) == "⏳" and id != entry["item"])
    )
