from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.apply_causal_mask"


@test_case()
def hides_the_future(apply_causal_mask, make_causal_mask, check):
    """Scores of future tokens become -inf before the softmax; all others stay as they are."""
    for case in check.cases("2.1.apply_causal_mask"):
        check.rules.masks.judge_masking(check, case, apply_causal_mask, make_causal_mask)
    check.trace("2.1.apply_causal_mask", apply_causal_mask)
