"""A hundred pairs of mistakes, and every entry of the bank in a notebook, or a share of them."""

import pytest

from support import share
from support.bank import cells_and_grades_agree, pairs_cost_both_items


@pytest.mark.parametrize("count", [share.number(100)])
@pytest.mark.usefixtures("only_judging")
def test_two_mistakes_in_one_submission_cost_both_items_and_nothing_else(grader, bank, variants, capsys, count):
    pairs_cost_both_items(grader, bank, variants, capsys, count)


@pytest.mark.parametrize("sections", ["12", "3"])
@pytest.mark.usefixtures("only_judging")
def test_check_cells_and_grades_agree_over_the_whole_bank(grader, bank, variants, capsys, sections):
    cells_and_grades_agree(grader, bank, variants, capsys, sections, *share.every())
