from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step1"
points = None

@test_case(points=None, hidden=False)
def is_right(self_attention, check):
    """One head, no mask: softmax(Q Kᵀ / √n_embd) V."""
    check.judge('2.1.self_attention.step1', self_attention, 'the output')

