"""A mistake in the bank, the inputs, the tests or the solutions is a one-line error that names its place."""

import pytest

from autograder.authoring.baking.bank import load_bank
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from support.toy import autograder

MINUS = '[[mistake]]\nitem = "1.add"\nid = "minus"\ncode = "def add(a, b): return a - b"\nsays = "it subtracts"\n'
TWO_GROUPS = """def draw(seed, public, names):
    empty = {'args': [], 'kwargs': {}}
    return {'1.add': {'own': [{**empty, 'function': 'FUNCTION'}]}, '1.mean': {'own': [empty], 'fresh': [empty]}}
"""


DRAWN = """import random
import numpy as np

LEFT = iter(range(1000))


def sizes(seed, public):
    return SIZES


def draw(seed, public, names, sizes):
    first = random.Random(seed).random()
    return {
        '1.add': {'own': [{'args': [first, 2], 'kwargs': {}, 'function': 'add'}]},
        '1.mean': {group: [{'args': [[1, NUMBER]], 'kwargs': {}, 'function': 'mean'}] for group in ('own', 'fresh')},
    }
"""


@pytest.mark.parametrize(
    "text, says",
    [
        (MINUS + 'also_cost = ["1.mean"]\n', "mistake 'minus': unknown key 'also_cost'; did you mean 'also_costs'?"),
        (MINUS + 'also_costs = ["1.men"]\nreason = "x"\n', "mistake 'minus': no item '1.men'; did you mean '1.mean'?"),
        (MINUS + 'also_costs = ["1.mean"]\n', "the key 'reason' is missing"),
        (MINUS + MINUS, "1.add has another mistake of this name"),
        (MINUS.replace("1.add", "1.ad"), "no item '1.ad'; did you mean '1.add'?"),
        (MINUS + 'same_as = "plus"\n', "no mistake 'plus'"),
        (MINUS.replace("return a - b", "return a -"), "line 1 of its code is not valid Python"),
        (MINUS.replace('says = "it subtracts"\n', ""), "the key 'says' is missing"),
        (MINUS.replace("[[mistake]]", "[[misteak]]"), "no table 'misteak'; did you mean 'mistake'?"),
        ("[[mistake]", "is not valid TOML"),
    ],
)
def test_a_slip_in_the_bank_is_refused_with_its_place_and_the_nearest_name(toy, text, says):
    (toy / "assignment" / "bank").mkdir()
    (toy / "assignment" / "bank" / "m.toml").write_text(text)
    with pytest.raises(GraderError) as refusal:
        load_bank(load_assignment(toy / "assignment"))
    assert says in str(refusal.value) and ("m.toml" in str(refusal.value) or "bank" in str(refusal.value))


@pytest.mark.many(of=4)
@pytest.mark.parametrize(
    "file, text, says",
    [
        (
            "inputs.py",
            """import random


def draw(seed, public, names):
    return name['add']


def second_opinion(tree):
    return ''
""",
            "inputs.py, line 5: NameError: name 'name' is not defined",
        ),
        ("inputs.py", "def draw(:\n", "inputs.py, line 1: SyntaxError"),
        ("inputs.py", "raise ValueError('no seed')\n", "inputs.py, line 1: ValueError: no seed"),
        ("inputs.py", "def draw(seed, public, names):\n    return {'1.add': {}}\n", "no cases for 1.add in its group 'own'"),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.ad': {}}\n",
            "inputs: draw(): no question '1.ad'; did you mean '1.add'?",
        ),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': [{'arg': []}]}}\n",
            "inputs: a case of 1.add: no key 'arg'; did you mean 'args'?",
        ),
        (
            "inputs.py",
            TWO_GROUPS.replace("FUNCTION", "ad"),
            "no function of the solutions called 'ad'; did you mean 'add'?",
        ),
        ("trusted_helpers.py", "answers = {}\n", "trusted_helpers.py: `answers`, for 1.mean: no name 'add'; there are none"),
        ("trusted_helpers.py", "import nowhere\n", "trusted_helpers.py, line 1: ModuleNotFoundError"),
        ("questions/1.add.py", "def (\n", "questions/1.add.py, line 1"),
        ("inputs.py", None, "the assignment has no inputs.py"),
        ("inputs.py", "raise SystemExit(0)\n", "inputs.py, line 1: SystemExit"),
        ("inputs.py", "def draw(seed, public, names):\n    return None\n", "inputs: draw() should return a dict"),
        (
            "inputs.py",
            "def draw(seed, public, names):\n    return {'1.add': {'own': []}, '1.mean': {}}\n",
            "no cases for 1.add in its group 'own'",
        ),
        (
            "inputs.py",
            TWO_GROUPS.replace("FUNCTION", "add"),
            "inputs: a case of 1.add: the solutions' add raised TypeError",
        ),
        ("../solutions/T1.py", "def add(a, b):\n    return a + b\n\n\nmean = add(1)\n", "T1.py, line 5: TypeError"),
        ("../solutions/T1.py", "def add(a, b):\n    return a + b\n", "'mean', the answer to 1.mean, is not defined"),
    ],
)
@pytest.mark.slow
def test_an_error_in_staff_code_names_its_line_without_a_traceback(toy, file, text, says):
    path = toy / "assignment" / file
    path.unlink() if text is None else path.write_text(text)
    done = autograder("pack", cwd=toy)
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "number, sizes, says",
    [
        ("float(np.random.default_rng().integers(99, size=9).sum())", "1", "draw() gives other cases for 1.mean each time"),
        ("random.random()", "1", "draw() gives other cases for 1.mean each time"),
        ("1 if public else float(np.random.normal())", "1", "draw() gives other cases for 1.mean each time"),
        ("1", "next(LEFT)", "sizes() gives other results each time"),
    ],
)
def test_inputs_that_ignore_their_seed_are_refused_before_anything_is_baked(toy, number, sizes, says):
    (toy / "assignment" / "inputs.py").write_text(DRAWN.replace("NUMBER", number).replace("SIZES", sizes))
    done = autograder("bake", cwd=toy)
    assert done.returncode == 2 and f"inputs: {says}" in done.stderr and "default_rng(seed)" in done.stderr, done.stderr
    (toy / "assignment" / "inputs.py").write_text(DRAWN.replace("NUMBER", "float(seed or 1)").replace("SIZES", "[1, 2]"))
    assert autograder("bake", cwd=toy).returncode == 0


@pytest.mark.slow
def test_a_slip_in_the_bank_is_told_by_whatever_command_bakes_and_nothing_stands_before_it(toy):
    (toy / "assignment" / "bank").mkdir()
    (toy / "assignment" / "bank" / "m.toml").write_text(MINUS.replace("1.add", "1.ad"))
    told = {autograder(command, cwd=toy).stderr for command in ("bake", "pack")}
    assert told == {"autograder: m.toml: mistake 'minus': no item '1.ad'; did you mean '1.add'?\n"}
