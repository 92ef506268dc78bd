from otter.test_files import test_case

OK_FORMAT = False

name = "2.1.self_attention.step1"


@test_case()
def attends_with_one_head(self_attention, check):
    """One head, no mask: softmax(Q Kᵀ / √n_embd) V."""
    for case in check.cases("2.1.self_attention.step1"):
        case.judge(self_attention, "the output")
