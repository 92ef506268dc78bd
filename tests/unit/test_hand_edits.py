"""A gradebook counts as edited by hand only if its points are other ones than those that were written."""

import pytest

from autograder.batch.former import GRADEBOOK
from autograder.batch.gradebook import number
from autograder.batch.hand_edits import keep_edited
from autograder.batch.store import Record

HEADER = "Name,Email,SID,Course,Submission ID,1.1\n"


@pytest.fixture
def edited(tmp_path):
    def edited(cell, score):
        (tmp_path / GRADEBOOK).write_text(f'{HEADER}Ada,ada@u.edu,1,517,s1,"{cell}"\n')
        return bool(keep_edited(tmp_path, {"s1": Record("", "", "517", {"1.1": score})}))

    return edited


@pytest.mark.parametrize("score", [0.0, 2.0, 1.6666667, 5 / 3, 2 / 3, 0.1 + 0.2, 1e-7, 12345.678, 1234567.8, None])
def test_what_was_written_is_no_edit_however_many_digits_the_score_has(edited, score):
    cell = number(score)
    assert not edited(cell, score) and not edited(cell.replace(".", ","), score)
    if score is not None:
        assert not edited(repr(score), score) and not edited(f"{float(cell):.12f}", score)


@pytest.mark.parametrize(
    "cell, score", [("1.66", 5 / 3), ("1.6668", 5 / 3), ("2", 5 / 3), ("", 0.0), ("0", None), ("full", 2.0), ("nan", 2.0)]
)
def test_other_points_are(edited, cell, score):
    assert edited(cell, score)
