from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.merge_heads"
points = None

@test_case(points=None, hidden=False)
def is_right(merge_heads, check):
    """(B, n_heads, n_tok, width) becomes (B, n_tok, n_embd), the heads side by side again."""
    check.judge('2.1.merge_heads', merge_heads, 'the merged tensor')

