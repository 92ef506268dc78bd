"""An audit with another interpreter says which versions differ and which verdicts move; one that cannot audit says why."""

import json
import sys
from pathlib import Path

import pytest

from support.toy import autograder


def interpreter(folder: Path, script: str) -> Path:
    """Something that is called like Python, with the path of the outcomes as its last argument."""
    path = folder / "other-python"
    path.write_text(f"#!/bin/sh\nfor last; do :; done\n{script}\n")
    path.chmod(0o755)
    return path


BANK = """
[[concept]]
id = "sums"
says = "Add two numbers by hand."

[[mistake]]
item = "1.add"
id = "product"
concept = "sums"
code = "def add(a, b):\\n    return a * b"
says = "it multiplies"

[[alternative]]
item = "1.add"
id = "other way round"
code = "def add(a, b):\\n    return b + a"

[[alternative]]
item = "1.mean"
id = "kept to the end"
code = "def mean(xs):\\n    return sum(xs) / len(xs)"
"""


@pytest.fixture(autouse=True)
def bank(toy):
    (toy / "assignment" / "bank").mkdir()
    (toy / "assignment" / "bank" / "toy.toml").write_text(BANK)


def here(toy: Path) -> dict:
    done = autograder("audit", "--outcomes", "outcomes.json", cwd=toy)
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads((toy / "outcomes.json").read_text())


@pytest.mark.slow
def test_the_same_interpreter_moves_nothing(toy):
    done = autograder("audit", "--against", sys.executable, cwd=toy)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.splitlines()[-1] == f"against {sys.executable}: no verdicts moved" and "version:" not in done.stdout


@pytest.mark.slow
def test_a_verdict_that_moves_is_named_with_both_sides(toy, tmp_path):
    tree = here(toy)
    assert {one["kind"] for one in tree["outcomes"]} == {"solution", "mistake", "alternative"}
    changed = next(one for one in tree["outcomes"] if one["kind"] == "alternative")
    changed["wrong"] = "lost ['1.add']: \x1b[31mnumbers"
    unknown = next(one for one in tree["outcomes"] if one["kind"] == "mistake")
    unknown["named"] = not unknown["named"]
    tree["outcomes"][0]["wrong"] = "lost ['1.mean'] on the hidden set 0"
    tree["outcomes"].pop()
    tree["versions"]["python"] = "3.99"
    (tmp_path / "moved.json").write_text(json.dumps(tree))
    done = autograder("audit", "--against", interpreter(tmp_path, f'cp {tmp_path}/moved.json "$last"'), cwd=toy)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and any(line.startswith("version: python ") and "3.99 there" in line for line in lines)
    assert "moved: solution  all items: as expected here, lost ['1.mean'] on the hidden set 0 there" in done.stdout.replace(
        "solution all", "solution  all"
    )
    assert (
        f"moved: alternative {changed['item']} {changed['id']}: as expected here, lost ['1.add']: ?[31mnumbers there" in lines
    )
    assert (
        f"moved: mistake {unknown['item']} {unknown['id']}: recognised {'there' if unknown['named'] else 'here'} only" in lines
    )
    assert "moved: 1 were audited on one side only: where the solutions are wrong, the bank is not audited" in lines
    assert lines[-1].endswith(": 4 verdicts moved")


@pytest.mark.slow
@pytest.mark.parametrize(
    "script, says",
    [
        (
            "echo \"ModuleNotFoundError: No module named 'torch'\" >&2; exit 1",
            "cannot run the audit: ModuleNotFoundError: No module named 'torch'",
        ),
        ("echo '[1]' > \"$last\"", "cannot run the audit"),
        ('echo \'{"versions": {}, "outcomes": [3]}\' > "$last"', "cannot run the audit"),
        (None, "there is no interpreter"),
    ],
)
def test_an_interpreter_that_cannot_audit_is_one_line(toy, tmp_path, script, says):
    python = interpreter(tmp_path, script) if script else tmp_path / "nowhere"
    done = autograder("audit", "--against", python, cwd=toy)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("autograder: ")]) == 1


def test_the_other_interpreter_finds_the_engine_and_none_of_our_packages(toy, tmp_path):
    other = interpreter(tmp_path, 'echo "found: $(ls "$PYTHONPATH" | tr "\\n" ";")" >&2; exit 1')
    done = autograder("audit", "--against", str(other), cwd=toy)
    assert "found: autograder;" in done.stderr + done.stdout
