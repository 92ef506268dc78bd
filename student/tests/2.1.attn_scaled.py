from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.attn_scaled"
points = None

@test_case(points=None, hidden=False)
def is_right(attn_scaled, check):
    """The scores are divided by the square root of n_embd / n_heads, the width of one head."""
    check.judge('2.1.attn_scaled', attn_scaled, 'the scaled scores')

