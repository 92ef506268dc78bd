from otter.test_files import test_case

OK_FORMAT = False

name = "2.4"


@test_case()
def is_new_and_likely(new_sentence, check):
    """Every two neighbours of the sentence follow each other somewhere in the text, and the sentence itself is not in it."""
    check.rules.judge_sentence(check, "2.4", new_sentence)
