from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.compute_outputs"
points = None

@test_case(points=None, hidden=False)
def weighs_the_values(compute_outputs, check):
    """Each output is the sum of the values, weighed by its row of attention."""
    for case in check.cases('2.1.compute_outputs'):
        case.judge(compute_outputs, 'the outputs')
    check.rules.attention.also_float64(check, '2.1.compute_outputs', compute_outputs)

