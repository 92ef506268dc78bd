from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.split_heads"
points = None

@test_case(points=None, hidden=False)
def is_right(split_heads, check):
    """(B, n_tok, n_embd) becomes (B, n_heads, n_tok, n_embd / n_heads): head h gets the h-th slice of every token's embedding."""
    check.judge('2.1.split_heads', split_heads, 'the split tensor')

