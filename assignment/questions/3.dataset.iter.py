from otter.test_files import test_case

OK_FORMAT = False

name = "3.dataset.iter"


@test_case()
def gives_every_example_once(probe, check):
    """Iterating over a dataset gives every example once, in order."""
    check.rules.finetuning.judge(check, "3.dataset.iter", probe, "complete")


@test_case()
def starts_over(probe, check):
    """A second pass gives the same examples again."""
    check.rules.finetuning.judge(check, "3.dataset.iter", probe, "repeatable")
