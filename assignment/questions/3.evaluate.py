from otter.test_files import test_case

OK_FORMAT = False

name = "3.evaluate"


@test_case()
def evaluates_in_evaluation_mode(probe, check):
    """The model is in evaluation mode, whatever it was before."""
    check.rules.finetuning.judge(check, "3.evaluate", probe, "eval_mode")


@test_case()
def builds_no_graph(probe, check):
    """No graph for gradients is built (torch.no_grad)."""
    check.rules.finetuning.judge(check, "3.evaluate", probe, "no_graph")


@test_case()
def leaves_the_weights_alone(probe, check):
    """The weights stay as they are."""
    check.rules.finetuning.judge(check, "3.evaluate", probe, "untouched")


@test_case()
def returns_the_true_accuracy(probe, check):
    """What evaluate returns is the share of right answers, even if the last batch is smaller."""
    check.rules.finetuning.judge(check, "3.evaluate", probe, "true_accuracy")
