from otter.test_files import test_case

OK_FORMAT = False

name = "3.dataset.getitem"


@test_case()
def gives_the_example_of_that_number(probe, check):
    """dataset[i] is example number i, with its text and its label."""
    check.rules.finetuning.judge(check, "3.dataset.getitem", probe, "right_items")
