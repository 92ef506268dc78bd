from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.attn_softmax"
points = None

@test_case(points=None, hidden=False)
def is_right(attn_softmax, check):
    """Each row of the result sums to one: softmax over the last dimension."""
    check.judge('2.1.attn_softmax', attn_softmax, 'the attention weights')

