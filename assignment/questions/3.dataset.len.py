from otter.test_files import test_case

OK_FORMAT = False

name = "3.dataset.len"


@test_case()
def counts_its_sentences(probe, check):
    """len(dataset) is the number of sentences in it."""
    check.rules.finetuning.judge(check, "3.dataset.len", probe, "counts")
