from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.compute_outputs"
points = None

@test_case(points=None, hidden=False)
def is_right(compute_outputs, check):
    """Each output is the sum of the values, weighed by its row of attention."""
    check.judge('2.1.compute_outputs', compute_outputs, 'the outputs')

