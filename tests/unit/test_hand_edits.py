"""A gradebook counts as edited by hand only if its points are other ones than those that were written."""

import pytest

from autograder.batch.former import GRADEBOOK
from autograder.batch.gradebook import number
from autograder.batch.hand_edits import gradebook_digest, keep_edited
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


BOOK = (
    "Name,Email,SID,Course,Submission ID,Total Score,Status,1.1,1.2\n"
    "Ada,ada@u.edu,0071,517,s1,3,graded,1.5,1.5\nBo,bo@u.edu,2,517,s2,0,graded,0,0\n"
)


@pytest.fixture
def written(tmp_path):
    """``written(text)``: what is said where the gradebook is this text, and was BOOK when it was written."""

    def written(text):
        (tmp_path / GRADEBOOK).write_text(BOOK)
        digest = gradebook_digest(tmp_path / GRADEBOOK)
        (tmp_path / GRADEBOOK).write_text(text)
        records = {id: Record("", "", "517", {"1.1": n, "1.2": n}) for id, n in (("s1", 1.5), ("s2", 0.0))}
        return keep_edited(tmp_path, records, digest)

    return written


@pytest.mark.parametrize(
    "old, new",
    [
        (",3,graded", ",5,graded"),
        ("517,s2", "447,s2"),
        ("bo@u.edu", "bob@u.edu"),
        ("0,graded", "0,not graded: copied"),
        ("Bo,bo", "Late Kid,late@u.edu,9,517,,,,,\nBo,bo"),
        ("Bo,bo@u.edu,2,517,s2,0,graded,0,0\n", ""),
        ("1.2\n", "1.2,Note\n"),
        ("1.1,1.2\n", "1.2,1.1\n"),
        ("Ada,", "Ada Lovelace,"),
    ],
)
def test_every_other_edit_is_kept_and_told_too(written, tmp_path, old, new):
    assert old in BOOK
    [line] = written(BOOK.replace(old, new))
    assert line.startswith(f"{GRADEBOOK} was not as the last run wrote it: it is kept as ")
    assert [path.read_text() for path in tmp_path.glob("gradebook-*.csv")] == [BOOK.replace(old, new)]


def test_what_a_spreadsheet_program_does_on_saving_is_no_edit(written, tmp_path):
    lines = BOOK.splitlines()
    for text in (
        BOOK,
        BOOK.replace(",", ";").replace("1.5", "1,5"),
        "\n".join([lines[0], *lines[:0:-1]]),
        BOOK.replace("0071", "71").replace("\n", ",,\n") + ",,,,\n",
        "\ufeff" + BOOK.replace("\n", "\r\n").replace(",3,", ",3.0,"),
    ):
        assert not written(text), text
    assert not list(tmp_path.glob("gradebook-*.csv"))


def test_a_gradebook_that_is_none_any_more_is_kept_too(written, tmp_path):
    [line] = written('"')
    assert "was not as the last run wrote it" in line and [p.read_text() for p in tmp_path.glob("gradebook-*")] == ['"']
