"""What stands in for a student's environment says what is set and what is not, and asks nothing itself."""

import subprocess
import sys

import pytest

# Where libraries lie is known by then: asking sysconfig would be in the middle of a reading of its own.
ASKED = """
import os, sysconfig
from autograder.sandbox.worker_side import variables

variables.install()

def again(*_):
    raise AttributeError("sysconfig is asked while it reads the environment itself")

sysconfig.get_paths = again
source = f"found = {EXPRESSION}"
names = {"os": os}
exec(compile(source, FILE, "exec"), names)
print(names["found"])
"""


TRUTHFUL = {
    "os.environ.get('NOT_SET')": "None",
    "os.environ.get('NOT_SET', 'cuda')": "cuda",
    "os.getenv('NOT_SET', 7)": "7",
    "'NOT_SET' in os.environ": "False",
    "os.environ.pop('NOT_SET', None)": "None",
    "os.environ.setdefault('NOT_SET', 'false')": "false",
    "(os.environ.setdefault('NOT_SET', 'x'), os.environ['NOT_SET'])": "('x', 'x')",
    "dict(os.environ).get('NOT_SET')": "None",
}


def found(expression: str, file: str) -> str:
    code = f"FILE, EXPRESSION = {file!r}, {expression!r}\n{ASKED}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().splitlines()[-1]


@pytest.mark.parametrize("expression", TRUTHFUL)
def test_whoever_asks_whether_a_variable_is_set_is_answered_truthfully(expression):
    assert found(expression, "<cell 1>") == TRUTHFUL[expression]


def test_what_a_student_takes_for_granted_is_there_and_what_a_library_does_is_not():
    assert found("os.environ['NOT_SET']", "<cell 1>") == "1"
    assert found("os.environ['NOT_SET']", subprocess.__file__) == "KeyError: 'NOT_SET'"
