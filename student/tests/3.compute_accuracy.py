from otter.test_files import test_case

OK_FORMAT = False

name = "3.compute_accuracy"
points = None

@test_case(points=None, hidden=False)
def is_the_share_of_right_predictions(probe, check):
    """compute_accuracy is the share of predictions that equal their label."""
    check.rules.finetuning.judge(check, '3.compute_accuracy', probe, 'accuracies')

