from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step3"
points = None

@test_case(points=None, hidden=False)
def is_right(self_attention, check):
    """Several heads, causal and not: each head attends in its own slice, then the heads are merged."""
    check.judge('2.1.self_attention.step3', self_attention, 'the output')

