from otter.test_files import test_case

OK_FORMAT = False

name = "3.train_one_epoch"


@test_case()
def parameters_move(probe, check):
    """One epoch changes the parameters of the whole model."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "learns")
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "end_to_end")


@test_case()
def steps_follow_gradients(probe, check):
    """Every optimizer step follows the backward pass of its batch."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "in_order")


@test_case()
def gradients_are_cleared(probe, check):
    """Gradients do not accumulate from step to step."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "cleared")


@test_case()
def trains_in_training_mode(probe, check):
    """The model is in training mode, whatever it was before."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "train_mode")


@test_case()
def uses_every_batch_once(probe, check):
    """Every batch is used once, in the order of the dataloader."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "every_batch")


@test_case()
def minimises_the_cross_entropy(probe, check):
    """The loss is the cross-entropy with the batch's labels."""
    check.rules.finetuning.judge(check, "3.train_one_epoch", probe, "right_loss")
