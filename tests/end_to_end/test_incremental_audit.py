"""An audit grades anew what a change can touch, and nothing else."""

import json
import re
import shutil

import pytest

from autograder.core.references import REFERENCES
from support.project import TOY
from support.toy import autograder

BANK = """
[[mistake]]
item = "1.add"
id = "product"
code = "def add(a, b):\\n    return a * b"
says = "it multiplies"

[[mistake]]
item = "1.mean"
id = "sum"
code = "def mean(xs):\\n    return sum(xs)"
says = "it adds"

[[alternative]]
item = "1.add"
id = "other way round"
code = "def add(a, b):\\n    return b + a"
"""
WHOLE = 8 + 3  # the solutions on each hidden set, and the bank


@pytest.fixture(scope="module")
def audited_once(tmp_path_factory):
    """The toy with a bank, audited; each test copies it."""
    root = tmp_path_factory.mktemp("audited") / "toy"
    shutil.copytree(TOY, root, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "assignment" / "bank").mkdir()
    (root / "assignment" / "bank" / "toy.toml").write_text(BANK)
    assert audit(root) == (WHOLE, WHOLE)
    return root


@pytest.fixture
def audited(audited_once, tmp_path):
    """A copy of the toy after an audit."""
    return shutil.copytree(audited_once, tmp_path / "toy")


def audit(toy) -> tuple[int, int]:
    """How many variants are graded anew, of how many."""
    done = autograder("audit", cwd=toy)
    assert done.returncode == 0, done.stdout + done.stderr
    anew, of = re.search(r"graded anew: (\d+) of (\d+)", done.stdout).groups()
    return int(anew), int(of)


def edit(path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_a_second_audit_grades_nothing(audited):
    assert audit(audited) == (0, WHOLE)


@pytest.mark.slow
def test_a_changed_entry_costs_the_audit_of_the_entries_that_it_could_be_taken_for(audited):
    edit(audited / "assignment" / "bank" / "toy.toml", "it multiplies", "the numbers are multiplied")
    assert audit(audited) == (2, WHOLE)  # the two entries of 1.add


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["solutions/T1.py", "assignment/rubric.toml", "assignment/inputs.py"])
def test_what_every_verdict_depends_on_costs_the_whole_audit(audited, changed):
    (audited / changed).write_text((audited / changed).read_text() + "\n# a comment\n")
    assert audit(audited) == (WHOLE, WHOLE)


@pytest.mark.slow
def test_another_seed_costs_the_whole_audit(audited, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SEED", "another one")
    (audited / "build" / REFERENCES).unlink()  # those of the former seed are not replaced
    assert audit(audited) == (WHOLE, WHOLE)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["[]", "", "{", '{"x": 1}'])
def test_a_damaged_record_is_made_again(audited, damage):
    (audited / "build" / "audit.json").write_text(damage)
    assert audit(audited) == (WHOLE, WHOLE)


@pytest.mark.slow
def test_what_was_not_as_expected_is_graded_again(audited):
    edit(audited / "assignment" / "bank" / "toy.toml", "return b + a", "return b - a")
    first, second = (autograder("audit", cwd=audited) for _ in (1, 2))
    assert first.returncode == second.returncode == 1 and f"graded anew: 1 of {WHOLE}" in second.stdout
    assert len(json.loads((audited / "build" / "audit.json").read_text())) == WHOLE - 1


@pytest.mark.slow
def test_wrong_solutions_are_told_before_the_bank_is_looked_at(audited):
    edit(audited / "solutions" / "T1.py", "def add(a, b):\n", "def add(a, b):\n    import time\n    a = a + time.time()\n")
    done = autograder("audit", cwd=audited)
    assert done.returncode != 0 and "1.add" in done.stdout + done.stderr
    assert "mistakes 0/0" in done.stdout or "baking failed" in done.stderr
