from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.attn_scaled"


@test_case()
def scales_by_head_width(attn_scaled, check):
    """The scores are divided by the square root of n_embd / n_heads, the width of one head."""
    for case in check.cases("2.1.attn_scaled"):
        case.judge(attn_scaled, "the scaled scores")
    check.rules.attention.also_float64(check, "2.1.attn_scaled", attn_scaled)
