from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step3"
points = None

@test_case(points=None, hidden=False)
def attends_with_several_heads(self_attention, check):
    """Several heads, causal and not: each head attends in its own slice, then the heads are merged."""
    for case in check.cases('2.1.self_attention.step3'):
        case.judge(self_attention, 'the output')
    check.rules.attention.also_float64(check, '2.1.self_attention.step3', self_attention)

