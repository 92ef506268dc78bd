from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step2"


@test_case()
def attends_to_the_past_only(self_attention, check):
    """One head, causal: each token attends to itself and to the past only."""
    for case in check.cases("2.1.self_attention.step2"):
        case.judge(self_attention, "the output")
