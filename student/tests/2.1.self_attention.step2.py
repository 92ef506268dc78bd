from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step2"
points = None

@test_case(points=None, hidden=False)
def is_right(self_attention, check):
    """One head, causal: each token attends to itself and to the past only."""
    check.judge('2.1.self_attention.step2', self_attention, 'the output')

