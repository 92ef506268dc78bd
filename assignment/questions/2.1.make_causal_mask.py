from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.make_causal_mask"


@test_case()
def allows_the_past_only(make_causal_mask, apply_causal_mask, check):
    """Token i may attend to tokens 0 to i: ones on and below the diagonal, zeros above."""
    for case in check.cases("2.1.make_causal_mask"):
        check.rules.masks.judge_mask(check, case, make_causal_mask, apply_causal_mask)
    for case in check.cases("2.1.make_causal_mask", "long"):
        check.rules.masks.judge_mask(check, case, make_causal_mask, apply_causal_mask)
