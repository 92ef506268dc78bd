from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.split_heads"
points = None

@test_case(points=None, hidden=False)
def gives_each_head_its_slice(split_heads, check):
    """(B, n_tok, n_embd) becomes (B, n_heads, n_tok, n_embd / n_heads):
    head h gets the h-th slice of every token's embedding."""
    for case in check.cases('2.1.split_heads'):
        case.judge(split_heads, 'the split tensor')
    check.rules.attention.also_float64(check, '2.1.split_heads', split_heads)

