from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.attn_softmax"


@test_case()
def normalises_each_row(attn_softmax, check):
    """Each row of the result sums to one: softmax over the last dimension."""
    for case in check.cases("2.1.attn_softmax"):
        case.judge(attn_softmax, "the attention weights")
    check.rules.attention.also_float64(check, "2.1.attn_softmax", attn_softmax)
