"""A hundred pairs of mistakes, and every entry of section 3's bank in a notebook."""

import pytest

from support.bank import cells_and_grades_agree, pairs_cost_both_items


@pytest.mark.parametrize("count", [100])
@pytest.mark.usefixtures("only_judging")
def test_two_mistakes_in_one_submission_cost_both_items_and_nothing_else(grader, bank, variants, capsys, count):
    pairs_cost_both_items(grader, bank, variants, capsys, count)


@pytest.mark.parametrize("sections, every_nth", [("3", 1)])
@pytest.mark.usefixtures("only_judging")
def test_check_cells_and_grades_agree_over_the_whole_bank(grader, bank, variants, capsys, sections, every_nth):
    cells_and_grades_agree(grader, bank, variants, capsys, sections, every_nth)
