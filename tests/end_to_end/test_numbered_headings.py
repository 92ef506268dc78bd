"""Headings of any number of digits are labels of answers; decimals are not."""

import pytest

from autograder.core.loading import load_assignment
from autograder.submission.headings import is_own
from support.toy import autograder


@pytest.mark.parametrize(
    "label, own",
    [
        ("1.2", True),
        ("1.2.1", True),
        ("1.9", True),
        ("10.2", True),
        ("10.2.1", True),
        ("1.10", True),
        ("1.10.2", True),
        ("1.25", False),
        ("1.13.1", False),
        ("2.1", False),
        ("10.20", False),
        ("1.2.14", False),
    ],
)
def test_headings_may_have_any_number_of_digits_and_decimals_are_not_headings(label, own):
    numbers = frozenset({"1", "1.2", "1.2.1", "1.10", "1.10.2", "10", "10.2", "10.2.1"})
    assert is_own(label, numbers) == own


@pytest.mark.slow
def test_answers_under_headings_of_several_digits_are_kept_apart(toy, tmp_path):
    folder = toy / "assignment"
    rubric = (folder / "rubric.toml").read_text()
    for old, new in (("1.add", "10.2.1"), ("1.mean", "10.10.2")):
        rubric = rubric.replace(old, new)
        test = (folder / "questions" / f"{old}.py").read_text().replace(old, new)
        (folder / "questions" / f"{new}.py").write_text(test)
        (folder / "inputs.py").write_text((folder / "inputs.py").read_text().replace(old, new))
    (folder / "rubric.toml").write_text(rubric)
    assert load_assignment(folder).numbers() == {"10", "10.2", "10.2.1", "10.10", "10.10.2"}
    assert autograder("grade", toy / "solutions", cwd=toy).returncode == 0
