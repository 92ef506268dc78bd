"""Where student code finds its tensors once it has asked for a GPU: on that GPU, and not where they are."""

import pytest

from autograder.sandbox.judge_side.worker import Worker
from support.programs import program

# Expressions of student code, with ``t = torch.ones(2).cuda()`` and ``model = torch.nn.Linear(2, 2).to("cuda")``.
HERE = {
    "asked for by a method": "t.is_cuda, t.device.type, t.get_device(), str(t.device)",
    "asked by functions": "(lambda x: x.is_cuda)(t), t.cuda().device.type, [x.get_device() for x in [t]][0], f'{t.device}'",
    "made there": "(y := torch.zeros(2, device='cuda')).is_cuda, y.device.type, y.get_device(), str(y.device)",
    "what is computed from them": "(t + t).is_cuda, (t @ t).device.type, t.sum().get_device(), str(t.clone().device)",
    "weights": "model.weight.is_cuda, next(model.parameters()).device.type, model.bias.get_device(), str(model(t).device)",
}
# Chains of moves, each with whether it ends on the GPU.
MOVES = {
    "t.cpu()": False,
    "t.to('cpu')": False,
    "t.cpu().cpu()": False,
    "t.cpu().pin_memory()": False,
    "t.cpu().to(torch.float64)": False,
    "t.cpu().cuda()": True,
    "t.cpu().cuda(0)": True,
    "t.cpu().cuda(non_blocking=True)": True,
    "t.cpu().pin_memory().cuda()": True,
    "t.cpu().to('cuda')": True,
    "t.cpu().to(0)": True,
    "t.to('cpu').cuda().cuda()": True,
    "t.cpu().cuda().cpu()": False,
    "t.pin_memory()": True,
    "t.cuda().cuda()": True,
}


@pytest.fixture
def seen(grader):
    """What student code finds for an expression."""
    with Worker(grader.zygote, grader.assignment.limits) as worker:

        def ask(expression):
            first = "import torch\nt, model = torch.ones(2).cuda(), torch.nn.Linear(2, 2).to('cuda')\n"
            worker.load(program(f"{first}def f():\n    return [*({expression},)]"))
            return worker.call("f", [], {})

        yield ask


@pytest.mark.parametrize("what", HERE)
def test_student_code_finds_its_tensors_on_the_gpu_that_it_asked_for(seen, what):
    assert seen(HERE[what]) == [True, "cuda", 0, "cuda:0"]


@pytest.mark.parametrize("chain", MOVES)
def test_a_tensor_is_where_it_was_moved_last_and_holds_the_same(seen, chain):
    assert seen(f"({chain}).is_cuda, ({chain}).sum().item(), t.is_cuda") == [MOVES[chain], 2.0, True]


def test_a_library_finds_them_where_they_are(seen):
    asks = "exec(compile('def place(x): return x.device.type, x.is_cuda', torch.__file__, 'exec'), n := {})"
    assert seen(f"{asks} or n['place'](t)") == [["cpu", False]]
