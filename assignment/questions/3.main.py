from otter.test_files import test_case

OK_FORMAT = False

name = "3.main"


@test_case()
def trains_for_epochs(probe, check):
    """One model is trained on the training set, in a loop over epochs."""
    check.rules.finetuning.judge(check, "3.main", probe, "trains")


@test_case()
def shuffles_the_training_data(probe, check):
    """The training data are shuffled."""
    check.rules.finetuning.judge(check, "3.main", probe, "shuffled")


@test_case()
def keeps_the_validation_order(probe, check):
    """The validation set is evaluated, in the same order each time."""
    check.rules.finetuning.judge(check, "3.main", probe, "validated")


@test_case()
def keeps_the_best_checkpoint(probe, check):
    """The weights with the best validation accuracy are saved on disk and can be loaded."""
    check.rules.finetuning.judge(check, "3.main", probe, "keeps_best")
